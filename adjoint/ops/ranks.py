"""The element of a given rank along a dimension: k-th value, median, mode.

NaN counts as the largest value. Of equal elements the first is named, by the mode the last.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index as as_index
from typing import Any

import numpy as np

from adjoint import dtypes, return_types
from adjoint.errors import describe_shape
from adjoint.ops.extremes import share_of_all
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.picking import choice_jvp, choice_vjp, infer_choice, take_along
from adjoint.ops.reducing import (
    dim_or_none,
    flag,
    no_such_dims,
    numpy_spelling,
    on_scalars,
    refuse_dtype,
    shape_of,
    size_of,
)
from adjoint.ops.sorting import at

Chosen = tuple[Any, Any]


def _first_reaching(x: Any, values: Any, dim: int, keepdim: bool) -> Chosen:
    """The values, which have size 1 along ``dim``, and where they first stand there."""
    reached = x == values
    if x.dtype.kind == "f":
        reached |= (x != x) & (values != values)
    indices = reached.argmax(dim, keepdims=True)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


def _choice(
    name: str, compute: Callable[..., Chosen], options: str = "", node_name: str | None = None
) -> Callable[..., Any]:
    """A row that chooses one element along ``dim``, as (values, indices)."""
    return define(
        name, "sorting", on_scalars(compute),
        options=f"dim keepdim {options}", outputs="values indices", differentiable=1,
        x=choice_vjp, jvp=choice_jvp, infer=infer_choice, node_name=node_name,
    )  # fmt: skip


# -- kthvalue -------------------------------------------------------------------------------------


def _kth(x: Any, dim: int, keepdim: bool, k: int) -> Chosen:
    values = np.partition(x, k - 1, dim)[at(dim, slice(k - 1, k))]
    return _first_reaching(x, values, dim, keepdim)


kthvalue_row = _choice("kthvalue", _kth, "k")


def _one_dim(name: str, input: Any, dim: Any, keepdim: Any, names: Any) -> tuple[Any, bool]:
    """A dim with something along it, and keepdim, which is True for a zero-dimensional input."""
    if names:
        dim, keepdim = numpy_spelling(name, names, None if dim == -1 else dim, keepdim)
    shape = shape_of(name, input)
    place = dim_or_none(name, dim, shape)
    if place is not None and shape[place] == 0:
        no_such_dims(name, shape, place + len(shape))
    return place, flag(name, keepdim) or not shape


@public(out="exact")
def kthvalue(input: Any, k: int, dim: Any = -1, keepdim: bool = False, **numpy_names: Any) -> Any:
    """The ``k``-th smallest along ``dim``, counting from 1, as (values, indices).

    Raises ``RuntimeError`` for a ``k`` below 1 or beyond the dim's size, ``IndexError`` for a dim
    of size 0 or that is not there, ``NotImplementedError`` for boolean and complex input.

    >>> import adjoint as torch
    >>> torch.kthvalue(torch.tensor([3.0, 1.0, 2.0]), 2).values
    tensor(2.)
    """
    place, keepdim = _one_dim("kthvalue", input, dim, keepdim, numpy_names)
    if place is not None:
        refuse_dtype("kthvalue", input, (dtypes.BOOL, dtypes.COMPLEX), NotImplementedError)
    k, size = as_index(k), size_of(input.shape, place)
    if not 1 <= k <= size:
        raise RuntimeError(
            f"kthvalue(): selected number k={k} is out of range for dim {dim} of size {size} in an "
            f"input of shape {describe_shape(input.shape)}; the smallest is k=1"
        )
    return return_types.kthvalue(*kthvalue_row(input, place, keepdim, k))


# -- median, nanmedian ----------------------------------------------------------------------------


def _median(x: Any, dim: int, keepdim: bool) -> Chosen:
    middle = (x.shape[dim] - 1) // 2  # the lower of two
    values = np.partition(x, middle, dim)[at(dim, slice(middle, middle + 1))]
    if x.dtype.kind == "f":
        nans = np.isnan(x).any(dim, keepdims=True)
        if nans.any():
            values = np.where(nans, np.asarray(np.nan, x.dtype), values)
    return _first_reaching(x, values, dim, keepdim)


def _nanmedian(x: Any, dim: int, keepdim: bool) -> Chosen:
    if x.dtype.kind != "f":
        return _median(x, dim, keepdim)
    present = np.count_nonzero(x == x, dim, keepdims=True)
    middle = np.maximum(present - 1, 0) // 2
    values = take_along(np.sort(x, dim), middle, dim)
    return _first_reaching(x, values, dim, keepdim)


def _of_all(name: str, compute: Callable[..., Chosen]) -> Callable[..., Any]:
    def run(x: Any, lines: bool) -> Any:
        if not lines:
            x = x.reshape(-1)
        if x.shape[-1]:
            return compute(x, -1, False)[0]
        # PyTorch's answers of nothing: NaN, and what the processor makes of NaN as an integer.
        integer = 0 if x.dtype.itemsize < 4 else np.iinfo(x.dtype).min if x.dtype.kind == "i" else 0
        value = np.nan if x.dtype.kind == "f" else integer
        return np.full(x.shape[:-1], value, x.dtype)

    return share_of_all(name, run)


median_row = _choice("median_dim", _median, node_name="MedianBackward1")
nanmedian_row = _choice("nanmedian_dim", _nanmedian, node_name="NanmedianBackward1")
median_all = _of_all("median", _median)
nanmedian_all = _of_all("nanmedian", _nanmedian)


def _middle(
    name: str, everything: Any, along: Any, input: Any, dim: Any, keepdim: bool, names: Any
) -> Any:
    shape_of(name, input)
    refuse_dtype(name, input, (dtypes.BOOL, dtypes.COMPLEX), NotImplementedError)
    if dim is None and "axis" not in names:
        if keepdim or names:
            raise TypeError(f"{name}(): keepdim needs a dim, and so do other options")
        return everything(input)
    place, keepdim = _one_dim(name, input, dim, keepdim, names)
    return getattr(return_types, name)(*along(input, place, keepdim))


@public(out="exact")
def median(input: Any, dim: Any = None, keepdim: bool = False, **numpy_names: Any) -> Any:
    """Median of all elements, or (values, indices) along ``dim``; the lower of two, NaN if any is.

    Of all elements, those equal to the median share the gradient evenly. Raises ``IndexError`` for
    a dim of size 0 or that is not there, ``NotImplementedError`` for boolean and complex input.

    >>> import adjoint as torch
    >>> torch.median(torch.tensor([3.0, 1.0, 2.0, 4.0]))
    tensor(2.)
    """
    return _middle("median", median_all, median_row, input, dim, keepdim, numpy_names)


@public(out="exact")
def nanmedian(input: Any, dim: Any = None, keepdim: bool = False, **numpy_names: Any) -> Any:
    """Median of the elements that are not NaN, of all, or (values, indices) along ``dim``.

    Raises ``IndexError`` for a dim of size 0 or that is not there, ``NotImplementedError`` for
    boolean and complex input.

    >>> import adjoint as torch
    >>> torch.nanmedian(torch.tensor([3.0, float("nan"), 2.0]))
    tensor(2.)
    """
    return _middle("nanmedian", nanmedian_all, nanmedian_row, input, dim, keepdim, numpy_names)


# -- mode -----------------------------------------------------------------------------------------


def _mode(x: Any, dim: int, keepdim: bool) -> Chosen:
    indices = x.argsort(dim, kind="stable").swapaxes(dim, -1)
    lines = take_along(x, indices.swapaxes(dim, -1), dim).swapaxes(dim, -1)
    places = np.arange(lines.shape[-1])
    starts = np.where(lines[..., 1:] != lines[..., :-1], places[1:], 0)
    starts = np.concatenate([np.zeros_like(indices[..., :1]), starts], -1)
    # How many equal elements end here; the first place with the most is the smallest such value.
    best = (places - np.maximum.accumulate(starts, -1)).argmax(-1, keepdims=True)
    values = take_along(lines, best, -1).swapaxes(dim, -1)
    found = take_along(indices, best, -1).swapaxes(dim, -1)
    return (values, found) if keepdim else (values.squeeze(dim), found.squeeze(dim))


mode_row = _choice("mode", _mode)


@public(out="exact")
def mode(input: Any, dim: Any = -1, keepdim: bool = False, **numpy_names: Any) -> Any:
    """The commonest value along ``dim``, the smallest of several, as (values, indices).

    The index is that of its last occurrence. Raises ``IndexError`` for a dim of size 0 or that is
    not there, ``NotImplementedError`` for complex input.

    >>> import adjoint as torch
    >>> torch.mode(torch.tensor([2, 1, 2, 1, 0]))
    torch.return_types.mode(
    values=tensor(1),
    indices=tensor(3))
    """
    place, keepdim = _one_dim("mode", input, dim, keepdim, numpy_names)
    refuse_dtype("mode", input, (dtypes.COMPLEX,), NotImplementedError)
    return return_types.mode(*mode_row(input, place, keepdim))
