"""Samples of ``adjoint/ops/vectors.py``."""

import math

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones
FLOATS = ("float32", "float64", "complex128")
INTEGERS = ONES((2, 3), np.int64)


def crossed(make, **options):
    return [
        sample(make(2, 3), make(2, 3), **options),
        sample(make(2, 3), make(1, 3), **options),
        sample(make(3), make(3), **options),
        sample(make(0, 3), make(0, 3), **options),
    ]


CROSS = [
    wrong(RuntimeError, "same number of dimensions", ONES((2, 3)), ONES(3)),
    wrong(NotImplementedError, "torch.bool", ONES((2, 3), np.bool_), ONES((2, 3), np.bool_)),
    wrong(RuntimeError, "one dtype", ONES(3), ONES(3, np.float32)),
]
case(
    "linalg.cross", dtypes=(*FLOATS, "int64"),
    samples=lambda make: [*crossed(make), sample(make(3, 2), make(3, 1), dim=0)],
    errors=[
        *CROSS,
        wrong(RuntimeError, "must have length 3. Got 2", ONES((2, 3)), ONES((2, 3)), dim=0),
        wrong(IndexError, "out of range", ONES((2, 3)), ONES((2, 3)), dim=5),
        wrong(IndexError, "no dimensions", ONES(()), ONES(())),
    ],
)  # fmt: skip
case(
    "cross", dtypes=FLOATS,
    samples=lambda make: [
        *crossed(make), sample(make(3, 2, 3), make(3, 2, 3)), sample(make(3, 3), make(3, 3), 1)
    ],
    errors=[*CROSS, wrong(RuntimeError, "no dimension of size 3", ONES((2, 2)), ONES((2, 2)))],
)  # fmt: skip
case(
    "linalg.vecdot", rows="mul sum_dims", dtypes=FLOATS,
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(3)),
        sample(make(2, 3), make(2, 1), dim=0),
        sample(make(), make()),
        sample(make(2, 0), make(2, 0)),
    ],
    errors=[
        wrong(RuntimeError, "one dtype", ONES(3), ONES(3, np.float32)),
        wrong(RuntimeError, "floating point or complex", INTEGERS, INTEGERS),
    ],
)  # fmt: skip

ORDERS = (0.5, 1, 1.5, 2, 3)
DIRECT = "donot_use_mm_for_euclid_dist"
case(
    "cdist", rows="vector_norm euclidean_dist",
    samples=lambda make: [
        *[sample(make(3, 2), make(4, 2), p) for p in ORDERS],
        sample(make.distinct(3, 2), make.distinct(4, 2) / 10, math.inf),
        sample(make(2, 1, 3, 2), make(4, 5, 2)),
        sample(make(3, 2), make(4, 2), compute_mode="use_mm_for_euclid_dist"),
        sample(make(2, 3, 2), make(2, 1, 2), 2.0, "use_mm_for_euclid_dist"),
        sample(make(30, 2), make(4, 2)),
        sample(make(30, 2), make(4, 2), compute_mode=DIRECT),
        sample(make(0, 2), make(4, 2)),
        sample(make(3, 0), make(4, 0)),
        kink(np.zeros_like(make(2, 3)), np.zeros_like(make(1, 3))),
        kink(make(3, 2), make(4, 2), 0),
    ],
    tolerance=1e-7,
    errors=[
        wrong(RuntimeError, "at least 2D", ONES(3), ONES((2, 3))),
        wrong(RuntimeError, "same number of columns", ONES((2, 3)), ONES((2, 2))),
        wrong(RuntimeError, "non-negative", ONES((2, 3)), ONES((2, 3)), -1.0),
        wrong(RuntimeError, "floating-point", INTEGERS, INTEGERS),
        wrong(RuntimeError, "one dtype", ONES((2, 3)), ONES((2, 3), np.float32)),
        wrong(RuntimeError, "match", ONES((3, 2, 3)), ONES((4, 2, 3))),
        wrong(ValueError, "not a valid value", ONES((2, 3)), ONES((2, 3)), compute_mode="x"),
        wrong(TypeError, "p is a number", ONES((2, 3)), ONES((2, 3)), "a"),
    ],
)  # fmt: skip
POWERS = (*FLOATS, "int64")
case(
    "vander", rows="cumprod cat flip", dtypes=POWERS, differentiable=False,
    note="PyTorch writes over what its derivative needs: see linalg.vander",
    samples=lambda make: [
        sample(make(3)),
        sample(make(3), 2, True),
        sample(make(3), 5),
        sample(make(3), 1),
        sample(make(3), 0),
        sample(make(0)),
    ],
    errors=[
        wrong(RuntimeError, "one-dimensional", ONES((2, 3))),
        wrong(RuntimeError, "non-negative", ONES(3), -1),
    ],
)  # fmt: skip
case(
    "linalg.vander", rows="cumprod cat", dtypes=POWERS,
    samples=lambda make: [
        sample(make(3)), sample(make(2, 3)), sample(make(3), N=5), sample(make(), N=2),
    ],
    errors=[
        wrong(RuntimeError, "greater than 1", ONES(3), N=1),
        wrong(RuntimeError, "greater than 1", ONES(())),
        wrong(RuntimeError, "torch.bool", ONES(2, np.bool_)),
    ],
)  # fmt: skip
