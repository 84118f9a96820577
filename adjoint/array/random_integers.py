"""Whole numbers: those of PyTorch's CPU generator to the bit."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from adjoint.array.random_engine import Generator, draw_uint64
from adjoint.array.random_types import Kind, kind_of

if TYPE_CHECKING:  # 1 ms, and for nothing
    from numpy.typing import DTypeLike, NDArray

# From this range on PyTorch takes two draws a number: the remainder of one would be skewed.
_LONG_RANGE = 2**28


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
    kind = kind_of(numpy_dtype)
    if not (-(2**63) <= low < 2**63 and -(2**63) <= high < 2**63):
        raise ValueError(f"a 64-bit integer cannot hold one of low={low} and high={high}")
    if not low < high:
        raise RuntimeError(f"integers are drawn from [low, high), but low={low} and high={high}")
    if kind.digits:
        low, high = _above(low, kind), _below(high, kind)
        if not low < high:
            raise RuntimeError(f"no number of type {kind.dtype} lies in the range asked for")
    _check_bounds(low, high - 1, kind)
    return _from_range(generator, shape, low, high - low, kind, high - low >= _LONG_RANGE)


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
    array([172,  47, 117], dtype=uint8)
    """
    kind = kind_of(numpy_dtype)
    if high is not None:
        return integers(generator, shape, low or 0, high, numpy_dtype)
    last = kind.largest_whole
    if low is None:
        if kind.is_complex:
            raise NotImplementedError(f"random_ draws whole numbers, not {kind.dtype}")
        return _from_range(generator, shape, 0, last + 1, kind, kind.is_double or last > 2**32)
    if low == -(2**63):
        # All 64 bits, which PyTorch draws in int64 and the types that reach as far.
        if kind.largest < 2**62:
            raise RuntimeError(f"low is {low}, out of bounds for {kind.dtype}")
        return _from_range(generator, shape, 0, 2**64, kind, long=True)
    if kind.digits:
        low = _above(low, kind)
    if not low <= last:
        raise RuntimeError(f"low={low} is above {last}, the last that {kind.dtype} draws")
    _check_bounds(low, last, kind)
    size = last - low + 1
    return _from_range(generator, shape, low, size, kind, size >= _LONG_RANGE)


def _from_range(
    generator: Generator,
    shape: tuple[int, ...],
    low: int,
    size: int,
    kind: Kind,
    long: bool,
) -> NDArray[Any]:
    """``low`` plus the remainder by ``size`` of one draw, or of a ``long`` one's 64 bits."""
    count = math.prod(shape)
    with generator.lock:
        words: NDArray[Any] = (draw_uint64 if long else Generator.draw)(generator, count)
    words = _remainder(words, size)
    if low:
        words = words.astype(np.uint64, copy=False) + np.uint64(low % 2**64)
    if words.itemsize == 8:
        words = words.view(np.int64)
    if kind.is_half:
        words = words.astype(np.float32)
    drawn: NDArray[Any] = words.astype(kind.dtype, copy=False).reshape(shape)
    return drawn


def _remainder(words: NDArray[Any], size: int) -> NDArray[Any]:
    """``words % size`` in new memory; by way of the quotient, which NumPy has vectorised."""
    if size >= 2 ** (8 * words.itemsize):
        return words.copy()
    divisor = np.array(size, words.dtype)
    quotient: NDArray[Any] = words // divisor
    quotient *= divisor
    np.subtract(words, quotient, out=quotient)
    return quotient


def _check_bounds(low: int, last: int, kind: Kind) -> None:
    if kind.is_complex:
        raise RuntimeError(f"integers are drawn in real types, not {kind.dtype}")
    if low < kind.least or last > kind.largest:
        raise RuntimeError(f"not all of {low} to {last} are in bounds for {kind.dtype}")
    whole = kind.largest_whole
    if kind.digits and (low < -whole or last > whole):
        warnings.warn(
            f"{kind.dtype} holds every whole number only from {-whole} to {whole}: those drawn "
            f"from {low} to {last} are not evenly spread",
            UserWarning,
            stacklevel=4,
        )


def _cast(value: int, kind: Kind) -> int | None:
    """What a whole number becomes in a floating type; ``None`` where int64 cannot hold that."""
    with np.errstate(over="ignore"):
        wide = np.float64(value) if kind.is_double else np.float32(value)
        cast = float(wide.astype(kind.dtype))
    return int(cast) if -(2.0**63) <= cast < 2.0**63 else None


def _above(low: int, kind: Kind) -> int:
    """The bound itself, or the next number of the type where rounding would fall below it."""
    cast = _cast(low + 1, kind)
    if cast is not None and cast < low:
        step = abs(low + 1).bit_length() - kind.digits
        return cast + (1 << step)
    return low


def _below(high: int, kind: Kind) -> int:
    """The bound itself, or the last number of the type before it where rounding would reach it."""
    cast = _cast(high - 1, kind)
    if cast is not None and cast >= high:
        step = abs(high - 1).bit_length() - kind.digits
        return cast - (1 << step)
    return high
