"""Samples of ``adjoint/ops/reduction.py``."""

import numpy as np

from adjoint import dtypes
from tests.samples.case import case, kink, sample, wrong

ONES = np.ones((2, 3))
INTEGERS = np.ones(3, np.int64)
COMPLEX = np.ones(3, np.complex128)
OUT_OF_RANGE = wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, 2)
TWICE = wrong(RuntimeError, "dim 0 appears multiple times", ONES, (0, 0))
NOT_AN_INT = wrong(TypeError, "dim must be an int", ONES, "first")
NOT_A_TENSOR = wrong(TypeError, "must be Tensor, not int", 3)
UNKNOWN_WORD = wrong(TypeError, "unexpected keyword argument 'across'", ONES, across=0)
BOTH = wrong(TypeError, "both dim and axis", ONES, dim=0, axis=0)
NOT_A_FLAG = wrong(TypeError, "must be bool, not int; several dims", ONES, 0, 1)
MANY = [NOT_A_FLAG, OUT_OF_RANGE, TWICE, NOT_AN_INT, NOT_A_TENSOR, UNKNOWN_WORD, BOTH]
NAN = np.nan


def all_dims(make):
    """Everything at once; one dim, several, from either end, kept; 0-d, empty."""
    return [
        sample(make(2, 3)),
        sample(make(5)),
        sample(make()),
        sample(make(), 0),
        sample(make(), -1, True),
        sample(make(2, 3), 0),
        sample(make(2, 3), -1, True),
        sample(make(2, 3, 4), (0, 2)),
        sample(make(2, 3, 4), dim=[-1, 0], keepdim=True),
        sample(make(2, 3), axis=1, keepdims=True),
        sample(make(2, 3), ()),
        sample(make(2, 0, 3), 2),
        sample(make(2, 3), None, True),
    ]


def of_nothing(make):
    return [sample(make(0)), sample(make(0, 3), 0), sample(make(2, 0), (0, 1), True)]


NO_NUMBERS = "the mean of nothing is NaN, which has no derivative"


def into_a_type(make):
    return [
        *all_dims(make),
        sample(make(2, 3), dtype=dtypes.float64),
        sample(make(2, 3), 0, dtype=dtypes.float64),
    ]


def integer_types(make):
    return [
        sample(make(2, 3), dtype=dtypes.int32),
        sample(make(2, 3), 0, dtype=dtypes.uint8),
        sample(make(2, 3), 1, dtype=dtypes.bool_),
    ]


case(
    "sum", rows="sum sum_dims", errors=MANY,
    samples=lambda make: [*into_a_type(make), *of_nothing(make)],
    dtypes=("float32", "float64", "complex128"),
)  # fmt: skip
case(
    "sum", variant="into integers", rows="sum_dims", samples=integer_types,
    dtypes=("int64", "uint8", "bool"), differentiable=False, note="integers", errorless="see sum",
)  # fmt: skip
case(
    "mean", rows="mean mean_dims", samples=into_a_type, dtypes=("float32", "float64", "complex128"),
    errors=[
        *MANY,
        wrong(RuntimeError, "int64.* has no fractions", INTEGERS),
        wrong(RuntimeError, "int64.* has no fractions", INTEGERS, 0),
        wrong(RuntimeError, "dtype=torch.int32 has no fractions", ONES, dtype=dtypes.int32),
    ],
)  # fmt: skip


case(
    "mean", variant="of nothing", rows="mean mean_dims", samples=of_nothing,
    differentiable=False, note=NO_NUMBERS, errorless="see mean",
)  # fmt: skip


def with_nans(make):
    def spotted(*shape):
        x = make(*shape)
        if x.dtype.kind in "fc":
            x.reshape(-1)[::3] = NAN
        return x

    return [
        *all_dims(make),
        *of_nothing(make),
        kink(spotted(7)),
        kink(spotted(2, 3), 0),
        kink(spotted(2, 3), 1, True),
        kink(spotted()),
    ]


