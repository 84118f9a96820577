"""Softmax, its logarithm, and logarithms of sums of exponentials."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from adjoint.compiler.expressions import Expression, absolute, exp, log, where
from adjoint.compiler.lowering.base import Lowering, lowers
from adjoint.compiler.lowering.reductions import axes_of, combined, floating
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation


class Powers(NamedTuple):
    """Exponentials of elements less the largest along an axis, and their sums."""

    top: Look
    raised: Look
    total: Look


def powers(low: Lowering, look: Look, axis: int, kind: Any) -> Powers:
    """Of the elements of ``look`` in type ``kind``, along one axis, which sums keep with size 1."""
    shape = look.shape
    top = combined(low, "max", low.load(look, shape, kind), shape, (axis,), kind)
    raised = low.map(shape, kind, exp(lowered(low, look, top, kind)))
    total = combined(low, "add", low.load(raised, shape), shape, (axis,), kind)
    return Powers(top, raised, total)


def lowered(low: Lowering, look: Look, top: Look, kind: Any) -> Expression:
    """Elements less the largest."""
    return low.load(look, look.shape, kind) - low.load(top, look.shape)


@lowers("log_softmax")
def _log_softmax(low: Lowering, equation: Equation, x: Any) -> Look:
    kind, dim = floating(equation), equation.options[0]
    look = low.look(x)
    shape = look.shape
    if dim is None:
        value = low.load(look, shape, kind)
        return low.map(shape, kind, value - value)
    top, _, total = powers(low, look, dim % len(shape), kind)
    scale = low.map(total.shape, kind, log(low.load(total, total.shape)))
    return low.map(shape, kind, lowered(low, look, top, kind) - low.load(scale, shape))


@lowers("softmax")
def _softmax(low: Lowering, equation: Equation, x: Any) -> Look:
    kind, dim = floating(equation), equation.options[0]
    look = low.look(x)
    shape = look.shape
    if dim is None:
        value = low.load(look, shape, kind)
        return low.map(shape, kind, value - value + 1)
    _, raised, total = powers(low, look, dim % len(shape), kind)
    share = low.map(total.shape, kind, 1 / low.load(total, total.shape))
    return low.map(shape, kind, low.load(raised, shape) * low.load(share, shape))


@lowers("safe_softmax")
def _safe_softmax(low: Lowering, equation: Equation, x: Any) -> Look:
    """As softmax, but zeros where all are minus infinity."""
    kind, look = floating(equation), low.look(x)
    shape, axes = look.shape, axes_of(equation, len(look.shape))
    top = combined(low, "max", low.load(look, shape, kind), shape, axes, kind)
    found = low.load(top, top.shape)
    top = low.map(top.shape, kind, where(found.equals(-math.inf), 0, found))
    raised = low.map(shape, kind, exp(lowered(low, look, top, kind)))
    total = combined(low, "add", low.load(raised, shape), shape, axes, kind)
    found = low.load(total, total.shape)
    share = low.map(total.shape, kind, 1 / where(found.equals(0), 1, found))
    return low.map(shape, kind, low.load(raised, shape) * low.load(share, shape))


@lowers("logsumexp")
def _logsumexp(low: Lowering, equation: Equation, x: Any) -> Look:
    kind, out = floating(equation), equation.outputs[0]
    look = low.look(x)
    shape = look.shape
    axes = axes_of(equation, len(shape))
    top = combined(low, "max", low.load(look, shape, kind), shape, axes, kind)
    # Infinities would meet as inf - inf: they come out of the sum themselves.
    found = low.load(top, top.shape)
    top = low.map(top.shape, kind, where(absolute(found).equals(math.inf), 0, found))
    total = combined(low, "add", exp(lowered(low, look, top, kind)), shape, axes, kind)
    body = log(low.load(total, total.shape)) + low.load(top, total.shape)
    return low.reshaped(low.map(total.shape, kind, body), out.shape)
