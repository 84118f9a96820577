"""Bits of integers and booleans, and shifts."""

from __future__ import annotations

from typing import Any

from adjoint.compiler.expressions import Expression, shift_left, shift_right, where


def _within(x: Expression, y: Expression) -> tuple[Expression, int]:
    """Whether ``y`` is a number of places that ``x`` has, and the highest such number."""
    most = 8 * x.kind.itemsize - 1
    return (y >= 0) & (y <= most), most


def _left(x: Expression, y: Expression) -> Expression:
    inside, _ = _within(x, y)
    return where(inside, shift_left(x, where(inside, y, 0)), 0)


def _right(x: Expression, y: Expression) -> Expression:
    inside, most = _within(x, y)
    return shift_right(x, where(inside, y, most))


SCALARS: dict[str, Any] = {
    "bitwise_and": lambda x, y: x & y,
    "bitwise_or": lambda x, y: x | y,
    "bitwise_xor": lambda x, y: x ^ y,
    "bitwise_not": lambda x: ~x,
    "bitwise_left_shift": _left,
    "bitwise_right_shift": _right,
}
