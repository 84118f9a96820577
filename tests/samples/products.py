"""Samples of ``adjoint/ops/products.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
COMPLEX = ("float32", "float64", "complex64", "complex128")

for name in ("outer", "ger"):
    case(
        name,
        rows="mul",
        dtypes=COMPLEX,
        samples=lambda make: [
            sample(make(3), make(2)),
            sample(make(0), make(2)),
            sample(make(3), make(2, dtype="int64")),
        ],
        errors=[wrong(RuntimeError, r"vectors.*\[2, 2\]", ONES((2, 2)), ONES(2))],
    )
case(
    "inner",
    rows="einsum dot mul",
    dtypes=COMPLEX,
    samples=lambda make: [
        sample(make(3), make(3)),
        sample(make(2, 3), make(3)),
        sample(make(3), make(2, 3)),
        sample(make(2, 3), make(4, 2, 3)),
        sample(make(), make(2, 3)),
        sample(make(2, 3), make()),
        sample(make(0, 3), make(3)),
    ],
    errors=[
        wrong(RuntimeError, r"\[2\] and \[3\]", ONES(2), ONES(3)),
        wrong(RuntimeError, "same dtype", ONES(2), ONES(2, np.float32)),
    ],
)
case(
    "kron",
    rows="mul",
    dtypes=COMPLEX,
    samples=lambda make: [
        sample(make(2, 3), make(3, 2)),
        sample(make(2), make(2, 3)),
        sample(make(2, 1, 2), make(3)),
        sample(make(), make(3)),
        sample(make(0, 2), make(2, 2)),
        sample(make(2), make(2, dtype="int64")),
    ],
    errors=[wrong(TypeError, "must be a Tensor", ONES(2), 3)],
)


def chains(make):
    """Chains whose best order is from the left, from the right, and from the middle."""
    return [
        [make(2, 3), make(3, 4)],
        [make(5, 2), make(2, 4), make(4, 1)],
        [make(1, 4), make(4, 2), make(2, 5)],
        [make(4, 2), make(2, 5), make(5, 2), make(2, 3)],
        [make(0, 2), make(2, 3), make(3, 2)],
    ]


case(
    "chain_matmul",
    rows="mm",
    dtypes=COMPLEX,
    samples=lambda make: [sample(*matrices) for matrices in chains(make)],
    errors=[
        wrong(RuntimeError, r"matrices.*\[3\]", ONES((2, 3)), ONES(3)),
        wrong(RuntimeError, "cannot be multiplied", ONES((2, 3)), ONES((2, 3))),
    ],
)
case(
    "linalg.multi_dot",
    rows="mm",
    dtypes=COMPLEX,
    samples=lambda make: [
        *(sample(matrices) for matrices in chains(make)),
        sample([make(2), make(2, 3), make(3)]),
        sample([make(2), make(2, 3), make(3, 2)]),
        sample([make(4, 2), make(2, 3), make(3)]),
        sample([make(2), make(2)]),
    ],
    errors=[
        wrong(RuntimeError, "at least 2", [ONES((2, 3))]),
        wrong(RuntimeError, "cannot be multiplied", [ONES((2, 3)), ONES((2, 3))]),
        wrong(RuntimeError, "tensor 0 must be 2D or 1D", [ONES((2, 3, 4)), ONES((4, 3))]),
        wrong(RuntimeError, "tensor 1 must be 2D,", [ONES((2, 3)), ONES(3), ONES((3, 2))]),
    ],
)
