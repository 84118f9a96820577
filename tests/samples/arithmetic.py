"""Samples of ``adjoint/ops/arithmetic.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong
from tests.samples.elementwise import (
    BOOLEANS,
    COMPLEX,
    INF,
    INTEGERS,
    MISMATCH,
    NOT_A_TENSOR,
    NOT_AN_OPERAND,
    ONES,
    binary,
    corners,
    unary,
)

TYPES = ("float32", "float64", "float16", "bfloat16", "complex64", "complex128")
REAL = ("float32", "float64", "float16", "bfloat16")
NO_TRUTH = wrong(RuntimeError, "not supported with booleans", BOOLEANS, True)
BY_ZERO = wrong(RuntimeError, "ZeroDivisionError", INTEGERS, 0)
FRACTION = wrong(RuntimeError, "alpha must not be 0.5", INTEGERS, 1, alpha=0.5)
TRUTH = wrong(RuntimeError, "Boolean alpha", ONES, 1, alpha=True)
MANY = [MISMATCH, NOT_AN_OPERAND]


def scaled(make):
    return [
        sample(make(2, 3), make(2, 3), alpha=2),
        sample(make(2, 1), make(3), alpha=-3),
        sample(make(), 2, alpha=3),
        sample(make(0, 3), make(1, 3), alpha=2),
    ]


def operands(make):
    """Numbers on either side, and on both."""
    return [*binary(number=1.5)(make), sample(2, make(2, 3)), sample(2, 3), sample(True, 0.5)]


case("add", samples=operands, errors=MANY, dtypes=TYPES)
case(
    "add", variant="alpha", rows="add_scaled", samples=scaled, dtypes=TYPES,
    errors=[FRACTION, TRUTH, wrong(TypeError, "'alpha' must be Number", ONES, 1, alpha="word")],
)  # fmt: skip
case("sub", samples=binary(number=2), errors=[*MANY, NO_TRUTH], dtypes=TYPES)
case(
    "sub", variant="alpha", rows="sub_scaled", samples=scaled, errors=[FRACTION, TRUTH],
    dtypes=TYPES,
)  # fmt: skip
case(
    "rsub", rows="rsub rsub_number", samples=binary(number=1.5), dtypes=TYPES,
    errors=[MISMATCH, NOT_AN_OPERAND, NO_TRUTH],
)  # fmt: skip
case("rsub", variant="alpha", rows="rsub", samples=scaled, errors=[FRACTION], dtypes=TYPES)
case("mul", samples=binary(number=-1.5), errors=MANY, dtypes=TYPES)
case(
    "neg",
    samples=unary(),
    dtypes=TYPES,
    errors=[NOT_A_TENSOR, wrong(RuntimeError, "bool", BOOLEANS)],
)
case(
    "positive", rows="", samples=unary(), dtypes=TYPES,
    errors=[wrong(RuntimeError, "on a bool tensor", BOOLEANS)],
)  # fmt: skip


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


def between(make):
    return [
        sample(make(2, 3), make(2, 3), 0.3),
        sample(make(2, 1), make(3), 0.8),
        sample(make(), make(2, 2), -1.5),
        sample(make(0, 3), make(1, 3), 0.5),
    ]


def weighted(make):
    return [
        sample(make(2, 3), make(2, 3), make(2, 3, low=0.0, high=0.4)),
        sample(make(2, 1), make(3), make(low=0.6, high=0.9)),
        sample(make(), make(), make(2, 2)),
        sample(make(0, 3), make(1, 3), make(3)),
    ]


case(
    "lerp", variant="number", rows="lerp_number", samples=between, dtypes=TYPES,
    errors=[
        wrong(RuntimeError, "expected dtype .*float64.* for `end`", ONES, INTEGERS, 0.5),
        wrong(NotImplementedError, "int64", INTEGERS, INTEGERS, 0.5),
        wrong(TypeError, "'end' must be Tensor", ONES, 1.0, 0.5),
        wrong(RuntimeError, "must match", ONES, np.ones(2), 0.5),
    ],
)  # fmt: skip
case(
    "lerp", samples=weighted, dtypes=TYPES,
    errors=[wrong(TypeError, "'weight' must be Tensor", ONES, ONES, "word")],
)  # fmt: skip


def products(make):
    return [
        sample(make(2, 3), make(2, 3), make(2, 3, low=0.5)),
        sample(make(2, 1), make(3), make(2, 3, low=0.5), value=2),
        sample(make(), make(2, 2), make(2, low=0.5), value=3),
        sample(make(0, 3), make(1, 3), make(3, low=0.5)),
    ]


case(
    "addcmul", samples=products, dtypes=TYPES,
    errors=[
        wrong(RuntimeError, "must match", ONES, ONES, np.ones(2)),
        wrong(TypeError, "must be Tensor", ONES, ONES, 2.0),
    ],
)  # fmt: skip
case(
    "addcdiv", samples=products, dtypes=TYPES,
    errors=[
        wrong(RuntimeError, "does not divide integers", INTEGERS, INTEGERS, INTEGERS),
        wrong(RuntimeError, "must match", ONES, ONES, np.ones(2)),
    ],
)  # fmt: skip
