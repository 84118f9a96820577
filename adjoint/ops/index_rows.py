"""Rows that read and write at places given by tensors of indices.

The indices of several dimensions come as one array of shape (k, ...): a row for each dimension
that is indexed. ``dims`` names these dimensions and ``place`` says how many dimensions of the
result stand behind those of the index; both count from the end, so that leading axes are free.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.accumulate import add_rows, not_negative
from adjoint.ops.joining import cat_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, batch_refused, infer_refused
from adjoint.ops.movement import expand_row, permute_row, reshape_row
from adjoint.shapes import product

ALL = slice(None)
Dims = tuple[int, ...]

# -- computing ----------------------------------------------------------------------------------


def parts_of(index: Any, dims: Dims, ndim: int) -> tuple[Any, ...]:
    """NumPy's index: slices, and arrays in the dimensions that are indexed."""
    parts: list[Any] = [ALL] * ndim
    for dim, one in zip(dims, index, strict=True):
        parts[dim] = one
    return tuple(parts)


def numpy_place(dims: Dims, ndim: int) -> int:
    """Where NumPy puts the dimensions of the index, counted from the front."""
    adjacent = dims == tuple(range(dims[0], dims[0] + len(dims)))
    return dims[0] + ndim if adjacent else 0


def move_block(x: Any, size: int, start: int, goal: int) -> Any:
    """``x`` with ``size`` dimensions from ``start`` on moved to begin at ``goal``."""
    if start == goal or not size:
        return x
    order = [*range(start), *range(start + size, x.ndim)]
    return x.transpose(*order[:goal], *range(start, start + size), *order[goal:])


def read(x: Any, index: Any, dims: Dims, place: int) -> Any:
    """The elements of ``x`` that ``index`` names."""
    if len(dims) == 1:
        return x.take(index[0], axis=dims[0])
    out = x[parts_of(index, dims, x.ndim)]
    size = index.ndim - 1
    return move_block(out, size, numpy_place(dims, x.ndim), out.ndim - place - size)


def linear_places(index: Any, sizes: tuple[int, ...]) -> Any:
    """Flat places in an array of ``sizes`` of what the rows of ``index`` name together."""
    places = not_negative(index[0], sizes[0])
    for one, size in zip(index[1:], sizes[1:], strict=True):
        places = places * size + not_negative(one, size)
    return places


def add_up(g: Any, index: Any, shape: tuple[int, ...], dims: Dims, place: int) -> Any:
    """Zeros of ``shape`` with ``g`` added at the places that ``index`` names."""
    size, rank = index.ndim - 1, len(shape)
    sizes = tuple(shape[dim] for dim in dims)
    rest = tuple(shape[dim] for dim in range(-rank, 0) if dim not in dims)
    rows = move_block(g, size, g.ndim - place - size, 0).reshape(index[0].size, product(rest))
    out = add_rows(product(sizes), linear_places(index, sizes).reshape(-1), rows)
    out = out.reshape(*sizes, *rest)
    others = iter(range(len(dims), rank))
    back = {dim: number for number, dim in enumerate(dims)}
    order = [back[dim] if dim in back else next(others) for dim in range(-rank, 0)]
    return out.transpose(order)


def write(x: Any, index: Any, source: Any, dims: Dims, place: int, accumulate: bool) -> Any:
    """``x`` with ``source`` put, or added, at the places that ``index`` names."""
    if accumulate and x.dtype.kind != "b":
        source = _laid_out(x, index, source, dims, place)
        return x + add_up(source, index, x.shape, dims, place)
    out = x.copy()
    write_into(out, index, source, dims, place, accumulate)
    return out


def write_into(x: Any, index: Any, source: Any, dims: Dims, place: int, accumulate: bool) -> None:
    """The same in the memory of ``x``."""
    source = _laid_out(x, index, source, dims, place)
    if accumulate and x.dtype.kind != "b":
        x += add_up(source, index, x.shape, dims, place)
        return
    size = index.ndim - 1
    start = x.ndim - len(dims) - place
    parts = parts_of(index, dims, x.ndim)
    source = move_block(source, size, start, numpy_place(dims, x.ndim))
    if accumulate:
        np.logical_or.at(x, parts, source)
    else:
        x[parts] = source


