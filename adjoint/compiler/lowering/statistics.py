"""Variance and standard deviation, alone or with the mean."""

from __future__ import annotations

from typing import Any

from adjoint.compiler.expressions import sqrt
from adjoint.compiler.lowering.base import Lowering, lowers
from adjoint.compiler.lowering.reductions import (
    axes_of,
    combined,
    count_along,
    floating,
    mean_along,
)
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation


def variance(low: Lowering, equation: Equation, x: Any) -> tuple[Look, Look]:
    """Squares of what is apart from the mean, added up, over the degrees of freedom; the mean."""
    kind, look = floating(equation), low.look(x)
    shape, axes = look.shape, axes_of(equation, len(look.shape))
    value = low.load(look, shape, kind)
    mean = mean_along(low, value, shape, axes, kind)
    apart = value - low.load(mean, shape)
    squares = combined(low, "add", apart * apart, shape, axes, kind)
    freedom = max(count_along(shape, axes) - equation.options[1], 0)
    return low.map(squares.shape, kind, low.load(squares, squares.shape) / freedom), mean


def root(low: Lowering, look: Look) -> Look:
    """Square roots."""
    return low.map(look.shape, look.kind, sqrt(low.load(look, look.shape)))


@lowers("var", "std")
def _alone(low: Lowering, equation: Equation, x: Any) -> Look:
    found, _ = variance(low, equation, x)
    if equation.operation.name == "std":
        found = root(low, found)
    return low.reshaped(found, equation.outputs[0].shape)


@lowers("var_mean", "std_mean")
def _with_mean(low: Lowering, equation: Equation, x: Any) -> tuple[Look, ...]:
    found, mean = variance(low, equation, x)
    if equation.operation.name == "std_mean":
        found = root(low, found)
    shape = equation.outputs[0].shape
    return low.reshaped(found, shape), low.reshaped(mean, shape)
