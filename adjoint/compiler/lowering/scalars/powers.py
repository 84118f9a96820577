"""Powers and roots."""

from __future__ import annotations

from typing import Any

from adjoint.compiler.expressions import (
    Expression,
    maximum,
    number,
    power,
    quotient,
    sqrt,
    where,
)
from adjoint.compiler.lowering.base import NotLoweredError


def _pow_number(x: Expression, exponent: Any) -> Any:
    """Small powers by multiplication and roots, as the row has them; the rest by ``pow``."""
    if x.kind.kind == "b":
        raise NotLoweredError("NumPy takes roots of booleans as halves")
    small: dict[Any, Any] = {
        2: lambda: x * x,
        0: lambda: number(1, x.kind),
        1: lambda: x,
        3: lambda: x * (x * x),
    }
    if exponent in small:
        return small[exponent]()
    if x.kind.kind != "f":
        return _whole_power(x, int(exponent))
    roots: dict[Any, Any] = {
        4: lambda: (x * x) * (x * x),
        0.5: lambda: sqrt(x),
        -0.5: lambda: 1 / sqrt(x),
        -1: lambda: 1 / x,
        -2: lambda: 1 / (x * x),
    }
    return roots[exponent]() if exponent in roots else power(x, exponent)


def _whole_power(x: Expression, exponent: int) -> Expression:
    """A power of an integer, by squares; what runs over is cut off, as by NumPy."""
    if exponent < 0:
        raise NotLoweredError("integers to negative integer powers are not allowed")
    result, square = number(1, x.kind), x
    while exponent:
        if exponent & 1:
            result = result * square
        exponent >>= 1
        square = square * square
    return result


def _pow(x: Expression, y: Expression) -> Expression:
    if x.kind.kind == "f":
        return power(x, y)
    if x.kind.kind == "b":
        raise NotLoweredError("booleans have no powers")
    left = y if x.kind.kind == "u" else maximum(y, 0)
    result, square = number(1, x.kind), x
    for _ in range(8 * x.kind.itemsize - (x.kind.kind == "i")):  # a step for each bit
        half = quotient(left, 2)
        result = where((left - half * 2).differs(0), result * square, result)
        left, square = half, square * square
    if x.kind.kind == "u":
        return result
    sign = where((y - quotient(y, 2) * 2).differs(0), -1, 1, x.kind)
    negative = where(x.equals(1), 1, where(x.equals(-1), sign, 0, x.kind), x.kind)
    return where(y < 0, negative, result)


def _number_pow(x: Expression, base: Any) -> Expression:
    return _pow(number(base, x.kind), x)


SCALARS: dict[str, Any] = {
    "square": lambda x: x * x,
    "pow_number": _pow_number,
    "pow": _pow,
    "number_pow": _number_pow,
    "sqrt": sqrt,
    "rsqrt": lambda x: 1 / sqrt(x),
    "reciprocal": lambda x: 1 / x,
}
