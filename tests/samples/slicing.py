"""Samples of ``adjoint/ops/slicing.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
SCALAR = np.ones(())
NARROW_ERRORS = [
    wrong(RuntimeError, r"\+ length \(2\) exceeds dimension size \(3\)", MATRIX, 1, 2, 2),
    wrong(RuntimeError, "length must be non-negative, but got -1", MATRIX, 1, 0, -1),
    wrong(IndexError, r"start out of range .* got 4", MATRIX, 1, 4, 0),
    wrong(RuntimeError, "cannot be applied to a 0-dim tensor", SCALAR, 0, 0, 1),
]


def ranges(make):
    return [
        sample(make(2, 5), 1, 1, 3),
        sample(make(5), 0, -2, 2),
        sample(make(2, 3), 0, 1, 0),
        sample(make(0, 3), -1, 1, 2),
        sample(make(4), dim=0, start=0, length=4),
    ]


case(
    "select", rows="select select_backward",
    samples=lambda make: [
        sample(make(2, 3), 0, 1),
        sample(make(2, 3), -1, -3),
        sample(make(3), 0, 2),
        sample(make(2, 0), 0, 1),
        sample(make(2, 3, 4), dim=1, index=0),
    ],
    errors=[
        wrong(IndexError, r"index 2 is out of bounds for dimension 0 with size 2", MATRIX, 0, 2),
        wrong(IndexError, r"Dimension out of range", MATRIX, 2, 0),
        wrong(IndexError, "cannot be applied to a 0-dim tensor", SCALAR, 0, 0),
    ],
    dtypes=("float64", "complex128", "int64", "bool"),
)  # fmt: skip
case("narrow", rows="slice slice_backward", samples=ranges, errors=NARROW_ERRORS)
case(
    "narrow_copy", rows="narrow_copy slice_backward",
    samples=lambda make: [each for each in ranges(make) if each.args[2:3] != (-2,)],
    errors=NARROW_ERRORS,
)  # fmt: skip
