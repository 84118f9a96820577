"""What is put together: joined tensors, padding, rolling, repeating, triangles and diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.expressions import coordinate, where
from adjoint.compiler.lowering.base import Lowering, lowers
from adjoint.compiler.lowering.movement import along
from adjoint.compiler.lowering.places import (
    at,
    boxed,
    empty,
    part,
    place_in,
    put_together,
    rearranged,
    runs_of,
    update,
)
from adjoint.compiler.nodes import Buffer, Look
from adjoint.compiler.program import Equation

# -- joined -------------------------------------------------------------------------------------


@lowers("cat")
def _cat(low: Lowering, equation: Equation, *tensors: Any) -> Look:
    out, dim = equation.outputs[0], equation.options[0]
    buffer, start = Buffer(out.shape, out.kind), 0
    for each in tensors:
        if len(each.shape) == len(out.shape):  # empty vectors may stand among others
            stop = start + each.shape[dim]
            part(low, buffer, at(along(dim, slice(start, stop))), each)
            start = stop
    return put_together(low, buffer)


@lowers("stack")
def _stack(low: Lowering, equation: Equation, *tensors: Any) -> Look:
    out, dim = equation.outputs[0], equation.options[0]
    buffer = Buffer(out.shape, out.kind)
    for place, each in enumerate(tensors):
        part(low, buffer, at(along(dim, place)), each)
    return put_together(low, buffer)


@lowers("block_diag")
def _block_diag(low: Lowering, equation: Equation, *matrices: Any) -> Look:
    out = equation.outputs[0]
    buffer, top, left = Buffer(out.shape, out.kind), 0, 0
    for each in matrices:
        bottom, right = top + each.shape[-2], left + each.shape[-1]
        rows, columns = slice(top, bottom), slice(left, right)
        part(low, buffer, at((..., rows, columns)), each)
        for beside in (slice(0, left), slice(right, out.shape[-1])):
            part(low, buffer, at((..., rows, beside)), 0)
        top, left = bottom, right
    return put_together(low, buffer)


# -- padded, rolled, repeated -------------------------------------------------------------------


@lowers("constant_pad_nd")
def _pad(low: Lowering, equation: Equation, x: Any) -> Look:
    out, (pads, value) = equation.outputs[0], equation.options
    look = low.look(x)
    inside, kept = [slice(0, size) for size in out.shape], [slice(None)] * len(out.shape)
    for number, (before, after) in enumerate(pads):
        dim = -number - 1
        size, first = look.shape[dim], max(before, 0)
        stop = size + min(after, 0)
        kept[dim] = slice(max(-before, 0), stop)
        inside[dim] = slice(first, first + max(stop - max(-before, 0), 0))
    buffer = Buffer(out.shape, out.kind)
    boxed(low, buffer, inside, look.seen(lambda place: place[tuple(kept)]), value)
    return put_together(low, buffer)


def _padded_places(size: int, before: int, after: int, mode: str) -> Any:
    """For each place of a padded dimension the one that it shows."""
    places = np.arange(-before, size + after)
    if mode == "reflect":
        places = np.abs(places)
        return np.where(places >= size, 2 * (size - 1) - places, places)
    return places.clip(0, size - 1) if mode == "replicate" else places % size


MODES = {"reflection": "reflect", "replication": "replicate", "circular": "circular"}


@lowers(*(f"{kind}_pad{count}d" for kind in MODES for count in (1, 2, 3)))
def _pad_own(low: Lowering, equation: Equation, x: Any) -> Look:
    (pads,) = equation.options
    mode = MODES[equation.operation.name.partition("_")[0]]
    rank = len(equation.outputs[0].shape)
    sources: list[Any] = [None] * rank
    for number, (before, after) in enumerate(pads):
        if before or after:
            sources[rank - 1 - number] = _padded_places(
                x.shape[rank - 1 - number], before, after, mode
            )
    return rearranged(low, x, sources)


@lowers("pad_backward")
def _pad_own_backward(low: Lowering, equation: Equation, g: Any) -> Look:
    shape, pads, mode = equation.options
    look = low.look(g)
    for number, (before, after) in reversed(tuple(enumerate(pads))):
        if before or after:
            axis = len(shape) - 1 - number
            places = _padded_places(shape[axis], before, after, mode)
            look = _folded(low, look, axis, shape[axis], places)
    return look


def _folded(low: Lowering, look: Look, axis: int, size: int, places: Any) -> Look:
    """What lies at each of ``places`` of an axis added up where it came from."""
    shape = tuple(size if each == axis else count for each, count in enumerate(look.shape))
    buffer = empty(low, shape, look.kind)
    into = Look(buffer)
    front = (slice(None),) * axis
    for here, there in runs_of(places):
        source = look.seen(at((*front, here)))
        goal = into.seen(at((*front, there)))
        if goal.shape != source.shape:  # many from one place
            goal = goal.stretched(source.shape)
        update(low, "add", buffer, source.shape, place_in(goal), low.load(source, source.shape))
    return into


@lowers("roll")
def _roll(low: Lowering, equation: Equation, x: Any) -> Look:
    shifts, dims, rank = equation.options
    look = low.look(x)
    shape = look.shape
    if not dims:  # the last ``rank`` dimensions as if they were one
        front = shape[: len(shape) - rank]
        look = low.reshaped(look, (*front, int(np.prod(shape[len(shape) - rank :]))))
        dims = (-1,)
    count = len(look.shape)
    total = [0] * count
    for shift, dim in zip(shifts, dims, strict=True):
        total[dim] += shift
    sources = [
        (np.arange(size) - shift) % size if size and shift % size else None
        for size, shift in zip(look.shape, total, strict=True)
    ]
    return low.reshaped(rearranged(low, look, sources), shape)


@lowers("repeat")
def _repeat(low: Lowering, equation: Equation, x: Any) -> Look:
    out, (repeats,) = equation.outputs[0], equation.options
    look = low.look(x)
    sizes = (1,) * (len(repeats) - len(look.shape)) + look.shape
    repeats = (1,) * (len(sizes) - len(repeats)) + tuple(repeats)
    apart = tuple(size for each in sizes for size in (1, each))
    pairs = tuple(size for pair in zip(repeats, sizes, strict=True) for size in pair)
    seen = low.reshaped(look, apart).stretched(pairs)
    return low.reshaped(seen, out.shape)


# -- triangles and diagonals --------------------------------------------------------------------


@lowers("tril", "triu")
def _triangle(low: Lowering, equation: Equation, x: Any) -> Look:
    out, (diagonal,) = equation.outputs[0], equation.options
    domain = out.shape
    ahead = coordinate(domain, -1) - coordinate(domain, -2)
    kept = ahead <= diagonal if equation.operation.name == "tril" else ahead >= diagonal
    return low.map(domain, out.kind, where(kept, low.load(x, domain, out.kind), 0, out.kind))


@lowers("trace")
def _trace(low: Lowering, equation: Equation, x: Any) -> Look:
    out = equation.outputs[0]
    look = low.look(x).seen(lambda place: place.diagonal(0, -2, -1))
    body = low.load(look, look.shape, out.kind)
    return low.reshaped(low.reduce("add", body, look.shape, (-1,), out.kind), out.shape)
