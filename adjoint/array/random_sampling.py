"""Numbers of other distributions and choices among weights, as PyTorch's CPU generator's.

PyTorch 2.13 draws all of these from its own generator: the streams of Intel's MKL that some
versions before it used for ``exponential_`` and ``bernoulli_(p)`` are switched off in it. Each
number takes one float64 uniform, whatever the type of the result. Logarithms and tangents are
NumPy's, within 2 units in the last place of float64 of the C library's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from adjoint.array.random_engine import Generator
from adjoint.array.random_fused import multiply_add
from adjoint.array.random_order import memory_order
from adjoint.array.random_uniform import draw_doubles, is_half, require_floating

_MOST_CATEGORIES = 2**24


def exponential(
    generator: Generator, shape: tuple[int, ...], numpy_dtype: DTypeLike, rate: float = 1.0
) -> NDArray[Any]:
    """Exponential numbers of a floating type, as ``Tensor.exponential_(rate)``.

    Raises ``RuntimeError`` for other types and unless ``rate`` is positive.

    >>> exponential(Generator().manual_seed(0), (2,), np.float32)
    array([1.4549999 , 0.21229498], dtype=float32)
    """
    dtype = _floating(numpy_dtype, "exponential")
    if not rate > 0.0:
        raise RuntimeError(f"an exponential distribution has a positive rate, but rate={rate}")
    values = np.log1p(-_uniforms(generator, shape))
    values *= -1.0 / rate
    return _round(values, dtype, shape)


def cauchy(
    generator: Generator,
    shape: tuple[int, ...],
    numpy_dtype: DTypeLike,
    median: float = 0.0,
    sigma: float = 1.0,
) -> NDArray[Any]:
    """Cauchy numbers of a floating type, as ``Tensor.cauchy_(median, sigma)``.

    Raises ``RuntimeError`` for other types and unless ``sigma`` is positive.

    >>> cauchy(Generator().manual_seed(0), (2,), np.float32)
    array([ 0.9394123, -1.3457624], dtype=float32)
    """
    if not sigma > 0.0:
        raise RuntimeError(f"a Cauchy distribution has a positive sigma, but sigma={sigma}")
    dtype = _floating(numpy_dtype, "cauchy")
    values = np.tan(math.pi * (_uniforms(generator, shape) - 0.5))
    return _round(multiply_add(values, sigma, median), dtype, shape)


def geometric(
    generator: Generator, shape: tuple[int, ...], numpy_dtype: DTypeLike, p: float
) -> NDArray[Any]:
    """How many trials to the first success, of any real type but bool, as ``Tensor.geometric_``.

    Raises ``RuntimeError`` unless ``p`` is in (0, 1), ``NotImplementedError`` for other types.

    >>> geometric(Generator().manual_seed(0), (3,), np.int64, 0.25)
    array([1, 6, 3])
    """
    if not 0.0 < p < 1.0:
        raise RuntimeError(f"a geometric distribution has p in (0, 1), but p={p}")
    dtype = np.dtype(numpy_dtype)
    if dtype.kind in "bc":
        raise NotImplementedError(f"geometric draws numbers of trials, not {dtype.name}")
    with np.errstate(divide="ignore"):  # one draw in 2**53 is 0, and never succeeds
        values = np.log(_uniforms(generator, shape))
    values /= math.log1p(-p)
    return _round(np.ceil(values, out=values), dtype, shape)


def multinomial(
    generator: Generator, weights: NDArray[Any], num_samples: int, replacement: bool = False
) -> NDArray[np.int64]:
    """Indices chosen with probability proportional to ``weights``, a row at a time.

    ``weights`` has shape (categories,) or (rows, categories), and the result that shape with
    ``num_samples`` for categories. Raises ``RuntimeError`` for other shapes and types, weights
    that are negative, not finite or all 0 in a row, and too many or no samples. Where more are
    asked for without replacement than have a weight, the rest follow in order of index
    (PyTorch leaves that order to its sorting).

    >>> multinomial(Generator().manual_seed(0), np.array([0.1, 0.7, 0.2]), 2)
    array([1, 0])
    """
    _check_weights(weights, num_samples, replacement)
    if replacement:
        return _choose_again(generator, weights, num_samples)
    # The smallest of exponential variables divided by their rates is each with its probability.
    values = np.empty_like(weights)  # keeps the order of memory, in which PyTorch draws
    drawn = exponential(generator, (weights.size,), weights.dtype)
    by_memory = values.transpose(memory_order(values))
    by_memory[...] = drawn.reshape(by_memory.shape)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = weights / values
    if num_samples == 1:
        return np.argmax(values, axis=-1, keepdims=True)
    return np.argsort(-values, axis=-1, kind="stable")[..., :num_samples].copy()


def _choose_again(
    generator: Generator, weights: NDArray[Any], num_samples: int
) -> NDArray[np.int64]:
    """Look up uniform numbers in each row's running sum."""
    wide = weights.astype(np.float32) if is_half(weights.dtype) else weights
    sums = np.add.accumulate(np.atleast_2d(wide), axis=-1)  # one after the other, as PyTorch
    sums /= sums[:, -1:].copy()
    sums[:, -1] = 1.0
    shape = (len(sums), num_samples)
    uniforms = _uniforms(generator, shape).reshape(shape)
    chosen = np.empty(shape, np.int64)
    for row, total in enumerate(sums):
        chosen[row] = np.searchsorted(total.astype(np.float64), uniforms[row])
    return chosen if weights.ndim == 2 else chosen[0]


def _check_weights(weights: NDArray[Any], num_samples: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"weights have 1 or 2 dimensions, but these have {weights.ndim}")
    _floating(weights.dtype, "multinomial")
    if num_samples <= 0:
        raise RuntimeError(f"at least 1 sample is drawn, but num_samples={num_samples}")
    categories = weights.shape[-1]
    if not replacement and num_samples > categories:
        raise RuntimeError(
            f"{num_samples} samples of {categories} categories need replacement=True"
        )
    if categories > _MOST_CATEGORIES:
        raise RuntimeError(f"there may be 2**24 categories, but here are {categories}")
    if weights.ndim == 2 and not len(weights):
        return
    if not categories:
        raise RuntimeError("there is no category to choose from: weights are empty")
    if not ((weights >= 0) & (weights < np.inf)).all():
        raise RuntimeError("a weight is negative, infinite or not a number")
    if not weights.any(axis=-1).all():
        raise RuntimeError("the weights of a row are all 0, so that nothing can be chosen")


def _floating(numpy_dtype: DTypeLike, name: str) -> np.dtype[Any]:
    """The type, which must be floating; these functions raise ``RuntimeError`` if it is not."""
    dtype = np.dtype(numpy_dtype)
    try:
        require_floating(dtype, name)
    except NotImplementedError as error:
        raise RuntimeError(str(error)) from None
    return dtype


def _uniforms(generator: Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    with generator.lock:
        return draw_doubles(generator, math.prod(shape))


def _round(
    values: NDArray[np.float64], dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    """Round float64 to ``dtype``; to 16 bits by way of float32, as PyTorch does."""
    with np.errstate(over="ignore", invalid="ignore"):
        if is_half(dtype):
            values = values.astype(np.float32)  # type: ignore[assignment]
        return values.astype(dtype, copy=False).reshape(shape)
