"""Which lines of the user's code keep how much memory for the backward pass."""

from __future__ import annotations

import linecache
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from adjoint.array.memory import owner_of
from adjoint.array.value import Value
from adjoint.errors import GraphError
from adjoint.tape.backward import as_sequence
from adjoint.tape.edges import edge_of
from adjoint.tape.node import AccumulateGrad, Node, shorten
from adjoint.tape.passes import node_of
from adjoint.tape.saved import Freed, Packed, PackedValues
from adjoint.tape.tensor import Tensor


class SavedLine(NamedTuple):
    """What the operations of one line of code have saved."""

    file: str
    line: int
    bytes: int
    tensors: int
    operations: dict[str, int]  # names of nodes, and how many there are

    @property
    def where(self) -> str:
        """``file:line``, the file relative to the working directory."""
        return f"{shorten(self.file)}:{self.line}" if self.line else self.file


class SavedMemory(NamedTuple):
    """What a graph keeps for its backward pass; prints as a table."""

    lines: tuple[SavedLine, ...]  # the largest first
    total: int  # bytes, each piece of memory counted once, parameters not at all
    parameters: int  # bytes of leaves that require gradients, which live on without the graph
    packed: int  # saved tensors of which a pack hook has made what has no size
    freed: int  # operations whose saved values a backward pass has freed

    def __repr__(self) -> str:
        rows = [
            (
                _spell(each.bytes),
                f"{each.bytes / self.total:.0%}" if self.total else "",
                str(each.tensors),
                each.where,
                ", ".join(
                    name if count == 1 else f"{name} x{count}"
                    for name, count in each.operations.items()
                ),
                linecache.getline(each.file, each.line).strip()[:60],
            )
            for each in self.lines
        ]
        titles = ("saved", "part", "tensors", "line", "operations", "code")
        widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
        right = (True, True, True, False, False, False)
        table = [
            "  ".join(
                cell.rjust(width) if aligned else cell.ljust(width)
                for cell, width, aligned in zip(row, widths, right, strict=True)
            ).rstrip()
            for row in (titles, *rows)
        ]
        table.append(f"{_spell(self.total)} saved; {_spell(self.parameters)} of parameters")
        if self.packed:
            table.append(f"{self.packed} saved tensors are packed by hooks, of unknown size")
        if self.freed:
            table.append(f"{self.freed} operations were freed by a backward pass")
        return "\n".join(table)


def _spell(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def saved_memory(loss: Any) -> SavedMemory:
    """The bytes that the graph of ``loss`` keeps for a backward pass, by line of the user's code.

    ``loss`` is a Tensor, a ``GradientEdge``, or several. Memory that operations share is counted
    once, for the line that saved it first; memory of parameters apart. Raises ``RuntimeError`` for
    a tensor that was not recorded.

    >>> import adjoint as torch
    >>> x = torch.ones(1000, requires_grad=True)
    >>> report = torch.autograd.graph.saved_memory(x.exp().sin().sum())
    >>> report.total, report.parameters
    (4000, 0)
    """
    edges = [edge_of(each) for each in as_sequence(loss)]
    if None in edges:
        raise GraphError(
            "saved_memory: the tensor does not require a gradient, so nothing was saved for one"
        )
    nodes = _nodes_below(edges)
    leaves = [node.variable for node in nodes if isinstance(node, AccumulateGrad)]
    parameters = {id(owner_of(_memory(leaf))) for leaf in leaves if leaf is not None}
    return _report(nodes, parameters)


def _nodes_below(edges: list[Any]) -> list[Node]:
    """All nodes that can be reached, the oldest first."""
    found: dict[int, Node] = {}
    stack = [node_of(edge) for edge in edges]
    while stack:
        node = stack.pop()
        if id(node) not in found:
            found[id(node)] = node
            stack.extend(node_of(edge) for edge in node.edges if edge is not None)
    return sorted(found.values(), key=lambda node: node.sequence)


def _report(nodes: list[Node], parameters: set[int]) -> SavedMemory:
    seen: dict[int, Any] = {}  # holds the arrays, so that no id comes back for another
    sizes: Counter[tuple[str, int]] = Counter()
    tensors: Counter[tuple[str, int]] = Counter()
    operations: dict[tuple[str, int], Counter[str]] = {}
    of_parameters = packed = freed = 0
    for node in nodes:
        if isinstance(node, AccumulateGrad):
            continue
        saved = getattr(node, "_kept", node.saved)
        if isinstance(saved, Freed):
            freed += 1
            continue
        place = node.location() or ("<unknown>", 0)
        for array in _arrays(saved):
            if array is None:
                packed += 1
                continue
            owner = owner_of(array)
            if id(owner) in seen:
                continue
            seen[id(owner)] = owner
            if id(owner) in parameters:
                of_parameters += owner.nbytes
                continue
            sizes[place] += owner.nbytes
            tensors[place] += 1
            operations.setdefault(place, Counter())[node.name()] += 1
    lines = tuple(
        SavedLine(*place, size, tensors[place], dict(operations[place]))
        for place, size in sizes.most_common()
    )
    return SavedMemory(lines, sizes.total(), of_parameters, packed, freed)


def _arrays(saved: Any) -> Iterator[Any]:
    """The plain arrays that saved values keep alive; None for what has no known size."""
    if isinstance(saved, PackedValues):
        saved = saved.values
    for value in saved:
        if type(value) in (tuple, list):
            yield from _arrays(value)
        elif isinstance(value, Packed):
            yield from _packed_arrays(value.given)
        elif isinstance(value, (Tensor, Value)):
            yield _memory(value)
        elif isinstance(value, np.ndarray) and (value.ndim or value.base is not None):
            yield value


def _packed_arrays(given: Any) -> Iterator[Any]:
    if isinstance(given, (Tensor, Value)):
        yield _memory(given)
    elif isinstance(given, np.ndarray):
        yield given
    elif isinstance(given, (tuple, list)):
        for each in given:
            yield from _packed_arrays(each)
    elif hasattr(given, "saved_arrays"):  # what a checkpoint keeps
        yield from map(_memory, given.saved_arrays())
    elif given is not None and not isinstance(given, (int, float, str, bool)):
        yield None


def _memory(value: Any) -> Any:
    """The plain memory below a Tensor or a value of a transform."""
    while not isinstance(value, np.ndarray):
        if isinstance(value, Tensor):
            value = value._array
        else:  # a batch, or a dual, whose tangent was saved by what made it
            value = value.value if hasattr(value, "value") else value.primal
    return value
