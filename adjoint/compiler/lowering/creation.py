"""Constants, and what is filled with one value."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.lowering.base import Lowering, lowers
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation, Literal


def constant(low: Lowering, equation: Equation, value: Any) -> Literal | Look:
    """A number everywhere, which what uses it has in its code."""
    out = equation.outputs[0]
    if 0 in out.shape:
        return low.map(out.shape, out.kind, 0)
    return Literal(np.broadcast_to(np.asarray(value, out.kind), out.shape))


@lowers("full_like")
def _full(low: Lowering, equation: Equation, x: Any) -> Literal | Look:
    value = equation.options[1]
    return constant(low, equation, 0 if value is None else value)


@lowers("zero")
def _zero(low: Lowering, equation: Equation, x: Any) -> Literal | Look:
    return constant(low, equation, 0)


@lowers("fill", "fill_tensor", "fill_in_place", "fill_tensor_in_place", "copy")
def _fill(low: Lowering, equation: Equation, x: Any, value: Any) -> Look:
    out = equation.outputs[0]
    return low.map(out.shape, out.kind, low.load(value, out.shape).to(out.kind))
