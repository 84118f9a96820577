"""Samples of ``adjoint/ops/softmax.py``."""

import numpy as np

from adjoint import dtypes
from tests.samples.case import case, kink, sample, wrong

ONES = np.ones


def samples(make):
    """Dims from either end, 0-d, empty, and a type to compute in."""
    return [
        sample(make(4), 0),
        sample(make(2, 3), 1),
        sample(make(2, 3), dim=0),
        sample(make(2, 3, 4), -2),
        sample(make(3, 1), 1),
        sample(make(), 0),
        sample(make(), -1),
        sample(make(0), 0),
        sample(make(2, 0), 1),
        sample(make(2, 0, dtype="int64"), 1),
        sample(make(0, 2), 1),
        sample(make(2, 3, dtype="float32"), 1, dtype=dtypes.float64),
        sample(make(2, 3), 1, dtype=dtypes.float64),
        sample(make(2, 3) * 1000.0, 1),
    ]


def infinite(make):
    """Elements that are left out, none left, and one that takes all."""
    x = make(3, 4)
    if x.dtype.kind in "iub":
        return []
    x[0, 1] = -np.inf
    x[1] = -np.inf
    x[2, 2] = np.inf
    return [kink(x, 1)]


ERRORS = [
    wrong(IndexError, "out of range", ONES((2, 3)), 2),
    wrong(IndexError, "out of range", ONES(()), 1),
    wrong(NotImplementedError, "not implemented for torch.int64", ONES((2, 3), np.int64), 1),
]

for name in ("softmax", "log_softmax"):
    for place in ("", "special.", "nn.functional."):
        case(
            place + name,
            rows=name,
            samples=lambda make: samples(make) + infinite(make),
            errors=ERRORS,
        )
case("nn.functional.softmin", rows="softmax", samples=samples, errors=ERRORS)
