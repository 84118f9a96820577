"""Uniform and Bernoulli numbers, those of PyTorch's CPU generator to the bit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from adjoint.array.random_engine import Generator, draw_uint64
from adjoint.array.random_exact import multiply_add
from adjoint.array.random_types import Kind, kind_of

if TYPE_CHECKING:  # 1 ms, and for nothing
    from numpy.typing import DTypeLike, NDArray

# Arrays without dimensions meet arrays twice as quickly as scalars do.
_SINGLE_MASK = np.array(2**24 - 1, np.uint32)
_SINGLE_UNIT = np.array(2.0**-24, np.float32)
_DOUBLE_MASK = np.array(2**53 - 1, np.uint64)
_DOUBLE_UNIT = np.array(2.0**-53)


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
    array([0.4962566, 0.7682218], dtype=float32)
    """
    kind = kind_of(numpy_dtype)
    if kind.is_complex:
        parts = uniform(generator, (*shape, 2), f"f{kind.dtype.itemsize // 2}", low, high)
        return parts.view(kind.dtype).reshape(shape)
    if not kind.is_floating:
        raise NotImplementedError(f"uniform draws floating-point numbers, not {kind.dtype}")
    standard = low == 0.0 and high == 1.0
    if not standard:
        _check_range(kind, low, high)
    draw = draw_doubles if kind.is_double else draw_floats
    with generator.lock:
        values: NDArray[Any] = draw(generator, math.prod(shape))
    if not standard:
        real = values.dtype.type
        values = multiply_add(values, float(real(high) - real(low)), low)
    elif not kind.is_half:
        return values.reshape(shape)
    dtype = kind.dtype
    values = values.astype(dtype, copy=False)
    # Rounding may reach the upper end, which does not belong to the range.
    values[values == dtype.type(high)] = dtype.type(low)
    return values.reshape(shape)


def _check_range(kind: Kind, low: float, high: float) -> None:
    for name, bound in (("low", low), ("high", high)):
        if not kind.least <= bound <= kind.largest:
            raise RuntimeError(f"{name} is {bound}, out of bounds for {kind.dtype}")
    if not low <= high:
        raise RuntimeError(f"uniform draws from [low, high), but low={low} is above high={high}")
    if high - low > kind.largest:
        raise RuntimeError(f"high - low is {high - low}, more than {kind.dtype} can hold")


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
    given = kind_of(probabilities.dtype)
    if not given.is_floating:
        raise NotImplementedError(f"a probability is a floating-point number, not {given.dtype}")
    dtype = given.dtype if numpy_dtype is None else np.dtype(numpy_dtype)
    double = given.is_double
    chances: NDArray[Any] = np.ascontiguousarray(
        probabilities, np.float64 if double else np.float32
    ).reshape(-1)
    if not ((chances >= 0.0) & (chances <= 1.0)).all():
        raise RuntimeError("a probability lies in [0, 1], but one of those given does not")
    with generator.lock:
        values: NDArray[Any] = (draw_doubles if double else draw_floats)(generator, chances.size)
    ones: NDArray[np.bool_] = values < chances
    return ones.astype(dtype, copy=False).reshape(probabilities.shape)


def bernoulli_scalar(
    generator: Generator, shape: tuple[int, ...], p: float, numpy_dtype: DTypeLike
) -> NDArray[Any]:
    """Ones with probability ``p`` and zeros, as ``Tensor.bernoulli_(p)`` and dropout draw them.

    Takes two draws an element whatever the type, where ``bernoulli`` takes one below float64.
    Raises ``RuntimeError`` unless ``p`` is in [0, 1], ``NotImplementedError`` for complex types.

    >>> bernoulli_scalar(Generator().manual_seed(0), (5,), 0.5, np.bool_)
    array([False, False,  True, False, False])
    """
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"a probability lies in [0, 1], but p={p}")
    kind = kind_of(numpy_dtype)
    if kind.is_complex:
        raise NotImplementedError(f"bernoulli draws zeros and ones, not {kind.dtype}")
    with generator.lock:
        words = draw_uint64(generator, math.prod(shape))
    words &= _DOUBLE_MASK
    # word * 2**-53 < p, asked of the integers.
    return (words < np.uint64(math.ceil(p * 2.0**53))).astype(kind.dtype, copy=False).reshape(shape)
