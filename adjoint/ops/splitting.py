"""Splitting a tensor into several views along a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index as as_index
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.joining import cat_row, stack_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.viewing import look_several
from adjoint.ops.slicing import along, slice_row
from adjoint.shapes import normalise_dim
from adjoint.tape.tensor import Tensor

# -- rows ---------------------------------------------------------------------------------------


def _filled(gradients: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """The cotangents of all parts, zeros for those that did not arrive."""
    kind = next(dtypes.of(g) for g in gradients if g is not None).numpy
    padded = (*gradients, *[None] * (len(shapes) - len(gradients)))
    return [
        np.broadcast_to(np.zeros((), kind), shape) if g is None else g
        for g, shape in zip(padded, shapes, strict=True)
    ]


def _split(x: Any, sizes: tuple[int, ...], dim: int) -> tuple[Any, ...]:
    parts, start = [], 0
    for size in sizes:
        parts.append(x[along(dim, slice(start, start + size))])
        start += size
    return tuple(parts)


def _join(g: Any, shape: tuple[int, ...], sizes: tuple[int, ...], dim: int) -> Any:
    place = dim + len(shape)
    shapes = [(*shape[:place], size, *shape[place + 1 :]) for size in sizes]
    return cat_row(_filled(g, shapes), dim)


def _several(name: str, compute: Any, x: Any, options: str, saved: str) -> Any:
    """A row of several views, with a short way for plain memory."""
    general: Any = define(
        name, "movement", compute, options=options, many_outputs=True, view=True, x=x,
        jvp="linear", low_precision=False, conjugate=False, saved=saved,
    )  # fmt: skip
    row = general.row

    def operation(x: Any, *options: Any) -> Any:
        if isinstance(x, Tensor) and type(x._array) is np.ndarray:
            return look_several(row, x, compute(x._array, *options), options)
        return general(x, *options)

    operation.row = row  # type: ignore[attr-defined]
    return operation


split_row, split_with_sizes_row = (
    _several(
        name,
        _split,
        lambda g, x_shape, sizes, dim: _join(g, x_shape, sizes, dim),
        "sizes dim",
        saved,
    )
    for name, saved in (("split", "sizes="), ("split_with_sizes", "sizes=split_sizes"))
)


def _unbind(x: Any, dim: int) -> tuple[Any, ...]:
    if -dim == x.ndim > 1:
        return tuple(x)
    tail = (slice(None),) * (-dim - 1)
    return tuple(x[(..., place, *tail)] for place in range(x.shape[dim]))


def _bind(g: Any, shape: tuple[int, ...], dim: int) -> Any:
    place = dim + len(shape)
    part = (*shape[:place], *shape[place + 1 :])
    return stack_row(_filled(g, [part] * shape[place]), dim)


unbind_row = _several(
    "unbind", _unbind, lambda g, x_shape, dim: _bind(g, x_shape, dim), "dim", "x_shape="
)

# -- parts of given sizes -----------------------------------------------------------------------


def _dim(name: str, input: Any, dim: int) -> int:
    if not input.shape:
        raise RuntimeError(f"{name} expects at least a 1-dimensional tensor")
    return normalise_dim(dim, len(input.shape))


def _even(total: int, size: int) -> tuple[int, ...]:
    """Parts of ``size``, the last one smaller; one empty part of nothing."""
    if not total:
        return (0,)
    return tuple(min(size, total - start) for start in range(0, total, size))


@public()
def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Views of the given sizes, one after the other along ``dim``.

    Raises ``RuntimeError`` unless they add up to the size of that dimension.

    >>> import adjoint as torch
    >>> torch.tensor([1, 2, 3]).split_with_sizes([1, 2])
    (tensor([1]), tensor([2, 3]))
    """
    place = _dim("split_with_sizes", input, dim)
    sizes = tuple(as_index(size) for size in split_sizes)
    if any(size < 0 for size in sizes):
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={list(sizes)}"
        )
    if sum(sizes) != input.shape[place]:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {input.shape[place]} (input "
            f"tensor's size at dimension {place + len(input.shape)}), but got "
            f"split_sizes={list(sizes)}"
        )
    return tuple(split_with_sizes_row(input, sizes, place))


@public()
def split(
    tensor: Any, split_size_or_sections: Any = None, dim: int = 0, *, split_size: Any = None
) -> Any:
    """Views of one size along ``dim``, the last one smaller, or of each of a list of sizes.

    Raises ``RuntimeError`` for a negative size, or sizes that do not add up.

    >>> import adjoint as torch
    >>> torch.tensor([1, 2, 3]).split(2)
    (tensor([1, 2]), tensor([3]))
    """
    size = split_size_or_sections if split_size is None else split_size
    if isinstance(size, (tuple, list)):
        return split_with_sizes(tensor, size, dim)
    size = as_index(size)
    place = _dim("split", tensor, dim)
    total = tensor.shape[place]
    if size < 0 or (size == 0 and total):
        raise RuntimeError(
            f"split expects split_size be non-negative, and 0 only for an empty dimension, but "
            f"got split_size={size} for size {total}"
        )
    return split_row(tensor, _even(total, size), place)


