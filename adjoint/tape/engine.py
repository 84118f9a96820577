"""The backward pass: from the youngest node to the oldest, without recursion.

A node's inputs were made before it, so the order of the clock is a topological order and no
dependencies need counting. Working state belongs to the call: several threads may run backward
over one graph at once. Leaves are written only at the end, so a pass that fails changes none.
"""

from __future__ import annotations

from heapq import heappop, heappush
from operator import add
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.sums import accurate_sum
from adjoint.array.value import Value
from adjoint.tape.hooks import running, show_after, show_before, show_gradient, unpack_saved
from adjoint.tape.modes import modes
from adjoint.tape.names import all_gradients, shown_gradients
from adjoint.tape.node import AccumulateGrad, Edge, Node, Port
from adjoint.tape.passes import Capture, Pass, Roots
from adjoint.tape.tensor import Tensor, current_array, spoiled, wrap

ndarray = np.ndarray


def run(
    roots: Roots,
    level: int,
    *,
    keep_graph: bool,
    record: bool,
    capture: Capture | None = None,
    accumulate: Any = None,
) -> dict[AccumulateGrad, list[Any]]:
    """Send the gradients of ``roots`` (pairs of edge and value) down the graph.

    Gradients are values of the array kind below ``level``, or Tensors of it with ``record``.
    Returns what arrived at each leaf (``[leaf, gradient, ...]``), for the caller to store;
    ``accumulate`` stores it at once for a leaf whose hooks wait for that.
    """
    task = Pass(roots, level, keep_graph, record, capture, accumulate)
    outer = running.task
    running.task = task  # for hooks, and for Functions that go back themselves
    if not record:
        try:
            return _run(task)
        finally:
            running.task = outer
    previous = modes.enabled
    modes.enabled = modes.recorder
    try:
        return _run(task)
    finally:
        running.task = outer
        modes.enabled = previous


def _run(task: Pass) -> dict[AccumulateGrad, list[Any]]:
    level, record, capture, freed = task.level, task.record, task.capture, task.freed
    observers = task.observers
    plain = not record and not observers
    youngest: list[int] = []  # a heap of negated ages of the nodes that have a gradient waiting
    waiting: dict[int, list[Any]] = {}  # age: [node, gradient or list of them, buffer is ours]
    leaves: dict[AccumulateGrad, list[Any]] = {}  # the same of leaves
    node = g = None  # along a chain, where one node waits: no heap, 0.3 us less a node
    if len(task.roots) == 1 and type(task.roots[0][0]) not in ENDS:
        node, g = task.roots[0]
        array = g._array if type(g) is Tensor else g
        if array.shape != node.shape or array.dtype is not node.dtype:
            g = fit(g, node.shape, node.dtype)
    else:
        for edge, g in task.roots:
            _deliver(edge, g, waiting, youngest, leaves, task)
    while True:
        if node is None:
            if not youngest:
                break
            node, g, _ = waiting.pop(-heappop(youngest))
        hooks = node.hooks
        if capture is None:
            if hooks is not None:
                g = show_gradient(hooks, g, task)
        else:
            leads = id(node) in task.reachable  # type: ignore[operator]
            if leads:  # as PyTorch, which then takes the gradient before hooks replace it
                capture.take(node, g)
            if hooks is not None and (leads or capture.wants(node)):
                g = show_gradient(hooks, g, task)
            if not leads:
                capture.take(node, g)
                node = None
                continue
        saved = node.saved
        if type(saved) is not tuple:
            saved = unpack_saved(node, task)
        plan = node.plan
        direct = plan.direct
        if direct is not None and plain and hooks is None:
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
            if freed is not None and (type(value) is ndarray or isinstance(value, Value)):
                node.saved = freed
            edge = node.edges[place]
            kind = type(edge)
            if youngest or kind is AccumulateGrad or kind is Port:
                _deliver(edge, g, waiting, youngest, leaves, task)
                node = None
                continue
            if g.shape != edge.shape or g.dtype is not edge.dtype:
                g = fit(g, edge.shape, edge.dtype)
            node = edge
            continue
        if hooks is not None or observers:
            gradients = _pull_watched(node, saved, g, task)
        else:
            try:
                gradients = plan.pull(node, saved, g, level, record)
            except WARNINGS:
                gradients = quietly(plan.pull, node, saved, g, level, record)
        if freed is not None and plan.holds and _holds_values(saved, plan.holds):
            node.saved = freed
        following = None  # the only node that waits, if it stays the only one
        for edge, arriving in zip(node.edges, gradients):  # noqa: B905 - the plan made both
            if edge is None or arriving is None:
                continue
            kind = type(edge)
            if following is None and not youngest and kind not in ENDS:
                array = arriving._array if type(arriving) is Tensor else arriving
                if array.shape != edge.shape or array.dtype is not edge.dtype:
                    arriving = fit(arriving, edge.shape, edge.dtype)
                following, g = edge, arriving
                continue
            if following is not None and kind is not AccumulateGrad:
                _deliver(following, g, waiting, youngest, leaves, task)
                following = None
            _deliver(edge, arriving, waiting, youngest, leaves, task)
        node = following
    for leaf in leaves:
        if leaf.hooks is not None or capture is not None:
            task.finish(leaves)
            break
    return leaves


