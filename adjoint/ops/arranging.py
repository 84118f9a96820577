"""Elements arranged anew, by copying: reversed, rolled, turned, repeated."""

from __future__ import annotations

from operator import index as as_index
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.dimensions import unsqueeze
from adjoint.ops.index_functions import index_select
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.movement import clone_row, expand_row, flatten, reshape_row, sizes_from
from adjoint.ops.reduction import sum
from adjoint.shapes import normalise_dim, product
from adjoint.tape import engine
from adjoint.tape.tensor import Tensor, wrap

# -- flip ---------------------------------------------------------------------------------------

flip_row = define(
    "flip", "movement", lambda x, dims: np.flip(x, dims).copy(), options="dims",
    x=lambda g, dims: flip_row(g, dims), jvp="linear", low_precision=False, conjugate=False,
)  # fmt: skip


@public()
def flip(input: Any, *axes: Any, dims: Any = None) -> Any:
    """A copy with the order of the elements reversed along ``dims``.

    Raises ``IndexError`` out of range, ``RuntimeError`` for a dim named twice.

    >>> import adjoint as torch
    >>> torch.flip(torch.tensor([1, 2, 3]), (0,))
    tensor([3, 2, 1])
    """
    listed = sizes_from("flip", axes, dims)
    rank = len(input.shape)
    places = tuple(normalise_dim(dim, rank) for dim in listed)
    if len(set(places)) != len(places):
        raise RuntimeError(f"flip: a dim appears multiple times in the list of dims {listed}")
    return flip_row(input, places if rank else ())


@public()
def fliplr(input: Any) -> Any:
    """A copy reversed along the second dimension; ``RuntimeError`` below 2 dimensions.

    >>> import adjoint as torch
    >>> torch.fliplr(torch.tensor([[1, 2]]))
    tensor([[2, 1]])
    """
    if len(input.shape) < 2:
        raise RuntimeError(f"Input must be >= 2-d, but its shape is {describe_shape(input.shape)}")
    return flip_row(input, (1 - len(input.shape),))


@public()
def flipud(input: Any) -> Any:
    """A copy reversed along the first dimension; ``RuntimeError`` for a 0-d tensor.

    >>> import adjoint as torch
    >>> torch.flipud(torch.tensor([[1], [2]]))
    tensor([[2],
            [1]])
    """
    if not input.shape:
        raise RuntimeError("Input must be >= 1-d, but it is a 0-d tensor")
    return flip_row(input, (-len(input.shape),))


# -- roll, turn ---------------------------------------------------------------------------------


def _roll(x: Any, shifts: tuple[int, ...], dims: tuple[int, ...], rank: int) -> Any:
    if dims:
        return np.roll(x, shifts, dims)
    flat = x.reshape(*x.shape[: x.ndim - rank], -1)
    return np.roll(flat, shifts[0], -1).reshape(x.shape)


# Without dims it rolls the last ``rank`` dimensions as if they were one.
roll_row = define(
    "roll", "movement", _roll, options="shifts dims rank",
    x=lambda g, shifts, dims, rank: roll_row(g, tuple(-each for each in shifts), dims, rank),
    jvp="linear", low_precision=False, conjugate=False,
)  # fmt: skip


def _ints(value: Any) -> tuple[int, ...]:
    return tuple(map(as_index, value)) if isinstance(value, (tuple, list)) else (as_index(value),)


@public()
def roll(input: Any, shifts: Any, dims: Any = ()) -> Any:
    """A copy with elements moved by ``shifts`` along ``dims``, those at the end to the beginning.

    Without ``dims`` the tensor is rolled as if it were flat. Raises ``RuntimeError`` for unequal
    numbers of shifts and dims, ``IndexError`` out of range.

    >>> import adjoint as torch
    >>> torch.roll(torch.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    """
    steps, listed = _ints(shifts), _ints(dims)
    rank = len(input.shape)
    if not steps:
        raise RuntimeError("roll: `shifts` required")
    if len(steps) != len(listed) and (listed or len(steps) != 1):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(steps)}, dims: {len(listed)}"
        )
    if listed and not rank:
        raise IndexError(f"Dimension specified as {listed[0]} but tensor has no dimensions")
    places = tuple(normalise_dim(dim, rank) for dim in listed)
    if not product(input.shape) or not rank:
        steps, places = (0,), ()
    return roll_row(input, steps, places, rank)


rot90_row = define(
    "rot90", "movement", lambda x, k, dims: np.rot90(x, k, dims).copy(), options="k dims",
    x=lambda g, k, dims: rot90_row(g, -k, dims), jvp="linear", low_precision=False,
    conjugate=False,
)  # fmt: skip


