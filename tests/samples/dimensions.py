"""Samples of ``adjoint/ops/dimensions.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
CUBE = np.ones((2, 3, 4))
OUT_OF_RANGE = r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)"
TYPES = ("float32", "float64", "complex128", "int64", "bool")

case(
    "permute", rows="permute",
    samples=lambda make: [
        sample(make(2, 3, 4), (2, 0, 1)),
        sample(make(2, 3), (-1, 0)),
        sample(make(), ()),
        sample(make(0, 3), [1, 0]),
    ],
    errors=[
        wrong(RuntimeError, "1 dims .* for a tensor of 2 dimensions", MATRIX, (0,)),
        wrong(RuntimeError, "duplicate dims are not allowed", MATRIX, (0, 0)),
        wrong(IndexError, OUT_OF_RANGE, MATRIX, (0, 2)),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "transpose", rows="transpose transpose_scalar",
    samples=lambda make: [
        sample(make(2, 3, 4), 0, 2),
        sample(make(2, 3), -1, -2),
        sample(make(2, 3), 1, 1),
        sample(make(), 0, -1),
    ],
    errors=[wrong(IndexError, OUT_OF_RANGE, MATRIX, 0, 2)], dtypes=TYPES,
)  # fmt: skip
case(
    "swapaxes", rows="transpose",
    samples=lambda make: [sample(make(2, 3, 4), 0, 2), sample(make(2, 3), axis0=0, axis1=1)],
    errors=[wrong(IndexError, OUT_OF_RANGE, MATRIX, 0, 2)],
)  # fmt: skip
case(
    "t", rows="t t_vector",
    samples=lambda make: [sample(make(2, 3)), sample(make(3)), sample(make()), sample(make(0, 2))],
    errors=[wrong(RuntimeError, r"t\(\) expects a tensor with <= 2 dimensions, but got 3", CUBE)],
)  # fmt: skip
case(
    "movedim", rows="permute",
    samples=lambda make: [
        sample(make(2, 3, 4), 0, -1),
        sample(make(2, 3, 4), (0, 1), (2, 0)),
        sample(make(), 0, 0),
    ],
    errors=[
        wrong(RuntimeError, "2 of them in source .* 1 in destination", CUBE, (0, 1), (0,)),
        wrong(RuntimeError, "repeated dim in `source`", CUBE, (0, 0), (0, 1)),
        wrong(RuntimeError, "repeated dim in `destination`", CUBE, (0, 1), (1, 1)),
        wrong(IndexError, "Dimension out of range", CUBE, 0, 3),
    ],
)  # fmt: skip
case(
    "adjoint", rows="transpose",
    samples=lambda make: [sample(make(2, 3)), sample(make(2, 3, 4)), sample(make(0, 2))],
    errors=[wrong(RuntimeError, r"tensor.adjoint\(\) is only supported on matrices", np.ones(3))],
)  # fmt: skip
case(
    "squeeze", rows="squeeze_all squeeze squeeze_several",
    samples=lambda make: [
        sample(make(1, 3, 1)),
        sample(make(2, 3)),
        sample(make()),
        sample(make(1, 3, 1), 0),
        sample(make(1, 3, 1), 1),
        sample(make(1, 3, 1), dim=(0, -1)),
        sample(make(1, 0), 0),
        sample(make(), 0),
    ],
    errors=[
        wrong(IndexError, OUT_OF_RANGE, MATRIX, 2),
        wrong(RuntimeError, "appears multiple times", MATRIX, (0, 0)),
    ],
)  # fmt: skip
case(
    "unsqueeze", rows="unsqueeze",
    samples=lambda make: [
        sample(make(2, 3), 0),
        sample(make(2, 3), 2),
        sample(make(2, 3), dim=-2),
        sample(make(), 0),
        sample(make(0), -1),
    ],
    errors=[wrong(IndexError, r"in range of \[-3, 2\], but got 3", MATRIX, 3)],
)  # fmt: skip
