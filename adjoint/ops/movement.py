"""Movement: the same elements in another shape, without copying where memory allows."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import devices, dtypes
from adjoint.array.memory import (
    dense_strides,
    is_contiguous,
    overlaps_itself,
    stretch,
    strides_of,
)
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, batch_prefixed
from adjoint.ops.kinds.viewing import look, viewing
from adjoint.shapes import flatten_ints, infer_size, keeps_memory, normalise_dim, product
from adjoint.tape import engine
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray

# -- rows ---------------------------------------------------------------------------------------

reshape_row = viewing(
    "reshape", lambda x, shape: x.reshape(shape), options="shape", sometimes=True,
    x=lambda g, x_shape: reshape_row(g, x_shape),
    batch=batch_prefixed("shape"), node_name="ViewBackward0",
)  # fmt: skip


# What is out of order in memory and can be seen in the other shape all the same.
reshape_alias_row = viewing(
    "reshape_alias", lambda x, shape: x.reshape(shape), options="shape", sometimes=True,
    x=lambda g, x_shape: reshape_row(g, x_shape), batch=batch_prefixed("shape"),
)  # fmt: skip


def _batch_expand(row: Any, size: int, values: Any, batched: Any, options: Any) -> Any:
    x, shape = values[0], options[0]
    missing = len(shape) - len(x.shape) + 1
    if missing:
        x = reshape_row(x, (size, *(1,) * missing, *x.shape[1:]))
    return expand_row(x, (size, *shape))


expand_row = viewing(
    "expand", stretch, options="shape",
    x=lambda g, x_shape: engine.sum_to_shape(g, x_shape), batch=_batch_expand,
)  # fmt: skip


def _copied(x: Any, order: Any) -> Any:
    if type(order) is int:
        return np.moveaxis(np.moveaxis(x, order, -1).copy("C"), -1, order)
    return x.copy("C" if order == "K" and overlaps_itself(x) else order)


# A copy: in the order of memory that the input has ("K"), plain ("C"), or with the dimension of
# that number as the innermost.
clone_row = define(
    "clone", "movement", _copied,
    options="order", x=lambda g: g, jvp="linear", conjugate=False, low_precision=False,
)  # fmt: skip
# The other half of a reshape that must copy: a clone in the new shape, and no view of anything.
unsafe_view_row = define(
    "unsafe_view", "movement", lambda x, shape: x.reshape(shape), options="shape",
    x=lambda g, x_shape: reshape_row(g, x_shape),
    jvp="linear", batch=batch_prefixed("shape"), conjugate=False, low_precision=False,
)  # fmt: skip
permute_row = viewing(
    "permute", lambda x, dims: x.transpose(dims), options="dims",
    x=lambda g, dims: permute_row(g, inverse(dims)),
    batch=lambda row, size, values, batched, options: permute_row(
        values[0], (-len(values[0].shape), *options[0])
    ),
)  # fmt: skip


def inverse(dims: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes ``dims``, all counted from the end."""
    out = [0] * len(dims)
    for place, dim in enumerate(dims):
        out[dim] = place - len(dims)
    return tuple(out)


alias_row = viewing("alias", lambda x: x[...], x=lambda g: g)
# The same elements as a constant, for every transform around.
detach_row = define(
    "detach", "movement", lambda x: x[...], low_precision=False, view=True,
)  # fmt: skip


