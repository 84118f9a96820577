"""True values of functions, and how far others are from them.

NumPy's long double has 64 bits on x86, whose last are 2^-11 of a float64's: near enough to tell an
error of half a unit from one of two. Where it is no wider than a float64, and for what NumPy has
not, mpmath computes fewer points with 120 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np

WIDE = np.longdouble
HAS_WIDE = np.finfo(WIDE).nmant >= 63
mpmath.mp.prec = 120

Limits = tuple[float, float]
ALL = (-np.inf, np.inf)


class Case(NamedTuple):
    """A function of the library: its reference, and where its results are what is of interest."""

    count: int
    numpy: Callable[..., Any] | None
    exact: Callable[..., Any]  # of mpmath's numbers, within the domain
    domain: Limits = ALL
    dense: tuple[Limits, ...] = ((-2.0, 2.0), (-20.0, 20.0))


def _sigmoid(x: Any) -> Any:
    power = np.exp(-np.abs(x))
    return np.where(x < 0, power, x.dtype.type(1)) / (1 + power)


def _erfcx(x: Any) -> Any:
    if x > 1000:  # mpmath would take long for numbers so small; the next term is below 2^-70
        inverse = 1 / (2 * x * x)
        series = 1 - inverse + 3 * inverse**2 - 15 * inverse**3 + 105 * inverse**4
        return series / (x * mpmath.sqrt(mpmath.pi))
    return mpmath.exp(x * x) * mpmath.erfc(x)


def _erfinv(x: Any) -> Any:
    return mpmath.erfinv(x) if abs(x) > 2.0**-60 else x * mpmath.sqrt(mpmath.pi) / 2


def _power(x: Any, y: Any) -> Any:
    # Powers of -infinity to even numbers from 2^63 on have a wrong sign in glibc's long double.
    return np.where(np.isinf(x), np.power(x.astype("f8"), y.astype("f8")), np.power(x, y))


mp = mpmath
CASES = {
    "exp": Case(1, np.exp, mp.exp, dense=((-2, 2), (-110, 90), (-750, 710))),
    "exp2": Case(1, np.exp2, lambda x: mp.mpf(2) ** x, dense=((-2, 2), (-150, 128), (-1080, 1024))),
    "expm1": Case(1, np.expm1, mp.expm1, dense=((-2, 2), (-40, 90), (-1e-6, 1e-6))),
    "sigmoid": Case(1, _sigmoid, lambda x: 1 / (1 + mp.exp(-x)), dense=((-4, 4), (-750, 40))),
    "tanh": Case(1, np.tanh, mp.tanh, dense=((-1, 1), (-20, 20))),
    "sinh": Case(1, np.sinh, mp.sinh, dense=((-1.2, 1.2), (-90, 90), (-711, 711))),
    "cosh": Case(1, np.cosh, mp.cosh, dense=((-1.2, 1.2), (-90, 90), (-711, 711))),
    "log": Case(1, np.log, mp.log, (0, np.inf), ((0, 2), (0.999, 1.001))),
    "log2": Case(1, np.log2, lambda x: mp.log(x, 2), (0, np.inf), ((0, 2), (0.999, 1.001))),
    "log10": Case(1, np.log10, mp.log10, (0, np.inf), ((0, 2), (0.999, 1.001))),
    "log1p": Case(1, np.log1p, mp.log1p, (-1, np.inf), ((-1, 3), (-1e-3, 1e-3))),
    "asinh": Case(1, np.arcsinh, mp.asinh, dense=((-2, 2), (-1e5, 1e5))),
    "acosh": Case(1, np.arccosh, mp.acosh, (1, np.inf), ((1, 1.01), (1, 100))),
    "atanh": Case(1, np.arctanh, mp.atanh, (-1, 1), ((-1, 1), (0.99, 1), (-0.2, 0.2))),
    "sin": Case(1, np.sin, mp.sin, dense=((-4, 4), (-1e5, 1e5), (-1e10, 1e10))),
    "cos": Case(1, np.cos, mp.cos, dense=((-4, 4), (-1e5, 1e5), (-1e10, 1e10))),
    "tan": Case(1, np.tan, mp.tan, dense=((-4, 4), (-1e5, 1e5), (-1e10, 1e10))),
    "asin": Case(1, np.arcsin, mp.asin, (-1, 1), ((-1, 1), (0.99, 1))),
    "acos": Case(1, np.arccos, mp.acos, (-1, 1), ((-1, 1), (0.99, 1), (-1e-3, 1e-3))),
    "atan": Case(1, np.arctan, mp.atan, dense=((-2, 2), (-20, 20))),
    "erf": Case(1, None, mp.erf, (-1e3, 1e3), dense=((-2, 2), (-7, 7))),
    "erfc": Case(1, None, mp.erfc, (-1e3, 1e3), dense=((-2, 2), (-7, 28))),
    "erfcx": Case(1, None, _erfcx, (-26, np.inf), ((-2, 2), (-26, 30))),
    "erfinv": Case(1, None, _erfinv, (-1, 1), ((-1, 1), (0.99, 1))),
    "pow": Case(2, _power, lambda x, y: x**y, (0, np.inf)),
    "atan2": Case(2, np.arctan2, mp.atan2),
    "hypot": Case(2, np.hypot, mp.hypot),
}  # fmt: skip


def bits_of(kind: str, count: int, rng: Any) -> Any:
    """Numbers of every exponent, sign, and mantissas at random: about ``count``."""
    if kind == "f4":
        tops = np.arange(2**9, dtype=np.uint32) << 23
        low = rng.integers(0, 2**23, (2**9, count // 2**9 or 1), dtype=np.uint32)
        return (tops[:, None] | low).ravel().view("f4")
    tops = np.arange(2**12, dtype=np.uint64) << np.uint64(52)
    low = rng.integers(0, 2**52, (2**12, count // 2**12 or 1), dtype=np.uint64)
    return (tops[:, None] | low).ravel().view("f8")


def special(kind: str) -> Any:
    """Zeros, infinities, limits, and what is beside them."""
    info = np.finfo(kind)
    one = [0.0, 1.0, 2.0, 3.0, 0.5, 0.25, 10.0, 100.0, np.pi / 2, np.pi, np.pi / 4, np.log(2) / 2]
    one += [info.max, info.tiny, info.smallest_subnormal, info.eps, 0.7071067811865476, np.inf]
    one += [2.0**each for each in (15, 30, 22, 23, 24, 51, 52, 53, 63, 64)]
    found = np.array(one, kind)
    found = np.concatenate([found, np.nextafter(found, 0), np.nextafter(found, found * 2)])
    return np.concatenate([found, -found, np.array([np.nan], kind)])


def arguments(name: str, kind: str, count: int, seed: int = 0) -> tuple[Any, ...]:
    """Where a function is looked at: all exponents, where it changes, and what is special."""
    case, rng = CASES[name], np.random.default_rng(seed)
    if case.count == 1:
        inside = [np.clip(rng.uniform(*each, count // 4), -3e38, 3e38) for each in case.dense]
        inside = [each.astype(kind) for each in inside]
        return (np.concatenate([bits_of(kind, count, rng), *inside, special(kind)]),)
    x, y = bits_of(kind, count, rng), bits_of(kind, count, rng)
    rng.shuffle(x)
    near = np.exp2(rng.uniform(-3, 3, count)).astype(kind)
    other = (rng.uniform(-1, 1, count) * np.exp2(rng.uniform(0, 9, count))).astype(kind)
    first, second = (each.ravel() for each in np.meshgrid(special(kind), special(kind)))
    if name == "pow":  # results over all exponents, out of bases of all sizes
        base = np.abs(x[np.isfinite(x) & (x != 0) & (np.abs(x) != 1)])
        most = 130 if kind == "f4" else 1080
        with np.errstate(all="ignore"):
            exponent = rng.uniform(-most, most, base.size) / np.log2(base.astype("f8"))
        near, other = np.concatenate([near, base]), np.concatenate([other, exponent.astype(kind)])
    return np.concatenate([x, near, first]), np.concatenate([y, other, second])


def true_values(name: str, *args: Any) -> Any:
    """By NumPy, in long double."""
    function = CASES[name].numpy
    assert function is not None
    with np.errstate(all="ignore"):
        return function(*(each.astype(WIDE) for each in args))


def exact_values(name: str, *args: Any) -> Any:
    """By mpmath, of finite numbers of the domain, as sums of two float64."""
    function = CASES[name].exact
    values = [
        function(*(mpmath.mpf(float(each)) for each in one)) for one in zip(*args, strict=True)
    ]
    high = [float(each) for each in values]
    low = [
        float(each - top) if np.isfinite(top) else 0.0
        for each, top in zip(values, high, strict=True)
    ]
    return np.array(high), np.array(low)


def errors(found: Any, high: Any, low: Any = 0.0) -> Any:
    """Distances in units in the last place of the true value's; infinite where a kind is wrong."""
    kind = found.dtype
    info = np.finfo(kind)
    with np.errstate(all="ignore"):
        finite = np.where(np.isfinite(high), high, 1)
        exponent = np.maximum(np.frexp(finite)[1] - 1, info.minexp)
        unit = np.ldexp(high.dtype.type(1), exponent - info.nmant)
        away = np.abs((found.astype(high.dtype) - high) - low) / unit
        too_large = np.abs(high) > np.ldexp(
            high.dtype.type(2 - 2.0**-info.nmant / 2), info.maxexp - 1
        )
        away[too_large & (found == np.copysign(np.inf, high))] = 0
        away[(found == high) | (np.isnan(found) & np.isnan(high))] = 0
        away[~np.isfinite(away)] = np.inf
        away[(high == 0) & (np.signbit(found) != np.signbit(high))] = np.inf
    return away
