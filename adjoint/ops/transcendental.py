"""Exponentials and logarithms, the square root, and the sigmoid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.array.large import LEAST, loop_for_two, of_large
from adjoint.array.special import scipy_special
from adjoint.ops.kinds.elementwise import NUMBERS, elementwise
from adjoint.ops.kinds.public import public, publish
from adjoint.ops.selection import keep_where, where_row, zero_where

LN2, LN10 = math.log(2.0), math.log(10.0)

# -- exponentials and logarithms ------------------------------------------------------------------

exp = elementwise(
    "exp", np.exp,
    x=lambda g, out: g * out,
    doc="""e to the power of each element; integers give the default floating type.

    >>> import adjoint as torch
    >>> torch.exp(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """,
)  # fmt: skip


def _exp2(x: Any) -> Any:
    if x.dtype.kind != "c":
        return np.exp2(x) if x.dtype.kind == "f" else np.exp(x * LN2)
    x = np.array(x)
    x.real *= LN2  # apart: infinity times the 0 of a complex number would not be a number
    x.imag *= LN2
    return np.exp(x)


exp2 = elementwise(
    "exp2", _exp2,
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


def _log10(x: Any) -> Any:
    """In float32 by way of float64: NumPy's own is an ulp away from whole numbers at times."""
    return np.log10(x.astype(np.float64)).astype(x.dtype) if x.dtype == np.float32 else np.log10(x)


log10 = elementwise(
    "log10", _log10,
    x=lambda g, x: g / (x * LN10),
    doc="""The logarithm to base 10 of each element, NaN below zero.

    >>> import adjoint as torch
    >>> torch.log10(torch.tensor([1.0, 1000.0]))
    tensor([0., 3.])
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


real_logaddexp = loop_for_two("logaddexp", np.logaddexp)


def _logaddexp(x: Any, y: Any) -> Any:
    if x.dtype.kind != "c":
        return real_logaddexp(x, y)
    return log_add(x, y)


def log_add(x: Any, y: Any) -> Any:
    """``log(exp(x) + exp(y))`` of complex arrays; what is nothing, at minus infinity, adds none."""
    first = x.real >= y.real
    high, low = np.where(first, x, y), np.where(first, y, x)
    return np.where(low.real == -np.inf, high, high + np.log1p(np.exp(low - high)))


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


XLOGY: dict[str, Any] = {
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


@public(namespaces=("", "special"), in_place=True, out="cast")
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


sqrt = elementwise(
    "sqrt", np.sqrt,
    x=lambda g, out: g / (out + out),
    doc="""The square root of each element, NaN below zero; integers give the default floating type.

    >>> import adjoint as torch
    >>> torch.sqrt(torch.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """,
)  # fmt: skip

# -- sigmoid and its inverse ----------------------------------------------------------------------

_expit = scipy_special("expit")


def sigmoid_of(x: Any) -> Any:
    """1 / (1 + exp(-x)) of an array: SciPy's in one step, or NumPy's four, which are vectorised."""
    if x.dtype.kind != "f":
        return 1 / (1 + np.exp(-x))
    if x.size <= 256:
        return _expit(x)
    if x.size >= LEAST and (found := of_large("sigmoid", x)) is not None:
        return found
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
    return keep_where((x >= eps) & (x <= 1 - eps), slope)


logit_row = elementwise(
    "logit", _logit, options="eps", supports="f", namespaces=None,
    x=lambda g, x, eps: _logit_slope(g, x, eps),
)  # fmt: skip


@public(namespaces=("", "special"), in_place=True, out="cast")
def logit(input: Any, eps: float | None = None) -> Any:
    """``log(x / (1 - x))``, with ``x`` first brought to between ``eps`` and ``1 - eps`` if given.

    >>> import adjoint as torch
    >>> torch.logit(torch.tensor([0.5, 0.9]))
    tensor([0.0000, 2.1972])
    """
    return logit_row(input, eps)


for _name, _row in {
    "exp2": exp2, "expm1": expm1, "log1p": log1p, "expit": sigmoid,
}.items():  # fmt: skip
    publish(_name, _row, ("special",), method=False)
publish("sigmoid", sigmoid, ("nn.functional",), method=False)
