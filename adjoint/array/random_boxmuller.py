"""Uniform numbers turned into normal ones sixteen at a time, as PyTorch's large fills do.

In a block of sixteen, number ``j`` gives the radius and number ``j + 8`` the angle of the pair of
normal numbers that replace them. For float32 PyTorch evaluates the Cephes library's polynomials
with fused multiply-adds; each is done here in float64, where the product is exact, and rounded
to float32, so that the results agree to the last bit and not merely to a few units.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from adjoint.array.random_exact import by_library, multiply_add

if TYPE_CHECKING:  # 1 ms, and for nothing
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


# Blocks transformed at once: some 40 passes are made over their 16,384 pairs, in the cache.
_BLOCKS = 2048

_TWO_PI = 2.0 * np.pi
# Arrays without dimensions meet arrays twice as quickly as scalars do.
_SINGLE_TWO_PI = np.array(_TWO_PI, np.float32)
_ONE = np.array(1.0, np.float32)
_HALF = np.array(0.5, np.float32)
_MINUS_TWO = np.array(-2.0, np.float32)

_MANTISSA = np.array(0x007FFFFF, np.int32)
_EXPONENT_OF_HALF = np.array(0x3F000000, np.int32)
_EXPONENT_AT = np.array(23, np.int32)
_EXPONENT_BIAS = np.array(126, np.int32)
_ROOT_HALF = np.array(np.sqrt(0.5), np.float32)
_LN_2_HIGH = np.array(0.693359375, np.float32)
_LN_2_LOW = np.array(-2.12194440e-4, np.float32)
_LOG_POLYNOMIAL = np.array(
    [7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
     -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1],
    np.float32,
).astype(np.float64)  # fmt: skip

_FOUR_OVER_PI = np.array(4.0 / np.pi, np.float32)
_INT_1, _INT_2, _INT_4, _INT_NOT_1, _INT_SIGN_AT = np.array([[1], [2], [4], [-2], [29]], np.int32)
# A quarter of pi in three parts, of which the first two have products with 2, 4, 6, 8 exact.
_QUARTER_PI = (
    np.array(-0.78515625, np.float32),
    np.array(-2.4187564849853515625e-4, np.float32),
)
_QUARTER_PI_REST = np.array(np.float32(-3.77489497744594108e-8), np.float64)
# Cosine in the first row, sine in the second.
_TRIGONOMETRIC_POLYNOMIALS = np.array(
    [[[2.443315711809948e-5], [-1.9515295891e-4]],
     [[-1.388731625493765e-3], [8.3321608736e-3]],
     [[4.166664568298827e-2], [-1.6666654611e-1]]],
    np.float32,
).astype(np.float64)  # fmt: skip


def normal_blocks(uniforms: NDArray[Any], mean: float, std: float) -> NDArray[Any]:
    """Normal numbers from uniform ones in [0, 1), float32 or float64, a multiple of 16 of them."""
    blocks = uniforms.reshape(-1, 2, 8)
    out = np.empty_like(blocks)
    polar = _polar_single if uniforms.dtype == np.float32 else _polar_double
    for begin in range(0, len(blocks), _BLOCKS):
        piece = blocks[begin : begin + _BLOCKS]
        for half, part in enumerate(polar(piece[:, 0].reshape(-1), piece[:, 1].reshape(-1))):
            scaled = multiply_add(part, std, mean)
            out[begin : begin + _BLOCKS, half] = scaled.reshape(-1, 8)
    return out.reshape(-1)


def _polar_double(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    radius = np.sqrt(-2.0 * by_library(math.log, 1.0 - x))
    angle = _TWO_PI * y
    return radius * np.cos(angle), radius * np.sin(angle)


def _polar_single(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    radius = np.sqrt(_MINUS_TWO * _log(_ONE - x))
    cosine, sine = _cosine_sine(_SINGLE_TWO_PI * y)
    return radius * cosine, radius * sine


def _log(x: Floats) -> Floats:
    """The natural logarithm of float32 numbers in (0, 1] by Cephes' polynomial."""
    bits = x.view(np.int32)
    exponent = bits >> _EXPONENT_AT
    exponent -= _EXPONENT_BIAS
    bits = bits & _MANTISSA
    bits |= _EXPONENT_OF_HALF
    mantissa = bits.view(np.float32)
    # From [0.5, 1) to [sqrt(0.5), sqrt(2)), less one.
    low = mantissa < _ROOT_HALF
    exponent -= low
    mantissa += mantissa * low
    mantissa -= _ONE
    power = exponent.astype(np.float32)
    square = mantissa * mantissa
    value: Floats = _fused_polynomial(_LOG_POLYNOMIAL, mantissa)
    value *= mantissa
    value = _fused(value, square.astype(np.float64), power * _LN_2_LOW)
    square *= _HALF
    value -= square
    value += mantissa
    value += power * _LN_2_HIGH
    return value


def _cosine_sine(x: Floats) -> tuple[Floats, Floats]:
    """Cosine and sine of float32 numbers in [0, 2 pi] by Cephes' polynomials about each octant."""
    octant = (x * _FOUR_OVER_PI).astype(np.int32)
    octant += _INT_1
    octant &= _INT_NOT_1
    count = octant.astype(np.float32)
    for part in _QUARTER_PI:
        x = x + count * part
    x = (count * _QUARTER_PI_REST + x).astype(np.float32)
    square = x * x
    wide = square.astype(np.float64)
    both = _fused_polynomial(_TRIGONOMETRIC_POLYNOMIALS, wide)
    both *= square
    factors = np.empty((2, x.size), np.float64)
    factors[0], factors[1] = wide, x
    addends = np.empty((2, x.size), np.float32)
    np.multiply(square, -_HALF, out=addends[0])
    addends[1] = x
    both = _fused(both, factors, addends)
    both[0] += _ONE
    # Every other octant takes the other polynomial; two of each four take the other sign.
    exchanged = (octant & _INT_2).astype(np.bool_)
    cosine = np.where(exchanged, both[1], both[0])
    sine = np.where(exchanged, both[0], both[1])
    signs = sine.view(np.int32)
    signs ^= (octant & _INT_4) << _INT_SIGN_AT
    octant += _INT_2
    octant &= _INT_4
    octant <<= _INT_SIGN_AT
    signs = cosine.view(np.int32)
    signs ^= octant
    return cosine, sine


def _fused(x: Floats, factor: NDArray[np.float64], addend: Any) -> Floats:
    """``x * factor + addend`` of float32 numbers, rounded once (save one case in 2**29)."""
    wide = x * factor
    wide += addend
    return wide.astype(np.float32)


def _fused_polynomial(coefficients: NDArray[np.float64], x: NDArray[Any]) -> Floats:
    """Horner's scheme with each step rounded to float32, highest power first."""
    x = x.astype(np.float64, copy=False)
    wide = coefficients[0] * x
    wide += coefficients[1]
    value: Floats = wide.astype(np.float32)
    for coefficient in coefficients[2:]:
        np.multiply(value, x, out=wide)
        wide += coefficient
        value[...] = wide
    return value
