"""Joining tensors: along a dimension they have, or along a new one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value, apply
from adjoint.errors import describe_shape
from adjoint.ops.dimensions import unsqueeze_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.row import Row
from adjoint.ops.movement import reshape, reshape_row
from adjoint.ops.slicing import select_row, slice_row
from adjoint.shapes import normalise_dim, product
from adjoint.tape import engine
from adjoint.tape.modes import modes
from adjoint.tape.node import clock, user_frame
from adjoint.tape.tensor import Tensor, new, wrap

Tensors = Sequence[Any]
ndarray = np.ndarray
ALL = slice(None)

# -- rows ---------------------------------------------------------------------------------------


def _concatenate(arrays: list[Any], dim: int) -> Any:
    out = np.concatenate(arrays, dim)
    return out if out.flags.c_contiguous else np.ascontiguousarray(out)


def _cat(*args: Any) -> Any:
    *arrays, dim = args
    rank = max(each.ndim for each in arrays)
    # Empty vectors may stand among tensors of more dimensions, for nothing.
    return _concatenate([each for each in arrays if each.ndim == rank], dim)


def _zeros(g: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, dtypes.of(g).numpy)
    return wrap(out, g._level) if isinstance(g, Tensor) else out


def _cat_vjp(g: Any, needs: Sequence[bool], shapes: Any, dim: int) -> list[Any]:
    parts: list[Any] = [None] * len(shapes)
    start, rank = 0, max(map(len, shapes))
    for place, shape in enumerate(shapes):
        needed = place < len(needs) and needs[place]
        if len(shape) < rank:
            parts[place] = _zeros(g, shape) if needed else None
            continue
        stop = start + shape[dim]
        if needed:
            parts[place] = slice_row(g, dim, start, stop, 1)
        start = stop
    return parts


def _stack(*args: Any) -> Any:
    *arrays, dim = args
    part = (..., None, *(ALL,) * (-dim - 1))
    return _concatenate([each[part] for each in arrays], dim)


def _stack_vjp(g: Any, needs: Sequence[bool], shapes: Any, dim: int) -> list[Any]:
    return [
        select_row(g, dim, place) if place < len(needs) and needs[place] else None
        for place in range(len(shapes))
    ]


def _joining(name: str, compute: Any, vjp: Any) -> Any:
    return define(
        name, "movement", compute, variadic=True, options="dim", vjp=vjp,
        jvp="linear", promote="same", low_precision=False, conjugate=False,
    )  # fmt: skip


cat_row = _joining("cat", _cat, _cat_vjp)
stack_row = _joining("stack", _stack, _stack_vjp)


def _block_diag(*matrices: Any) -> Any:
    kind = dtypes.result_type(matrices).numpy
    height, width = (sum(each.shape[axis] for each in matrices) for axis in (-2, -1))
    out = np.zeros((*matrices[0].shape[:-2], height, width), kind)
    top = left = 0
    for each in matrices:
        bottom, right = top + each.shape[-2], left + each.shape[-1]
        out[..., top:bottom, left:right] = each
        top, left = bottom, right
    return out


def _block_diag_vjp(g: Any, needs: Sequence[bool], shapes: Any) -> list[Any]:
    parts: list[Any] = [None] * len(shapes)
    top = left = 0
    for place, shape in enumerate(shapes):
        bottom, right = top + shape[-2], left + shape[-1]
        if place < len(needs) and needs[place]:
            rows = slice_row(g, -2, top, bottom, 1)
            parts[place] = slice_row(rows, -1, left, right, 1)
        top, left = bottom, right
    return parts


block_diag_row = define(
    "block_diag", "movement", _block_diag, variadic=True, vjp=_block_diag_vjp,
    jvp="linear", promote="same", low_precision=False, conjugate=False,
)  # fmt: skip

engine.rows.stack = lambda values: stack_row(values, -len(values[0].shape) - 1)


def _at_once(row: Row, tensors: Any, dim: Any, new_dims: int) -> Any:
    """Plain memory of one type joined in one call of NumPy's; None for all that needs a look."""
    arrays, level, mask, bit, kind = [], -1, 0, 1, None
    for each in tensors:
        array = each._array if isinstance(each, Tensor) else None
        if type(array) is not ndarray:
            return None
        if kind is not array.dtype or level != each._level:
            if kind is not None:
                return None
            kind, level = array.dtype, each._level
        arrays.append(array)
        if each._node is not None:
            mask += bit
        bit += bit
    if kind is None or type(dim) is not int:
        return None
    rank = arrays[0].ndim + new_dims
    dim = dim if dim < 0 else dim - rank
    if not -rank <= dim < 0:
        return None
    if new_dims:
        part = (..., None, *(ALL,) * (-dim - 1))
        shape = arrays[0].shape
        if any(each.shape != shape for each in arrays):
            return None
        out = _concatenate([each[part] for each in arrays], dim)
    else:
        try:
            out = _concatenate(arrays, dim)
        except ValueError:
            return None
    return _finish(
        row, out, level, mask, tensors, (None, None, dim, [each.shape for each in arrays])
    )


