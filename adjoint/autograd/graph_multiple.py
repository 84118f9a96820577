"""One hook for the gradients of several tensors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from adjoint.errors import describe_shape
from adjoint.tape.handles import RemovableHandle
from adjoint.tape.hooks import register_hook, running


class _Several(RemovableHandle):
    """Takes several hooks off at once."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        super().__init__({})
        self.handles = tuple(handles)

    def remove(self) -> None:
        """Take them all off; a second call does nothing."""
        for handle in self.handles:
            handle.remove()


class _Arrived:
    """What has arrived in one backward pass, and how many gradients will."""

    def __init__(self, count: int, expected: int) -> None:
        self.gradients: list[Any] = [None] * count
        self.missing = expected


def register_multi_grad_hook(
    tensors: Sequence[Any], fn: Callable[[Any], Any], *, mode: str = "all"
) -> RemovableHandle:
    """Call ``fn`` once in each backward pass that comes through any of ``tensors``.

    With mode "all" it is called with a list, when all gradients are there that the pass will
    compute; None stands for the others. With "any" it gets the first. What it returns is ignored.
    Raises ``ValueError`` for another mode, ``AssertionError`` for a tensor without a gradient.

    >>> import adjoint as torch
    >>> x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    >>> handle = torch.autograd.graph.register_multi_grad_hook((x, y), print)
    >>> (x * 2 + y).sum().backward()
    [tensor([2., 2.]), tensor([1., 1.])]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    tensors = tuple(tensors)
    for number, tensor in enumerate(tensors):
        if tensor._node is None:
            raise AssertionError(
                "register_multi_grad_hook: each tensor must require a gradient, but tensor "
                f"{number}, of shape {describe_shape(tensor.shape)}, does not"
            )
    if mode == "any":
        return _Several(_register_any(tensors, fn))
    return _Several(_register_all(tensors, fn))


def _register_all(tensors: tuple[Any, ...], fn: Callable[[Any], Any]) -> list[RemovableHandle]:
    edges = [tensor._node for tensor in tensors]
    lock, key = threading.Lock(), object()

    def arrive(number: int, g: Any) -> None:
        task: Any = running.task
        with lock:
            state = task.notes.get(key)
            if state is None:
                expected = sum(map(task.will_execute, edges))
                state = task.notes[key] = _Arrived(len(edges), expected)
            state.gradients[number] = g
            state.missing -= 1
            complete = state.missing == 0
            if complete:
                del task.notes[key]
        if complete:
            fn(state.gradients)

    def hook_of(number: int) -> Callable[[Any], None]:
        return lambda g: arrive(number, g)

    return [register_hook(tensor, hook_of(number)) for number, tensor in enumerate(tensors)]


def _register_any(tensors: tuple[Any, ...], fn: Callable[[Any], Any]) -> list[RemovableHandle]:
    lock, key = threading.Lock(), object()

    def arrive(g: Any) -> None:
        task: Any = running.task
        with lock:
            first = key not in task.notes
            task.notes[key] = True
        if first:
            fn(g)

    return [register_hook(tensor, arrive) for tensor in tensors]
