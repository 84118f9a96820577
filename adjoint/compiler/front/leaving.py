"""How each Tensor that leaves a traced function is built at a call."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adjoint.array.symbol import Symbol
from adjoint.compiler.front.equations import untraceable
from adjoint.compiler.front.guards import PLAIN
from adjoint.compiler.front.sources import Source, grad_of
from adjoint.ops.rewriting import root_of
from adjoint.tape.node import AccumulateGrad, Loose
from adjoint.tape.tensor import history_of

# References to a value that nobody outside has: those of what was returned, of the list of its
# leaves, of the loop through them, and of getrefcount itself.
HELD = 4
CHANGING = (np.ndarray, set, bytearray)


class Result(NamedTuple):
    """A new tensor over a result of the program.

    ``requires_grad`` is "" for a constant, "leaf", "node" (computed from what requires a gradient)
    or "freed" (the same, but a backward pass inside has used the graph up). ``copy`` says that the
    result is another's already; ``writes`` is its version, from writes inside;
    ``retains`` that ``retain_grad()`` was called; ``error`` what a pass through a graph says that
    is gone.
    """

    number: int
    requires_grad: str
    copy: bool
    writes: int = 0
    retains: bool = False
    error: str = ""


class Given(NamedTuple):
    """The very tensor that a source is."""

    source: Source


class Look(NamedTuple):
    """A view of a source, or of what was made before (its number), by the rows of ``path``.

    It is taken under ``no_grad`` unless ``recorded``. One that is ``apart``, as ``.data`` makes
    them, counts ``writes`` for itself, and has no history. A ``leaf`` is made to require a
    gradient of its own.
    """

    of: Any
    path: Any
    recorded: bool
    apart: bool = False
    writes: int = 0
    leaf: bool = False
    retains: bool = False


class Constant(NamedTuple):
    """A value that a function returns and that is no tensor.

    Where it was made inside and can change (``fresh``), each call gives a copy of its own.
    """

    value: Any
    fresh: bool = False

    def get(self) -> Any:
        """The value for one call."""
        return copy.copy(self.value) if self.fresh else self.value


def constants_of(values: Sequence[Any]) -> list[Constant]:
    """Constants for all values that are returned; refuses those that serve one call only."""
    found = []
    for each in values:
        kind = type(each)
        if hasattr(kind, "__next__") or hasattr(kind, "__await__"):
            raise untraceable(
                f"a {kind.__name__} is returned, which the first call would use up",
                "return a list or a tuple, or compile what is called in each turn",
            )
        held = sys.getrefcount(each)
        found.append(Constant(each, held <= HELD and _can_change(each)))
    return found


def _can_change(value: Any) -> bool:
    """Whether a value may be altered by who gets it, and can be copied."""
    if isinstance(value, PLAIN) or not (isinstance(value, CHANGING) or hasattr(value, "__dict__")):
        return False
    try:
        return copy.copy(value) is not value
    except Exception:  # noqa: BLE001 - whatever a class raises that cannot be copied
        return False


class Leaving:
    """Collects tensors that leave, each once."""

    def __init__(self, capture: Any, result: Any) -> None:
        self.capture = capture
        self.result = result  # the number of a symbol or array among the results
        self.made: list[Any] = []
        self.tensors: list[Any] = []  # over symbols, for each of them
        self.places: dict[int, int] = {}
        self.roots: dict[int, int] = {}  # how many tensors on a memory made inside leave
        self.expected: set[int] = set()
        self.used: set[int] = set()
        self.grads: list[tuple[Any, Any]] = []  # of what was made inside, with its gradient

    def expect(self, tensors: list[Any]) -> None:
        """Count what shares memory, before any is added; and gradients of what was made inside."""
        found = {id(each): each for each in tensors}
        waiting = list(found.values())
        while waiting:
            tensor = waiting.pop()
            grad = None if self.capture.is_outside(tensor) else grad_of(tensor)
            if grad is not None:
                self.grads.append((tensor, grad))
                if id(grad) not in found:
                    found[id(grad)] = grad
                    waiting.append(grad)
        for tensor in found.values():
            self.expected.add(id(tensor))
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

    def grads_of_made(self) -> tuple[tuple[int, int], ...]:
        """Numbers of what leaves and has a ``.grad``, each with that of the gradient."""
        return tuple((self.add(tensor), self.add(grad)) for tensor, grad in self.grads)

    def _how(self, tensor: Any) -> Any:
        capture = self.capture
        if tensor._level:
            raise untraceable(
                "a tensor of a transform, as vmap or jvp, would leave the function",
                "return what the transform returns",
            )
        if capture.is_outside(tensor):
            return Given(capture.source_of(tensor))
        nearest, path = self._nearest(tensor)
        if nearest is None:
            return self._result(tensor)
        node, memory = history_of(tensor), tensor._memory
        leaf = type(node) is AccumulateGrad
        recorded = node is not None and not leaf and type(node) is not Loose
        if recorded and _has_hooks(node):
            raise untraceable(
                "a hook hangs on a view that leaves the function",
                "register the hook outside of the compiled function",
            )
        apart = memory is not nearest._memory
        writes = int(memory.version) if apart and memory is not None else 0
        outside = capture.is_outside(nearest)
        of = capture.source_of(nearest) if outside else self.add(nearest)
        retains = recorded and tensor.retains_grad
        return Look(of, path, recorded, apart, writes, leaf, retains)

    def _nearest(self, tensor: Any) -> Any:
        """The nearest tensor that ``tensor`` looks at and that is to be had outside; the path."""
        root, steps = root_of(tensor), []
        shared = self.roots.get(id(root), 0) > 1 or id(root) in self.places
        while tensor._view is not None:
            view = tensor._view
            steps.append((view.row, view.options, view.number))
            tensor = view.parent
            if self.capture.is_outside(tensor):
                replaced = self.capture.cell_of(tensor).replaced
                return (None, ()) if replaced else (tensor, tuple(reversed(steps)))
            if id(tensor) in self.expected or (tensor is root and shared):
                return tensor, tuple(reversed(steps))
        return None, ()

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
        return Result(number, kind, copy, writes, tensor.retains_grad)


def _has_hooks(node: Any) -> bool:
    """Whether functions wait for the gradient at a node that was made inside."""
    hooks = getattr(node, "node", node).hooks
    return hooks is not None and bool(hooks.gradient or hooks.before or hooks.after)
