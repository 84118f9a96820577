"""Sums with tensors that are zeros but for some places: only those places are added.

The gradient of reading a tensor part by part, as a loop over the places of a dimension does, is a
sum of such tensors, one for each part. They are not made: each is added to the first in its places.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from adjoint.compiler.codegen.conversions import is_half
from adjoint.compiler.expressions import Expression, number
from adjoint.compiler.lowering.base import RULES, Lowering, lowers
from adjoint.compiler.lowering.elementwise import elementwise
from adjoint.compiler.lowering.places import buffers_of, dies, place_in, update
from adjoint.compiler.nodes import Buffer, Look, Looped, Map, Part, Reduction, Shape, Single, Update
from adjoint.compiler.program import Equation


class Band:
    """Zeros but for ranges of an axis, each of which a part makes, and others what is between."""

    def __init__(self, axis: int) -> None:
        self.axis = axis
        self.pieces: dict[tuple[int, int], Part] = {}
        self.gaps: list[Part] = []

    def fits(self, other: Band) -> bool:
        """Whether the other's ranges are along the same axis, and none in common."""
        return self.axis == other.axis and all(
            stop <= first or last <= start
            for start, stop in self.pieces
            for first, last in other.pieces
        )

    def lay(self, low: Lowering, buffer: Buffer, pieces: dict[tuple[int, int], Expression]) -> None:
        """Add ranges, with what stands there, and fill what is left with zeros."""
        for (start, stop), value in pieces.items():
            self.pieces[start, stop] = self._part(low, buffer, start, stop, value)
        for each in self.gaps:
            low.nodes.remove(each)
        self.gaps, begin = [], 0
        size = buffer.shape[self.axis]
        for start, stop in sorted([*self.pieces, (size, size)]):
            if start > begin:
                zeros = number(0, buffer.kind)
                self.gaps.append(self._part(low, buffer, begin, start, zeros))
            begin = stop

    def _part(
        self, low: Lowering, buffer: Buffer, start: int, stop: int, value: Expression
    ) -> Part:
        # A body over one dimension less is of a single place, and stays in its own loops.
        reduced = rank_of(value) == len(buffer.shape) - 1
        index = (*(slice(None),) * self.axis, start if reduced else slice(start, stop), ...)
        part = Part(Look(buffer, buffer.stand_in[index]), value.to(buffer.kind).scalar)
        low.add(part)
        return part


def rank_of(value: Expression) -> int | None:
    """Of the domain that an expression is over; None if it is over any."""
    for each in value.scalar.walk():
        if each.name == "load":
            return len(each.value.shape)
        if each.name == "index":
            return len(each.value)
    return None


class Zeros:
    """What a buffer is known to be: zeros with these added."""

    def __init__(self, addends: list[Addend], band: Band | None = None) -> None:
        self.addends = addends
        self.band = band


class Addend(NamedTuple):
    """What stands at some places of zeros, one after the other over a domain."""

    domain: Shape
    at: Expression
    value: Expression

    @property
    def buffers(self) -> set[Buffer]:
        """What must be as it was for it to be computed again."""
        return {*buffers_of(self.at), *buffers_of(self.value)}


def note_zeros(
    low: Lowering, buffer: Buffer, domain: Shape, at: Expression, value: Expression
) -> None:
    """Remember that a buffer is zeros but for ``value`` added at the places ``at``."""
    if 0 not in domain:
        low.zeros[buffer] = Zeros([Addend(domain, at, value.to(buffer.kind))])


def zeros_around(low: Lowering, out: Any, g: Any, axis: int, start: int, stop: int | None) -> Look:
    """Zeros with ``g`` in a range of an axis, or, without its end, at one place."""
    buffer = Buffer(out.shape, out.kind)
    index = start if stop is None else slice(start, stop)
    place = buffer.stand_in[(*(slice(None),) * axis, index, ...)]
    if not place.size:
        return low.map(out.shape, out.kind, 0)
    region = Look(buffer, place)
    value = low.load(g, region.shape, out.kind)
    band = Band(axis)
    band.lay(low, buffer, {(start, start + 1 if stop is None else stop): value})
    low.zeros[buffer] = Zeros([Addend(region.shape, place_in(region), value)], band)
    return Look(buffer)


def sum_of(low: Lowering, equation: Equation, x: Any, y: Any) -> Look | None:
    """The sum of two, if one of them is zeros but for some places; otherwise None."""
    out = equation.outputs[0]
    for whole, other in ((x, y), (y, x)):
        addends = _addends(low, other, out.shape, out.kind)
        if addends is None or not isinstance(whole, Look):
            continue
        if whole.shape != out.shape or whole.kind != out.kind:
            continue
        known = low.zeros[other.buffer]
        buffer = _base(low, whole, addends)
        if buffer is None:
            continue
        if not _joined(low, buffer, known):
            for each in addends:
                update(low, "add", buffer, each.domain, each.at, each.value)
        return Look(buffer)
    return None


def _addends(low: Lowering, value: Any, shape: Shape, kind: Any) -> list[Addend] | None:
    """What is to be added, if it can be computed again, and nobody else needs it as a whole."""
    if not isinstance(value, Look) or not value.whole or value.kind != kind or is_half(kind):
        return None
    known = low.zeros.get(value.buffer)
    if known is None or value.shape != shape or not dies(low, value.buffer):
        return None
    if any(buffer.rewritten for each in known.addends for buffer in each.buffers):
        return None
    return list(known.addends)


def _base(low: Lowering, look: Look, addends: list[Addend]) -> Buffer | None:
    """The memory of ``look`` to add to, if it may be; no zero in it is -0, as after adding 0."""
    buffer = look.buffer
    if not look.whole or not dies(low, buffer):
        return None
    if any(buffer in each.buffers for each in addends):
        return None
    if any(low.uses[each] != 1 for each in low.holders.get(buffer, ())):
        return None
    if buffer not in low.summed:
        if any(each.buffer is buffer for node in low.nodes for each in node.looks()):
            return None
        if not _add_zero(low, buffer):
            return None
        low.summed.add(buffer)
    known = low.zeros.get(buffer)
    if known is not None:
        known.addends += addends
    return buffer


def _add_zero(low: Lowering, buffer: Buffer) -> bool:
    """Make no zero in a buffer negative, if it is made in a way in which that can be said."""
    makers = [node for node in low.nodes if buffer in node.buffers]
    if any(isinstance(node, (Single, Reduction)) for node in makers):
        return True  # the sign of a sum's zero is nobody's promise
    if not all(isinstance(node, (Map, Part, Update)) for node in makers):
        return False
    for node in makers if buffer.kind.kind == "f" else ():
        assert isinstance(node, Looped)
        node.body = (Expression(node.body) + 0).scalar
    return True


def _joined(low: Lowering, buffer: Buffer, other: Zeros) -> bool:
    """Let ranges of another be ranges of this buffer too, if they have none in common."""
    known = low.zeros.get(buffer)
    if known is None or known.band is None or other.band is None or buffer.rewritten:
        return False
    if not known.band.fits(other.band):
        return False
    pieces = {place: Expression(part.body) + 0 for place, part in other.band.pieces.items()}
    known.band.lay(low, buffer, pieces)
    return True


del RULES["add"]  # the plain rule of elementwise rows, which is used where nothing is gained


@lowers("add")
def _add(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    found = sum_of(low, equation, x, y)
    return elementwise(low, equation, x, y) if found is None else found
