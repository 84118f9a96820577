"""Sine, cosine and tangent.

x is k pi/2 + r, with r at most pi/4. Up to a bound, which few numbers ever pass, k times pi/2 in
three parts is taken from x (Cody and Waite): the first subtraction is exact, and what the second
rounds away is kept beside r. Beyond it, x times 2/pi is made of integers, out of as many bits of
2/pi as matter (Payne and Hanek), for one number after the other; a vector whose numbers are all
within the bound does not wait for that.
"""

from __future__ import annotations

from collections.abc import Callable

from adjoint.compiler.expressions import Expression, absolute, where
from adjoint.compiler.functions.coefficients import COS, HALF_PI, SIN
from adjoint.compiler.functions.formats import (
    DOUBLE,
    FORMATS,
    Pair,
    bits,
    constant,
    divide,
    down,
    exact_fma,
    flip_sign,
    fma,
    format_of,
    horner,
    nearest,
    quick_two_sum,
    two_product,
    two_sum,
    up,
)

TWO_OVER_PI = 0.6366197723675814
INFINITY = float("inf")
# Beyond it x / (pi/2), rounded, may be too far from the nearest integer.
BOUND = {4: 2.0**15, 8: 2.0**30}

Tail = Callable[[Pair, Expression], Expression]  # of r and the bits of k


def covers(x: Expression) -> Expression:
    """Whether the usual way is good; of infinity and NaN it makes NaN."""
    size = absolute(x)
    return (size <= BOUND[format_of(x).size]) | ~(size < INFINITY)


def _reduce(x: Expression) -> tuple[Pair, Expression]:
    first, second, third = HALF_PI[format_of(x).size]
    k, low_bits = nearest(x * TWO_OVER_PI)
    exact = exact_fma(-first, k, x)
    product, lost = two_product(k, constant(second, k))
    r = exact - product
    # Also right where the two nearly cancel, for then r is exact; if the product is the greater by
    # far, it is wrong by less than r is.
    rest = ((exact - r) - product) - lost
    return (r, fma(-third, k, rest)), low_bits


def fraction(high: Expression, low: Expression) -> Pair:
    """R of a large number, whose place between multiples of pi/2 is given by two integers.

    They are the upper and lower 64 bits of a signed fraction.
    """
    upper = (high & -0x800).to(DOUBLE) * 2.0**-64
    middle = (high & 0x7FF).to(DOUBLE) * 2.0**-64
    lower = (down(low, 11)).to(DOUBLE) * 2.0**-117
    total, rest = two_sum(upper, middle)
    total, rest = two_sum(total, rest + lower)
    first, second, _ = HALF_PI[8]
    product, lost = two_product(total, constant(first, total))
    return quick_two_sum(product, fma(second, total, fma(first, rest, lost)))


def _sine(r: Pair) -> Pair:
    z = r[0] * r[0]
    return r[0], fma(r[0] * z, horner(SIN[format_of(z).size], z), r[1])


def _cosine(r: Pair) -> Pair:
    z = r[0] * r[0]
    half = z * 0.5
    high = 1 - half
    rest = z * z * horner(COS[format_of(z).size], z) - r[0] * r[1]
    return high, ((1 - high) - half) + rest


def _sign(x: Expression, second_bit: Expression) -> Expression:
    return flip_sign(x, up(second_bit, 8 * FORMATS[x.kind].size - 2))


def _odd(low_bits: Expression) -> Expression:
    return (low_bits & 1).differs(0)


def sine_of(r: Pair, low_bits: Expression) -> Expression:
    """The sine of k pi/2 + r."""
    sine, cosine, odd = _sine(r), _cosine(r), _odd(low_bits)
    return _sign(where(odd, cosine[0], sine[0]) + where(odd, cosine[1], sine[1]), low_bits & 2)


def cosine_of(r: Pair, low_bits: Expression) -> Expression:
    """The cosine: the sine of one more."""
    return sine_of(r, low_bits + 1)


def tangent_of(r: Pair, low_bits: Expression) -> Expression:
    """The tangent, a quotient of sums."""
    sine, cosine, odd = quick_two_sum(*_sine(r)), quick_two_sum(*_cosine(r)), _odd(low_bits)
    above = where(odd, cosine[0], sine[0]), where(odd, cosine[1], sine[1])
    below = where(odd, -sine[0], cosine[0]), where(odd, -sine[1], cosine[1])
    quotient, rest = divide(above, below)
    return quotient + rest


def sin(x: Expression) -> Expression:
    """The sine, within the bound."""
    return where(x.equals(0), x, sine_of(*_reduce(x)))


def cos(x: Expression) -> Expression:
    """The cosine, within the bound."""
    return cosine_of(*_reduce(x))


def tan(x: Expression) -> Expression:
    """The tangent, within the bound."""
    return where(absolute(x) < 2.0 ** -(format_of(x).mantissa // 2 + 2), x, tangent_of(*_reduce(x)))


def large(tail: Tail, odd: bool) -> Callable[..., Expression]:
    """One of them beyond the bound: of x in float64, k, and the fraction's two integers."""

    def formula(x: Expression, k: Expression, high: Expression, low: Expression) -> Expression:
        found = tail(fraction(high, low), k)
        return flip_sign(found, bits(x)) if odd else found

    return formula


LARGE = {
    "sin": large(sine_of, True),
    "cos": large(cosine_of, False),
    "tan": large(tangent_of, True),
}
