"""Samples of ``adjoint/ops/triangles.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

VECTOR = np.ones(3)
MATRIX = np.ones((2, 3))
CUBE = np.ones((2, 3, 4))
TYPES = ("float32", "float64", "complex128", "int64", "bool")


def matrices(make):
    return [
        sample(make(3, 3)),
        sample(make(2, 4), 1),
        sample(make(2, 3, 2), -1),
        sample(make(2, 3), diagonal=5),
        sample(make(0, 3)),
    ]


for _name in ("tril", "triu"):
    case(
        _name, samples=matrices, dtypes=TYPES,
        errors=[wrong(RuntimeError, r"at least 2 dimensions, but its shape is \[3\]", VECTOR)],
    )  # fmt: skip
case(
    "diag_embed",
    samples=lambda make: [
        sample(make(3)),
        sample(make(2, 3), 1),
        sample(make(2, 3), offset=-1, dim1=0, dim2=2),
        sample(make(2, 3), 0, -1, 0),
        sample(make(0)),
    ],
    errors=[
        wrong(RuntimeError, "diagonal dimensions cannot be identical 0, 0", VECTOR, 0, 0, 0),
        wrong(IndexError, "Dimension out of range", VECTOR, 0, 0, 2),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "diag", rows="diag_embed diagonal_copy diagonal_backward",
    samples=lambda make: [
        sample(make(3)),
        sample(make(3), 1),
        sample(make(3, 3)),
        sample(make(2, 3), -1),
        sample(make(2, 3), diagonal=2),
        sample(make(0, 2)),
    ],
    errors=[wrong(RuntimeError, r"Supports 1D or 2D tensors. Got shape \[2, 3, 4\]", CUBE)],
)  # fmt: skip
case(
    "diagflat", rows="diag_embed",
    samples=lambda make: [sample(make(2, 2)), sample(make(3), -1), sample(make(), offset=1)],
    errors=[wrong(TypeError, "integer", VECTOR, 0.5)],
)  # fmt: skip
case(
    "trace",
    samples=lambda make: [sample(make(3, 3)), sample(make(2, 4)), sample(make(0, 3))],
    errors=[
        wrong(RuntimeError, r"expected a matrix, but got a tensor of shape \[3\]", VECTOR),
        wrong(NotImplementedError, "not implemented for booleans", np.ones((2, 2), bool)),
    ],
    dtypes=("float32", "float64", "complex128", "int64", "int32"),
)  # fmt: skip
