"""Functions of large arrays, by compiled loops where NumPy and SciPy have none with vectors.

Which way an array goes depends on its size alone, so the same numbers come out every time. The
first call loads the compiler, which takes some tenths of a second, and makes the loop or finds it
on disk; from ``LEAST`` elements on, a few dozen calls earn that back, of a million elements a few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from adjoint.lazy import LazyModule

if TYPE_CHECKING:
    from adjoint.compiler import eager
else:
    eager = LazyModule("adjoint.compiler.eager")

LEAST = 1 << 18
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
# There is no llvmlite, or it has no code for this machine: NumPy computes everything.
UNUSABLE = (ImportError, OSError, RuntimeError)
_absent = False


def loop_if_large(name: str, compute: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``compute``, but large arrays go by the loop ``name``."""

    def either(x: Any) -> Any:
        if x.size >= LEAST and (found := of_large(name, x)) is not None:
            return found
        return compute(x)

    return either


def loop_for_two(name: str, compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The same for two arrays, or a number and an array."""

    def either(x: Any, y: Any) -> Any:
        if max(x.size, y.size) >= LEAST and (found := of_large(name, x, y)) is not None:
            return found
        return compute(x, y)

    return either


def converted(x: Any, kind: np.dtype[Any]) -> Any:
    """``x.astype(kind)``, of large arrays to and from halves by a loop, to the bit the same.

    NumPy takes 2 nanoseconds for a float16 where a loop takes 0.1, and 0.35 to round to bfloat16.
    """
    global _absent
    if x.size >= LEAST and not _absent and _gains(x.dtype, kind):
        try:
            found = eager.convert(x, kind)
        except UNUSABLE:
            _absent = True
        else:
            if found is not None:
                return found
    return x.astype(kind)


def _gains(old: np.dtype[Any], new: np.dtype[Any]) -> bool:
    if old.char == "e" or new.char == "e":
        return old in FLOATS or new in FLOATS
    # From float64 ml_dtypes rounds twice, by way of float32.
    return old == FLOATS[0] and new.kind == "V"


def of_large(name: str, *arrays: Any) -> Any:
    """The function ``name`` of arrays, of which one is large; None where NumPy is to compute it."""
    global _absent
    if _absent or arrays[0].dtype not in FLOATS:
        return None
    try:
        return eager.call(name, *arrays)
    except UNUSABLE:
        _absent = True
        return None
