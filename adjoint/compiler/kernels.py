"""Kernels: nodes that are computed in the same loops.

A kernel goes through outer loops that all its nodes have in common, and at each of their places
through its *phases*, one after the other: nodes with the same inner loops. What a phase makes, the
next ones may look at as long as that is at the same place of the outer loops. So the rows of a
softmax are read once: their greatest element, the exponentials, their sum, and the scaled values
are phases, while the row lies in the first cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from adjoint.compiler.arrangement import Arrangement, count
from adjoint.compiler.frames import (
    Frame,
    accesses,
    congruent,
    ends_reduced,
    first_frame,
    phases_after,
)
from adjoint.compiler.nodes import (
    Buffer,
    Call,
    Map,
    Node,
    Reduction,
    Scan,
    Shape,
    Single,
    Update,
    strides_of,
)

PHASES = 12  # of a kernel, at most
ROW = 65_536  # inner places of a kernel with several phases, at most: 256 KB of float32
FEW, LARGE = 8, 65_536  # rows that are too few for a kernel with so many places
SHORT = 16  # inner loops below are not worth a phase
TINY = 8  # places of a domain that is worth no loops of its own
SCRATCH = 65_536  # bytes of rows that lie on the stack, which may have 512 KB in all


class Fit(NamedTuple):
    """How a node would join a kernel."""

    frame: Frame
    phase: int


class Kernel:
    """Maps, parts, and either reductions or updates, in common loops."""

    def __init__(self, domain: Shape) -> None:
        self.domain = domain
        self.nodes: list[Any] = []
        self.made: dict[Buffer, Any] = {}
        self.frame = Frame((), ())
        self.phases: list[list[Any]] = []
        self.updates = False
        self.empty = 0 in domain
        self._phase: dict[Any, int] = {}
        self._touched: set[Buffer] = set()

    # -- geometry -----------------------------------------------------------------------------

    def arranged(self, node: Any) -> Arrangement:
        """The axes of one of its nodes."""
        found = self.frame.arranged(node, self._phase[node])
        assert found is not None
        return found

    def phase(self, node: Any) -> int:
        """Which phase a node belongs to."""
        return self._phase[node]

    def row_of(self, buffer: Buffer) -> int:
        """How many elements of a buffer made here belong to one place of the outer loops."""
        return buffer.size // max(count(self.frame.outer), 1)

    def accumulates(self, node: Reduction) -> bool:
        """Whether a reduction adds up in memory: a loop outside its innermost ones is reduced."""
        arranged = self.arranged(node)
        single = len(self.phases) == 1
        pieces = (*arranged.outer, *arranged.inner) if single else arranged.inner
        reduced = [piece.axis in node.axes for piece in pieces]
        while reduced and reduced[-1]:
            reduced.pop()
        outside = () if single else arranged.outer
        return any(reduced) or any(piece.axis in node.axes for piece in outside)

    # -- joining ------------------------------------------------------------------------------

    def takes(self, node: Any) -> bool:
        """Whether ``node`` may be computed here."""
        return self.fit(node) is not None

    def fit(self, node: Any, near: bool = False) -> Fit | None:
        """How ``node`` may be computed here: it needs nothing of another outer place in here.

        ``near`` says that it is worth it, though it may share nothing yet.
        """
        if not self.nodes:
            return Fit(first_frame(node), 0)
        shares = near or self._shares(node)
        if not shares and (node.domain != self.domain or count(node.domain) > TINY):
            return None
        if self.empty or 0 in node.domain or self.updates or isinstance(node, Update):
            return self._fit_plainly(node)
        frame = self._frame_with(node)
        if frame is None or (not shares and count(frame.outer) < count(self.frame.outer)):
            return None
        earliest = 0
        for access in accesses(node):
            maker = self.made.get(access.buffer)
            if maker is not None:
                phase = self._phase[maker]
                later = phases_after(frame, access, node, maker, phase)
                if later is None:
                    return None
                earliest = max(earliest, phase + later)
        for phase in range(earliest, len(self.phases)):
            joined = frame.joined(node, phase)
            if joined is not None and (joined is frame or self._may_have(joined)):
                return Fit(joined, phase)
        return self._apart(node, frame) if shares else None

    def _shares(self, node: Any) -> bool:
        """Whether it looks at what is made or looked at here anyway, and more than a few numbers.

        What shares nothing is better apart: of equal functions, as those of an optimizer's step
        for each parameter, there is one.
        """
        least = count(node.domain) // 2
        for access in accesses(node):
            buffer = access.buffer
            if buffer in self.made or (buffer in self._touched and buffer.size >= least):
                return True
        return False

    def _fit_plainly(self, node: Any) -> Fit | None:
        """Over the same domain, in the same phase, in order."""
        if self.updates and not (isinstance(node, Update) and _is_affine(node)):
            return None
        if isinstance(node, Update) and not _is_affine(node):
            return None  # goes through its places one after the other, and nothing else with it
        if node.domain != self.domain or len(self.phases) > 1:
            return None
        if isinstance(node, Update) and any(isinstance(each, Reduction) for each in self.nodes):
            return None
        if not self.empty and self.frame != first_frame(node):
            return None
        for access in accesses(node):
            maker = self.made.get(access.buffer)
            if maker is None:
                continue
            same = access.offset == 0 and access.strides == strides_of(access.buffer.shape)
            if not isinstance(maker, Map) or not same:
                return None
        return Fit(self.frame, 0)

    def _frame_with(self, node: Any) -> Frame | None:
        """The loops of the kernel if ``node`` joins it."""
        if self.frame.order is not None and not congruent(node.domain, self.domain):
            return None
        if isinstance(node, Reduction):
            first = first_frame(node)
            if first.order != self.frame.order:
                return self._reordered(node, first)
        found = self.frame.around(node)
        if found is None:
            return None
        split = found.shared != self.frame.outer
        if split and found.inner and count(node.domain) != count(self.domain):
            return None  # sizes that have a factor in common by chance
        frame = Frame(found.shared, self.frame.inners, self.frame.order)
        if isinstance(node, Reduction) and ends_reduced(node):
            kept = 0
            while kept < len(found.outer) and found.outer[kept].axis not in node.axes:
                kept += 1
            cut = frame.cut(kept)
            if kept and cut.longest() <= ROW:
                frame = cut
        return frame if frame == self.frame or self._may_have(frame) else None

    def _reordered(self, node: Reduction, frame: Frame) -> Frame | None:
        """The kernel in the order of ``node``'s axes, which is another than it has."""
        if self.frame.order is not None or len(self.phases) > 1:
            return None
        for each in self.nodes:
            if each.domain != node.domain:
                return None
            if isinstance(each, Reduction) and each.axes != node.axes:
                return None
        return frame

    def _may_have(self, frame: Frame) -> bool:
        """Whether all nodes fit into other loops."""
        return all(frame.arranged(each, self._phase[each]) is not None for each in self.nodes)

    def _apart(self, node: Any, frame: Frame) -> Fit | None:
        """A phase of its own, if that is worth it."""
        around = frame.around(node)
        if around is None:
            return None
        whole = frame.extended(around.sizes)
        row, rows = whole.longest(), count(frame.outer)
        if len(self.phases) >= PHASES or row > ROW or not frame.outer:
            return None
        if rows < FEW and row * rows > LARGE:
            return None  # few rows are few turns for threads
        if frame == self.frame and len(self.phases) == 1 and 1 < row < SHORT:
            return None
        return Fit(whole, len(self.phases))

    def add(self, node: Any, fit: Fit | None = None) -> None:
        """Append a node that it takes."""
        fit = fit or self.fit(node)
        assert fit is not None
        self.frame = fit.frame
        if fit.phase == len(self.phases):
            self.phases.append([])
        self.phases[fit.phase].append(node)
        self._phase[node] = fit.phase
        self.nodes.append(node)
        self.made[node.buffers[0]] = node
        self._touched.update(node.buffers)
        self._touched.update(access.buffer for access in accesses(node))
        self.updates |= isinstance(node, Update)

    # -- memory -------------------------------------------------------------------------------

    def crossing(self) -> Iterator[Buffer]:
        """Buffers with rows that a later phase looks at."""
        for node in self.nodes:
            for access in accesses(node):
                maker = self.made.get(access.buffer)
                if (
                    maker is not None
                    and self._phase[maker] != self._phase[node]
                    and self.row_of(access.buffer) > 1
                ):
                    yield access.buffer

    def in_memory(self) -> set[Buffer]:
        """Buffers that it needs memory for, whoever else looks at them."""
        found = {
            node.buffers[0]
            for node in self.nodes
            if not isinstance(node, (Map, Reduction))
            or (isinstance(node, Reduction) and (self.empty or self.accumulates(node)))
        }
        room = SCRATCH
        for buffer in dict.fromkeys(self.crossing()):
            if buffer in found:
                continue
            row = self.row_of(buffer) * buffer.kind.itemsize
            if row > room or not isinstance(self.made[buffer], Map):
                found.add(buffer)
            else:
                room -= row
        return found


