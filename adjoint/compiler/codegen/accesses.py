"""What a kernel's loops touch: places in memory, and the loops that walk through them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from adjoint.compiler.frames import roots
from adjoint.compiler.kernels import Kernel
from adjoint.compiler.nodes import Buffer, Map, Part, Reduction, Scalar, Shape, Update, strides_of

INDEX = Buffer((), np.int64)  # stands for coordinates, which walk like an access but are no memory


class Start(NamedTuple):
    """What a function gets a pointer to: an element of a buffer.

    Functions that differ only in where they begin, as at the steps of a sequence, are one.
    """

    buffer: Buffer
    offset: int


class Place(NamedTuple):
    """An access: which memory, where it begins, and steps along outer and inner axes."""

    start: Start
    offset: int  # from there
    outer: Shape
    inner: Shape


class Loop(NamedTuple):
    """One loop: steps of all places, and the reductions that it combines along."""

    size: int
    reduced: frozenset[Any]
    steps: dict[Place, int]


class Accesses:
    """The places of a kernel."""

    def __init__(
        self, kernel: Kernel, stored: set[Buffer], same: Mapping[Buffer, Buffer] | None = None
    ) -> None:
        self.kernel = kernel
        self.same = same or {}  # buffers that overwrite others: both have one pointer
        # Buffers of which only the row at hand is kept.
        self.rows = dict.fromkeys(each for each in kernel.crossing() if each not in stored)
        self.phases: list[list[Place]] = []
        self.loads: dict[tuple[int, int], Place] = {}  # by phase and the scalar's id
        self.stores: dict[Any, Place] = {}  # by node
        self.pointers: dict[Start, str] = {}
        if kernel.empty:  # no place is ever gone to
            made = [node.buffers[0] for node in kernel.nodes if isinstance(node, Reduction)]
            self.pointers = {Start(each, 0): f"%p{at}" for at, each in enumerate(made)}
            return
        for number, nodes in enumerate(kernel.phases):
            self._places: dict[Place, None] = {}
            for node in nodes:
                self._find(number, node, stored)
            self.phases.append(list(self._places))

    def _place(self, node: Any, buffer: Buffer, offset: int, strides: Shape) -> Place:
        arranged = self.kernel.arranged(node)
        outer, inner = arranged.over_outer(strides), arranged.over_inner(strides)
        start = Start(self.same.get(buffer, buffer), 0)
        if buffer in self.rows:
            outer = (0,) * len(outer)
            if self.kernel.frame.order is not None:  # only ever looked at as it is
                inner = strides_of(arranged.sizes)
        elif buffer not in self.kernel.made:  # otherwise pointers might see the same elements
            start, offset = Start(buffer, offset), 0
        found = Place(start, offset, outer, inner)
        self._places[found] = None
        if buffer is not INDEX and start not in self.pointers:
            self.pointers[start] = f"%p{len(self.pointers)}"
        return found

    def _find(self, phase: int, node: Any, stored: set[Buffer]) -> None:
        nowhere = (0,) * len(node.domain)
        for each in (scalar for root in roots(node) for scalar in root.walk()):
            if each.name == "load" and self.in_memory(phase, each):
                look = each.value
                place = self._place(node, look.buffer, look.offset, look.strides)
                self.loads[phase, id(each)] = place
            elif each.name == "element":  # the pointer alone
                self._place(node, each.value, 0, nowhere)
            elif each.name == "index":
                self.loads[phase, id(each)] = self._place(node, INDEX, 0, each.value)
        buffer = node.buffers[0]
        if isinstance(node, Part):
            look = node.place
            self.stores[node] = self._place(node, buffer, look.offset, look.strides)
        elif isinstance(node, Update):
            self._place(node, buffer, 0, nowhere)
        elif buffer in stored or buffer in self.rows:
            self.stores[node] = self._place(node, buffer, 0, strides_of(buffer.shape))

    def in_memory(self, phase: int, load: Scalar) -> bool:
        """Whether a load is one, and no value that is in a register already."""
        buffer = load.value.buffer
        maker = self.kernel.made.get(buffer)
        if not isinstance(maker, (Map, Reduction)):
            return True
        return self.kernel.phase(maker) != phase and self.kernel.row_of(buffer) > 1

    # -- loops --------------------------------------------------------------------------------

    def outer_loops(self) -> list[Loop]:
        """The loops that all phases have in common; all of them, if there is but one phase."""
        places = [place for each in self.phases for place in each]
        node = self.kernel.nodes[0]
        shared = self.kernel.arranged(node).outer
        loops = self._joined(
            [piece.size for piece in shared],
            [{place: place.outer[at] for place in places} for at in range(len(shared))],
            [self._along("outer", at, self.kernel.nodes) for at in range(len(shared))],
        )
        return self._and(loops, self.inner_loops(0)) if len(self.phases) == 1 else loops

    def inner_loops(self, phase: int) -> list[Loop]:
        """The loops of a phase."""
        nodes, places = self.kernel.phases[phase], self.phases[phase]
        sizes = self.kernel.arranged(nodes[0]).sizes
        return self._joined(
            sizes,
            [{place: place.inner[at] for place in places} for at in range(len(sizes))],
            [self._along("inner", at, nodes) for at in range(len(sizes))],
        )

    def _along(self, which: str, at: int, nodes: Iterable[Any]) -> frozenset[Any]:
        return frozenset(
            node
            for node in nodes
            if isinstance(node, Reduction)
            and getattr(self.kernel.arranged(node), which)[at].axis in node.axes
        )

    def _joined(
        self,
        sizes: Sequence[int],
        steps: Sequence[dict[Place, int]],
        reduced: Sequence[frozenset[Any]],
    ) -> list[Loop]:
        loops: list[Loop] = []
        for size, step, along in zip(sizes, steps, reduced, strict=True):
            loops = self._and(loops, [Loop(size, along, step)])
        return loops

    def _and(self, loops: list[Loop], inside: list[Loop]) -> list[Loop]:
        """Loops in loops: two are one, where all places walk through them as through one."""
        if not loops or not inside:
            return loops + inside
        last, first = loops[-1], inside[0]
        if last.reduced == first.reduced and all(
            last.steps[place] == step * first.size for place, step in first.steps.items()
        ):
            joined = Loop(last.size * first.size, first.reduced, first.steps)
            return [*loops[:-1], joined, *inside[1:]]
        return loops + inside
