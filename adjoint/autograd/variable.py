"""``torch.autograd.Variable``: an old name for what every Tensor is now."""

from __future__ import annotations

from typing import Any

from adjoint.tape.tensor import Tensor, set_requires_grad, wrap


class VariableMeta(type):
    """What makes every Tensor an instance of ``Variable``."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=VariableMeta):
    """``Variable(x)`` is a Tensor over the memory of ``x``, without its history.

    >>> import adjoint as torch
    >>> torch.autograd.Variable(torch.ones(1), requires_grad=True)
    tensor([1.], requires_grad=True)
    """

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable: data must be a Tensor, not {type(data).__name__}")
        tensor = wrap(data._array, data._level)
        return set_requires_grad(tensor) if requires_grad else tensor


__all__ = ["Variable", "VariableMeta"]
