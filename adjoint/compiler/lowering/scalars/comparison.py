"""Comparisons, questions about values, and logic on truth values."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.compiler.expressions import (
    BOOL,
    Expression,
    absolute,
    is_nan,
    number,
    sign_bit,
)


def truth(value: bool) -> Expression:
    """A truth value that is the same for all."""
    return number(value, BOOL)


def is_infinite(x: Expression) -> Expression:
    """Whether ``x`` is infinite, of either sign."""
    return absolute(x).equals(np.inf) if x.kind.kind == "f" else truth(False)


def is_finite(x: Expression) -> Expression:
    """Whether ``x`` is neither infinite nor NaN."""
    return absolute(x) < np.inf if x.kind.kind == "f" else truth(True)


def _is_close(
    x: Expression, y: Expression, rtol: float, atol: float, equal_nan: bool
) -> Expression:
    close = x.equals(y)
    floating = x.kind.kind == "f"
    if x.kind == BOOL:
        x, y = x.to(np.int8), y.to(np.int8)
    if equal_nan and floating:
        close = close | (is_nan(x) & is_nan(y))
    if rtol == 0 and atol == 0:
        return close
    wide = y if floating else y.to(dtypes.get_default_dtype().numpy)
    away = absolute(x - y)
    allowed = absolute(wide * rtol) + atol
    # NumPy compares an integer with a float in double precision.
    near = away <= allowed if floating else away.to(np.float64) <= allowed.to(np.float64)
    return close | (is_finite(away) & near)


SCALARS: dict[str, Any] = {
    "eq": lambda x, y: x.equals(y),
    "ne": lambda x, y: x.differs(y),
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "isnan": is_nan,
    "isinf": is_infinite,
    "isfinite": is_finite,
    "isposinf": lambda x: is_infinite(x) & (x > 0),
    "isneginf": lambda x: is_infinite(x) & (x < 0),
    "isreal": lambda x: truth(True),
    "signbit": lambda x: sign_bit(x) if x.kind.kind == "f" else x < 0,
    "isclose": _is_close,
    "logical_not": lambda x: ~x.to(BOOL),
    "logical_and": lambda x, y: x.to(BOOL) & y.to(BOOL),
    "logical_or": lambda x, y: x.to(BOOL) | y.to(BOOL),
    "logical_xor": lambda x, y: x.to(BOOL) ^ y.to(BOOL),
}
