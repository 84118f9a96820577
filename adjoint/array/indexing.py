"""Reading and writing plain memory at places that arrays of indices name.

The indices of several dimensions come as one array of shape (k, ...): a row for each dimension
that is indexed. ``dims`` names these dimensions and ``place`` says how many dimensions of the
result stand behind those of the index; both count from the end, so that leading axes are free.
Where there are fewer rows than dims, the last row has flat places in all dims that are left.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.array.accumulate import add_rows, not_negative
from adjoint.shapes import product

ALL = slice(None)
Dims = tuple[int, ...]


def _rows(index: Any, dims: Dims, shape: tuple[int, ...]) -> list[Any]:
    """An array of places for each of ``dims``; ``IndexError`` for a flat place out of range."""
    if len(index) == len(dims):
        return list(index)
    sizes = tuple(shape[dim] for dim in dims[len(index) - 1 :])
    flat = not_negative(index[-1], product(sizes))
    try:
        return [*index[:-1], *np.unravel_index(flat, sizes)]
    except ValueError as error:
        raise IndexError(f"index out of range: {error}") from None


def _parts(index: Any, dims: Dims, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """NumPy's index: slices, and arrays in the dimensions that are indexed."""
    parts: list[Any] = [ALL] * len(shape)
    for dim, one in zip(dims, _rows(index, dims, shape), strict=True):
        parts[dim] = one
    return tuple(parts)


def _numpy_place(dims: Dims, ndim: int) -> int:
    """Where NumPy puts the dimensions of the index, counted from the front."""
    adjacent = dims == tuple(range(dims[0], dims[0] + len(dims)))
    return dims[0] + ndim if adjacent else 0


def _move_block(x: Any, size: int, start: int, goal: int) -> Any:
    """``x`` with ``size`` dimensions from ``start`` on moved to begin at ``goal``."""
    if start == goal or not size:
        return x
    order = [*range(start), *range(start + size, x.ndim)]
    return x.transpose(*order[:goal], *range(start, start + size), *order[goal:])


def read(x: Any, index: Any, dims: Dims, place: int) -> Any:
    """The elements of ``x`` that ``index`` names; ``IndexError`` out of range."""
    if len(dims) == 1:
        return x.take(index[0], axis=dims[0])
    if not dims:  # a 0-d tensor has one place
        return np.array(x)
    out = x[_parts(index, dims, x.shape)]
    size = index.ndim - 1
    return _move_block(out, size, _numpy_place(dims, x.ndim), out.ndim - place - size)


def _flat_places(index: Any, dims: Dims, shape: tuple[int, ...]) -> Any:
    """Flat places in an array of the sizes of ``dims`` of what the rows of ``index`` name."""
    rest = product(shape[dim] for dim in dims[len(index) - 1 :])
    sizes = [*(shape[dim] for dim in dims[: len(index) - 1]), rest]
    places = not_negative(index[0], sizes[0])
    for one, size in zip(index[1:], sizes[1:], strict=True):
        places = places * size + not_negative(one, size)
    return places


def add_up(g: Any, index: Any, shape: tuple[int, ...], dims: Dims, place: int) -> Any:
    """Zeros of ``shape`` with ``g`` added at the places that ``index`` names."""
    if not dims:
        return np.array(g).reshape(shape) if index.size else np.zeros(shape, g.dtype)
    size, rank = index.ndim - 1, len(shape)
    sizes = tuple(shape[dim] for dim in dims)
    rest = tuple(shape[dim] for dim in range(-rank, 0) if dim not in dims)
    rows = _move_block(g, size, g.ndim - place - size, 0).reshape(index[0].size, product(rest))
    out = add_rows(product(sizes), _flat_places(index, dims, shape).reshape(-1), rows)
    out = out.reshape(*sizes, *rest)
    others = iter(range(len(dims), rank))
    back = {dim: number for number, dim in enumerate(dims)}
    order = [back[dim] if dim in back else next(others) for dim in range(-rank, 0)]
    return out.transpose(order)


def write(x: Any, index: Any, source: Any, dims: Dims, place: int, accumulate: bool) -> Any:
    """``x`` with ``source`` put, or added, at the places that ``index`` names."""
    out = np.array(x)
    write_into(out, index, source, dims, place, accumulate)
    return out


def write_into(x: Any, index: Any, source: Any, dims: Dims, place: int, accumulate: bool) -> None:
    """The same in the memory of ``x``."""
    if not dims:
        if index.size:
            x[...] = x + source if accumulate else source
        return
    source = _laid_out(x, index, source, dims, place)
    adding = accumulate and x.dtype.kind != "b"
    # ``np.add.at`` takes 6 ns an element, a pass over all of x 1 ns.
    if adding and 8 * source.size > x.size:
        x += add_up(source, index, x.shape, dims, place)
        return
    size = index.ndim - 1
    start = x.ndim - len(dims) - place
    parts = _parts(index, dims, x.shape)
    source = _move_block(source, size, start, _numpy_place(dims, x.ndim))
    if adding:
        np.add.at(x, parts, source)
    elif accumulate:
        np.logical_or.at(x, parts, source)
    else:
        x[parts] = source


def _laid_out(x: Any, index: Any, source: Any, dims: Dims, place: int) -> Any:
    """``source`` in the shape that reading gives, and of the type of ``x``."""
    shape = result_shape(x.shape, index.shape, dims, place)
    return np.broadcast_to(source, shape).astype(x.dtype, copy=False)


def result_shape(
    shape: tuple[int, ...], index_shape: tuple[int, ...], dims: Dims, place: int
) -> tuple[int, ...]:
    """The shape of what is read."""
    if not dims:
        return tuple(shape)
    rest = [shape[dim] for dim in range(-len(shape), 0) if dim not in dims]
    start = len(rest) - place
    return (*rest[:start], *index_shape[1:], *rest[start:])
