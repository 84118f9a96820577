"""Numbers that become elements: what fits into which type."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.tape.tensor import Tensor

_LARGEST = {"float16": 65504.0, "bfloat16": (2.0 - 2.0**-7) * 2.0**127}


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
    numbers that they can hold the opposite of.
    """
    if kind is dtypes.bool_:
        return
    if isinstance(value, complex):
        if kind.category == dtypes.COMPLEX:
            real = kind.to_real()
            require_fit(value.real, real, caller)
            require_fit(value.imag, real, caller)
            return
        fits = not value.imag
        value = value.real
    else:
        fits = True
    if kind.category >= dtypes.FLOATING:
        fits = fits and (_is_infinite_or_nan(value) or abs(value) <= _largest(kind.to_real()))
    else:
        limits = np.iinfo(kind.numpy)
        low = limits.min if kind.is_signed else -limits.max
        fits = fits and not _is_infinite_or_nan(value) and low <= value <= limits.max
    if not fits:
        raise RuntimeError(
            f"{caller}: the value {value!r} cannot be converted to {kind!r} without overflow"
        )


def _is_infinite_or_nan(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _largest(kind: dtypes.dtype) -> float:
    found = _LARGEST.get(kind.name)
    return float(np.finfo(kind.numpy).max) if found is None else found


def cast_number(value: Any, kind: dtypes.dtype, caller: str) -> Any:
    """``value`` as NumPy's scalar of this type; raises what ``require_fit`` raises."""
    require_fit(value, kind, caller)
    if isinstance(value, complex) and kind.category != dtypes.COMPLEX:
        value = value.real
    if kind is dtypes.bool_:
        return np.bool_(value != 0)
    if kind.category == dtypes.INTEGER:
        return np.int64(int(value)).astype(kind.numpy)
    if dtypes.is_low_precision(kind.numpy):
        return np.float32(value).astype(kind.numpy)
    return kind.numpy.type(value)
