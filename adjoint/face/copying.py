"""``copy``, ``deepcopy`` and pickle: a leaf's memory, once for all tensors that share it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from adjoint.face.attributes import address, owner_of, plain
from adjoint.tape.forward import array_of
from adjoint.tape.node import AccumulateGrad
from adjoint.tape.tensor import set_requires_grad, wrap

_PRIVATE = frozenset(("_inference", "_retained_grad"))
# How an array looks at its owner's memory: bytes before the first element, shape, strides.
Look = tuple[int, tuple[int, ...], tuple[int, ...]]


class Copying:
    """The protocols of Python's ``copy`` and ``pickle``."""

    _array: Any
    _node: Any
    _level: int
    _copies_gradient = True

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) in memo:
            return memo[id(self)]
        if self._node is not None and not isinstance(self._node, AccumulateGrad):
            raise RuntimeError(
                "deepcopy() copies leaves, the tensors that users made, and this one was made by "
                f"{self.grad_fn.name()}; detach() it, or clone() it to keep its history"  # type: ignore[attr-defined]
            )
        array = plain(self, "deepcopy()")
        owner, look = owner_and_look(self)
        out = wrap(see(copy.deepcopy(owner, memo), look, array.dtype), self._level)
        out.__class__ = type(self)  # type: ignore[assignment]
        memo[id(self)] = out
        out.__dict__.update(copy.deepcopy(_own_attributes(self), memo))
        if self._node is not None:
            set_requires_grad(out)
        if self._node is not None and self._copies_gradient:
            out._node.grad = copy.deepcopy(self._node.grad, memo)  # type: ignore[union-attr]
        return out

    def __reduce_ex__(self, protocol: Any) -> Any:
        array = plain(self, "pickle")
        owner, look = owner_and_look(self)
        parts = (type(self), owner, look, array.dtype, self._node is not None)
        return rebuild, (*parts, _own_attributes(self))


def _own_attributes(tensor: Any) -> dict[str, Any]:
    """What the user has set on a tensor."""
    return {name: value for name, value in tensor.__dict__.items() if name not in _PRIVATE}


def owner_and_look(tensor: Any) -> tuple[Any, Look | None]:
    """The array whose memory a tensor looks at, and how; no look where it is its own array.

    Tensors that share memory have the same owner, which copy and pickle take once.
    """
    array, owner = array_of(tensor), owner_of(tensor)
    if owner is array or not (owner.flags.c_contiguous or owner.flags.f_contiguous):
        return array, None
    return owner, (address(array) - address(owner), array.shape, array.strides)


def see(owner: Any, look: Look | None, kind: Any) -> Any:
    """The array that looks at ``owner``'s memory in this way."""
    if look is None:
        return owner
    offset, shape, strides = look
    if not owner.flags.c_contiguous:
        owner = owner.T
    return np.ndarray(shape, kind, owner, offset, strides)


def rebuild(
    kind: type, owner: Any, look: Look | None, numpy_type: Any, requires_grad: bool, attributes: Any
) -> Any:
    """What pickle calls: a tensor over memory that others may share."""
    out = wrap(see(owner, look, numpy_type))
    out.__class__ = kind
    out.__dict__.update(attributes)
    return set_requires_grad(out) if requires_grad else out
