"""Samples of ``adjoint/ops/distinct.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones((2, 3))
ROWS = np.array([[3, 1], [3, 1], [0, 1], [3, 0]])
NAN = np.nan
EVERYTHING = {"return_inverse": True, "return_counts": True}
FACTS = {
    "differentiable": False,
    "traced": False,
    "batched": False,
    "note": "PyTorch has no derivative either; how many there are depends on the values",
    "dtypes": ("float32", "float64", "int64"),
}


def repeated(make):
    return [
        sample(make(7, dtype="int64")),
        sample(make(7, dtype="int64"), **EVERYTHING),
        sample(make(3, 4, dtype="int64"), return_inverse=True),
        sample(make(3, 4, dtype="int64"), return_counts=True),
        sample(np.array([NAN, 1.0, NAN, 1.0]), **EVERYTHING),
        sample(make(5, dtype="bool"), **EVERYTHING),
        sample(np.array(3.0), **EVERYTHING),
        sample(np.ones(0), **EVERYTHING),
        sample(ROWS, dim=0),
        sample(ROWS, dim=0, **EVERYTHING),
        sample(ROWS, dim=-1, **EVERYTHING),
        sample(ROWS.astype(np.float64)[:, None], dim=0, **EVERYTHING),
        sample(np.ones((0, 3)), dim=0, **EVERYTHING),
        sample(make.distinct(2, 3)),
    ]


ERRORS = [
    wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, dim=2),
    wrong(IndexError, "no dimensions", np.ones(()), dim=0),
    wrong(RuntimeError, r"\[0, 3\] along dim 1 are empty", np.ones((0, 3)), dim=1),
    wrong(NotImplementedError, "not implemented for torch.complex128", np.ones(3, np.complex128)),
    wrong(TypeError, "must be Tensor, not int", 3),
]
case("unique", rows="unique unique_dim", samples=repeated, errors=ERRORS, **FACTS)
case("unique_consecutive", samples=repeated, errors=ERRORS, **FACTS)
