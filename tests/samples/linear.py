"""Samples of ``adjoint/ops/linear.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
COMPLEX = ("float32", "float64", "complex64", "complex128")

case(
    "nn.functional.linear",
    dtypes=COMPLEX,
    samples=lambda make: [
        sample(make(4, 5), make(3, 5), make(3)),
        sample(make(4, 5), make(3, 5)),
        sample(make(5), make(3, 5), make(3)),
        sample(make(5), make(3, 5)),
        sample(make(2, 4, 5), make(3, 5), bias=make(3)),
        sample(make(2, 1, 4, 5), make(3, 5)),
        sample(make(4, 5), make(5)),
        sample(make(5), make(5)),
        sample(make(4, 5), make(3, 5), make(1)),
        sample(make(4, 5), make(3, 5), make()),
        sample(make(4, 5), make(3, 5), make(4, 3)),
        sample(make(0, 5), make(3, 5), make(3)),
        sample(make(2, 0), make(3, 0)),
    ],
    errors=[
        wrong(RuntimeError, r"\[2, 3\].*\[4, 4\].*3 features", ONES((2, 3)), ONES((4, 4))),
        wrong(RuntimeError, "bias|must match", ONES((2, 3)), ONES((4, 3)), ONES(3)),
        wrong(RuntimeError, "bias.*does not fit", ONES((2, 3)), ONES((4, 3)), ONES((5, 1, 4))),
        wrong(RuntimeError, "same dtype", ONES((2, 3)), ONES((4, 3), np.float32)),
        wrong(RuntimeError, "same dtype", ONES((2, 3), np.int64), ONES((4, 3))),
        wrong(RuntimeError, "matrix as weight", ONES(()), ONES((4, 3))),
        wrong(RuntimeError, "matrix as weight", ONES((2, 3)), ONES(3), ONES(1)),
        wrong(RuntimeError, "matrix as weight", ONES((2, 3)), ONES((2, 4, 3))),
        wrong(TypeError, "must be a Tensor", ONES((2, 3)), [[1.0, 2.0, 3.0]]),
    ],
)
case(
    "nn.functional.bilinear",
    rows="einsum",
    samples=lambda make: [
        sample(make(4, 2), make(4, 3), make(5, 2, 3), make(5)),
        sample(make(4, 2), make(4, 3), make(5, 2, 3)),
        sample(make(2), make(3), make(5, 2, 3), bias=make(5)),
        sample(make(2, 4, 2), make(2, 4, 3), make(1, 2, 3)),
        sample(make(0, 2), make(0, 3), make(5, 2, 3)),
    ],
    errors=[
        wrong(RuntimeError, "batch dimensions", ONES((2, 3)), ONES((3, 3)), ONES((2, 3, 3))),
        wrong(RuntimeError, "cannot be multiplied", ONES((2, 3)), ONES((2, 3)), ONES((2, 4, 3))),
        wrong(IndexError, "3 dimensions", ONES((2, 3)), ONES((2, 3)), ONES((3, 3))),
    ],
)
