"""Rules of elementwise rows: ``scalars`` says what they do, and here is what they compute in."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.compiler.codegen.conversions import is_half
from adjoint.compiler.expressions import where
from adjoint.compiler.lowering.base import RULES, Lowering, NotLoweredError, can_loop, lowers
from adjoint.compiler.lowering.scalars import SCALARS
from adjoint.compiler.lowering.scalars.rounding import (
    mantissa_and_exponent,
    next_after,
    without_nan,
)
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation, Literal

BFLOAT16_MAX = float.fromhex("0x1.fep127")


def common_kind(row: Any, inputs: tuple[Any, ...], out: np.dtype[Any]) -> np.dtype[Any]:
    """The type that an elementwise row computes in, as its own kernel would find it.

    Where that is the default type, ``out`` says what it was when the program was traced.
    """
    stand_ins = tuple(
        np.empty((0,) * len(each.shape), each.kind) if isinstance(each, (Look, Literal)) else each
        for each in inputs
    )
    common = dtypes.result_type(stand_ins)
    if row.promote == "float" and common.category < dtypes.FLOATING:
        return out
    return common.numpy


def elementwise(low: Lowering, equation: Equation, *inputs: Any) -> Look:
    """The rule of every row in ``SCALARS``."""
    row, out = equation.operation, equation.outputs[0]
    kind = out.kind if row.promote is None else common_kind(row, inputs, out.kind)
    if is_half(kind):
        raise NotLoweredError(f"nothing is computed in {kind}")  # but in float32: see ``halves``
    if not can_loop(kind):
        raise NotLoweredError(f"loops do not compute with {kind}")
    args = [low.load(each, out.shape, kind) for each in inputs]
    return low.map(out.shape, out.kind, SCALARS[row.name](*args, *equation.options))


for _name in SCALARS:
    RULES[_name] = elementwise


@lowers("clone")
def _clone(low: Lowering, equation: Equation, x: Any) -> Look:
    out = equation.outputs[0]
    return low.map(out.shape, out.kind, low.load(x, out.shape))


@lowers("to_dtype")
def _to_dtype(low: Lowering, equation: Equation, x: Any) -> Look:
    out = equation.outputs[0]
    return low.map(out.shape, out.kind, low.load(x, out.shape, out.kind))


@lowers("nan_to_num")
def _nan_to_num(low: Lowering, equation: Equation, x: Any) -> Look:
    out = equation.outputs[0]
    if out.kind.kind in "biu":
        return low.map(out.shape, out.kind, low.load(x, out.shape))
    most = float(BFLOAT16_MAX if out.kind.kind == "V" else np.finfo(out.kind).max)
    value = low.load(x, out.shape, np.float32 if is_half(out.kind) else out.kind)
    return low.map(out.shape, out.kind, without_nan(value, most, *equation.options))


@lowers("nextafter")
def _next_after(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    out = equation.outputs[0]
    places = (low.load(each, out.shape, out.kind) for each in (x, y))
    return low.map(out.shape, out.kind, next_after(*places))


@lowers("frexp")
def _frexp(low: Lowering, equation: Equation, x: Any) -> tuple[Look, Look]:
    mantissa, exponent = equation.outputs
    if is_half(mantissa.kind):
        raise NotLoweredError(f"nothing is computed in {mantissa.kind}")
    parts = mantissa_and_exponent(low.load(x, mantissa.shape, mantissa.kind))
    return (
        low.map(mantissa.shape, mantissa.kind, parts[0]),
        low.map(exponent.shape, exponent.kind, parts[1]),
    )


@lowers("where")
def _where(low: Lowering, equation: Equation, condition: Any, x: Any, y: Any) -> Look:
    out = equation.outputs[0]
    chosen = where(
        low.load(condition, out.shape),
        low.load(x, out.shape, out.kind),
        low.load(y, out.shape, out.kind),
        out.kind,
    )
    return low.map(out.shape, out.kind, chosen)
