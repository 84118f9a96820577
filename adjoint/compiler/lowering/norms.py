"""Norms of vectors, the distance between two tensors, and cross products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.compiler.expressions import (
    Expression,
    absolute,
    coordinate,
    maximum,
    power,
    sqrt,
    where,
)
from adjoint.compiler.lowering.base import Lowering, lowers
from adjoint.compiler.lowering.reductions import axes_of, combined, floating, require_elements
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation


def norm(
    low: Lowering, x: Expression, order: float, domain: Sequence[int], axes: Sequence[int]
) -> Look:
    """The norm of ``x`` along ``axes``, which stay with size 1."""
    kind = x.kind
    if order == 2:
        total = combined(low, "add", x * x, domain, axes, kind)
        return low.map(total.shape, kind, sqrt(low.load(total, total.shape)))
    sizes = absolute(x)
    if math.isinf(order):
        require_elements(domain, axes)
        return combined(low, "max" if order > 0 else "min", sizes, domain, axes, kind)
    if order == 0:
        return combined(low, "add", x.differs(0).to(kind), domain, axes, kind)
    if order == 1:
        return combined(low, "add", sizes, domain, axes, kind)
    raised = sizes * sizes * sizes if order == 3 else power(sizes, order)
    total = combined(low, "add", raised, domain, axes, kind)
    return low.map(total.shape, kind, power(low.load(total, total.shape), 1 / order))


@lowers("vector_norm")
def _vector_norm(low: Lowering, equation: Equation, x: Any) -> Look:
    kind, look = floating(equation), low.look(x)
    shape, axes = look.shape, axes_of(equation, len(look.shape))
    found = norm(low, low.load(look, shape, kind), equation.options[0], shape, axes)
    return low.reshaped(found, equation.outputs[0].shape)


@lowers("dist")
def _dist(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    kind = floating(equation)
    domain = np.broadcast_shapes(*(np.shape(getattr(each, "place", each)) for each in (x, y)))
    apart = low.load(x, domain, kind) - low.load(y, domain, kind)
    found = norm(low, apart, equation.options[0], domain, tuple(range(len(domain))))
    return low.reshaped(found, ())


@lowers("euclidean_dist")
def _pairs(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    """Lengths of the differences of rows, by one product of matrices, as the row's own kernel."""
    kind, out = floating(equation), equation.outputs[0]
    looks = [low.look(each) for each in (x, y)]
    squares = []
    for look in looks:
        value = low.load(look, look.shape, kind)
        axes = (len(look.shape) - 1,)
        squares.append(combined(low, "add", value * value, look.shape, axes, kind))
    across = squares[1].seen(lambda place: place.swapaxes(-1, -2))
    front = out.shape[:-2]
    x, y = (look.stretched((*front, *look.shape[-2:])) for look in looks)
    product = low.product(x, y.seen(lambda place: place.swapaxes(-1, -2)), kind)
    shape = product.shape
    total = low.load(squares[0], shape) + low.load(across, shape)
    total = total - 2 * low.load(product, shape)
    return low.map(shape, kind, sqrt(maximum(total, 0)))


@lowers("cross")
def _cross(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    """Each of the three components from the two others of both."""
    out = equation.outputs[0]
    shape, axis = out.shape, equation.options[0] % len(out.shape)
    looks = [low.look(each) for each in (x, y)]

    def component(look: Look, number: int) -> Expression:
        at = (*(slice(None),) * axis, slice(number % 3, number % 3 + 1))
        return low.load(look.seen(lambda place: place[at]), shape, out.kind)

    found: Any = None
    for number in range(3):
        (a, b), (c, d) = (
            (component(look, number + 1), component(look, number + 2)) for look in looks
        )
        value = a * d - b * c
        here = coordinate(shape, axis).equals(number)
        found = value if found is None else where(here, value, found)
    return low.map(shape, out.kind, found)
