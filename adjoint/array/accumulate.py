"""Adding values up at places that may repeat: what the gradient of reading by index needs.

``np.add.at`` is quick in one dimension (0.7 ns an element) and slow on rows (6 ns), so rows are
added either as single elements at computed places, or, from some 16,000 elements on, as a product
with SciPy's sparse matrix of ones (1 ns an element; importing it takes 60 ms, once).
"""

from __future__ import annotations

from typing import Any

import numpy as np

_SPARSE_FROM = 16384
_SPARSE_TYPES = "fdFD"


def add_rows(count: int, index: Any, values: Any) -> Any:
    """Zeros of shape (count, width) with ``values`` (n, width) added in rows ``index`` (n,).

    Places are not negative; ``IndexError`` from ``count`` on.
    """
    width = values.shape[1]
    kind = values.dtype
    if kind.itemsize == 2 and kind.kind not in "iu":
        return add_rows(count, index, values.astype(np.float32)).astype(kind)
    if width == 1:
        out = np.zeros(count, kind)
        np.add.at(out, index, values.reshape(-1))
        return out.reshape(count, 1)
    if values.size >= _SPARSE_FROM and kind.char in _SPARSE_TYPES:
        return _add_sparse(count, index, values)
    out = np.zeros(count * width, kind)
    if values.size:
        places = index[:, None] * width + np.arange(width)
        np.add.at(out, places.reshape(-1), values.reshape(-1))
    return out.reshape(count, width)


def _add_sparse(count: int, index: Any, values: Any) -> Any:
    from scipy.sparse import csc_matrix  # 60 ms: only for those who add up much

    size = len(index)
    if size and index.max() >= count:
        raise IndexError(f"index {index.max()} is out of bounds for {count} rows")
    ones = np.ones(size, values.dtype)
    return csc_matrix((ones, index, np.arange(size + 1)), shape=(count, size)) @ values


def add_at(out: Any, places: Any, values: Any) -> None:
    """Add ``values`` to the flat, contiguous ``out`` at ``places`` of the same shape."""
    kind = out.dtype
    if kind.itemsize == 2 and kind.kind not in "iu":
        wide = out.astype(np.float32)
        np.add.at(wide, places.reshape(-1), values.reshape(-1).astype(np.float32))
        out[...] = wide
    else:
        np.add.at(out, places.reshape(-1), values.reshape(-1))


def places_along(index: Any, shape: tuple[int, ...], dim: int) -> Any:
    """Flat places in an array of ``shape`` of what ``index`` picks along ``dim`` (from the end).

    ``index`` is not negative, and has as many dimensions as the array, none of them larger but
    ``dim``: at each of its positions it says the place along ``dim``.
    """
    steps = [1]
    for size in reversed(shape[1:]):
        steps.append(steps[-1] * size)
    places = index if dim == -1 else index * steps[-dim - 1]
    for offset in range(1, len(shape) + 1):
        extent, step = index.shape[-offset], steps[offset - 1]
        if -offset != dim and extent > 1:
            ramp = np.arange(0, extent * step, step)
            places = places + ramp.reshape(-1, *(1,) * (offset - 1))
    return places


def not_negative(index: Any, size: int) -> Any:
    """Places counted from the end turned into places counted from the start."""
    if index.size and index.min() < 0:
        return np.where(index < 0, index + size, index)
    return index
