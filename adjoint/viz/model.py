"""The graph of a result as a list of vertices: what the drawings are made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from adjoint import dtypes
from adjoint.tape.node import AccumulateGrad, Node, Port
from adjoint.tape.saved import Freed
from adjoint.tape.tensor import Tensor

INPUT, PARAMETER, OPERATION, RESULT = "input", "parameter", "operation", "result"


@dataclass
class Vertex:
    """One box of the picture, with the numbers of the vertices whose values it takes."""

    number: int
    kind: str
    label: str  # what it does ("Add") or, for inputs and parameters, its name
    shape: tuple[int, ...]
    dtype: str
    name: str = ""  # the name of its result in the user's code, where it is known
    where: str = ""  # file:line of the user's code
    sources: list[int] = field(default_factory=list)

    @property
    def size(self) -> str:
        """Its shape, with the type where that is not the usual one."""
        text = "[" + ", ".join(map(str, self.shape)) + "]"
        return text if self.dtype == "float32" else f"{text} {self.dtype}"


def collect(
    results: Iterable[Any], parameters: Mapping[str, Any], names: Mapping[int, str]
) -> tuple[list[Vertex], str]:
    """All that the ``results`` were computed from, sources before what is made of them.

    ``names`` gives names by the identity of tensors, and of the nodes that made them. The second
    result says where a backward pass freed inputs that are therefore missing; "" if none are.
    """
    collector = _Collector(parameters, names)
    for result in results:
        collector.add_result(result)
    return collector.vertices, collector.freed


class _Collector:
    def __init__(self, parameters: Mapping[str, Any], names: Mapping[int, str]) -> None:
        self.vertices: list[Vertex] = []
        self.places: dict[int, int] = {}
        self.alive: list[Any] = []  # so that no identity is used twice
        self.names = names
        self.parameters = {id(tensor): name for name, tensor in parameters.items()}
        self.unnamed = {INPUT: 0, PARAMETER: 0}
        self.freed = ""

    def add_result(self, tensor: Any) -> None:
        """Walk back from ``tensor`` without recursion; its own vertex is marked as a result."""
        edge = tensor._node
        if edge is None or isinstance(edge, AccumulateGrad):
            self._leaf(tensor, PARAMETER if edge is not None else INPUT)
            return
        root = edge.node if isinstance(edge, Port) else edge
        stack: list[tuple[Node, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if id(node) in self.places:
                continue
            if ready:
                self._operation(node)
                continue
            stack.append((node, True))
            for source in reversed(node.edges):
                source = source.node if isinstance(source, Port) else source
                if source is not None and not isinstance(source, AccumulateGrad):
                    stack.append((source, False))
        vertex = self.vertices[self.places[id(root)]]
        vertex.kind = RESULT
        vertex.name = self.names.get(id(tensor), vertex.name) or "result"

    def _operation(self, node: Node) -> None:
        sources = [self._source(node, place) for place in range(len(node.edges))]
        location = node.location()
        where = "" if location is None else f"{PurePath(location[0]).name}:{location[1]}"
        label = _label(node)
        kind = node.dtype if isinstance(node.dtype, dtypes.dtype) else dtypes.from_numpy(node.dtype)
        vertex = Vertex(
            len(self.vertices), OPERATION, label, tuple(node.shape), kind.name,
            self.names.get(id(node), ""), where,
            list(dict.fromkeys(each for each in sources if each is not None)),
        )  # fmt: skip
        self.places[id(node)] = vertex.number
        self.vertices.append(vertex)

    def _source(self, node: Node, place: int) -> int | None:
        edge = node.edges[place]
        if isinstance(edge, AccumulateGrad):
            variable = edge.variable
            return self._leaf(edge if variable is None else variable, PARAMETER, edge)
        if edge is not None:
            return self.places[id(edge.node if isinstance(edge, Port) else edge)]
        if isinstance(node.saved, Freed):
            self.freed = node.saved.where
        value = _saved_input(node, place)
        return self._leaf(value, INPUT) if isinstance(value, Tensor) else None

    def _leaf(self, tensor: Any, kind: str, edge: Any = None) -> int:
        key = id(tensor if edge is None else edge)
        if key in self.places:
            return self.places[key]
        name = self.parameters.get(id(tensor)) or self.names.get(id(tensor), "")
        if not name:
            self.unnamed[kind] += 1
            name = f"{kind} {self.unnamed[kind]}"
        array = tensor._array if isinstance(tensor, Tensor) else tensor
        vertex = Vertex(
            len(self.vertices), kind, name, tuple(array.shape), dtypes.of(array).name, name
        )
        self.places[key] = vertex.number
        self.alive.append(tensor)
        self.vertices.append(vertex)
        return vertex.number


# Rows of products whose node is named for the reshaping that PyTorch does around them.
PRODUCTS = frozenset(("bmm", "matmul", "mm", "mv", "vecmat"))


def _label(node: Node) -> str:
    """What a node does, in the words of its name: ``AddBackward0`` adds."""
    if node.plan is not None and node.plan.row.name in PRODUCTS:
        return "MatMul"
    return re.sub(r"Backward\d*$", "", node.name())


def _saved_input(node: Node, place: int) -> Any:
    """An input without a gradient, known only if the node saved it for another's formula."""
    if not node.saved or type(node.saved) is not tuple or node.plan is None:
        return None
    if node.plan.row.variadic:
        values = node.saved[0]
        return values[place] if isinstance(values, tuple) else None
    return node.saved[place] if place < len(node.saved) else None
