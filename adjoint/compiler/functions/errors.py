"""The error function and what is left of 1."""

from __future__ import annotations

from adjoint.compiler.expressions import Expression, absolute, copysign, where
from adjoint.compiler.functions.coefficients import ERF, ERF_TAIL, ERFC
from adjoint.compiler.functions.exponentials import clamp, exp, exp_pair, short_exp
from adjoint.compiler.functions.formats import (
    DOUBLE,
    FLOAT,
    Pair,
    choose,
    divide,
    fma,
    format_of,
    halved,
    horner,
    quick_two_sum,
    scale,
    two_product,
    two_sum,
)


def erf(x: Expression) -> Expression:
    """The error function: x + x P(x^2) up to 1, then 1 - exp(-Q(|x|))."""
    form = format_of(x)
    size = absolute(x)
    z = x * x
    small = fma(x, horner(ERF[form.size], z), x)
    tail = halved(ERF_TAIL[form.size], clamp(size, 1.0, 4.0 if form.size == 4 else 6.0) - 1)
    return where(size < 1, small, copysign(1 - exp(-tail), x))


def _core(x: Expression, size: int) -> tuple[Expression, Expression, Pair]:
    """Near 0, 1 - erf(x); for a = |x| beyond 1/2 the parts of exp(-a^2) W / (1 + 2a).

    W changes little: it is a polynomial in (a - 4) / (a + 4), given as a sum.
    """
    z = x * x
    less, lost = two_sum(-x, 1)
    small = less + fma(-x, horner(ERF[size], z), lost)
    a = clamp(absolute(x), 0.0, 28.0)
    t = (a - 4) / (a + 4)
    first, *more = ERFC[size]
    return small, a, quick_two_sum(first, t * halved(more, t))


def _erfc(x: Expression) -> Expression:
    small, a, upper = _core(x, 8)
    high, low = divide(upper, two_sum(a + a, 1))
    square, square_low = two_product(a, a)
    power, power_low, _, low_bits = exp_pair(-square)
    power_low = fma(-power, square_low, power_low)
    product, lost = two_product(power, high)
    found = scale(product + (lost + fma(power, low, power_low * high)), low_bits)
    return choose(absolute(x) < 0.5, small, x < 0, 2 - found, found)


def _erfc_single(x: Expression) -> Expression:
    """For float32, in float64, which has enough places to spare."""
    small, a, (high, low) = _core(x, 4)
    power = short_exp(-a * a, 4)
    found = power * (high + low) / (a + a + 1)
    return choose(absolute(x) < 0.5, small, x < 0, 2 - found, found)


def erfc(x: Expression) -> Expression:
    """1 - erf(x), down to the least numbers."""
    return _erfc_single(x.to(DOUBLE)).to(FLOAT) if x.kind == FLOAT else _erfc(x)
