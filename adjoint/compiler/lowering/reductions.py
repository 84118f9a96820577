"""Sums, means, products, extremes, and truth of many elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.compiler.expressions import Expression, is_nan, where
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, can_loop, lowers
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation
from adjoint.shapes import product

COMBINED = {
    "sum": "add", "sum_dims": "add", "amax": "max", "amin": "min", "prod": "mul", "prod_dim": "mul",
}  # fmt: skip
Shape = tuple[int, ...]


# -- what all rules share -------------------------------------------------------------------------


def axes_of(equation: Equation, rank: int) -> Shape:
    """The axes that the options name: all where there is no such option, none for ()."""
    given = dict(zip(equation.operation.options, equation.options, strict=False))
    dims = given.get("dims", given.get("dim", ...))
    if dims is ...:
        return tuple(range(rank))
    if dims is None or not rank:
        return ()
    return tuple(each % rank for each in ((dims,) if isinstance(dims, int) else dims))


def count_along(shape: Sequence[int], axes: Sequence[int]) -> int:
    """How many elements each result combines."""
    return product([shape[axis] for axis in axes])


def kept_shape(shape: Sequence[int], axes: Sequence[int]) -> Shape:
    """The shape with the reduced axes at size 1."""
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))


def combined(
    low: Lowering,
    name: str,
    body: Expression,
    domain: Sequence[int],
    axes: Sequence[int],
    kind: Any,
) -> Look:
    """``body`` over ``domain`` combined along ``axes``, which stay with size 1."""
    if count_along(domain, axes) == 1:
        return low.map(domain, kind, body)
    return low.reduce(name, body, domain, axes, kind)


def require_elements(shape: Sequence[int], axes: Sequence[int]) -> None:
    """Refuse to choose from nothing: the row's own kernel knows the error."""
    if not count_along(shape, axes):
        raise NotLoweredError("there is nothing to choose from")


def mean_along(
    low: Lowering, body: Expression, domain: Sequence[int], axes: Sequence[int], kind: Any
) -> Look:
    """The mean of ``body`` along ``axes``, which stay with size 1; NaN of nothing."""
    total = combined(low, "add", body, domain, axes, kind)
    count = count_along(domain, axes)
    if count == 1:
        return total
    return low.map(total.shape, kind, low.load(total, total.shape) / count)


# -- sums, means, products, extremes --------------------------------------------------------------


@lowers(*COMBINED)
def _reduction(low: Lowering, equation: Equation, x: Any) -> Look:
    row, out = equation.operation, equation.outputs[0]
    look = low.look(x)
    axes = axes_of(equation, len(look.shape))
    name = COMBINED[row.name]
    if name in ("max", "min"):
        require_elements(look.shape, axes)
    body = low.load(look, look.shape, out.kind)
    return low.reshaped(combined(low, name, body, look.shape, axes, out.kind), out.shape)


@lowers("mean", "mean_dims")
def _mean(low: Lowering, equation: Equation, x: Any) -> Look:
    out = equation.outputs[0]
    look = low.look(x)
    axes = axes_of(equation, len(look.shape))
    body = low.load(look, look.shape, out.kind)
    return low.reshaped(mean_along(low, body, look.shape, axes, out.kind), out.shape)


@lowers("nansum")
def _nansum(low: Lowering, equation: Equation, x: Any) -> Look:
    out = equation.outputs[0]
    look = low.look(x)
    axes = axes_of(equation, len(look.shape))
    body = low.load(look, look.shape, out.kind)
    if out.kind.kind == "f":
        body = where(is_nan(body), 0, body, out.kind)
    return low.reshaped(combined(low, "add", body, look.shape, axes, out.kind), out.shape)


@lowers("max", "min")
def _extreme_of_all(low: Lowering, equation: Equation, x: Any) -> Look:
    row, out = equation.operation, equation.outputs[0]
    look = low.look(x)
    rank = len(look.shape)
    axes = (rank - 1,) if equation.options[0] else tuple(range(rank))
    require_elements(look.shape, axes)
    body = low.load(look, look.shape)
    return low.reshaped(combined(low, row.name, body, look.shape, axes, out.kind), out.shape)


@lowers("aminmax")
def _both_extremes(low: Lowering, equation: Equation, x: Any) -> tuple[Look, ...]:
    look = low.look(x)
    axes = axes_of(equation, len(look.shape))
    require_elements(look.shape, axes)
    body = low.load(look, look.shape)
    return tuple(
        low.reshaped(combined(low, name, body, look.shape, axes, out.kind), out.shape)
        for name, out in zip(("min", "max"), equation.outputs, strict=True)
    )


@lowers("shares")
def _shares(low: Lowering, equation: Equation, x: Any, reached: Any) -> Look:
    out = equation.outputs[0]
    look = low.look(x)
    shape, kind = look.shape, look.kind
    if kind.kind != "f" or out.kind != kind:
        raise NotLoweredError("shares of integers")
    axes = axes_of(equation, len(shape))
    a = low.load(look, shape)
    b = low.load(low.reshaped(reached, kept_shape(shape, axes)), shape)
    there = a.equals(b)
    if equation.options[2]:
        there = there | (is_nan(a) & is_nan(b))
    count = combined(low, "add", there.to(kind), shape, axes, kind)
    return low.map(shape, kind, there.to(kind) / low.load(count, shape))


# -- truth ----------------------------------------------------------------------------------------


@lowers("all", "any")
def _truth(low: Lowering, equation: Equation, x: Any) -> Look:
    row, out = equation.operation, equation.outputs[0]
    look = low.look(x)
    axes = axes_of(equation, len(look.shape))
    body = low.load(look, look.shape, np.bool_)
    name = "and" if row.name == "all" else "or"
    found = combined(low, name, body, look.shape, axes, np.bool_)
    if out.kind != np.bool_:
        found = low.map(found.shape, out.kind, low.load(found, found.shape))
    return low.reshaped(found, out.shape)


@lowers("count_nonzero")
def _count(low: Lowering, equation: Equation, x: Any) -> Look:
    out = equation.outputs[0]
    look = low.look(x)
    axes = axes_of(equation, len(look.shape))
    body = low.load(look, look.shape, np.bool_).to(out.kind)
    return low.reshaped(combined(low, "add", body, look.shape, axes, out.kind), out.shape)


def floating(equation: Equation) -> Any:
    """The type of a result of floating type, which loops compute in."""
    kind = equation.outputs[0].kind
    if kind.kind != "f" or not can_loop(kind):
        raise NotLoweredError(f"a result of {kind}")
    return kind
