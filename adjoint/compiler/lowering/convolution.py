"""Convolutions, their transposes, and the gradients of their weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any, NamedTuple

from adjoint.compiler.expressions import Expression, number
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.lowering.products import factor, size_of
from adjoint.compiler.nodes import Buffer, Look, Part, Shape, Single
from adjoint.compiler.program import Equation
from adjoint.compiler.windows import (
    Convolution,
    ConvolutionWeight,
    Padded,
    Placement,
    Turned,
    Windows,
)

UNITS = 16  # parts of the work wanted at least
SQUARE = 64  # elements from which on turning a matrix in registers is quicker than a loop


def once(low: Lowering, key: Any, x: Look, make: Callable[[], Single]) -> Look:
    """What a node makes of ``x``, which may have been made before."""
    found = None if x.buffer.rewritten else low.known.get(key)
    if found is None:
        node = make()
        low.add(node)
        found = node.buffers[0]
        low.known.setdefault(key, found)
    return Look(found)


def padded(
    low: Lowering, x: Look, places: tuple[Placement, ...], sizes: Shape, around: Any = 0
) -> Look:
    """(N, C, *sizes before) in planes of ``sizes``, elements where ``places`` say."""
    same = all(
        place == Placement(0, 1, 0, size) and size == new
        for place, size, new in zip(places, x.shape[2:], sizes, strict=True)
    )
    if same:
        return x
    shape = (*x.shape[:2], *sizes)
    key = (x.buffer, x.offset, x.shape, x.strides, places, shape, repr(around))
    return once(low, key, x, lambda: Padded(Buffer(shape, x.kind), x, places, around))


def around(x: Look, padding: Any) -> tuple[tuple[Placement, ...], Shape]:
    """Places for padding before and after each dimension; negative padding crops."""
    places, sizes = [], []
    for size, (before, after) in zip(x.shape[2:], padding, strict=True):
        first = max(-before, 0)
        count = max(size - first - max(-after, 0), 0)
        places.append(Placement(max(before, 0), 1, first, count))
        sizes.append(max(size + before + after, 0))
    return tuple(places), tuple(sizes)


def stuffed(
    x: Look, kernel: Shape, stride: Shape, padding: Any, dilation: Shape, sizes: Shape
) -> tuple[tuple[Placement, ...], Shape]:
    """Places with zeros between, on which the flipped kernel gives the transpose's ``sizes``."""
    places, wide = [], []
    for have, width, step, (before, _), gap, size in zip(
        x.shape[2:], kernel, stride, padding, dilation, sizes, strict=True
    ):
        reach = size + gap * (width - 1)
        low = gap * (width - 1) - before
        first = max(-(low // step), 0) if low < 0 else 0
        start = low + first * step
        count = max(min(have - first, (reach - 1 - start) // step + 1), 0)
        places.append(Placement(start, step, first, count) if count else Placement(0, 1, 0, 0))
        wide.append(reach)
    return tuple(places), tuple(wide)


def turned(low: Lowering, x: Look) -> Look:
    """(count, rows, columns) as (count, columns, rows) in order."""
    count, rows, columns = x.shape
    if min(rows, columns) < 2 or rows * columns < SQUARE or x.strides[-1] != 1:
        back = x.seen(lambda place: place.transpose(0, 2, 1))
        return Look(low.whole(back))
    key = (x.buffer, x.offset, x.shape, x.strides, "turned")
    return once(low, key, x, lambda: Turned(Buffer((count, columns, rows), x.kind), x))


def prepared(low: Lowering, equation: Equation, *values: Any) -> tuple[Look, ...]:
    """The factors, of the result's type; nothing may be empty."""
    kind = equation.outputs[0].kind
    if kind.kind == "b":
        raise NotLoweredError("products of booleans are not emitted")
    return tuple(factor(low, each, kind) for each in values)


def convolved(
    low: Lowering, x: Look, w: Look, b: Any, groups: int, windows: Windows, kind: Any
) -> Look:
    """Windows of x (N, groups * C, *sizes) by w (groups, O, C, *kernel)."""
    outputs = w.shape[1]
    shape = (x.shape[0], groups * outputs, *windows.sizes)
    if 0 in shape or 0 in w.shape:
        return low.map(shape, kind, filled(low, b, shape, kind))
    rank = len(w.shape)
    order = (0, *range(2, rank), 1)
    packed = Look(low.whole(w.seen(lambda place: place.transpose(order))))
    start = None
    if b is not None:
        start = Look(low.whole(factor(low, b, kind)))
    buffer = Buffer(shape, kind)
    low.add(Convolution(buffer, x, packed, start, windows))
    return Look(buffer)


def filled(low: Lowering, b: Any, shape: Shape, kind: Any) -> Expression:
    """A result to which no products are added: the bias, or zero."""
    if b is None:
        return number(0, kind)
    gaps = (slice(None), *(None,) * (len(shape) - 2))
    return low.load(low.look(b).seen(lambda place: place[gaps]), shape, kind)


def grouped(low: Lowering, w: Look, groups: int) -> Look:
    """(O, C, *kernel) as (groups, O / groups, C, *kernel)."""
    return low.reshaped(w, (groups, w.shape[0] // groups, *w.shape[1:]))


@lowers("convolution")
def _convolution(low: Lowering, equation: Equation, x: Any, w: Any, b: Any) -> Look:
    stride, padding, dilation, groups = equation.options
    out = equation.outputs[0]
    x, w = prepared(low, equation, x, w)
    if 0 not in out.shape:
        x = padded(low, x, *around(x, padding))
    windows = Windows(tuple(w.shape[2:]), stride, dilation, tuple(out.shape[2:]))
    return convolved(low, x, grouped(low, w, groups), b, groups, windows, out.kind)


@lowers("convolution_transposed")
def _transposed(low: Lowering, equation: Equation, x: Any, w: Any, b: Any) -> Look:
    stride, padding, dilation, groups, sizes = equation.options
    out = equation.outputs[0]
    x, w = prepared(low, equation, x, w)
    w = grouped(low, w, groups).seen(lambda place: place.swapaxes(1, 2))
    if 0 in out.shape or 0 in x.shape:
        return low.map(out.shape, out.kind, filled(low, b, out.shape, out.kind))
    axes = [
        [phase_of(first, *each) for first in range(min(each[1], each[-1]))]
        for each in zip(w.shape[3:], stride, padding, dilation, x.shape[2:], sizes, strict=True)
    ]
    if all(len(each) == 1 for each in axes):
        return phase(low, x, w, b, groups, tuple(each[0] for each in axes), out.kind)
    buffer = Buffer(out.shape, out.kind)
    for phases in product(*axes):
        part = phase(low, x, w, b, groups, phases, out.kind)
        region = Look(buffer).seen(partial(every, phases))
        low.add(Part(region, low.load(part, region.shape).scalar))
    return Look(buffer)


def every(phases: tuple[Phase, ...], place: Any) -> Any:
    """The places of some phases."""
    return place[(..., *(slice(each.first, None, each.step) for each in phases))]


class Phase(NamedTuple):
    """Every ``step``-th place of a transposed convolution's result, from ``first``, on one axis.

    They are a convolution, without stride, of some of the kernel's elements: ``taps``, at distances
    of ``gap``, of the input placed ``before`` its first element (behind it, if that is negative).
    """

    first: int
    step: int
    size: int
    taps: slice
    width: int
    gap: int
    before: int


def phase_of(
    first: int, width: int, step: int, padding: tuple[int, int], gap: int, have: int, size: int
) -> Phase:
    """The places from ``first``: that of kernel element t sees input (place + low - t gap) / step.

    The last elements come first, as they see the first inputs.
    """
    low = padding[0]
    taps = [each for each in range(width) if (first + low - each * gap) % step == 0]
    count = -(-(size - first) // step)
    if not taps:
        return Phase(first, step, count, slice(0, 0), 0, 1, 0)
    between = taps[1] - taps[0] if len(taps) > 1 else 1
    end = taps[0] - 1 if taps[0] else None
    order = slice(taps[-1], end, -between)
    reach = (first + low - taps[-1] * gap) // step
    return Phase(first, step, count, order, len(taps), max(between * gap // step, 1), -reach)


def phase(
    low: Lowering, x: Look, w: Look, b: Any, groups: int, phases: tuple[Phase, ...], kind: Any
) -> Look:
    """The places of a transposed convolution that are one phase of each axis."""
    counts = tuple(each.size for each in phases)
    w = w.seen(lambda place: place[(..., *(each.taps for each in phases))])
    if 0 in w.shape:
        shape = (x.shape[0], groups * w.shape[1], *counts)
        return low.map(shape, kind, filled(low, b, shape, kind))
    places, sizes = [], []
    for each, have in zip(phases, x.shape[2:], strict=True):
        size = each.size + each.gap * (each.width - 1)
        first = max(-each.before, 0)
        start = max(each.before, 0)
        places.append(Placement(start, 1, first, max(min(have - first, size - start), 0)))
        sizes.append(size)
    x = padded(low, x, tuple(places), tuple(sizes))
    gaps, ones = tuple(each.gap for each in phases), (1,) * len(phases)
    windows = Windows(tuple(each.width for each in phases), ones, gaps, counts)
    return convolved(low, x, w, b, groups, windows, kind)


@lowers("convolution_weight")
def _weight(low: Lowering, equation: Equation, x: Any, g: Any) -> Look:
    stride, padding, dilation, groups, kernel = equation.options
    out = equation.outputs[0]
    x, g = prepared(low, equation, x, g)
    if 0 in out.shape or 0 in x.shape or 0 in g.shape:
        return low.map(out.shape, out.kind, number(0, out.kind))
    x = padded(low, x, *around(x, padding))
    count, channels, sizes = g.shape[0], g.shape[1], tuple(g.shape[2:])
    flat = low.reshaped(g, (count, channels, size_of(sizes)))
    lines = turned(low, flat)
    outputs, inputs = channels // groups, x.shape[1] // groups
    tiles = groups * -(-inputs * size_of(kernel) // 24) * -(-outputs // 64)
    parts = max(1, min(count, -(-UNITS // tiles)))
    buffer = Buffer((parts, groups, inputs, *kernel, outputs), out.kind)
    low.add(ConvolutionWeight(buffer, x, lines, Windows(kernel, stride, dilation, sizes)))
    found = Look(buffer)
    if parts > 1:
        body = low.load(found, found.shape)
        found = low.reduce("add", body, found.shape, (0,), out.kind)
    rank = len(kernel) + 4
    order = (0, 1, rank - 1, *range(2, rank - 1))
    return low.reshaped(found.seen(lambda place: place.transpose(order)), out.shape)
