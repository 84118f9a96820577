"""Exponentials, logarithms, and the trigonometric and hyperbolic functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.special import scipy_special
from adjoint.ops.kinds.elementwise import NUMBERS, elementwise
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.public import public, publish
from adjoint.ops.selection import where_row, zero_where

LN2, LN10 = math.log(2.0), math.log(10.0)

# -- exponentials and logarithms --------------------------------------------------------------------

exp = elementwise(
    "exp", np.exp,
    x=lambda g, out: g * out,
    doc="""e to the power of each element; integers give the default floating type.

    >>> import adjoint as torch
    >>> torch.exp(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """,
)  # fmt: skip
exp2 = elementwise(
    "exp2", lambda x: np.exp2(x) if x.dtype.kind == "f" else np.exp(x * LN2),
    x=lambda g, out: g * (out * LN2),
    doc="""2 to the power of each element; integers give the default floating type.

    >>> import adjoint as torch
    >>> torch.exp2(torch.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """,
)  # fmt: skip
expm1 = elementwise(
    "expm1", np.expm1,
    x=lambda g, out: g * (out + 1),
    doc="""``exp(x) - 1``, exact for small elements too.

    >>> import adjoint as torch
    >>> torch.expm1(torch.tensor([0.0, 1e-6]))
    tensor([0.0000e+00, 1.0000e-06])
    """,
)  # fmt: skip
log = elementwise(
    "log", np.log,
    x=lambda g, x: g / x,
    doc="""The natural logarithm of each element, NaN below zero.

    >>> import adjoint as torch
    >>> torch.log(torch.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """,
)  # fmt: skip
log2 = elementwise(
    "log2", np.log2,
    x=lambda g, x: g / (x * LN2),
    doc="""The logarithm to base 2 of each element, NaN below zero.

    >>> import adjoint as torch
    >>> torch.log2(torch.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """,
)  # fmt: skip
log10 = elementwise(
    "log10", np.log10,
    x=lambda g, x: g / (x * LN10),
    doc="""The logarithm to base 10 of each element, NaN below zero.

    >>> import adjoint as torch
    >>> torch.log10(torch.tensor([1.0, 1000.0]))
    tensor([0.0000, 3.0000])
    """,
)  # fmt: skip
log1p = elementwise(
    "log1p", np.log1p, node_name="Log1PBackward0",
    x=lambda g, x: g / (x + 1),
    doc="""``log(1 + x)``, exact for small elements too.

    >>> import adjoint as torch
    >>> torch.log1p(torch.tensor([0.0, 1e-6]))
    tensor([0.0000e+00, 1.0000e-06])
    """,
)  # fmt: skip


def _logaddexp(x: Any, y: Any) -> Any:
    if x.dtype.kind != "c":
        return np.logaddexp(x, y)
    first = x.real >= y.real
    high, low = np.where(first, x, y), np.where(first, y, x)
    return high + np.log1p(np.exp(low - high))


logaddexp = elementwise(
    "logaddexp", _logaddexp, promote="same", supports="fc", in_place=False,
    x=lambda g, x, y: g / (exp(y - x) + 1),
    y=lambda g, x, y: g / (exp(x - y) + 1),
    doc="""``log(exp(x) + exp(y))``, without overflow on the way.

    >>> import adjoint as torch
    >>> torch.logaddexp(torch.tensor([0.0, 1000.0]), torch.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """,
)  # fmt: skip
logaddexp2 = elementwise(
    "logaddexp2", np.logaddexp2, promote="same", supports="f", in_place=False,
    x=lambda g, x, y: g / (exp2(y - x) + 1),
    y=lambda g, x, y: g / (exp2(x - y) + 1),
    doc="""``log2(2 ** x + 2 ** y)``, without overflow on the way.

    >>> import adjoint as torch
    >>> torch.logaddexp2(torch.tensor([0.0, 1000.0]), torch.tensor([0.0, 1000.0]))
    tensor([1.0000e+00, 1.0010e+03])
    """,
)  # fmt: skip


def as_array(value: Any) -> Any:
    """A number as an array; any other value as it is."""
    return np.array(value) if isinstance(value, NUMBERS) else value


def _xlogy(x: Any, y: Any) -> Any:
    return np.where(y != y, y, np.where(x == 0, x, x * np.log(y)))


XLOGY = {
    "x": lambda g, x, y: g * zero_where((x == 0) & (y <= 0), log(as_array(y))),
    "y": lambda g, x, y: g * x / y,
}
xlogy_row = elementwise("xlogy", _xlogy, supports="f", namespaces=None, **XLOGY)
number_xlogy_row = elementwise(
    "number_xlogy", _xlogy, supports="f", numbers="x", namespaces=None,
    node_name="XlogyBackward1", **(XLOGY | {"x": None}),
)  # fmt: skip
xlogy_number_row = elementwise(
    "xlogy_number", _xlogy, supports="f", numbers="y", namespaces=None,
    node_name="XlogyBackward2", **(XLOGY | {"y": None}),
)  # fmt: skip


@public(namespaces=("", "special"), in_place=True)
def xlogy(input: Any, other: Any) -> Any:
    """``input * log(other)``, and 0 where ``input`` is, whatever the logarithm unless it is NaN.

    One of the two may be a number. Integers give the default floating type.

    >>> import adjoint as torch
    >>> torch.xlogy(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    if isinstance(other, NUMBERS):
        return xlogy_number_row(input, other)
    return (number_xlogy_row if isinstance(input, NUMBERS) else xlogy_row)(input, other)


# -- sigmoid and its inverse ------------------------------------------------------------------------

_expit = scipy_special("expit")


def sigmoid_of(x: Any) -> Any:
    """1 / (1 + exp(-x)) of an array: SciPy's in one step, or NumPy's four, which are vectorised."""
    if x.dtype.kind != "f":
        return 1 / (1 + np.exp(-x))
    if x.size <= 256:
        return _expit(x)
    out = np.negative(x)
    np.exp(out, out)
    np.add(out, 1, out)
    return np.reciprocal(out, out)


sigmoid = elementwise(
    "sigmoid", sigmoid_of,
    x=lambda g, out: g * (out * (1 - out)),
    doc="""``1 / (1 + exp(-x))``; integers give the default floating type.

    >>> import adjoint as torch
    >>> torch.sigmoid(torch.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """,
)  # fmt: skip


def _logit(x: Any, eps: float | None) -> Any:
    if eps is not None:
        x = np.minimum(np.maximum(x, x.dtype.type(eps)), x.dtype.type(1 - eps))
    return np.log(x / (1 - x))


def _logit_slope(g: Any, x: Any, eps: float | None) -> Any:
    slope = g / (x * (1 - x))
    if eps is None:
        return where_row((x < 0) | (x > 1), zero_where(x == x, slope) + math.nan, slope)
    return where_row((x >= eps) & (x <= 1 - eps), slope, zero(g))


logit_row = elementwise(
    "logit", _logit, options="eps", supports="f", namespaces=None,
    x=lambda g, x, eps: _logit_slope(g, x, eps),
)  # fmt: skip


@public(namespaces=("", "special"), in_place=True)
def logit(input: Any, eps: float | None = None) -> Any:
    """``log(x / (1 - x))``, with ``x`` first brought to between ``eps`` and ``1 - eps`` if given.

    >>> import adjoint as torch
    >>> torch.logit(torch.tensor([0.5, 0.9]))
    tensor([0.0000, 2.1972])
    """
    return logit_row(input, eps)


# -- trigonometric ----------------------------------------------------------------------------------

sin = elementwise(
    "sin", np.sin,
    x=lambda g, x: g * cos(x),
    doc="""The sine of each element, in radians.

    >>> import adjoint as torch
    >>> torch.sin(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """,
)  # fmt: skip
cos = elementwise(
    "cos", np.cos,
    x=lambda g, x: g * -sin(x),
    doc="""The cosine of each element, in radians.

    >>> import adjoint as torch
    >>> torch.cos(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """,
)  # fmt: skip
tan = elementwise(
    "tan", np.tan,
    x=lambda g, out: g * (out * out + 1),
    doc="""The tangent of each element, in radians.

    >>> import adjoint as torch
    >>> torch.tan(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """,
)  # fmt: skip
asin = elementwise(
    "asin", np.arcsin, aliases=("arcsin",),
    x=lambda g, x: g / sqrt(1 - x * x),
    doc="""The angle, in radians, whose sine each element is; NaN beyond -1 and 1.

    >>> import adjoint as torch
    >>> torch.asin(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """,
)  # fmt: skip
acos = elementwise(
    "acos", np.arccos, aliases=("arccos",),
    x=lambda g, x: -g / sqrt(1 - x * x),
    doc="""The angle, in radians, whose cosine each element is; NaN beyond -1 and 1.

    >>> import adjoint as torch
    >>> torch.acos(torch.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """,
)  # fmt: skip
atan = elementwise(
    "atan", np.arctan, aliases=("arctan",),
    x=lambda g, x: g / (x * x + 1),
    doc="""The angle, in radians, whose tangent each element is.

    >>> import adjoint as torch
    >>> torch.atan(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """,
)  # fmt: skip


def _over_square(g: Any, x: Any, y: Any) -> Any:
    """``g / (x ** 2 + y ** 2)``, and 0 at the origin, where the angle jumps."""
    square = x * x + y * y
    origin = square == 0
    one = np.array(1, dtypes.of(square).numpy)
    return zero_where(origin, g / where_row(origin, one, square))


atan2 = elementwise(
    "atan2", np.arctan2, supports="f", aliases=("arctan2",),
    x=lambda g, x, y: _over_square(g, x, y) * y,
    y=lambda g, x, y: -(_over_square(g, x, y) * x),
    doc="""The angle, in radians, of the points (``other``, ``input``) seen from the origin.

    >>> import adjoint as torch
    >>> torch.atan2(torch.tensor([1.0, 0.0]), torch.tensor([1.0, -1.0]))
    tensor([0.7854, 3.1416])
    """,
)  # fmt: skip
hypot = elementwise(
    "hypot", np.hypot, promote="same", supports="f",
    x=lambda g, x, out: g * (x / out),
    y=lambda g, y, out: g * (y / out),
    doc="""``sqrt(x ** 2 + y ** 2)``, without overflow on the way.

    >>> import adjoint as torch
    >>> torch.hypot(torch.tensor([3.0, 5.0]), torch.tensor([4.0, 12.0]))
    tensor([ 5., 13.])
    """,
)  # fmt: skip


def _sinc(x: Any) -> Any:
    angle = x * math.pi
    return np.where(x == 0, x.dtype.type(1), np.sin(angle) / angle)


def _sinc_slope(g: Any, x: Any) -> Any:
    angle = x * math.pi
    return g * zero_where(x == 0, (angle * cos(angle) - sin(angle)) / (angle * x))


sinc = elementwise(
    "sinc", _sinc,
    x=lambda g, x: _sinc_slope(g, x),
    doc="""``sin(pi * x) / (pi * x)``, and 1 at 0.

    >>> import adjoint as torch
    >>> torch.sinc(torch.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """,
)  # fmt: skip

# -- hyperbolic -------------------------------------------------------------------------------------

sinh = elementwise(
    "sinh", np.sinh,
    x=lambda g, x: g * cosh(x),
    doc="""The hyperbolic sine of each element.

    >>> import adjoint as torch
    >>> torch.sinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """,
)  # fmt: skip
cosh = elementwise(
    "cosh", np.cosh,
    x=lambda g, x: g * sinh(x),
    doc="""The hyperbolic cosine of each element.

    >>> import adjoint as torch
    >>> torch.cosh(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """,
)  # fmt: skip
tanh = elementwise(
    "tanh", np.tanh,
    x=lambda g, out: g * (1 - out * out),
    doc="""The hyperbolic tangent of each element.

    >>> import adjoint as torch
    >>> torch.tanh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """,
)  # fmt: skip
asinh = elementwise(
    "asinh", np.arcsinh, aliases=("arcsinh",),
    x=lambda g, x: g / sqrt(x * x + 1),
    doc="""The number whose hyperbolic sine each element is.

    >>> import adjoint as torch
    >>> torch.asinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """,
)  # fmt: skip


def _acosh_root(x: Any) -> Any:
    """``sqrt(x ** 2 - 1)``, on the branch that complex numbers need."""
    if dtypes.of(x).category == dtypes.COMPLEX:
        return sqrt(x - 1) * sqrt(x + 1)
    return sqrt(x * x - 1)


acosh = elementwise(
    "acosh", np.arccosh, aliases=("arccosh",),
    x=lambda g, x: g / _acosh_root(x),
    doc="""The number whose hyperbolic cosine each element is; NaN below 1.

    >>> import adjoint as torch
    >>> torch.acosh(torch.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """,
)  # fmt: skip
atanh = elementwise(
    "atanh", np.arctanh, aliases=("arctanh",),
    x=lambda g, x: g / (1 - x * x),
    doc="""The number whose hyperbolic tangent each element is; NaN beyond -1 and 1.

    >>> import adjoint as torch
    >>> torch.atanh(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """,
)  # fmt: skip
sqrt = elementwise(
    "sqrt", np.sqrt,
    x=lambda g, out: g / (out + out),
    doc="""The square root of each element, NaN below zero; integers give the default floating type.

    >>> import adjoint as torch
    >>> torch.sqrt(torch.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """,
)  # fmt: skip

for _name, _row in {
    "exp2": exp2, "expm1": expm1, "log1p": log1p, "sinc": sinc, "expit": sigmoid,
}.items():  # fmt: skip
    publish(_name, _row, ("special",), method=False)
publish("sigmoid", sigmoid, ("nn.functional",), method=False)
publish("tanh", tanh, ("nn.functional",), method=False)
