"""Elements read at places that tensors of indices name.

Each place is checked: one that is not there raises, after the program, what the row's own kernel
raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.compiler.expressions import (
    Expression,
    checked,
    coordinate,
    element,
    number,
    where,
)
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.nodes import Look, Shape
from adjoint.compiler.program import Equation, Literal

OUT_OF_RANGE = "{}: index out of range for a dimension of size {}"
# Rows whose indices do not count from the end; their functions refuse such before the row is asked.
CLOSED = ("index_select", "index_add", "index_copy")
Dims = tuple[int, ...]


def within(
    index: Expression, size: int, name: str, error: type[Exception] = IndexError
) -> Expression:
    """An index that must be one of ``size`` places."""
    if not size:
        raise NotLoweredError("there is nothing to choose from")
    index = index.to("i8")
    return checked(index, (index >= 0) & (index < size), OUT_OF_RANGE.format(name, size), error)


def around(
    index: Expression, size: int, name: str, error: type[Exception] = IndexError
) -> Expression:
    """An index that may count from the end."""
    index = index.to("i8")
    return within(where(index < 0, index + size, index), size, name, error)


def total(parts: Sequence[tuple[Expression, int]], start: int = 0) -> Expression:
    """Places from places along dimensions with the steps of these."""
    found = number(start, "i8")
    for place, step in parts:
        # Where there is but one place, or the same at all, an index is checked nevertheless.
        if step or any(each.name == "checked" for each in place.scalar.walk()):
            found = found + place * step
    return found


# -- one index for every element ----------------------------------------------------------------


def along_one(
    index: Expression, domain: Shape, strides: Shape, sizes: Shape, dim: int, name: str
) -> Expression:
    """Places where an index over ``domain`` names that along ``dim``, the others being its own."""
    parts = [
        (coordinate(domain, axis), step)
        for axis, step in enumerate(strides)
        if axis != dim % len(strides)
    ]
    chosen = within(index, sizes[dim], name, RuntimeError)
    return total([*parts, (chosen, strides[dim])])


def lifted(look: Look, index: Look, dim: int | None) -> tuple[Look, Look, int]:
    """A tensor and an index of one dimension at least, as the rows' kernels take them."""
    if dim is None:
        look, dim = look.seen(lambda place: place[..., None]), -1
    if len(index.shape) < len(look.shape):
        index = index.seen(lambda place: place[..., None])
    return look, index, dim


@lowers("gather")
def _gather(low: Lowering, equation: Equation, x: Any, index: Any) -> Look:
    out, (dim,) = equation.outputs[0], equation.options
    if 0 in out.shape:
        return low.map(out.shape, out.kind, 0)
    look, places, dim = lifted(low.look(x), low.look(index), dim)
    domain = places.shape
    at = along_one(low.load(places, domain), domain, look.strides, look.shape, dim, "gather")
    found = low.map(domain, out.kind, element(look.buffer, at + look.offset))
    return low.reshaped(found, out.shape)


@lowers("pick")
def _pick(low: Lowering, equation: Equation, x: Any, index: Any) -> Look:
    out, (dim,) = equation.outputs[0], equation.options
    domain = out.shape
    if 0 in domain:
        return low.map(domain, out.kind, 0)
    look = low.look(x)
    if not look.shape or not domain:
        return low.reshaped(look, domain)
    at = along_one(low.load(index, domain), domain, look.strides, look.shape, dim, "pick")
    return low.map(domain, out.kind, element(look.buffer, at + look.offset))


# -- an index for slices, or several --------------------------------------------------------------


class Choice:
    """What a row of the table chooses by ``index`` (k, ...), ``dims`` and ``place``.

    ``domain`` is the shape of what is read; ``at`` gives where each of its elements is.
    """

    def __init__(self, low: Lowering, shape: Shape, index: Any, dims: Dims, place: int) -> None:
        self.low = low
        self.shape = shape
        self.index = low.look(index)
        self.dims = tuple(dim % len(shape) for dim in dims) if shape else ()
        self.block = self.index.shape[1:]
        rest = [axis for axis in range(len(shape)) if axis not in self.dims]
        self.start = len(rest) - place
        self.before, self.after = rest[: self.start], rest[self.start :]
        sizes = [shape[axis] for axis in rest]
        self.domain: Shape = tuple(shape)
        if self.dims:
            self.domain = (*sizes[: self.start], *self.block, *sizes[self.start :])

    def _row(self, number: int, apart: bool) -> Look:
        """One row of the index, to be looked at over the domain, or over the index alone."""
        behind = () if apart else (None,) * len(self.after)
        return self.index.seen(lambda place: place[(number, ..., *behind)])

    def _error(self, name: str) -> type[Exception]:
        """What a place that is not there raises, which depends on where it is looked for."""
        if name == "index_select" and len(self.shape) > 1 and self.dims == (1,):
            return RuntimeError
        return RuntimeError if name == "index_add" and len(self.shape) > 1 else IndexError

    def at(self, strides: Shape, offset: int, name: str, apart: bool = False) -> Expression:
        """Places in memory that has these strides, for the row of that name.

        Indices that are checked ``apart`` are in loops of their own, before all that uses them.
        """
        if not self.dims:
            raise NotLoweredError("there are no dimensions")
        count = self.index.shape[0]
        last = self.dims[count - 1 :]  # where the last row has flat places
        steps = strides_of_flat(self.shape, strides, last)
        sizes = [*(self.shape[axis] for axis in self.dims[: count - 1]), steps[0]]
        each = [*(strides[axis] for axis in self.dims[: count - 1]), steps[1]]
        chosen = []
        for row, (size, step) in enumerate(zip(sizes, each, strict=True)):
            check = within if name in CLOSED else around
            place = self.low.load(self._row(row, apart), self.block if apart else self.domain)
            chosen.append((check(place, size, name, self._error(name)), step))
        parts = []
        for axis, own in zip((*self.before, *self.after), self._places(), strict=True):
            parts.append((coordinate(self.domain, own), strides[axis]))
        if not apart:
            return total([*chosen, *parts], offset)
        found = self.low.map(self.block, "i8", total(chosen))
        behind = (..., *(None,) * len(self.after))
        chosen = [(self.low.load(found.seen(lambda a: a[behind]), self.domain), 1)]
        return total([*chosen, *parts], offset)

    def _places(self) -> list[int]:
        """Dimensions of the domain that are none of the index."""
        return [*range(self.start), *range(self.start + len(self.block), len(self.domain))]


