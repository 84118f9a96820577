"""What users hang on an optimizer: functions called around ``step`` and around its state dict."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from adjoint.tape.handles import RemovableHandle

Hooks = OrderedDict[int, Callable[..., Any]]

# The attributes of an optimizer that hold its own hooks; none of them is pickled.
NAMES = (
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)

_before_any_step: Hooks = OrderedDict()
_after_any_step: Hooks = OrderedDict()


def add_hook(hooks: Hooks, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
    """Put a hook last, or first with ``prepend``; the handle takes it off again."""
    handle = RemovableHandle(hooks, hook)
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before each step of every optimizer.

    It returns None, or the new ``(args, kwargs)``; ``step`` raises ``RuntimeError`` for others.

    >>> from adjoint.optim.optimizer import register_optimizer_step_pre_hook
    >>> register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: None).remove()
    """
    return add_hook(_before_any_step, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after each step of every optimizer.

    >>> from adjoint.optim.optimizer import register_optimizer_step_post_hook
    >>> register_optimizer_step_post_hook(lambda optimizer, args, kwargs: None).remove()
    """
    return add_hook(_after_any_step, hook)


def hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """A class's ``step`` that calls the hooks and tells schedulers that it was called."""

    @functools.wraps(step)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True
        if not (
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or _before_any_step
            or _after_any_step
        ):
            return step(self, *args, **kwargs)
        if self._in_step:  # a subclass has called the step of its base
            return step(self, *args, **kwargs)
        self._in_step = True
        try:
            return _run_with_hooks(step, self, args, kwargs)
        finally:
            self._in_step = False

    run.hooked = True  # type: ignore[attr-defined]
    return run


def _run_with_hooks(
    step: Callable[..., Any], optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    # PyTorch's hooks see the optimizer among the arguments too.
    args = (optimizer, *args)
    before = (*_before_any_step.values(), *optimizer._optimizer_step_pre_hooks.values())
    for hook in before:
        answer = hook(optimizer, args, kwargs)
        if answer is None:
            continue
        if not (isinstance(answer, tuple) and len(answer) == 2):
            raise RuntimeError(
                "a hook before step() returns None or a tuple (args, kwargs), but "
                f"{hook!r} returned {answer!r}"
            )
        args, kwargs = answer
    out = step(*args, **kwargs)
    for hook in (*optimizer._optimizer_step_post_hooks.values(), *_after_any_step.values()):
        hook(optimizer, args, kwargs)
    return out
