"""Uniform and Bernoulli numbers, those of PyTorch's CPU generator to the bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from adjoint.array.random_engine import Generator, draw_uint64
from adjoint.array.random_fused import multiply_add

_SINGLE_MASK = np.uint32(2**24 - 1)
_SINGLE_UNIT = np.float32(2.0**-24)
_DOUBLE_MASK = np.uint64(2**53 - 1)
_DOUBLE_UNIT = 2.0**-53


def draw_floats(generator: Generator, count: int) -> NDArray[np.float32]:
    """``count`` multiples of 2**-24 in [0, 1), a 32-bit draw each; hold the lock."""
    # Converting signed integers is twice as fast as unsigned ones, and 24 bits have no sign.
    values = (generator.draw(count) & _SINGLE_MASK).view(np.int32).astype(np.float32)
    values *= _SINGLE_UNIT
    return values


def draw_doubles(generator: Generator, count: int) -> NDArray[np.float64]:
    """``count`` multiples of 2**-53 in [0, 1), two 32-bit draws each; hold the lock."""
    words = draw_uint64(generator, count) & _DOUBLE_MASK
    values = words.view(np.int64).astype(np.float64)
    values *= _DOUBLE_UNIT
    return values


def require_floating(dtype: np.dtype[Any], name: str) -> None:
    """Raise ``NotImplementedError`` unless ``dtype`` is floating (bfloat16 included)."""
    if dtype.kind != "f" and dtype.name != "bfloat16":
        raise NotImplementedError(f"{name} draws floating-point numbers, not {dtype.name}")


def is_half(dtype: np.dtype[Any]) -> bool:
    """Whether numbers of this type are drawn as float32 and rounded: float16 and bfloat16."""
    return dtype.itemsize == 2


def largest(dtype: np.dtype[Any]) -> float:
    """The largest finite number of a floating type."""
    return float.fromhex("0x1.fep+127") if dtype.name == "bfloat16" else float(np.finfo(dtype).max)


def uniform(
    generator: Generator,
    shape: tuple[int, ...],
    numpy_dtype: DTypeLike,
    low: float = 0.0,
    high: float = 1.0,
) -> NDArray[Any]:
    """Numbers of a floating or complex type from [low, high), both parts of a complex one.

    Raises ``NotImplementedError`` for other types, and ``RuntimeError`` where ``low`` is above
    ``high`` or the range is beyond the type's.

    >>> uniform(Generator().manual_seed(0), (2,), np.float32)
    array([0.4962566 , 0.76822174], dtype=float32)
    """
    dtype = np.dtype(numpy_dtype)
    if dtype.kind == "c":
        parts = uniform(generator, (*shape, 2), f"f{dtype.itemsize // 2}", low, high)
        return parts.view(dtype).reshape(shape)
    require_floating(dtype, "uniform")
    _check_range(dtype, low, high)
    count = math.prod(shape)
    if not count:
        return np.empty(shape, dtype)
    double = dtype == np.float64
    with generator.lock:
        values: NDArray[Any] = (draw_doubles if double else draw_floats)(generator, count)
    if low != 0.0 or high != 1.0:
        real = values.dtype.type
        values = multiply_add(values, float(real(high) - real(low)), low)
    elif not is_half(dtype):
        return values.reshape(shape)
    values = values.astype(dtype, copy=False)
    # Rounding may reach the upper end, which does not belong to the range.
    values[values == dtype.type(high)] = dtype.type(low)
    return values.reshape(shape)


def _check_range(dtype: np.dtype[Any], low: float, high: float) -> None:
    limit = largest(dtype)
    for name, bound in (("low", low), ("high", high)):
        if not -limit <= bound <= limit:
            raise RuntimeError(f"{name} is {bound}, out of bounds for {dtype.name}")
    if not low <= high:
        raise RuntimeError(f"uniform draws from [low, high), but low={low} is above high={high}")
    if high - low > limit:
        raise RuntimeError(f"high - low is {high - low}, more than {dtype.name} can hold")


def bernoulli(
    generator: Generator,
    probabilities: NDArray[Any],
    numpy_dtype: DTypeLike | None = None,
) -> NDArray[Any]:
    """Ones where an element's own probability has it and zeros elsewhere, as ``torch.bernoulli``.

    The result has the probabilities' type, or ``numpy_dtype``. Raises ``NotImplementedError``
    for probabilities that are not floating, ``RuntimeError`` for one outside [0, 1].

    >>> bernoulli(Generator().manual_seed(0), np.array([0.2, 0.9, 0.4], np.float32))
    array([0., 1., 1.], dtype=float32)
    """
    require_floating(probabilities.dtype, "bernoulli")
    dtype = probabilities.dtype if numpy_dtype is None else np.dtype(numpy_dtype)
    double = probabilities.dtype == np.float64
    chances = np.ascontiguousarray(probabilities, np.float64 if double else np.float32).reshape(-1)
    if not ((chances >= 0.0) & (chances <= 1.0)).all():
        raise RuntimeError("a probability lies in [0, 1], but one of those given does not")
    with generator.lock:
        values = (draw_doubles if double else draw_floats)(generator, chances.size)
    return (values < chances).astype(dtype).reshape(probabilities.shape)


def bernoulli_scalar(
    generator: Generator, shape: tuple[int, ...], p: float, numpy_dtype: DTypeLike
) -> NDArray[Any]:
    """Ones with probability ``p`` and zeros, as ``Tensor.bernoulli_(p)`` and dropout draw them.

    Takes two draws an element whatever the type, where ``bernoulli`` takes one below float64.
    Raises ``RuntimeError`` unless ``p`` is in [0, 1], ``NotImplementedError`` for complex types.

    >>> bernoulli_scalar(Generator().manual_seed(0), (5,), 0.5, np.bool_)
    array([ True, False, False, False,  True])
    """
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"a probability lies in [0, 1], but p={p}")
    dtype = np.dtype(numpy_dtype)
    if dtype.kind == "c":
        raise NotImplementedError(f"bernoulli draws zeros and ones, not {dtype.name}")
    with generator.lock:
        words = draw_uint64(generator, math.prod(shape))
    words &= _DOUBLE_MASK
    # word * 2**-53 < p, asked of the integers.
    return (words < np.uint64(math.ceil(p * 2.0**53))).astype(dtype, copy=False).reshape(shape)
