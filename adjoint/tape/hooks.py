"""What users hang on nodes: functions that see gradients pass, and gradients to be kept."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Self

from adjoint.errors import describe_shape
from adjoint.tape.node import Port
from adjoint.tape.tensor import Tensor, wrap


class Hooks:
    """The hooks of one node, in the order they were added."""

    __slots__ = ("after_accumulation", "gradient", "retained")

    def __init__(self) -> None:
        # (number of the node's output, function), by a key of their own for removal.
        self.gradient: dict[int, tuple[int, Callable[[Any], Any]]] = {}
        self.retained: dict[int, weakref.ref[Any]] = {}
        self.after_accumulation: dict[int, Callable[[Any], Any]] = {}

    def before(self, g: Any, level: int, record: bool) -> Any:
        """Show each output's gradient to its hooks, in order; a hook may replace it."""
        for index, function in list(self.gradient.values()):
            part = g[index] if isinstance(g, list) else g
            if part is not None:
                part = _call(function, part, level, record)
                if isinstance(g, list):
                    g[index] = part
                else:
                    g = part
        for index, reference in self.retained.items():
            tensor = reference()
            part = g[index] if isinstance(g, list) else g
            if tensor is not None and part is not None:
                _retain(tensor, part, level, record)
        return g

    def after(self, leaf: Any) -> None:
        """Call the hooks of a leaf whose ``.grad`` has just been written."""
        variable = leaf.variable
        for function in list(self.after_accumulation.values()):
            function(variable)


class RemovableHandle:
    """Takes a hook off again: ``handle.remove()``, or at the end of a ``with`` block."""

    _next = 0

    def __init__(self, hooks: dict[int, Any], function: Any) -> None:
        RemovableHandle._next += 1
        self.id = RemovableHandle._next
        self._hooks = hooks
        hooks[self.id] = function

    def remove(self) -> None:
        """Take the hook off; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def _call(function: Callable[[Any], Any], g: Any, level: int, record: bool) -> Any:
    given = g if record else wrap(g, level)
    answer = function(given)
    if answer is None:
        return g
    if not isinstance(answer, Tensor):
        raise TypeError(
            f"a gradient hook must return a Tensor or None, not {type(answer).__name__}"
        )
    if tuple(answer.shape) != tuple(g.shape):
        raise RuntimeError(
            f"hook {function!r} has changed the size of value: from {describe_shape(g.shape)} to "
            f"{describe_shape(answer.shape)}"
        )
    return answer if record else answer._array


def _retain(tensor: Any, g: Any, level: int, record: bool) -> None:
    present = tensor.__dict__.get("_retained_grad")
    if not record:
        g = wrap(g.copy() if hasattr(g, "copy") else g, level)
    tensor.__dict__["_retained_grad"] = g if present is None else present + g


def hooks_of(edge: Any) -> tuple[Hooks, int]:
    """The hooks of an edge's node, made if there are none, and the number of its output."""
    node, index = (edge.node, edge.index) if isinstance(edge, Port) else (edge, 0)
    if node.hooks is None:
        node.hooks = Hooks()
    return node.hooks, index


def register_hook(tensor: Any, hook: Callable[[Any], Any]) -> RemovableHandle:
    """Call ``hook`` with the gradient of ``tensor`` in every backward; what it returns replaces it.

    Raises ``RuntimeError`` for a tensor that does not require a gradient.
    """
    if tensor._node is None:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    hooks, index = hooks_of(tensor._node)
    return RemovableHandle(hooks.gradient, (index, hook))


def retain_grad(tensor: Any) -> None:
    """Keep the gradient of a tensor that is not a leaf, to be read as its ``.grad``."""
    if tensor._node is None:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if type(tensor._node).__name__ != "AccumulateGrad":
        hooks, index = hooks_of(tensor._node)
        hooks.retained[index] = weakref.ref(tensor)
