"""Whole numbers: those of PyTorch's CPU generator to the bit."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from adjoint.array.random_engine import Generator, draw_uint64
from adjoint.array.random_uniform import is_half, largest

# From this range on PyTorch takes two draws a number: the remainder of one would be skewed.
_LONG_RANGE = 2**28
_DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


def random_uint32(generator: Generator, count: int) -> NDArray[np.uint32]:
    """The next ``count`` draws of the generator.

    >>> random_uint32(Generator().manual_seed(5489), 2)
    array([3499211612,  581869302], dtype=uint32)
    """
    with generator.lock:
        return generator.draw(count).copy()


def random_uint64(generator: Generator, count: int) -> NDArray[np.uint64]:
    """The next ``count`` pairs of draws, the first of a pair as the high half.

    >>> random_uint64(Generator().manual_seed(5489), 1)
    array([15028999435905310454], dtype=uint64)
    """
    with generator.lock:
        return draw_uint64(generator, count)


def integers(
    generator: Generator, shape: tuple[int, ...], low: int, high: int, numpy_dtype: DTypeLike
) -> NDArray[Any]:
    """Whole numbers from [low, high) in any real type, as ``torch.randint``.

    Raises ``RuntimeError`` for an empty range, one beyond the type's, or a complex type, and
    ``ValueError`` for bounds beyond int64's.

    >>> integers(Generator().manual_seed(0), (4,), 0, 10, np.int64)
    array([4, 9, 3, 0])
    """
    dtype = np.dtype(numpy_dtype)
    for name, bound in (("low", low), ("high", high)):
        if not -(2**63) <= bound < 2**63:
            raise ValueError(f"{name} is {bound}, which a 64-bit integer cannot hold")
    if not low < high:
        raise RuntimeError(f"integers are drawn from [low, high), but low={low} and high={high}")
    if dtype.name in _DIGITS:
        low, high = _above(low, dtype), _below(high, dtype)
        if not low < high:
            raise RuntimeError(f"no number of type {dtype.name} lies in the range asked for")
    _check_bounds(low, high - 1, dtype)
    return _from_range(generator, shape, low, high - low, dtype)


def random_(
    generator: Generator,
    shape: tuple[int, ...],
    numpy_dtype: DTypeLike,
    low: int | None = None,
    high: int | None = None,
) -> NDArray[Any]:
    """Whole numbers as ``Tensor.random_`` draws them: over all of a type that is exact.

    Without bounds from 0 to the largest integer of the type (2**24 for float32 and so on);
    with ``low`` alone from there to the largest. Raises what ``integers`` raises.

    >>> random_(Generator().manual_seed(0), (3,), np.uint8)
    array([44, 47, 64], dtype=uint8)
    """
    dtype = np.dtype(numpy_dtype)
    if high is not None:
        return integers(generator, shape, low or 0, high, dtype)
    if low is None:
        if dtype.kind == "c":
            raise NotImplementedError(f"random_ draws whole numbers, not {dtype.name}")
        long = dtype.name in {"int64", "float64"}
        return _from_range(generator, shape, 0, _largest_whole(dtype) + 1, dtype, long)
    if low == -(2**63):
        # Only these types of PyTorch's take all 64 bits.
        if dtype.name not in {"int64", "float64", "float32", "bfloat16"}:
            raise RuntimeError(f"low is {low}, out of bounds for {dtype.name}")
        return _from_range(generator, shape, low, 2**64, dtype)
    if dtype.name in _DIGITS:
        low = _above(low, dtype)
    last = _largest_whole(dtype)
    if not low <= last:
        raise RuntimeError(f"low={low} is above {last}, the last that {dtype.name} draws")
    _check_bounds(low, last, dtype)
    return _from_range(generator, shape, low, last - low + 1, dtype)


def _from_range(
    generator: Generator,
    shape: tuple[int, ...],
    low: int,
    size: int,
    dtype: np.dtype[Any],
    long: bool | None = None,
) -> NDArray[Any]:
    """``low`` plus the remainder of a draw by ``size``; of a ``long`` one for a long range."""
    count = math.prod(shape)
    with generator.lock:
        if size >= _LONG_RANGE if long is None else long:
            words: NDArray[Any] = draw_uint64(generator, count)
        else:
            words = generator.draw(count)
    words = _remainder(words, size)
    if low:
        words = words.astype(np.uint64, copy=False) + np.uint64(low % 2**64)
    if words.dtype == np.uint64:
        words = words.view(np.int64)
    if is_half(dtype) and dtype.name in _DIGITS:
        words = words.astype(np.float32)
    if dtype == np.bool_:
        words = words.astype(np.bool_)
    return words.astype(dtype, copy=False).reshape(shape)


def _remainder(words: NDArray[Any], size: int) -> NDArray[Any]:
    """``words % size`` in new memory; by way of the quotient, which NumPy has vectorised."""
    if size > np.iinfo(words.dtype).max:
        return words.copy()
    divisor = words.dtype.type(size)
    quotient: NDArray[Any] = words // divisor
    quotient *= divisor
    return np.subtract(words, quotient, out=quotient)


def _largest_whole(dtype: np.dtype[Any]) -> int:
    """The largest integer up to which the type holds all of them."""
    if dtype == np.bool_:
        return 1
    return 2 ** _DIGITS[dtype.name] if dtype.name in _DIGITS else int(np.iinfo(dtype).max)


def _check_bounds(low: int, last: int, dtype: np.dtype[Any]) -> None:
    if dtype.kind == "c":
        raise RuntimeError(f"integers are drawn in real types, not {dtype.name}")
    digits = _DIGITS.get(dtype.name)
    if digits:
        limit = largest(dtype)
        least: float = -limit
    else:
        limit = _largest_whole(dtype)
        least = 0 if dtype == np.bool_ else int(np.iinfo(dtype).min)
    for name, bound in (("low", low), ("high - 1", last)):
        if not least <= bound <= limit:
            raise RuntimeError(f"{name} is {bound}, out of bounds for {dtype.name}")
        if digits and not -(2**digits) <= bound <= 2**digits:
            warnings.warn(
                f"{name} is {bound}, but {dtype.name} holds every whole number only in "
                f"[-2**{digits}, 2**{digits}]: the numbers drawn are not evenly spread",
                UserWarning,
                stacklevel=4,
            )


def _cast(value: int, dtype: np.dtype[Any]) -> int | None:
    """What a whole number becomes in a floating type; ``None`` where that is infinite."""
    with np.errstate(over="ignore"):
        cast = float(np.float32(value) if dtype.name == "float32" else np.float64(value))
        if is_half(dtype):
            cast = float(np.float32(value).astype(dtype))
    return None if math.isinf(cast) else int(cast)


def _above(low: int, dtype: np.dtype[Any]) -> int:
    """The bound itself, or the next number of the type where rounding would fall below it."""
    cast = _cast(low + 1, dtype)
    if cast is not None and cast < low:
        step = abs(low + 1).bit_length() - _DIGITS[dtype.name]
        return cast + 2**step
    return low


def _below(high: int, dtype: np.dtype[Any]) -> int:
    """The bound itself, or the last number of the type before it where rounding would reach it."""
    cast = _cast(high - 1, dtype)
    if cast is not None and cast >= high:
        step = abs(high - 1).bit_length() - _DIGITS[dtype.name]
        return cast - 2**step
    return high
