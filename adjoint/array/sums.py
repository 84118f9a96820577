"""Sums of plain arrays with pairwise accuracy along every dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.shapes import product, reduced_shape

Dims = tuple[int, ...]
add_reduce: Any = np.add.reduce


def accurate_sum(x: Any, dims: Dims, keepdim: bool) -> Any:
    """``np.add.reduce`` with pairwise accuracy along every dim, as PyTorch's sums have.

    NumPy adds pairwise only along the dim that is contiguous, and one after the other along the
    rest: 7e-6 of relative error for 100,000 float32 numbers, where this has 3e-7.
    """
    if x.size < 4096 or x.dtype.kind not in "fc" or -1 in dims or not dims:
        return add_reduce(x, axis=dims, keepdims=keepdim)
    out = x
    for dim in dims:
        out = _sum_dim(out, dim)
    return out if keepdim else out.reshape(reduced_shape(x.shape, dims, False))


def _sum_dim(x: Any, dim: int) -> Any:
    count = x.shape[dim]
    if count < 256 or x.strides[dim] == x.itemsize:
        return add_reduce(x, axis=dim, keepdims=True)
    if product(x.shape[dim + 1 :]) <= 32:
        # Rows this short cost more to start than to add: 10 times faster by way of a copy.
        lines = np.ascontiguousarray(x.swapaxes(dim, -1))
        return add_reduce(lines, axis=-1, keepdims=True).swapaxes(dim, -1)
    step = int(count**0.5)
    whole = count - count % step
    front = x[(..., slice(whole), *(slice(None),) * (-dim - 1))]
    parts = front.reshape(*x.shape[:dim], whole // step, step, *x.shape[dim + 1 or x.ndim :])
    out = add_reduce(add_reduce(parts, axis=dim), axis=dim, keepdims=True)
    if whole < count:
        rest = x[(..., slice(whole, count), *(slice(None),) * (-dim - 1))]
        out += add_reduce(rest, axis=dim, keepdims=True)
    return out
