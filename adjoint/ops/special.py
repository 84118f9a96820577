"""Special functions: error functions, the normal distribution, gamma functions; by SciPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.large import loop_if_large
from adjoint.array.special import scipy_special
from adjoint.ops.arithmetic import add, mul
from adjoint.ops.kinds.elementwise import NUMBERS, elementwise
from adjoint.ops.kinds.formulas import missing
from adjoint.ops.kinds.public import public, publish
from adjoint.ops.selection import zero_where
from adjoint.ops.transcendental import as_array, exp, log, log1p

SPECIAL = ("special",)
BOTH = ("", *SPECIAL)
ROOT_HALF = math.sqrt(0.5)
ROOT_PI = math.sqrt(math.pi)

# -- error functions and the normal distribution --------------------------------------------------

erf = elementwise(
    "erf", loop_if_large("erf", scipy_special("erf")), supports="f", namespaces=BOTH,
    x=lambda g, x: g * (exp(-(x * x)) * (2 / ROOT_PI)),
    doc="""The error function: the chance that a normal number of variance 1/2 is within ``x`` of 0.

    >>> import adjoint as torch
    >>> torch.erf(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """,
)  # fmt: skip
erfc = elementwise(
    "erfc", loop_if_large("erfc", scipy_special("erfc")), supports="f", namespaces=BOTH,
    x=lambda g, x: g * (exp(-(x * x)) * (-2 / ROOT_PI)),
    doc="""``1 - erf(x)``, exact where that is small too.

    >>> import adjoint as torch
    >>> torch.erfc(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """,
)  # fmt: skip
erfinv = elementwise(
    "erfinv", loop_if_large("erfinv", scipy_special("erfinv")), supports="f", namespaces=BOTH,
    x=lambda g, out: g * (exp(out * out) * (ROOT_PI / 2)),
    doc="""The number whose error function each element is; NaN beyond -1 and 1.

    >>> import adjoint as torch
    >>> torch.erfinv(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4769])
    """,
)  # fmt: skip
erfcx = elementwise(
    "erfcx", scipy_special("erfcx"), supports="f", namespaces=SPECIAL, method=False,
    in_place=False, node_name="SpecialErfcxBackward0",
    x=lambda g, x, out: g * (x * out * 2 - 2 / ROOT_PI),
    doc="""``exp(x ** 2) * erfc(x)``.

    >>> import adjoint as torch
    >>> torch.special.erfcx(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.4276])
    """,
)  # fmt: skip


@public(namespaces=SPECIAL, method=False, out="cast")
def ndtr(input: Any) -> Any:
    """The chance that a normal number of variance 1 is below each element.

    >>> import adjoint as torch
    >>> torch.special.ndtr(torch.tensor([0.0, 1.0]))
    tensor([0.5000, 0.8413])
    """
    return mul(add(erf(mul(input, ROOT_HALF)), 1.0), 0.5)


log_ndtr = elementwise(
    "log_ndtr", scipy_special("log_ndtr"), supports="f", namespaces=SPECIAL, method=False,
    in_place=False, node_name="SpecialLogNdtrBackward0",
    x=lambda g, x: g / erfcx(x * -ROOT_HALF) * math.sqrt(2 / math.pi),
    doc="""The logarithm of ``ndtr``, also where that is as good as 0.

    >>> import adjoint as torch
    >>> torch.special.log_ndtr(torch.tensor([0.0, -100.0]))
    tensor([-6.9315e-01, -5.0055e+03])
    """,
)  # fmt: skip
ndtri = elementwise(
    "ndtri", scipy_special("ndtri"), supports="f", namespaces=SPECIAL, method=False,
    in_place=False, node_name="SpecialNdtriBackward0",
    x=lambda g, out: g * (exp(out * out * 0.5) * math.sqrt(2 * math.pi)),
    doc="""The number below which a normal one is with the chance that each element gives.

    >>> import adjoint as torch
    >>> torch.special.ndtri(torch.tensor([0.5, 0.975]))
    tensor([0.0000, 1.9600])
    """,
)  # fmt: skip

# -- entropy --------------------------------------------------------------------------------------

entr = elementwise(
    "entr", scipy_special("entr"), supports="f", namespaces=SPECIAL, method=False,
    in_place=False, node_name="SpecialEntrBackward0",
    x=lambda g, x: g * (-log(x) - 1),
    doc="""``-x * log(x)``: 0 at 0, and minus infinity below.

    >>> import adjoint as torch
    >>> torch.special.entr(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.3466])
    """,
)  # fmt: skip


def _xlog1py(x: Any, y: Any) -> Any:
    return np.where(y != y, y, np.where(x == 0, x, x * np.log1p(y)))


XLOG1PY: dict[str, Any] = {
    "x": lambda g, x, y: g * zero_where((x == 0) & (y <= -1), log1p(as_array(y))),
    "y": lambda g, x, y: g * x / (y + 1),
}
xlog1py_row = elementwise(
    "xlog1py", _xlog1py, supports="f", namespaces=None, node_name="SpecialXlog1PyBackward0",
    **XLOG1PY,
)  # fmt: skip
number_xlog1py_row = elementwise(
    "number_xlog1py", _xlog1py, supports="f", numbers="x", namespaces=None,
    node_name="SpecialXlog1PyBackward1", **(XLOG1PY | {"x": None}),
)  # fmt: skip
xlog1py_number_row = elementwise(
    "xlog1py_number", _xlog1py, supports="f", numbers="y", namespaces=None,
    node_name="SpecialXlog1PyBackward2", **(XLOG1PY | {"y": None}),
)  # fmt: skip


@public(namespaces=SPECIAL, method=False, out="cast")
def xlog1py(input: Any, other: Any) -> Any:
    """``input * log1p(other)``, and 0 where ``input`` is, unless the logarithm is NaN.

    One of the two may be a number. Integers give the default floating type.

    >>> import adjoint as torch
    >>> torch.special.xlog1py(torch.tensor([0.0, 2.0]), torch.tensor([-1.0, 1.0]))
    tensor([0.0000, 1.3863])
    """
    if isinstance(other, NUMBERS):
        return xlog1py_number_row(input, other)
    return (number_xlog1py_row if isinstance(input, NUMBERS) else xlog1py_row)(input, other)


# -- gamma functions ------------------------------------------------------------------------------

_zeta = scipy_special("zeta")
_scipy_gammaln = scipy_special("gammaln")


def _gammaln(x: Any) -> Any:
    out = _scipy_gammaln(x)
    return np.where(out == -np.inf, -out, out)  # SciPy's value at minus infinity


def _hurwitz(x: Any, y: Any) -> Any:
    return np.where(x < 1, x.dtype.type(np.nan), _zeta(x, y))


def _polygamma(x: Any, n: int) -> Any:
    if n == 0:
        return _digamma(x)
    # In float64, as the factorial is soon beyond float32.
    sign = 1.0 if n % 2 else -1.0
    return (sign * math.gamma(n + 1) * _zeta(n + 1.0, x.astype(np.float64))).astype(x.dtype)


_psi = scipy_special("psi")


def _digamma(x: Any) -> Any:
    """At 0 infinite, with the sign of the side that the zero is on; NaN at the other poles."""
    out = _psi(x)
    pole = (x <= 0) & (x == np.floor(x))
    if np.any(pole):
        out = np.where(pole, np.where(x == 0, np.copysign(np.inf, -x), np.nan), out).astype(x.dtype)
    return out


def _mvlgamma(x: Any, p: int) -> Any:
    total = x.dtype.type(p * (p - 1) / 4 * math.log(math.pi))
    for place in range(p):
        total = total + _gammaln(x - place / 2)
    return total


def _mvlgamma_slope(g: Any, x: Any, p: int) -> Any:
    total = digamma(x)
    for place in range(1, p):
        total = total + digamma(x - place / 2)
    return g * total


lgamma = elementwise(
    "lgamma", _gammaln, supports="f",
    x=lambda g, x: g * digamma(x),
    doc="""The logarithm of the absolute value of the gamma function.

    >>> import adjoint as torch
    >>> torch.lgamma(torch.tensor([1.0, 5.0]))
    tensor([0.0000, 3.1781])
    """,
)  # fmt: skip
digamma: Callable[..., Any] = elementwise(
    "digamma", _digamma, supports="f", namespaces=BOTH,
    x=lambda g, x: g * polygamma_row(x, 1),
    doc="""The derivative of ``lgamma``.

    >>> import adjoint as torch
    >>> torch.digamma(torch.tensor([1.0, 5.0]))
    tensor([-0.5772,  1.5061])
    """,
)  # fmt: skip
polygamma_row: Callable[..., Any] = elementwise(
    "polygamma", _polygamma, supports="f", options="n", namespaces=None,
    x=lambda g, x, n: g * polygamma_row(x, n + 1),
)  # fmt: skip
mvlgamma_row = elementwise(
    "mvlgamma", _mvlgamma, supports="f", options="p", namespaces=None,
    x=lambda g, x, p: _mvlgamma_slope(g, x, p),
)  # fmt: skip


@public(namespaces=BOTH, method=False, out="cast")
def polygamma(n: int, input: Any) -> Any:
    """The ``n``-th derivative of ``digamma``; ``RuntimeError`` for a negative ``n``.

    >>> import adjoint as torch
    >>> torch.polygamma(1, torch.tensor([1.0, 5.0]))
    tensor([1.6449, 0.2213])
    """
    if not isinstance(n, int):
        raise TypeError(f"polygamma(): argument 'n' must be int, not {type(n).__name__}")
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, but n={n}")
    return polygamma_row(input, n)


@public(namespaces=(), in_place=True, name="polygamma")
def polygamma_method(input: Any, n: int) -> Any:
    """The ``n``-th derivative of ``digamma``; ``RuntimeError`` for a negative ``n``.

    >>> import adjoint as torch
    >>> torch.tensor([1.0, 5.0]).polygamma(1)
    tensor([1.6449, 0.2213])
    """
    return polygamma(n, input)


@public(in_place=True, out="cast")
def mvlgamma(input: Any, p: int) -> Any:
    """The logarithm of the multivariate gamma function of dimension ``p``.

    Raises ``RuntimeError`` for ``p`` below 1.

    >>> import adjoint as torch
    >>> torch.mvlgamma(torch.tensor([2.0, 5.0]), 2)
    tensor([0.4516, 6.2042])
    """
    if dtypes.of(input) is dtypes.bool_:
        raise RuntimeError("mvlgamma: the input tensor may not be a boolean tensor")
    if p < 1:
        raise RuntimeError(f"p has to be greater than or equal to 1, but p={p}")
    return mvlgamma_row(input, int(p))


def _incomplete_slope(g: Any, x: Any, y: Any) -> Any:
    return g * exp((x + -1) * log(y) - y - lgamma(x))


igamma = elementwise(
    "igamma", scipy_special("gammainc"), promote="same", supports="f",
    x=missing("igamma: input", NotImplementedError),
    y=lambda g, x, y: _incomplete_slope(g, x, y),
    doc="""The lower incomplete gamma function over the whole one; no derivative in ``input``.

    >>> import adjoint as torch
    >>> torch.igamma(torch.tensor([4.0]), torch.tensor([3.0]))
    tensor([0.3528])
    """,
)  # fmt: skip
igammac = elementwise(
    "igammac", scipy_special("gammaincc"), promote="same", supports="f",
    x=missing("igammac: input", NotImplementedError),
    y=lambda g, x, y: -_incomplete_slope(g, x, y),
    doc="""The upper incomplete gamma function over the whole one; no derivative in ``input``.

    >>> import adjoint as torch
    >>> torch.igammac(torch.tensor([4.0]), torch.tensor([3.0]))
    tensor([0.6472])
    """,
)  # fmt: skip


def _zeta_slope(g: Any, x: Any, y: Any) -> Any:
    return g * (zeta(x + 1, y) * -x)


ZETA: dict[str, Any] = {"x": missing("zeta", NotImplementedError), "y": _zeta_slope}
zeta_row = elementwise(
    "zeta", _hurwitz, supports="f", namespaces=None, node_name="SpecialZetaBackward0", **ZETA
)
number_zeta_row = elementwise(
    "number_zeta", _hurwitz, supports="f", numbers="x", namespaces=None,
    node_name="SpecialZetaBackward1", **(ZETA | {"x": None}),
)  # fmt: skip
zeta_number_row = elementwise(
    "zeta_number", _hurwitz, supports="f", numbers="y", namespaces=None,
    node_name="SpecialZetaBackward2", **(ZETA | {"y": None}),
)  # fmt: skip


@public(namespaces=SPECIAL, method=False, out="cast")
def zeta(input: Any, other: Any) -> Any:
    """Hurwitz's zeta function: the sum of ``(k + other) ** -input`` over k from 0.

    One of the two may be a number. No derivative in ``input``.

    >>> import adjoint as torch
    >>> torch.special.zeta(torch.tensor([2.0, 4.0]), 1)
    tensor([1.6449, 1.0823])
    """
    if isinstance(other, NUMBERS):
        return zeta_number_row(input, other)
    return (number_zeta_row if isinstance(input, NUMBERS) else zeta_row)(input, other)


for _name, _function in {
    "psi": digamma, "gammaln": lgamma, "gammainc": igamma, "gammaincc": igammac,
    "multigammaln": mvlgamma,
}.items():  # fmt: skip
    publish(_name, _function, SPECIAL, method=False, out="cast" if _function is mvlgamma else "")
