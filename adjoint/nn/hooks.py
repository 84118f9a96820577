"""Hooks of modules: what users want called before and after a forward pass, and after a backward.

A module without hooks keeps None, so that calling it costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from adjoint.nn.gates import Gates
from adjoint.tape.handles import RemovableHandle

Hook = Callable[..., Any]


class Registered(NamedTuple):
    """A hook and how it wants to be called."""

    function: Hook
    with_kwargs: bool = False
    always_call: bool = False


class ModuleHooks:
    """The hooks of one module, each kind by the keys of their handles."""

    __slots__ = (
        "backward",
        "backward_pre",
        "forward",
        "forward_pre",
        "load_state_dict_post",
        "load_state_dict_pre",
        "state_dict",
        "state_dict_pre",
    )

    backward: dict[int, Registered]
    backward_pre: dict[int, Registered]
    forward: dict[int, Registered]
    forward_pre: dict[int, Registered]
    load_state_dict_post: dict[int, Registered]
    load_state_dict_pre: dict[int, Registered]
    state_dict: dict[int, Registered]
    state_dict_pre: dict[int, Registered]

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, {})

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


def add(
    table: dict[int, Any],
    function: Hook,
    *,
    with_kwargs: bool = False,
    always_call: bool = False,
    prepend: bool = False,
) -> RemovableHandle:
    """Put a hook at the end of a table, or at its beginning; gives the handle that takes it off."""
    before = dict(table) if prepend else {}
    handle = RemovableHandle(table, Registered(function, with_kwargs, always_call))
    for key in before:
        table[key] = table.pop(key)
    return handle


# Hooks of all modules; None until there are any.
everywhere: ModuleHooks | None = None


def _global_hooks() -> ModuleHooks:
    global everywhere
    if everywhere is None:
        everywhere = ModuleHooks()
    return everywhere


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, args)`` before every module's ``forward``; see ``Module``'s own."""
    return add(_global_hooks().forward_pre, hook)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after every module's ``forward``."""
    table = _global_hooks().forward
    return add(table, hook, with_kwargs=with_kwargs, always_call=always_call)


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before every module's backward."""
    return add(_global_hooks().backward_pre, hook)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` after every module's backward."""
    return add(_global_hooks().backward, hook)


def call(module: Any, own: ModuleHooks | None, args: tuple[Any, ...], kwargs: Any) -> Any:
    """A module's forward with all the hooks that concern it."""
    tables = [each for each in (everywhere, own) if each is not None]
    state = _Call(module, args, kwargs)
    try:
        return state.run(tables)
    except Exception:
        state.run_always(tables)
        raise


class _Call:
    """One call of a module with hooks."""

    def __init__(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.module = module
        self.args = args
        self.kwargs = kwargs
        self.called: set[int] = set()

    def run(self, tables: list[ModuleHooks]) -> Any:
        """Pre-hooks, the forward between the gates of the backward hooks, hooks."""
        for table in tables:
            for hook in list(table.forward_pre.values()):
                self.before(hook)
        pre = [each for table in tables for each in _functions(table.backward_pre)]
        post = [each for table in tables for each in _functions(table.backward)]
        gates = Gates(self.module, pre, post) if pre or post else None
        args = self.args if gates is None else gates.inputs(self.args)
        out = self.module.forward(*args, **self.kwargs)
        for table in tables:
            for key, hook in list(table.forward.items()):
                self.called.add(key)
                out = self.after(hook, out)
        return out if gates is None else gates.outputs(out)

    def before(self, hook: Registered) -> None:
        """One forward pre-hook: what it returns replaces the arguments."""
        if hook.with_kwargs:
            answer = hook.function(self.module, self.args, self.kwargs)
            if answer is not None:
                if not isinstance(answer, tuple) or len(answer) != 2:
                    raise RuntimeError(
                        "a forward pre-hook with_kwargs returns None or a pair (args, kwargs), but "
                        f"got {answer!r}"
                    )
                self.args, self.kwargs = answer
            return
        answer = hook.function(self.module, self.args)
        if answer is not None:
            self.args = answer if isinstance(answer, tuple) else (answer,)

    def after(self, hook: Registered, out: Any) -> Any:
        """One forward hook: what it returns replaces the output."""
        if hook.with_kwargs:
            answer = hook.function(self.module, self.args, self.kwargs, out)
        else:
            answer = hook.function(self.module, self.args, out)
        return out if answer is None else answer

    def run_always(self, tables: list[ModuleHooks]) -> None:
        """After an error: the hooks that are to be called all the same, without an output."""
        for table in tables:
            for key, hook in list(table.forward.items()):
                if hook.always_call and key not in self.called:
                    self.after(hook, None)


def _functions(table: dict[int, Registered]) -> list[Hook]:
    return [each.function for each in table.values()]


__all__ = [
    "ModuleHooks",
    "add",
    "call",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
]
