"""Sums, means, products, and truth of many elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.sums import accurate_sum
from adjoint.ops.arithmetic import div, mul
from adjoint.ops.comparison import eq
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.reducing import (
    PLAIN,
    Dims,
    add_reduce,
    batch_whole,
    dim_or_none,
    flag,
    infer_reduced,
    keep_dims,
    multiply_reduce,
    numpy_spelling,
    on_scalars,
    refuse_dtype,
    reshape,
    shape_of,
    spread,
)
from adjoint.ops.scan import products_before
from adjoint.shapes import normalise_dims, product
from adjoint.tape import engine
from adjoint.tape.tensor import Tensor

Dim = int | tuple[int, ...] | list[int] | None

# -- sum ----------------------------------------------------------------------------------------


def _sum_all(x: Any) -> Any:
    if x.dtype.kind == "b":
        return np.int64(np.count_nonzero(x))  # 20 times as quick as adding
    return add_reduce(x, None, np.int64 if x.dtype.kind in "biu" else None)


def _sum(x: Any, dims: Dims, keepdim: bool) -> Any:
    if x.dtype.kind in "biu":
        return add_reduce(x, dims, np.int64, None, keepdim)
    return accurate_sum(x, dims, keepdim)


sum_row = define(
    "sum_dims", "reduction", _sum,
    options="dims keepdim",
    x=lambda g, x_shape, dims, keepdim: spread(g, x_shape, dims, keepdim),
    jvp="linear", infer=infer_reduced, node_name="SumBackward1",
)  # fmt: skip
sum_all = define(
    "sum", "reduction", _sum_all,
    x=lambda g, x_shape: spread(g, x_shape),
    jvp="linear", batch=batch_whole(sum_row), infer=infer_reduced,
)  # fmt: skip
engine.rows.sum = sum_row


def in_type(input: Any, kind: dtypes.dtype | None) -> Any:
    """``input`` in the type that was asked for, itself where none was or it has that type."""
    return input if kind is None or dtypes.of(input) is kind else engine.rows.to_dtype(input, kind)


@public(out="follow")
def sum(
    input: Any, dim: Dim = None, keepdim: bool = False, *,
    dtype: dtypes.dtype | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Sum of all elements, or along ``dim`` (an int or several); integers add up in int64.

    ``axis`` and ``keepdims`` are accepted for ``dim`` and ``keepdim``, as everywhere. Raises
    ``IndexError`` for a dim that is not there, ``RuntimeError`` for one named twice.

    >>> import adjoint as torch
    >>> torch.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(dim=0)
    tensor([4., 6.])
    """
    if dim is None and not keepdim and not numpy_names:
        if dtype is None and isinstance(input, Tensor):
            return sum_all(input)
        shape_of("sum", input)
        return in_type(sum_all(in_type(input, dtype)), dtype)
    if numpy_names:
        dim, keepdim = numpy_spelling("sum", numpy_names, dim, keepdim)
    dims = normalise_dims(dim, len(shape_of("sum", input)))
    return in_type(sum_row(in_type(input, dtype), dims, flag("sum", keepdim)), dtype)


# -- nansum -------------------------------------------------------------------------------------


def _nansum(x: Any, dims: Dims, keepdim: bool) -> Any:
    out = _sum(x, dims, keepdim)
    if x.dtype.kind == "f" and np.isnan(out).any():
        out = _sum(np.where(x == x, x, x.dtype.type(0)), dims, keepdim)
    return out


nansum_row = define(
    "nansum", "reduction", _nansum,
    options="dims keepdim",
    x=lambda g, x, dims, keepdim: spread(g, x.shape, dims, keepdim) * eq(x, x),
    jvp=lambda x_t, x, dims, keepdim: sum_row(x_t * eq(x, x), dims, keepdim),
    infer=infer_reduced,
)  # fmt: skip


