"""``torch.autograd.grad_mode``: whether operations are recorded."""

from __future__ import annotations

import threading
from types import TracebackType

from adjoint.tape.modes import (
    Function,
    decorated,
    enable_grad,
    inference_mode,
    modes,
    no_grad,
    set_grad_enabled,
)


class set_multithreading_enabled:  # noqa: N801 - PyTorch's name
    """Whether backward passes may use threads of their own: kept, and without effect.

    A pass of Adjoint's runs in the thread that called it. Sets at once; as a context manager it
    puts the old setting back.

    >>> import adjoint as torch
    >>> with torch.autograd.set_multithreading_enabled(False):
    ...     torch.autograd.is_multithreading_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        self.prev = modes.multithreading
        self.mode = modes.multithreading = bool(mode)

    def __enter__(self) -> None:
        """Nothing: the constructor has set it."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        modes.multithreading = self.prev

    def __call__(self, orig_func: Function) -> Function:
        return decorated(self.clone, orig_func)

    def clone(self) -> set_multithreading_enabled:
        """Another of the same mode."""
        return type(self)(self.mode)


class _Layout(threading.local):
    enforced = True


_layout = _Layout()


class enforce_grad_layout_policy:  # noqa: N801 - PyTorch's name
    """Whether a ``.grad`` is to lie in memory as its leaf does: kept, and without effect.

    Adjoint's gradients lie as they arrive. Sets at once; as a context manager it puts the old
    setting back.

    >>> import adjoint as torch
    >>> with torch.autograd.enforce_grad_layout_policy(False):
    ...     torch.ones(2, requires_grad=True).sum().backward()
    """

    def __init__(self, enable: bool = True) -> None:
        self.prev = _layout.enforced
        self.mode = _layout.enforced = bool(enable)

    def __enter__(self) -> None:
        """Nothing: the constructor has set it."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _layout.enforced = self.prev

    def clone(self) -> enforce_grad_layout_policy:
        """Another of the same mode."""
        return type(self)(self.mode)


def is_multithreading_enabled() -> bool:
    """What ``set_multithreading_enabled`` has set in this thread."""
    return modes.multithreading


__all__ = [
    "enable_grad",
    "enforce_grad_layout_policy",
    "inference_mode",
    "is_multithreading_enabled",
    "no_grad",
    "set_grad_enabled",
    "set_multithreading_enabled",
]
