"""Exponentials, logarithms, trigonometric and hyperbolic functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.compiler.expressions import (
    Expression,
    absolute,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    exp,
    exp2,
    expm1,
    function,
    log,
    log1p,
    log2,
    log10,
    maximum,
    minimum,
    sigmoid,
    sin,
    sinh,
    tan,
    tanh,
    where,
)

LN2 = math.log(2.0)


def log_of_sum(x: Expression, y: Expression) -> Expression:
    """``log(exp(x) + exp(y))``; of two infinities of one sign, that."""
    return where(x.equals(y), x + LN2, maximum(x, y) + log1p(exp(-absolute(x - y))))


def _log2_of_sum(x: Expression, y: Expression) -> Expression:
    above = log1p(exp2(-absolute(x - y))) * (1 / LN2)
    return where(x.equals(y), x + 1, maximum(x, y) + above)


def _logit(x: Expression, eps: float | None) -> Expression:
    if eps is not None:
        x = minimum(maximum(x, eps), 1 - eps)
    return log(x / (1 - x))


def _sinc(x: Expression) -> Expression:
    angle = x * math.pi
    return where(x.equals(0), 1, sin(angle) / angle, x.kind)


def _spherical_j0(x: Expression) -> Expression:
    found = where(x.equals(0), 1, sin(x) / x, x.kind)
    return where(absolute(x).equals(np.inf), 0, found, x.kind)


SCALARS: dict[str, Any] = {
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "log": log,
    "log2": log2,
    "log10": log10,
    "log1p": log1p,
    "logaddexp": log_of_sum,
    "logaddexp2": _log2_of_sum,
    "sigmoid": sigmoid,
    "logit": _logit,
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "asin": asin,
    "acos": acos,
    "atan": atan,
    "atan2": atan2,
    "sinh": sinh,
    "cosh": cosh,
    "tanh": tanh,
    "asinh": asinh,
    "acosh": acosh,
    "atanh": atanh,
    "hypot": function("hypot"),
    "sinc": _sinc,
    "spherical_bessel_j0": _spherical_j0,
}
