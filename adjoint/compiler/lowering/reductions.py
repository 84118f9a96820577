"""Reductions, and the fused rows that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.compiler.expressions import exp, log
from adjoint.compiler.lowering.base import Lowering, lowers
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation

COMBINED = {
    "sum": "add", "sum_dims": "add", "mean": "add", "mean_dims": "add", "amax": "max",
    "amin": "min", "prod": "mul", "prod_dim": "mul", "all": "and", "any": "or",
}  # fmt: skip


def axes_of(dims: Any, rank: int) -> tuple[int, ...]:
    """The axes that ``dims`` name, all of them for None and ()."""
    if dims is None or dims == ():
        return tuple(range(rank))
    return (
        tuple(each % rank for each in ((dims,) if isinstance(dims, int) else dims)) if rank else ()
    )


def count_along(shape: Sequence[int], axes: Sequence[int]) -> int:
    """How many elements each result combines."""
    count = 1
    for axis in axes:
        count *= shape[axis]
    return count


@lowers(*COMBINED)
def _reduction(low: Lowering, equation: Equation, x: Any) -> Look:
    row, out = equation.operation, equation.outputs[0]
    look = low.look(x)
    dims = equation.options[0] if equation.options else None
    axes = axes_of(dims, len(look.shape))
    body = low.load(look, look.shape, out.kind)
    if row.name.startswith("mean"):
        body = body * (1 / max(count_along(look.shape, axes), 1))
    return low.reshaped(low.reduce(COMBINED[row.name], body, look.shape, axes, out.kind), out.shape)


@lowers("log_softmax")
def _log_softmax(low: Lowering, equation: Equation, x: Any) -> Look:
    out, dim = equation.outputs[0], equation.options[0]
    return shifted_logarithms(low, low.look(x), dim, out.kind)


def shifted_logarithms(low: Lowering, look: Look, dim: int, kind: Any) -> Look:
    """Logarithms of the softmax of ``look`` along ``dim``."""
    shape = look.shape
    top = low.reduce("max", low.load(look, shape, kind), shape, (dim,), kind)
    shifted = low.map(shape, kind, low.load(look, shape, kind) - low.load(top, shape))
    total = low.reduce("add", exp(low.load(shifted, shape)), shape, (dim,), kind)
    scale = low.map(total.shape, kind, log(low.load(total, total.shape)))
    return low.map(shape, kind, low.load(shifted, shape) - low.load(scale, shape))


@lowers("softmax")
def _softmax(low: Lowering, equation: Equation, x: Any) -> Look:
    out, dim = equation.outputs[0], equation.options[0]
    look = low.look(x)
    shape, kind = look.shape, out.kind
    top = low.reduce("max", low.load(look, shape, kind), shape, (dim,), kind)
    raised = low.map(shape, kind, exp(low.load(look, shape, kind) - low.load(top, shape)))
    total = low.reduce("add", low.load(raised, shape), shape, (dim,), kind)
    share = low.map(total.shape, kind, 1 / low.load(total, total.shape))
    return low.map(shape, kind, low.load(raised, shape) * low.load(share, shape))
