"""How nodes with different domains go through common outer loops.

The axes of a node's domain, but for those of size 1, are brought into the kernel's order and
divided into *outer* axes, which all nodes of the kernel have in common, and *inner* ones, which it
goes through at each place of the outer. Neighbouring axes are the same as one axis of their
product, so domains (512, 64) and (8, 64, 64) have outer axes (8, 64) in common: an axis is split
where another node's ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from adjoint.compiler.nodes import Shape


class Piece(NamedTuple):
    """Part of an axis: one step along it is ``factor`` steps along the axis."""

    axis: int
    size: int
    factor: int


class Arrangement(NamedTuple):
    """A node's axes, outer and inner."""

    outer: tuple[Piece, ...]
    inner: tuple[Piece, ...]

    @property
    def sizes(self) -> Shape:
        """Sizes of the inner axes."""
        return tuple(piece.size for piece in self.inner)

    @property
    def shared(self) -> Shape:
        """Sizes of the outer axes."""
        return tuple(piece.size for piece in self.outer)

    def over_outer(self, strides: Sequence[int]) -> Shape:
        """Strides over the domain, along the outer axes."""
        return tuple(strides[piece.axis] * piece.factor for piece in self.outer)

    def over_inner(self, strides: Sequence[int]) -> Shape:
        """Strides over the domain, along the inner axes."""
        return tuple(strides[piece.axis] * piece.factor for piece in self.inner)


def arrange(domain: Shape, order: Sequence[int], outer: Shape) -> Arrangement | None:
    """A domain's axes in order, with ``outer`` in front, maybe split; None if they do not fit."""
    waiting = [(axis, domain[axis]) for axis in reversed(order) if domain[axis] != 1]
    needed = list(reversed(outer))
    pieces: list[Piece] = []
    while needed:
        if not waiting:
            return None
        size = needed.pop()
        axis, here = waiting.pop()
        if here % size == 0:
            pieces.append(Piece(axis, size, here // size))
            if here != size:
                waiting.append((axis, here // size))
        elif size % here == 0:
            pieces.append(Piece(axis, here, 1))
            needed.append(size // here)
        else:
            return None
    inner = tuple(Piece(axis, size, 1) for axis, size in reversed(waiting))
    return Arrangement(tuple(pieces), inner)


def count(sizes: Sequence[int]) -> int:
    """How many places there are."""
    places = 1
    for each in sizes:
        places *= each
    return places


def reach(sizes: Sequence[int], strides: Sequence[int]) -> tuple[int, int]:
    """How far the places of a domain lie before and after the first."""
    below = above = 0
    for size, step in zip(sizes, strides, strict=True):
        if step < 0:
            below += (size - 1) * step
        else:
            above += (size - 1) * step
    return below, above
