"""The distinct elements of a tensor, or its distinct slices along a dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.kinds.formulas import missing
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.rules import batch_refused, infer_refused
from adjoint.ops.reducing import Dims, refuse_dtype, shape_of
from adjoint.shapes import normalise_dim

Found = tuple[Any, Any, Any]
REFUSED = batch_refused("the shape of its result depends on the values")


def _unique(x: Any) -> Found:
    values, inverse, counts = np.unique(
        x.reshape(-1), return_inverse=True, return_counts=True, equal_nan=False
    )
    return values, inverse.reshape(x.shape), counts


def _lines(x: Any, dim: int) -> Any:
    """Slices along ``dim`` as rows of a matrix."""
    count = x.shape[dim]
    return np.moveaxis(x, dim, 0).reshape(count, x.size // max(count, 1))


def _unique_dim(x: Any, dim: int) -> Found:
    lines = _lines(x, dim)
    order = np.lexsort(lines.T[::-1]) if lines.size else np.arange(len(lines))
    _, places, counts = _runs(lines[order])
    inverse = np.empty(len(lines), np.int64)
    inverse[order] = places
    firsts = order[np.add.accumulate(counts) - counts]
    return x.take(firsts, dim), inverse, counts


def _runs(lines: Any) -> Found:
    """Where runs of equal rows begin, the run of each row, and the lengths."""
    count = len(lines)
    begins = np.ones(count, np.bool_)
    begins[1:] = (lines[1:] != lines[:-1]).any(axis=1)
    starts = begins.nonzero()[0]
    return starts, np.add.accumulate(begins, dtype=np.int64) - 1, np.diff(starts, append=count)


def _unique_consecutive(x: Any, dim: int | None) -> Found:
    if dim is None:
        flat = x.reshape(-1)
        starts, places, counts = _runs(flat[:, None])
        return flat[starts], places.reshape(x.shape), counts
    starts, places, counts = _runs(_lines(x, dim))
    return x.take(starts, dim), places, counts


OUTPUTS = "values inverse counts"
unique_row = define(
    "unique", "searching", _unique, outputs=OUTPUTS, differentiable=1,
    x=missing("unique"), batch=REFUSED, infer=infer_refused, node_name="Unique2Backward0",
)  # fmt: skip
unique_dim_row = define(
    "unique_dim", "searching", _unique_dim, options="dim", outputs=OUTPUTS, differentiable=1,
    x=missing("unique"), batch=REFUSED, infer=infer_refused,
)  # fmt: skip
unique_consecutive_row = define(
    "unique_consecutive", "searching", _unique_consecutive, options="dim", outputs=OUTPUTS,
    differentiable=1, x=missing("unique_consecutive"), batch=REFUSED, infer=infer_refused,
)  # fmt: skip


def _checked_dim(name: str, input: Any, dim: Any) -> int | None:
    shape: Dims = shape_of(name, input)
    refuse_dtype(name, input, (dtypes.COMPLEX,), NotImplementedError)
    if dim is None:
        return None
    if not shape:
        raise IndexError(f"{name}(): dim {dim} of a tensor that has no dimensions")
    place = normalise_dim(dim, len(shape))
    if shape.count(0) > (shape[place] == 0):
        raise RuntimeError(
            f"{name}(): slices of an input of shape {describe_shape(shape)} along dim {dim} are "
            "empty, so none differs from another"
        )
    return place


def _wanted(found: Found, inverse: bool, counts: bool) -> Any:
    """The values, with what else was asked for."""
    parts = [found[0]]
    if inverse:
        parts.append(found[1])
    if counts:
        parts.append(found[2])
    return parts[0] if len(parts) == 1 else tuple(parts)


@public()
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The distinct elements in order, or the distinct slices along ``dim``.

    Also, if asked for, which of them each element is, and how often each occurs. NaN differs from
    NaN; ``sorted=False`` changes nothing. Raises ``IndexError`` for a dim that is not there,
    ``RuntimeError`` for empty slices, ``NotImplementedError`` for complex numbers.

    >>> import adjoint as torch
    >>> torch.unique(torch.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    place = _checked_dim("unique", input, dim)
    found = unique_row(input) if place is None else unique_dim_row(input, place)
    return _wanted(found, return_inverse, return_counts)


@public()
def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The first of each run of equal elements, or of equal slices along ``dim``.

    Also, if asked for, which run each element is in, and how long each is. Raises as ``unique``.

    >>> import adjoint as torch
    >>> torch.unique_consecutive(torch.tensor([3, 3, 1, 3]))
    tensor([3, 1, 3])
    """
    place = _checked_dim("unique_consecutive", input, dim)
    return _wanted(unique_consecutive_row(input, place), return_inverse, return_counts)
