"""Normalisation by statistics that are given; by its own a row is decomposed, with its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.expressions import sqrt
from adjoint.compiler.lowering.base import Lowering, lowers
from adjoint.compiler.lowering.reductions import floating
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation


@lowers("batch_norm_given")
def _given(
    low: Lowering, equation: Equation, x: Any, mean: Any, variance: Any, weight: Any, bias: Any
) -> Look:
    """A factor and a shift for each channel, and what they make of each element."""
    kind, shape = floating(equation), equation.outputs[0].shape
    trailing, eps = equation.options
    given = [low.look(each) for each in (mean, variance, weight, bias) if each is not None]
    channels = np.broadcast_shapes(*(each.shape for each in given))
    factor = 1 / sqrt(low.load(variance, channels, kind) + eps)
    if weight is not None:
        factor = factor * low.load(weight, channels, kind)
    factors = low.map(channels, kind, factor)
    shift = low.load(mean, channels, kind) * low.load(factors, channels)
    shift = -shift if bias is None else low.load(bias, channels, kind) - shift
    shifts = low.map(channels, kind, shift)

    def aligned(look: Look) -> Any:
        wanted = (*channels, *(1,) * trailing)
        return low.load(look.seen(lambda place: place.reshape(wanted)), shape)

    return low.map(shape, kind, low.load(x, shape, kind) * aligned(factors) + aligned(shifts))
