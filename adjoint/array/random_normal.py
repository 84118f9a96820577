"""Normal and log-normal numbers: those of PyTorch's CPU generator.

Below 16 elements, and wherever memory is not contiguous, PyTorch draws in pairs in float64 and
keeps the second number of the last pair for the next such call: it is part of the generator's
state. From 16 elements it fills blocks of 16, and draws a last incomplete block anew.

The numbers agree with PyTorch's on a processor with AVX2 to the bit, in float64 as far as NumPy's
sine and cosine are the C library's (they are in NumPy 2.4 on Linux), and within 2 units in the
last place otherwise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from adjoint.array.random_boxmuller import normal_blocks
from adjoint.array.random_engine import Generator
from adjoint.array.random_exact import by_library, multiply_add
from adjoint.array.random_types import Kind, kind_of, round_to
from adjoint.array.random_uniform import draw_doubles, draw_floats

if TYPE_CHECKING:  # 1 ms, and for nothing
    from numpy.typing import DTypeLike, NDArray

_FILL = 16  # from this many elements, by blocks
_SCALAR = 32  # below this many, the C library's functions one by one are as quick as NumPy's
_TWO_PI = 2.0 * math.pi
_UNIT = 2.0**-53
_LOW_21_BITS = (1 << 21) - 1


def normal(
    generator: Generator,
    shape: tuple[int, ...] | None,
    numpy_dtype: DTypeLike,
    mean: float | NDArray[Any] = 0.0,
    std: float | NDArray[Any] = 1.0,
    *,
    contiguous: bool = True,
) -> NDArray[Any]:
    """Normal numbers of a floating or complex type; ``std`` is that of both parts together.

    With an array for ``mean`` or ``std`` it is ``torch.normal`` of tensors, and ``shape`` may be
    ``None``: what the two broadcast to. ``contiguous=False`` draws as PyTorch does into memory
    that is not, and gives the numbers in the order of that memory (see ``store``). Raises
    ``NotImplementedError`` for other types, and ``RuntimeError`` for a negative ``std``.

    >>> normal(Generator().manual_seed(0), (3,), np.float32)
    array([ 1.5409961, -0.2934289, -2.1787894], dtype=float32)
    """
    if isinstance(mean, np.ndarray) or isinstance(std, np.ndarray):
        return _normal_around(generator, shape, np.dtype(numpy_dtype), mean, std)
    if not std >= 0.0:
        raise RuntimeError(f"a standard deviation is not negative, but std={std}")
    kind = kind_of(numpy_dtype)
    assert shape is not None, "a shape is needed where mean and std are numbers"
    if kind.is_complex:
        real, std = f"f{kind.dtype.itemsize // 2}", std / math.sqrt(2.0)
        parts = normal(generator, (*shape, 2), real, mean, std, contiguous=contiguous)
        return parts.view(kind.dtype).reshape(shape)
    if not kind.is_floating:
        raise NotImplementedError(f"normal draws floating-point numbers, not {kind.dtype}")
    count = math.prod(shape)
    with generator.lock:
        if count >= _FILL and contiguous:
            values = _fill(generator, count, kind, mean, std)
        else:
            values = _scale(draw_normals(generator, count, exact=kind.is_double), kind, mean, std)
    return values.reshape(shape)


def log_normal(
    generator: Generator,
    shape: tuple[int, ...],
    numpy_dtype: DTypeLike,
    mean: float = 1.0,
    std: float = 2.0,
) -> NDArray[Any]:
    """Numbers of a floating type whose logarithms are normal, as ``Tensor.log_normal_``.

    Raises ``RuntimeError`` unless ``std`` is positive, ``NotImplementedError`` for other types.

    >>> log_normal(Generator().manual_seed(0), (2,), np.float32)
    array([59.263416,  1.51156 ], dtype=float32)
    """
    if not std > 0.0:
        raise RuntimeError(f"a log-normal distribution has a positive std, but std={std}")
    kind = kind_of(numpy_dtype)
    if not kind.is_floating:
        raise NotImplementedError(f"log_normal draws floating-point numbers, not {kind.dtype}")
    with generator.lock:
        normals = draw_normals(generator, math.prod(shape), exact=kind.is_double)
    scaled = multiply_add(np.asarray(normals, np.float64), std, mean)
    values = by_library(_exp, scaled) if kind.is_double else np.exp(scaled)
    return round_to(kind, values).reshape(shape)


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def draw_normals(
    generator: Generator, count: int, *, exact: bool
) -> list[float] | NDArray[np.float64]:
    """Standard normal numbers in pairs, the kept one first, an odd one kept; hold the lock."""
    if not count:
        return []
    kept = generator.next_normal
    missing = count if kept is None else count - 1
    pairs = (missing + 1) // 2
    drawn: Any
    if count < _SCALAR:
        drawn = _pairs_by_scalars(generator, pairs)
    else:
        drawn = _pairs_by_arrays(generator, pairs, exact)
    generator.next_normal = float(drawn[-1]) if missing % 2 else None
    if missing % 2:
        drawn = drawn[:-1]
    if kept is None:
        return drawn  # type: ignore[no-any-return]
    return [kept, *drawn] if count < _SCALAR else np.concatenate(([kept], drawn))


def _pairs_by_scalars(generator: Generator, pairs: int) -> list[float]:
    words = iter(generator.draw(4 * pairs).tolist())
    numbers = []
    for turn_high, turn_low, high, low in zip(words, words, words, words, strict=True):
        angle = _TWO_PI * (((turn_high & _LOW_21_BITS) << 32 | turn_low) * _UNIT)
        uniform = ((high & _LOW_21_BITS) << 32 | low) * _UNIT
        radius = math.sqrt(-2.0 * math.log1p(-uniform))
        numbers.append(radius * math.cos(angle))
        numbers.append(radius * math.sin(angle))
    return numbers


def _pairs_by_arrays(generator: Generator, pairs: int, exact: bool) -> NDArray[np.float64]:
    """``exact`` takes the C library's logarithm, whose last bit a shorter type does not show."""
    uniforms = draw_doubles(generator, 2 * pairs)
    angle = _TWO_PI * uniforms[::2]
    opposite = -uniforms[1::2]
    radius = np.sqrt(-2.0 * (by_library(math.log1p, opposite) if exact else np.log1p(opposite)))
    uniforms[::2] = radius * np.cos(angle)
    uniforms[1::2] = radius * np.sin(angle)
    return uniforms


