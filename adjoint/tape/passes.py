"""One backward pass: what it was asked for, and what only some passes need to know of the graph."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from adjoint.tape.hooks import show_before, show_gradient
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad, Edge, Node, Port, user_frame
from adjoint.tape.saved import Freed

new = object.__new__

_AGE = attrgetter("sequence")

Roots = list[tuple[Any, Any]]


def node_of(edge: Any) -> Any:
    """The node an edge leads to."""
    return edge.node if isinstance(edge, Port) else edge


def key_of(edge: Any) -> tuple[int, int]:
    """What tells edges apart: the node, and which of its outputs."""
    return (id(edge.node), edge.index) if isinstance(edge, Port) else (id(edge), 0)


class Capture:
    """The edges whose gradients a call asks for, and what has arrived there."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        self.wanted = {key_of(edge) for edge in edges}
        self.found: dict[Any, Any] = {}

    def get(self, edge: Edge) -> Any:
        """The gradient that arrived at ``edge``, None if no path led there."""
        return self.found.get(key_of(edge))

    def wants(self, node: Node) -> bool:
        """Whether the gradient of one of the node's outputs is asked for."""
        return any(key[0] == id(node) for key in self.wanted)

    def take(self, node: Node, g: Any) -> None:
        """Note the gradients of ``node`` that are wanted."""
        if isinstance(g, list):
            for index, part in enumerate(g):
                if part is not None and (id(node), index) in self.wanted:
                    self.found[id(node), index] = part
        elif (id(node), 0) in self.wanted:
            self.found[id(node), 0] = g


class Pass:
    """One backward pass."""

    # What only some passes need; made anew for each backward, so that every name counts.
    reachable: set[int] | None = None
    freed: Freed | None = None
    observers: tuple[Any, ...] = ()
    completed: set[Any] | None = None  # leaves whose hooks have run
    _expected: Counter[Any] | None = None
    _executed: set[int] | None = None

    def __init__(
        self,
        roots: Roots,
        level: int,
        keep_graph: bool,
        record: bool,
        capture: Capture | None,
        accumulate: Callable[..., None] | None,
    ) -> None:
        self.roots = roots
        self.level = level
        self.record = record
        self.capture = capture
        self.accumulate = accumulate  # stores a leaf's gradient at once, for those who wait for it
        if capture is not None:
            self.reachable = _leading_to(roots, capture.wanted)
        if not keep_graph:
            freed = self.freed = new(Freed)
            frame = user_frame(sys._getframe(2))
            if frame is None:
                freed.code, freed.instruction = None, 0
            else:
                freed.code, freed.instruction = frame.f_code, frame.f_lasti
        recorder = modes.recorder
        if recorder is not True:
            self.observers = recorder.observers

    @property
    def notes(self) -> dict[Any, Any]:
        """What hooks keep as long as the pass lasts."""
        found: dict[Any, Any] = self.__dict__.setdefault("_notes", {})
        return found

    def _count(self) -> Counter[Any]:
        """How many gradients each leaf with hooks may get; also which nodes will be executed."""
        expected: Counter[Any] = Counter()
        executed: set[int] = set()
        stack: list[Any] = []
        reachable = self.reachable
        wanted = () if self.capture is None else self.capture.wanted

        def come_to(edge: Any) -> None:
            node = node_of(edge)
            if type(node) is AccumulateGrad:
                expected[node] += 1
                executed.add(id(node))
            elif id(node) not in executed:
                if reachable is None or id(node) in reachable:
                    stack.append(node)
                    executed.add(id(node))
                elif key_of(edge) in wanted:
                    executed.add(id(node))

        for edge, _ in self.roots:
            come_to(edge)
        while stack:
            for edge in stack.pop().edges:
                if edge is not None:
                    come_to(edge)
        self._expected, self._executed = expected, executed
        return expected

    def is_complete(self, leaf: AccumulateGrad) -> bool:
        """Count one gradient that has arrived at a leaf; whether it was the last."""
        expected = self._count() if self._expected is None else self._expected
        expected[leaf] -= 1
        return expected[leaf] == 0

    def complete(self, leaf: AccumulateGrad, leaves: dict[AccumulateGrad, list[Any]]) -> None:
        """The whole gradient of ``leaf`` is there: show it to the leaf's hooks."""
        entry, hooks = leaves[leaf], leaf.hooks
        if self.completed is None:
            self.completed = set()
        self.completed.add(leaf)
        if self.capture is not None and not self.capture.wants(leaf):
            del leaves[leaf]
            return
        if hooks is not None:
            entry[1] = show_before(hooks, show_gradient(hooks, entry[1], self), self)
        if entry[1] is None:  # a hook has taken it away
            del leaves[leaf]
            return
        waited = hooks is not None and (hooks.accumulated or hooks.after)
        if waited and self.accumulate is not None:
            self.accumulate(leaf, entry[1], self.level, self.record, self)
        elif self.capture is not None:
            self.capture.take(leaf, entry[1])
        else:
            return
        del leaves[leaf]

    def finish(self, leaves: dict[AccumulateGrad, list[Any]]) -> None:
        """Show the gradients of leaves to hooks that still wait for more, which will not come."""
        for leaf in list(leaves):
            waits = leaf.hooks is not None or self.capture is not None
            if waits and leaf not in (self.completed or ()):
                self.complete(leaf, leaves)

    def needs(self, edge: Any) -> bool:
        """Whether the pass has a use for a gradient at ``edge``."""
        if self.capture is None:
            return True
        return id(node_of(edge)) in (self.reachable or ()) or key_of(edge) in self.capture.wanted

    def will_execute(self, edge: Any) -> bool:
        """Whether the pass comes through the node of ``edge``, or asks for its gradient."""
        if self._executed is None:
            self._count()
        node, capture = node_of(edge), self.capture
        asked = capture is None or key_of(edge) in capture.wanted
        if not asked and (type(node) is AccumulateGrad or id(node) not in (self.reachable or ())):
            return False
        return id(node) in (self._executed or ())


def _leading_to(roots: Roots, wanted: set[Any]) -> set[int]:
    """Ids of the nodes from which a wanted edge can be reached below.

    All nodes below the roots are found first, and then taken from the oldest: what a node leads to
    is older, and known by then.
    """
    nodes: dict[int, Any] = {}
    stack = [node_of(edge) for edge, _ in roots]
    while stack:
        node = stack.pop()
        if id(node) in nodes:
            continue
        nodes[id(node)] = node
        for edge in node.edges:
            if type(edge) is Port:
                stack.append(edge.node)
            elif edge is not None and type(edge) is not AccumulateGrad:
                stack.append(edge)
    leading = {key[0] for key in wanted}
    found: set[int] = set()
    for node in sorted(nodes.values(), key=_AGE):
        for edge in node.edges:
            if edge is not None:
                below = id(edge.node) if type(edge) is Port else id(edge)
                if below in leading:
                    leading.add(id(node))
                    found.add(id(node))
                    break
    return found
