"""Extremes with their places. A place is a second reduction: the first that has the extreme."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.expressions import coordinate, is_nan, where
from adjoint.compiler.lowering.base import Lowering, lowers
from adjoint.compiler.lowering.reductions import axes_of, combined, require_elements
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation

INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)


def chosen(low: Lowering, equation: Equation, x: Any, name: str) -> tuple[Look, Look]:
    """The extreme along a dim and the first place that has it; a NaN is beyond all numbers."""
    look = low.look(x)
    shape, axes = look.shape, axes_of(equation, len(look.shape))
    require_elements(shape, axes)
    body = low.load(look, shape)
    top = combined(low, name, body, shape, axes, look.kind)
    if not axes:
        return top, low.map(shape, INT64, 0)
    reached = body.equals(low.load(top, shape))
    if look.kind.kind == "f":
        reached = reached | is_nan(body)
    size = shape[axes[0]]
    kind = INT32 if size < 1 << 31 else INT64  # twice as many in a vector
    place = where(reached, coordinate(shape, axes[0]).to(kind), size)
    first = combined(low, "min", place, shape, axes, kind)
    return top, low.map(first.shape, INT64, low.load(first, first.shape))


@lowers("argmax", "argmin")
def _place(low: Lowering, equation: Equation, x: Any) -> Look:
    name = equation.operation.name.removeprefix("arg")
    return low.reshaped(chosen(low, equation, x, name)[1], equation.outputs[0].shape)


@lowers("max_dim", "min_dim")
def _with_place(low: Lowering, equation: Equation, x: Any) -> tuple[Look, ...]:
    found = chosen(low, equation, x, equation.operation.name.removesuffix("_dim"))
    return tuple(
        low.reshaped(each, out.shape) for each, out in zip(found, equation.outputs, strict=True)
    )