def _scale(
    normals: list[float] | NDArray[np.float64], kind: Kind, mean: float, std: float
) -> NDArray[Any]:
    values = np.asarray(normals, np.float64)
    if mean != 0.0 and kind.is_double:
        return multiply_add(values, std, mean)
    # A shorter type does not show whether the sum was rounded once or twice.
    if std != 1.0:
        values = values * std
    return round_to(kind, values + mean if mean != 0.0 else values)


def _fill(generator: Generator, count: int, kind: Kind, mean: float, std: float) -> NDArray[Any]:
    """Blocks of 16; the last 16 elements are drawn anew where they are no block of their own."""
    rest = count % _FILL
    body = count - rest
    # The incomplete block is drawn and thrown away, but not for the types of 16 bits.
    skipped = 0 if kind.is_half else rest
    draw = draw_doubles if kind.is_double else draw_floats
    uniforms: NDArray[Any] = draw(generator, body + skipped + (_FILL if rest else 0))
    if skipped:
        uniforms[body : body + _FILL] = uniforms[-_FILL:]
        uniforms = uniforms[: body + _FILL]
    real = uniforms.dtype.type
    normals = normal_blocks(uniforms, float(real(mean)), float(real(std)))
    normals = normals.astype(kind.dtype, copy=False)
    values = normals[:count]
    if rest:
        values[-_FILL:] = normals[body:].copy()
    return values


def _normal_around(
    generator: Generator,
    shape: tuple[int, ...] | None,
    dtype: np.dtype[Any],
    mean: float | NDArray[Any],
    std: float | NDArray[Any],
) -> NDArray[Any]:
    """Standard numbers times ``std`` plus ``mean``, each step in the type they promote to."""
    if shape is None:
        shape = np.broadcast_shapes(np.shape(mean), np.shape(std))
    if not isinstance(std, np.ndarray):
        values = normal(generator, shape, dtype, 0.0, std)
    else:
        if std.dtype.kind == "c":
            raise RuntimeError("a standard deviation is real, but std is complex")
        if std.size and not (std >= 0.0).all():
            raise RuntimeError("a standard deviation is not negative, but one in std is")
        values = normal(generator, shape, dtype)
        values = (values * _of_type(std, dtype)).astype(dtype, copy=False)
    around: NDArray[Any] = values + _of_type(mean, dtype)
    return around.astype(dtype, copy=False)


def _of_type(operand: float | NDArray[Any], dtype: np.dtype[Any]) -> Any:
    """A number, or an array without dimensions, does not widen what it is combined with."""
    return dtype.type(operand) if np.ndim(operand) == 0 else operand
