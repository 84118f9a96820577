"""Writes to what a view shows, and gradients of views: zeros with something in a region."""

from __future__ import annotations

from typing import Any

from numpy.lib.stride_tricks import as_strided

from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.lowering.movement import along, followed
from adjoint.compiler.lowering.places import (
    View,
    empty,
    owned,
    place_in,
    update,
)
from adjoint.compiler.lowering.sums import note_zeros, zeros_around
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation

# -- zeros with something in a region -------------------------------------------------------------


def in_region(low: Lowering, equation: Equation, name: str, g: Any, view: View) -> Look:
    """Zeros with ``g`` put, or added, where a view looks."""
    out = equation.outputs[0]
    buffer = empty(low, out.shape, out.kind)
    region = Look(buffer).seen(view) if buffer.size else Look(buffer)
    if 0 not in region.shape:
        value = low.load(g, region.shape)
        update(low, name, buffer, region.shape, place_in(region), value)
        note_zeros(low, buffer, region.shape, place_in(region), value)
    return Look(buffer)


@lowers("select_backward")
def _select_backward(low: Lowering, equation: Equation, g: Any) -> Look:
    shape, dim, index = equation.options
    return zeros_around(low, equation.outputs[0], g, dim % len(shape), index % shape[dim], None)


@lowers("slice_backward")
def _slice_backward(low: Lowering, equation: Equation, g: Any) -> Look:
    shape, dim, start, stop, step = equation.options
    if step != 1:
        part = slice(start, stop, step)
        return in_region(low, equation, "set", g, lambda place: place[along(dim, part)])
    start, stop, _ = slice(start, stop).indices(shape[dim])
    return zeros_around(low, equation.outputs[0], g, dim % len(shape), start, max(start, stop))


@lowers("diag_embed", "diagonal_backward")
def _diagonal(low: Lowering, equation: Equation, g: Any) -> Look:
    where = equation.options[-3:]
    return in_region(low, equation, "set", g, lambda place: place.diagonal(*where))


@lowers("unfold_backward")
def _unfold_backward(low: Lowering, equation: Equation, g: Any) -> Look:
    _shape, dim, size, step = equation.options
    return in_region(low, equation, "add", g, lambda place: windows(place, dim, size, step))


def windows(place: Any, dim: int, size: int, step: int) -> Any:
    """Windows along a dimension, which is counted from the end."""
    count = (place.shape[dim] - size) // step + 1
    shape, strides = list(place.shape), list(place.strides)
    shape[dim] = count
    strides[dim] *= step
    return as_strided(place, (*shape, size), (*strides, place.strides[dim]))


# -- writes through views -------------------------------------------------------------------------


@lowers("copy_slices", "select_scatter", "slice_scatter", "diagonal_scatter", "as_strided_scatter")
def _write(low: Lowering, equation: Equation, base: Any, source: Any) -> Look:
    (path,) = equation.options
    buffer = owned(low, base, low.load(source, source.shape))
    if not buffer.size:
        return Look(buffer)
    try:
        region = Look(buffer).seen(lambda place: followed(place, path))
    except ValueError as error:
        raise NotLoweredError(str(error)) from None
    value = low.load(source, region.shape, buffer.kind)
    update(low, "set", buffer, region.shape, place_in(region), value)
    return Look(buffer)
