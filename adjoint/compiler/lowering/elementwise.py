"""Elementwise rows as scalar expressions, a line each. The types are settled before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.compiler.expressions import (
    BOOL,
    Expression,
    absolute,
    ceil,
    copysign,
    cos,
    cosh,
    erf,
    exp,
    exp2,
    expm1,
    floor,
    is_nan,
    log,
    log1p,
    log2,
    log10,
    maximum,
    minimum,
    power,
    sigmoid,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    truncate,
    where,
)
from adjoint.compiler.lowering.base import RULES, Lowering, NotLoweredError, can_loop, lowers
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation, Literal

SCALARS: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x | y if x.kind == BOOL else x + y,
    "sub": lambda x, y: x - y,
    "rsub": lambda x, y: y - x,
    "rsub_number": lambda x, y: y - x,
    "mul": lambda x, y: x & y if x.kind == BOOL else x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "add_scaled": lambda x, y, alpha: x + y * alpha,
    "sub_scaled": lambda x, y, alpha: x - y * alpha,
    "addcmul": lambda x, y, z, value: x + y * z * value,
    "addcdiv": lambda x, y, z, value: x + y / z * value,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "sqrt": sqrt,
    "rsqrt": lambda x: 1 / sqrt(x),
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "log": log,
    "log2": log2,
    "log10": log10,
    "log1p": log1p,
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "sinh": sinh,
    "cosh": cosh,
    "tanh": tanh,
    "erf": erf,
    "abs": absolute,
    "floor": floor,
    "ceil": ceil,
    "trunc": truncate,
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "relu": lambda x: where(x <= 0, 0, x),
    "copysign": copysign,
    "maximum": maximum,
    "minimum": minimum,
    "clamp_min": maximum,
    "clamp_max": minimum,
    "pow": power,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "eq": lambda x, y: x.equals(y),
    "ne": lambda x, y: x.differs(y),
    "isnan": is_nan,
    "logical_not": lambda x: ~x.to(BOOL),
    "logical_and": lambda x, y: x.to(BOOL) & y.to(BOOL),
    "logical_or": lambda x, y: x.to(BOOL) | y.to(BOOL),
    "clone": lambda x, *_: x,
}


def _pow_number(x: Expression, exponent: Any) -> Expression:
    if exponent == 2:
        return x * x
    if exponent == 3:
        return x * x * x
    return power(x, exponent)


SCALARS["pow_number"] = _pow_number


def common_kind(row: Any, equation: Equation) -> Any:
    """The type that an elementwise row computes in, as its own kernel would find it."""
    stand_ins = tuple(
        each if each is None or isinstance(each, (int, float)) else np.empty(each.shape, each.kind)
        for each in equation.inputs
    )
    common = dtypes.result_type(stand_ins)
    if row.promote == "float" and common.category < dtypes.FLOATING:
        common = dtypes.get_default_dtype()
    return common.numpy


def elementwise(low: Lowering, equation: Equation, *inputs: Any) -> Look:
    """The rule of every row in ``SCALARS``."""
    row, out = equation.operation, equation.outputs[0]
    kind = common_kind(row, equation) if row.promote is not None else None
    if kind is not None and not can_loop(kind):
        raise NotLoweredError(f"loops do not compute with {kind}")
    own = next((each.kind for each in inputs if isinstance(each, (Look, Literal))), out.kind)
    args = [
        low.load(each, out.shape, kind)
        if kind is not None or isinstance(each, (Look, Literal))
        else low.load(each, out.shape, own)
        for each in inputs
    ]
    return low.map(out.shape, out.kind, SCALARS[row.name](*args, *equation.options))


for _name in SCALARS:
    RULES[_name] = elementwise


@lowers("to_dtype")
def _to_dtype(low: Lowering, equation: Equation, x: Any) -> Look:
    out = equation.outputs[0]
    return low.map(out.shape, out.kind, low.load(x, out.shape).to(out.kind))


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
