"""Sums, products and quotients."""

from __future__ import annotations

from typing import Any

from adjoint.compiler.expressions import BOOL, Expression, absolute, where


def plus(x: Expression, y: Expression) -> Expression:
    """The sum, of booleans whether either holds."""
    return x | y if x.kind == BOOL else x + y


def _addcmul(x: Expression, first: Expression, second: Expression, value: Any) -> Expression:
    return plus(x, first * value * second)


def _lerp(x: Expression, end: Expression, weight: Any) -> Any:
    """From the nearer end, so that both ends are met exactly."""
    way = end - x
    if not isinstance(weight, Expression):
        return x + way * weight if abs(weight) < 0.5 else end - way * (1 - weight)
    return where(absolute(weight) < 0.5, x + weight * way, end - way * (1 - weight))


SCALARS: dict[str, Any] = {
    "add": plus,
    "add_scaled": lambda x, y, alpha: plus(x, y * alpha),
    "sub": lambda x, y: x - y,
    "sub_scaled": lambda x, y, alpha: x - y * alpha,
    "rsub": lambda x, y: y - x,
    "rsub_number": lambda x, y: y - x,
    "neg": lambda x: -x,
    "mul": lambda x, y: x & y if x.kind == BOOL else x * y,
    "div": lambda x, y: x / y,
    "lerp": _lerp,
    "lerp_number": _lerp,
    "addcmul": _addcmul,
    "addcdiv": lambda x, first, second, value: x + first * value / second,
    "abs": absolute,
    "conj": lambda x: x,
    "conj_physical": lambda x: x,
}
