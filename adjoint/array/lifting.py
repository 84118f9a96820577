"""Tensors from outside a transform into which a value of the transform was written.

A write of a batch or a dual into a tensor of a lower level makes that tensor one of the higher
level. That is what is meant for a tensor that the function made for itself. One that it found
outside is left with an array that means nothing there: when the transform ends it is still in use,
which tells the two apart, so it gets back what it held, and the write is refused.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any, NamedTuple

from adjoint.array.value import tensor_level
from adjoint.errors import TransformError, describe_shape


class Lifted(NamedTuple):
    """A tensor that was written to, and what it was before."""

    tensor: weakref.ref[Any]
    to: int
    level: int
    array: Any
    node: Any


class _Here(threading.local):
    def __init__(self) -> None:
        self.lifted: list[Lifted] = []


_here = _Here()


def note_lift(tensor: Any, level: int) -> None:
    """Before a tensor becomes one of a higher ``level`` by a write, remember what it is."""
    if tensor_level():
        entry = Lifted(weakref.ref(tensor), level, tensor._level, tensor._array, tensor._node)
        _here.lifted.append(entry)


class refusing_writes:  # noqa: N801 - used as a phrase
    """Around a whole transform: ``TransformError`` if it wrote into a tensor that outlives it.

    Where the tape lives on, so may all that the function made, and nothing is refused.
    """

    __slots__ = ("caller", "kept_by_tape", "level")

    def __init__(self, caller: str, kept_by_tape: bool = False) -> None:
        self.caller = caller
        self.kept_by_tape = kept_by_tape
        self.level = tensor_level() + 2

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if not _here.lifted:
            return
        if error is None and self.kept_by_tape:
            _entries(self.level)
            return
        restored = _restore(self.level)
        if error is None and restored is not None:
            raise TransformError(
                f"{self.caller}: the function wrote a value of the transform in place into a "
                f"tensor of shape {describe_shape(restored.shape)} from outside, at "
                f"{restored._memory.where}; it holds what it held before. Write into a clone() of "
                "it, or into a tensor made inside (as by zeros_like of an argument), and return it"
            )


def _entries(level: int) -> list[Lifted]:
    """The entries of a transform that ends, taken off the list; oldest last."""
    mine = [entry for entry in _here.lifted if entry.to >= level]
    _here.lifted = [entry for entry in _here.lifted if entry.to < level]
    return mine[::-1]


def _restore(level: int) -> Any:
    """Give the tensors that are still in use what they held before; one of them, or None."""
    found = None
    for entry in _entries(level):
        tensor = entry.tensor()
        if tensor is not None:
            tensor._level, tensor._array, tensor._node = entry.level, entry.array, entry.node
            found = tensor
    return found