case(
    "nansum", samples=with_nans,
    errors=[*MANY, wrong(RuntimeError, r"nansum\(\) is not implemented", COMPLEX)],
)  # fmt: skip
case(
    "nanmean", rows="nansum",
    samples=lambda make: [each for each in with_nans(make) if each.args[0].size],
    errors=[
        *MANY,
        wrong(RuntimeError, r"nanmean\(\) is not implemented for torch.int64", INTEGERS),
        wrong(RuntimeError, r"nanmean\(\) is not implemented for torch.complex", COMPLEX),
        wrong(RuntimeError, "dtype=torch.int32 has no fractions", ONES, dtype=dtypes.int32),
    ],
)  # fmt: skip
case(
    "nanmean", variant="of nothing", rows="nansum", samples=of_nothing,
    differentiable=False, note=NO_NUMBERS, errorless="see nanmean",
)  # fmt: skip


def products(make):
    def zeros_at(*places):
        x = make(2, 3, low=0.5)
        x.reshape(-1)[list(places)] = 0
        return x

    return [
        sample(make(2, 3)),
        sample(make()),
        sample(make(0)),
        sample(make(2, 3), 0),
        sample(make(2, 3), -1, True),
        sample(make(2, 0), 1),
        sample(make(0, 3), 1),
        sample(make(), 0),
        sample(make(2, 3), axis=0, keepdims=True),
        sample(zeros_at(1)),
        kink(zeros_at(1, 2)),  # the derivative is 0, which differences miss by 1e-16
        sample(zeros_at(0, 1, 2), 1),
        sample(zeros_at(0, 4), 1),
        sample(make(2, 3), dtype=dtypes.float64),
        sample(make(2, 3), 1, dtype=dtypes.float64),
    ]


case(
    "prod", rows="prod prod_dim products_before carry", samples=products,
    dtypes=("float32", "float64", "complex128"),
    errors=[
        OUT_OF_RANGE,
        wrong(TypeError, "dim must be an int, not tuple", ONES, (0, 1)),
        wrong(TypeError, "dim must be an int, not NoneType", ONES, dim=None),
        NOT_A_TENSOR,
        UNKNOWN_WORD,
        BOTH,
    ],
)  # fmt: skip
case(
    "prod", variant="of one", samples=lambda make: [sample(make(1)), sample(make(3, 1), 1)],
    rows="prod prod_dim", errorless="see prod",
)  # fmt: skip
case(
    "prod", variant="into integers", rows="prod_dim", samples=integer_types,
    dtypes=("int64", "uint8", "bool"), differentiable=False, note="integers", errorless="see prod",
)  # fmt: skip


def truths(make):
    return [
        *all_dims(make),
        *of_nothing(make),
        sample(np.array([0.0, NAN])),
        sample(make(2, 3, dtype="bool")),
        sample(make(2, 3, dtype="bool"), 0),
        sample(make(2, 3, dtype="uint8"), 1),
        sample(make(0, 3, dtype="int64"), 0),
    ]


KINDS = ("float32", "float64", "complex64", "int64")
TRUTH = "the result is a truth value or a count"
case("all", samples=truths, dtypes=KINDS, differentiable=False, note=TRUTH, errors=MANY)
case("any", samples=truths, dtypes=KINDS, differentiable=False, note=TRUTH, errors=MANY)
case(
    "count_nonzero", dtypes=KINDS, differentiable=False, note=TRUTH,
    samples=lambda make: [
        sample(make(2, 3, low=-1, high=1, dtype="int64")),
        sample(make(2, 3, dtype="bool"), 0),
        sample(make(2, 3), (0, 1)),
        sample(make(2, 3), ()),
        sample(make()),
        sample(make(), 0),
        sample(make(0, 3), axis=0),
        sample(np.array([0.0, NAN])),
    ],
    errors=[OUT_OF_RANGE, TWICE, NOT_A_TENSOR, UNKNOWN_WORD, BOTH],
)  # fmt: skip
