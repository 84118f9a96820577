"""Rows that read and write at places given by tensors of indices.

How indices, ``dims`` and ``place`` say where is told in ``adjoint/array/indexing.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.indexing import add_up, read, result_shape, write
from adjoint.ops.joining import cat_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, batch_refused, infer_refused
from adjoint.ops.movement import expand_row, permute_row, reshape_row
from adjoint.ops.selection import where_row
from adjoint.tape.tensor import Tensor, memory_of, new

ALL = slice(None)
Dims = tuple[int, ...]

_NO_INDEX = np.zeros((1, 1), np.int64)  # a tensor without dimensions has one place


def as_rows(index: Any) -> Tensor:
    """A tensor of places as the only row of an index, watched for writes to it."""
    rows: Tensor = new(Tensor)
    rows._array = index._array[None]
    rows._node = None
    rows._level = index._level
    rows._memory = index._memory or memory_of(index)
    rows._view = None
    return rows


# -- batching -----------------------------------------------------------------------------------


def _with_batch(index: Any, size: int, ndim: int, dims: Dims) -> tuple[Any, Dims]:
    """A batch of indices (size, k, ...) as one (k + 1, size, ...), which names the batch too."""
    rank = len(index.shape)
    order = (-rank + 1, -rank, *range(-rank + 2, 0))
    index = permute_row(index, order)
    ramp = np.arange(size).reshape(1, size, *(1,) * (rank - 2))
    ramp = np.broadcast_to(ramp, (1, *index.shape[1:]))
    return cat_row([ramp, index], -rank), (-ndim, *dims)


def _axis_to_front(x: Any, axis: int) -> Any:
    rank = len(x.shape)
    if not axis:
        return x
    order = [axis, *(place for place in range(rank) if place != axis)]
    return permute_row(x, tuple(place - rank for place in order))


def _axis_from_front(x: Any, axis: int) -> Any:
    rank = len(x.shape)
    if not axis:
        return x
    order = [*range(1, axis + 1), 0, *range(axis + 1, rank)]
    return permute_row(x, tuple(place - rank for place in order))


def _batch_read(row: Row, size: int, values: Any, batched: Any, options: Any) -> Any:
    x, index = values
    dims, place = options
    if not dims:
        index, batched = _NO_INDEX, (True, False)
        x = values[0] if len(values[0].shape) else expand_row(values[0], (size,))
    if not batched[1]:
        return index_row(x, index, dims, place)
    block = len(index.shape) - 1  # the batch axis, and those of one index
    if batched[0]:
        index, dims = _with_batch(index, size, len(x.shape), dims)
    else:
        rank = len(index.shape)
        index = permute_row(index, (-rank + 1, -rank, *range(-rank + 2, 0)))
    out = index_row(x, index, dims, place)
    return _axis_to_front(out, len(out.shape) - place - block)


def _batch_add_up(row: Row, size: int, values: Any, batched: Any, options: Any) -> Any:
    g, index = values
    shape, dims, place = options
    if not dims:
        g = g if batched[0] else expand_row(g, (size, *g.shape))
        return index_backward(g, _NO_INDEX, (size, *shape), dims, place)
    if not batched[1]:
        return index_backward(g, index, (size, *shape), dims, place)
    if not batched[0]:
        g = expand_row(g, (size, *g.shape))
    block = len(index.shape) - 1
    index, dims = _with_batch(index, size, len(shape) + 1, dims)
    g = _axis_from_front(g, len(g.shape) - place - block)
    return index_backward(g, index, (size, *shape), dims, place)


def _batch_write(row: Row, size: int, values: Any, batched: Any, options: Any) -> Any:
    x, index, source = values
    dims, place, accumulate = options
    if not batched[0]:
        x = expand_row(x, (size, *x.shape))
    if not dims:
        return index_put_row(x, _NO_INDEX, source, dims, place, accumulate)
    block = len(index.shape) - 1 - batched[1]
    rank = len(x.shape) - 1 - len(dims) + block  # of one result of reading
    missing = rank + batched[2] - len(source.shape)
    if missing and (batched[2] or batched[1]):
        lead = source.shape[:1] if batched[2] else ()
        source = reshape_row(source, (*lead, *(1,) * missing, *source.shape[len(lead) :]))
    if batched[1]:
        index, dims = _with_batch(index, size, len(x.shape), dims)
        if not batched[2]:
            source = reshape_row(source, (1, *source.shape))
        source = _axis_from_front(source, rank - place - block)
    return index_put_row(x, index, source, dims, place, accumulate)


# -- shapes -------------------------------------------------------------------------------------


def _infer_read(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    x, index = inputs
    return result_shape(tuple(x.shape), tuple(index.shape), *options), dtypes.of(x)


def _infer_add_up(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return options[0], dtypes.of(inputs[0])


def infer_as_first(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    """The shape and type of the first input."""
    return tuple(inputs[0].shape), dtypes.of(inputs[0])


# -- rows ---------------------------------------------------------------------------------------


def reading(name: str, saved: str) -> Any:
    """A row that reads: ``row(x, index, dims, place)``."""
    row = define(
        name, "indexing", read, inputs="x index", options="dims place",
        x=lambda g, index, x_shape, dims, place: index_backward(g, index, x_shape, dims, place),
        jvp=lambda x_t, index, dims, place: row(x_t, index, dims, place),
        batch=_batch_read, infer=_infer_read, low_precision=False, conjugate=False, saved=saved,
    )  # fmt: skip
    return row


def _left(g: Any, index: Any, dims: Dims, place: int, accumulate: bool) -> Any:
    if accumulate:
        return g
    return index_put_row(g, index, np.zeros((), dtypes.of(g).numpy), dims, place, False)


def writing(
    name: str, node_name: str | None = None, to_source: Any = None, saved: str = "accumulate="
) -> Any:
    """A row that writes: ``row(x, index, source, dims, place, accumulate)``."""
    row = define(
        name, "indexing", write, inputs="x index source", options="dims place accumulate",
        x=lambda g, index, dims, place, accumulate: _left(g, index, dims, place, accumulate),
        source=to_source or (lambda g, index, dims, place: index_row(g, index, dims, place)),
        jvp=lambda x_t, source_t, index, dims, place, accumulate: row(
            x_t, index, source_t, dims, place, accumulate
        ),
        batch=_batch_write, infer=infer_as_first, low_precision=False, conjugate=False,
        node_name=node_name, saved=saved,
    )  # fmt: skip
    return row


index_row = reading("index", "index=indices dims=")
index_select_row = reading("index_select", "")
take_row = reading("take", "dims= x_shape=")
index_put_row = writing("index_put", saved="index=indices dims=")
index_add_row, index_copy_row, index_fill_row = map(
    writing, ("index_add", "index_copy", "index_fill")
)
put_row = writing("put", saved="dims=")


def _filled(g: Any, index: Any, dims: Dims, place: int) -> Any:
    """What of ``g`` stands where the index writes, each place once."""
    hit = index_put_row(
        np.zeros(g.shape, np.bool_), index, np.ones((), np.bool_), dims, place, False
    )
    return where_row(hit, g, np.zeros((), dtypes.of(g).numpy))


index_fill_tensor_row = writing("index_fill_tensor", "IndexFillBackward1", _filled)
index_backward = define(
    "index_backward", "indexing", add_up, inputs="g index", options="shape dims place",
    g=lambda g, index, dims, place: index_row(g, index, dims, place),
    jvp=lambda g_t, index, shape, dims, place: index_backward(g_t, index, shape, dims, place),
    batch=_batch_add_up, infer=_infer_add_up, low_precision=False, conjugate=False,
    node_name="IndexBackwardBackward0",
)  # fmt: skip

# -- a mask in place of indices -----------------------------------------------------------------


def read_mask(x: Any, mask: Any, after: int) -> Any:
    """What ``x`` holds where ``mask`` is true; ``after`` dimensions stand behind those of it."""
    return x[(*(ALL,) * (x.ndim - mask.ndim - after), mask)]


def _fill_mask(g: Any, mask: Any, shape: tuple[int, ...], after: int) -> Any:
    out = np.zeros(shape, g.dtype)
    out[(*(ALL,) * (len(shape) - mask.ndim - after), mask)] = g
    return out


def _batch_read_mask(row: Row, size: int, values: Any, batched: Any, options: Any) -> Any:
    if batched[1]:
        return _refused(row)
    return row(values, options)


def _batch_fill_mask(row: Row, size: int, values: Any, batched: Any, options: Any) -> Any:
    if batched[1]:
        return _refused(row)
    return row(values, ((size, *options[0]), options[1]))


_refused = batch_refused("the shape of its result depends on the mask's values")


def _infer_read_mask(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    """Known where the mask is: a constant of the trace."""
    x, mask = inputs
    while isinstance(mask, Tensor):
        mask = mask._array
    if not isinstance(mask, np.ndarray):
        refused: Fact = infer_refused(row, inputs, options)
        return refused
    after = options[0]
    start = len(x.shape) - mask.ndim - after
    count = int(np.count_nonzero(mask))
    return (*x.shape[:start], count, *x.shape[start + mask.ndim :]), dtypes.of(x)


def reading_mask(name: str, node_name: str, saved: str) -> Any:
    """A row that reads by a mask: ``row(x, mask, after)``."""
    row = define(
        name, "indexing", read_mask, inputs="x mask", options="after",
        x=lambda g, mask, x_shape, after: mask_backward(g, mask, x_shape, after),
        jvp=lambda x_t, mask, after: row(x_t, mask, after),
        batch=_batch_read_mask, infer=_infer_read_mask, low_precision=False, conjugate=False,
        node_name=node_name, saved=saved,
    )  # fmt: skip
    return row


index_mask_row = reading_mask("index_mask", "IndexBackward0", "mask=indices after=")
masked_select_row = reading_mask("masked_select", "MaskedSelectBackward0", "after= x_shape=")
mask_backward = define(
    "mask_backward", "indexing", _fill_mask, inputs="g mask", options="shape after",
    g=lambda g, mask, after: index_mask_row(g, mask, after),
    jvp=lambda g_t, mask, shape, after: mask_backward(g_t, mask, shape, after),
    batch=_batch_fill_mask, infer=_infer_add_up, low_precision=False, conjugate=False,
    node_name="IndexBackwardBackward0",
)  # fmt: skip
