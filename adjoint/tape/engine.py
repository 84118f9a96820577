"""The backward pass: from the youngest node to the oldest, without recursion.

A node's inputs were made before it, so the order of the clock is a topological order and no
dependencies need counting. Working state belongs to the call: several threads may run backward
over one graph at once. Leaves are written only at the end, so a pass that fails changes none.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from operator import add
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.sums import accurate_sum
from adjoint.array.value import Value
from adjoint.errors import GraphError
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad, Edge, Node, Port
from adjoint.tape.tensor import Tensor, current_array, spoiled, wrap

ndarray = np.ndarray


class Capture:
    """The edges whose gradients a call asks for, and what has arrived there."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        self.wanted = {_key(edge) for edge in edges}
        self.found: dict[Any, Any] = {}

    def get(self, edge: Edge) -> Any:
        """The gradient that arrived at ``edge``, None if no path led there."""
        return self.found.get(_key(edge))


def _key(edge: Any) -> Any:
    return (id(edge.node), edge.index) if isinstance(edge, Port) else (id(edge), 0)


def run(
    roots: list[tuple[Any, Any]],
    level: int,
    *,
    keep_graph: bool,
    record: bool,
    capture: Capture | None = None,
) -> dict[AccumulateGrad, Any]:
    """Send the gradients of ``roots`` (pairs of edge and value) down the graph.

    Gradients are values of the array kind below ``level``, or Tensors of it with ``record``.
    Returns what arrived at each leaf, for the caller to store.
    """
    reachable = None if capture is None else _leading_to(roots, capture.wanted)
    if not record:
        return _run(roots, level, keep_graph, False, capture, reachable)
    previous = modes.enabled
    modes.enabled = True
    try:
        return _run(roots, level, keep_graph, True, capture, reachable)
    finally:
        modes.enabled = previous


def _run(
    roots: list[tuple[Any, Any]],
    level: int,
    keep_graph: bool,
    record: bool,
    capture: Capture | None,
    reachable: set[int] | None,
) -> dict[AccumulateGrad, Any]:
    youngest: list[int] = []  # a heap of negated ages of the nodes that have a gradient waiting
    waiting: dict[int, list[Any]] = {}  # age: [node, gradient or list of them, buffer is ours]
    leaves: dict[AccumulateGrad, list[Any]] = {}
    for edge, g in roots:
        _deliver(edge, g, waiting, youngest, leaves)
    while youngest:
        node, g, _ = waiting.pop(-heappop(youngest))
        while node is not None:  # along a chain, where one node waits: no heap, 0.3 us less a node
            if node.hooks is not None:
                g = node.hooks.before(g, level, record)
            if capture is not None:
                _capture(capture, node, g)
                if id(node) not in reachable:  # type: ignore[operator]
                    break
            saved = node.saved
            if saved is None:
                raise freed(node)
            plan = node.plan
            direct = plan.direct
            if direct is not None and not record:
                place, formula, position = direct
                value = saved[position]
                if isinstance(value, Tensor) and value._level == level:
                    memory = value._memory
                    if memory is not None and memory.written > node.sequence:
                        raise spoiled(value, node)
                    value = value._array
                try:
                    g = formula(g, value)
                except WARNINGS:
                    g = quietly(formula, g, value)
                if not keep_graph and type(value) is ndarray:
                    node.saved = None
                edge = node.edges[place]
                kind = type(edge)
                if youngest or kind is AccumulateGrad or kind is Port:
                    _deliver(edge, g, waiting, youngest, leaves)
                    break
                if g.shape != edge.shape or g.dtype is not edge.dtype:
                    g = fit(g, edge.shape, edge.dtype)
                node = edge
                continue
            try:
                gradients = plan.pull(node, g, level, record)
            except WARNINGS:
                gradients = quietly(plan.pull, node, g, level, record)
            if not keep_graph and plan.holds and _holds_values(saved, plan.holds):
                node.saved = None
            following = None  # the only node that waits, if it stays the only one
            for edge, arriving in zip(node.edges, gradients):  # noqa: B905 - the plan made both
                if edge is None or arriving is None:
                    continue
                kind = type(edge)
                if following is None and not youngest and kind not in ENDS:
                    if arriving.shape != edge.shape or arriving.dtype is not edge.dtype:
                        arriving = fit(arriving, edge.shape, edge.dtype)
                    following, g = edge, arriving
                    continue
                if following is not None and kind is not AccumulateGrad:
                    _deliver(following, g, waiting, youngest, leaves)
                    following = None
                _deliver(edge, arriving, waiting, youngest, leaves)
            node = following
    return _finish_leaves(leaves, level, record, capture)


