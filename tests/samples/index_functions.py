"""Samples of ``adjoint/ops/index_functions.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
ROWS = np.ones((1, 3))
SCALAR = np.ones(())
FIRST = np.array([0])
TYPES = ("float32", "float64", "complex128", "int64", "bool")
NOT_AN_INDEX = wrong(TypeError, "argument 'index' must be Tensor, not list", MATRIX, 0, [0])


def floating(*more):
    return wrong(RuntimeError, "Expected dtype .*int64 for index", MATRIX, 0, np.ones(1), *more)


def sources(make):
    return [
        sample(make(3, 4), 0, np.array([2, 0]), make(2, 4)),
        sample(make(3, 4), -1, np.array([1, 3, 0]), make(3, 3)),
        sample(make(4), 0, np.array([3]), make(1)),
        sample(make(3, 2), 0, np.array(1), make(1, 2)),
        sample(make(), 0, FIRST, make()),
        sample(make(3, 2), 0, np.zeros(0, np.int64), make(0, 2)),
        sample(make(2, 3, 4), dim=1, index=np.array([0, 2]), source=make(2, 2, 4)),
    ]


case(
    "index_select", rows="index_select index_backward",
    samples=lambda make: [
        sample(make(3, 4), 0, np.array([2, 0, 2])),
        sample(make(3, 4), -1, np.array([1])),
        sample(make(2, 3, 4), dim=1, index=np.array([0, 2])),
        sample(make(4), 0, np.array(3)),
        sample(make(), 0, FIRST),
        sample(make(3), 0, np.zeros(0, np.int64)),
        sample(make(3, 0), 0, np.array([1, 1], np.int32)),
    ],
    errors=[
        NOT_AN_INDEX,
        wrong(IndexError, "index 2 is out of bounds", MATRIX, 0, np.array([2])),
        wrong(IndexError, "index -1 is out of bounds", MATRIX, 0, np.array([-1])),
        wrong(IndexError, "supposed to be a vector", MATRIX, 0, np.array([[0]])),
        wrong(IndexError, "Dimension out of range", MATRIX, 2, FIRST),
        wrong(RuntimeError, "int32 or int64", MATRIX, 0, np.ones(1)),
        wrong(RuntimeError, "can have only 1 value", SCALAR, 0, np.array([0, 0])),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "index_add", rows="index_add",
    samples=lambda make: [
        *sources(make),
        sample(make(3, 2), 0, np.array([1, 1, 0]), make(3, 2)),
        sample(make(40), 0, np.array([7, 7]), make(2)),
        sample(make(3, 2), 0, np.array([1, 1]), make(2, 2), alpha=2),
    ],
    errors=[
        wrong(TypeError, "must be Tensor, not list", MATRIX, 0, [0], ROWS),
        wrong(RuntimeError, "index 2 is out of bounds", MATRIX, 0, np.array([2]), ROWS),
        wrong(IndexError, "index 3 is out of bounds", np.ones(3), 0, np.array([3]), np.ones(1)),
        wrong(IndexError, "index 1 is out of bounds", SCALAR, 0, np.array([1]), SCALAR),
        wrong(RuntimeError, "same dtype", MATRIX, 0, FIRST, ROWS.astype(np.float32)),
        wrong(RuntimeError, r"Number of indices \(2\)", MATRIX, 0, np.array([0, 1]), ROWS),
        wrong(RuntimeError, "excluding the specified dimension", MATRIX, 0, FIRST, np.ones((1, 2))),
        wrong(IndexError, "supposed to be a vector", MATRIX, 0, np.array([[0]]), ROWS),
        floating(ROWS),
    ],
    dtypes=("float32", "float64", "complex128", "int64"),
)  # fmt: skip
case(
    "index_copy", rows="index_copy index_put", samples=sources,
    errors=[
        wrong(IndexError, "index 2 is out of bounds", MATRIX, 0, np.array([2]), ROWS),
        wrong(RuntimeError, "same dtype", MATRIX, 0, FIRST, ROWS.astype(np.float32)),
        wrong(IndexError, r"Number of indices \(2\)", MATRIX, 0, np.array([0, 1]), ROWS),
        wrong(IndexError, "as many dimensions", MATRIX, 0, FIRST, np.ones(3)),
        floating(ROWS),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "index_fill", rows="index_fill index_fill_tensor index_put",
    samples=lambda make: [
        sample(make(3, 4), 0, np.array([2, 0]), 1.5),
        sample(make(3, 4), -1, np.array([1, 3]), make()),
        sample(make(3, 4), -1, np.array([1, -1]), 2.0),
        sample(make(3), 0, np.array(1), 2),
        sample(make(), 0, FIRST, 1.0),
        sample(make(3), 0, np.zeros(0, np.int64), 1.0),
        sample(make(2, 3), dim=1, index=FIRST, value=True),
    ],
    errors=[
        wrong(IndexError, "index 2 is out of bounds", MATRIX, 0, np.array([2]), 1),
        wrong(IndexError, "index -3 is out of bounds", MATRIX, 0, np.array([-3]), 1),
        wrong(RuntimeError, r"got one of shape \[3\]", MATRIX, 0, FIRST, np.ones(3)),
        wrong(RuntimeError, "supposed to be a vector", MATRIX, 0, np.array([[0]]), 1),
        wrong(RuntimeError, "cannot be converted", MATRIX, 0, FIRST, 1j),
        wrong(RuntimeError, "take its real part", MATRIX, 0, FIRST, np.array(2 + 0j)),
    ],
)  # fmt: skip
case(
    "take", rows="take index_backward",
    samples=lambda make: [
        sample(make(2, 3), np.array([0, 5, -1, 0])),
        sample(make(2, 3), np.array([[1, 2], [3, 1]])),
        sample(make(4), np.array(2)),
        sample(make(), np.array([0, -1])),
        sample(make(2, 3), np.zeros((0, 2), np.int64)),
        sample(make(0), np.zeros(0, np.int64)),
    ],
    errors=[
        wrong(IndexError, "index 6 is out of bounds", MATRIX, np.array([6])),
        wrong(IndexError, "out of bounds", np.ones(0), FIRST),
        wrong(RuntimeError, "Expected dtype int64", MATRIX, np.array([0], np.int32)),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "put", rows="put index_put",
    samples=lambda make: [
        sample(make(2, 3), np.array([0, 5, -2]), make(3)),
        sample(make(2, 3), np.array([[1, 2], [3, 4]]), make(4)),
        sample(make(2, 3), np.array([1, 1]), make(2), True),
        sample(make(5), np.array(2), make(), accumulate=True),
        sample(make(2, 3), np.zeros(0, np.int64), make(0)),
    ],
    errors=[
        wrong(IndexError, "index 6 is out of bounds", MATRIX, np.array([6]), np.ones(1)),
        wrong(IndexError, "same number of elements, but got 2 and 1", MATRIX, FIRST, np.ones(2)),
        wrong(RuntimeError, "same dtype", MATRIX, FIRST, np.ones(1, np.float32)),
        wrong(RuntimeError, "Expected dtype int64", MATRIX, np.ones(1), np.ones(1)),
    ],
)  # fmt: skip