def _infer_view_dtype(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    x, kind = inputs[0], options[0]
    if not x.shape:
        return (), kind
    return (*x.shape[:-1], x.shape[-1] * dtypes.of(x).itemsize // kind.itemsize), kind


view_dtype_row = define(
    "view_dtype", "movement", lambda x, dtype: x.view(dtype.numpy),
    options="dtype", infer=_infer_view_dtype, low_precision=False, view=True,
)  # fmt: skip

engine.rows.clone = clone_row
engine.rows.reshape = reshape_row
engine.rows.expand = expand_row
engine.rows.permute = permute_row

# -- reshape, view ------------------------------------------------------------------------------


def sizes_from(name: str, args: tuple[Any, ...], keyword: Any) -> tuple[int, ...]:
    """The ints of ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))``; ``TypeError`` for none."""
    if keyword is not None:
        if args:
            raise TypeError(f"{name}(): sizes or dims are given twice, also by name")
        args = (keyword,)
    if not args:
        raise TypeError(f"{name}() needs sizes or dims: none were given")
    return flatten_ints(args)


def viewable(x: Any, shape: tuple[int, ...]) -> bool:
    """Whether ``x`` can be seen in another shape without copying."""
    array = x._array if hasattr(x, "_array") else x
    if type(array) is ndarray and array.flags.c_contiguous:
        return True
    return keeps_memory(x.shape, strides_of(x), shape)


def seen_at_once(input: Any, sizes: tuple[Any, ...]) -> Any:
    """Memory in order, in another shape, in one call of NumPy's; None for anything out of it."""
    array = input._array if isinstance(input, Tensor) else None
    if type(array) is ndarray and array.flags.c_contiguous:
        try:
            flat = sizes[0] if isinstance(sizes[0], (tuple, list)) else sizes
            if min(flat, default=0) < -1:
                return None  # NumPy takes every negative size for -1
            out = array.reshape(*sizes)
        except (TypeError, ValueError):
            return None
        return look(reshape_row.row, input, out, (out.shape,))  # type: ignore[attr-defined]
    return None


@public()
def reshape(input: Any, *sizes: Any, shape: Any = None) -> Any:
    """The same elements in another ``shape``, of which one size may be -1; a view if it can be.

    Raises ``RuntimeError`` where the number of elements is another.

    >>> import adjoint as torch
    >>> torch.arange(4).reshape(2, -1)
    tensor([[0, 1],
            [2, 3]])
    """
    if sizes:
        out = seen_at_once(input, sizes)
        if out is not None:
            return out
    shape = infer_size(sizes_from("reshape", sizes, shape), product(input.shape))
    if viewable(input, shape):
        array = input._array if hasattr(input, "_array") else input
        return (reshape_row if is_contiguous(array) else reshape_alias_row)(input, shape)
    return unsafe_view_row(clone_row(input, "C"), shape)


@public(namespaces=())
def view(input: Any, *sizes: Any, size: Any = None, dtype: Any = None) -> Any:
    """The same memory in another shape, of which one size may be -1, or as another ``dtype``.

    Raises ``RuntimeError`` where the elements do not fit, or lie so that only a copy could.

    >>> import adjoint as torch
    >>> torch.zeros(2, 3).view(-1).shape
    torch.Size([6])
    """
    if dtype is not None or (len(sizes) == 1 and isinstance(sizes[0], dtypes.dtype)):
        return _view_dtype(input, sizes[0] if dtype is None else dtype)
    if sizes:
        out = seen_at_once(input, sizes)
        if out is not None:
            return out
    wanted = sizes_from("view", sizes, size)
    shape = infer_size(wanted, product(input.shape))
    if not viewable(input, shape):
        raise RuntimeError(
            f"view size is not compatible with input tensor's size and stride: shape "
            f"{describe_shape(input.shape)} with strides {describe_shape(strides_of(input))} "
            f"cannot be seen as {describe_shape(shape)} without a copy. Use .reshape(...) instead"
        )
    return reshape_row(input, shape)


def _view_dtype(input: Any, kind: Any) -> Any:
    present = dtypes.of(input)
    old, new = present.itemsize, kind.itemsize
    if old != new:
        if not input.shape:
            raise RuntimeError(
                f"self.dim() cannot be 0 to view {present!r} as {kind!r} (different element sizes)"
            )
        if input.shape[-1] * old % new:
            raise RuntimeError(
                f"self.size(-1) must be divisible by {new // old} to view {present!r} as {kind!r} "
                f"(different element sizes), but got {input.shape[-1]}"
            )
        array = input._array if hasattr(input, "_array") else input
        empty = 0 in input.shape
        strides = dense_strides(input.shape) if empty else strides_of(input)
        if strides[-1] != 1 and isinstance(array, Value):
            input = clone_row(input, "C")  # the transform's layout is no business of the user's
        elif strides[-1] != 1 or any(stride * old % new for stride in strides[:-1]):
            raise RuntimeError(
                f"self.stride(-1) must be 1, and the others divisible by {max(new // old, 1)}, to "
                f"view {present!r} as {kind!r} (different element sizes), but the strides are "
                f"{describe_shape(strides)}"
            )
    return view_dtype_row(input, kind)


@public(namespaces=())
def view_as(input: Any, other: Any) -> Any:
    """``input.view(other.shape)``; ``RuntimeError`` as for that.

    >>> import adjoint as torch
    >>> torch.zeros(6).view_as(torch.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    return view(input, tuple(other.shape))


@public(namespaces=())
def reshape_as(input: Any, other: Any) -> Any:
    """``input.reshape(other.shape)``; ``RuntimeError`` as for that.

    >>> import adjoint as torch
    >>> torch.zeros(6).reshape_as(torch.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    return reshape(input, tuple(other.shape))


@public()
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions ``start_dim`` to ``end_dim`` made one; the tensor itself where that is nothing.

    Raises ``RuntimeError`` if they are in the wrong order, ``IndexError`` out of range.

    >>> import adjoint as torch
    >>> torch.zeros(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    if start_dim == 0 and end_dim == -1:
        out = seen_at_once(input, (-1,)) if input.ndim > 1 else None
        if out is not None:
            return out
    shape = tuple(input.shape)
    rank = len(shape)
    first, last = normalise_dim(start_dim, rank) + rank, normalise_dim(end_dim, rank) + rank
    if not rank:
        return reshape(input, (1,))
    if first > last:
        raise RuntimeError(
            f"flatten() has invalid args: start_dim ({start_dim}) cannot come after end_dim "
            f"({end_dim}) for shape {describe_shape(shape)}"
        )
    if first == last:
        return input
    return reshape(input, (*shape[:first], product(shape[first : last + 1]), *shape[last + 1 :]))


@public()
def ravel(input: Any) -> Any:
    """All elements in one dimension, a view where memory allows.

    >>> import adjoint as torch
    >>> torch.zeros(2, 3).ravel().shape
    torch.Size([6])
    """
    return reshape(contiguous(input), (product(input.shape),))


@public()
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """Dimension ``dim`` split into ``sizes``, one of which may be -1.

    Raises ``RuntimeError`` where they do not multiply up to its size.

    >>> import adjoint as torch
    >>> torch.zeros(2, 6).unflatten(1, (3, -1)).shape
    torch.Size([2, 3, 2])
    """
    shape = tuple(input.shape)
    place = normalise_dim(dim, len(shape)) + len(shape)
    sizes = flatten_ints((sizes,))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        sizes = infer_size(sizes, shape[place])
    except RuntimeError as error:
        raise RuntimeError(
            f"unflatten: Provided sizes {describe_shape(sizes)} don't multiply up to the size of "
            f"dim {dim} ({shape[place]}) in the input tensor of shape {describe_shape(shape)}"
        ) from error
    return view(input, (*shape[:place], *sizes, *shape[place + 1 :]))


# -- copies -------------------------------------------------------------------------------------


_CHANNELS_LAST = {devices.channels_last: 4, devices.channels_last_3d: 5}


def order_of(caller: str, memory_format: Any, rank: int) -> Any:
    """How ``clone_row`` spells a memory format.

    Raises ``TypeError`` for what is none, ``RuntimeError`` for one of another number of dimensions.
    """
    if memory_format is devices.contiguous_format:
        return "C"
    if memory_format is devices.preserve_format:
        return "K"
    wanted = _CHANNELS_LAST.get(memory_format)
    if wanted is None:
        raise TypeError(f"{caller}(): memory_format is a memory format, but got {memory_format!r}")
    if rank != wanted:
        raise RuntimeError(
            f"{caller}: required rank {wanted} tensor to use {memory_format!r}, but this one has "
            f"{rank} dimensions"
        )
    return 1 - wanted


def lies_in(input: Any, order: Any) -> bool:
    """Whether the elements lie in order, in this one of the orders of ``clone_row``."""
    array = input._array if hasattr(input, "_array") else input
    if type(order) is int:
        return type(array) is ndarray and bool(np.moveaxis(array, order, -1).flags.c_contiguous)
    return bool(is_contiguous(array))


@public()
def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy that gradients flow through, laid out as the input unless ``memory_format`` is given.

    Raises ``RuntimeError`` for a number of dimensions that the format is not for.

    >>> import adjoint as torch
    >>> torch.ones(2, requires_grad=True).clone()
    tensor([1., 1.], grad_fn=<CloneBackward0>)
    """
    if memory_format is None:
        return clone_row(input, "K")
    return clone_row(input, order_of("clone", memory_format, len(input.shape)))


@public(namespaces=())
def contiguous(input: Any, memory_format: Any = None) -> Any:
    """The tensor itself if its elements lie in order, a copy in which they do otherwise.

    Raises ``RuntimeError`` for a number of dimensions that ``memory_format`` is not for.

    >>> import adjoint as torch
    >>> x = torch.ones(2, 3)
    >>> x.contiguous() is x
    True
    """
    array = input._array if hasattr(input, "_array") else input
    if memory_format is None or memory_format is devices.contiguous_format:
        return input if is_contiguous(array) else clone_row(input, "C")
    order = order_of("contiguous", memory_format, len(input.shape))
    if lies_in(input, order):
        return input
    if order == "K":
        raise RuntimeError("contiguous: preserve memory format is unsupported; use clone()")
    return clone_row(input, order)


__all__ = [
    "alias_row", "clone", "clone_row", "contiguous", "expand_row", "flatten", "permute_row",
    "reshape", "reshape_row", "sizes_from", "unflatten", "view",
]  # fmt: skip
