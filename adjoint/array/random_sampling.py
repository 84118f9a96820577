"""Numbers of other distributions and choices among weights, as PyTorch's CPU generator's.

PyTorch 2.13 draws all of these from its own generator: the streams of Intel's MKL that some
versions before it used for ``exponential_`` and ``bernoulli_(p)`` are switched off in it. Each
number takes one float64 uniform, whatever the type of the result, and agrees to the bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from adjoint.array.random_engine import Generator
from adjoint.array.random_exact import by_library, multiply_add
from adjoint.array.random_order import memory_order
from adjoint.array.random_types import Kind, kind_of, round_to
from adjoint.array.random_uniform import draw_doubles

if TYPE_CHECKING:  # 1 ms, and for nothing
    from numpy.typing import DTypeLike, NDArray

_MOST_CATEGORIES = 2**24


def exponential(
    generator: Generator, shape: tuple[int, ...], numpy_dtype: DTypeLike, rate: float = 1.0
) -> NDArray[Any]:
    """Exponential numbers of a floating type, as ``Tensor.exponential_(rate)``.

    Raises ``RuntimeError`` for other types and unless ``rate`` is positive.

    >>> exponential(Generator().manual_seed(0), (2,), np.float32)
    array([3.5083263, 1.2303847], dtype=float32)
    """
    kind = _floating(numpy_dtype, "exponential")
    if not rate > 0.0:
        raise RuntimeError(f"an exponential distribution has a positive rate, but rate={rate}")
    opposite = -_uniforms(generator, shape)
    # Where the result is rounded to a shorter type NumPy's logarithm is as good, and quicker.
    values = by_library(math.log1p, opposite) if kind.is_double else np.log1p(opposite)
    values *= -1.0 / rate
    return round_to(kind, values).reshape(shape)


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
    array([10.59773  ,  0.7647673], dtype=float32)
    """
    if not sigma > 0.0:
        raise RuntimeError(f"a Cauchy distribution has a positive sigma, but sigma={sigma}")
    kind = _floating(numpy_dtype, "cauchy")
    angles = math.pi * (_uniforms(generator, shape) - 0.5)
    values = by_library(math.tan, angles) if kind.is_double else np.tan(angles)
    return round_to(kind, multiply_add(values, sigma, median)).reshape(shape)


def geometric(
    generator: Generator, shape: tuple[int, ...], numpy_dtype: DTypeLike, p: float
) -> NDArray[Any]:
    """How many trials to the first success, of any real type but bool, as ``Tensor.geometric_``.

    Raises ``RuntimeError`` unless ``p`` is in (0, 1), ``NotImplementedError`` for other types.

    >>> geometric(Generator().manual_seed(0), (3,), np.int64, 0.25)
    array([1, 2, 3])
    """
    if not 0.0 < p < 1.0:
        raise RuntimeError(f"a geometric distribution has p in (0, 1), but p={p}")
    kind = kind_of(numpy_dtype)
    if kind.is_bool or kind.is_complex:
        raise NotImplementedError(f"geometric draws numbers of trials, not {kind.dtype}")
    with np.errstate(divide="ignore"):  # one draw in 2**53 is 0, and never succeeds
        values = np.log(_uniforms(generator, shape))
    values /= math.log1p(-p)
    return round_to(kind, np.ceil(values, out=values)).reshape(shape)


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
    array([1, 2])
    """
    _check_weights(weights, num_samples, replacement)
    if replacement and num_samples > 1:
        return _choose_again(generator, weights, num_samples)
    # The smallest of exponential variables divided by their rates is each with its probability.
    values = np.empty_like(weights)  # keeps the order of memory, in which PyTorch draws
    drawn = exponential(generator, (weights.size,), weights.dtype)
    by_memory = values.transpose(memory_order(values))
    by_memory[...] = drawn.reshape(by_memory.shape)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = weights / values
    if num_samples == 1:
        first: NDArray[np.int64] = np.argmax(values, axis=-1, keepdims=True)
        return first
    return np.argsort(-values, axis=-1, kind="stable")[..., :num_samples].copy()


def _choose_again(
    generator: Generator, weights: NDArray[Any], num_samples: int
) -> NDArray[np.int64]:
    """Look up uniform numbers in each row's running sum."""
    wide = weights.astype(np.float32) if kind_of(weights.dtype).is_half else weights
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


def _floating(numpy_dtype: DTypeLike, name: str) -> Kind:
    kind = kind_of(numpy_dtype)
    if not kind.is_floating:
        raise RuntimeError(f"{name} needs a floating-point type, but got {kind.dtype}")
    return kind


def _uniforms(generator: Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    with generator.lock:
        return draw_doubles(generator, math.prod(shape))