def _is_affine(node: Update) -> bool:
    """Whether where it writes depends on the place alone, not on values."""
    return all(each.name not in ("load", "element") for each in node.at.walk())


Step = Kernel | Single | Scan | Call


def alive(nodes: Sequence[Node], wanted: Sequence[Buffer]) -> list[Node]:
    """The nodes that lead to a wanted buffer, and those that draw random numbers."""
    needed, kept = set(wanted), []
    for node in reversed(nodes):
        draws = isinstance(node, Call) and node.row.kind == "random"
        if draws or not needed.isdisjoint(node.buffers):
            kept.append(node)
            needed.update(look.buffer for look in node.looks())
    return kept[::-1]


def nodes_of(step: Step) -> list[Any]:
    """The nodes of a step."""
    return step.nodes if isinstance(step, Kernel) else [step]


def stored(steps: Sequence[Step], results: Sequence[Buffer]) -> set[Buffer]:
    """Buffers that need memory: results, and what is looked at outside the loops that make it."""
    found = set(results)
    for step in steps:
        own = {buffer for node in nodes_of(step) for buffer in node.buffers}
        if isinstance(step, Kernel):
            found |= step.in_memory()
        else:
            found.update(own)
        for node in nodes_of(step):
            found.update(look.buffer for look in node.looks() if look.buffer not in own)
    return found
