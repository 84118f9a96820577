"""Nodes in groups: what is computed in the same loops, and what stands alone.

Nodes are taken in order, and each joins the earliest group that may take it, so that what shares a
domain shares its loops: an element is loaded, computed and stored once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.compiler.nodes import (
    Buffer,
    Call,
    Looped,
    Map,
    Node,
    Reduction,
    Scan,
    Shape,
    Single,
    Update,
)


class Kernel:
    """Maps, parts, and either reductions or updates, over one domain in one nest of loops."""

    def __init__(self, domain: Shape) -> None:
        self.domain = domain
        self.nodes: list[Any] = []
        self.axes: tuple[int, ...] | None = None  # of its reductions
        self.updates = False
        self.made: dict[Buffer, Any] = {}

    def takes(self, node: Any) -> bool:
        """Whether ``node`` may be computed here: it needs nothing of another place in here."""
        if node.domain != self.domain:
            return False
        if isinstance(node, Reduction) and (self.updates or self.axes not in (None, node.axes)):
            return False
        if isinstance(node, Update) and self.axes is not None:  # updates keep the loops' order
            return False
        for look in node.looks():
            maker = self.made.get(look.buffer)
            if maker is not None and not (isinstance(maker, Map) and look.whole):
                return False
        return True

    def add(self, node: Any) -> None:
        """Append a node that it takes."""
        self.nodes.append(node)
        self.made[node.buffers[0]] = node
        if isinstance(node, Reduction):
            self.axes = node.axes
        self.updates |= isinstance(node, Update)


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


def group(nodes: Sequence[Node]) -> list[Step]:
    """Kernels, products and calls, in an order in which each comes after what it needs."""
    steps: list[Step] = []
    made_in: dict[Buffer, int] = {}
    read_in: dict[Buffer, int] = {}  # where what will be rewritten was looked at last
    for node in nodes:
        earliest = 0
        if isinstance(node, Update):
            buffer = node.buffers[0]
            earliest = max(made_in[buffer], read_in.get(buffer, -1)) + 1
        for look in node.looks():
            step = made_in.get(look.buffer)
            if step is None:
                continue
            maker = look.buffer.node
            same = (
                isinstance(node, Looped)
                and isinstance(maker, Map)
                and look.whole
                and maker.domain == node.domain
            )
            earliest = max(earliest, step if same else step + 1)
        place = len(steps)
        if isinstance(node, Looped):
            for at in range(earliest, len(steps)):
                found = steps[at]
                if isinstance(found, Kernel) and found.takes(node):
                    place = at
                    break
            else:
                steps.append(Kernel(node.domain))
            kernel = steps[place]
            assert isinstance(kernel, Kernel)
            kernel.add(node)
        else:
            assert isinstance(node, (Single, Scan, Call))
            steps.append(node)
        for buffer in node.buffers:
            made_in[buffer] = max(made_in.get(buffer, 0), place)  # several parts make one
        for look in node.looks():
            if look.buffer.rewritten:
                read_in[look.buffer] = max(read_in.get(look.buffer, 0), place)
    return steps


def nodes_of(step: Step) -> list[Any]:
    """The nodes of a step."""
    return step.nodes if isinstance(step, Kernel) else [step]


def stored(steps: Sequence[Step], results: Sequence[Buffer]) -> set[Buffer]:
    """Buffers that need memory: results, and what is looked at outside the loops that make it."""
    found = set(results)
    for step in steps:
        own = {buffer for node in nodes_of(step) for buffer in node.buffers}
        for node in nodes_of(step):
            if not isinstance(node, Map):
                found.update(node.buffers)
            found.update(look.buffer for look in node.looks() if look.buffer not in own)
    return found
