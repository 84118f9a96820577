"""Nested containers of values: take the leaves out, put others back in, compare structures.

Containers are tuples, lists, dictionaries, their named, ordered and default kinds, deques, and
what ``register`` adds; everything else is a leaf, None too.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple


class Container(NamedTuple):
    """How one type is taken apart into parts and a context, and built again from them."""

    split: Callable[[Any], tuple[Iterable[Any], Any]]
    build: Callable[[list[Any], Any, type], Any]


class Structure:
    """A tree without its leaves; called with an iterator of as many values, it builds one."""

    __slots__ = ("context", "count", "kind", "parts")

    def __init__(self, kind: Any, context: Any, parts: tuple[Structure, ...], count: int) -> None:
        self.kind = kind  # the container's type, None for a leaf
        self.context = context
        self.parts = parts
        self.count = count  # of leaves

    def __call__(self, values: Iterator[Any]) -> Any:
        if self.kind is None:
            return next(values)
        items = [part(values) for part in self.parts]
        return _container(self.kind).build(items, self.context, self.kind)  # type: ignore[union-attr]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Structure)
            and self.kind is other.kind
            and self.context == other.context
            and self.parts == other.parts
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        spelled = repr(self(iter(["*"] * self.count)))
        return spelled.replace("'*'", "*")


LEAF = Structure(None, None, (), 1)


def _keys_and_values(tree: Any) -> tuple[Iterable[Any], Any]:
    return tree.values(), tuple(tree)


def _dictionary(items: list[Any], keys: Any, kind: type) -> Any:
    return kind(zip(keys, items, strict=True))


_CONTAINERS: dict[Any, Container] = {
    tuple: Container(lambda tree: (tree, None), lambda items, _, kind: kind(items)),
    list: Container(lambda tree: (tree, None), lambda items, _, kind: items),
    dict: Container(_keys_and_values, _dictionary),
    OrderedDict: Container(_keys_and_values, _dictionary),
    defaultdict: Container(
        lambda tree: (tree.values(), (tree.default_factory, tuple(tree))),
        lambda items, context, kind: kind(context[0], zip(context[1], items, strict=True)),
    ),
    deque: Container(
        lambda tree: (tree, tree.maxlen), lambda items, maxlen, kind: kind(items, maxlen)
    ),
}
# The same for every type that was met, None for leaves; types are few.
_KNOWN: dict[Any, Container | None] = dict(_CONTAINERS)
_NAMED = Container(lambda tree: (tree, None), lambda items, _, kind: kind(*items))


def register(
    kind: type,
    split: Callable[[Any], tuple[Iterable[Any], Any]],
    build: Callable[[Iterable[Any], Any], Any],
) -> None:
    """Treat instances of ``kind`` as containers: ``split`` gives parts and context for ``build``.

    Raises ``ValueError`` for a type that is a container already.
    """
    if kind in _CONTAINERS:
        raise ValueError(f"{kind.__name__} is registered as a container already")
    container = Container(split, lambda items, context, _: build(items, context))
    _CONTAINERS[kind] = _KNOWN[kind] = container


def _container(kind: Any) -> Container | None:
    try:
        return _KNOWN[kind]
    except KeyError:
        named = issubclass(kind, tuple) and hasattr(kind, "_fields")
        found = _KNOWN[kind] = _NAMED if named else None
        return found


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of ``tree`` in order, and its structure, which builds it from as many leaves.

    >>> leaves, structure = flatten({"a": 1, "b": (2, 3)})
    >>> leaves, structure(iter([4, 5, 6]))
    ([1, 2, 3], {'a': 4, 'b': (5, 6)})
    """
    leaves: list[Any] = []
    return leaves, _flatten_into(tree, leaves)


def _flatten_into(tree: Any, leaves: list[Any]) -> Structure:
    kind = type(tree)
    container = _container(kind)
    if container is None:
        leaves.append(tree)
        return LEAF
    before = len(leaves)
    items, context = container.split(tree)
    parts = tuple([_flatten_into(item, leaves) for item in items])
    return Structure(kind, context, parts, len(leaves) - before)


def spread(prefix: Any, structure: Structure) -> list[Any] | None:
    """One value for every leaf of a structure, from a tree whose leaves may stand for branches.

    None where the two do not match.

    >>> spread((0, None), flatten(([1, 2], 3))[1])
    [0, 0, None]
    """
    kind = type(prefix)
    container = _container(kind)
    if container is None:
        return [prefix] * structure.count
    if kind is not structure.kind:
        return None
    items, context = container.split(prefix)
    given = list(items)
    if context != structure.context:
        if not isinstance(prefix, dict) or prefix.keys() != set(_keys_of(structure)):
            return None
        given = [prefix[key] for key in _keys_of(structure)]
    if len(given) != len(structure.parts):
        return None
    out: list[Any] = []
    for item, part in zip(given, structure.parts, strict=True):
        below = spread(item, part)
        if below is None:
            return None
        out += below
    return out


def _keys_of(structure: Structure) -> Any:
    return structure.context[1] if structure.kind is defaultdict else structure.context


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Apply ``function`` to matching leaves of trees of one structure.

    Raises ``ValueError`` where the trees have different numbers of leaves.
    """
    leaves, rebuild = flatten(tree)
    columns = [leaves, *(flatten(other)[0] for other in others)]
    if len({len(column) for column in columns}) > 1:
        raise ValueError(
            "trees differ in structure: " + ", ".join(f"{len(column)} leaves" for column in columns)
        )
    return rebuild(iter([function(*group) for group in zip(*columns, strict=True)]))
