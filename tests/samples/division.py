"""Samples of ``adjoint/ops/division.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong
from tests.samples.elementwise import (
    COMPLEX,
    INF,
    INTEGERS,
    MISMATCH,
    NOT_AN_OPERAND,
    ONES,
    REAL,
    TYPES,
    binary,
    corners,
)

BY_ZERO = wrong(RuntimeError, "ZeroDivisionError", INTEGERS, 0)
MANY = [MISMATCH, NOT_AN_OPERAND]


def fractions(make):
    return [
        *binary(number=2.5, low=0.5)(make),
        sample(2.5, make(2, 3, low=0.5)),
        sample(make(2, 3), np.asarray(4.0)),
    ]


def whole(make):
    """Divisors that are not zero, also of integers."""
    return [
        sample(make(2, 3, high=9.0), make(2, 3, low=1.2, high=4.0)),
        sample(make(2, 1, high=9.0), make(3, low=1.2, high=4.0)),
        sample(make(low=2.2, high=2.4), make(2, 2, low=1.1, high=1.9)),
        sample(make(0, 3), make(1, 3, low=1.0)),
        sample(make(2, 3, high=9.0), 3),
        sample(make(2, 3, low=-9.0), -2),
        sample(make(2, 3, high=9.0), 2.5),
    ]


def rounded(mode):
    def samples(make):
        return [
            *[sample(*each.args, rounding_mode=mode) for each in whole(make)],
            kink(
                corners(make, 5.0, -5.0, 5.0, -5.0, 6.0),
                corners(make, 3.0, 3.0, -3.0, -3.0, 3.0),
                rounding_mode=mode,
            ),
        ]

    return samples


def remainders(make):
    return [
        *whole(make),
        kink(corners(make, 5.0, -5.0, 5.0, -5.0, 6.0), corners(make, 3.0, 3.0, -3.0, -3.0, 3.0)),
    ]


case("div", samples=fractions, errors=MANY, dtypes=TYPES)
case(
    "div", variant="limits", errors=MANY, dtypes=REAL, differentiable=False,
    samples=lambda make: [sample(corners(make, 1, 0, -1, INF), corners(make, 0, 0, 0, INF))],
    note="values only: the derivatives are not numbers",
)  # fmt: skip
case("true_divide", rows="div", samples=fractions, errors=MANY, dtypes=TYPES)
case(
    "div", variant="floor", rows="div_floor", samples=rounded("floor"), dtypes=REAL,
    errors=[
        wrong(RuntimeError, "rounding_mode is None", ONES, 2, rounding_mode="up"),
        wrong(RuntimeError, "ZeroDivisionError", INTEGERS, 0, rounding_mode="floor"),
        wrong(NotImplementedError, "complex128", COMPLEX, 2, rounding_mode="floor"),
    ],
)  # fmt: skip
case(
    "div", variant="trunc", rows="div_trunc", samples=rounded("trunc"), dtypes=REAL,
    errors=[wrong(RuntimeError, "ZeroDivisionError", INTEGERS, 0, rounding_mode="trunc")],
)  # fmt: skip
case(
    "floor_divide", samples=remainders, errors=[BY_ZERO, MISMATCH, NOT_AN_OPERAND], dtypes=REAL,
    differentiable=False, note="PyTorch has no derivative; backward raises an error, see below",
)  # fmt: skip
case(
    "remainder", rows="remainder remainder_number", samples=remainders, dtypes=REAL,
    errors=[BY_ZERO, MISMATCH, NOT_AN_OPERAND],
)  # fmt: skip
case(
    "remainder", variant="of a number", rows="number_remainder", dtypes=REAL,
    samples=lambda make: [
        sample(7, make(2, 3, low=1.2)), sample(-2.5, make(low=1.2)), sample(7.5, make(0, 2)),
    ],
    errors=[wrong(RuntimeError, "ZeroDivisionError", 3, np.zeros(2, np.int64))],
    differentiable=False, note="PyTorch has no derivative; backward raises an error",
)  # fmt: skip
case(
    "fmod", rows="fmod fmod_number", samples=remainders, dtypes=REAL,
    errors=[BY_ZERO, MISMATCH, NOT_AN_OPERAND, wrong(TypeError, "must be Tensor", 2.0, ONES)],
)  # fmt: skip
