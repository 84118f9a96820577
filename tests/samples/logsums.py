"""Samples of ``adjoint/ops/logsums.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones((2, 3))
INF = np.inf
COMMON = [
    wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, 2),
    wrong(TypeError, "missing 1 required argument: 'dim'", ONES),
    wrong(TypeError, "must be Tensor, not int", 3, 0),
    wrong(TypeError, "unexpected keyword argument 'across'", ONES, 0, across=0),
    wrong(TypeError, "both dim and axis", ONES, dim=0, axis=0),
]
for name in ("logsumexp", "special.logsumexp"):
    case(
        name, dtypes=("float32", "float64", "complex128"),
        samples=lambda make: [
            sample(make(4), 0),
            sample(make(2, 3), -1),
            sample(make(2, 3), 0, True),
            sample(make(2, 3, 4), (0, 2)),
            sample(make(2, 3), dim=[0, 1], keepdim=True),
            sample(make(2, 3), axis=1, keepdims=True),
            sample(make(), 0),
            sample(make(), -1, True),
            sample(make(0), 0),
            sample(make(0, 3), 0),
            sample(make(2, 0), 0),
            sample(make(4, dtype="int64"), 0),
            sample(make(3) + (500 if make.dtype.kind in "fc" else 0), 0),
            kink(np.array([[-INF, -INF], [-INF, 1.0]]), 1),
            kink(np.array([[INF, INF], [INF, 1.0]]), 1),
        ],
        errors=[
            *COMMON,
            wrong(TypeError, "dim must be an int or several", ONES, None),
            wrong(RuntimeError, "dim 0 appears multiple times", ONES, (0, 0)),
        ],
    )  # fmt: skip
case(
    "logcumsumexp",
    samples=lambda make: [
        sample(make(4), 0),
        sample(make(2, 3), 0),
        sample(make(2, 3), -1),
        sample(make(2, 3, 2), dim=1),
        sample(make(2, 3), axis=1),
        sample(make(), 0),
        sample(make(), -1),
        sample(make(0), 0),
        sample(make(2, 0), 0),
        sample(make(5, low=-30, high=30), 0),
        kink(np.array([-INF, -INF, 1.0]), 0),
    ],
    errors=[
        *COMMON,
        wrong(TypeError, "dim must be an int", ONES, (0, 1)),
        wrong(NotImplementedError, "not implemented for torch.int64", np.ones(3, np.int64), 0),
    ],
)
