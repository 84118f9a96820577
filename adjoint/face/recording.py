"""A tensor on the tape: whether it is recorded, what made it, its gradient."""

from __future__ import annotations

import warnings
from typing import Any

from adjoint import dtypes
from adjoint.array.symbol import running
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.kinds.viewing import look_detached
from adjoint.ops.movement import detach_row
from adjoint.tape import hooks
from adjoint.tape.backward import backward
from adjoint.tape.cuts import note_cut
from adjoint.tape.forward import array_of, drop_tangent, set_array
from adjoint.tape.node import AccumulateGrad, Port, Refused
from adjoint.tape.tensor import (
    Memory,
    Tensor,
    Untracked,
    forget_history,
    mark_view,
    new,
    remember_maker,
    set_requires_grad,
    wrap,
)


class Recording:
    """Attributes and methods about gradients."""

    _array: Any
    _node: Any
    _level: int
    _memory: Any
    _view: Any

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are wanted with respect to this tensor or something it came from."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not self.is_leaf:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables, and "
                f"{self.grad_fn.name()} made this tensor; .detach() gives a leaf"
            )
        set_requires_grad(self, value)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Mark a leaf as wanting a gradient, or not; returns it.

        Raises ``RuntimeError`` for integer types, and for False where the tensor was computed.
        """
        return set_requires_grad(self, requires_grad)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        if isinstance(self._node, Refused):
            raise self._node.error()
        return self._node is None or isinstance(self._node, AccumulateGrad)

    @property
    def grad_fn(self) -> Any:
        """The node that made this tensor, None for a leaf."""
        node = self._node
        if isinstance(node, Port):
            return node.node
        if isinstance(node, Refused):
            raise node.error()
        return None if isinstance(node, AccumulateGrad) else node

    @property
    def output_nr(self) -> int:
        """Which of its node's outputs this tensor is."""
        return self._node.index if isinstance(self._node, Port) else 0

    @property
    def grad(self) -> Any:
        """The gradient that backward passes have added up here, None before the first."""
        node = self._node
        if isinstance(node, AccumulateGrad):
            return node.grad
        kept = self.__dict__.get("_retained_grad")
        if kept is None and node is not None and not self.retains_grad:
            warnings.warn(
                f"the .grad of a tensor that {self.grad_fn.name()} made is asked for, and only "
                "leaves get one: call .retain_grad() on it before the backward pass",
                UserWarning,
                stacklevel=2,
            )
        return kept

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            _check_gradient(self, value)
        if isinstance(self._node, AccumulateGrad):
            self._node.grad = value
        else:
            self.__dict__["_retained_grad"] = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    @property
    def grad_dtype(self) -> Any:
        """The element type of the ``.grad`` that a leaf is to get; None for that which arrives.

        Raises ``RuntimeError`` for a tensor that was computed, and for a type that the present
        ``.grad`` has not.
        """
        if not self.is_leaf:
            raise RuntimeError("grad_dtype can only be accessed on leaf tensors")
        return self.__dict__.get("_grad_dtype", dtypes.of(self._array))

    @grad_dtype.setter
    def grad_dtype(self, value: Any) -> None:
        if not self.is_leaf:
            raise RuntimeError("grad_dtype can only be set on leaf tensors")
        if value is not None and not isinstance(value, dtypes.dtype):
            raise RuntimeError(
                f"grad_dtype must be a torch.dtype or None, but got {type(value).__name__}"
            )
        if value is not None and self.grad is not None and self.grad.dtype is not value:
            raise RuntimeError(
                f"grad_dtype cannot be set to {value!r} while there is a gradient of "
                f"{self.grad.dtype!r}: set .grad to None first"
            )
        self.__dict__["_grad_dtype"] = value
        if self._node is not None:
            self._node.dtype = value

    @property
    def name(self) -> None:
        """None: PyTorch has no use for names of tensors any more."""

    @property
    def retains_grad(self) -> bool:
        """Whether ``retain_grad()`` was called on this tensor, which is not a leaf."""
        if isinstance(self._node, Refused) or self.is_leaf:
            return False
        found = self.grad_fn.hooks
        return found is not None and self.output_nr in found.retained

    @property
    def _version(self) -> int:
        if type(self._memory) is Untracked:
            raise RuntimeError(
                "Inference tensors do not track version counter: this one was made in inference "
                "mode"
            )
        return 0 if self._memory is None else int(self._memory.version)

    def _is_view(self) -> bool:
        view = self._view
        return view is not None and view.differentiable and type(self._memory) is not Untracked

    @property
    def _base(self) -> Any:
        return self._view.base if self._is_view() else None

    def is_inference(self) -> bool:
        """Whether this tensor was made inside ``inference_mode``."""
        return type(self._memory) is Untracked

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Accumulate the gradient of this tensor into the leaves it came from.

        ``gradient`` weighs the elements and is needed unless there is only one. Raises
        ``RuntimeError`` if nothing was recorded, or the graph was freed by an earlier backward.
        """
        gradients = None if gradient is None else (gradient,)
        backward((self,), gradients, retain_graph, create_graph, inputs=inputs)

    retain_grad = hooks.retain_grad
    register_hook = hooks.register_hook
    register_post_accumulate_grad_hook = hooks.register_post_accumulate_grad_hook

    def detach(self) -> Any:
        """The same memory with no history."""
        array = self._array if running.capture is None else running.capture.lifted(self)
        if isinstance(array, Value):
            array = detach_row.row((array,))  # type: ignore[attr-defined]
            out = wrap(array, self._level)
            mark_view(out, self, detach_row.row, (), differentiable=False)  # type: ignore[attr-defined]
            return out
        return look_detached(self)

    def detach_(self) -> Any:
        """Forget this tensor's history; ``RuntimeError`` for a view, whose base would not."""
        if self._is_view():
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead, or detach the base first."
            )
        if self._node is not None:
            remember_maker(self)
        forget_history(self)
        drop_tangent(self)
        return self

    @property
    def data(self) -> Any:
        """The same memory with no history and no version: writes to it are not noticed."""
        if self._node is not None and not isinstance(self._node, AccumulateGrad):
            note_cut(".data", self._node)  # not of leaves, whose .data is for setting them
        if running.capture is not None:
            running.capture.lifted(self)
        array = array_of(self)
        if isinstance(array, Value):
            row = detach_row.row  # type: ignore[attr-defined]
            found = wrap(row((array,)), self._level)
            mark_view(found, self, row, (), differentiable=False)
            found._memory = Memory()  # counted apart: writes reach this tensor unnoticed
            return found
        found = wrap(array, self._level)
        # An inference tensor if this is one, whatever the mode.
        found._memory = new(Untracked) if type(self._memory) is Untracked else None
        return found

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"data is a Tensor, but got {type(value).__name__}")
        kind = dtypes.of(value._array)
        if self.requires_grad and kind.category < dtypes.FLOATING:
            raise RuntimeError(
                "data set to a tensor that requires gradients must be floating point or complex "
                f"dtype, but this is {kind!r}"
            )
        if running.capture is not None and running.capture.replace(self, value):
            return
        set_array(self, array_of(value))
        if isinstance(self._node, AccumulateGrad):
            self._node.shape, self._node.dtype = self._array.shape, self._array.dtype


def _check_gradient(tensor: Any, value: Any) -> None:
    """Raise unless ``value`` may be the ``.grad`` of ``tensor``."""
    if not isinstance(value, Tensor):
        raise TypeError(f"a .grad is a Tensor or None, but got {type(value).__name__}")
    if value is tensor:
        raise RuntimeError("a tensor cannot be its own .grad")
    shapes = tuple(value._array.shape), tuple(tensor._array.shape)
    if shapes[0] != shapes[1]:
        raise RuntimeError(
            f"a .grad of shape {describe_shape(shapes[0])} was assigned to a tensor of shape "
            f"{describe_shape(shapes[1])}; they must be equal"
        )
    kinds = dtypes.of(value._array), dtypes.of(tensor._array)
    if "_grad_dtype" in tensor.__dict__:
        kinds = kinds[0], tensor.__dict__["_grad_dtype"] or kinds[0]
    if kinds[0] is not kinds[1]:
        raise RuntimeError(f"a .grad of type {kinds[0]!r} was assigned to a {kinds[1]!r} tensor")
