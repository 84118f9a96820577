"""Views, which dissolve, and what moves elements."""

from __future__ import annotations

from typing import Any

from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation


@lowers("reshape", "reshape_alias", "unsafe_view")
def _reshape(low: Lowering, equation: Equation, x: Any) -> Look:
    return low.reshaped(x, equation.outputs[0].shape)


@lowers(
    "alias", "detach", "diagonal", "expand", "permute", "real", "select", "slice", "squeeze",
    "squeeze_all", "squeeze_several", "t", "t_vector", "transpose", "transpose_scalar", "unfold",
    "unsqueeze",
)  # fmt: skip
def _view(low: Lowering, equation: Equation, x: Any) -> Look:
    row = equation.operation
    try:
        return low.look(x).seen(lambda place: row.compute(place, *equation.options))
    except ValueError as error:
        raise NotLoweredError(str(error)) from None


@lowers("split", "split_with_sizes", "unbind")
def _views(low: Lowering, equation: Equation, x: Any) -> tuple[Look, ...]:
    look = low.look(x)
    places = equation.operation.compute(look.place, *equation.options)
    return tuple(Look(look.buffer, place) for place in places)
