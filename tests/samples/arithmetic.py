"""Samples of ``adjoint/ops/arithmetic.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong
from tests.samples.elementwise import (
    BOOLEANS,
    INTEGERS,
    MISMATCH,
    NOT_A_TENSOR,
    NOT_AN_OPERAND,
    ONES,
    TYPES,
    binary,
    unary,
)

NO_TRUTH = wrong(RuntimeError, "not supported with booleans", BOOLEANS, True)
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


def written(make):
    """What fits into the first argument, scaled or not."""
    return [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(3), alpha=2),
        sample(make(2, 3), make(), alpha=-3),
        sample(make(), 2),
        sample(make(0, 3), make(1, 3), alpha=3),
    ]


for name in ("add", "sub"):
    case(
        f"Tensor.{name}_", rows=f"{name} {name}_scaled", samples=written, dtypes=TYPES,
        errors=[
            FRACTION, NOT_AN_OPERAND,
            wrong(RuntimeError, "doesn't match the broadcast shape", ONES, np.ones((2, 3))),
            wrong(RuntimeError, "can't be cast", INTEGERS, 0.5),
        ],
    )  # fmt: skip
