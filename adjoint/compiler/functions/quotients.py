"""Quotients of integers and remainders, rounding to integers, lengths."""

from __future__ import annotations

from adjoint.compiler.expressions import (
    Expression,
    absolute,
    copysign,
    remainder,
    sqrt,
    where,
)
from adjoint.compiler.expressions import floor as expression_floor
from adjoint.compiler.functions.formats import (
    DOUBLE,
    FLOAT,
    choose,
    constant,
    exact_fma,
    format_of,
    two_product,
    two_sum,
)

INFINITY = float("inf")

# -- to integers, for processors without an instruction -----------------------------------------


def rint(x: Expression) -> Expression:
    """The nearest integer, to even between two."""
    size = absolute(x)
    limit = 2.0 ** format_of(x).mantissa
    return where(size < limit, copysign((size + limit) - limit, x), x)


def floor(x: Expression) -> Expression:
    """The integer below."""
    near = rint(x)
    return copysign(near - where(near > x, 1, constant(0, x)), x)


def ceil(x: Expression) -> Expression:
    """The integer above."""
    return -floor(-x)


def trunc(x: Expression) -> Expression:
    """The integer towards zero."""
    return copysign(floor(absolute(x)), x)


# -- remainders ---------------------------------------------------------------------------------


def _bounds(x: Expression, y: Expression) -> Expression:
    form = format_of(x)
    a, b = absolute(x), absolute(y)
    quotient = a / b
    middle = (a < 2.0 ** (form.bias - 1)) & (b > form.least * 2.0 ** (form.mantissa + 4))
    return (quotient < 2.0**form.mantissa) & middle & (b < 2.0 ** (form.bias - 1))


def rem_covers(x: Expression, y: Expression) -> Expression:
    """Whether the quotient is small enough for ``rem``, and nothing can overflow or underflow."""
    return _bounds(x, y)


def rem(x: Expression, y: Expression) -> Expression:
    """What is left of a division towards zero, exactly.

    The quotient cut off is right or one too large; less so many times ``y`` is exact either way.
    """
    a, b = absolute(x), absolute(y)
    quotient = a / b
    limit = 2.0 ** format_of(x).mantissa
    near = (quotient + limit) - limit
    whole = near - where(near > quotient, 1, constant(0, x))
    rest = exact_fma(-whole, b, a)
    return copysign(where(rest < 0, rest + b, rest), x)


def modulo(x: Expression, y: Expression) -> Expression:
    """What is left of a division towards minus infinity: it has the sign of ``y``."""
    rest = remainder(x, y)
    other = (y < 0).differs(rest < 0)
    return where(rest.equals(0), copysign(rest, y), where(other, rest + y, rest))


def floor_divide(x: Expression, y: Expression) -> Expression:
    """The quotient towards minus infinity of exact division, as Python and NumPy define it."""
    rest = remainder(x, y)
    one_less = rest.differs(0) & (y < 0).differs(rest < 0)
    quotient = (x - rest) / y - where(one_less, 1, constant(0, x))
    below = expression_floor(quotient)
    below = below + where(quotient - below > 0.5, 1, constant(0, x))
    direct = x / y
    return choose(y.equals(0), direct, quotient.equals(0), copysign(constant(0, x), direct), below)


# -- lengths ------------------------------------------------------------------------------------


def hypot(x: Expression, y: Expression) -> Expression:
    """The length of a vector, which overflows only if it is too long."""
    a, b = absolute(x), absolute(y)
    found = _short(a, b) if x.kind == FLOAT else _long(a, b)
    infinite = a.equals(INFINITY) | b.equals(INFINITY)
    return where(infinite, INFINITY, found, x.kind)


def _short(a: Expression, b: Expression) -> Expression:
    wide, other = a.to(DOUBLE), b.to(DOUBLE)
    return sqrt(wide * wide + other * other).to(FLOAT)


def _long(a: Expression, b: Expression) -> Expression:
    greater, lesser = where(a > b, a, b), where(a > b, b, a)
    huge, tiny = greater > 2.0**500, greater < 2.0**-480
    by = choose(huge, 2.0**-600, tiny, 2.0**600, constant(1, a))
    back = choose(huge, 2.0**600, tiny, 2.0**-600, constant(1, a))
    greater, lesser = greater * by, lesser * by
    first, lost = two_product(greater, greater)
    total, more = two_sum(first, lesser * lesser)
    rest = lost + more + exact_fma(lesser, lesser, -(lesser * lesser))
    root = sqrt(total)
    better = root + (exact_fma(-root, root, total) + rest) * (0.5 / root)
    return where(total > 0, better, root) * back
