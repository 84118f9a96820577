"""The Tensor class's face: its attributes, and the operations as its methods.

``Face`` is never made: what it holds is put on ``adjoint.tape.tensor.Tensor``, which the layers
below know. A method that is an operation is the operation's own function, so that a call is one
Python frame and the user's line is one frame up.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adjoint import dtypes, printing
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.inplace import in_place
from adjoint.ops.kinds.public import PROPERTIES, PUBLIC
from adjoint.shapes import product
from adjoint.tape import hooks
from adjoint.tape.backward import backward
from adjoint.tape.modes import no_grad
from adjoint.tape.node import AccumulateGrad, Port
from adjoint.tape.tensor import Tensor, mark_view, set_requires_grad, wrap


class Size(tuple[int, ...]):
    """A shape: a tuple of sizes that prints as PyTorch's does."""

    __slots__ = ()

    def numel(self) -> int:
        """Number of elements."""
        return product(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __getitem__(self, place: Any) -> Any:
        found = tuple.__getitem__(self, place)
        return Size(found) if isinstance(place, slice) else found

    def __add__(self, other: tuple[int, ...]) -> Size:  # type: ignore[override]
        return Size(tuple.__add__(self, tuple(other)))


class Face:
    """Attributes and methods of every Tensor."""

    _array: Any
    _node: Any
    _level: int
    _memory: Any
    _view: Any

    # -- what it is ---------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """Sizes of the dimensions."""
        return Size(self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension; ``IndexError`` for a dim there is not."""
        if dim is None:
            return Size(self._array.shape)
        ndim = self.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], "
                f"but got {dim})"
                if ndim
                else f"Dimension specified as {dim} but tensor has no dimensions"
            )
        return self._array.shape[dim]

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._array.shape)

    def dim(self) -> int:
        """Number of dimensions."""
        return len(self._array.shape)

    ndimension = dim

    def numel(self) -> int:
        """Number of elements."""
        return product(self._array.shape)

    nelement = numel

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""
        return dtypes.of(self._array)

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are wanted with respect to this tensor or something it came from."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        set_requires_grad(self, value)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Mark a leaf as wanting a gradient, or not; returns it."""
        return set_requires_grad(self, requires_grad)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self._node is None or isinstance(self._node, AccumulateGrad)

    @property
    def grad_fn(self) -> Any:
        """The node that made this tensor, None for a leaf."""
        node = self._node
        if isinstance(node, Port):
            return node.node
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
        if kept is None and node is not None and not (node_hooks := _hooks(node)):
            del node_hooks
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its "
                ".grad attribute won't be populated during autograd.backward(). If you want it, "
                "call .retain_grad() on this tensor before.",
                UserWarning,
                stacklevel=2,
            )
        return kept

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got {type(value).__name__}"
                )
            if tuple(value._array.shape) != tuple(self._array.shape):
                raise RuntimeError(
                    f"assigned grad has data of a different size: {describe_shape(value.shape)} "
                    f"for a tensor of shape {describe_shape(self._array.shape)}"
                )
            if dtypes.of(value._array) is not dtypes.of(self._array):
                raise RuntimeError(
                    f"assigned grad has data of a different type: {dtypes.of(value._array)!r} for "
                    f"a tensor of {dtypes.of(self._array)!r}"
                )
        if isinstance(self._node, AccumulateGrad):
            self._node.grad = value
        else:
            self.__dict__["_retained_grad"] = value

    @property
    def _version(self) -> int:
        return 0 if self._memory is None else int(self._memory.version)

    def _is_view(self) -> bool:
        return self._view is not None and self._view.differentiable

    @property
    def _base(self) -> Any:
        return self._view.base if self._is_view() else None

    def is_inference(self) -> bool:
        """Whether this tensor was made inside ``inference_mode``."""
        return bool(self.__dict__.get("_inference", False))

    # -- the tape -----------------------------------------------------------------------------

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
        backward(
            (self,), None if gradient is None else (gradient,), retain_graph, create_graph, inputs
        )

    retain_grad = hooks.retain_grad
    register_hook = hooks.register_hook

    @property
    def retains_grad(self) -> bool:
        """Whether ``retain_grad()`` was called on this tensor, which is not a leaf."""
        if self.is_leaf:
            return False
        found = _hooks(self._node)
        return found is not None and self.output_nr in found.retained

    def detach(self) -> Any:
        """The same memory with no history."""
        out = wrap(self._array, self._level)
        mark_view(out, self, None, (), differentiable=False)
        return out

    def detach_(self) -> Any:
        """Forget this tensor's history; ``RuntimeError`` for a view, whose base would not."""
        if self._view is not None and self._view.differentiable:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead, or detach the base first."
            )
        self._node = None
        return self

    @property
    def data(self) -> Any:
        """The same memory with no history and no version: writes to it are not noticed."""
        return wrap(self._array, self._level)

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        self._array = value._array
        if isinstance(self._node, AccumulateGrad):
            self._node.shape, self._node.dtype = self._array.shape, self._array.dtype

    # -- out to Python and NumPy --------------------------------------------------------------

    def numpy(self, *, force: bool = False) -> Any:
        """The memory as a NumPy array, shared; ``RuntimeError`` where a gradient would be lost."""
        if self._node is not None and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
            )
        if isinstance(self._array, Value):
            raise RuntimeError("numpy() inside a transform: there is no plain memory here")
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The only element, as a Python number; ``RuntimeError`` if there are more."""
        if product(self._array.shape) != 1:
            raise RuntimeError(
                f"a Tensor with {self.numel()} elements cannot be converted to Scalar: its shape "
                f"is {describe_shape(self._array.shape)}"
            )
        if isinstance(self._array, Value):
            raise RuntimeError("item() inside a transform: the value is not known here")
        if self._array.dtype.name == "bfloat16":
            return float(self._array.reshape(())[()])
        return self._array.item()

    def tolist(self) -> Any:
        """The elements as nested Python lists, or one number."""
        if self.dtype is dtypes.bfloat16:
            return self._array.astype(np.float32).tolist()
        return self._array.tolist()

    def __bool__(self) -> bool:
        if product(self._array.shape) != 1:
            what = "no values" if self.numel() == 0 else "more than one value"
            raise RuntimeError(
                f"Boolean value of Tensor with {what} is ambiguous (shape "
                f"{describe_shape(self._array.shape)}); use .any() or .all()"
            )
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self.dtype.category > dtypes.INTEGER:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __len__(self) -> int:
        if not self._array.shape:
            raise TypeError("len() of a 0-d tensor")
        return int(self._array.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if not self._array.shape:
            raise TypeError("iteration over a 0-d tensor")
        return iter([self[place] for place in range(len(self))])  # type: ignore[index]

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        node = self.grad_fn
        if isinstance(self._array, Value):
            return f"tensor(<{type(self._array).__name__} of {self.dtype.name}{list(self.shape)}>)"
        return printing.format_tensor(
            self._array,
            requires_grad=self._node is not None,
            grad_fn_name=None if node is None else node.name(),
        )

    def __format__(self, spec: str) -> str:
        return printing.format_with_spec(self, self._array, spec, plain=type(self) is Tensor)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment; detach() this one first"
            )
        if id(self) in memo:
            return memo[id(self)]
        out = wrap(self._array.copy(), self._level)
        out.__class__ = type(self)
        memo[id(self)] = out
        out.__dict__.update(copy.deepcopy(self.__dict__, memo))
        if self._node is not None:
            set_requires_grad(out)
            out.grad = copy.deepcopy(self.grad, memo)
        return out

    def __reduce_ex__(self, protocol: int) -> Any:
        if not self.is_leaf:
            raise RuntimeError("only leaves can be pickled; detach() this tensor first")
        return _rebuild, (type(self), self._array, self.requires_grad, dict(self.__dict__))


def _hooks(edge: Any) -> Any:
    return (edge.node if isinstance(edge, Port) else edge).hooks


def _rebuild(kind: type, array: Any, requires_grad: bool, attributes: dict[str, Any]) -> Any:
    out = wrap(array)
    out.__class__ = kind
    out.__dict__.update(attributes)
    return set_requires_grad(out) if requires_grad else out


def install(face: type) -> None:
    """Put what ``face`` holds on the Tensor class, and the operations with their in-place forms."""
    for each in PUBLIC:
        if each.method:
            setattr(Tensor, each.name, each.function)
        if each.in_place:
            setattr(Tensor, each.name + "_", in_place(each.function, each.name + "_"))
    for name, function in PROPERTIES.items():
        setattr(Tensor, name, property(function))
    for name, value in vars(face).items():
        if name not in ("__dict__", "__weakref__", "__module__", "__annotations__", "__doc__"):
            setattr(Tensor, name, value)


install(Face)
Tensor.__module__ = "adjoint"

__all__ = ["Callable", "Size", "Tensor", "in_place", "no_grad"]