@public()
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most ``chunks`` views of one size along ``dim``, the last one smaller.

    Raises ``RuntimeError`` unless ``chunks`` is positive.

    >>> import adjoint as torch
    >>> torch.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    place = _dim("chunk", input, dim)
    chunks = as_index(chunks)
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    total = input.shape[place]
    if not total:
        return tuple(split_with_sizes_row(input, (0,) * chunks, place))
    return tuple(split_row(input, _even(total, -(-total // chunks)), place))


@public()
def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """A view of each place along ``dim``, without that dimension; ``IndexError`` out of range.

    >>> import adjoint as torch
    >>> torch.tensor([[1, 2], [3, 4]]).unbind(1)
    (tensor([1, 3]), tensor([2, 4]))
    """
    if not input.shape:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return tuple(unbind_row(input, normalise_dim(dim, len(input.shape))))


# -- parts between given places -----------------------------------------------------------------


def _cuts(total: int, parts: Any) -> list[tuple[int, int]]:
    """Where each part of ``tensor_split`` starts and stops: so many parts, or between places."""
    if not isinstance(parts, (tuple, list)):
        parts = as_index(parts)
        if parts <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {parts}")
        size, larger = divmod(total, parts)
        parts = [place * size + min(place, larger) for place in range(1, parts)]
    places = [as_index(place) for place in parts]
    starts, stops = [0, *places], [*places, total]
    return [
        (start, max(start, stop))
        for start, stop, _ in (
            slice(start, stop).indices(total) for start, stop in zip(starts, stops, strict=True)
        )
    ]


@public()
def tensor_split(
    input: Any, indices_or_sections: Any = None, dim: int = 0, *, indices: Any = None,
    sections: Any = None,
) -> tuple[Any, ...]:  # fmt: skip
    """Views between the given places along ``dim``, or so many of nearly one size.

    Raises ``RuntimeError`` for less than one section.

    >>> import adjoint as torch
    >>> torch.arange(5).tensor_split([1, 3])
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    if not input.shape:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    parts = next((each for each in (indices, sections) if each is not None), indices_or_sections)
    if isinstance(parts, Tensor):
        if dtypes.of(parts) is not dtypes.int64 or len(parts.shape) > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a number or a vector of "
                f"torch.int64, but got {dtypes.of(parts)!r} of shape {describe_shape(parts.shape)}"
            )
        parts = parts.tolist()
    place = normalise_dim(dim, len(input.shape))
    return tuple(
        slice_row(input, place, start, stop, 1) for start, stop in _cuts(input.shape[place], parts)
    )


def _split_axis(name: str, input: Any, parts: Any, dim: int, least: int) -> tuple[Any, ...]:
    rank = len(input.shape)
    if rank < least:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor "
            f"with {rank} dimensions"
        )
    if not isinstance(parts, (tuple, list)):
        parts = as_index(parts)
        if parts <= 0 or input.shape[dim] % parts:
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the "
                f"dimension {input.shape[dim]} is not divisible by the split_size {parts}"
            )
    return tensor_split(input, parts, dim)


@public()
def hsplit(
    input: Any, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None
) -> tuple[Any, ...]:
    """``tensor_split`` along the second dimension, or the only one; equal sections only.

    Raises ``RuntimeError`` for a 0-d tensor, or sections that do not divide the size.

    >>> import adjoint as torch
    >>> torch.arange(4).hsplit(2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    parts = next((each for each in (indices, sections) if each is not None), indices_or_sections)
    return _split_axis("hsplit", input, parts, min(len(input.shape) - 1, 1), 1)


@public()
def vsplit(
    input: Any, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None
) -> tuple[Any, ...]:
    """``tensor_split`` along the first of at least two dimensions; equal sections only.

    Raises ``RuntimeError`` for fewer dimensions, or sections that do not divide the size.

    >>> import adjoint as torch
    >>> torch.zeros(4, 2).vsplit(2)[0].shape
    torch.Size([2, 2])
    """
    parts = next((each for each in (indices, sections) if each is not None), indices_or_sections)
    return _split_axis("vsplit", input, parts, 0, 2)


@public()
def dsplit(
    input: Any, indices_or_sections: Any = None, *, indices: Any = None, sections: Any = None
) -> tuple[Any, ...]:
    """``tensor_split`` along the third of at least three dimensions; equal sections only.

    Raises ``RuntimeError`` for fewer dimensions, or sections that do not divide the size.

    >>> import adjoint as torch
    >>> torch.zeros(2, 2, 4).dsplit(2)[0].shape
    torch.Size([2, 2, 2])
    """
    parts = next((each for each in (indices, sections) if each is not None), indices_or_sections)
    return _split_axis("dsplit", input, parts, 2, 3)
