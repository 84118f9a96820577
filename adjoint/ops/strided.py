"""Views by strides: diagonals, sliding windows, and memory seen in any way."""

from __future__ import annotations

from operator import index as as_index
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided as view_by_strides

from adjoint import dtypes
from adjoint.array.accumulate import add_at
from adjoint.array.memory import dense_strides, storage_of, strides_of, writable
from adjoint.array.symbol import running
from adjoint.errors import UntraceableError, describe_shape
from adjoint.ops.index_rows import index_backward, index_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, batch_prefixed
from adjoint.ops.kinds.viewing import viewing
from adjoint.ops.movement import reshape_row
from adjoint.ops.slicing import along
from adjoint.shapes import flatten_ints, normalise_dim, product
from adjoint.tape.node import user_location

# -- diagonals ----------------------------------------------------------------------------------


def _diagonal(x: Any, offset: int, dim1: int, dim2: int) -> Any:
    out = x.diagonal(offset, dim1, dim2)
    return writable(out) if x.flags.writeable else out


def _diagonal_backward(g: Any, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Any:
    out = np.zeros(shape, g.dtype)
    _diagonal(out, offset, dim1, dim2)[...] = g
    return out


diagonal_row = viewing(
    "diagonal", _diagonal, options="offset dim1 dim2",
    x=lambda g, x_shape, offset, dim1, dim2: diagonal_backward(g, x_shape, offset, dim1, dim2),
)  # fmt: skip
diagonal_copy_row = define(
    "diagonal_copy", "movement",
    lambda x, offset, dim1, dim2: x.diagonal(offset, dim1, dim2).copy(),
    options="offset dim1 dim2",
    x=lambda g, x_shape, offset, dim1, dim2: diagonal_backward(g, x_shape, offset, dim1, dim2),
    jvp="linear", low_precision=False, conjugate=False, node_name="DiagonalBackward0_copy",
)  # fmt: skip
diagonal_backward = define(
    "diagonal_backward", "movement", _diagonal_backward, inputs="g",
    options="shape offset dim1 dim2",
    g=lambda g, offset, dim1, dim2: diagonal_row(g, offset, dim1, dim2),
    jvp="linear", batch=batch_prefixed("shape"), low_precision=False, conjugate=False,
    node_name="DiagonalBackwardBackward0",
)  # fmt: skip


@public()
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A view of the diagonal of ``dim1`` and ``dim2``, as the last dimension.

    Raises ``IndexError`` for a dim out of range, ``RuntimeError`` for two that are the same.

    >>> import adjoint as torch
    >>> torch.tensor([[1, 2], [3, 4]]).diagonal()
    tensor([1, 4])
    """
    first, second = normalise_dim(dim1, len(input.shape)), normalise_dim(dim2, len(input.shape))
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return diagonal_row(input, as_index(offset), first, second)


# -- sliding windows ----------------------------------------------------------------------------


def _unfold(x: Any, dim: int, size: int, step: int) -> Any:
    count = (x.shape[dim] - size) // step + 1
    shape, strides = list(x.shape), list(x.strides)
    shape[dim] = count
    strides[dim] *= step
    return view_by_strides(x, (*shape, size), (*strides, x.strides[dim]))


def _unfold_backward(g: Any, shape: tuple[int, ...], dim: int, size: int, step: int) -> Any:
    out = np.zeros(shape, g.dtype)
    count = g.shape[dim - 1]
    if size <= count:
        for place in range(size):  # all windows at once, one place in them after the other
            last = place + (count - 1) * step + 1
            out[along(dim, slice(place, last, step))] += g[..., place]
    else:
        for window in range(count):
            part = np.moveaxis(g[along(dim - 1, window)], -1, dim)
            out[along(dim, slice(window * step, window * step + size))] += part
    return out


unfold_row = viewing(
    "unfold", _unfold, options="dim size step",
    x=lambda g, x_shape, dim, size, step: unfold_backward(g, x_shape, dim, size, step),
    saved="dim=dimension",
)  # fmt: skip
unfold_backward = define(
    "unfold_backward", "movement", _unfold_backward, inputs="g", options="shape dim size step",
    g=lambda g, dim, size, step: unfold_row(g, dim, size, step),
    jvp="linear", batch=batch_prefixed("shape"), conjugate=False,
    node_name="UnfoldBackwardBackward0",
)  # fmt: skip


@public(namespaces=())
def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """A view of windows of ``size`` along a dimension, every ``step``, as a new last dimension.

    Raises ``RuntimeError`` for windows larger than the dimension, or a step below 1.

    >>> import adjoint as torch
    >>> torch.arange(4).unfold(0, 2, 1)
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    dim = normalise_dim(dimension, len(input.shape))
    total = input.shape[dim] if input.shape else 1
    if not 0 <= size <= total:
        raise RuntimeError(
            f"maximum size for tensor at dimension {dimension} is {total} but size is {size}"
        )
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if not input.shape:
        whole = reshape_row(input, (1,))
        return whole if size else reshape_row(whole, (1,))[:0]
    return unfold_row(input, dim, as_index(size), as_index(step))


# -- memory in any way --------------------------------------------------------------------------


def _places(shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Any:
    """The place in memory of each element."""
    places = np.full(shape, offset)
    for dim, (size, stride) in enumerate(zip(shape, strides, strict=True)):
        places += (np.arange(size) * stride).reshape(-1, *(1,) * (len(shape) - dim - 1))
    return places


def _lies_as(x: Any, strides: tuple[int, ...], offset: int) -> bool:
    """Whether an array lies in its memory as the one did for which a view was described."""
    return storage_of(x)[1] == offset and all(
        size == 1 or stride == wanted * x.itemsize
        for size, stride, wanted in zip(x.shape, x.strides, strides, strict=True)
    )


def _as_strided(
    x: Any, shape: Any, strides: Any, offset: int, x_strides: Any, x_offset: int
) -> Any:
    if not _lies_as(x, x_strides, x_offset):
        places = _element_places(x.shape, shape, strides, offset, x_strides, x_offset)
        return x.reshape(-1).take(places)
    memory, _ = storage_of(x)
    return view_by_strides(memory[offset:], shape, tuple(stride * x.itemsize for stride in strides))


def _element_places(
    x_shape: Any, shape: Any, strides: Any, offset: int, x_strides: Any, x_offset: int
) -> Any:
    """The number of the input's element that each element of the view looks at."""
    own = _places(x_shape, x_strides, x_offset)
    look = _places(shape, strides, offset)
    found = np.full(1 + max(look.max(initial=0), own.max(initial=0)), -1)
    found[own.reshape(-1)] = np.arange(own.size)
    places = found[look]
    if places.size and places.min() < 0:
        raise RuntimeError(
            f"as_strided: sizes {describe_shape(shape)} and strides {describe_shape(strides)} "
            f"reach beyond the elements of the tensor itself, of shape {describe_shape(x_shape)}"
        )
    return places


def _as_strided_backward(
    g: Any, x_shape: Any, shape: Any, strides: Any, offset: int, x_strides: Any, x_offset: int
) -> Any:
    """By way of memory: add up where the view looked, and read where the input does."""
    look = _places(shape, strides, offset)
    own = _places(x_shape, x_strides, x_offset)
    size = 1 + max(look.max(initial=-1), own.max(initial=-1))
    count = np.zeros(size, np.int64)
    add_at(count, own, np.ones_like(own))
    memory = index_backward(g, look[None], (size,), (-1,), 0)
    out = index_row(memory, own[None], (-1,), 0)
    if count.max(initial=1) > 1:  # places that several elements of the input share
        out = out / count[own].astype(dtypes.of(g).to_real().numpy)
    return out


def _batch_as_strided(row: Row, size: int, values: Any, batched: Any, options: Any) -> Any:
    x = values[0]
    shape = tuple(x.shape[1:])
    flat = reshape_row(x, (size, product(shape)))
    return index_row(flat, _element_places(shape, *options)[None], (-1,), 0)


def _infer_as_strided(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return options[0], dtypes.of(inputs[0])


as_strided_row = define(
    "as_strided", "movement", _as_strided, options="shape strides offset x_strides x_offset",
    x=lambda g, x_shape, shape, strides, offset, x_strides, x_offset: _as_strided_backward(
        g, x_shape, shape, strides, offset, x_strides, x_offset
    ),
    jvp="linear", batch=_batch_as_strided, infer=_infer_as_strided, low_precision=False,
    conjugate=False, view=True,
    saved="shape=size strides=stride offset=storage_offset x_shape= x_strides= x_offset=",
)  # fmt: skip


def _own_layout(input: Any) -> tuple[tuple[int, ...], int, int | None]:
    """Strides, the place of the first element, and the size of the memory, None if unknown."""
    array = input._array if hasattr(input, "_array") else input
    if type(array) is np.ndarray:
        memory, offset = storage_of(array)
        return strides_of(array), offset, memory.size
    return dense_strides(input.shape), 0, None


def _require_own_memory(input: Any, storage_offset: int | None) -> None:
    """While a function is traced, where a view lies in its memory is not known."""
    turned = tuple(strides_of(input)) != tuple(dense_strides(input.shape))
    view = getattr(input, "_view", None) is not None
    if turned or (view and storage_offset is not None):
        raise UntraceableError(
            f"compile: {user_location()}: as_strided of a view looks at memory that is not its "
            "own; call it on the whole tensor, or outside of the compiled function"
        )


@public()
def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A view of the memory with sizes and steps of its own choice, in elements.

    Raises ``RuntimeError`` for negative steps, or where they reach beyond the memory.

    >>> import adjoint as torch
    >>> torch.arange(4).as_strided((2, 2), (1, 2))
    tensor([[0, 2],
            [1, 3]])
    """
    shape, strides = flatten_ints((size,)), flatten_ints((stride,))
    if len(shape) != len(strides):
        raise RuntimeError(
            f"mismatch in length of strides and shape: {len(strides)} and {len(shape)}"
        )
    if any(size < 0 for size in shape):
        raise RuntimeError(f"as_strided: sizes may not be negative, got {describe_shape(shape)}")
    if any(step < 0 for step in strides):
        raise RuntimeError(
            f"as_strided: Negative strides are not supported, got {describe_shape(strides)}"
        )
    if running.capture is not None:
        _require_own_memory(input, storage_offset)
    own, first, available = _own_layout(input)
    offset = first if storage_offset is None else as_index(storage_offset)
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if available is not None and product(shape) and not 0 <= last < available:
        raise RuntimeError(
            f"as_strided: sizes {describe_shape(shape)}, strides {describe_shape(strides)} and "
            f"storage offset {offset} reach element {last}, but the memory holds {available}"
        )
    return as_strided_row(input, shape, strides, offset, own, first)
