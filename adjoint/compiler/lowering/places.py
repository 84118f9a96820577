"""What moves elements builds with: regions of buffers, and writes into buffers that are there.

A result that is put together from regions is made of parts, each in the loops that compute what
stands there. What overwrites or adds is an update, in the memory of the base where nobody looks at
that any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np

from adjoint.compiler.expressions import Expression, as_scalar, number
from adjoint.compiler.lowering.base import Lowering
from adjoint.compiler.nodes import Buffer, Look, Map, Part, Scalar, Shape, Update
from adjoint.compiler.program import Literal

View = Callable[[Any], Any]
Run = tuple[slice, slice | None]  # places of a result, and of what they show; None for nothing
ALL = slice(None)


def at(index: Any) -> View:
    """NumPy's indexing as a view."""
    return lambda place: place[index]


# -- parts --------------------------------------------------------------------------------------


def part(low: Lowering, buffer: Buffer, view: View, value: Any) -> None:
    """Make the region of ``buffer`` that ``view`` shows: of a number, or of what broadcasts."""
    place = Look(buffer, view(buffer.stand_in))
    if place.place.size:
        if not isinstance(value, Expression):
            place, value = in_its_shape(place, value)
            value = low.load(value, place.shape)
        low.add(Part(place, value.to(buffer.kind).scalar))


def in_its_shape(place: Look, value: Any) -> tuple[Look, Any]:
    """A region, and the value for it, in the shape in which the value is made.

    So it is written in the loops that make it, and needs no memory of its own.
    """
    if isinstance(value, Look) and value.full and value.shape == place.shape:
        made = value.buffer
        if isinstance(made.node, Map) and made.shape != value.shape and not made.rewritten:
            try:
                return place.seen(lambda a: a.reshape(made.shape, copy=False)), Look(made)
            except ValueError:
                pass
    return place, value


def put_together(low: Lowering, buffer: Buffer) -> Look:
    """The whole of a buffer whose parts are made."""
    return Look(buffer) if buffer.size else low.map(buffer.shape, buffer.kind, 0)


def boxed(low: Lowering, buffer: Buffer, box: Sequence[slice], value: Any, outside: Any) -> None:
    """Make all of a buffer: ``value`` within a box of ranges, the number ``outside`` around it."""
    part(low, buffer, at(tuple(box)), value)
    for axis, (within, size) in enumerate(zip(box, buffer.shape, strict=True)):
        for beside in (slice(0, within.start), slice(within.stop, size)):
            around = (*box[:axis], beside)  # all of what stands behind
            part(low, buffer, at(around), number_in(buffer, outside))


def number_in(buffer: Buffer, value: Any) -> Literal:
    """A number in the type of a buffer."""
    return Literal(value, buffer.kind)


def runs_of(sources: Any) -> list[Run]:
    """Places of a dimension in ranges, with the ranges that ``sources`` says they come from.

    Neighbours are in one range if they come from neighbours, the same way or the other way round,
    or all from one place, which is then a range of size 1.
    """
    found: list[Run] = []
    start, count = 0, len(sources)
    while start < count:
        stop, step = start + 1, None
        while stop < count:
            moved = int(sources[stop] - sources[stop - 1])
            if moved not in (-1, 0, 1) or step not in (None, moved):
                break
            step, stop = moved, stop + 1
        first, last = int(sources[start]), int(sources[stop - 1])
        if step == -1:
            source = slice(first, last - 1 if last else None, -1)
        else:
            source = slice(first, last + 1)
        found.append((slice(start, stop), source))
        start = stop
    return found


def rearranged(low: Lowering, x: Any, sources: Sequence[Any]) -> Look:
    """``x`` with the place along each dimension that ``sources`` has for it; None for its own."""
    look = low.look(x)
    each = [[(ALL, ALL)] if places is None else runs_of(np.asarray(places)) for places in sources]
    shape = tuple(
        size if places is None else len(places)
        for size, places in zip(look.shape, sources, strict=True)
    )
    buffer = Buffer(shape, look.kind)
    for pieces in product(*each):
        here, there = (tuple(sides) for sides in zip(*pieces, strict=True))
        if buffer.size:
            part(low, buffer, at(here), look.seen(at(there)))
    return put_together(low, buffer)


# -- updates ------------------------------------------------------------------------------------


def dies(low: Lowering, buffer: Buffer) -> bool:
    """Whether nothing looks at a buffer after the present equation, and it may be written to."""
    if buffer.node is None:  # an input, or a constant
        return False
    return all(low.last.get(each, -1) <= low.at for each in low.holders.get(buffer, ()))


def owned(low: Lowering, value: Any, *sources: Expression) -> Buffer:
    """A buffer that holds ``value`` and may be written to, by what looks at ``sources``."""
    look = low.look(value)
    read = {buffer for each in sources for buffer in buffers_of(each)}
    if look.whole and dies(low, look.buffer) and look.buffer not in read:
        low.zeros.pop(look.buffer, None)
        low.summed.discard(look.buffer)
        return look.buffer
    return low.map(look.shape, look.kind, low.load(look, look.shape), fresh=True).buffer


def buffers_of(x: Expression) -> Iterable[Buffer]:
    """What an expression looks at."""
    for each in x.scalar.walk():
        if each.name == "load":
            yield each.value.buffer
        elif each.name == "element":
            yield each.value


def empty(low: Lowering, shape: Shape, kind: Any, value: Any = 0) -> Buffer:
    """A new buffer full of a number."""
    kind = np.dtype(kind)
    return low.map(shape, kind, number(value, kind), fresh=True).buffer


def update(
    low: Lowering, name: str, buffer: Buffer, domain: Shape, at: Expression, value: Any
) -> None:
    """Write ``value`` at the places ``at``, one after the other over the domain."""
    if buffer.kind.kind == "b" and name == "add":
        name = "or"
    if 0 not in domain:
        body = as_scalar(value, buffer.kind)
        low.add(Update(name, buffer, tuple(domain), as_scalar(at, np.int64), body))


def place_in(look: Look) -> Expression:
    """Where in memory each place of a look's domain is."""
    steps = Expression(Scalar("index", np.int64, value=look.strides))
    return steps + look.offset if look.offset else steps
