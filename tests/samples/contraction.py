"""Samples of ``adjoint/ops/contraction.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
COMPLEX = ("float32", "float64", "complex64", "complex128")
FLAT = np.ones(())


def pairs(*shapes):
    """A sample for each pair of shapes."""
    return lambda make: [sample(make(*x), make(*y)) for x, y in shapes]


MIXED = wrong(RuntimeError, "same dtype", ONES((2, 2)), ONES((2, 2), np.float32))
BOOLS = wrong(NotImplementedError, "bool", ONES((2, 2), bool), ONES((2, 2), bool))
NUMBER = wrong(TypeError, "must be a Tensor", ONES((2, 2)), 3)

case(
    "matmul",
    rows="matmul mm mv vecmat dot",
    dtypes=COMPLEX,
    samples=pairs(
        ((4,), (4,)),
        ((4,), (4, 3)),
        ((2, 4), (4,)),
        ((2, 4), (4, 3)),
        ((3, 2, 4), (4, 3)),
        ((3, 2, 4), (4,)),
        ((4,), (3, 4, 2)),
        ((2, 4), (3, 4, 2)),
        ((3, 2, 4), (3, 4, 2)),
        ((3, 1, 2, 4), (2, 4, 3)),
        ((2, 4), (2, 3, 4, 2)),
        ((2, 2, 3), (1, 3, 2)),
        ((0, 4), (4, 3)),
        ((2, 0), (0, 3)),
        ((0,), (0,)),
        ((0, 2, 3), (3, 2)),
        ((2, 3, 0), (0, 2)),
    ),
    errors=[
        wrong(RuntimeError, r"\[3\] and \[4\] cannot be multiplied", ONES(3), ONES(4)),
        wrong(RuntimeError, r"\[2, 3\] and \[2, 3\]", ONES((2, 3)), ONES((2, 3))),
        wrong(RuntimeError, r"\[2\] and \[3, 4\]", ONES(2), ONES((3, 4))),
        wrong(RuntimeError, r"\[2, 3\] and \[2\]", ONES((2, 3)), ONES(2)),
        wrong(RuntimeError, r"\[2, 2, 3\] and \[2\]", ONES((2, 2, 3)), ONES(2)),
        wrong(RuntimeError, "0D and 1D", FLAT, ONES(3)),
        wrong(RuntimeError, r"\(2\) must match .*\(3\)", ONES((2, 2, 3)), ONES((3, 3, 4))),
        MIXED,
        BOOLS,
        NUMBER,
    ],
)
case(
    "mm",
    dtypes=COMPLEX,
    samples=pairs(((2, 4), (4, 3)), ((1, 4), (4, 1)), ((0, 4), (4, 3)), ((2, 0), (0, 3))),
    errors=[
        wrong(RuntimeError, r"two matrices.*\[2\] and \[2, 2\]", ONES(2), ONES((2, 2))),
        wrong(RuntimeError, r"\[2, 3\] and \[2, 3\]", ONES((2, 3)), ONES((2, 3))),
        MIXED,
        BOOLS,
        NUMBER,
    ],
)
case(
    "bmm",
    dtypes=COMPLEX,
    samples=pairs(((2, 3, 4), (2, 4, 1)), ((0, 3, 4), (0, 4, 1)), ((2, 3, 0), (2, 0, 1))),
    errors=[
        wrong(RuntimeError, "two stacks of matrices", ONES((2, 3)), ONES((2, 3))),
        wrong(RuntimeError, "cannot be multiplied", ONES((2, 3, 4)), ONES((3, 4, 5))),
        wrong(RuntimeError, "cannot be multiplied", ONES((2, 3, 4)), ONES((2, 3, 4))),
        wrong(RuntimeError, "same dtype", ONES((1, 2, 2)), ONES((1, 2, 2), np.int64)),
    ],
)
case(
    "mv",
    dtypes=COMPLEX,
    samples=pairs(((2, 4), (4,)), ((0, 4), (4,)), ((2, 0), (0,))),
    errors=[
        wrong(RuntimeError, "a matrix and a vector", ONES(2), ONES(2)),
        wrong(RuntimeError, r"\[2, 3\] and \[2\]", ONES((2, 3)), ONES(2)),
    ],
)
case(
    "dot",
    dtypes=COMPLEX,
    samples=pairs(((4,), (4,)), ((0,), (0,))),
    errors=[
        wrong(RuntimeError, "two vectors", ONES((2, 2)), ONES((2, 2))),
        wrong(RuntimeError, r"\[2\] and \[3\]", ONES(2), ONES(3)),
        wrong(RuntimeError, "same dtype", ONES(2), ONES(2, np.int64)),
    ],
)
case(
    "vdot",
    dtypes=COMPLEX,
    samples=pairs(((4,), (4,)), ((0,), (0,))),
    errors=[
        wrong(RuntimeError, "two vectors", ONES((2, 2)), ONES((2, 2))),
        wrong(RuntimeError, r"\[2\] and \[3\]", ONES(2), ONES(3)),
        wrong(RuntimeError, "same dtype", ONES(2), ONES(2, np.int64)),
    ],
)
