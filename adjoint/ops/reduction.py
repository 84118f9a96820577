"""Reductions: sums and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.movement import expand_row, reshape_row
from adjoint.shapes import normalise_dims
from adjoint.tape import engine


def restore_dims(g: Any, shape: tuple[int, ...], dims: tuple[int, ...], keepdim: bool) -> Any:
    """Undo a reduction's change of shape: put size-1 dims back, then stretch to ``shape``."""
    if not keepdim and dims and g.shape != ():
        gone = {dim + len(shape) for dim in dims}
        g = reshape_row(g, tuple(1 if p in gone else size for p, size in enumerate(shape)))
    return expand_row(g, shape)


def _sum(x: Any, dims: tuple[int, ...], keepdim: bool) -> Any:
    kind = np.int64 if x.dtype.kind in "biu" else None
    return np.add.reduce(x, axis=dims, keepdims=keepdim, dtype=kind)


sum_row = define(
    "sum",
    "reduction",
    _sum,
    options="dims keepdim",
    x=lambda g, x_shape, dims, keepdim: restore_dims(g, x_shape, dims, keepdim),
    jvp="linear",
)
engine.rows.sum = sum_row


@public()
def sum(
    input: Any,
    dim: int | tuple[int, ...] | None = None,
    keepdim: bool = False,
    *,
    dtype: dtypes.dtype | None = None,
) -> Any:
    """Sum of the elements, of all or along ``dim``; integers add up in int64."""
    if dtype is not None:
        input = engine.rows.to_dtype(input, dtype)
    return sum_row(input, normalise_dims(dim, len(input.shape)), keepdim)
