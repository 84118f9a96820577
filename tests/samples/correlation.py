"""Samples of ``adjoint/ops/correlation.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones((2, 3))
FLOATS = ("float32", "float64", "complex128")
COUNTS = np.array([1, 2, 0, 1])
SHARES = np.array([0.5, 1.0, 0.2, 2.0])
COMMON = [
    wrong(RuntimeError, r"two or fewer dimensions.*\[1, 2, 3\]", np.ones((1, 2, 3))),
    wrong(RuntimeError, "not implemented for torch.bool", np.ones(3, np.bool_)),
    wrong(TypeError, "must be Tensor, not int", 3),
]


def weights(make):
    """Positive numbers in the case's type, of its precision where that is complex."""
    kind = {"complex128": "float64"}.get(make.dtype.name, make.dtype.name)
    return make(4, low=0.2, dtype=kind)


case(
    "cov", rows="mm sub div squeeze_all", dtypes=FLOATS,
    samples=lambda make: [
        sample(make(2, 4)),
        sample(make(3, 4), correction=0),
        sample(make(5)),
        sample(make(1, 4)),
        sample(make(2, 4, dtype="int64")),
        kink(make(2, 1)),
        kink(make()),
    ],
    errors=[
        *COMMON,
        wrong(RuntimeError, "fweights must be integral.*float64", ONES, fweights=np.ones(3)),
        wrong(RuntimeError, "aweights must be floating-point.*int64", ONES, aweights=np.arange(3)),
        wrong(RuntimeError, r"each of the 3 observations.*\[4\]", ONES, fweights=COUNTS),
        wrong(RuntimeError, r"each of the 3 .*\[3, 1\]", ONES, aweights=np.ones((3, 1))),
        wrong(RuntimeError, "cannot be negative.*-1", ONES, fweights=np.array([1, -1, 1])),
        wrong(RuntimeError, "sum to zero", ONES, fweights=np.zeros(3, np.int64)),
    ],
)  # fmt: skip
# Of one observation with weights PyTorch has no covariance to compare with: it spoils its input.
case(
    "cov", variant="weighted", rows="mm sub mul div squeeze_all", dtypes=FLOATS,
    samples=lambda make: [
        sample(make(2, 4), fweights=COUNTS),
        sample(make(2, 4), aweights=weights(make)),
        sample(make(2, 4), fweights=COUNTS, aweights=weights(make)),
        sample(make(2, 4), correction=0, aweights=SHARES),
    ],
    errorless="see cov",
)  # fmt: skip
case(
    "corrcoef", rows="mm sub div sqrt", dtypes=FLOATS,
    samples=lambda make: [
        sample(make(2, 4)),
        sample(make(3, 5)),
        sample(make(5)),
        sample(make(2, 4, dtype="int64")),
    ],
    errors=COMMON,
)  # fmt: skip
