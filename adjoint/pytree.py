"""Nested tuples, lists and dicts of values: take the leaves out, put others back in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

Rebuild = Callable[[Iterator[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of ``tree`` in order, and a function that rebuilds it from as many leaves.

    >>> leaves, rebuild = flatten({"a": 1, "b": (2, 3)})
    >>> leaves, rebuild(iter([4, 5, 6]))
    ([1, 2, 3], {'a': 4, 'b': (5, 6)})
    """
    leaves: list[Any] = []
    return leaves, _flatten_into(tree, leaves)


def _flatten_into(tree: Any, leaves: list[Any]) -> Rebuild:
    kind = type(tree)
    if kind in (tuple, list):
        parts = [_flatten_into(item, leaves) for item in tree]
        return lambda values: kind([part(values) for part in parts])
    if kind in (dict, OrderedDict):
        items = [(key, _flatten_into(item, leaves)) for key, item in tree.items()]
        return lambda values: kind([(key, part(values)) for key, part in items])
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        parts = [_flatten_into(item, leaves) for item in tree]
        return lambda values: kind(*[part(values) for part in parts])
    if tree is None:
        return lambda values: None
    leaves.append(tree)
    return next


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
