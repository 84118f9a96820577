"""Sorting along a dimension, and the elements of a given rank: top k, k-th, median, mode.

NaN counts as the largest value. Where elements are equal the first comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index as as_index
from typing import Any

import numpy as np

from adjoint import dtypes, return_types
from adjoint.errors import describe_shape
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.row import Row
from adjoint.ops.picking import pick_row, put_row, take_along
from adjoint.ops.reducing import (
    dim_or_none,
    flag,
    infer_same_shape,
    numpy_spelling,
    on_scalars,
    refuse_dtype,
    result_kinds,
    shape_of,
    size_of,
)
from adjoint.ops.scan import turned


def at(dim: int, part: Any) -> tuple[Any, ...]:
    """NumPy's index for ``part`` of dimension ``dim``, which counts from the end."""
    return (..., part, *(slice(None),) * (-dim - 1))


# -- orders ---------------------------------------------------------------------------------------


def order(x: Any, dim: int, descending: bool) -> Any:
    """Indices that sort ``x`` along ``dim``, equal elements in their order, NaN as the largest."""
    if not descending:
        return x.argsort(dim, kind="stable")
    # Sorting backwards from the far end keeps equal elements in order, and puts NaN first.
    from_end = turned(x, dim, True).argsort(dim, kind="stable")
    return x.shape[dim] - 1 - turned(from_end, dim, True)


def _sort(x: Any, dim: int, descending: bool) -> tuple[Any, Any]:
    indices = order(x, dim, descending)
    return take_along(x, indices, dim), indices


def _moved_vjp(g: Any, x_shape: Any, indices: Any, dim: int | None) -> Any:
    return put_row(g[0], indices, dim, size_of(x_shape, dim), False)


def _moved_jvp(x_t: Any, indices: Any, dim: int | None) -> tuple[Any]:
    return (pick_row(x_t, indices, dim),)


def _sorting(name: str, node_name: str) -> Callable[..., Any]:
    return define(
        name, "sorting", on_scalars(_sort),
        options="dim descending", outputs="values indices", differentiable=1,
        x=_moved_vjp, jvp=_moved_jvp, infer=infer_same_shape, node_name=node_name,
    )  # fmt: skip


sort_row = _sorting("sort", "SortBackward0")
# The same, as PyTorch has it, under another name in the graph where ``stable`` was given.
stable_sort_row = _sorting("sort_stable", "SortBackward1")
argsort_row = define(
    "argsort", "sorting", on_scalars(order), options="dim descending", infer=infer_same_shape
)


def _refuse_complex(name: str, input: Any) -> None:
    refuse_dtype(name, input, (dtypes.COMPLEX,), RuntimeError)


