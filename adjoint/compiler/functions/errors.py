"""The error function and what is left of 1."""

from __future__ import annotations

from adjoint.compiler.expressions import Expression, absolute, copysign, sqrt, where
from adjoint.compiler.functions.coefficients import (
    ERF,
    ERF_TAIL,
    ERFC,
    ERFCX,
    ERFCX_NEAR,
    ERFINV,
    ERFINV_FIRST,
    ERFINV_SECOND,
    ERFINV_THIRD,
)
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
from adjoint.compiler.functions.logarithms import INFINITY, NAN, log

TWO_OVER_ROOT_PI = 1.1283791670955126


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


def _erfcx(x: Expression, size: int) -> Expression:
    near = fma(x, halved(ERFCX_NEAR[size], x), 1)
    a = absolute(x)
    bounded = clamp(a, 0.0, 2.0**60)
    first, *more = ERFCX[size]
    t = (bounded - 4) / (bounded + 4)
    upper = quick_two_sum(first, t * halved(more, t))
    high, low = divide(upper, two_sum(bounded, 0.5))
    far = where(a < 2.0**60, high + low, upper[0] / a) * 0.5
    # Below 0 it is 2 exp(x^2) and little less.
    square, square_low = two_product(x, x)
    power = short_exp(clamp(square, 0.0, 709.5), size)  # twice that is infinite
    power = fma(power, where(a < 30, square_low, 0), power)
    return choose(a < 0.5, near, x < 0, power + power - far, far)


def erfcx(x: Expression) -> Expression:
    """exp(x^2) erfc(x), which for large x is small but no less than 1 / (2x)."""
    return _erfcx(x.to(DOUBLE), 4).to(FLOAT) if x.kind == FLOAT else _erfcx(x, 8)


def _inverse_tail(rest: Expression) -> Expression:
    """What erfc is ``rest`` of, as good as float32 needs it: polynomials in sqrt(-log(rest))."""
    w = sqrt(-log(rest))
    return choose(
        w < 2.2,
        halved(ERFINV_FIRST[4], w - 1.595),
        w < 4.1,
        halved(ERFINV_SECOND[4], w - 3.15),
        halved(ERFINV_THIRD[4], w - 5.125),
    )


def erfinv(x: Expression) -> Expression:
    """What erf is x of: x + x P(x^2), beyond 0.625 by what is left of 1.

    For float64 that is corrected by a step of Halley's method.
    """
    single, wide = x.kind == FLOAT, x.to(DOUBLE)
    size, rest = absolute(wide), 1 - absolute(wide)
    near = fma(wide, halved(ERFINV[4 if single else 8], wide * wide), wide)
    far = _inverse_tail(rest)
    if not single:
        slope = short_exp(-far * far, 4) * TWO_OVER_ROOT_PI
        step = (_erfc(far) - rest) / slope
        far = far + fma(far * step, step, step)
    far = choose(size < 1, far, size.equals(1), INFINITY, NAN)
    return where(size < 0.625, near, copysign(far, wide)).to(x.kind)
