"""Jacobians row by row through one tape: many cotangents at a time, as many as memory allows.

The tape is recorded once, for a single example. A chunk of rows goes through it as a batch, so
what a chunk costs is the gradients that wait at the same time, which the tape's order tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from math import prod
from typing import Any, NamedTuple

import numpy as np

from adjoint import dtypes
from adjoint.array.batch import Batch
from adjoint.array.memory import ones_like
from adjoint.array.value import transform_level
from adjoint.func.levels import outside
from adjoint.func.pieces import Pieces
from adjoint.ops.kinds.row import Plan
from adjoint.shapes import product
from adjoint.tape.engine import rows as basic
from adjoint.tape.node import AccumulateGrad, Port
from adjoint.tape.passes import node_of

# A chunk may take a quarter of what the result takes, and this many bytes in any case.
SHARE, FLOOR = 4, 8 * 2**20

Pull = Callable[[list[Any]], list[Any]]


def jacobian_rows(
    pull: Pull,
    nodes: Sequence[Any],
    outs: Sequence[Any],
    leaves: Sequence[Any],
    chunk: int,
) -> list[list[Pieces]]:
    """For each output and each leaf the Jacobian, its first dimension numbering output elements.

    ``pull`` maps cotangents of the outputs (None for one that does not matter) to those of the
    leaves; an output without a node is a constant.
    """
    sizes = [product(out.shape) for out in outs]
    total = sum(sizes)
    table = [[Pieces(size, 0) for _ in leaves] for size in sizes]
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    for start in range(0, total, chunk):
        stop = min(start + chunk, total)
        spans = [
            (number, max(start, first), min(stop, first + size))
            for number, (first, size) in enumerate(zip(starts, sizes, strict=True))
            if first < stop and start < first + size
        ]
        for number, low, high, values in _chunk(pull, nodes, outs, leaves, spans, starts):
            for pieces, value in zip(table[number], values, strict=True):
                pieces.add(value[low:high] if high - low != value.shape[0] else value)
    return table


def _chunk(
    pull: Pull,
    nodes: Sequence[Any],
    outs: Sequence[Any],
    leaves: Sequence[Any],
    spans: list[tuple[int, int, int]],
    starts: list[int],
) -> list[tuple[int, int, int, list[Any]]]:
    """The rows of ``spans``, all in one batch: output, its rows within the batch, and values."""
    first = spans[0][1]
    count = spans[-1][2] - first
    gradients: list[Any] = [None] * len(outs)
    with transform_level() as level:
        for number, low, high in spans:
            if nodes[number] is None:
                continue
            out = outs[number]
            if count == 1:
                g = basis(out, low - starts[number], 1, 0, 1).reshape(tuple(out.shape))
                gradients[number] = g
            else:
                g = basis(out, low - starts[number], high - low, low - first, count)
                gradients[number] = Batch(level, g)
        found = pull(gradients)
        values = [as_rows(g, level, count, leaf) for g, leaf in zip(found, leaves, strict=True)]
    return [(number, low - first, high - first, values) for number, low, high in spans]


def basis(value: Any, first: int, rows: int, offset: int, count: int) -> Any:
    """``count`` arrays of the value's shape, zero but for a one in each of ``rows`` of them.

    These are the ones from ``offset`` on; they have it at their elements from ``first`` on.
    """
    shape = tuple(value.shape)
    if rows == count == product(shape):
        return np.eye(count, dtype=dtypes.of(value).numpy).reshape((count, *shape))
    out = np.zeros((count, product(shape)), dtypes.of(value).numpy)
    places = np.arange(rows)
    out[places + offset, places + first] = 1
    return out.reshape((count, *shape))


def as_rows(g: Any, level: int, count: int, like: Any) -> Any:
    """A batch of gradients with its axis in front, as memory or a Tensor.

    None is zeros, and one for all is repeated.
    """
    if g is None:
        kind = dtypes.of(like).numpy
        return np.broadcast_to(np.zeros((), kind), (count, *tuple(like.shape)))
    inside = isinstance(g, Batch) and g._level == level
    value = g.value if inside else basic.expand(g, (count, *tuple(g.shape)))
    return value if type(value) is np.ndarray else outside(value)


def single_row(pull: Pull, out: Any) -> list[Any]:
    """The gradients of one output of one element."""
    return pull([ones_like(out)])


# -- how many rows at a time --------------------------------------------------------------------


class Survey(NamedTuple):
    """What is on a tape: the bytes of all gradients of one row, its leaves, and users' code."""

    size: int
    leaves: set[Any]
    runs_users_code: bool  # hooks, and the backward of Functions


def survey(nodes: Sequence[Any]) -> Survey:
    """Look at everything that can be reached from ``nodes``."""
    seen: set[Any] = set()
    leaves: set[Any] = set()
    stack = [node_of(edge) for edge in nodes if edge is not None]
    push = stack.append
    size, users = 0, False
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        size += prod(node.shape)
        if node.hooks is not None:
            users = True
        edges = node.edges
        if edges:
            if type(node.plan) is not Plan:
                users = True
            for edge in edges:
                if edge is not None:
                    push(edge.node if type(edge) is Port else edge)
        elif type(node) is AccumulateGrad:
            leaves.add(node)
    return Survey(8 * size, leaves, users)


def rows_at_a_time(
    nodes: Sequence[Any],
    outs: Sequence[Any],
    leaves: Sequence[Any],
    size: int,
    record: bool = False,
) -> int:
    """How many rows of a Jacobian may go through the tape together, for the memory they take.

    ``size`` is the bytes of all gradients of one row. A pass that is recorded keeps all of them in
    any case, so there it takes the rows together.
    """
    total = sum([product(out.shape) for out in outs])
    row = sum([_bytes(leaf.shape, leaf.dtype) for leaf in leaves])
    allowed = max(FLOOR, total * row // SHARE)
    if record or total * (size + 2 * row) <= allowed:
        return max(total, 1)
    # What waits, what is being computed (three values at a time), and the row itself.
    return max(1, min(total, allowed // (_waiting(nodes) + 2 * row)))


def _bytes(shape: Any, kind: Any) -> int:
    kind = kind.numpy if isinstance(kind, dtypes.dtype) else kind
    return product(tuple(shape)) * int(kind.itemsize)


def _waiting(nodes: Sequence[Any]) -> int:
    """The most bytes of gradients that one cotangent keeps alive at a time, in the tape's order."""
    sizes: dict[Any, int] = {}
    ages: list[tuple[int, int]] = []
    known: dict[int, Any] = {}
    alive = most = 0

    def deliver(edge: Any) -> int:
        node = node_of(edge)
        key = (id(node), edge.index if isinstance(edge, Port) else 0)
        if id(node) not in known:
            known[id(node)] = node
            heappush(ages, (-node.sequence, id(node)))
        if key in sizes:
            return 0
        sizes[key] = _bytes(edge.shape, edge.dtype)
        return sizes[key]

    for edge in nodes:
        if edge is not None:
            alive += deliver(edge)
    while ages:
        node = known[heappop(ages)[1]]
        arrived = sum(sizes.get((id(node), index), 0) for index in range(_outputs(node)))
        sent = sum(deliver(edge) for edge in node.edges if edge is not None)
        alive += sent
        most = max(most, alive + 2 * max(arrived, sent))
        if node.edges:  # what arrived at a leaf stays
            alive -= arrived
    return most


def _outputs(node: Any) -> int:
    return getattr(getattr(node.plan, "row", None), "output_count", 1) if node.edges else 1