@public()
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """A copy turned ``k`` times by 90 degrees in the plane of two dims, the first to the second.

    Raises ``RuntimeError`` unless two different dims are given, ``IndexError`` out of range.

    >>> import adjoint as torch
    >>> torch.rot90(torch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    rank = len(input.shape)
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if rank < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {rank}")
    first, second = (normalise_dim(dim, rank) for dim in dims)
    if first == second:
        raise RuntimeError(f"expected rotation dims to be different, but got {tuple(dims)}")
    return rot90_row(input, as_index(k), (first, second))


# -- repeat -------------------------------------------------------------------------------------


def _repeat_backward(g: Any, shape: tuple[int, ...], repeats: tuple[int, ...]) -> Any:
    sizes = (1,) * (len(repeats) - len(shape)) + tuple(shape)
    pairs = [size for pair in zip(repeats, sizes, strict=True) for size in pair]
    rank = len(pairs)
    out = engine.rows.sum(reshape_row(g, tuple(pairs)), tuple(range(-rank, 0, 2)), False)
    return reshape_row(out, shape)


def _batch_repeat(row: Any, size: int, values: Any, batched: Any, options: Any) -> Any:
    x, repeats = values[0], options[0]
    missing = len(repeats) - len(x.shape) + 1
    if missing:
        x = reshape_row(x, (size, *(1,) * missing, *x.shape[1:]))
    return repeat_row(x, (1, *repeats))


repeat_row = define(
    "repeat", "movement", np.tile, options="repeats",
    x=lambda g, x_shape, repeats: _repeat_backward(g, x_shape, repeats),
    jvp="linear", batch=_batch_repeat, low_precision=False, conjugate=False,
)  # fmt: skip


@public(namespaces=())
def repeat(input: Any, *sizes: Any, repeats: Any = None) -> Any:
    """A copy repeated so many times along each dimension; more numbers add dimensions in front.

    Raises ``RuntimeError`` for fewer numbers than dimensions, or a negative one.

    >>> import adjoint as torch
    >>> torch.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = sizes_from("repeat", sizes, repeats)
    if len(times) < len(input.shape):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            f"tensor: {describe_shape(times)} for shape {describe_shape(input.shape)}"
        )
    if any(each < 0 for each in times):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(times)} times")
    return repeat_row(input, times)


@public()
def tile(input: Any, *sizes: Any, dims: Any = None) -> Any:
    """``repeat``, but fewer numbers than dimensions mean the last ones.

    Raises ``RuntimeError`` for a negative number.

    >>> import adjoint as torch
    >>> torch.tile(torch.tensor([[1, 2]]), (2,))
    tensor([[1, 2, 1, 2]])
    """
    times = sizes_from("tile", sizes, dims)
    return repeat(input, (1,) * (len(input.shape) - len(times)) + times)


@public()
def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """A copy with each place along ``dim`` repeated, all alike or as a vector says.

    Without ``dim`` the tensor is flat; of a vector alone, its numbers of each place. Raises
    ``RuntimeError`` for negative numbers or another number of them than places.

    >>> import adjoint as torch
    >>> torch.repeat_interleave(torch.tensor([1, 2]), torch.tensor([1, 2]))
    tensor([1, 2, 2])
    """
    if repeats is None and dim is not None:
        raise TypeError("repeat_interleave(): repeats are needed where a dim is given")
    if repeats is None:
        places = _places(input, len(input.shape) and input.shape[0])
        return wrap(places, input._level)
    if dim is None:
        input, dim = flatten(input), 0
    if not input.shape:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    dim = normalise_dim(dim, len(input.shape))
    size = input.shape[dim]
    if not isinstance(repeats, Tensor):
        times = as_index(repeats)
        if times < 0:
            raise RuntimeError(f"Repeats must be non-negative, but got {times}")
        shape = list(input.shape)
        wide = unsqueeze(input, dim if dim == -1 else dim + len(shape) + 1)
        wide = expand_row(
            wide, (*wide.shape[: dim + len(shape) + 1], times, *shape[len(shape) + dim + 1 :])
        )
        shape[dim] *= times
        return reshape_row(clone_row(wide, "C"), tuple(shape))
    places = _places(repeats, size)
    if output_size is not None and output_size != len(places):
        raise RuntimeError(
            f"repeat_interleave: output_size is {output_size}, but the result has {len(places)}"
        )
    return index_select(input, dim, wrap(places, input._level))


def _places(repeats: Any, size: int) -> Any:
    """The number of each place, as often as it is repeated."""
    if dtypes.of(repeats) not in (dtypes.int32, dtypes.int64):
        raise NotImplementedError(
            f"repeat_interleave: repeats are of int32 or int64, not {dtypes.of(repeats)!r}"
        )
    if len(repeats.shape) > 1:
        raise RuntimeError(
            f"repeats must be 0-dim or 1-dim tensor, not of shape {describe_shape(repeats.shape)}"
        )
    times = repeats.numpy().reshape(-1)
    if len(times) != size and len(times) != 1:
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got "
            f"{len(times)} repeats for {size} places"
        )
    if times.size and times.min() < 0:
        raise RuntimeError("repeats can not be negative")
    return np.repeat(np.arange(size), times)


# -- sums that undo an expansion ----------------------------------------------------------------


@public(namespaces=())
def sum_to_size(input: Any, *sizes: Any, size: Any = None) -> Any:
    """The sum over all dimensions along which ``size`` would be expanded to the tensor's shape.

    Raises ``RuntimeError`` where it would not.

    >>> import adjoint as torch
    >>> torch.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    shape = sizes_from("sum_to_size", sizes, size)
    found = tuple(input.shape)
    missing = len(found) - len(shape)
    fits = missing >= 0 and all(
        small in (1, large) for small, large in zip(shape, found[missing:], strict=True)
    )
    if not fits:
        raise RuntimeError(
            f"size {describe_shape(shape)} is not expandable to size {describe_shape(found)}"
        )
    if shape == found:
        return input
    if not shape:
        return sum(input)
    dims = [
        place
        for place, size in enumerate(found)
        if place < missing or (shape[place - missing] == 1 and size != 1)
    ]
    out = sum(input, tuple(dims), True)
    return reshape_row(out, shape) if missing else out
