"""Loops that nodes have in common: where they would go together, and what they see there."""

from __future__ import annotations

from typing import Any, NamedTuple

from adjoint.compiler.arrangement import Arrangement, arrange, count, reach
from adjoint.compiler.nodes import Buffer, Map, Reduction, Shape, Update, strides_of


class Access(NamedTuple):
    """A look in numbers: without strides if it may be anywhere in the buffer."""

    buffer: Buffer
    offset: int
    strides: Shape | None


def roots(node: Any) -> tuple[Any, ...]:
    """The scalars that a node computes at each place."""
    return (node.at, node.body) if isinstance(node, Update) else (node.body,)


def accesses(node: Any) -> list[Access]:
    """What a node in loops looks at."""
    found: list[Access] | None = node.__dict__.get("accesses")
    if found is None:
        found = node.accesses = []
        for root in roots(node):
            for each in root.walk():
                if each.name == "load":
                    look = each.value
                    found.append(Access(look.buffer, look.offset, look.strides))
                elif each.name == "element":
                    found.append(Access(each.value, 0, None))
    return found


def checks(node: Any) -> bool:
    """Whether a node may find that something is wrong."""
    return any(each.name == "checked" for root in roots(node) for each in root.walk())


class Frame(NamedTuple):
    """Outer loops, inner loops of each phase, and the order of axes, if it is not as they are."""

    outer: Shape
    inners: tuple[Shape, ...]
    order: tuple[int, ...] | None = None

    def around(self, node: Any) -> Arrangement | None:
        """A node's axes, divided in outer and whatever is left."""
        order = range(len(node.domain)) if self.order is None else self.order
        return arrange(node.domain, order, self.outer)

    def arranged(self, node: Any, phase: int) -> Arrangement | None:
        """A node's axes, divided as those of a phase; None if they do not fit."""
        order = range(len(node.domain)) if self.order is None else self.order
        shape = (*self.outer, *self.inners[phase])
        found = arrange(node.domain, order, shape)
        if found is None or found.inner or found.shared != shape:
            return None
        depth = len(self.outer)
        return Arrangement(found.outer[:depth], found.outer[depth:])

    def joined(self, node: Any, phase: int) -> Frame | None:
        """The frame in which a node belongs to a phase: its inner axes may be split further."""
        order = range(len(node.domain)) if self.order is None else self.order
        found = arrange(node.domain, order, (*self.outer, *self.inners[phase]))
        depth = len(self.outer)
        if found is None or found.inner or found.shared[:depth] != self.outer:
            return None
        inner = found.shared[depth:]
        if inner == self.inners[phase]:
            return self
        inners = (*self.inners[:phase], inner, *self.inners[phase + 1 :])
        return Frame(self.outer, inners, self.order)

    def extended(self, inner: Shape) -> Frame:
        """With another phase."""
        return Frame(self.outer, (*self.inners, inner), self.order)

    def cut(self, kept: int) -> Frame:
        """With ``kept`` outer loops; the others become inner ones of every phase."""
        rest = self.outer[kept:]
        inners = tuple((*rest, *inner) for inner in self.inners)
        return Frame(self.outer[:kept], inners, self.order)

    def longest(self) -> int:
        """Places of the longest phase at one place of the outer loops."""
        return max(map(count, self.inners))


def first_frame(node: Any) -> Frame:
    """The loops of a kernel that begins with ``node``."""
    sizes = tuple(each for each in node.domain if each != 1)
    if not isinstance(node, Reduction) or not ends_reduced(node) or 0 in sizes:
        return Frame(sizes, ((),))
    axes = [axis for axis, size in enumerate(node.domain) if size != 1]
    kept = [axis for axis in axes if axis not in node.axes]
    along = [axis for axis in axes if axis in node.axes]
    order = (*kept, *along)
    return Frame(
        tuple(node.domain[axis] for axis in kept),
        (tuple(node.domain[axis] for axis in along),),
        None if list(order) == axes else order,
    )


def ends_reduced(node: Any) -> bool:
    """Whether the last axis is one that a reduction combines along."""
    axes = [axis for axis, size in enumerate(node.domain) if size != 1]
    return not axes or axes[-1] in node.axes


def congruent(domain: Shape, whole: Shape) -> bool:
    """Whether a domain is the whole one, or that with some sizes 1."""
    return len(domain) == len(whole) and all(
        size in (1, there) for size, there in zip(domain, whole, strict=True)
    )


def phases_after(frame: Frame, access: Access, node: Any, maker: Any, phase: int) -> int | None:
    """How many phases after ``phase``, that of ``maker``, ``node`` may look at what that makes.

    0 where it looks at the very element, 1 where it stays at the same place of the outer loops, and
    None where it does not, or not for certain.
    """
    if not isinstance(maker, (Map, Reduction)) or access.strides is None:
        return None
    buffer, own = access.buffer, strides_of(access.buffer.shape)
    if isinstance(maker, Map) and access.offset == 0:
        joined = frame.joined(node, phase)
        here = joined and joined.arranged(node, phase)
        there = joined and joined.arranged(maker, phase)
        if here and there and _strides(here, access.strides) == _strides(there, own):
            return 0
    around, made = frame.around(node), frame.arranged(maker, phase)
    if around is None or made is None:
        return None
    if isinstance(maker, Reduction) and any(piece.axis in maker.axes for piece in made.outer):
        return None
    if around.over_outer(access.strides) != made.over_outer(own):
        return None
    below, above = reach(around.sizes, around.over_inner(access.strides))
    row = buffer.size // max(count(frame.outer), 1)
    within = access.offset + below >= 0 and access.offset + above < row
    return 1 if within and (frame.order is None or row == 1) else None


def _strides(arranged: Arrangement, strides: Shape) -> tuple[Shape, Shape]:
    return arranged.over_outer(strides), arranged.over_inner(strides)
