"""Logarithms to bases e, 2 and 10, and what is made of them: inverse hyperbolic functions.

x is 2^k m with m between 1/sqrt(2) and sqrt(2). With f = m - 1 and s = f / (2 + f), log(m) is
2 atanh(s) = f - f^2/2 + s (f^2/2 + R(s)), in which only the first terms matter in the last place.
"""

from __future__ import annotations

from adjoint.compiler.expressions import Expression, absolute, copysign, sqrt, where
from adjoint.compiler.functions.coefficients import (
    INVERSE,
    LG2,
    LN2,
    LOG,
    LOG2_E,
    LOG10_E,
)
from adjoint.compiler.functions.formats import (
    Pair,
    as_float,
    bits,
    choose,
    constant,
    divide,
    down,
    exact_fma,
    fma,
    format_of,
    from_bits,
    horner,
    two_product,
    two_sum,
    up,
    upper_half,
)

INFINITY, NAN = float("inf"), float("nan")
SQRT_HALF = {4: 0x3F3504F3, 8: 0x3FE6A09E667F3BCD}  # bits of it


def split(x: Expression) -> tuple[Expression, Expression]:
    """``k`` and ``m`` of a positive number."""
    form = format_of(x)
    small = x < form.least
    whole = bits(where(small, x * 2.0 ** (form.mantissa + 1), x))
    one = form.bias << form.mantissa
    offset = one - SQRT_HALF[form.size]
    lifted = whole + offset
    exponent = down(lifted, form.mantissa)
    m = from_bits((lifted & ((1 << form.mantissa) - 1)) - offset + one)
    grown = where(small, float(form.mantissa + 1), 0.0, x.kind)
    return as_float(exponent) - (grown + form.bias), m


def _special(x: Expression, found: Expression) -> Expression:
    """``found``, except where the logarithm of ``x`` is infinite or no number."""
    inside = (x > 0) & (x < INFINITY)
    return choose(inside, found, x.equals(0), -INFINITY, x < 0, NAN, x)


def _tail(f: Expression) -> tuple[Expression, Expression]:
    """f^2/2, and what is to be added to f - f^2/2."""
    s = f / (f + 2)
    half = f * f * 0.5
    z = s * s
    return half, s * fma(z, horner(LOG[format_of(f).size], z), half)


def log(x: Expression) -> Expression:
    """The natural logarithm."""
    k, m = split(x)
    high, low = LN2[format_of(x).size]
    f = m - 1
    half, tail = _tail(f)
    return _special(x, fma(high, k, f - (half - fma(low, k, tail))))


def _pair(m: Expression) -> Pair:
    """log(m) as a sum, the first of half length."""
    f = m - 1
    half, tail = _tail(f)
    high = upper_half(f - half)
    return high, (f - high) - half + tail


def log2(x: Expression) -> Expression:
    """The logarithm to base 2."""
    k, m = split(x)
    high, low = _pair(m)
    base_high, base_low = LOG2_E[format_of(x).size]
    rest = fma(base_high, low, (high + low) * base_low)
    total, lost = two_sum(k, high * base_high)
    return _special(x, total + (lost + rest))


def log10(x: Expression) -> Expression:
    """The logarithm to base 10."""
    size = format_of(x).size
    k, m = split(x)
    high, low = _pair(m)
    base_high, base_low = LOG10_E[size]
    two_high, two_low = LG2[size]
    rest = fma(base_high, low, fma(base_low, high + low, k * two_low))
    total, lost = two_sum(k * two_high, high * base_high)
    return _special(x, total + (lost + rest))


def log1p_pair(
    x: Expression, x_low: Expression | float, doubled: Expression | None = None
) -> Expression:
    """log(1 + x + x_low) for a sum above 0; twice what is in there where ``doubled`` holds."""
    form = format_of(x)
    total, lost = two_sum(x, 1)
    lost = lost + x_low
    whole = bits(total)
    one = form.bias << form.mantissa
    offset = one - SQRT_HALF[form.size]
    lifted = whole + offset
    exponent = down(lifted, form.mantissa)
    places = up(exponent, form.mantissa)
    m = from_bits(whole + one - places)
    k = as_float(exponent) - float(form.bias)
    near = k.equals(0)
    # What is lost of the sum is divided by 2^k, unless it is far below what can be seen.
    counts = (k < float(form.mantissa + 2)) & (absolute(lost) > 0)
    scaled = where(counts, from_bits(bits(lost) + one - places), 0)
    f = where(near, x, m - 1)
    f_low = where(near, x_low, scaled * horner(INVERSE[form.size], m))
    half, tail = _tail(f)
    if doubled is not None:
        k = k + where(doubled, 1.0, 0.0, x.kind)
    high, low = LN2[form.size]
    return fma(high, k, f - (half - (fma(low, k, tail) + f_low)))


def log1p(x: Expression) -> Expression:
    """log(1 + x), exact near 0."""
    form = format_of(x)
    found = log1p_pair(x, 0.0)
    inside = (x > -1) & (x < INFINITY) & (absolute(x) >= 2.0 ** -(form.mantissa + 2))
    return choose(inside, found, x.equals(-1), -INFINITY, x < -1, NAN, x)


def asinh(x: Expression) -> Expression:
    form = format_of(x)
    size = absolute(x)
    # log(a + sqrt(1 + a^2)) is log1p(a + a^2 / (1 + sqrt(1 + a^2))).
    large = size > 2.0 ** (form.mantissa + 4)
    square = size * size
    more = where(large, 0, square / (sqrt(square + 1) + 1))
    total, rest = two_sum(size, more)
    found = copysign(log1p_pair(total, rest, large), x)
    return where((size < INFINITY) & (size >= 2.0 ** -(form.mantissa // 2 + 2)), found, x)


def acosh(x: Expression) -> Expression:
    form = format_of(x)
    large = x > 2.0 ** (form.mantissa // 2 + 4)
    # log(x + sqrt(x^2 - 1)) is log1p(t + sqrt(t (t + 2))), t = x - 1.
    t = x - 1
    factor, factor_low = two_sum(t, 2)
    product, lost = two_product(t, factor)
    lost = fma(t, factor_low, lost)
    root = sqrt(product)
    root_low = (exact_fma(-root, root, product) + lost) * (0.5 / root)
    usual = (product > 0) & (x <= 2.0 ** (form.mantissa // 2 + 4))
    total, rest = two_sum(t, where(usual, root, 0))
    found = log1p_pair(total, rest + where(usual, root_low, 0), large)
    return choose(x < 1, NAN, x < INFINITY, found, x)


def atanh(x: Expression) -> Expression:
    form = format_of(x)
    size = absolute(x)
    inside = size < 1
    safe = where(inside, size, 0)
    below, lost = two_sum(-safe, 1)
    quotient, rest = divide((safe + safe, constant(0, x)), (below, lost))
    found = copysign(log1p_pair(quotient, rest) * 0.5, x)
    tiny = size < 2.0 ** -(form.mantissa // 2 + 2)
    return choose(tiny, x, inside, found, size.equals(1), copysign(constant(INFINITY, x), x), NAN)
