"""Parameters and buffers: the tensors that modules list as their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.tape.forward import array_of
from adjoint.tape.tensor import Tensor, memory_of, new, set_requires_grad, wrap


def _share(kind: type, data: Any) -> Any:
    """A leaf of another class over the memory of ``data``."""
    if data is None:
        data = wrap(np.empty(0, np.float32))
    if not isinstance(data, Tensor):
        raise AttributeError(f"{kind.__name__} takes a Tensor, but got {type(data).__name__}")
    leaf: Any = new(kind)
    leaf._array, leaf._level = array_of(data), data._level
    leaf._node = leaf._view = None
    leaf._memory = memory_of(data)  # writes to either are noticed by graphs that saved the other
    return leaf


class Parameter(Tensor):
    """A tensor that a Module it is assigned to lists among its parameters; it is a leaf.

    It shares memory with ``data``. Raises ``AttributeError`` for what is no Tensor, and
    ``RuntimeError`` for an integer type unless ``requires_grad`` is False.

    >>> torch.nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()
    _copies_gradient = False  # deepcopy leaves .grad behind, as in PyTorch

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        leaf = _share(cls, data)
        return set_requires_grad(leaf) if requires_grad else leaf

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a Module it is assigned to keeps with its state, though it does not learn.

    ``persistent=False`` leaves it out of ``state_dict``.

    >>> torch.nn.Buffer(torch.zeros(2))
    tensor([0., 0.])
    """

    __slots__ = ()

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        leaf = _share(cls, data)
        leaf.__dict__["persistent"] = persistent
        return leaf


__all__ = ["Buffer", "Parameter"]
