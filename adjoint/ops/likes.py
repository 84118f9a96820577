"""Tensors shaped or typed like another: ``zeros_like`` and ``new_zeros`` and their kin.

Inside ``vmap`` what they make is a batch wherever the other is one, so that it may be written to.
"""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from adjoint import devices, dtypes
from adjoint.array.memory import overlaps_itself
from adjoint.array.value import Value
from adjoint.devices import Placement, check_placement
from adjoint.errors import describe_shape
from adjoint.ops.conversion import copy_of
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, batch_prefixed
from adjoint.ops.making import allocate, read_shape, read_size
from adjoint.ops.reading import array_of
from adjoint.ops.scalars import cast_number, read_number
from adjoint.tape.tensor import Tensor, set_requires_grad, wrap


def _filled(x: Any, shape: tuple[int, ...], value: Any, kind: dtypes.dtype) -> Any:
    """An array of another's shape in its order of memory, or of a shape of its own."""
    out = empty_like_array(x, kind) if x.shape == shape else np.empty(shape, kind.numpy)
    if value is not None:
        out[...] = value
    return out


def empty_like_array(x: Any, kind: dtypes.dtype) -> Any:
    """Memory for an array like ``x``: its order of dimensions, unless elements overlap."""
    return np.empty_like(x, kind.numpy, order="C" if overlaps_itself(x) else "K")


