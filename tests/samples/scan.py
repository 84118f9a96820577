"""Samples of ``adjoint/ops/scan.py``."""

import numpy as np

from adjoint import dtypes
from tests.samples.case import case, kink, sample, wrong

ONES = np.ones((2, 3))
COMPLEX = np.ones(3, np.complex128)
NAN = np.nan
ERRORS = [
    wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, 2),
    wrong(TypeError, "missing 1 required argument: 'dim'", ONES),
    wrong(TypeError, "dim must be an int", ONES, (0, 1)),
    wrong(TypeError, "must be Tensor, not int", 3, 0),
    wrong(TypeError, "unexpected keyword argument 'across'", ONES, 0, across=0),
    wrong(TypeError, "both dim and axis", ONES, dim=0, axis=0),
]


def along(make):
    return [
        sample(make(4), 0),
        sample(make(2, 3), 0),
        sample(make(2, 3), -1),
        sample(make(2, 3, 2), dim=1),
        sample(make(2, 3), axis=1),
        sample(make(), 0),
        sample(make(), -1),
        sample(make(0), 0),
        sample(make(2, 0), 0),
        sample(make(1, 3), 0),
    ]


def into_a_type(make):
    return [
        sample(make(2, 3), 0, dtype=dtypes.float64),
        sample(make(2, 3), 1, dtype=dtypes.float64),
    ]


def products(make):
    x = make(3, 4, low=0.5)
    x[0, 1] = x[1, 0] = x[1, 2] = x[2] = 0
    return [*along(make), sample(x, 1), sample(x, 0), sample(make(90, low=0.8, high=1.2), 0)]


OUT = {"in_place": False, "note": "in place, dtype= is a cast that PyTorch refuses"}
FLOATS = ("float32", "float64", "complex128")
case("cumsum", samples=along, errors=ERRORS, dtypes=FLOATS)
case("cumsum", variant="into a type", samples=into_a_type, errorless="see cumsum", **OUT)
case(
    "cumprod", rows="cumprod products_before carry", samples=products, errors=ERRORS, dtypes=FLOATS
)


case("cumprod", variant="into a type", samples=into_a_type, errorless="see cumprod", **OUT)


def extremes(make):
    return [
        *along(make),
        sample(make.distinct(3, 4), 1),
        kink(np.array([1.0, 3.0, 3.0, 1.0, 3.0]), 0),
        kink(np.array([1.0, NAN, 3.0, NAN]), 0),
        sample(make(2, 3, dtype="int64"), 1),
        sample(make(5, dtype="bool"), 0),
    ]


EXTREMES = [*ERRORS, wrong(NotImplementedError, "not implemented for torch.complex128", COMPLEX, 0)]
case("cummax", samples=extremes, errors=EXTREMES)
case("cummin", samples=extremes, errors=EXTREMES)
