"""Indexing: reading parts of a tensor with square brackets."""

from __future__ import annotations

from operator import index as as_index
from typing import Any

from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.movement import reshape_row
from adjoint.ops.slicing import select_row, slice_row


def select_place(x: Any, dim: int, place: int) -> Any:
    """Place ``place`` of dimension ``dim`` (from the end); ``IndexError`` if there is none."""
    size = x.shape[dim]
    if not -size <= place < size:
        raise IndexError(
            f"index {place} is out of bounds for dimension {dim + len(x.shape)} with size {size}"
        )
    return select_row(x, dim, place + size if place < 0 else place)


def slice_places(x: Any, dim: int, part: slice) -> Any:
    """A range of dimension ``dim`` (from the end); ``ValueError`` unless the step is positive."""
    if part.step is not None and as_index(part.step) <= 0:
        raise ValueError("step must be greater than zero")
    start, stop, step = part.indices(x.shape[dim])
    return slice_row(x, dim, start, max(start, stop), step)


def getitem(input: Any, index: Any) -> Any:
    """``input[index]`` for ints, slices, None and Ellipsis: a view of the same memory."""
    items = index if isinstance(index, tuple) else (index,)
    used = sum(item is not None and item is not Ellipsis for item in items)
    rank = len(input.shape)
    if used > rank:
        raise IndexError(f"too many indices for tensor of dimension {rank}")
    dim = -rank
    for item in items:
        if item is None:
            place = dim + len(input.shape)
            input = reshape_row(input, (*input.shape[:place], 1, *input.shape[place:]))
        elif item is Ellipsis:
            dim += rank - used
        elif isinstance(item, slice):
            input = slice_places(input, dim, item)
            dim += 1
        elif hasattr(item, "__index__"):
            input = select_place(input, dim, as_index(item))
            dim += 1
        else:
            raise IndexError(
                f"unsupported index of type {type(item).__name__} into a tensor of shape "
                f"{describe_shape(input.shape)}"
            )
    return input


Value.__getitem__ = getitem  # type: ignore[attr-defined]
