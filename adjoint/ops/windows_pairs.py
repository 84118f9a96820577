"""Maxima over windows of two by two, side by side: the pooling of most networks.

Two neighbours lie side by side in memory whatever the rows are, so that the first half of the work
goes through the whole array at once; for the second, short rows are moved as single wide elements.
It takes two thirds of the time of the general way.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # 1 ms, and for nothing
    from numpy.typing import NDArray

    Array = NDArray[Any]

# Elements as wide as a row of so many bytes, which NumPy copies in one piece.
_WIDE = {2: np.int16, 4: np.int32, 8: np.int64, 16: np.complex128}


def _upper_and_lower(lines: Array, width: int) -> tuple[Array, Array]:
    """Every other row of ``width`` numbers, of contiguous ones; the others."""
    wide = _WIDE.get(width * lines.itemsize)
    if wide is None:  # one byte: the choices for a single column
        rows = lines.reshape(-1, 2, width)
        return rows[:, 0], rows[:, 1]
    pairs: Array = lines.view(wide).reshape(-1, 2)
    upper, lower = pairs[:, 0].copy(), pairs[:, 1].copy()
    shape = (-1, width)
    return upper.view(lines.dtype).reshape(shape), lower.view(lines.dtype).reshape(shape)


@lru_cache(maxsize=16)
def _origins(planes: int, rows: int, columns: int, width: int) -> Array:
    """Indices of the windows' first elements in planes of ``width``, of one plane or all.

    For few planes they are repeated, as stretching short lines takes three times as long.
    """
    starts = np.arange(rows)[:, None] * (2 * width) + np.arange(columns) * 2
    small = np.int16 if 4 * rows * (columns + 1) < 1 << 15 else np.int64
    once = starts.astype(small).reshape(-1)
    return np.tile(once, planes) if planes * once.size <= 1 << 15 else once


def max_pairs(planes: Array, sizes: tuple[int, ...], values: Array, indices: Array) -> bool:
    """Maxima and their indices of (planes, height, width), put into ``values`` and ``indices``.

    False, and nothing, if there are NaNs, of which the last would count.
    """
    rows, columns = sizes
    height, width = planes.shape[1:]
    if (height, width) != (2 * rows, 2 * columns) or not planes.flags.c_contiguous:
        planes = np.ascontiguousarray(planes[:, : 2 * rows, : 2 * columns])
    pairs = planes.reshape(-1, 2)
    left, right = pairs[:, 0], pairs[:, 1]
    upper, lower = _upper_and_lower(np.maximum(left, right), columns)
    np.maximum(upper, lower, out=values.reshape(-1, columns))
    if values.dtype.kind == "f" and np.isnan(np.maximum.reduce(values, axis=None)):
        return False
    down = lower > upper
    above, below = _upper_and_lower((right > left).view(np.int8), columns)
    aside = below - above  # the column, of the upper row or the lower, without a branch
    aside *= down
    aside += above
    origins = _origins(len(planes), rows, columns, width)
    place = np.multiply(down, width, dtype=origins.dtype)
    place += aside
    shape = (-1, origins.size)
    np.add(place.reshape(shape), origins, out=indices.reshape(shape))
    return True


def applies(windows: Any, planes: Array) -> bool:
    """Whether windows are two by two, side by side, in short rows, over planes that hold some."""
    return (
        windows.kernel == windows.stride == (2, 2)
        and windows.dilation == (1, 1)
        and windows.padding == (0, 0)
        and 2 * windows.sizes[0] <= planes.shape[1]
        and 2 * windows.sizes[1] <= planes.shape[2]
        and planes.size > 0
        and windows.sizes[1] * planes.itemsize in _WIDE
    )


__all__ = ["applies", "max_pairs"]
