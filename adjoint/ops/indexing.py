"""Indexing: reading parts of a tensor with square brackets."""

from __future__ import annotations

from operator import index as as_index
from typing import Any

from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.movement import reshape_row
from adjoint.ops.slicing import select_place, slice_places


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
