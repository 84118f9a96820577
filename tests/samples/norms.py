"""Samples of ``adjoint/ops/norms.py``."""

import math

import numpy as np

from adjoint import dtypes
from tests.samples.case import case, kink, sample, wrong

ONES = np.ones((2, 3))
EMPTY = np.ones((0, 3))
INTEGERS = np.ones(3, np.int64)
COMPLEX = np.ones(3, np.complex128)
INF = math.inf
NAN = math.nan
FLOATS = ("float32", "float64", "complex128")
ORDERS = (0.5, 1, 1.5, 2, 2.5, 3, -1, -0.5)


def zero(make, *shape):
    return np.zeros_like(make(*shape))


def with_zeros(make):
    x = make(2, 3)
    x[0, 1] = x[1] = 0
    return x


def of_orders(make):
    """Each formula; all dims, some, kept; 0-d, empty, and corners."""
    return [
        *[sample(make(2, 3), order) for order in ORDERS],
        sample(make.distinct(2, 3), INF),
        sample(make.distinct(2, 3), -INF),
        sample(make(), 3),
        sample(make(), 2, 0),
        sample(make(2, 3), 2, 0),
        sample(make(2, 3), 3, -1, True),
        sample(make(2, 3, 4), 1.5, (0, 2)),
        sample(make(2, 3, 4), 2, dim=[-1, 0], keepdim=True),
        sample(make(2, 3), 2, axis=1, keepdims=True),
        sample(make(2, 3), 2, ()),
        sample(make(0, 3), 0.5, 0),
        sample(make(0, 3), INF, 1),
        sample(make(2, 3), dtype=dtypes.float64) if make.dtype.kind != "c" else sample(make(2, 3)),
        kink(make(2, 3), 0),
        kink(with_zeros(make), 0, 1),
        *[kink(with_zeros(make), order, 1) for order in (0.5, 1, 1.5, 2, 2.5, 3, INF, -INF, -1)],
        kink(np.array([[2.0, -2.0, 1.0], [1.0, -1.0, 1.0]]), INF, 1),
        kink(np.array([[2.0, -2.0, 1.0], [1.0, -1.0, 1.0]]), -INF),
        kink(np.asarray([1.0, NAN]), INF),
    ]


FAMILY = [
    wrong(RuntimeError, "expected a floating-point or complex input.*int64", INTEGERS),
    wrong(RuntimeError, r"inf norm.*\[0, 3\] is empty", EMPTY, INF),
    wrong(RuntimeError, "-1 norm.* is empty in dim 0", EMPTY, -1, 0),
    wrong(RuntimeError, "must be a real number", ONES, 1j),
    wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, 2, 2),
    wrong(RuntimeError, "dim 0 appears multiple times", ONES, 2, (0, 0)),
    wrong(RuntimeError, "narrower than the input's torch.float64", ONES, dtype=dtypes.float32),
    wrong(RuntimeError, "cannot hold the input", ONES, dtype=dtypes.int64),
    wrong(RuntimeError, "cannot hold the input", ONES, dtype=dtypes.complex128),
    wrong(RuntimeError, "cannot hold the input", COMPLEX, dtype=dtypes.float64),
    wrong(TypeError, "unexpected keyword argument 'across'", ONES, across=0),
]
case(
    "linalg.vector_norm", samples=of_orders, dtypes=FLOATS,
    errors=[
        *FAMILY,
        wrong(TypeError, "must be Tensor, not int", 3),
        wrong(TypeError, "the order must be a number, not str", ONES, "fro"),
        wrong(TypeError, "both dim and axis", ONES, dim=0, axis=0),
    ],
)  # fmt: skip
case(
    "norm", rows="vector_norm", dtypes=FLOATS,
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make()),
        sample(make(0)),
        sample(make(2, 3), None),
        sample(make(2, 3), "fro", 0),
        sample(make(2, 3), "fro", (0, 1), True),
        sample(make(2, 3), 1, dim=1),
        sample(make(2, 3), p=3, dim=(0, 1)),
        sample(make(2, 3), 2, 0, True),
        kink(zero(make, 2, 3)),
    ],
    errors=[
        *FAMILY,
        wrong(RuntimeError, "not 'max'", ONES, "max"),
        wrong(RuntimeError, "has 2 dims", np.ones((2, 2, 2)), "fro", (0, 1, 2)),
    ],
)  # fmt: skip


def pairs(make):
    return [
        *[sample(make(2, 3), make(2, 3), order) for order in ORDERS],
        sample(make(2, 3), make(3)),
        sample(make(2, 1), make(3), p=3),
        sample(make(), make(2), 1),
        sample(make(), make()),
        sample(make(0), make(0)),
        sample(make.distinct(3), make.distinct(2, 3) / 10, INF),
        sample(make.distinct(3), make.distinct(2, 3) / 10, -INF),
        kink(zero(make, 3), zero(make, 3)),
        kink(zero(make, 3), zero(make, 3), 1),
        kink(zero(make, 3), zero(make, 3), INF),
        kink(zero(make, 3), zero(make, 3), 3),
        kink(zero(make, 3), zero(make, 3), 0.5),
    ]


case(
    "dist", samples=pairs, dtypes=FLOATS,
    errors=[
        wrong(RuntimeError, r"\(3\) must match .*\(2\)", ONES, np.ones(2)),
        wrong(RuntimeError, "expected a floating-point or complex", INTEGERS, INTEGERS),
        wrong(TypeError, "'other' must be Tensor, not int", ONES, 3),
        wrong(TypeError, "the order must be a number, not str", ONES, ONES, "fro"),
        wrong(RuntimeError, r"it is empty: its shape is \[0, 3\]", EMPTY, EMPTY, INF),
    ],
)  # fmt: skip


case(
    "renorm",
    rows="where vector_norm mul",
    samples=lambda make: [
        sample(make(2, 3), 2, 0, 1.0),
        sample(make(2, 3), 1.5, -1, 0.7),
        sample(make(2, 3, 2), 1, 1, 2.0),
        sample(make(2, 3), 2, 0, 100.0),
        sample(make(0, 3), 2, 0, 1.0),
    ],
    errors=[
        wrong(RuntimeError, "at least 2 dimensions", np.ones(3), 2, 0, 1.0),
        wrong(RuntimeError, "maxnorm to be >= 0", np.ones((2, 2)), 2, 0, -1.0),
        wrong(RuntimeError, "must be positive", np.ones((2, 2)), -1, 0, 1.0),
        wrong(IndexError, "Dimension out of range", np.ones((2, 2)), 2, 2, 1.0),
        wrong(RuntimeError, "floating", np.ones((2, 2), np.int64), 2, 0, 1.0),
    ],
)
