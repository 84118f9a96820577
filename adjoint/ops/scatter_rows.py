"""Rows that read and write along one dimension, with an index for every element."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.accumulate import add_at, places_along
from adjoint.ops.index_rows import infer_as_first
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, batch_prefixed

INT64 = np.dtype(np.int64)


def out_of_range(index: Any, size: int) -> Any:
    """Whether a place is not among ``size``; of an index of int64 that is not empty."""
    # A negative index is a very large one without its sign: one comparison for both ends.
    return np.maximum.reduce(index.view(np.uint64), None) >= size


def places(index: Any, shape: tuple[int, ...], dim: int) -> Any:
    """Flat places of what ``index`` picks along ``dim``; ``RuntimeError`` out of range."""
    if index.dtype is not INT64:
        index = index.astype(np.int64)
    size = shape[dim]
    if index.size and out_of_range(index, size):
        wrong = index[(index < 0) | (index >= size)].flat[0]
        raise RuntimeError(
            f"index {wrong} is out of bounds for dimension {dim + len(shape)} with size {size}"
        )
    return places_along(index, shape, dim)


# A tensor without dimensions has no dim to go along: there ``dim`` is None, and it is treated as
# one of a single element. An index without dimensions names one place.


def lift(x: Any, index: Any, dim: int | None) -> tuple[Any, Any, int]:
    """A tensor and an index of at least one dimension, and the dim to go along."""
    if dim is None:
        x, dim = x[..., None], -1
    if index.ndim < x.ndim:
        index = index[..., None]
    return x, index, dim


def _gather(x: Any, index: Any, dim: int | None) -> Any:
    if not index.size:
        return np.zeros(index.shape, x.dtype)
    x, where, dim = lift(x, index, dim)
    return x.reshape(-1).take(places(where, x.shape, dim)).reshape(index.shape)


def _gather_backward(g: Any, index: Any, shape: tuple[int, ...], dim: int | None) -> Any:
    out = np.zeros(shape, g.dtype)
    if index.size:
        x, where, dim = lift(out, index, dim)
        add_at(x.reshape(-1), places(where, x.shape, dim), np.asarray(g))
    return out


def _scatter(x: Any, index: Any, source: Any, dim: int | None) -> Any:
    out = np.array(x, order="C")
    if index.size:
        lifted, where, dim = lift(out, index, dim)
        source = np.broadcast_to(source, index.shape).reshape(where.shape)
        lifted.reshape(-1)[places(where, lifted.shape, dim)] = source
    return out


def _scatter_add(x: Any, index: Any, source: Any, dim: int | None) -> Any:
    out = np.array(x, order="C")
    if index.size:
        lifted, where, dim = lift(out, index, dim)
        source = np.broadcast_to(source, index.shape)
        add_at(lifted.reshape(-1), places(where, lifted.shape, dim), source)
    return out


def _no(g: Any) -> Any:
    return np.zeros((), dtypes.of(g).numpy)


def _infer_gather(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return tuple(inputs[1].shape), dtypes.of(inputs[0])


def _infer_shape(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return options[0], dtypes.of(inputs[0])


gather_row = define(
    "gather", "indexing", _gather, inputs="x index", options="dim",
    x=lambda g, index, x_shape, dim: gather_backward(g, index, x_shape, dim),
    jvp=lambda x_t, index, dim: gather_row(x_t, index, dim),
    infer=_infer_gather, low_precision=False, conjugate=False, saved="x_shape=",
)  # fmt: skip
gather_backward = define(
    "gather_backward", "indexing", _gather_backward, inputs="g index", options="shape dim",
    g=lambda g, index, dim: gather_row(g, index, dim),
    jvp=lambda g_t, index, shape, dim: gather_backward(g_t, index, shape, dim),
    batch=batch_prefixed("shape"), infer=_infer_shape, low_precision=False, conjugate=False,
    node_name="ScatterAddBackward0",
)  # fmt: skip
scatter_row = define(
    "scatter", "indexing", _scatter, inputs="x index source", options="dim",
    x=lambda g, index, dim: scatter_row(g, index, np.broadcast_to(_no(g), index.shape), dim),
    source=lambda g, index, dim: gather_row(g, index, dim),
    jvp=lambda x_t, index, source_t, dim: scatter_row(x_t, index, source_t, dim),
    infer=infer_as_first, low_precision=False, conjugate=False,
)  # fmt: skip
# The same with one number for all places, which has no gradient of its own.
scatter_value_row = define(
    "scatter_value", "indexing", lambda x, index, dim, value: _scatter(x, index, value, dim),
    inputs="x index", options="dim value",
    x=lambda g, index, dim: scatter_value_row(g, index, dim, 0),
    jvp=lambda x_t, index, dim: scatter_value_row(x_t, index, dim, 0),
    infer=infer_as_first, low_precision=False, conjugate=False, node_name="ScatterBackward1",
)  # fmt: skip
scatter_add_row = define(
    "scatter_add", "indexing", _scatter_add, inputs="x index source", options="dim",
    x=lambda g: g,
    source=lambda g, index, dim: gather_row(g, index, dim),
    jvp=lambda x_t, index, source_t, dim: scatter_add_row(x_t, index, source_t, dim),
    infer=infer_as_first, low_precision=False, conjugate=False,
)  # fmt: skip