@public(out="exact")
def sort(
    input: Any, dim: int = -1, descending: bool = False, *,
    stable: bool | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Sorted along ``dim``, as (values, indices); always stable, NaN the largest.

    Raises ``IndexError`` for a dim that is not there, ``RuntimeError`` for complex input.

    >>> import adjoint as torch
    >>> torch.sort(torch.tensor([3.0, 1.0, 2.0])).indices
    tensor([1, 2, 0])
    """
    if numpy_names:
        dim, _ = numpy_spelling("sort", numpy_names, None if dim == -1 else dim)
    if isinstance(dim, bool):
        raise TypeError("sort(): dim is an int; say descending=True by name")
    place = dim_or_none("sort", dim, shape_of("sort", input))
    _refuse_complex("sort", input)
    row = sort_row if stable is None else stable_sort_row
    return return_types.sort(*row(input, place, flag("sort", descending, "descending")))


@public(out="exact")
def argsort(
    input: Any, dim: int = -1, descending: bool = False, *,
    stable: bool = False, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Indices that sort along ``dim``, equal elements in their order.

    Raises ``IndexError`` for a dim that is not there, ``RuntimeError`` for complex input.

    >>> import adjoint as torch
    >>> torch.argsort(torch.tensor([3.0, 1.0, 2.0]), descending=True)
    tensor([0, 2, 1])
    """
    if numpy_names:
        dim, _ = numpy_spelling("argsort", numpy_names, None if dim == -1 else dim)
    if isinstance(dim, bool):
        raise TypeError("argsort(): dim is an int; say descending=True by name")
    place = dim_or_none("argsort", dim, shape_of("argsort", input))
    _refuse_complex("argsort", input)
    return argsort_row(input, place, flag("argsort", descending, "descending"))


@public(out="exact")
def msort(input: Any) -> Any:
    """The values sorted along the first dimension; ``RuntimeError`` for complex input.

    >>> import adjoint as torch
    >>> torch.msort(torch.tensor([[3.0, 1.0], [2.0, 4.0]]))
    tensor([[2., 1.],
            [3., 4.]])
    """
    place = dim_or_none("msort", 0, shape_of("msort", input))
    _refuse_complex("msort", input)
    return sort_row(input, place, False)[0]


# -- the first k of an order ----------------------------------------------------------------------


def _topk(x: Any, dim: int, k: int, largest: bool) -> tuple[Any, Any]:
    size, chosen = x.shape[dim], None
    if k == 1 and largest and size:
        chosen = x.argmax(dim, keepdims=True)
    elif 0 < k <= size // 8 and size >= 512:
        chosen = _few(x, dim, k, largest)
    if chosen is None:
        chosen = order(x, dim, largest)[at(dim, slice(k))]
    return take_along(x, chosen, dim), chosen


def _few(x: Any, dim: int, k: int, largest: bool) -> Any:
    """The first ``k`` of the order by partition; None where ties or NaN ask for the whole sort."""
    pivot = x.shape[dim] - k if largest else k - 1
    parts = x.argpartition(pivot, dim)
    chosen = parts[at(dim, slice(pivot, None) if largest else slice(k))]
    chosen = np.sort(chosen, dim)
    values = take_along(x, chosen, dim)
    if largest:
        reached = x >= np.minimum.reduce(values, dim, keepdims=True)
    else:
        reached = x <= np.maximum.reduce(values, dim, keepdims=True)
    if (np.count_nonzero(reached, dim) != k).any():
        return None
    return take_along(chosen, order(values, dim, largest), dim)


def _infer_topk(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
    dim, k, _ = options
    shape = list(inputs[0].shape)
    if dim is not None:
        shape[dim] = k
    return list(zip([tuple(shape)] * 2, result_kinds(row, inputs, options), strict=True))


topk_row = define(
    "topk", "sorting", on_scalars(_topk),
    options="dim k largest", outputs="values indices", differentiable=1,
    x=_moved_vjp, jvp=_moved_jvp, infer=_infer_topk,
)  # fmt: skip


@public(out="exact")
def topk(
    input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True,
    **numpy_names: Any,
) -> Any:  # fmt: skip
    """The ``k`` largest (or smallest) along ``dim`` in order, as (values, indices).

    The first of equal elements comes first; ``sorted=False`` changes nothing. Raises
    ``RuntimeError`` for a ``k`` beyond the dim's size and for boolean and complex input,
    ``IndexError`` for a dim that is not there.

    >>> import adjoint as torch
    >>> torch.topk(torch.tensor([3.0, 1.0, 2.0]), 2).values
    tensor([3., 2.])
    """
    if numpy_names:
        dim, _ = numpy_spelling("topk", numpy_names, None if dim == -1 else dim)
    shape = shape_of("topk", input)
    refuse_dtype("topk", input, (dtypes.BOOL, dtypes.COMPLEX), RuntimeError)
    place = dim_or_none("topk", dim, shape)
    size, k = size_of(shape, place), as_index(k)
    if not 0 <= k <= size:
        raise RuntimeError(
            f"topk(): selected index k={k} is out of range for dim {dim} of size {size} in an "
            f"input of shape {describe_shape(shape)}"
        )
    k = k if shape else 1  # PyTorch's answer even for k=0, where no shape would fit
    flag("topk", sorted, "sorted")
    largest = flag("topk", largest, "largest")
    return return_types.topk(*topk_row(input, place, k, largest))