def _infer(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return options[0], options[2]


full_like_row = define(
    "full_like", "creation", _filled, options="shape value dtype",
    batch=batch_prefixed("shape"), infer=_infer, low_precision=False,
)  # fmt: skip


def require_tensor(caller: str, value: Any) -> None:
    """Raise ``TypeError`` unless ``value`` is a tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{caller}(): input is a Tensor, not {type(value).__name__}")


def like(
    caller: str,
    input: Any,
    fill: Any,
    dtype: Any,
    requires_grad: bool,
    placement: Placement,
    memory_format: Any = None,
    shape: tuple[int, ...] | None = None,
) -> Any:
    """One number (None: any) throughout, like ``input`` but for what is given."""
    require_tensor(caller, input)
    if placement:
        check_placement(caller, placement)
    source = input._array
    kind = dtypes.of(source) if dtype is None else dtypes.as_dtype(dtype, caller)
    value = None if fill is None else cast_number(fill, kind, caller)
    if isinstance(source, Value):
        out = full_like_row(input, source.shape if shape is None else shape, value, kind)
    elif shape is not None:
        out = wrap(_new(shape, value, kind, caller))
    elif memory_format is None or memory_format is devices.preserve_format:
        out = wrap(_filled(source, source.shape, value, kind))
    else:
        out = wrap(np.empty(source.shape, kind.numpy))
        out._array = in_format(caller, out._array, memory_format)
        if value is not None:
            out._array[...] = value
    return set_requires_grad(out) if requires_grad else out


def _new(shape: tuple[int, ...], value: Any, kind: dtypes.dtype, caller: str) -> Any:
    if not value:
        return allocate(np.empty if value is None else np.zeros, shape, kind, caller)
    return allocate(lambda shape, numpy: np.full(shape, value, numpy), shape, kind, caller)


def in_format(caller: str, array: Any, memory_format: Any) -> Any:
    """The same elements with the dimensions in another order in memory; copied only if need be."""
    if memory_format is devices.contiguous_format:
        return array if array.flags.c_contiguous else np.ascontiguousarray(array)
    ranks = {devices.channels_last: 4, devices.channels_last_3d: 5}
    rank = ranks.get(memory_format)
    if rank is None:
        raise TypeError(f"{caller}(): memory_format is a memory format, but got {memory_format!r}")
    if array.ndim != rank:
        raise RuntimeError(
            f"{caller}: {memory_format!r} is for tensors of {rank} dimensions, but this one has "
            f"shape {describe_shape(array.shape)}"
        )
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)


@public(method=False)
def zeros_like(
    input: Any,
    *,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    **placement: Unpack[Placement],
) -> Any:
    """Zeros of the shape and, unless ``dtype`` is given, the type of ``input``.

    >>> torch.zeros_like(torch.tensor([1, 2]))
    tensor([0, 0])
    """
    return like("zeros_like", input, 0, dtype, requires_grad, placement, memory_format)


@public(method=False)
def ones_like(
    input: Any,
    *,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    **placement: Unpack[Placement],
) -> Any:
    """Ones of the shape and, unless ``dtype`` is given, the type of ``input``.

    >>> torch.ones_like(torch.tensor([1.5, 2.5]))
    tensor([1., 1.])
    """
    return like("ones_like", input, 1, dtype, requires_grad, placement, memory_format)


@public(method=False)
def empty_like(
    input: Any,
    *,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    **placement: Unpack[Placement],
) -> Any:
    """A tensor like ``input`` whose numbers are whatever memory held.

    >>> torch.empty_like(torch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """
    return like("empty_like", input, None, dtype, requires_grad, placement, memory_format)


@public(method=False)
def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    **placement: Unpack[Placement],
) -> Any:
    """One number throughout, of the shape and, unless ``dtype`` is given, the type of ``input``.

    Raises ``RuntimeError`` for a number beyond the type.

    >>> torch.full_like(torch.zeros(2), 7)
    tensor([7., 7.])
    """
    number = read_number("full_like", "fill_value", fill_value)
    return like("full_like", input, number, dtype, requires_grad, placement, memory_format)


@public(namespaces=())
def new_zeros(
    self: Any,
    *sizes: Any,
    size: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """Zeros of a shape and, unless ``dtype`` is given, the type of this tensor.

    >>> torch.tensor([1, 2]).new_zeros(3)
    tensor([0, 0, 0])
    """
    shape = read_size("new_zeros", sizes, size)
    return like("new_zeros", self, 0, dtype, requires_grad, placement, shape=shape)


@public(namespaces=())
def new_ones(
    self: Any,
    *sizes: Any,
    size: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """Ones of a shape and, unless ``dtype`` is given, the type of this tensor.

    >>> torch.tensor([1, 2]).new_ones(3)
    tensor([1, 1, 1])
    """
    shape = read_size("new_ones", sizes, size)
    return like("new_ones", self, 1, dtype, requires_grad, placement, shape=shape)


@public(namespaces=())
def new_empty(
    self: Any,
    *sizes: Any,
    size: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """A tensor of a shape and of this one's type whose numbers are whatever memory held.

    >>> torch.tensor([1, 2]).new_empty(3).dtype
    torch.int64
    """
    shape = read_size("new_empty", sizes, size)
    return like("new_empty", self, None, dtype, requires_grad, placement, shape=shape)


@public(namespaces=())
def new_full(
    self: Any,
    size: Any,
    fill_value: Any,
    *,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """One number throughout, of a shape and, unless ``dtype`` is given, the type of this tensor.

    >>> torch.tensor([1, 2]).new_full((3,), 7)
    tensor([7, 7, 7])
    """
    shape = read_shape("new_full", size)
    number = read_number("new_full", "fill_value", fill_value)
    return like("new_full", self, number, dtype, requires_grad, placement, shape=shape)


@public(namespaces=())
def new_tensor(
    self: Any,
    data: Any,
    *,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """A copy of ``data`` in the type of this tensor, unless ``dtype`` is given.

    Raises what ``tensor`` raises.

    >>> torch.tensor([1, 2]).new_tensor([1.5, 2.5])
    tensor([1, 2])
    """
    require_tensor("new_tensor", self)
    check_placement("new_tensor", placement)
    kind = dtypes.of(self) if dtype is None else dtypes.as_dtype(dtype, "new_tensor")
    if isinstance(data, Tensor):
        out = copy_of(data, kind)
    else:
        out = wrap(array_of(data, kind, "new_tensor"))
    return set_requires_grad(out) if requires_grad else out
