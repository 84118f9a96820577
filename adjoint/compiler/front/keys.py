"""What tells two calls apart that need two programs: everything about the arguments but numbers.

Of a tensor its class, shape, type, and whether it is a leaf that wants a gradient, or computed; of
any other value what it is. A value without an order of its own is itself, by identity: the key
holds it, as the number of an object that is gone may be another's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import MethodType
from typing import Any, NamedTuple

import numpy as np

from adjoint import dtypes
from adjoint.array.value import tensor_level
from adjoint.compiler.front.guards import PLAIN
from adjoint.compiler.front.sources import kind_of_node
from adjoint.pytree import Structure, flatten
from adjoint.tape.forward import forward
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad
from adjoint.tape.tensor import Tensor, history_of

ndarray = np.ndarray
LONG = 256  # bytes of an array above which a digest stands for them


class Arguments(NamedTuple):
    """The arguments of one call, taken apart."""

    leaves: list[Any]
    structure: Structure
    tensors: list[Any]  # the distinct ones, in order
    places: tuple[int, ...]  # for each leaf: which of these, -1 for other values


def take_apart(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
    """The leaves of all arguments, and the tensors among them."""
    leaves, structure = flatten((args, kwargs))
    numbers: dict[int, int] = {}
    tensors: list[Any] = []
    places = []
    for each in leaves:
        if not isinstance(each, Tensor):
            places.append(-1)
            continue
        number = numbers.setdefault(id(each), len(tensors))
        if number == len(tensors):
            tensors.append(each)
        places.append(number)
    return Arguments(leaves, structure, tensors, tuple(places))


def is_ordinary(tensors: Sequence[Any]) -> bool:
    """Whether nothing but plain recording is going on: no transform, tangent, trace or watcher."""
    if modes.enabled and modes.enabled is not True:
        return False
    if tensor_level() or modes.recorder is not True or forward.level is not None:
        return False
    return all(each._level == 0 and type(each._array) is ndarray for each in tensors)


def settings() -> tuple[Any, ...]:
    """The modes that a trace depends on."""
    return bool(modes.enabled), bool(modes.inference), dtypes.get_default_dtype()


def facts_of(tensor: Any) -> tuple[Any, ...]:
    """All that a program depends on of a tensor."""
    array = tensor._array
    return (
        type(tensor), array.shape, array.dtype,
        None if array.flags.c_contiguous else array.strides,  # a size of 1 may have any stride
        kind_of_node(history_of(tensor)), tensor._view is None, hooks_of(tensor),
    )  # fmt: skip


def hooks_of(tensor: Any) -> tuple[Any, ...]:
    """The functions that hang on a leaf: a trace runs them, and they become part of its program."""
    node = tensor._node
    if type(node) is not AccumulateGrad or node.hooks is None:
        return ()
    hooks = node.hooks
    kinds = (hooks.gradient, hooks.before, hooks.after, hooks.accumulated)
    return tuple([tuple(each.values()) for each in kinds]) if any(kinds) else ()


def key_of(given: Arguments) -> tuple[Any, ...]:
    """The key of a call."""
    return (
        settings(),
        structure_key(given.structure),
        given.places,
        tuple([facts_of(each) for each in given.tensors]),
        tuple(
            [
                value_key(each)
                for each, place in zip(given.leaves, given.places, strict=True)
                if place < 0
            ]
        ),
    )


def structure_key(structure: Structure) -> Any:
    """A structure as something that can be looked up."""
    if structure.kind is None:
        return 0
    return structure.kind, structure.context, tuple(map(structure_key, structure.parts))


class Same:
    """An object by identity; held, as another may have its ``id`` once it is gone."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is Same and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)

    def __repr__(self) -> str:
        return repr(self.value)


def value_key(value: Any) -> Any:
    """A value that is no tensor, as something that can be looked up; 1, 1.0 and True are three."""
    kind = type(value)
    if kind is float or kind is complex:
        return kind, repr(value)  # tells zeros apart, and no NaN from another
    if isinstance(value, (ndarray, np.generic)) and not value.dtype.hasobject:
        return "array", kind, value.shape, value.dtype.str, contents_of(value)
    if kind is slice:
        return kind, *map(value_key, (value.start, value.stop, value.step))
    if isinstance(value, (set, frozenset)):
        return kind, frozenset(map(value_key, value))
    if isinstance(value, PLAIN):
        return kind, value
    if kind is MethodType:  # a new object each time that it is looked up
        return "method", Same(value.__func__), Same(value.__self__)
    if _by_identity(kind) or callable(value):
        return "object", Same(value)
    try:
        hash(value)
    except TypeError:
        return "object", Same(value)
    return kind, value


def _by_identity(kind: Any) -> bool:
    return kind.__hash__ is None or kind.__hash__ is object.__hash__


def contents_of(array: Any) -> bytes:
    """What stands for the numbers in an array of NumPy's, which a trace takes for constants."""
    content: bytes = array.tobytes()
    return content if len(content) <= LONG else hashlib.blake2b(content).digest()


def spell_difference(one: tuple[Any, ...], other: tuple[Any, ...]) -> str:
    """What differs between two keys, in words."""
    if one[0] != other[0]:
        modes_of = ("grad mode", "inference mode", "default dtype")
        for name, a, b in zip(modes_of, one[0], other[0], strict=True):
            if a != b:
                return f"{name}: {a}, {b}"
    if one[1:3] != other[1:3]:
        return "the nesting of the arguments, or which of them are one tensor"
    names = ("class", "shape", "dtype", "strides", "kind", "being a view", "hooks")
    for number, (a, b) in enumerate(zip(one[3], other[3], strict=True)):
        for name, x, y in zip(names, a, b, strict=True):
            if x != y:
                return f"tensor argument {number}: {name} {_spell(x)}, {_spell(y)}"
    for number, (a, b) in enumerate(zip(one[4], other[4], strict=True)):
        if a != b:
            return f"value argument {number}: {_spell(a[-1])}, {_spell(b[-1])}"
    return "nothing"


def _spell(value: Any) -> str:
    if isinstance(value, type):
        return value.__name__
    return repr(value) if value != "" else "none"
