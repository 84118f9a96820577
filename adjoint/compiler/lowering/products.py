"""Matrix products."""

from __future__ import annotations

from typing import Any

from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation


def require_floats(equation: Equation) -> None:
    """BLAS multiplies float32 and float64."""
    if equation.outputs[0].kind.kind != "f":
        raise NotLoweredError("products are emitted for floating types only")


@lowers("mm", "bmm")
def _mm(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    require_floats(equation)
    return low.product(low.look(x), low.look(y), equation.outputs[0].kind)


@lowers("matmul")
def _matmul(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    require_floats(equation)
    x, y, out = low.look(x), low.look(y), equation.outputs[0]
    front = out.shape[:-2]
    x = x.stretched((*front, *x.shape[-2:]))
    y = y.stretched((*front, *y.shape[-2:]))
    return low.product(x, y, out.kind)


@lowers("vecmat")
def _vecmat(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    require_floats(equation)
    out = equation.outputs[0]
    found = low.product(low.look(x).seen(lambda place: place[None]), low.look(y), out.kind)
    return low.reshaped(found, out.shape)


@lowers("mv")
def _mv(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    require_floats(equation)
    out = equation.outputs[0]
    found = low.product(low.look(x), low.look(y).seen(lambda place: place[:, None]), out.kind)
    return low.reshaped(found, out.shape)


@lowers("dot")
def _dot(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    out = equation.outputs[0]
    look = low.look(x)
    body = low.load(look, look.shape) * low.load(y, look.shape)
    return low.reshaped(low.reduce("add", body, look.shape, (0,), out.kind), out.shape)


@lowers("linear")
def _linear(low: Lowering, equation: Equation, b: Any, x: Any, w: Any) -> Look:
    require_floats(equation)
    out = equation.outputs[0]
    look = low.look(x)
    rows = 1
    for size in look.shape[:-1]:
        rows *= size
    flat = low.reshaped(look, (rows, look.shape[-1]))
    found = low.product(flat, low.look(w).seen(lambda place: place.T), out.kind)
    if b is not None:
        shape = found.shape
        found = low.map(shape, out.kind, low.load(found, shape) + low.load(b, shape))
    return low.reshaped(found, out.shape)