def _finish(row: Row, out: Any, level: int, mask: int, tensors: Any, saved: Any) -> Tensor:
    tensor = wrap(out, level)
    if mask and modes.enabled:
        node = new(row._node_class or row.node_class)
        node.plan = row._plans.get(mask) or row.plan(mask)
        node.edges = tuple([each._node for each in tensors])
        node.saved = saved
        node.sequence = next(clock)
        node.shape = out.shape
        node.dtype = out.dtype
        node.hooks = None
        frame = user_frame(sys._getframe(3))
        node.code = None if frame is None else frame.f_code
        node.instruction = 0 if frame is None else frame.f_lasti
        if modes.enabled is not True:
            modes.enabled.recorded(node, tuple(tensors), out)
        tensor._node = node
    return tensor


# -- along a dimension they have ----------------------------------------------------------------


def checked(name: str, tensors: Any, error: type[Exception] = RuntimeError) -> list[Any]:
    """The tensors of a list or tuple, at least one of them; ``TypeError`` for anything else."""
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' must be tuple of Tensors, not {type(tensors).__name__}"
        )
    for place, each in enumerate(tensors):
        if not isinstance(each, (Value, np.ndarray)):
            raise TypeError(
                f"{name}(): expected Tensor as element {place} in argument 'tensors', but got "
                f"{type(each).__name__}"
            )
    if not tensors:
        raise error(f"{name}(): expected a non-empty list of Tensors")
    return list(tensors)


@public(method=False, aliases=("concat", "concatenate"), out="joined")
def cat(tensors: Tensors, dim: int = 0, *, axis: int | None = None) -> Any:
    """The tensors one after the other along ``dim``; types are promoted.

    Raises ``RuntimeError`` unless all other sizes agree. Empty vectors are left out.

    >>> import adjoint as torch
    >>> torch.cat([torch.tensor([1, 2]), torch.tensor([3])])
    tensor([1, 2, 3])
    """
    if axis is None and type(tensors) in (list, tuple):
        out = _at_once(cat_row.row, tensors, dim, 0)
        if out is not None:
            return out
    given = checked("cat", tensors, ValueError)
    for place, each in enumerate(given):
        if not each.shape:
            raise RuntimeError(
                f"zero-dimensional tensor (at position {place}) cannot be concatenated; use stack()"
            )
    joined = [each for each in given if tuple(each.shape) != (0,)] or given
    first = joined[0].shape
    place = normalise_dim(dim if axis is None else axis, len(first))
    for number, each in enumerate(joined):
        if len(each.shape) != len(first):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(first)} and "
                f"{len(each.shape)} (shapes {describe_shape(first)} and "
                f"{describe_shape(each.shape)})"
            )
        for axis_place, (size, other) in enumerate(zip(first, each.shape, strict=True)):
            if size != other and axis_place != place + len(first):
                raise RuntimeError(
                    "Sizes of tensors must match except in dimension "
                    f"{place + len(first)}. Expected size {size} but got size {other} for tensor "
                    f"number {number} in the list (shapes {describe_shape(first)} and "
                    f"{describe_shape(each.shape)})"
                )
    return cat_row(given, place)


@public(method=False, out="joined")
def stack(tensors: Tensors, dim: int = 0) -> Any:
    """Tensors of one shape along a new dimension ``dim``; types are promoted.

    Raises ``RuntimeError`` for unequal shapes, ``IndexError`` for a dim out of range.

    >>> import adjoint as torch
    >>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])], 1)
    tensor([[1, 3],
            [2, 4]])
    """
    if type(tensors) in (list, tuple):
        out = _at_once(stack_row.row, tensors, dim, 1)
        if out is not None:
            return out
    given = checked("stack", tensors)
    first = given[0].shape
    for number, each in enumerate(given):
        if tuple(each.shape) != tuple(first):
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {describe_shape(first)} at "
                f"entry 0 and {describe_shape(each.shape)} at entry {number}"
            )
    return stack_row(given, normalise_dim(dim, len(first) + 1))


# -- with dimensions added first ----------------------------------------------------------------