ENDS = (AccumulateGrad, Port)
# What NumPy raises for infinities and NaNs where the user made its warnings into errors. They are
# ordinary results here. Formulas have no effects, so one that stopped is simply run again; that
# costs nothing until then, where silencing every pass would cost 0.7 microseconds.
WARNINGS = (RuntimeWarning, FloatingPointError)


def quietly(function: Any, *args: Any) -> Any:
    """Call with NumPy's floating-point warnings off."""
    with np.errstate(all="ignore"):
        return function(*args)


def _holds_values(saved: tuple[Any, ...], count: int) -> bool:
    """Whether a node saved any array: one that did not can be gone through again, as in PyTorch."""
    for value in saved[:count]:  # noqa: SIM110 - half the time of a generator
        if isinstance(value, (ndarray, Value, tuple)):
            return True
    return False


def _deliver(
    edge: Any,
    g: Any,
    waiting: dict[int, list[Any]],
    youngest: list[int],
    leaves: dict[AccumulateGrad, list[Any]],
) -> None:
    """Leave a gradient at an edge, added to what is there."""
    if g.shape != edge.shape or g.dtype is not edge.dtype:
        g = fit(g, edge.shape, edge.dtype)
    kind = type(edge)
    if kind is AccumulateGrad:
        entry = leaves.get(edge)
        if entry is None:
            leaves[edge] = [edge, g, False]
            return
    elif kind is Port:
        _arrive_at_port(edge, g, waiting, youngest)
        return
    else:
        age = edge.sequence
        entry = waiting.get(age)
        if entry is None:
            waiting[age] = [edge, g, False]
            heappush(youngest, -age)
            return
    present = entry[1]
    if entry[2] and type(present) is ndarray and type(g) is ndarray:
        try:  # noqa: SIM105 - `suppress` costs as much as a small sum
            np.add(present, g, out=present)  # into a buffer that this pass has made
        except WARNINGS:
            pass  # raised when the sum is there already
    else:
        try:
            entry[1] = present + g
        except WARNINGS:
            entry[1] = quietly(add, present, g)
        entry[2] = True


def _finish_leaves(
    leaves: dict[AccumulateGrad, list[Any]], level: int, record: bool, capture: Capture | None
) -> dict[AccumulateGrad, Any]:
    """Run the leaves' hooks, all before any ``.grad`` is touched."""
    arrived: dict[AccumulateGrad, Any] = {}
    for leaf, (_, g, _) in leaves.items():
        if leaf.hooks is not None:
            g = leaf.hooks.before(g, level, record)
        if capture is None:
            arrived[leaf] = g
        elif _key(leaf) in capture.wanted:
            capture.found[_key(leaf)] = g
    return arrived


def _arrive_at_port(port: Port, g: Any, waiting: dict[int, list[Any]], youngest: list[int]) -> None:
    """Put a gradient into its place among those of a node with several outputs."""
    entry = waiting.get(port.sequence)
    if entry is None:
        entry = waiting[port.sequence] = [port.node, [None] * port.node.plan.row.output_count, {}]
        heappush(youngest, -port.sequence)
    place = entry[1]
    if port.index >= len(place):
        place.extend([None] * (port.index + 1 - len(place)))
    present = place[port.index]
    place[port.index] = g if present is None else present + g


