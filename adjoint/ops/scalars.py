"""Numbers that become elements: what fits into which type."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.tape.tensor import Tensor
from adjoint.typeinfo import finfo, iinfo


def read_number(caller: str, name: str, value: Any) -> Any:
    """A Python number out of a number, a NumPy scalar or a constant tensor without dimensions.

    Raises ``TypeError`` for anything else.
    """
    if type(value) in (int, float, bool, complex):
        return value
    if isinstance(value, Tensor):
        if len(value.shape) or value._node is not None:
            raise TypeError(
                f"{caller}(): {name} is a number, or a tensor that has no dimensions and requires "
                f"no grad, but this one has shape {describe_shape(value.shape)}"
            )
        return value.item()
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return value.item()
    if isinstance(value, (bool, int, float, complex)):
        return value
    raise TypeError(f"{caller}(): {name} is a number, not {type(value).__name__}")


def require_fit(value: Any, kind: dtypes.dtype, caller: str) -> None:
    """Raise ``RuntimeError`` unless PyTorch lets ``value`` become an element of this type.

    Fractions are cut off silently; a complex number with an imaginary part, a number beyond the
    type's range, and infinity or NaN in an integer are refused. Unsigned types take negative
    whole numbers that they can hold the opposite of.
    """
    low, high = _LIMITS.get(kind) or _limits_of(kind)
    if type(value) is complex:
        if kind.category == dtypes.COMPLEX:
            require_fit(value.real, kind, caller)
            require_fit(value.imag, kind, caller)
            return
        fits = not value.imag and (low <= value.real <= high or _takes_all(value.real, kind))
    else:
        fits = low <= value <= high or _takes_all(value, kind)
        if value < 0 and kind is dtypes.uint8 and type(value) is float:
            fits = False
    if not fits:
        raise RuntimeError(
            f"{caller}: the value {value!r} cannot be converted to {kind!r} without overflow"
        )


def _takes_all(value: Any, kind: dtypes.dtype) -> bool:
    """Whether a number beyond a type's range is one of its own: infinity, NaN; any, as a truth."""
    special = isinstance(value, float) and not math.isfinite(value)
    return kind is dtypes.bool_ or (special and kind.category >= dtypes.FLOATING)


_LIMITS: dict[dtypes.dtype, tuple[float, float]] = {}


def _limits_of(kind: dtypes.dtype) -> tuple[float, float]:
    """The least and the largest number that fit, kept for the next time."""
    if kind is dtypes.bool_:
        found: tuple[float, float] = (0, 1)
    elif kind.category == dtypes.INTEGER:
        limits = iinfo(kind)
        found = (limits.min if kind.is_signed else -limits.max, limits.max)
    else:
        largest = finfo(kind).max
        found = (-largest, largest)
    _LIMITS[kind] = found
    return found


def cast_number(value: Any, kind: dtypes.dtype, caller: str) -> Any:
    """``value`` as NumPy's scalar of this type; raises what ``require_fit`` raises."""
    require_fit(value, kind, caller)
    if type(value) is complex and kind.category != dtypes.COMPLEX:
        value = value.real
    if kind.category == dtypes.INTEGER:
        if value < 0:
            return np.int64(int(value)).astype(kind.numpy)
        return kind.numpy.type(int(value))
    if kind is dtypes.float16 or kind is dtypes.bfloat16:
        return np.float32(value).astype(kind.numpy)
    return kind.numpy.type(value)