def _pull_watched(node: Node, saved: tuple[Any, ...], g: Any, task: Pass) -> list[Any]:
    """One node's formulas between its hooks and before those who watch."""
    hooks = node.hooks
    if hooks is not None:
        g = show_before(hooks, g, task)
    gradients: list[Any] = [None] * len(node.edges)
    if g is not None:  # no hook has taken it away
        gradients = _pull_observed(node, saved, g, task)
    if hooks is None or not hooks.after:
        return gradients
    fitted = [
        fit(each, edge.shape, edge.dtype)
        if edge is not None and each is not None and task.needs(edge)
        else None
        for edge, each in zip(node.edges, gradients)  # noqa: B905 - the plan made both
    ]
    return all_gradients(node, show_after(hooks, g, shown_gradients(node, fitted), task))


def _pull_observed(node: Node, saved: tuple[Any, ...], g: Any, task: Pass) -> list[Any]:
    for observer in task.observers:
        observer.passing(node, g)
    pull = node.plan.pull
    try:
        try:
            gradients: list[Any] = pull(node, saved, g, task.level, task.record)
        except WARNINGS:
            gradients = quietly(pull, node, saved, g, task.level, task.record)
    except BaseException as error:
        for observer in task.observers:
            observer.failed(node, error)
        raise
    for observer in task.observers:
        observer.passed(node, g, gradients)
    return gradients


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
    task: Pass,
) -> None:
    """Leave a gradient at an edge, added to what is there."""
    array = g._array if type(g) is Tensor else g  # its own shape is made anew at each look
    if array.shape != edge.shape or array.dtype is not edge.dtype:
        g = fit(g, edge.shape, edge.dtype)
    kind = type(edge)
    if kind is AccumulateGrad:
        entry = leaves.get(edge)
        if entry is None:
            leaves[edge] = [edge, g, False]
        else:
            _add(entry, g)
        if edge.hooks is not None and task.is_complete(edge):
            task.complete(edge, leaves)
        return
    if kind is Port:
        _arrive_at_port(edge, g, waiting, youngest)
        return
    age = edge.sequence
    entry = waiting.get(age)
    if entry is None:
        waiting[age] = [edge, g, False]
        heappush(youngest, -age)
        return
    _add(entry, g)


def _add(entry: list[Any], g: Any) -> None:
    """Add to a gradient that waits, in place if its buffer is the pass's own."""
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
    if kind is None:  # a leaf whose ``grad_dtype`` is None
        return g
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
    clone: Any
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