@public(out="follow")
def nansum(
    input: Any, dim: Dim = None, keepdim: bool = False, *,
    dtype: dtypes.dtype | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Sum of all elements, or along ``dim``, with NaN counted as zero; ``RuntimeError`` if complex.

    >>> import adjoint as torch
    >>> torch.nansum(torch.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    if numpy_names:
        dim, keepdim = numpy_spelling("nansum", numpy_names, dim, keepdim)
    shape = shape_of("nansum", input)
    refuse_dtype("nansum", input, (dtypes.COMPLEX,), RuntimeError)
    dims = normalise_dims(dim, len(shape))
    return in_type(nansum_row(in_type(input, dtype), dims, flag("nansum", keepdim)), dtype)


# -- mean ---------------------------------------------------------------------------------------


def _floating(name: str, x: Any) -> None:
    if x.dtype.kind in "biu":
        raise RuntimeError(
            f"{name}(): the input is {dtypes.of(x)!r}, which has no fractions: could not infer the "
            "result's dtype; pass dtype=torch.float32, or convert the input"
        )


def _mean_all(x: Any) -> Any:
    _floating("mean", x)
    return add_reduce(x, None) / x.size


def _mean(x: Any, dims: Dims, keepdim: bool) -> Any:
    _floating("mean", x)
    return accurate_sum(x, dims, keepdim) / count_of(x.shape, dims)


def count_of(shape: Dims, dims: Dims) -> int:
    """How many elements a reduction over ``dims`` takes together."""
    return product([shape[dim] for dim in dims])


def shared(g: Any, count: int) -> Any:
    """``g`` in equal parts; itself for no parts, so that the gradient of nothing is no NaN."""
    return g / count if count > 1 else g


mean_row = define(
    "mean_dims", "reduction", _mean,
    options="dims keepdim",
    x=lambda g, x_shape, dims, keepdim: spread(
        shared(g, count_of(x_shape, dims)), x_shape, dims, keepdim
    ),
    jvp="linear", infer=infer_reduced, node_name="MeanBackward1",
)  # fmt: skip
mean_all = define(
    "mean", "reduction", _mean_all,
    x=lambda g, x_shape: spread(shared(g, product(x_shape)), x_shape),
    jvp="linear", batch=batch_whole(mean_row), infer=infer_reduced,
)  # fmt: skip


def _check_kind(name: str, kind: dtypes.dtype | None) -> None:
    if kind is not None and kind.category < dtypes.FLOATING:
        raise RuntimeError(f"{name}(): dtype={kind!r} has no fractions; give a floating type")


@public(out="follow")
def mean(
    input: Any, dim: Dim = None, keepdim: bool = False, *,
    dtype: dtypes.dtype | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Mean of all elements, or along ``dim``; NaN of none.

    Raises ``RuntimeError`` for integers and booleans unless a floating ``dtype`` is given.

    >>> import adjoint as torch
    >>> torch.tensor([[1.0, 2.0], [3.0, 4.0]]).mean(dim=1)
    tensor([1.5000, 3.5000])
    """
    if dtype is not None:
        _check_kind("mean", dtype)
        input = in_type(input, dtype)
    if dim is None and not keepdim and not numpy_names:
        if not isinstance(input, Tensor):
            shape_of("mean", input)
        return mean_all(input)
    if numpy_names:
        dim, keepdim = numpy_spelling("mean", numpy_names, dim, keepdim)
    shape = shape_of("mean", input)
    return mean_row(input, normalise_dims(dim, len(shape)), flag("mean", keepdim))


@public(out="follow")
def nanmean(
    input: Any, dim: Dim = None, keepdim: bool = False, *,
    dtype: dtypes.dtype | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Mean of the elements that are not NaN, of all or along ``dim``; NaN where there are none.

    Raises ``RuntimeError`` for integers, booleans and complex numbers.

    >>> import adjoint as torch
    >>> torch.nanmean(torch.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    if numpy_names:
        dim, keepdim = numpy_spelling("nanmean", numpy_names, dim, keepdim)
    shape = shape_of("nanmean", input)
    refuse_dtype("nanmean", input, (dtypes.BOOL, dtypes.INTEGER, dtypes.COMPLEX), RuntimeError)
    _check_kind("nanmean", dtype)
    input = in_type(input, dtype)
    dims, keepdim = normalise_dims(dim, len(shape)), flag("nanmean", keepdim)
    return div(nansum_row(input, dims, keepdim), sum_row(eq(input, input), dims, keepdim))


# -- prod ---------------------------------------------------------------------------------------


def _prod(x: Any, dim: int, keepdim: bool) -> Any:
    kind = np.int64 if x.dtype.kind in "biu" else None
    return multiply_reduce(x, dim, kind, None, keepdim)


def _others(x: Any, out: Any, dim: int | None, keepdim: bool) -> Any:
    """For each element the product of the others along ``dim``: right where some are zero."""
    if dim is not None:
        out = keep_dims(out, x.shape, (dim,), keepdim)
    if _can_divide(x, out):
        return out / x
    return mul(products_before(x, dim, False), products_before(x, dim, True))


def _can_divide(x: Any, out: Any) -> bool:
    """Whether nothing is zero or overflows: then the product over each is quick, and as good."""
    return (
        isinstance(x, PLAIN)
        and isinstance(out, PLAIN)
        and np.count_nonzero(out) == out.size
        and bool(np.isfinite(out).all())
    )


def _others_in_all(x: Any, out: Any) -> Any:
    if _can_divide(x, out):
        return out / x
    return reshape(_others(reshape(x, (product(x.shape),)), out, -1, False), tuple(x.shape))


def _prod_vjp(g: Any, x: Any, out: Any, dim: int | None, keepdim: bool) -> Any:
    g = g if dim is None else spread(g, x.shape, (dim,), keepdim)
    return g * _others(x, out, dim, keepdim)


def _prod_jvp(x_t: Any, x: Any, out: Any, dim: int | None, keepdim: bool) -> Any:
    moved = x_t * _others(x, out, dim, keepdim)
    return moved if dim is None else sum_row(moved, (dim,), keepdim)


prod_row = define(
    "prod_dim", "reduction", on_scalars(_prod),
    options="dim keepdim", x=_prod_vjp, jvp=_prod_jvp,
    infer=infer_reduced, node_name="ProdBackward1",
)  # fmt: skip
prod_all = define(
    "prod", "reduction",
    lambda x: multiply_reduce(x, None, np.int64 if x.dtype.kind in "biu" else None),
    x=lambda g, x, out: spread(g, x.shape) * _others_in_all(x, out),
    jvp=lambda x_t, x, out: sum_all(x_t * _others_in_all(x, out)),
    batch=lambda row, size, values, batched, options: prod_row(
        reshape(values[0], (size, product(values[0].shape[1:]))), -1, False
    ),
    infer=infer_reduced,
)  # fmt: skip


@public(out="follow")
def prod(
    input: Any, dim: Any = ..., keepdim: bool = False, *,
    dtype: dtypes.dtype | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Product of all elements, or along one ``dim``; integers are multiplied in int64.

    Raises ``IndexError`` for a dim that is not there, ``TypeError`` for several.

    >>> import adjoint as torch
    >>> torch.prod(torch.tensor([2.0, 3.0, 4.0]))
    tensor(24.)
    """
    if numpy_names:
        dim, keepdim = numpy_spelling("prod", numpy_names, dim, keepdim)
    shape = shape_of("prod", input)
    input = in_type(input, dtype)
    if dim is ...:
        return in_type(prod_all(input), dtype)
    place, keepdim = dim_or_none("prod", dim, shape), flag("prod", keepdim) or not shape
    return in_type(prod_row(input, place, keepdim), dtype)


# -- truth --------------------------------------------------------------------------------------


def _truth(reduce: Any) -> Any:
    def compute(x: Any, dims: Dims, keepdim: bool) -> Any:
        out = reduce(x, dims, None, None, keepdim)
        return out.astype(np.uint8) if x.dtype == np.uint8 else out

    return compute


all_row = define(
    "all", "reduction", _truth(np.logical_and.reduce),
    options="dims keepdim", infer=infer_reduced, low_precision=False,
)  # fmt: skip
any_row = define(
    "any", "reduction", _truth(np.logical_or.reduce),
    options="dims keepdim", infer=infer_reduced, low_precision=False,
)  # fmt: skip
count_nonzero_row = define(
    "count_nonzero", "reduction",
    lambda x, dims: add_reduce(x != 0, dims, np.int64),
    options="dims", infer=infer_reduced, low_precision=False,
)  # fmt: skip


def _truth_dims(dim: Dim, shape: Dims) -> Dims:
    """As ``normalise_dims``, but no dims at all are no reduction, here alone."""
    return () if isinstance(dim, (tuple, list)) and not dim else normalise_dims(dim, len(shape))


@public(out="flag")
def all(input: Any, dim: Dim = None, keepdim: bool = False, **numpy_names: Any) -> Any:
    """Whether all elements are nonzero, of all or along ``dim``: bool, or uint8 of uint8.

    >>> import adjoint as torch
    >>> torch.all(torch.tensor([[True, False], [True, True]]), dim=1)
    tensor([False,  True])
    """
    if numpy_names:
        dim, keepdim = numpy_spelling("all", numpy_names, dim, keepdim)
    return all_row(input, _truth_dims(dim, shape_of("all", input)), flag("all", keepdim))


@public(out="flag")
def any(input: Any, dim: Dim = None, keepdim: bool = False, **numpy_names: Any) -> Any:
    """Whether any element is nonzero, of all or along ``dim``: bool, or uint8 of uint8.

    >>> import adjoint as torch
    >>> torch.any(torch.tensor([[True, False], [False, False]]), dim=1)
    tensor([ True, False])
    """
    if numpy_names:
        dim, keepdim = numpy_spelling("any", numpy_names, dim, keepdim)
    return any_row(input, _truth_dims(dim, shape_of("any", input)), flag("any", keepdim))


@public()
def count_nonzero(input: Any, dim: Dim = None, **numpy_names: Any) -> Any:
    """How many elements are not zero, of all or along ``dim``, as int64; NaN is not zero.

    >>> import adjoint as torch
    >>> torch.count_nonzero(torch.tensor([[0, 1], [2, 3]]), dim=0)
    tensor([1, 2])
    """
    if numpy_names:
        dim, _ = numpy_spelling("count_nonzero", numpy_names, dim)
    return count_nonzero_row(input, normalise_dims(dim, len(shape_of("count_nonzero", input))))
