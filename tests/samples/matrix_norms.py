"""Samples of ``adjoint/ops/matrix_norms.py``."""

import math

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones
INF = math.inf
FLOATS = ("float32", "float64", "complex128")
INTEGERS = np.eye(2, dtype=np.int64)
SPECTRAL = ("nuc", 2, -2)
ORDERS = ("fro", 1, -1, INF, -INF, *SPECTRAL)


def of_orders(make):
    return [
        *[sample(make.distinct(3, 4), order) for order in ORDERS],
        *[sample(make(2, 3, 2), order, (0, 2)) for order in ORDERS],
        *[sample(make(3, 2), order, (1, 0), True) for order in ORDERS],
        sample(make(3, 2)),
        sample(make(0, 2, 2), "nuc"),
    ]


MATRIX = [
    wrong(RuntimeError, "Order 3", ONES((2, 2)), 3),
    wrong(RuntimeError, "Order x", ONES((2, 2)), "x"),
]
case(
    "linalg.matrix_norm", rows="linalg_svd vector_norm amax amin", samples=of_orders,
    dtypes=FLOATS, tolerance=1e-9,
    errors=[
        *MATRIX,
        wrong(RuntimeError, "at least 2 dimensions", ONES(3)),
        wrong(RuntimeError, "floating point or complex", INTEGERS),
        wrong(RuntimeError, "must be different", ONES((2, 2)), dim=(0, 0)),
        wrong(RuntimeError, "2-tuple", ONES((2, 2)), dim=(0,)),
    ],
)  # fmt: skip
case(
    "linalg.norm", rows="linalg_svd vector_norm amax", dtypes=FLOATS, tolerance=1e-9,
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3, 2)),
        sample(make(2, 3), 2),
        sample(make(2, 3), "fro"),
        sample(make(2, 3), 3, 0),
        sample(make(2, 3), "nuc", (0, 1), True),
        sample(make(2, 3, 2), 1, (0, 2)),
        sample(make(3), 1.5),
        sample(make(2, 3), dim=1, keepdim=True),
    ],
    errors=[
        *MATRIX,
        wrong(RuntimeError, "must be 1D or 2D", ONES((2, 2, 2)), 2),
        wrong(RuntimeError, "floating-point or complex", INTEGERS),
    ],
)  # fmt: skip
case(
    "linalg.cond", rows="linalg_svd", dtypes=FLOATS, tolerance=1e-9,
    samples=lambda make: [
        sample(make(3, 3)), sample(make(2, 3, 4)), sample(make(3, 3), 2), sample(make(3, 3), -2),
    ],
    errors=[
        wrong(RuntimeError, "at least 2 dimensions", ONES(3)),
        wrong(RuntimeError, "square", ONES((2, 3)), "fro"),
        wrong(RuntimeError, "Order 3", np.eye(2), 3),
    ],
)  # fmt: skip


case(
    "linalg.cond", variant="by the inverse", rows="linalg_inv_ex", dtypes=FLOATS,
    samples=lambda make: [
        *[sample(make(3, 3), order) for order in ("fro", "nuc", 1, -1, INF, -INF)],
        sample(make(2, 2, 2), 1),
    ],
    differentiable=False, tolerance=1e-9, errorless="see linalg.cond",
    note="PyTorch writes over what its derivative needs",
)  # fmt: skip


def of_full_rank(make):
    return [
        sample(make(3, 2)),
        sample(make(2, 3)),
        sample(make(2, 3, 3) + np.asarray(4 * np.eye(3), make.dtype)),
        sample(make(0, 3)),
    ]


case(
    "linalg.pinv", rows="linalg_pinv", dtypes=FLOATS, tolerance=1e-8,
    samples=lambda make: [
        *of_full_rank(make),
        sample(make(3, 2), rtol=1e-3),
        sample(make(3, 2), atol=1e-3),
        sample(make(3, 2), 1e-6),
        kink(np.asarray(np.diag([1.0, 2.0, 0.0]), make.dtype)),
        kink(np.asarray(np.diag([1.0, -2.0, 3.0]), make.dtype), hermitian=True),
    ],
    errors=[
        wrong(RuntimeError, "at least 2 dimensions", ONES(3)),
        wrong(RuntimeError, "floating point or complex", INTEGERS),
        wrong(RuntimeError, "square", ONES((2, 3)), hermitian=True),
    ],
)  # fmt: skip
case(
    "pinverse", rows="linalg_pinv", dtypes=FLOATS, tolerance=1e-8, samples=of_full_rank,
    errors=[wrong(RuntimeError, "at least 2 dimensions", ONES(3))],
)  # fmt: skip
case(
    "linalg.matrix_rank", dtypes=FLOATS, differentiable=False, note="ranks have no derivative",
    samples=lambda make: [
        *of_full_rank(make),
        sample(np.ones_like(make(3, 3))),
        sample(np.asarray(np.diag([1.0, 1e-3, 0.0]), make.dtype), 1e-2),
        sample(np.asarray(np.diag([1.0, 1e-3, 0.0]), make.dtype), atol=1e-2),
        sample(np.asarray(np.diag([1.0, 1e-3, 0.0]), make.dtype), rtol=1e-2),
        sample(np.asarray(np.diag([1.0, -2.0, 0.0]), make.dtype), hermitian=True),
    ],
    errors=[
        wrong(RuntimeError, "at least 2 dimensions", ONES(3)),
        wrong(RuntimeError, "floating point or complex", INTEGERS),
    ],
)  # fmt: skip
