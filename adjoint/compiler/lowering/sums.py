"""Sums with tensors that are zeros but for some places: only those places are added.

The gradient of reading a tensor part by part, as a loop over the places of a dimension does, is a
sum of such tensors, one for each part. They are not made: each is added to the first in its places.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from adjoint.compiler.expressions import Expression
from adjoint.compiler.lowering.base import RULES, Lowering, lowers
from adjoint.compiler.lowering.elementwise import elementwise
from adjoint.compiler.lowering.places import buffers_of, dies, update
from adjoint.compiler.nodes import Buffer, Look, Part, Shape, Update
from adjoint.compiler.program import Equation


class Zeros:
    """What a buffer is known to be: zeros with these added."""

    def __init__(self, addends: list[Addend]) -> None:
        self.addends = addends
        self.clean = False  # no zero is negative, as after adding 0


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


def sum_of(low: Lowering, equation: Equation, x: Any, y: Any) -> Look | None:
    """The sum of two, if one of them is zeros but for some places; otherwise None."""
    out = equation.outputs[0]
    for whole, other in ((x, y), (y, x)):
        addends = _addends(low, other, out.shape, out.kind)
        if addends is None or not isinstance(whole, Look):
            continue
        if whole.shape != out.shape or whole.kind != out.kind:
            continue
        buffer = _base(low, whole, addends)
        for each in addends:
            update(low, "add", buffer, each.domain, each.at, each.value)
        return Look(buffer)
    return None


def _addends(low: Lowering, value: Any, shape: Shape, kind: Any) -> list[Addend] | None:
    """What is to be added, if it can be computed again, and nobody else needs it as a whole."""
    if not isinstance(value, Look) or not value.whole or value.kind != kind:
        return None
    known = low.zeros.get(value.buffer)
    if known is None or value.shape != shape or not dies(low, value.buffer):
        return None
    if any(buffer.rewritten for each in known.addends for buffer in each.buffers):
        return None
    return list(known.addends)


def _base(low: Lowering, look: Look, addends: list[Addend]) -> Buffer:
    """A buffer with the elements of ``look``, to add to. 0 is added to each, so none is -0."""
    buffer = look.buffer
    known = low.zeros.get(buffer)
    needed = {buffer for each in addends for buffer in each.buffers}
    if known is not None and look.whole and dies(low, buffer) and buffer not in needed:
        if not known.clean:
            for node in low.nodes:
                if isinstance(node, (Part, Update)) and node.buffers[0] is buffer:
                    node.body = (Expression(node.body) + 0).scalar
            known.clean = True
        known.addends += addends
        return buffer
    value = low.load(look, look.shape)
    value = value if look.kind.kind == "b" else value + 0
    return low.map(look.shape, look.kind, value, fresh=True).buffer


del RULES["add"]  # the plain rule of elementwise rows, which is used where nothing is gained


@lowers("add")
def _add(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    found = sum_of(low, equation, x, y)
    return elementwise(low, equation, x, y) if found is None else found
