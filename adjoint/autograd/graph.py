"""``torch.autograd.graph``: the graph as users see it, and who may look after what it saves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from adjoint.autograd.graph_memory import SavedMemory, saved_memory
from adjoint.autograd.graph_multiple import register_multi_grad_hook
from adjoint.autograd.graph_mutation import allow_mutation_on_saved_tensors
from adjoint.tape.edges import GradientEdge, get_gradient_edge
from adjoint.tape.node import Node
from adjoint.tape.tensor import Tensor, Untracked, memory_of
from adjoint.tape.watching import Recorder, Watching

__all__ = [
    "GradientEdge",
    "Node",
    "SavedMemory",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "region_activation_memory_budget",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_memory",
    "saved_tensors_hooks",
    "set_override_stale_capture_stream",
    "set_warn_on_accumulate_grad_stream_mismatch",
]


class saved_tensors_hooks(Watching):  # noqa: N801 - PyTorch's name
    """In the block, keep ``pack_hook(tensor)`` for each tensor that an operation saves.

    When a backward pass wants the tensor, ``unpack_hook`` gives a tensor of its shape and type for
    what was kept. Of nested blocks the innermost counts. A pack hook must not write into its
    tensor (``RuntimeError``), an unpack hook must return a Tensor (``TypeError``).

    >>> import adjoint as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> with torch.autograd.graph.saved_tensors_hooks(lambda t: t.tolist(), torch.tensor):
    ...     y = x * x
    >>> torch.autograd.grad(y.sum(), x)
    (tensor([2., 4.]),)
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        super().__init__()
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def _changed(self, present: Recorder) -> Recorder:
        if present.disabled is not None:
            raise RuntimeError(present.disabled)
        for hook in (self.pack_hook, self.unpack_hook):
            if not callable(hook):
                raise TypeError(
                    "saved_tensors_hooks takes two functions, to pack and to unpack, but got a "
                    f"{type(hook).__name__}"
                )
        return Recorder((self.pack_hook, self.unpack_hook), present.observers)


class save_on_cpu(saved_tensors_hooks):  # noqa: N801 - PyTorch's name
    """In the block, keep copies of saved tensors in the CPU's memory.

    ``pin_memory`` and ``device_type`` say how copies come from another device; there is none here.

    >>> import adjoint as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> with torch.autograd.graph.save_on_cpu():
    ...     y = x * x
    >>> torch.autograd.grad(y.sum(), x)
    (tensor([2., 4.]),)
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor.clone(), lambda copy: copy)
        self.pin_memory = pin_memory
        self.device_type = device_type


class _Disabled(Watching):
    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def _changed(self, present: Recorder) -> Recorder:
        if present.hooks is not None:
            raise RuntimeError(self.reason)
        return Recorder(None, present.observers, self.reason)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """In the block (or the decorated function), refuse ``saved_tensors_hooks``.

    Raises ``RuntimeError`` with ``error_message`` where they are used, inside or around.

    >>> import adjoint as torch
    >>> graph = torch.autograd.graph
    >>> with graph.disable_saved_tensors_hooks("not here"):
    ...     with graph.save_on_cpu():
    ...         pass
    Traceback (most recent call last):
    RuntimeError: not here
    """
    with _Disabled(error_message):
        yield


def increment_version(tensor: Any) -> None:
    """Say that a tensor, or each of several, was written to in a way that the library cannot see.

    A backward pass that wants the old values will then refuse. A tensor that was made in inference
    mode has no version, and stays as it is. Raises ``RuntimeError`` for what is not a tensor.

    >>> import adjoint as torch
    >>> x = torch.ones(2)
    >>> torch.autograd.graph.increment_version(x)
    >>> x._version
    1
    """
    if isinstance(tensor, Tensor):
        tensors: Iterable[Any] = (tensor,)
    elif isinstance(tensor, Iterable):
        tensors = tuple(tensor)
    else:
        raise _not_tensors(tensor)
    for each in tensors:
        if not isinstance(each, Tensor):
            raise _not_tensors(each)
    for each in tensors:
        if type(each._memory) is not Untracked:
            memory_of(each).note_write()


def _not_tensors(value: Any) -> RuntimeError:
    return RuntimeError(
        "increment_version expects a Tensor or several (an Iterable of them), not "
        f"{type(value).__name__}"
    )


# -- names that mean something on other devices --------------------------------------------------


def set_warn_on_accumulate_grad_stream_mismatch(enabled: bool) -> None:
    """Do nothing: there are no streams on the CPU that could differ."""


def set_override_stale_capture_stream(enabled: bool) -> None:
    """Do nothing: there are no streams on the CPU that could be captured."""


def region_activation_memory_budget(budget: float) -> NoReturn:
    """Raise ``RuntimeError``: a budget is for compiled regions, and does nothing elsewhere.

    ``TypeError`` and ``ValueError`` unless it is a number from 0 to 1.
    """
    if not isinstance(budget, (int, float)):
        raise TypeError(f"a budget is a number from 0 to 1, not a {type(budget).__name__}")
    if not 0 <= budget <= 1:
        raise ValueError(f"a budget is a part of the memory, from 0 to 1, but got {budget}")
    raise RuntimeError(
        "region_activation_memory_budget can only be used inside a compiled region; to keep less "
        "of what operations save that run at once, use utils.checkpoint"
    )