def _at_least(x: Any, rank: int) -> Any:
    """Dimensions of size 1 put in front, or, for the third, behind."""
    shape = tuple(x.shape)
    missing = rank - len(shape)
    if missing <= 0:
        return x
    if not shape:
        return reshape_row(x, (1,) * rank)
    if rank == 3:
        x = unsqueeze_row(x, -1)
    return unsqueeze_row(x, -rank) if missing == rank - 1 else x


@public(method=False, out="joined")
def hstack(tensors: Tensors) -> Any:
    """Vectors end to end, or tensors along their second dimension; ``RuntimeError`` as ``cat``.

    >>> import adjoint as torch
    >>> torch.hstack([torch.ones(2, 1), torch.zeros(2, 2)]).shape
    torch.Size([2, 3])
    """
    given = [_at_least(each, 1) for each in checked("hstack", tensors)]
    return cat(given, 0 if len(given[0].shape) == 1 else 1)


@public(method=False, aliases=("row_stack",), out="joined")
def vstack(tensors: Tensors) -> Any:
    """Vectors as rows, or tensors along their first dimension; ``RuntimeError`` as ``cat``.

    >>> import adjoint as torch
    >>> torch.vstack([torch.ones(2), torch.zeros(2)]).shape
    torch.Size([2, 2])
    """
    return cat([_at_least(each, 2) for each in checked("vstack", tensors)], 0)


@public(method=False, out="joined")
def dstack(tensors: Tensors) -> Any:
    """Tensors along their third dimension, matrices as layers; ``RuntimeError`` as ``cat``.

    >>> import adjoint as torch
    >>> torch.dstack([torch.ones(2, 3), torch.zeros(2, 3)]).shape
    torch.Size([2, 3, 2])
    """
    return cat([_at_least(each, 3) for each in checked("dstack", tensors)], 2)


@public(method=False, out="joined")
def column_stack(tensors: Tensors) -> Any:
    """Vectors as columns, beside matrices as they are; ``RuntimeError`` as ``cat``.

    >>> import adjoint as torch
    >>> torch.column_stack([torch.ones(2), torch.zeros(2)]).shape
    torch.Size([2, 2])
    """
    columns = [
        reshape(each, (product(each.shape), 1)) if len(each.shape) <= 1 else each
        for each in checked("column_stack", tensors)
    ]
    return cat(columns, 1)


@public(method=False)
def block_diag(*tensors: Any) -> Any:
    """Matrices along the diagonal of a matrix of zeros; ``RuntimeError`` from 3 dimensions on.

    >>> import adjoint as torch
    >>> torch.block_diag(torch.tensor([1, 2]), torch.tensor([[3], [4]]))
    tensor([[1, 2, 0],
            [0, 0, 3],
            [0, 0, 4]])
    """
    given = checked("block_diag", list(tensors) or [np.zeros((1, 0), np.float32)])
    for number, each in enumerate(given):
        if len(each.shape) > 2:
            raise RuntimeError(
                "block_diag: Input tensors must have 2 or fewer dimensions, but input "
                f"{number} has shape {describe_shape(each.shape)}"
            )
    matrices = [_at_least(each, 2) for each in given]
    if not tensors:
        return wrap(matrices[0])
    return apply(block_diag_row.row, tuple(matrices))  # type: ignore[attr-defined]


# -- at least so many dimensions ----------------------------------------------------------------


def _each(name: str, tensors: tuple[Any, ...], rank: int) -> Any:
    if not tensors:
        return ()
    if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)):
        return _at_least(checked(name, list(tensors))[0], rank)
    listed = tensors[0] if len(tensors) == 1 else tensors
    return tuple(_at_least(each, rank) for each in checked(name, listed))


@public(method=False)
def atleast_1d(*tensors: Any) -> Any:
    """A view of each tensor with at least one dimension; a tuple if several are given.

    >>> import adjoint as torch
    >>> torch.atleast_1d(torch.tensor(1))
    tensor([1])
    """
    return _each("atleast_1d", tensors, 1)


@public(method=False)
def atleast_2d(*tensors: Any) -> Any:
    """A view of each tensor with at least two dimensions; a tuple if several are given.

    >>> import adjoint as torch
    >>> torch.atleast_2d(torch.tensor([1, 2]))
    tensor([[1, 2]])
    """
    return _each("atleast_2d", tensors, 2)


@public(method=False)
def atleast_3d(*tensors: Any) -> Any:
    """A view of each tensor with at least three dimensions; a tuple if several are given.

    >>> import adjoint as torch
    >>> torch.atleast_3d(torch.tensor([1, 2])).shape
    torch.Size([1, 2, 1])
    """
    return _each("atleast_3d", tensors, 3)
