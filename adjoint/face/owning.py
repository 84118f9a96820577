"""Which memory a tensor looks at: ``resize_``, ``set_``; and plain functions of its elements."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import devices, dtypes
from adjoint.array.memory import dense_strides
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.inplace import before_write, check_writable, copy_into
from adjoint.ops.making import read_size
from adjoint.ops.resizing import extent, look, resize, storage
from adjoint.ops.rewriting import alias, family, root_of
from adjoint.shapes import broadcast_shapes, flatten_ints
from adjoint.tape.forward import Attached, array_of
from adjoint.tape.node import AccumulateGrad
from adjoint.tape.tensor import Memory, Tensor, memory_of

ndarray = np.ndarray
Shape = tuple[int, ...]


class Owning:
    """Methods that change what memory a tensor has, and that visit its elements."""

    _array: Any
    _node: Any

    def resize_(self: Any, *sizes: Any, size: Any = None, memory_format: Any = None) -> Any:
        """Give the tensor another shape, of any number of elements; what is new is not set.

        Raises ``RuntimeError`` for tensors that require grad, and negative sizes.

        >>> import adjoint as torch
        >>> torch.tensor([1, 2, 3, 4]).resize_(2)
        tensor([1, 2])
        """
        shape = read_size("resize_", sizes, size)
        if self._node is not None:
            raise RuntimeError(
                "cannot resize variables that require grad: this one has shape "
                f"{describe_shape(self.shape)}; detach() it first"
            )
        if type(self._array) is Attached:
            raise RuntimeError(
                "resize_: this tensor has a forward gradient, which would be of another shape than "
                f"{describe_shape(self.shape)} then; detach() it first"
            )
        check_writable(self, expanded=True)
        if tuple(self.shape) != shape or memory_format is not None:
            resize(self, shape, _strides(shape, memory_format))
        memory_of(self).note_write()
        return self

    def resize_as_(self: Any, the_template: Any, *, memory_format: Any = None) -> Any:
        """``resize_`` to the shape of another tensor.

        Raises ``RuntimeError`` for tensors that require grad, ``TypeError`` for what is no tensor.

        >>> import adjoint as torch
        >>> torch.tensor([1, 2, 3, 4]).resize_as_(torch.zeros(2))
        tensor([1, 2])
        """
        if not isinstance(the_template, Tensor):
            raise TypeError(
                "resize_as_(): argument 'the_template' must be Tensor, not "
                f"{type(the_template).__name__}"
            )
        return self.resize_(tuple(the_template.shape), memory_format=memory_format)

    def set_(
        self: Any, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None
    ) -> Any:
        """Let the tensor look at the memory of ``source``, a tensor or a storage; nothing for None.

        ``size`` and ``stride`` say how, in elements from ``storage_offset`` on. Raises
        ``RuntimeError`` for another type, what lies outside the memory, and where a gradient is
        wanted.

        >>> import adjoint as torch
        >>> x = torch.zeros(3)
        >>> torch.empty(0).set_(x).add_(1)
        tensor([1., 1., 1.])
        >>> x
        tensor([1., 1., 1.])
        """
        if type(self._array) is Attached:
            raise NotImplementedError(
                "set_ is not implemented for forward mode: detach() the tensor first"
            )
        if check_writable(self, expanded=True) and self._node is not None:
            raise RuntimeError(
                "the derivative for set_ is not implemented: detach() the tensor first"
            )
        kind = self._array.dtype
        source_is_tensor = isinstance(source, Tensor)
        if source is None:
            array = np.empty(0, kind)
        elif source_is_tensor:
            if dtypes.of(source) is not dtypes.of(self):
                raise RuntimeError(
                    f"Could not set tensor of type {dtypes.of(source)!r} to a tensor of type "
                    f"{dtypes.of(self)!r}"
                )
            array = source._array
            if size is not None:
                array = _within(storage(root_of(source)), kind, storage_offset, size, stride)
        elif hasattr(source, "bytes"):
            store = source.bytes()
            if size is None:
                size = (store.size // kind.itemsize,)
            array = _within(store, kind, storage_offset, size, stride)
        else:
            raise TypeError(f"set_(): source is a Tensor or a storage, not {type(source).__name__}")
        _point(self, array)
        if source is not None and size is not None:
            memory_of(self).storage = (
                storage(root_of(source)) if source_is_tensor else source.bytes()
            )
        return self

    def share_memory_(self: Any) -> Any:
        """The tensor itself: memory belongs to this process, and its threads share it anyway.

        >>> import adjoint as torch
        >>> torch.ones(2).share_memory_()
        tensor([1., 1.])
        """
        return self

    def apply_(self: Any, callable: Callable[[Any], Any]) -> Any:
        """Put ``callable`` of each element, a Python number, in its place. Slow.

        Raises ``RuntimeError`` for a tensor that requires grad.

        >>> import adjoint as torch
        >>> torch.tensor([1.0, 2.0]).apply_(lambda value: 10 * value)
        tensor([10., 20.])
        """
        return _apply("apply_", self, (), callable)

    def map_(self: Any, tensor: Any, callable: Callable[[Any, Any], Any]) -> Any:
        """Put ``callable`` of each element and that of ``tensor``, which broadcasts, in its place.

        Raises ``RuntimeError`` for tensors that require grad, ``TypeError`` for other types.

        >>> import adjoint as torch
        >>> torch.tensor([1.0, 2.0]).map_(torch.tensor(3.0), lambda a, b: a * b)
        tensor([3., 6.])
        """
        return _apply("map_", self, (tensor,), callable)

    def map2_(self: Any, x: Any, y: Any, callable: Callable[[Any, Any, Any], Any]) -> Any:
        """Put ``callable`` of each element and those of ``x`` and ``y`` in its place.

        Raises ``RuntimeError`` for tensors that require grad, ``TypeError`` for other types.

        >>> import adjoint as torch
        >>> ones = torch.ones(2)
        >>> torch.tensor([1.0, 2.0]).map2_(ones, ones, lambda a, b, c: a + b + c)
        tensor([3., 4.])
        """
        return _apply("map2_", self, (x, y), callable)


def _strides(shape: Shape, memory_format: Any) -> Shape | None:
    """The steps of a memory format, None where elements simply follow each other."""
    if memory_format in (None, devices.contiguous_format, devices.preserve_format):
        return None
    rank = 4 if memory_format is devices.channels_last else 5
    if len(shape) != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {memory_format!r} format")
    steps = dense_strides((shape[0], *shape[2:], shape[1]))
    return (steps[0], steps[-1], *steps[1:-1])


def _within(store: Any, kind: Any, offset: int, size: Any, stride: Any) -> Any:
    shape = flatten_ints((size,))
    steps = dense_strides(shape) if not stride else flatten_ints((stride,))
    needed = (offset + extent(shape, steps)) * kind.itemsize
    if needed > store.size or offset < 0:
        raise RuntimeError(
            f"setStorage: sizes {describe_shape(shape)} with strides {describe_shape(steps)} from "
            f"element {offset} on need {needed} bytes, and are out of bounds for storage of size "
            f"{store.size}"
        )
    return look(store, kind, shape, offset * kind.itemsize, steps)


def _point(tensor: Any, array: Any) -> None:
    """Let ``tensor`` look at ``array``, and what are views of it stay where they were."""
    memory = memory_of(tensor)
    views = [each for each in family(root_of(tensor)) if each._view.parent is tensor]
    if views:
        before = alias(tensor)
        for each in views:
            each._view.parent = before
        if tensor._view is None:
            memory.root = weakref.ref(before)
    fresh = Memory()
    fresh.version = memory.version
    fresh.root = weakref.ref(tensor)
    tensor._memory, tensor._view, tensor._array = fresh, None, array
    if tensor._node is not None:  # a leaf, outside recording
        tensor._node.shape, tensor._node.dtype = array.shape, array.dtype
    fresh.note_write()


_CONTENTS = ("_array", "_level", "_memory", "_node", "_view")


def swap_tensors(t1: Any, t2: Any) -> None:
    """Exchange two tensors: all that each is and holds, but for who refers to it.

    Raises ``TypeError`` for what is no tensor, ``RuntimeError`` for classes of different slots.

    >>> import adjoint as torch
    >>> x, y = torch.ones(2), torch.zeros(1)
    >>> torch.utils.swap_tensors(x, y)
    >>> x
    tensor([0.])
    """
    for each in (t1, t2):
        if not isinstance(each, Tensor):
            raise TypeError(f"swap_tensors(): exchanges Tensors, not {type(each).__name__}")
    first, second = type(t1), type(t2)
    if _slots(first) != _slots(second):
        raise RuntimeError("Cannot swap t1 and t2 if they have different slots")
    families = [
        (mine, other, each)
        for mine, other in ((t1, t2), (t2, t1))
        if mine._memory is not None
        for each in family(root_of(mine))
        if each._view.parent is mine
    ]
    for name in _CONTENTS:
        kept = getattr(t1, name)
        setattr(t1, name, getattr(t2, name))
        setattr(t2, name, kept)
    t1.__dict__, t2.__dict__ = t2.__dict__, t1.__dict__
    t1.__class__, t2.__class__ = second, first
    for _, other, view in families:
        view._view.parent = other
    for each in (t1, t2):
        if isinstance(each._node, AccumulateGrad):
            each._node.variable_reference = weakref.ref(each)
        memory = each._memory
        if memory is not None and each._view is None:
            memory.root = weakref.ref(each)
        if memory is not None and each._view is not None:
            memory.views.append(weakref.ref(each))


def _slots(kind: type) -> set[str]:
    return {name for each in kind.__mro__ for name in getattr(each, "__slots__", ())}


def _apply(name: str, target: Any, others: tuple[Any, ...], function: Any) -> Any:
    """Store a Python function of the elements of some tensors in the first of them."""
    arrays = []
    for each in (target, *others):
        if not isinstance(each, Tensor):
            raise TypeError(f"{name}(): argument must be Tensor, not {type(each).__name__}")
        if each._node is not None:
            raise RuntimeError(
                f"Can't call {name}() on Variable that requires grad. Use "
                f"var.detach().{name}() instead."
            )
        array = array_of(each)
        if isinstance(array, Value):
            raise RuntimeError(f"{name}() needs the numbers, which are not known in a transform")
        if dtypes.of(each) is not dtypes.of(target):
            raise TypeError(
                f"{name}: expected {dtypes.of(target)!r} for all tensors, got {dtypes.of(each)!r}"
            )
        arrays.append(array)
    if not callable(function):
        raise TypeError(f"{name}(): {type(function).__name__!r} object is not callable")
    shape = tuple(target.shape)
    if broadcast_shapes(*(tuple(each.shape) for each in arrays)) != shape:
        raise RuntimeError(f"{name}: the others must expand to shape {describe_shape(shape)}")
    check_writable(target)
    columns = [np.broadcast_to(each, shape).reshape(-1).tolist() for each in arrays]
    found = [function(*row) for row in zip(*columns, strict=True)]
    kind = arrays[0].dtype
    if kind.kind in "iu":
        found = [int(each) if isinstance(each, float) else each for each in found]
        if any(not isinstance(each, (int, np.integer)) for each in found):
            raise TypeError(f"{name}(): the function must give an integer for each element")
    before_write(memory_of(target), arrays[0])
    copy_into(arrays[0], np.array(found, kind).reshape(shape))
    memory_of(target).note_write()
    return target
