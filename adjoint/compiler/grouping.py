"""Nodes in steps: kernels, and what stands alone, in an order in which each has what it needs.

Nodes are taken in order, and each joins the earliest step that may take it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.compiler.arrangement import count
from adjoint.compiler.frames import Frame, accesses, ends_reduced
from adjoint.compiler.kernels import TINY, Kernel, Step, nodes_of
from adjoint.compiler.nodes import Buffer, Call, Looped, Map, Node, Reduction, Scan, Single, Update

WIDE = 16  # elements along which sums are worth going through memory


def group(nodes: Sequence[Node]) -> list[Step]:
    """Kernels, products and calls, in an order in which each comes after what it needs."""
    steps: list[Step] = []
    made_in: dict[Buffer, int] = {}
    read_in: dict[Buffer, int] = {}  # where what will be rewritten was looked at last
    index = _Index()
    for node in _numbers_first(nodes):
        earliest = 0
        if isinstance(node, Update):
            buffer = node.buffers[0]
            earliest = max(made_in[buffer], read_in.get(buffer, -1)) + 1
        for look in node.looks():
            step = made_in.get(look.buffer)
            if step is None:
                continue
            joins = isinstance(node, Looped) and isinstance(steps[step], Kernel)
            earliest = max(earliest, step if joins else step + 1)
        place = len(steps)
        if isinstance(node, Looped):
            for at in index.candidates(node, earliest):
                found = steps[at]
                assert isinstance(found, Kernel)
                fit = found.fit(node)
                if fit is not None:
                    found.add(node, fit)
                    place = at
                    break
            else:
                kernel = Kernel(node.domain)
                kernel.add(node)
                steps.append(kernel)
            index.add(node, place)
        else:
            assert isinstance(node, (Single, Scan, Call))
            steps.append(node)
        for buffer in node.buffers:
            made_in[buffer] = max(made_in.get(buffer, 0), place)  # several parts make one
        for look in node.looks():
            if look.buffer.rewritten:
                read_in[look.buffer] = max(read_in.get(look.buffer, 0), place)
    return _sunk(steps)


class _Index:
    """Where kernels are that a node may join: a program has thousands, and few come into question.

    A kernel takes what shares a buffer with it, or has the same tiny domain (see ``Kernel.fit``).
    """

    def __init__(self) -> None:
        self.touching: dict[Buffer, set[int]] = {}
        self.tiny: dict[Any, set[int]] = {}

    def candidates(self, node: Looped, earliest: int) -> list[int]:
        """Places of kernels among the steps, in order."""
        found: set[int] = set()
        for access in accesses(node):
            found |= self.touching.get(access.buffer, set())
        if count(node.domain) <= TINY:
            found |= self.tiny.get(node.domain, set())
        return sorted(place for place in found if place >= earliest)

    def add(self, node: Looped, place: int) -> None:
        """Remember that a node has joined the kernel at a place."""
        for buffer in (*node.buffers, *[access.buffer for access in accesses(node)]):
            self.touching.setdefault(buffer, set()).add(place)
        if count(node.domain) <= TINY:
            self.tiny.setdefault(node.domain, set()).add(place)


def _sunk(steps: list[Step]) -> list[Step]:
    """Kernels computed within the first that needs them, where the loops are the same.

    Nodes that shared nothing with others when they came stand apart until what they lead to.
    """
    kept: list[Step | None] = list(steps)
    looked = [_looked_at(step) for step in steps]
    for at in reversed(range(len(steps))):
        step = kept[at]
        if not isinstance(step, Kernel) or step.updates or step.empty:
            continue
        if any(buffer.rewritten for buffer in (*step.made, *looked[at])):
            continue
        for later in range(at + 1, len(steps)):
            other = kept[later]
            if other is not None and not looked[later].isdisjoint(step.made):
                merged = _merged(step, other) if isinstance(other, Kernel) else None
                if merged is not None:
                    kept[at], kept[later] = None, merged
                    looked[later] |= looked[at]
                break
    found = [each for each in kept if each is not None]
    for step in found:
        if isinstance(step, Kernel):
            turn(step)
    return found


def turn(kernel: Kernel) -> None:
    """Let sums go through memory as it lies: along kept axes inside, if that is how it lies."""
    reductions = [each for each in kernel.nodes if isinstance(each, Reduction)]
    if len(kernel.phases) > 1 or kernel.updates or kernel.empty or not reductions:
        return
    axes, domain = reductions[0].axes, kernel.domain
    if any(each.axes != axes for each in reductions) or not ends_reduced(reductions[0]):
        return
    if any(each.domain != domain for each in kernel.nodes):
        return
    large = [axis for axis, size in enumerate(domain) if size != 1]
    along = [axis for axis in large if axis in axes]
    kept = [axis for axis in large if axis not in axes]
    if not along or not kept or domain[kept[-1]] < WIDE:
        return
    votes = 0
    for node in kernel.nodes:
        for access in accesses(node):
            if access.buffer not in kernel.made and access.strides is not None:
                inner, outer = abs(access.strides[along[-1]]), abs(access.strides[kept[-1]])
                votes += (outer == 1 and inner > 1) - (inner == 1 and outer > 1)
    if votes > 0:
        order = (*along, *kept)
        sizes = tuple(domain[axis] for axis in order)
        kernel.frame = Frame(sizes, ((),), None if list(order) == large else order)


def _looked_at(step: Step) -> set[Buffer]:
    return {look.buffer for node in nodes_of(step) for look in node.looks()}


def _merged(first: Kernel, second: Kernel) -> Kernel | None:
    """Both in one, if that takes no more phases, nor fewer outer loops."""
    if second.updates or second.empty or first.domain != second.domain:
        return None
    merged = Kernel(first.domain)
    for node in (*first.nodes, *second.nodes):
        fit = merged.fit(node, near=True)
        if fit is None:
            return None
        merged.add(node, fit)
    phases = max(len(first.phases), len(second.phases))
    same = merged.frame.outer == first.frame.outer == second.frame.outer
    return merged if same and len(merged.phases) <= phases else None


def _numbers_first(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, in front those that make a few numbers of a few numbers, as an optimizer's rates.

    Where they stand, after the first loops, they would part what is before from what is after.
    """
    made = {buffer for node in nodes for buffer in node.buffers}
    first: list[Node] = []
    others: list[Node] = []
    for node in nodes:
        early = (
            type(node) is Map
            and node.buffers[0].size <= TINY
            and not node.buffers[0].rewritten
            and all(
                look.buffer not in made and look.buffer.size <= TINY and not look.buffer.rewritten
                for look in node.looks()
            )
        )
        if early:
            made.difference_update(node.buffers)
        (first if early else others).append(node)
    return first + others
