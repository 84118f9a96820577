"""Samples of ``adjoint/ops/statistics.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones((2, 3))
FLOATS = ("float32", "float64", "complex128")


def spreads(make):
    """All dims, some, kept; each way to say the correction; 0-d only where it has freedom left."""
    return [
        sample(make(2, 3)),
        sample(make(5)),
        sample(make(2, 3), 0),
        sample(make(2, 3), -1, keepdim=True),
        sample(make(2, 3), 1, False, True),
        sample(make(2, 3), False),
        sample(make(2, 3), True),
        sample(make(2, 3, 4), (0, 2)),
        sample(make(2, 3, 4), dim=[-1, 0], keepdim=True, correction=0),
        sample(make(2, 3), correction=2),
        sample(make(2, 3), correction=0.5),
        sample(make(2, 3), unbiased=False),
        sample(make(2, 3), dim=0, unbiased=True),
        sample(make(2, 3), axis=1, keepdims=True),
        sample(make(2, 0), 0),
        kink(make(), correction=0),
        kink(np.full((2, 3), 1.5)),
        kink(np.full((2, 3), 1.5), 1),
    ]


ERRORS = [
    wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, 2),
    wrong(RuntimeError, "dim 0 appears multiple times", ONES, (0, 0)),
    wrong(TypeError, "dim must be an int", ONES, "first"),
    wrong(TypeError, "must be Tensor, not int", 3),
    wrong(TypeError, "unexpected keyword argument 'across'", ONES, across=0),
    wrong(TypeError, "unbiased must be a bool, not int", ONES, 0, 1),
    wrong(TypeError, "both unbiased and correction", ONES, 0, unbiased=True, correction=1),
    wrong(RuntimeError, "this is torch.int64; convert it", np.ones(3, np.int64)),
]
for name in ("var", "std", "var_mean", "std_mean"):
    case(name, samples=spreads, errors=ERRORS, dtypes=FLOATS)
    case(
        name, variant="without freedom", differentiable=False, errorless=f"see {name}",
        note="NaN and infinity have no derivative; with dim=() PyTorch's is wrong",
        samples=lambda make: [
            sample(make()),
            sample(make(1)),
            sample(make(0)),
            sample(make(3), correction=3),
            sample(make(3), correction=4),
            sample(make(0, 2), 0),
            sample(make(), 0),
            sample(make(2, 3), ()),
        ],
    )  # fmt: skip
