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
from adjoint.shapes import product


def places(index: Any, shape: tuple[int, ...], dim: int) -> Any:
    """Flat places of what ``index`` picks along ``dim``; ``RuntimeError`` out of range."""
    index = index.astype(np.int64, copy=False)
    size = shape[dim]
    # A negative index is a very large one without its sign: one comparison for both ends.
    if index.size and index.view(np.uint64).max() >= size:
        wrong = index[(index < 0) | (index >= size)].flat[0]
        raise RuntimeError(
            f"index {wrong} is out of bounds for dimension {dim + len(shape)} with size {size}"
        )
    return places_along(index, shape, dim)


def _gather(x: Any, index: Any, dim: int) -> Any:
    return x.reshape(-1).take(places(index, x.shape, dim))


def _gather_backward(g: Any, index: Any, shape: tuple[int, ...], dim: int) -> Any:
    out = np.zeros(product(shape), g.dtype)
    add_at(out, places(index, shape, dim), g)
    return out.reshape(shape)


def _scatter(x: Any, index: Any, source: Any, dim: int) -> Any:
    out = x.copy()
    out.reshape(-1)[places(index, x.shape, dim)] = source
    return out


def _scatter_add(x: Any, index: Any, source: Any, dim: int) -> Any:
    out = x.copy()
    where = places(index, x.shape, dim)
    add_at(out.reshape(-1), where, np.broadcast_to(source, where.shape))
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
    infer=_infer_gather, low_precision=False, conjugate=False,
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
