"""Elements chosen by tensors of indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.compiler.expressions import Expression, checked, coordinate, element, where
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.nodes import Look, strides_of
from adjoint.compiler.program import Equation

OUT_OF_RANGE = "index out of range in {}: a size is {}"


def within(index: Expression, size: int, name: str) -> Expression:
    """An index that must be one of ``size`` places."""
    return checked(index, (index >= 0) & (index < size), OUT_OF_RANGE.format(name, size))


def picked(
    low: Lowering, x: Any, index: Expression, domain: Sequence[int], dim: int, name: str
) -> Expression:
    """The element of ``x`` at a place of ``domain`` whose ``dim`` is replaced by ``index``."""
    look = low.look(x)
    buffer = low.whole(look)
    steps = strides_of(buffer.shape)
    place = within(index, buffer.shape[dim], name) * steps[dim]
    for axis, step in enumerate(steps):
        if axis != dim % len(steps) and step:
            place = place + coordinate(domain, axis) * step
    return element(buffer, place)


@lowers("pick", "gather")
def _pick(low: Lowering, equation: Equation, x: Any, index: Any) -> Look:
    row, out = equation.operation, equation.outputs[0]
    dim = equation.options[0]
    domain = out.shape
    if not domain:
        raise NotLoweredError("there are no dimensions")
    places = low.load(index, domain)
    return low.map(domain, out.kind, picked(low, x, places, domain, dim % len(domain), row.name))


@lowers("put_back")
def _put_back(low: Lowering, equation: Equation, x: Any, index: Any) -> Look:
    out = equation.outputs[0]
    dim, _size, repeated = equation.options
    look = low.look(index)
    if repeated or not out.shape or look.shape[dim] != 1:
        raise NotLoweredError("several elements may go to one place")
    domain = out.shape
    here = coordinate(domain, dim)
    same = low.load(index, domain).equals(here)
    return low.map(domain, out.kind, where(same, low.load(x, domain), 0, out.kind))


@lowers("embedding", "index_select")
def _rows(low: Lowering, equation: Equation, *inputs: Any) -> Look:
    raise NotLoweredError("not yet")
