"""Products that sum: matrices, vectors, and batches of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.errors import describe_shape
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.movement import permute_row


def swap_last(x: Any) -> Any:
    """The last two dimensions exchanged: the transpose of each matrix."""
    if type(x) is np.ndarray:
        return x.swapaxes(-1, -2)
    rank = len(x.shape)
    return permute_row(x, (*range(-rank, -2), -1, -2))


mm_row = define(
    "mm", "contraction", np.matmul, inputs="x y",
    x=lambda g, y: mm_row(g, swap_last(y)),
    y=lambda g, x: mm_row(swap_last(x), g),
    jvp="multilinear", promote="same",
)  # fmt: skip


@public()
def mm(input: Any, mat2: Any) -> Any:
    """Product of two matrices, (n, k) and (k, m) to (n, m); ``RuntimeError`` for other shapes."""
    if len(input.shape) != 2 or len(mat2.shape) != 2 or input.shape[1] != mat2.shape[0]:
        raise RuntimeError(
            "mm: mat1 and mat2 shapes cannot be multiplied "
            f"({describe_shape(input.shape)} and {describe_shape(mat2.shape)})"
        )
    return mm_row(input, mat2)
