"""``torch.utils.hooks``: the handle that registering a hook gives, and helpers about hooks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from adjoint.nn.gates import Gates
from adjoint.tape.handles import RemovableHandle
from adjoint.tape.tensor import Tensor

Hook = Callable[..., Any]


def unserializable_hook(f: Hook) -> Hook:
    """Mark a hook as one that need not be kept when its tensor is saved; returns it.

    >>> import adjoint as torch
    >>> double = torch.utils.hooks.unserializable_hook(lambda g: 2 * g)
    >>> double(1)
    2
    """
    f.__torch_unserializable__ = True  # type: ignore[attr-defined]
    return f


def warn_if_has_hooks(tensor: Any) -> None:
    """Warn about each hook of a tensor that saving it would lose, unless it is marked as such.

    >>> import adjoint as torch
    >>> torch.utils.hooks.warn_if_has_hooks(torch.ones(2))
    """
    hooks = getattr(getattr(tensor, "_node", None), "hooks", None)
    for _, function in hooks.gradient.values() if hooks is not None else ():
        if not hasattr(function, "__torch_unserializable__"):
            warnings.warn(
                f"backward hook {function!r} on tensor will not be serialized: it must be "
                "registered again where the tensor is loaded. The decorator "
                "torch.utils.hooks.unserializable_hook says that this is meant",
                stacklevel=2,
            )


class BackwardHook:
    """The hooks around a module's backward: for a forward pass that is not the module's own call.

    ``user_hooks(module, grad_input, grad_output)`` and ``user_pre_hooks(module, grad_output)`` are
    called as those that a module's methods register; what they give back replaces the gradients.

    >>> import adjoint as torch
    >>> model = torch.nn.Identity()
    >>> hook = torch.utils.hooks.BackwardHook(model, [lambda model, gin, gout: print(gin)], [])
    >>> x = torch.ones(1, requires_grad=True)
    >>> hook.setup_output_hook(model(*hook.setup_input_hook((x,)))).backward()
    (tensor([1.]),)
    """

    def __init__(
        self, module: Any, user_hooks: Sequence[Hook], user_pre_hooks: Sequence[Hook]
    ) -> None:
        self.module = module
        self.user_hooks = user_hooks
        self.user_pre_hooks = user_pre_hooks
        self._gates = Gates(module, list(user_pre_hooks), list(user_hooks))

    def setup_input_hook(self, args: Any) -> Any:
        """The arguments as the module is to get them, a Tensor or a tuple."""
        if isinstance(args, Tensor):
            return self._gates.inputs((args,))[0]
        return self._gates.inputs(args)

    def setup_output_hook(self, args: Any) -> Any:
        """The module's result as the caller is to get it."""
        return self._gates.outputs(args)


__all__ = ["BackwardHook", "RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]