def fit(g: Any, shape: tuple[int, ...], kind: Any) -> Any:
    """Undo broadcasting and promotion: sum ``g`` to ``shape``, and cast it to the type."""
    if g.shape != shape:
        try:
            g = sum_to_shape(g, shape)
        except WARNINGS:
            g = quietly(sum_to_shape, g, shape)
    wanted = kind if isinstance(kind, dtypes.dtype) else dtypes.from_numpy(kind)
    present = dtypes.of(g)
    if present is not wanted:
        if present.is_complex and not wanted.is_complex:
            g = rows.real(g)
        if isinstance(g, Value):
            g = rows.to_dtype(g, wanted)
        else:
            g = g.astype(wanted.numpy)
    return g


class _Rows:
    """The few rows of the table that the engine itself applies; the table fills them in."""

    to_dtype: Any
    real: Any
    sum: Any
    reshape: Any
    expand: Any
    conj: Any
    permute: Any
    select: Any
    stack: Any


rows = _Rows()


def sum_to_shape(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``g`` over the dimensions along which a value of ``shape`` was stretched.

    The one place where broadcasting is undone. A ``g`` that is smaller is stretched itself.
    """
    extra = len(g.shape) - len(shape)
    if extra < 0 or any(a == 1 and b != 1 for a, b in zip(g.shape[extra:], shape, strict=True)):
        return rows.expand(g, shape)
    dims = [-place - 1 for place, size in enumerate(reversed(shape)) if size == 1]
    dims = [dim for dim in dims if g.shape[dim] != 1]
    dims += range(-len(g.shape), -len(shape))
    if dims:
        g = (
            accurate_sum(g, tuple(dims), True)
            if type(g) is ndarray
            else rows.sum(g, tuple(dims), True)
        )
    return g.reshape(shape) if type(g) is ndarray else rows.reshape(g, shape)


def _leading_to(roots: list[tuple[Any, Any]], wanted: set[Any]) -> set[int]:
    """Ids of the nodes from which a wanted edge can be reached below, by depth-first search."""
    wanted_nodes = {key[0] for key in wanted}
    leads: dict[int, bool] = {}
    stack: list[tuple[Any, bool]] = [(_node(edge), False) for edge, _ in roots]
    while stack:
        node, expanded = stack.pop()
        if node is None:
            continue
        if expanded:
            leads[id(node)] = any(
                edge is not None
                and (id(_node(edge)) in wanted_nodes or leads.get(id(_node(edge)), False))
                for edge in node.edges
            )
        elif id(node) not in leads:
            leads[id(node)] = False
            stack.append((node, True))
            stack.extend(
                (_node(edge), False)
                for edge in node.edges
                if edge is not None and id(_node(edge)) not in leads
            )
    return {identity for identity, value in leads.items() if value}


def _node(edge: Any) -> Any:
    return edge.node if isinstance(edge, Port) else edge


def _capture(capture: Capture, node: Node, g: Any) -> None:
    if isinstance(g, list):
        for index, part in enumerate(g):
            if part is not None and (id(node), index) in capture.wanted:
                capture.found[id(node), index] = part
    elif (id(node), 0) in capture.wanted:
        capture.found[id(node), 0] = g


def freed(node: Node) -> GraphError:
    """The error for going twice through a graph whose saved values are gone."""
    return GraphError(
        "Trying to backward through the graph a second time: the values that "
        f"{node.name()} saved at {node.where()} were freed by the first backward. Specify "
        "retain_graph=True there if you need to go through the graph again"
    )


def resolve(value: Any, node: Node, level: int, record: bool) -> Any:
    """A saved value as a formula wants it: its array, or itself where the pass is recorded."""
    if isinstance(value, Tensor) and value._level == level:
        array = current_array(value, node)
        return value if record else array
    return value


def rebuild(array: Any, edge: Edge, level: int) -> Tensor:
    """A saved output as the Tensor it was: kept as data so that no cycle holds the graph."""
    tensor = wrap(array, level)
    tensor._node = edge
    return tensor
