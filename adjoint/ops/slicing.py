"""Parts of a tensor along a dimension, as views: one place, a range of places."""

from __future__ import annotations

from operator import index as as_index
from typing import Any

import numpy as np

from adjoint.errors import describe_shape
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.rules import batch_prefixed
from adjoint.ops.kinds.viewing import viewing
from adjoint.shapes import normalise_dim
from adjoint.tape import engine

ALL = slice(None)


def along(dim: int, part: Any) -> tuple[Any, ...]:
    """NumPy's index for ``part`` of dimension ``dim``, which counts from the end."""
    return (..., part, *(ALL,) * (-dim - 1))


# -- rows ---------------------------------------------------------------------------------------


def _select_backward(g: Any, shape: tuple[int, ...], dim: int, index: int) -> Any:
    out = np.zeros(shape, g.dtype)
    out[along(dim, index)] = g
    return out


select_row = viewing(
    "select", lambda x, dim, index: x[along(dim, index)], options="dim index",
    x=lambda g, x_shape, dim, index: select_backward(g, x_shape, dim, index),
)  # fmt: skip
select_backward = define(
    "select_backward", "movement", _select_backward, inputs="g", options="shape dim index",
    g=lambda g, dim, index: select_row(g, dim, index),
    jvp="linear", batch=batch_prefixed("shape"), low_precision=False, conjugate=False,
    node_name="SelectBackwardBackward0",
)  # fmt: skip


def _slice_backward(
    g: Any, shape: tuple[int, ...], dim: int, start: int, stop: int, step: int
) -> Any:
    out = np.zeros(shape, g.dtype)
    out[along(dim, slice(start, stop, step))] = g
    return out


slice_row = viewing(
    "slice",
    lambda x, dim, start, stop, step: x[along(dim, slice(start, stop, step))],
    options="dim start stop step",
    x=lambda g, x_shape, dim, start, stop, step: slice_backward(
        g, x_shape, dim, start, stop, step
    ), saved="stop=end",
)  # fmt: skip
slice_backward = define(
    "slice_backward", "movement", _slice_backward, inputs="g",
    options="shape dim start stop step",
    g=lambda g, dim, start, stop, step: slice_row(g, dim, start, stop, step),
    jvp="linear", batch=batch_prefixed("shape"), low_precision=False, conjugate=False,
    node_name="SliceBackwardBackward0",
)  # fmt: skip
narrow_copy_row = define(
    "narrow_copy", "movement",
    lambda x, dim, start, stop: x[along(dim, slice(start, stop))].copy(),
    options="dim start stop",
    x=lambda g, x_shape, dim, start, stop: slice_backward(g, x_shape, dim, start, stop, 1),
    jvp="linear", low_precision=False, conjugate=False, saved="stop=",
)  # fmt: skip

engine.rows.select = lambda x, place: select_row(x, -len(x.shape), place)

# -- one place ----------------------------------------------------------------------------------


def select_place(x: Any, dim: int, place: int, size: int | None = None) -> Any:
    """Place ``place`` of dimension ``dim`` (from the end); ``IndexError`` if there is none."""
    if size is None:
        size = int(x.shape[dim])
    if not -size <= place < size:
        raise IndexError(
            f"index {place} is out of bounds for dimension {dim + len(x.shape)} with size {size} "
            f"of a tensor of shape {describe_shape(x.shape)}"
        )
    return select_row(x, dim, place + size if place < 0 else place)


@public()
def select(input: Any, dim: int, index: int) -> Any:
    """A view of one place along ``dim``, without that dimension; ``IndexError`` out of range.

    >>> import adjoint as torch
    >>> torch.tensor([[1, 2], [3, 4]]).select(1, 0)
    tensor([1, 3])
    """
    if not input.shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor")
    return select_place(input, normalise_dim(dim, len(input.shape)), as_index(index))


# -- a range of places --------------------------------------------------------------------------


def slice_places(x: Any, dim: int, part: slice, size: int | None = None) -> Any:
    """A range of dimension ``dim`` (from the end); ``ValueError`` unless the step is positive."""
    if part.step is not None and as_index(part.step) <= 0:
        raise ValueError(f"step must be greater than zero, but got {as_index(part.step)}")
    start, stop, step = part.indices(x.shape[dim] if size is None else size)
    return slice_row(x, dim, start, max(start, stop), step)


def _bounds(name: str, input: Any, dim: int, start: Any, length: Any) -> tuple[int, int, int]:
    if not input.shape:
        raise RuntimeError(f"{name}() cannot be applied to a 0-dim tensor")
    dim = normalise_dim(dim, len(input.shape))
    size = input.shape[dim]
    start, length = as_index(start), as_index(length)
    if length < 0:
        raise RuntimeError(f"{name}(): length must be non-negative, but got {length}")
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [-{size}, {size}], but got {start})"
        )
    start += size if start < 0 else 0
    if start + length > size:
        raise RuntimeError(
            f"start ({start}) + length ({length}) exceeds dimension size ({size}): dim "
            f"{dim + len(input.shape)} of shape {describe_shape(input.shape)}"
        )
    return dim, start, start + length


@public()
def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """A view of ``length`` places along ``dim``, from ``start`` on.

    Raises ``RuntimeError`` where they exceed the size, ``IndexError`` for a start out of range.

    >>> import adjoint as torch
    >>> torch.tensor([1, 2, 3, 4]).narrow(0, 1, 2)
    tensor([2, 3])
    """
    return slice_row(input, *_bounds("narrow", input, dim, start, length), 1)


@public(out="exact")
def narrow_copy(input: Any, dim: int, start: Any, length: int) -> Any:
    """A copy of ``length`` places along ``dim``, from ``start`` on; errors as ``narrow``.

    >>> import adjoint as torch
    >>> torch.tensor([1, 2, 3, 4]).narrow_copy(0, 1, 2)
    tensor([2, 3])
    """
    return narrow_copy_row(input, *_bounds("narrow_copy", input, dim, start, length))
