"""A tensor with the part that a view would show replaced: the writes that change nothing."""

from __future__ import annotations

from operator import index as as_index
from typing import Any

from adjoint.errors import describe_shape
from adjoint.ops.kinds.public import public
from adjoint.ops.rewriting import writing_through
from adjoint.ops.slicing import select_row, slice_row
from adjoint.ops.strided import as_strided, as_strided_row, diagonal_row
from adjoint.shapes import normalise_dim

select_scatter_row, slice_scatter_row, diagonal_scatter_row, as_strided_scatter_row = map(
    writing_through, ("select_scatter", "slice_scatter", "diagonal_scatter", "as_strided_scatter")
)


def _put(row: Any, input: Any, src: Any, view: Any, *options: Any) -> Any:
    region = view(input, *options).shape
    if tuple(region) != tuple(src.shape):
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{describe_shape(src.shape)}, slice size = {describe_shape(region)}"
        )
    return row(input, src, ((view.row, options, 0),))


@public()
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy with ``src`` in place ``index`` of ``dim``.

    Raises ``RuntimeError`` for another shape, ``IndexError`` out of range.

    >>> import adjoint as torch
    >>> torch.zeros(2, 2).select_scatter(torch.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    if not input.shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor")
    dim = normalise_dim(dim, len(input.shape))
    size, place = input.shape[dim], as_index(index)
    if not -size <= place < size:
        raise IndexError(
            f"select(): index {place} out of range for tensor of size "
            f"{describe_shape(input.shape)} at dimension {dim + len(input.shape)}"
        )
    return _put(select_scatter_row, input, src, select_row, dim, place % size)


@public(out="exact")
def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None,
    step: int = 1,
) -> Any:  # fmt: skip
    """A copy with ``src`` in places ``start`` to ``end`` of ``dim``; ``RuntimeError`` if unequal.

    >>> import adjoint as torch
    >>> torch.zeros(4).slice_scatter(torch.ones(2), 0, 1, 3)
    tensor([0., 1., 1., 0.])
    """
    dim = normalise_dim(dim, len(input.shape))
    if step <= 0:
        raise RuntimeError(f"slice step must be positive, not {step}")
    first, last, _ = slice(start, end).indices(input.shape[dim])
    return _put(
        slice_scatter_row, input, src, slice_row, dim, first, max(first, last), as_index(step)
    )


@public()
def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy with ``src`` on a diagonal; ``RuntimeError`` for another shape.

    >>> import adjoint as torch
    >>> torch.zeros(2, 2).diagonal_scatter(torch.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    rank = len(input.shape)
    first, second = normalise_dim(dim1, rank), normalise_dim(dim2, rank)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return _put(diagonal_scatter_row, input, src, diagonal_row, as_index(offset), first, second)


@public()
def as_strided_scatter(
    input: Any, src: Any, size: Any, stride: Any, storage_offset: int | None = None
) -> Any:
    """A copy with ``src`` where ``as_strided`` would look; ``RuntimeError`` for another shape.

    >>> import adjoint as torch
    >>> torch.zeros(2, 2).as_strided_scatter(torch.ones(2), (2,), (3,))
    tensor([[1., 0.],
            [0., 1.]])
    """
    view = as_strided(input, size, stride, storage_offset)
    shape, steps = view._view.options[:2]
    if any(size > 1 and step == 0 for size, step in zip(shape, steps, strict=True)):
        raise RuntimeError(
            "as_strided_scatter: more than one element of the written-to tensor refers to a single "
            f"memory location: sizes {shape} with strides {steps}"
        )
    return _put(as_strided_scatter_row, input, src, as_strided_row, *view._view.options)
