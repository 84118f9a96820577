"""Gates that gradients pass on their way into and out of a module, for its backward hooks.

A gate is a node of the tape that changes nothing: it shows all gradients that arrive to a function
at once, and hands on what that gives back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adjoint.tape.modes import modes
from adjoint.tape.node import Node, Port, clock
from adjoint.tape.tensor import Tensor, memory_of, new, wrap

Gradients = tuple[Any, ...]


class BackwardHookFunctionBackward(Node):
    """The node of a gate, under the name that PyTorch shows."""

    __slots__ = ()


class _Gate:
    """What the engine and ``viz`` ask of a node's plan and row: here one object is both."""

    __slots__ = ("function", "name", "output_count", "row")

    direct = None
    holds = 0  # nothing is saved, so nothing is freed
    variadic = True

    def __init__(self, output_count: int, function: Callable[[Gradients], Gradients]) -> None:
        self.row = self
        self.name = "backward_hook"
        self.output_count = output_count
        self.function = function

    def pull(self, node: Node, saved: Any, g: list[Any], level: int, record: bool) -> list[Any]:
        """Show the gradients as Tensors; what comes back goes on."""
        shown = tuple(
            part if part is None or (record and isinstance(part, Tensor)) else wrap(part, level)
            for part in g
        )
        answer = self.function(shown)
        return [part if part is None or record else part._array for part in answer]


def _pass_through(tensors: Sequence[Any], function: Callable[[Gradients], Gradients]) -> list[Any]:
    """The tensors again, behind a gate; their gradients come to ``function`` together."""
    node = new(BackwardHookFunctionBackward)
    node.plan = _Gate(len(tensors), function)
    node.edges = tuple(each._node for each in tensors)
    node.saved = ()
    node.sequence = next(clock)
    node.shape, node.dtype = tensors[0]._array.shape, tensors[0]._array.dtype
    node.hooks = node.code = None
    node.instruction = 0
    behind = []
    for index, tensor in enumerate(tensors):
        array = tensor._array
        other = new(Tensor)
        other._array, other._level = array, tensor._level
        other._memory, other._view = memory_of(tensor), None
        other._node = Port(node, index, array.shape, array.dtype)
        behind.append(other)
    return behind


class Gates:
    """The two gates around one call of a module, and its backward hooks."""

    def __init__(
        self, module: Any, pre: Sequence[Callable[..., Any]], post: Sequence[Callable[..., Any]]
    ) -> None:
        self.module = module
        self.pre = pre
        self.post = post
        self.count = 0
        self.has_inputs = False
        self.grad_output: Gradients = ()

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those that are recorded behind the first gate."""
        self.count = len(args)
        places = _recorded(args)
        if not places or not self.post:
            return args
        self.has_inputs = True

        def function(g: Gradients) -> Gradients:
            full = [None] * len(args)
            for place, part in zip(places, g, strict=True):
                full[place] = part
            answer = self._after(tuple(full))
            return tuple(answer[place] for place in places)

        return _replaced(args, places, function)

    def outputs(self, out: Any) -> Any:
        """The result behind the second gate: a Tensor, or a tuple or list with Tensors in it."""
        single = isinstance(out, Tensor)
        if not single and not isinstance(out, (tuple, list)):
            return out
        parts = (out,) if single else tuple(out)
        places = _recorded(parts)
        if not places:
            return out

        def function(g: Gradients) -> Gradients:
            full: list[Any] = [None] * len(parts)
            for place, part in zip(places, g, strict=True):
                full[place] = part
            self.grad_output = tuple(full)
            for hook in self.pre:
                self.grad_output = _replace(
                    hook(self.module, self.grad_output), self.grad_output, "a backward pre-hook"
                )
            if not self.has_inputs and self.post:
                self._after((None,) * self.count)
            return tuple(self.grad_output[place] for place in places)

        parts = _replaced(parts, places, function)
        return parts[0] if single else type(out)(parts)

    def _after(self, grad_input: Gradients) -> Gradients:
        for hook in self.post:
            answer = hook(self.module, grad_input, self.grad_output)
            if answer is not None and not self.has_inputs:
                raise RuntimeError(
                    "a backward hook returned gradients for a module none of whose inputs "
                    "requires any; it may return None, or the inputs may require grad"
                )
            grad_input = _replace(answer, grad_input, "a backward hook")
        return grad_input


def _recorded(values: Sequence[Any]) -> list[int]:
    if not modes.enabled:
        return []
    return [
        place
        for place, value in enumerate(values)
        if isinstance(value, Tensor) and value._node is not None
    ]


def _replaced(
    values: tuple[Any, ...], places: list[int], function: Callable[[Gradients], Gradients]
) -> tuple[Any, ...]:
    out = list(values)
    behind = _pass_through([values[place] for place in places], function)
    for place, tensor in zip(places, behind, strict=True):
        out[place] = tensor
    return tuple(out)


def _replace(answer: Any, present: Gradients, who: str) -> Gradients:
    """A hook's answer in the place of the gradients that it was shown."""
    if answer is None:
        return present
    answer = answer if isinstance(answer, tuple) else (answer,)
    gradients: Gradients = answer
    if len(answer) != len(present):
        raise RuntimeError(f"{who} returned {len(answer)} gradients, but was shown {len(present)}")
    return gradients


__all__ = ["BackwardHookFunctionBackward", "Gates"]
