"""Special functions: those that the library has code for, and what is made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.compiler.expressions import Expression, erf, erfc, function, is_nan, log, log1p, where
from adjoint.compiler.lowering.base import NotLoweredError

IN_LIBRARY = (
    "erfinv", "erfcx", "log_ndtr", "ndtri", "lgamma", "digamma", "i0", "i0e", "i1", "i1e",
)  # fmt: skip
lgamma, digamma = function("lgamma"), function("digamma")


def times_log(x: Expression, y: Expression, log_of: Any) -> Expression:
    """``x`` times a logarithm of ``y``: 0 where ``x`` is, unless ``y`` is a NaN."""
    return where(is_nan(y), y, where(x.equals(0), x, x * log_of(y)))


def _entropy(x: Expression) -> Expression:
    below = where(is_nan(x), x, where(x.equals(0), 0, -np.inf, x.kind))
    return where(x > 0, -x * log(x), below)


def _xlogy(x: Expression, y: Expression) -> Expression:
    return times_log(x, y, log)


def _xlog1py(x: Expression, y: Expression) -> Expression:
    return times_log(x, y, log1p)


def _mvlgamma(x: Expression, p: int) -> Expression:
    total: Any = p * (p - 1) / 4 * math.log(math.pi)
    for place in range(p):
        total = lgamma(x - place / 2) + total
    return total  # type: ignore[no-any-return]


def _polygamma(x: Expression, n: int) -> Expression:
    if n:
        raise NotLoweredError("derivatives of digamma are SciPy's")
    return digamma(x)


SCALARS: dict[str, Any] = {
    **{name: function(name) for name in IN_LIBRARY},
    "erf": erf,
    "erfc": erfc,
    "mvlgamma": _mvlgamma,
    "polygamma": _polygamma,
    "entr": _entropy,
    "xlogy": _xlogy,
    "number_xlogy": _xlogy,
    "xlogy_number": _xlogy,
    "xlog1py": _xlog1py,
    "number_xlog1py": _xlog1py,
    "xlog1py_number": _xlog1py,
}
