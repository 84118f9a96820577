"""What users hang on nodes: functions that see gradients pass, and gradients to be kept."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.tape.handles import Hooks, RemovableHandle
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad, Node, Port
from adjoint.tape.tensor import Tensor, wrap

if TYPE_CHECKING:
    from adjoint.tape.passes import Pass


class _Running(threading.local):
    """The backward pass that this thread is in, the innermost."""

    task: Pass | None = None


running = _Running()


class _Called:
    """While a hook runs: operations are recorded only if its pass is."""

    __slots__ = ("enabled", "previous", "task")

    def __init__(self, task: Pass) -> None:
        self.task = task

    def __enter__(self) -> None:
        self.previous, self.enabled = running.task, modes.enabled
        running.task = self.task
        modes.enabled = modes.recorder if self.task.record else False

    def __exit__(self, *_: object) -> None:
        running.task, modes.enabled = self.previous, self.enabled


def unpack_saved(node: Node, task: Pass) -> tuple[Any, ...]:
    """The saved values of a node that has packed them, from the unpack hooks."""
    with _Called(task):
        return node.unpack_saved()


# -- calling ------------------------------------------------------------------------------------


def show_gradient(hooks: Hooks, g: Any, task: Pass) -> Any:
    """Show each output's gradient to its hooks, in order; a hook may replace it."""
    if hooks.gradient:
        with _Called(task):
            for index, function in list(hooks.gradient.values()):
                part = g[index] if isinstance(g, list) else g
                if part is not None:
                    part = _call(function, part, task)
                    if isinstance(g, list):
                        g[index] = part
                    else:
                        g = part
    for index, reference in hooks.retained.items():
        tensor = reference()
        part = g[index] if isinstance(g, list) else g
        if tensor is not None and part is not None:
            _retain(tensor, part, task)
    return g


def show_before(hooks: Hooks, g: Any, task: Pass) -> Any:
    """Show the gradients of all outputs to the node's hooks; each may replace them."""
    if not hooks.before:
        return g
    several = isinstance(g, list)
    with _Called(task):
        for function in list(hooks.before.values()):
            parts = g if several else [g]
            answer = function(tuple(_shown(part, task) for part in parts))
            if answer is not None:
                parts = _answers(function, answer, parts, task)
                g = parts if several else parts[0]
    return g


def show_after(hooks: Hooks, g: Any, gradients: Sequence[Any], task: Pass) -> Sequence[Any]:
    """Show the gradients of all inputs and outputs to the node's hooks; for the inputs' others."""
    if not hooks.after:
        return gradients
    outputs = tuple(_shown(part, task) for part in (g if isinstance(g, list) else [g]))
    with _Called(task):
        for function in list(hooks.after.values()):
            answer = function(tuple(_shown(part, task) for part in gradients), outputs)
            if answer is not None:
                gradients = _answers(function, answer, gradients, task)
    return gradients


def show_accumulated(leaf: AccumulateGrad, g: Any, task: Pass | None) -> None:
    """Call the hooks of a leaf whose ``.grad`` has just been written."""
    hooks, variable = leaf.hooks, leaf.variable
    if hooks is None:
        return
    for function in list(hooks.accumulated.values()):
        if function(variable) is not None:
            raise RuntimeError(
                "Tensor post accumulate grad hooks should return None: they change the .grad of "
                f"the tensor that they are given, and {function!r} returned something"
            )
    if task is not None and hooks.after:
        show_after(hooks, g, [], task)


def _shown(g: Any, task: Pass) -> Any:
    """A gradient as a hook sees it."""
    if g is None or (task.record and isinstance(g, Tensor)):
        return g
    level = task.level
    if isinstance(g, Value) and g._level > level:  # many gradients at once
        level = g._level + 1
    return wrap(g, level)


def _answers(function: Any, answer: Any, parts: Sequence[Any], task: Pass) -> list[Any]:
    if not isinstance(answer, tuple):
        raise TypeError(
            "a hook of a node must return a tuple of gradients or None, not "
            f"{type(answer).__name__}: {function!r}"
        )
    if len(answer) != len(parts):
        raise RuntimeError(
            f"hook {function!r} has returned {len(answer)} gradients where there are {len(parts)}"
        )
    return [
        None if new is None else _checked(function, new, old, task)
        for new, old in zip(answer, parts, strict=True)
    ]


def _checked(function: Any, answer: Any, g: Any, task: Pass) -> Any:
    """What a hook has returned, as the pass wants it."""
    if not isinstance(answer, Tensor):
        raise TypeError(
            f"a gradient hook must return a Tensor or None, not {type(answer).__name__}"
        )
    if g is not None and tuple(answer.shape) != tuple(g.shape):
        raise RuntimeError(
            f"hook {function!r} has changed the size of value: from {describe_shape(g.shape)} to "
            f"{describe_shape(answer.shape)}"
        )
    if g is not None and dtypes.of(answer) is not dtypes.of(g):
        raise RuntimeError(
            f"hook {function!r} has changed the type of value: from {dtypes.of(g)!r} to "
            f"{dtypes.of(answer)!r}"
        )
    return answer if task.record else answer._array


def _call(function: Callable[[Any], Any], g: Any, task: Pass) -> Any:
    answer = function(_shown(g, task))
    return g if answer is None else _checked(function, answer, g, task)


def _retain(tensor: Any, g: Any, task: Pass) -> None:
    present = tensor.__dict__.get("_retained_grad")
    if not task.record:
        g = wrap(g.copy() if hasattr(g, "copy") else g, task.level)
    tensor.__dict__["_retained_grad"] = g if present is None else present + g


# -- adding -------------------------------------------------------------------------------------


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


def register_post_accumulate_grad_hook(tensor: Any, hook: Callable[[Any], Any]) -> RemovableHandle:
    """Call ``hook`` with the leaf ``tensor`` whenever its ``.grad`` has been added to.

    That happens as soon as the whole gradient is there, so that the hook may use it and free it.
    Raises ``RuntimeError`` for a tensor that is not a leaf or does not require a gradient.
    """
    if tensor._node is None:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if not isinstance(tensor._node, AccumulateGrad):
        raise RuntimeError(
            "post accumulate grad hooks cannot be registered on non-leaf tensors: use "
            "register_hook, or retain_grad() and read .grad after the backward"
        )
    return RemovableHandle(hooks_of(tensor._node)[0].accumulated, hook)


def retain_grad(tensor: Any) -> None:
    """Keep the gradient of a tensor that is not a leaf, to be read as its ``.grad``."""
    if tensor._node is None:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if not isinstance(tensor._node, AccumulateGrad):
        hooks, index = hooks_of(tensor._node)
        hooks.retained[index] = weakref.ref(tensor)
