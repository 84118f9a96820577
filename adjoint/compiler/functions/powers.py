"""Powers with any exponent: exp2(y log2(x)), with the logarithm to twice the precision."""

from __future__ import annotations

from adjoint.compiler.expressions import Expression, absolute, where
from adjoint.compiler.functions.coefficients import EXP2, LOG2_E_LONG, LOG_LONG, THIRD
from adjoint.compiler.functions.exponentials import clamp
from adjoint.compiler.functions.formats import (
    DOUBLE,
    FLOAT,
    Pair,
    bits,
    choose,
    constant,
    divide,
    exact_fma,
    flip_sign,
    fma,
    format_of,
    halved,
    horner,
    nearest,
    power_of_two,
    quick_two_sum,
    scale,
    two_product,
    two_sum,
)
from adjoint.compiler.functions.logarithms import split

INFINITY, NAN = float("inf"), float("nan")
HUGE = 2.0**100


def _log2_pair(x: Expression) -> Pair:
    """log2 of a positive number: k + (2 / log(2)) (s + s^3/3 + s^5 Q(s^2)), s = f / (2 + f)."""
    k, m = split(x)
    f = m - 1
    s, s_low = divide((f, constant(0, f)), two_sum(f, 2))
    z, z_low = two_product(s, s)
    z_low = fma(s + s, s_low, z_low)
    third, third_low = THIRD[8]
    # c = 1/3 + z Q, and 1 + z c, of which the last places count too.
    c, c_low = quick_two_sum(third, z * halved(LOG_LONG[8], z))
    c_low = c_low + third_low
    product, product_low = two_product(z, c)
    product_low = product_low + fma(z, c_low, z_low * c)
    one, one_low = quick_two_sum(1, product)
    one_low = one_low + product_low
    # times s, times 2 / log(2)
    high, low = two_product(s, one)
    low = low + fma(s, one_low, s_low * one)
    base, base_low = (2 * each for each in LOG2_E_LONG[8])
    total, rest = two_product(high, constant(base, high))
    rest = rest + fma(base, low, high * base_low)
    sum_high, lost = two_sum(k, total)
    return quick_two_sum(sum_high, lost + rest)


def _double(x: Expression, y: Expression) -> Expression:
    high, low = _log2_pair(x)
    total = clamp(high * y, -1100.0, 1100.0)
    rest = exact_fma(high, y, -(high * y)) + low * y
    rest = where(absolute(total) < 1100.0, rest, 0)
    k, low_bits = nearest(total)
    r = (total - k) + rest
    return scale(fma(r, halved(EXP2[8], r), 1), low_bits)


def _single(x: Expression, y: Expression) -> Expression:
    """The same for float32, of which float64 has enough places to spare."""
    k, m = split(x.to(DOUBLE))
    f = m - 1
    s = f / (f + 2)
    z = s * s
    third = THIRD[8][0]
    cubic = fma(z, horner(LOG_LONG[4], z), third)
    logarithm = fma(s * (2 * LOG2_E_LONG[8][0]), fma(z, cubic, 1), k)
    total = clamp(logarithm * y.to(DOUBLE), -160.0, 160.0)
    k, low_bits = nearest(total)
    return (horner((1.0, *EXP2[4]), total - k) * power_of_two(low_bits)).to(FLOAT)


def is_whole(size: Expression) -> Expression:
    """Whether a number that is not negative has nothing behind the point."""
    limit = 2.0 ** format_of(size).mantissa
    return (size >= limit) | ((size + limit) - limit).equals(size)


def power(x: Expression, y: Expression) -> Expression:
    """``x`` to the power ``y``, as C has it: 1 for an exponent 0 or a base 1, even with NaNs."""
    a, b = absolute(x), absolute(y)
    # An exponent that is greater is an even number, and makes 0 or infinity of all but 1.
    usual = (a > 0) & (a < INFINITY) & (b < HUGE)
    base, exponent = where(usual, a, 1), where(usual, y, 0)
    found = _single(base, exponent) if x.kind == FLOAT else _double(base, exponent)
    grows = ((a > 1) & (y > 0)) | ((a < 1) & (y < 0))
    found = choose(usual, found, grows, INFINITY, constant(0, x))
    whole = is_whole(b)
    odd = whole & ~is_whole(b * 0.5) & (b < INFINITY)
    found = where(odd, flip_sign(found, bits(x)), found)
    found = where((x < 0) & usual & ~whole, NAN, found)
    found = where(x.equals(x) & y.equals(y), found, x + y)
    return where(y.equals(0) | x.equals(1) | (a.equals(1) & (b >= HUGE)), 1, found)