def _laid_out(x: Any, index: Any, source: Any, dims: Dims, place: int) -> Any:
    """``source`` in the shape that reading gives, and of the type of ``x``."""
    shape = [x.shape[dim] for dim in range(-x.ndim, 0) if dim not in dims]
    start = len(shape) - place
    shape[start:start] = index.shape[1:]
    return np.broadcast_to(source, shape).astype(x.dtype, copy=False)


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
    dims, place = options
    shape = [x.shape[dim] for dim in range(-len(x.shape), 0) if dim not in dims]
    start = len(shape) - place
    return (*shape[:start], *index.shape[1:], *shape[start:]), dtypes.of(x)


def _infer_add_up(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return options[0], dtypes.of(inputs[0])


def infer_as_first(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    """The shape and type of the first input."""
    return tuple(inputs[0].shape), dtypes.of(inputs[0])


# -- rows ---------------------------------------------------------------------------------------


def reading(name: str) -> Any:
    """A row that reads: ``row(x, index, dims, place)``."""
    row = define(
        name, "indexing", read, inputs="x index", options="dims place",
        x=lambda g, index, x_shape, dims, place: index_backward(g, index, x_shape, dims, place),
        jvp=lambda x_t, index, dims, place: row(x_t, index, dims, place),
        batch=_batch_read, infer=_infer_read, low_precision=False, conjugate=False,
    )  # fmt: skip
    return row


def _left(g: Any, index: Any, dims: Dims, place: int, accumulate: bool) -> Any:
    if accumulate:
        return g
    return index_put_row(g, index, np.zeros((), dtypes.of(g).numpy), dims, place, False)


def writing(name: str, node_name: str | None = None) -> Any:
    """A row that writes: ``row(x, index, source, dims, place, accumulate)``."""
    row = define(
        name, "indexing", write, inputs="x index source", options="dims place accumulate",
        x=lambda g, index, dims, place, accumulate: _left(g, index, dims, place, accumulate),
        source=lambda g, index, dims, place: index_row(g, index, dims, place),
        jvp=lambda x_t, source_t, index, dims, place, accumulate: row(
            x_t, index, source_t, dims, place, accumulate
        ),
        batch=_batch_write, infer=infer_as_first, low_precision=False, conjugate=False,
        node_name=node_name,
    )  # fmt: skip
    return row


index_row, index_select_row, take_row = map(reading, ("index", "index_select", "take"))
index_put_row, index_add_row, index_copy_row, index_fill_row, put_row = map(
    writing, ("index_put", "index_add", "index_copy", "index_fill", "put")
)
index_fill_tensor_row = writing("index_fill_tensor", "IndexFillBackward1")
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


def reading_mask(name: str, node_name: str) -> Any:
    """A row that reads by a mask: ``row(x, mask, after)``."""
    row = define(
        name, "indexing", read_mask, inputs="x mask", options="after",
        x=lambda g, mask, x_shape, after: mask_backward(g, mask, x_shape, after),
        jvp=lambda x_t, mask, after: row(x_t, mask, after),
        batch=_batch_read_mask, infer=infer_refused, low_precision=False, conjugate=False,
        node_name=node_name,
    )  # fmt: skip
    return row


index_mask_row = reading_mask("index_mask", "IndexBackward0")
masked_select_row = reading_mask("masked_select", "MaskedSelectBackward0")
mask_backward = define(
    "mask_backward", "indexing", _fill_mask, inputs="g mask", options="shape after",
    g=lambda g, mask, after: index_mask_row(g, mask, after),
    jvp=lambda g_t, mask, shape, after: mask_backward(g_t, mask, shape, after),
    batch=_batch_fill_mask, infer=_infer_add_up, low_precision=False, conjugate=False,
    node_name="IndexBackwardBackward0",
)  # fmt: skip