def strides_of_flat(shape: Shape, strides: Shape, dims: Sequence[int]) -> tuple[int, int]:
    """Size and step of dimensions taken as one; ``NotLoweredError`` if they are not like one."""
    size, step = shape[dims[-1]], strides[dims[-1]]
    for dim, behind in zip(reversed(dims[:-1]), reversed(dims[1:]), strict=True):
        if dim + 1 != behind or (shape[dim] > 1 and strides[dim] != step * size):
            raise NotLoweredError("flat places in dimensions that are apart")
        size *= shape[dim]
    return size, step


def only(low: Lowering, index: Any, name: str, value: Expression) -> Expression:
    """``value``, and a check that a single index names the only place of a tensor without dims."""
    if name not in (*CLOSED, "index_fill", "index_fill_tensor") or index.shape != (1, 1):
        return value
    place = low.load(low.look(index).seen(lambda place: place[0, 0, ...]), ())
    check = within if name in CLOSED else around
    return where(check(place, 1, name).equals(0), value, value)


@lowers("index", "index_select", "take")
def _index(low: Lowering, equation: Equation, x: Any, index: Any) -> Look:
    row, out, (dims, place) = equation.operation, equation.outputs[0], equation.options
    if 0 in out.shape:
        return low.map(out.shape, out.kind, 0)
    look = low.look(x)
    if not dims:
        return low.map(out.shape, out.kind, only(low, index, row.name, low.load(look, out.shape)))
    if row.name == "take":
        look = Look(low.whole(look))
    choice = Choice(low, look.shape, index, dims, place)
    at = choice.at(look.strides, look.offset, row.name)
    return low.map(out.shape, out.kind, element(look.buffer, at))


@lowers("embedding", "embedding_masked")
def _embedding(low: Lowering, equation: Equation, weight: Any, index: Any) -> Look:
    row, out, (padding, by_frequency) = equation.operation, equation.outputs[0], equation.options
    if 0 in out.shape:
        return low.map(out.shape, out.kind, 0)
    look = low.look(weight)
    known = progression(index, look.shape[-2])
    if known is not None and row.name == "embedding":
        return low.reshaped(look.seen(lambda place: place[..., known, :]), out.shape)
    rank, block = len(look.shape), len(index.shape)
    front = rank - 2
    shape = (*look.shape[:-2], *index.shape, look.shape[-1])
    masked = row.name == "embedding_masked"
    if masked and by_frequency:
        raise NotLoweredError("gradients divided by how often an index occurs")
    places = index_column(low, index)
    chosen = within(low.load(places, shape), look.shape[-2], "embedding")
    parts = [(coordinate(shape, axis), look.strides[axis]) for axis in range(front)]
    parts += [(chosen, look.strides[-2]), (coordinate(shape, front + block), look.strides[-1])]
    value = element(look.buffer, total(parts, look.offset))
    if masked and padding >= 0:
        value = where(low.load(places, shape).equals(padding), 0, value)
    return low.map(out.shape, out.kind, value)


def progression(index: Any, size: int) -> slice | None:
    """The range of places that a constant index names one after the other, if it does."""
    if not isinstance(index, Literal) or not index.value.size:
        return None
    flat = index.value.reshape(-1)
    start, step = int(flat[0]), int(flat[1] - flat[0]) if flat.size > 1 else 1
    stop = start + step * flat.size
    if step < 1 or start < 0 or int(flat[-1]) >= size:
        return None
    return slice(start, stop, step) if (flat == np.arange(start, stop, step)).all() else None


def index_column(low: Lowering, index: Any) -> Look:
    """Indices of rows, to go with the elements of these."""
    return low.look(index).seen(lambda place: place[..., None])


@lowers("one_hot")
def _one_hot(low: Lowering, equation: Equation, x: Any) -> Look:
    out, (count,) = equation.outputs[0], equation.options
    domain = out.shape
    if 0 in domain:
        return low.map(domain, out.kind, 0)
    given = low.load(index_column(low, x), domain)
    text = f"one_hot: class values must not be negative, and smaller than num_classes, {count}"
    chosen = checked(given, (given >= 0) & (given < count), text, RuntimeError)
    same = chosen.equals(coordinate(domain, -1))
    return low.map(domain, out.kind, same.to(out.kind))
