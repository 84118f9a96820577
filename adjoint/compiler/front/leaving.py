"""How each Tensor that leaves a traced function is built at a call."""

from __future__ import annotations

from typing import Any, NamedTuple

from adjoint.array.symbol import Symbol
from adjoint.compiler.front.equations import untraceable
from adjoint.compiler.front.sources import Source
from adjoint.ops.rewriting import path_of, root_of
from adjoint.tape.node import AccumulateGrad, Loose
from adjoint.tape.tensor import history_of


class Result(NamedTuple):
    """A new tensor over a result of the program.

    ``requires_grad`` is "" for a constant, "leaf", "node" (computed from what requires a gradient)
    or "freed" (the same, but a backward pass inside has used the graph up). ``copy`` says that the
    result is another's already; ``writes`` is its version, from writes inside.
    """

    number: int
    requires_grad: str
    copy: bool
    writes: int = 0


class Given(NamedTuple):
    """The very tensor that a source is."""

    source: Source


class Look(NamedTuple):
    """A view of a source, or of what was made before (its number), by the rows of ``path``."""

    of: Any
    path: Any
    recorded: bool


class Constant(NamedTuple):
    """A value that a function returns and that is no tensor."""

    value: Any


class Leaving:
    """Collects tensors that leave, each once."""

    def __init__(self, capture: Any, result: Any) -> None:
        self.capture = capture
        self.result = result  # the number of a symbol or array among the results
        self.made: list[Any] = []
        self.tensors: list[Any] = []  # over symbols, for each of them
        self.places: dict[int, int] = {}
        self.roots: dict[int, int] = {}  # how many tensors on a memory made inside leave
        self.used: set[int] = set()

    def expect(self, tensors: list[Any]) -> None:
        """Count what shares memory, before any is added."""
        for tensor in {id(each): each for each in tensors}.values():
            root = root_of(tensor)
            self.roots[id(root)] = self.roots.get(id(root), 0) + 1

    def add(self, tensor: Any) -> int:
        """The number of a tensor among those that leave."""
        place = self.places.get(id(tensor))
        if place is None:
            made = self._how(tensor)
            place = self.places[id(tensor)] = len(self.made)
            self.made.append(made)
            self.tensors.append(tensor)
        return place

    def _how(self, tensor: Any) -> Any:
        capture = self.capture
        if tensor._level:
            raise untraceable(
                "a tensor of a transform, as vmap or jvp, would leave the function",
                "return what the transform returns",
            )
        if capture.is_outside(tensor):
            source = capture.cell_of(tensor).source
            if source is not None:
                return Given(source)
        root = root_of(tensor)
        if root is not tensor:
            path, recorded = path_of(tensor, to_root=True), history_of(tensor) is not None
            if capture.is_outside(root):
                cell = capture.cell_of(root)
                if not cell.replaced:
                    return Look(cell.source, path, recorded)
            elif self.roots.get(id(root), 0) > 1 or id(root) in self.places:
                return Look(self.add(root), path, recorded)
        return self._result(tensor)

    def _result(self, tensor: Any) -> Result:
        array = tensor._array
        number = self.result(array)
        copy = number in self.used or not isinstance(array, Symbol)
        self.used.add(number)
        node, memory = history_of(tensor), tensor._memory
        writes = 0 if memory is None else int(memory.version)
        if node is None or type(node) is Loose:
            return Result(number, "", copy, writes)
        kind = "leaf" if isinstance(node, AccumulateGrad) else "node"
        return Result(number, kind, copy, writes)
