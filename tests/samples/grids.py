"""Samples of ``adjoint/ops/grids.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

VECTOR = np.ones(3)
MATRIX = np.ones((2, 3))

case(
    "broadcast_tensors", rows="expand",
    samples=lambda make: [
        sample(make(3), make(2, 1)),
        sample(make(), make(2)),
        sample(make(2, 3)),
        sample(make(0, 1), make(3)),
    ],
    errors=[
        wrong(RuntimeError, r"size of tensor a \(3\) must match", VECTOR, np.ones(2)),
        wrong(TypeError, "expected Tensor as element 1", VECTOR, 1.0),
    ],
)  # fmt: skip
case(
    "meshgrid", rows="expand reshape",
    samples=lambda make: [
        sample(make(2), make(3), indexing="ij"),
        sample(make(2), make(3), make(2), indexing="xy"),
        sample([make(2), make()], indexing="ij"),
        sample(make(2), make(0), indexing="ij"),
    ],
    errors=[
        wrong(RuntimeError, r"0D or 1D tensor in the tensor list but got shape \[2, 3\]", MATRIX),
        wrong(RuntimeError, "same dtype", VECTOR, np.arange(2)),
        wrong(RuntimeError, "indexing must be", VECTOR, indexing="yx"),
        wrong(RuntimeError, "expected a non-empty list"),
    ],
)  # fmt: skip
case(
    "cartesian_prod", rows="stack",
    samples=lambda make: [
        sample(make(2), make(3)),
        sample(make(3)),
        sample(make(2), make(1), make(2)),
    ],
    errors=[wrong(RuntimeError, r"Expect a 1D vector, but got shape \[2, 3\]", MATRIX)],
)  # fmt: skip
case(
    "combinations", rows="stack index_select",
    samples=lambda make: [
        sample(make(4)),
        sample(make(3), 3),
        sample(make(3), r=2, with_replacement=True),
        sample(make(3), 1),
        sample(make(2), 3),
    ],
    errors=[
        wrong(RuntimeError, "Expect a 1D vector", MATRIX),
        wrong(RuntimeError, "Expect a non-negative number, but got -1", VECTOR, -1),
    ],
)  # fmt: skip
