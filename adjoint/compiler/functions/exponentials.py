"""Powers of e and of two, and what is made of them: sigmoid, hyperbolic functions.

``exp(x)`` is 2^k exp(r), where k is the integer nearest to x / log(2) and r what is left, at most
log(2) / 2. The power of two is multiplied in two halves, so that results below the least normal
number are rounded once, and those that are too large become infinite.
"""

from __future__ import annotations

from adjoint.compiler.expressions import Expression, absolute, copysign, where
from adjoint.compiler.functions.coefficients import EXP, EXP2, EXPM1, LN2, SINH
from adjoint.compiler.functions.formats import (
    constant,
    exact_fma,
    fma,
    format_of,
    horner,
    nearest,
    power_of_two,
    quick_two_sum,
    scale,
    two_sum,
)

LOG2_E = 1.4426950408889634


def clamp(x: Expression, low: float, high: float) -> Expression:
    """Between two numbers; a NaN stays."""
    return where(x < low, low, where(x > high, high, x))


def _limits(x: Expression) -> tuple[float, float]:
    """Below the first the exponential is 0, above the second infinite."""
    return (-104.0, 89.0) if format_of(x).size == 4 else (-746.0, 710.0)


def exp(x: Expression) -> Expression:
    """The power ``x`` of e."""
    return short_exp(clamp(x, *_limits(x)), format_of(x).size)


def short_exp(x: Expression, size: int) -> Expression:
    """The same of what is not too large, as precise as a type of ``size`` bytes needs it."""
    high, low = LN2[format_of(x).size]
    k, low_bits = nearest(x * LOG2_E)
    r = fma(-low, k, fma(-high, k, x))  # k * high is exact
    return scale(horner((1.0, 1.0, *EXP[size]), r), low_bits)


def exp2(x: Expression) -> Expression:
    """The power ``x`` of 2."""
    size = format_of(x).size
    x = clamp(x, *((-151.0, 129.0) if size == 4 else (-1076.0, 1025.0)))
    k, low_bits = nearest(x)
    return scale(horner((1.0, *EXP2[size]), x - k), low_bits)


def exp_parts(x: Expression) -> tuple[Expression, Expression, Expression, Expression]:
    """Of exp(x) = 2^k (1 + r + tail): r, tail, k, and k in the lowest bits."""
    size = format_of(x).size
    high, low = LN2[size]
    k, low_bits = nearest(x * LOG2_E)
    first = fma(-high, k, x)
    rest = low * k
    r = first - rest
    r_low = (first - r) - rest
    tail = fma(r * r, horner(EXPM1[size], r), r_low)
    return r, tail, k, low_bits


def exp_pair(x: Expression) -> tuple[Expression, Expression, Expression, Expression]:
    """The same, of which the first is the sum as it rounds."""
    r, tail, k, low_bits = exp_parts(x)
    high, low = quick_two_sum(1, r)
    high, low = quick_two_sum(high, low + tail)
    return high, low, k, low_bits


def expm1_pair(x: Expression, most: float) -> tuple[Expression, Expression, Expression]:
    """exp(x) - 1, as a sum of two times 2^k; and k in the lowest bits.

    2^k (1 + r + tail) - 1 is 2^k ((r + (1 - 2^-k)) + tail). ``most`` is the most that k may be.
    """
    r, tail, k, low_bits = exp_parts(x)
    bounded = where(k > most, int(most), low_bits)
    lost = 1 - power_of_two(-bounded)
    total, rest = two_sum(lost, r)
    total, rest = quick_two_sum(total, rest + tail)
    return total, rest, low_bits


def expm1(x: Expression) -> Expression:
    """exp(x) - 1, exact near 0."""
    form = format_of(x)
    low, high = (-18.0, 89.0) if form.size == 4 else (-38.0, 710.0)
    total, rest, low_bits = expm1_pair(clamp(x, low, high), 2.0 * form.mantissa)
    found = scale(total + rest, low_bits)
    return where(absolute(x) < 2.0 ** -(form.mantissa + 2), x, found)


def sigmoid(x: Expression) -> Expression:
    """1 / (1 + exp(-x)), down to the least numbers.

    With e = exp(-|x|) it is 1 / (1 + e), or e / (1 + e) for negative x. Just below a power of two
    the errors of e, of the sum and of the quotient would add up to three units: the latter two are
    made up for.
    """
    r, tail, _, low_bits = exp_parts(clamp(-absolute(x), _limits(x)[0], 0.0))
    raised = scale(r + tail + 1, low_bits)
    below, lost = quick_two_sum(1, raised)
    above = where(x < 0, raised, 1)
    found = above / below
    missing = fma(-found, lost, exact_fma(-found, below, above))
    return fma(missing, fma(-0.5, raised, 1), found)  # a rough 1 / (1 + e) is enough there


def tanh(x: Expression) -> Expression:
    """The hyperbolic tangent: with e = exp(2|x|) - 1 it is e / (e + 2)."""
    form = format_of(x)
    size = absolute(x)
    r, tail, _, low_bits = exp_parts(clamp(size + size, 0.0, 20.0 if form.size == 4 else 40.0))
    power = power_of_two(low_bits)
    less = fma(power, r + tail, power - 1)
    below, lost = quick_two_sum(2, less)
    found = less / below
    # What is lost of sum and quotient counts where the divisor is still about 2.
    missing = fma(-found, lost, exact_fma(-found, below, less))
    return copysign(fma(missing, where(less < 1, constant(0.5, x), 0), found), x)


def _halves(x: Expression) -> tuple[Expression, Expression, Expression, Expression]:
    """exp(a) and exp(-a), without 2^k: a sum of two, a number; and k in the lowest bits."""
    form = format_of(x)
    high, low, k, low_bits = exp_pair(x)
    bounded = where(k > float(form.mantissa), form.mantissa, low_bits)
    small = power_of_two(-bounded)
    inverse = small * small / high
    return high, low, inverse, low_bits


def sinh(x: Expression) -> Expression:
    """The hyperbolic sine."""
    form = format_of(x)
    size = clamp(absolute(x), 0.0, 90.0 if form.size == 4 else 711.0)
    high, low, inverse, low_bits = _halves(size)
    total, rest = two_sum(high, -inverse)
    large = copysign(scale(total + (rest + low), low_bits, 1), x)
    square = x * x
    small = fma(x * square, horner(SINH[form.size], square), x)
    return where(size < 1, small, large)


def cosh(x: Expression) -> Expression:
    """The hyperbolic cosine."""
    form = format_of(x)
    size = clamp(absolute(x), 0.0, 90.0 if form.size == 4 else 711.0)
    high, low, inverse, low_bits = _halves(size)
    total, rest = two_sum(high, inverse)
    return scale(total + (rest + low), low_bits, 1)
