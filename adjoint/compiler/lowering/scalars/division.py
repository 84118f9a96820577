"""Quotients that are rounded, and remainders.

Processors trap where an integer is divided by 0, and where the least one is by -1: they divide by 1
there. The first is an error, and the second gives the least again.
"""

from __future__ import annotations

from typing import Any

from adjoint.compiler.expressions import (
    Expression,
    checked,
    function,
    quotient,
    remainder,
    truncate,
    where,
)

floor_of_quotient, modulo = function("floor_divide"), function("modulo")

ZERO = "ZeroDivisionError: an integer was divided by zero"


def _toward_zero(x: Expression, y: Expression) -> Expression:
    """The quotient of integers as C has it."""
    y = checked(y, y.differs(0), ZERO, RuntimeError)
    if y.kind.kind == "u":
        return quotient(x, where(y.equals(0), 1, y))
    turned = y.equals(-1)
    return where(turned, -x, quotient(x, where(turned | y.equals(0), 1, y)))


def _opposed(x: Expression, y: Expression) -> Expression:
    """Whether the signs differ."""
    return (x < 0) ^ (y < 0)


def _floor_divide(x: Expression, y: Expression) -> Expression:
    if x.kind.kind != "f":
        down = _toward_zero(x, y)
        over = (down * y).differs(x) & _opposed(x, y)
        return down - over.to(x.kind)
    return floor_of_quotient(x, y)


def _truncate_divide(x: Expression, y: Expression) -> Expression:
    return truncate(x / y) if x.kind.kind == "f" else _toward_zero(x, y)


def _fmod(x: Expression, y: Expression) -> Expression:
    return remainder(x, y) if x.kind.kind == "f" else x - _toward_zero(x, y) * y


def _remainder(x: Expression, y: Expression) -> Expression:
    if x.kind.kind == "f":
        return modulo(x, y)
    left = _fmod(x, y)
    return where(left.differs(0) & _opposed(left, y), left + y, left)


SCALARS: dict[str, Any] = {
    "div_floor": _floor_divide,
    "floor_divide": _floor_divide,
    "div_trunc": _truncate_divide,
    "remainder": _remainder,
    "remainder_number": _remainder,
    "number_remainder": _remainder,
    "fmod": _fmod,
    "fmod_number": _fmod,
}
