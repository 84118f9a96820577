"""Samples of ``adjoint/ops/searching.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

SORTED = np.array([1.0, 2.0, 2.0, 3.5])
ROWS = np.array([[1.0, 2.0, 3.0], [0.0, 0.5, 4.0]])
POINT = np.array(2.0)
COMPLEX = np.ones(3, np.complex128)
NAN = np.nan
PLACES = "the results are places"
NUMBERS = ("float32", "float64", "int64")

case(
    "searchsorted", dtypes=NUMBERS, differentiable=False, note=PLACES,
    samples=lambda make: [
        sample(SORTED, make(5, low=0, high=5)),
        sample(SORTED, make(2, 3, low=0, high=5)),
        sample(SORTED, SORTED),
        sample(SORTED, SORTED, right=True),
        sample(SORTED, SORTED, side="right", out_int32=True),
        sample(SORTED, SORTED, side="left"),
        sample(SORTED, 2.0),
        sample(SORTED, 3),
        sample(np.array([1, 2, 3]), 2.5),
        sample(SORTED, POINT),
        sample(ROWS, make(2, 4, low=0, high=5)),
        sample(ROWS[None].repeat(2, 0), make(2, 2, 2, low=0, high=5), right=True),
        sample(SORTED, np.array([NAN, 2.0])),
        sample(np.ones(0), SORTED),
        sample(SORTED, np.ones(0)),
        sample(SORTED[::-1].copy(), SORTED, sorter=np.array([3, 2, 1, 0])),
    ],
    errors=[
        wrong(RuntimeError, "side can only be .*, not 'up'", SORTED, POINT, side="up"),
        wrong(RuntimeError, "are opposites", SORTED, POINT, side="left", right=True),
        wrong(RuntimeError, "has no dimensions", POINT, POINT),
        wrong(RuntimeError, r"\[2, 3\] needs an input .* not \[3, 1\]", ROWS, np.ones((3, 1))),
        wrong(RuntimeError, r"\[2, 3\] needs an input .* not \[\]", ROWS, POINT),
        wrong(RuntimeError, r"shape \[4\], but has \[1\]", SORTED, POINT, sorter=np.array([0])),
        wrong(RuntimeError, "sorter must be int64, .*float64", SORTED, POINT, sorter=SORTED),
        wrong(RuntimeError, "out of range for 4", SORTED, POINT, sorter=np.array([0, 1, 2, 4])),
        wrong(NotImplementedError, "not implemented for torch.complex128", COMPLEX, COMPLEX),
        wrong(TypeError, "'sorted_sequence' must be Tensor, not list", [1.0, 2.0], POINT),
        wrong(TypeError, "'input' must be Tensor or a number, not list", SORTED, [1.0]),
    ],
)  # fmt: skip
case(
    "bucketize", rows="searchsorted", dtypes=NUMBERS, differentiable=False, note=PLACES,
    samples=lambda make: [
        sample(make(5, low=0, high=5), SORTED),
        sample(make(2, 3, low=0, high=5), SORTED),
        sample(SORTED, SORTED, right=True),
        sample(SORTED, SORTED, out_int32=True),
        sample(2.0, SORTED),
        sample(POINT, SORTED),
        sample(np.ones(0), SORTED),
    ],
    errors=[
        wrong(RuntimeError, r"must be a vector, but have shape \[2, 3\]", SORTED, ROWS),
        wrong(NotImplementedError, "not implemented for torch.complex128", COMPLEX, SORTED),
        wrong(TypeError, "'boundaries' must be Tensor, not list", SORTED, [1.0, 2.0]),
        wrong(TypeError, "'input' must be Tensor or a number, not list", [1.0], SORTED),
    ],
)  # fmt: skip
case(
    "isin", dtypes=NUMBERS, differentiable=False, note="the results are truth values",
    samples=lambda make: [
        sample(np.array([[1, 2], [3, 4]]), np.array([3, 1])),
        sample(np.array([1, 2, 3]), np.array([[3], [1]]), invert=True),
        sample(np.array([1.0, 2.5, NAN]), np.array([2.5, NAN]), assume_unique=True),
        sample(np.array([1.0, 2.5]), np.array([1, 2])),
        sample(np.array([1, 2]), 2),
        sample(2, np.array([1, 2])),
        sample(np.array(2), np.array([1, 2])),
        sample(np.ones(0), SORTED),
        sample(SORTED, np.ones(0)),
        sample(make(3, 3, low=0, high=3, dtype="int64"), make(4, low=0, high=3, dtype="int64")),
    ],
    errors=[
        wrong(TypeError, "at least one of the arguments must be a Tensor", 2, 2),
        wrong(TypeError, "'test_elements' must be Tensor or a number, not list", SORTED, [2]),
        wrong(RuntimeError, "not implemented for torch.bool", np.ones(2, np.bool_), SORTED),
        wrong(RuntimeError, "not implemented for torch.complex128", COMPLEX, SORTED),
    ],
)  # fmt: skip
