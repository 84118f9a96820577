"""Samples of ``adjoint/ops/counting.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones((2, 3))
EMPTY = np.ones(0)
INTEGERS = np.array([1, 4, 1, 0])
NAN, INF = np.nan, np.inf
COUNTS = "the results are counts"

case(
    "bincount", differentiable=False, traced=False, batched=False, note=COUNTS,
    samples=lambda make: [
        sample(INTEGERS),
        sample(INTEGERS.astype("uint8")),
        sample(INTEGERS, minlength=7),
        sample(INTEGERS, None, 2),
        sample(INTEGERS, make(4)),
        sample(INTEGERS.astype("int32"), make(4, dtype="float32"), 6),
        sample(INTEGERS, make(4, dtype="int64")),
        sample(np.ones(0, np.int64)),
        sample(np.ones(0, np.int64), minlength=3),
    ],
    errors=[
        wrong(RuntimeError, "an element -1", np.array([1, -1])),
        wrong(RuntimeError, r"has shape \[2, 2\]", np.ones((2, 2), np.int64)),
        wrong(RuntimeError, r"has shape \[\]", np.ones((), np.int64)),
        wrong(RuntimeError, "minlength must be at least 0, but got -1", INTEGERS, None, -1),
        wrong(RuntimeError, r"input's shape \[4\], but have \[2\]", INTEGERS, np.ones(2)),
        wrong(NotImplementedError, "not implemented for torch.float64", ONES),
        wrong(NotImplementedError, "not implemented for torch.bool", np.ones(2, np.bool_)),
        wrong(TypeError, "must be Tensor, not list", [1]),
    ],
)  # fmt: skip
case(
    "histc", differentiable=False, note=COUNTS,
    samples=lambda make: [
        sample(make(9, dtype="float32")),
        sample(make(20, dtype="float64"), 7),
        sample(make(3, 4, dtype="float64"), bins=5, min=-1, max=2),
        sample(np.array([0.0, 1.0, 2.0, 3.0, 4.0, NAN]), 4, 0, 4),
        sample(np.array([1.0, 1.0]), 3),
        sample(np.array(1.0), 3),
        sample(make(9, dtype="float64"), 3, 1, 1),
        sample(EMPTY, 3),
    ],
    errors=[
        wrong(RuntimeError, "bins must be > 0, but got 0", ONES, 0),
        wrong(RuntimeError, "max must be larger than min", ONES, 3, 5, 1),
        wrong(RuntimeError, "is not finite", ONES, 3, INF, 1),
        wrong(RuntimeError, "is not finite", np.array([1.0, NAN]), 3),
        wrong(NotImplementedError, "not implemented for torch.int64", INTEGERS),
        wrong(TypeError, "cannot be interpreted as an integer", ONES, 3.0),
        wrong(TypeError, "must be Tensor, not list", [1.0]),
    ],
)  # fmt: skip
EDGES = np.array([-1.5, -0.5, 0.0, 1.25])
case(
    "histogram", rows="histogram histogram_between", differentiable=False, note=COUNTS,
    samples=lambda make: [
        sample(make(9, dtype="float32"), 4),
        sample(make(20, dtype="float64"), bins=7),
        sample(make(3, 4, dtype="float64"), 5, range=(-1.0, 2.0)),
        sample(make(9, dtype="float64"), 4, density=True),
        sample(make(3, 3, dtype="float64"), 4, weight=make(3, 3, low=0.1, dtype="float64")),
        sample(np.array([0.0, 1.0, 2.0, 3.0, 4.0, NAN]), 4, range=(0.0, 4.0)),
        sample(np.array([1.0, 1.0]), 3),
        sample(np.array([1.0, 2.0]), 3, range=(1.0, 1.0)),
        sample(EMPTY, 3),
        sample(make(12, dtype="float64"), EDGES),
        sample(make(3, 4, dtype="float64"), EDGES, density=True),
        sample(make(6, dtype="float64"), EDGES, weight=make(6, dtype="float64")),
        sample(np.array([-1.5, -0.5, 1.25, 1.3, NAN]), EDGES),
    ],
    errors=[
        wrong(RuntimeError, "bins must be > 0, but got 0", ONES, 0),
        wrong(RuntimeError, "1 edges leave none", ONES, np.ones(1)),
        wrong(RuntimeError, r"must be a vector, not of \[1, 2\]", ONES, np.ones((1, 2))),
        wrong(RuntimeError, "bins are torch.float32, but", ONES, np.ones(2, np.float32)),
        wrong(RuntimeError, "min should not exceed max", ONES, 3, range=(5.0, 1.0)),
        wrong(RuntimeError, "range has 2 elements, but got 1", ONES, 3, range=(1.0,)),
        wrong(RuntimeError, "is not finite", np.array([1.0, NAN]), 3),
        wrong(RuntimeError, r"input's shape \[2, 3\], but has \[2\]", ONES, 3, weight=np.ones(2)),
        wrong(RuntimeError, "weight is torch.int64", ONES, 3, weight=np.ones((2, 3), np.int64)),
        wrong(NotImplementedError, "not implemented for torch.int64", INTEGERS, 3),
        wrong(TypeError, "must be Tensor, not list", [1.0], 3),
    ],
)  # fmt: skip
