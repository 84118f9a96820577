"""Angles: arcus functions."""

from __future__ import annotations

from adjoint.compiler.expressions import Expression, absolute, copysign, sqrt, where
from adjoint.compiler.functions.coefficients import ASIN, ATAN, ATAN_HALF, HALF_PI
from adjoint.compiler.functions.formats import (
    Pair,
    bits,
    choose,
    constant,
    fma,
    format_of,
    horner,
    two_sum,
)

INFINITY = float("inf")


def _angle(lesser: Expression, greater: Expression) -> Pair:
    """The angle whose tangent is a quotient of at most 1, as a sum.

    It is less than 0.3 away from 0, from atan(1/2) or from atan(1), and the tangent of what is
    between is again a quotient: atan(t) = t + t^3 P(t^2).
    """
    size = format_of(lesser).size
    near, middle = lesser <= greater * 0.3, lesser <= greater * 0.7
    above = choose(near, lesser, middle, lesser - greater * 0.5, lesser - greater)
    below = choose(near, greater, middle, fma(0.5, lesser, greater), lesser + greater)
    t = above / below
    z = t * t
    half, quarter = ATAN_HALF[size], HALF_PI[size]
    base = choose(near, constant(0, t), middle, half[0], quarter[0] / 2)
    base_low = choose(near, constant(0, t), middle, half[1], quarter[1] / 2)
    total, lost = two_sum(base, t)
    return total, lost + fma(t * z, horner(ATAN[size], z), base_low)


def atan(x: Expression) -> Expression:
    """The angle with a tangent."""
    high, low, _ = HALF_PI[format_of(x).size]
    size = absolute(x)
    large = size > 1
    angle, rest = _angle(where(large, 1, size), where(large, size, 1))
    total, lost = two_sum(-angle, high)
    found = where(large, total + (lost + (low - rest)), angle + rest)
    return copysign(where(x.equals(x), found, x), x)


def atan2(y: Expression, x: Expression) -> Expression:
    """The angle of a point, from -pi to pi; zeros count with their signs."""
    form = format_of(x)
    high, low, _ = HALF_PI[form.size]
    a, b = absolute(x), absolute(y)
    steep, left = b > a, bits(x) < 0
    lesser, greater = where(steep, a, b), where(steep, b, a)
    # Infinite both is as good as equal; the largest and least numbers are brought to the middle.
    both = lesser.equals(INFINITY)
    lesser, greater = where(both, 1, lesser), where(both, 1, greater)
    grown = 2.0 ** (form.mantissa + 4)
    huge, tiny = greater > 2.0 ** (form.bias - 4), greater < form.least * grown
    by = choose(huge, 0.0625, tiny, grown, constant(1, x))
    by = where(greater.equals(INFINITY), 1, by)
    angle, rest = _angle(lesser * by, where(greater.equals(0), 1, greater * by))
    from_high = choose(steep, high, left, 2 * high, constant(0, x))
    from_low = choose(steep, low, left, 2 * low, constant(0, x))
    down = (steep & ~left) | (~steep & left)
    total, lost = two_sum(from_high, where(down, -angle, angle))
    found = total + (lost + (from_low + where(down, -rest, rest)))
    return where((x.equals(x)) & (y.equals(y)), copysign(found, y), x + y)


def _arc(x: Expression) -> tuple[Expression, Expression, Expression]:
    """Whether |x| is over 1/2; then s = sqrt((1 - |x|) / 2), else s = |x|; asin(s) - s."""
    size = absolute(x)
    large = size > 0.5
    z = where(large, fma(-0.5, size, 0.5), x * x)
    s = where(large, sqrt(z), size)
    return large, s, s * z * horner(ASIN[format_of(x).size], z)


def asin(x: Expression) -> Expression:
    """The angle with a sine; beyond 1/2 by that of half the complement."""
    high, low, _ = HALF_PI[format_of(x).size]
    large, s, rest = _arc(x)
    total, lost = two_sum(s * -2.0, high)
    return copysign(where(large, total + (lost + fma(-2.0, rest, low)), s + rest), x)


def acos(x: Expression) -> Expression:
    """The angle with a cosine."""
    high, low, _ = HALF_PI[format_of(x).size]
    large, s, rest = _arc(x)
    negative = x < 0
    twice, twice_rest = s + s, rest + rest
    total, lost = two_sum(-twice, 2 * high)
    obtuse = total + (lost + (2 * low - twice_rest))
    signed, signed_rest = copysign(s, x), copysign(rest, x)
    middle, middle_lost = two_sum(-signed, high)
    right = middle + (middle_lost + (low - signed_rest))
    return where(large, where(negative, obtuse, twice + twice_rest), right)
