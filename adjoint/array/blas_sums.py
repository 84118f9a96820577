"""Sums by way of BLAS: a product with ones takes a quarter of the time of NumPy's reduction.

A dot product adds in a few dozen lanes, each one number after the other, where NumPy adds pairwise.
Up to the sizes here the lanes are as accurate: 64 to 128 numbers each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.array.sums import accurate_sum

_LONGEST_ROW = 4096
_LONGEST = 8192
_ONES = {np.dtype(name): np.ones(_LONGEST, name) for name in ("float32", "float64")}
add_reduce: Any = np.add.reduce


def row_totals(x: Any) -> Any:
    """Sums along the last dimension."""
    ones = _ONES.get(x.dtype)
    size = x.shape[-1]
    if ones is None or not 0 < size <= _LONGEST_ROW:
        return add_reduce(x, -1)
    # Row by row, not as a matrix times a vector: then a row's sum does not depend on the others.
    return np.vecdot(x, ones[:size])


def row_sums(x: Any) -> Any:
    """Sums along the last dimension, which stays, with size 1."""
    return row_totals(x)[..., None]


def column_sums(x: Any) -> Any:
    """Sums of the columns of a matrix."""
    ones = _ONES.get(x.dtype)
    size = len(x)
    if ones is None or not 0 < size <= _LONGEST_ROW:
        return accurate_sum(x, (-2,), False)
    return ones[:size].dot(x)


def total(x: Any) -> Any:
    """Sum of all elements."""
    size = x.size
    if size <= _LONGEST:
        ones = _ONES.get(x.dtype)
        if ones is not None:
            return x.reshape(size).dot(ones[:size])
    return add_reduce(x, None)


def total_of_squares(x: Any) -> Any:
    """Sum of the squares of all elements of an array that may be overwritten."""
    size = x.size
    if size <= _LONGEST and x.dtype in _ONES:
        flat = x.reshape(size)
        return flat.dot(flat)
    return add_reduce(np.multiply(x, x, x), None)
