"""Pooling: maxima and means over windows, and what goes back through them.

Windows are looked at place by place: the first elements of all windows are a view of the padded
planes, the second ones another. Adaptive windows that differ in size are tables of indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from adjoint.compiler.expressions import (
    Expression,
    coordinate,
    element,
    is_nan,
    number,
    truncate,
    where,
)
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.lowering.convolution import padded, stuffed
from adjoint.compiler.lowering.products import size_of
from adjoint.compiler.nodes import Buffer, Look, Shape, strides_of
from adjoint.compiler.program import Equation, Literal
from adjoint.compiler.windows import MaxBack, MaxPool, Placement
from adjoint.compiler.windows import Windows as Moves
from adjoint.ops.windows import Adaptive, Windows, divisors

LINE = 128  # windows of a line up to which vectors of them are written out
MANY = 64  # places in a window up to which each is written out


def even(windows: Any) -> Windows | None:
    """Windows at even distances, also those adaptive ones that are; None for others."""
    if isinstance(windows, Windows):
        return windows
    pairs = list(zip(windows.plane, windows.sizes, strict=True))
    if any(count == 0 or size % count for size, count in pairs):
        return None
    kernel = tuple(size // count for size, count in pairs)
    ones = (1,) * len(kernel)
    return Windows(kernel, kernel, (0,) * len(kernel), ones, tuple(windows.sizes))


def planes_of(low: Lowering, x: Any, rank: int) -> Look:
    """(planes, 1, *plane)."""
    look = low.look(x)
    lead = look.shape[: len(look.shape) - rank]
    return low.reshaped(look, (size_of(lead), 1, *look.shape[len(lead) :]))


def surrounded(low: Lowering, x: Look, windows: Windows, around: Any) -> Look:
    """Planes padded as far as the windows reach."""
    plane = x.shape[2:]
    places, sizes = [], []
    for size, (before, after) in zip(plane, windows.around(plane), strict=True):
        places.append(Placement(before, 1, 0, size))
        sizes.append(size + before + after)
    return padded(low, x, tuple(places), tuple(sizes), around)


def seen_at(x: Look, windows: Windows, place: Sequence[int]) -> Look:
    """The element at one place of every window."""
    parts = tuple(
        slice(at * gap, at * gap + step * (count - 1) + 1, step)
        for at, gap, step, count in zip(
            place, windows.dilation, windows.stride, windows.sizes, strict=True
        )
    )
    return x.seen(lambda all_of_it: all_of_it[(slice(None), slice(None), *parts)])


def places_in(windows: Windows) -> list[tuple[int, ...]]:
    """All places in a window, in order."""
    return list(product(*map(range, windows.kernel)))


def is_empty(x: Look, windows: Any) -> bool:
    """Whether there is nothing to pool."""
    return 0 in x.shape or 0 in windows.sizes


# -- maxima -----------------------------------------------------------------------------------


@lowers(
    "max_pool2d_with_indices", "max_pool3d_with_indices", "adaptive_max_pool2d",
    "adaptive_max_pool3d",
)  # fmt: skip
def _maxima(low: Lowering, equation: Equation, x: Any) -> tuple[Look, Look]:
    values, indices = equation.outputs
    windows = even(equation.options[0])
    rank = len(equation.options[0].sizes)
    planes = planes_of(low, x, rank)
    if is_empty(planes, equation.options[0]):
        return (
            low.map(values.shape, values.kind, number(0, values.kind)),
            low.map(indices.shape, indices.kind, number(0, indices.kind)),
        )
    if windows is not None and fits_vectors(windows, planes):
        made = in_vectors(low, planes, windows, values.kind, indices.kind)
        return low.reshaped(made[0], values.shape), low.reshaped(made[1], indices.shape)
    if windows is None:
        found = _uneven_candidates(low, planes, equation.options[0])
    else:
        found = _candidates(low, planes, windows)
    domain = (planes.shape[0], 1, *equation.options[0].sizes)
    best, chosen = found[0]
    for value, place in found[1:]:
        better = value > best
        if value.kind.kind == "f":
            better = better | is_nan(value)
        best, chosen = where(better, value, best), where(better, place, chosen)
    made = low.map(domain, values.kind, best), low.map(domain, indices.kind, chosen.to(np.int64))
    return low.reshaped(made[0], values.shape), low.reshaped(made[1], indices.shape)


def fits_vectors(windows: Windows, planes: Look) -> bool:
    """Whether there is code with vectors of windows."""
    return (
        planes.kind.kind == "f"
        and len(windows.kernel) == 2
        and windows.stride[1] in (1, 2)
        and not any(windows.padding)
        and windows.dilation == (1, 1)
        and size_of(windows.kernel) <= 16
        and windows.sizes[1] <= LINE
        and size_of(planes.shape[2:]) < 1 << 31
    )


def in_vectors(
    low: Lowering, planes: Look, windows: Windows, kind: Any, index_kind: Any
) -> tuple[Look, Look]:
    """Maxima by a node of their own."""
    wide = surrounded(low, planes, windows, -np.inf)
    if wide.strides[-1] != 1 and wide.shape[-1] > 1:
        wide = Look(low.whole(wide))
    shape = (planes.shape[0], 1, *windows.sizes)
    buffers = Buffer(shape, kind), Buffer(shape, index_kind)
    moves = Moves(windows.kernel, windows.stride, windows.dilation, windows.sizes)
    low.add(MaxPool(buffers, wide, moves, planes.shape[-1]))
    return Look(buffers[0]), Look(buffers[1])


def put_back(low: Lowering, g: Any, indices: Any, shape: Shape) -> Look | None:
    """Rows of zeros with ``g`` at the indices of maxima; None where there is no code for it.

    Windows must be two elements wide and cover the planes, none in another.
    """
    node = indices.buffer.node if isinstance(indices, Look) else None
    if not isinstance(g, (Look, Literal)):
        return None
    if not isinstance(node, MaxPool) or indices.buffer is not node.buffers[1] or not indices.full:
        return None
    windows = node.windows
    high, wide = (a * b for a, b in zip(windows.kernel, windows.sizes, strict=True))
    fits = windows.kernel == windows.stride and windows.kernel[1] == 2 and wide == node.width
    planes = node.buffers[1].shape[0]
    lines = size_of(shape[:-1]), shape[-1]
    if not fits or lines != (planes, high * wide) or g.kind != node.buffers[0].kind:
        return None
    look = low.look(g)
    g = look if look.full else Look(low.whole(look))
    buffer = Buffer((planes, 1, high, wide), g.kind)
    low.add(MaxBack(buffer, g, indices, windows))
    return low.reshaped(Look(buffer), shape)


def _candidates(
    low: Lowering, planes: Look, windows: Windows
) -> list[tuple[Expression, Expression]]:
    """For each place in the windows: the element there, and where in the plane that is."""
    if len(places_in(windows)) > MANY:
        raise NotLoweredError("windows of many elements")
    kind = planes.kind
    lowest = -np.inf if kind.kind == "f" else np.iinfo(kind).min
    wide = surrounded(low, planes, windows, lowest)
    domain = (planes.shape[0], 1, *windows.sizes)
    plane = planes.shape[2:]
    small = np.int32 if size_of(plane) < 1 << 31 else np.int64
    steps = strides_of(plane)
    found = []
    for place in places_in(windows):
        at: Any = number(0, small)
        for axis, step in enumerate(steps):
            back = axis - len(plane)
            if windows.padding[axis]:  # which must not be chosen, even where all is the lowest
                table = windows.coordinates(back, np.array(place[axis]))
                here = along(low, table, back, domain, small)
            else:
                here = coordinate(domain, axis + 2).to(small) * windows.stride[axis]
                here = here + place[axis] * windows.dilation[axis]
            at = at + here * step
        found.append((low.load(seen_at(wide, windows, place), domain), at))
    return found


def along(low: Lowering, table: Any, axis: int, domain: Shape, kind: Any) -> Expression:
    """A number for each place of an axis, counted from the end."""
    column = np.asarray(table, kind).reshape(-1, *(1,) * (-axis - 1))
    return low.load(Literal(column), domain)


def _uneven_candidates(
    low: Lowering, planes: Look, windows: Adaptive
) -> list[tuple[Expression, Expression]]:
    """As ``_candidates``: narrower windows see their last element again."""
    plane, domain = planes.shape[2:], (planes.shape[0], 1, *windows.sizes)
    rank = len(plane)
    ranges = [windows.ranges(axis) for axis in range(rank)]
    widths = [max(stop - start for start, stop in each) for each in ranges]
    if size_of(widths) > MANY:
        raise NotLoweredError("windows of many elements")
    buffer = low.whole(planes)
    first = coordinate(domain, 0) * size_of(plane)
    found = []
    for place in product(*map(range, widths)):
        at: Any = number(0, np.int64)
        for axis, step in enumerate(strides_of(plane)):
            table = [min(start + place[axis], stop - 1) for start, stop in ranges[axis]]
            at = at + along(low, table, axis - rank, domain, np.int64) * step
        found.append((element(buffer, first + at), at))
    return found


# -- means ------------------------------------------------------------------------------------


@lowers("avg_pool2d", "avg_pool3d")
def _means(low: Lowering, equation: Equation, x: Any) -> Look:
    out = equation.outputs[0]
    windows, count_include_pad, divisor = equation.options
    planes = planes_of(low, x, len(windows.sizes))
    by = divisors(windows, planes.shape[2:], count_include_pad, divisor)
    return low.reshaped(mean(low, planes, windows, by, out.kind), out.shape)


def mean(low: Lowering, planes: Look, windows: Windows, by: Any, kind: Any) -> Look:
    """Sums over windows, divided."""
    domain = (planes.shape[0], 1, *windows.sizes)
    if is_empty(planes, windows):
        return low.map(domain, kind, number(0, kind))
    total = summed(low, surrounded(low, planes, windows, 0), windows)
    return low.map(domain, kind, divided(low, total, by, domain, kind))


def divided(low: Lowering, total: Expression, by: Any, domain: Shape, kind: Any) -> Expression:
    """A sum divided by numbers that broadcast; of integers cut off."""
    if kind.kind in "iu":
        return truncate(total.to(np.float64) / low.load(Literal(by, np.float64), domain)).to(kind)
    return total / low.load(Literal(by, kind), domain)


def summed(low: Lowering, wide: Look, windows: Windows) -> Expression:
    """The sum over each window of padded planes."""
    domain = (wide.shape[0], 1, *windows.sizes)
    places = places_in(windows)
    if len(places) <= MANY:
        total = low.load(seen_at(wide, windows, places[0]), domain)
        for place in places[1:]:
            total = total + low.load(seen_at(wide, windows, place), domain)
        return total
    pairs = zip(windows.kernel, windows.dilation, strict=True)
    spans = [gap * (width - 1) + 1 for width, gap in pairs]
    rank = len(spans)
    axes = tuple(range(2, 2 + rank))

    def view(place: Any) -> Any:
        every = sliding_window_view(place, spans, axes)
        steps = [
            slice(0, step * (count - 1) + 1, step)
            for step, count in zip(windows.stride, windows.sizes, strict=True)
        ]
        gaps = [slice(None, None, gap) for gap in windows.dilation]
        return every[(slice(None), slice(None), *steps, *gaps)]

    look = wide.seen(view)
    body = low.load(look, look.shape)
    found = low.reduce("add", body, look.shape, range(2 + rank, 2 + 2 * rank), wide.kind)
    return low.load(low.reshaped(found, domain), domain)


@lowers("avg_pool2d_backward", "avg_pool3d_backward")
def _means_back(low: Lowering, equation: Equation, g: Any) -> Look:
    out = equation.outputs[0]
    windows, plane, count_include_pad, divisor = equation.options
    by = divisors(windows, plane, count_include_pad, divisor)
    found = spread(low, planes_of(low, g, len(plane)), windows, plane, by, out.kind)
    return low.reshaped(found, out.shape)


def spread(low: Lowering, planes: Look, windows: Windows, plane: Shape, by: Any, kind: Any) -> Look:
    """Each number divided, and added to all that its window sees in ``plane``."""
    goal = (planes.shape[0], 1, *plane)
    if is_empty(planes, windows) or 0 in plane:
        return low.map(goal, kind, number(0, kind))
    ones = (1,) * len(plane)
    exact = windows.stride == windows.kernel and windows.dilation == ones
    covered = tuple(a * b for a, b in zip(windows.kernel, windows.sizes, strict=True))
    if exact and covered == tuple(plane) and not any(windows.padding):
        pairs = [each for pair in zip(windows.sizes, windows.kernel, strict=True) for each in pair]
        domain = (planes.shape[0], 1, *pairs)
        gaps = (slice(None), slice(None), *(slice(None), None) * len(plane))
        shape = planes.seen(lambda place: place[gaps])
        numbers = np.broadcast_to(np.asarray(by), windows.sizes)
        own = numbers[(*(slice(None), None) * len(plane),)]
        value = divided(low, low.load(shape, domain), own, domain, kind)
        return low.reshaped(low.map(domain, kind, value), goal)
    value = divided(low, low.load(planes, planes.shape), by, planes.shape, kind)
    share = low.map(planes.shape, kind, value)
    sides = tuple((side, 0) for side in windows.padding)
    around = stuffed(share, windows.kernel, windows.stride, sides, windows.dilation, tuple(plane))
    wide = padded(low, share, *around)
    back = Windows(windows.kernel, ones, (0,) * len(plane), windows.dilation, tuple(plane))
    return low.map(goal, kind, summed(low, wide, back))


# -- adaptive means ---------------------------------------------------------------------------


@lowers("adaptive_avg_pool2d", "adaptive_avg_pool3d")
def _adaptive_means(low: Lowering, equation: Equation, x: Any) -> Look:
    out, windows = equation.outputs[0], equation.options[0]
    planes = planes_of(low, x, len(windows.sizes))
    evenly = even(windows)
    if is_empty(planes, windows):
        return low.map(out.shape, out.kind, number(0, out.kind))
    if evenly is not None:
        found = mean(low, planes, evenly, size_of(evenly.kernel), out.kind)
        return low.reshaped(found, out.shape)
    for axis, ranges in enumerate(map(windows.ranges, range(len(windows.sizes)))):
        total = gathered(low, planes, axis + 2, [range(*each) for each in ranges])
        planes = over(low, total, axis + 2, ranges)
    return low.reshaped(planes, out.shape)


@lowers("adaptive_avg_pool2d_backward", "adaptive_avg_pool3d_backward")
def _adaptive_back(low: Lowering, equation: Equation, g: Any) -> Look:
    out, windows = equation.outputs[0], equation.options[0]
    planes = planes_of(low, g, len(windows.sizes))
    evenly = even(windows)
    if is_empty(planes, windows) or 0 in out.shape:
        return low.map(out.shape, out.kind, number(0, out.kind))
    if evenly is not None:
        by = size_of(evenly.kernel)
        found = spread(low, planes, evenly, windows.plane, by, out.kind)
        return low.reshaped(found, out.shape)
    for axis, ranges in enumerate(map(windows.ranges, range(len(windows.sizes)))):
        share = over(low, planes, axis + 2, ranges)
        seen_by = [
            [at for at, (start, stop) in enumerate(ranges) if start <= place < stop]
            for place in range(windows.plane[axis])
        ]
        planes = gathered(low, share, axis + 2, seen_by)
    return low.reshaped(planes, out.shape)


def over(low: Lowering, x: Look, axis: int, ranges: Sequence[tuple[int, int]]) -> Look:
    """Each number divided by how many its window has along an axis."""
    sizes = [stop - start for start, stop in ranges]
    by = along(low, sizes, axis - len(x.shape), x.shape, x.kind)
    return low.map(x.shape, x.kind, low.load(x, x.shape) / by)


def gathered(low: Lowering, x: Look, axis: int, lists: Sequence[Sequence[int]]) -> Look:
    """Along an axis the sums of the elements that the lists name."""
    most = max(map(len, lists))
    if most > MANY:
        raise NotLoweredError("windows of many elements")
    domain = tuple(len(lists) if at == axis else size for at, size in enumerate(x.shape))
    buffer, steps, back = low.whole(x), strides_of(x.shape), axis - len(x.shape)
    first: Any = number(0, np.int64)
    for other, step in enumerate(steps):
        if other != axis and step:
            first = first + coordinate(domain, other) * step
    total: Any = number(0, x.kind)
    for turn in range(most):
        table = [each[min(turn, len(each) - 1)] for each in lists]
        there = along(low, [turn < len(each) for each in lists], back, domain, np.bool_)
        at = along(low, table, back, domain, np.int64) * steps[axis]
        total = total + where(there, element(buffer, first + at), 0)
    return low.map(domain, x.kind, total)
