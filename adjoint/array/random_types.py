"""What the drawing of random numbers needs to know of an element type, looked up once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:  # 1 ms, and for nothing
    from numpy.typing import DTypeLike, NDArray


class Kind(NamedTuple):
    """An element type: its category, its width and its range."""

    dtype: np.dtype[Any]
    is_floating: bool
    is_complex: bool
    is_bool: bool
    is_half: bool  # float16 or bfloat16: drawn as float32 and rounded
    is_double: bool
    digits: int  # binary digits of a floating type's mantissa, else 0
    least: float  # the lowest finite number; an int for the integer types
    largest: float
    largest_whole: int  # up to this the type holds every integer


_KINDS: dict[Any, Kind] = {}
_BFLOAT16_LARGEST = float.fromhex("0x1.fep+127")


def kind_of(numpy_dtype: DTypeLike) -> Kind:
    """The facts about a NumPy type.

    >>> kind_of(np.float32).largest_whole
    16777216
    """
    found = _KINDS.get(numpy_dtype)
    if found is None:
        found = _KINDS[numpy_dtype] = _describe(np.dtype(numpy_dtype))
    return found


def _describe(dtype: np.dtype[Any]) -> Kind:
    brain = dtype.name == "bfloat16"
    floating = dtype.kind == "f" or brain
    if floating:
        digits = 8 if brain else int(np.finfo(dtype).nmant) + 1
        largest = _BFLOAT16_LARGEST if brain else float(np.finfo(dtype).max)
        least, whole = -largest, 2**digits
    elif dtype.kind in "iu":
        digits, whole = 0, int(np.iinfo(dtype).max)
        least, largest = int(np.iinfo(dtype).min), whole
    else:
        digits, least, largest, whole = 0, 0, 1, 1
    return Kind(
        dtype=dtype,
        is_floating=floating,
        is_complex=dtype.kind == "c",
        is_bool=dtype.kind == "b",
        is_half=floating and dtype.itemsize == 2,
        is_double=dtype == np.float64,
        digits=digits,
        least=least,
        largest=largest,
        largest_whole=whole,
    )


def round_to(kind: Kind, values: NDArray[Any]) -> NDArray[Any]:
    """Convert float64 as PyTorch does: to 16 bits by way of float32, silently out of range."""
    if kind.is_double:
        return values
    if kind.is_half:
        with np.errstate(over="ignore"):
            return values.astype(np.float32).astype(kind.dtype)
    if not kind.is_floating:
        with np.errstate(invalid="ignore"):
            return values.astype(kind.dtype)
    return values.astype(kind.dtype)
