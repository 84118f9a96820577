"""What every transform does: values taken down into arrays of its level, and results back out."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.array.batch import Batch
from adjoint.array.dual import Dual
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.pytree import flatten
from adjoint.tape.forward import Attached
from adjoint.tape.modes import modes
from adjoint.tape.tensor import Tensor, memory_of, wrap


def lower(value: Any) -> Any:
    """A Tensor as an array of a higher level: its bare array where no tape needs to see it.

    A dual tensor stays: its tangent may have a history.
    """
    if isinstance(value, Tensor) and (value._node is None or not modes.enabled):
        array = value._array
        return value if type(array) is Attached else array
    return value


def raise_level(value: Any, level: int) -> Any:
    """The Tensor that a user of a transform sees, over an array of the transform."""
    return wrap(value, level + 1)


def raise_leaves(tree: Any, level: int, raised: list[tuple[Any, Any]]) -> Any:
    """All Tensors of a tree as the function inside sees them; ``raised`` gets the pairs."""
    leaves, structure = flatten(tree)
    inner = []
    for value in leaves:
        if isinstance(value, Tensor):
            within = raise_level(lower(value), level)
            raised.append((value, within))
            value = within
        inner.append(value)
    return structure(iter(inner))


def unwrap(value: Any, level: int) -> Any:
    """The array of a transform's Tensor; a constant from outside stays itself."""
    if isinstance(value, Tensor) and value._level == level + 1:
        return value._array
    return value


def outside(array: Any) -> Any:
    """A result as a Tensor that the caller outside the transform can use; no array, no change."""
    if isinstance(array, Value):
        return array if isinstance(array, Tensor) else wrap(array, int(array._level + 1))
    return wrap(array) if isinstance(array, (np.ndarray, np.generic)) else array


def cut(value: Any) -> Any:
    """A value without its history at any level: for results of a call under ``no_grad``."""
    if isinstance(value, Tensor):
        return wrap(cut(value._array), value._level)
    if type(value) is Batch:
        return Batch(value._level, cut(value.value))
    if type(value) is Dual:
        tangent = None if value.tangent is None else cut(value.tangent)
        return Dual(value._level, cut(value.primal), tangent)
    return value


class recording:  # noqa: N801 - used as a phrase: `with recording() as visible`
    """Record inside a transform whatever the mode outside; gives whether it was on there.

    What ``enable_grad`` and ``inference_mode(False)`` do together, in a sixth of their time.
    """

    __slots__ = ("before",)

    def __enter__(self) -> bool:
        self.before = modes.enabled, modes.inference
        modes.enabled, modes.inference = modes.recorder, False
        return bool(self.before[0])

    def __exit__(self, *_: object) -> None:
        modes.enabled, modes.inference = self.before


def split_aux(result: Any, has_aux: bool, caller: str) -> tuple[Any, Any]:
    """What a function returned as output and aux; ``RuntimeError`` unless it is such a pair."""
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError(
            f"{caller}: with has_aux=True the function must return a tuple (output, aux), "
            f"not {spell(result)}"
        )
    return result


def check_outputs(outs: list[Any], caller: str) -> None:
    """Raise ``RuntimeError`` unless a function returned Tensors, one at least."""
    if not outs or (len(outs) == 1 and outs[0] is None):
        raise RuntimeError(f"{caller}: the function returned no Tensor; did it forget to return?")
    for out in outs:
        if not isinstance(out, Tensor):
            raise RuntimeError(
                f"{caller}: the function must return Tensors, or containers of them, but returned "
                f"a {type(out).__name__}; pass other results on with has_aux=True, as Tensors"
            )


def aux_of(tree: Any, array_of: Any) -> Any:
    """The aux of a function, taken out by ``array_of``; ``RuntimeError`` unless all are Tensors."""
    leaves, rebuild = flatten(tree)
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"has_aux=True: aux is to hold Tensors alone, not {spell(leaf)}")
    return rebuild(iter([outside(array_of(leaf)) for leaf in leaves]))


def write_back(outer: Any, inner: Any, array_of: Any) -> None:
    """What the function wrote in place into its argument is written into the caller's tensor."""
    if not isinstance(outer, Tensor) or inner._memory is None or not inner._memory.version:
        return
    array = array_of(inner)
    if array is outer._array:
        memory_of(outer).note_write()
    else:
        outer.copy_(outside(array))


def spell(value: Any) -> str:
    """What a value is, for an error message."""
    if isinstance(value, Tensor):
        return f"a Tensor of shape {describe_shape(value.shape)}"
    return f"a {type(value).__name__}"


# -- argnums ------------------------------------------------------------------------------------


def places_of(argnums: Any, count: int) -> tuple[int, ...]:
    """The positions that ``argnums`` names among ``count`` arguments, counted from the front.

    Raises ``RuntimeError`` for other types, positions that there are not, doubles, and none.
    """
    if isinstance(argnums, int):
        return (_place(argnums, count),)
    if not isinstance(argnums, tuple):
        raise RuntimeError(f"argnums is an int or a tuple of ints, not {spell(argnums)}")
    places = tuple([_place(each, count) for each in argnums])
    if not places:
        raise RuntimeError("argnums is empty: name one argument at least")
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums={argnums} names an argument twice")
    return places


def _place(argnum: Any, count: int) -> int:
    if not isinstance(argnum, int):
        raise RuntimeError(f"argnums holds ints, not {spell(argnum)}")
    if not -count <= argnum < count:
        raise RuntimeError(f"argnums={argnum} for a call with {count} positional arguments")
    return argnum % count


def require_tensors(leaves: list[Any]) -> None:
    """Raise ``ValueError`` for what cannot be differentiated with respect to."""
    for value in leaves:
        if not isinstance(value, Tensor):
            raise ValueError(
                f"derivatives are taken with respect to Tensors, and here is {spell(value)}; "
                "leave it out with argnums, or pass it by a closure"
            )
