"""Expanding: dimensions of size 1 repeated without room."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.errors import describe_shape
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.viewing import look
from adjoint.ops.movement import expand_row, sizes_from
from adjoint.tape.tensor import Tensor


def _at_once(x: Any, sizes: tuple[int, ...]) -> Any:
    """Plain memory in order, in one pass over the sizes; None for anything else."""
    array = x._array if isinstance(x, Tensor) else None
    if type(array) is not np.ndarray or not array.flags.c_contiguous or not array.size:
        return None
    missing = len(sizes) - array.ndim
    if missing < 0 or (missing and min(sizes[:missing]) < 0):
        return None
    shape = list(sizes[:missing])
    strides = [0] * missing
    for size, stride, wanted in zip(array.shape, array.strides, sizes[missing:], strict=True):
        if wanted in (-1, size):
            shape.append(size)
            strides.append(stride)
        elif size == 1:
            shape.append(wanted)
            strides.append(0)
        else:
            return None
    try:
        out = np.ndarray(shape, array.dtype, array, 0, strides)
    except (ValueError, BufferError):  # a negative size; a type that buffers cannot hold
        return None
    return look(expand_row.row, x, out, (out.shape,))  # type: ignore[attr-defined]


def _expanded(shape: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[int, ...]:
    missing = len(sizes) - len(shape)
    if missing < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(sizes)}) must be greater or equal to the "
            f"number of dimensions in the tensor ({len(shape)}): {describe_shape(sizes)} for "
            f"shape {describe_shape(shape)}"
        )
    out = []
    for place, size in enumerate(sizes):
        present = shape[place - missing] if place >= missing else None
        if size == -1 and present is None:
            raise RuntimeError(
                "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing "
                f"dimension {place}: {describe_shape(sizes)} for shape {describe_shape(shape)}"
            )
        if size == -1:
            size = present  # type: ignore[assignment]
        if size < 0 or present not in (None, 1, size):
            raise RuntimeError(
                f"The expanded size of the tensor ({size}) must match the existing size "
                f"({present}) at non-singleton dimension {place}.  Target sizes: "
                f"{describe_shape(sizes)}.  Tensor sizes: {describe_shape(shape)}"
            )
        out.append(size)
    return tuple(out)


@public(namespaces=())
def expand(input: Any, *sizes: Any, size: Any = None, implicit: bool = False) -> Any:
    """A view in which dimensions of size 1 are repeated; -1 keeps a size.

    Raises ``RuntimeError`` for a dimension of another size.

    >>> import adjoint as torch
    >>> torch.ones(3, 1).expand(-1, 2).shape
    torch.Size([3, 2])
    """
    wanted = sizes_from("expand", sizes, size)
    out = _at_once(input, wanted)
    if out is not None:
        return out
    return expand_row(input, _expanded(tuple(input.shape), wanted))


@public(namespaces=())
def expand_as(input: Any, other: Any) -> Any:
    """``input.expand(other.shape)``; ``RuntimeError`` as for that.

    >>> import adjoint as torch
    >>> torch.ones(3, 1).expand_as(torch.ones(3, 2)).shape
    torch.Size([3, 2])
    """
    return expand_row(input, _expanded(tuple(input.shape), tuple(other.shape)))


@public()
def broadcast_to(input: Any, *sizes: Any, size: Any = None) -> Any:
    """``input`` expanded to ``size``; ``RuntimeError`` where it does not fit.

    >>> import adjoint as torch
    >>> torch.broadcast_to(torch.ones(3), (2, 3)).shape
    torch.Size([2, 3])
    """
    wanted = sizes_from("broadcast_to", sizes, size)
    return expand_row(input, _expanded(tuple(input.shape), wanted))
