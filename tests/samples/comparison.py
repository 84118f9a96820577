"""Samples of ``adjoint/ops/comparison.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong
from tests.samples.elementwise import (
    COMPLEX,
    INF,
    INTEGERS,
    LIMITS,
    MISMATCH,
    NAN,
    NO_NUMBER,
    NOT_A_TENSOR,
    NOT_AN_OPERAND,
    ONES,
    REAL,
    TYPES,
    binary,
    corners,
    unary,
)

NO_DERIVATIVE = "truth values have no derivative"
FACTS = {"differentiable": False, "note": NO_DERIVATIVE}
PAIRS = [(1.0, 1.0), (1.0, 2.0), (0.0, -0.0), (2.0, 1.0)]
NO_COMPLEX = wrong(NotImplementedError, "complex128", COMPLEX, COMPLEX)


def compared(make):
    return [
        *binary(*PAIRS, number=1)(make),
        sample(corners(make, *LIMITS), 1.0),
        sample(corners(make, *LIMITS), corners(make, *LIMITS)),
        sample(make(2, 3), np.asarray(0.5)),
        sample(make(3), True),
    ]


for name in ("eq", "ne"):
    case(name, samples=compared, errors=[MISMATCH, NOT_AN_OPERAND], dtypes=TYPES, **FACTS)
for name in ("lt", "le", "gt", "ge"):
    case(
        name, samples=compared, errors=[MISMATCH, NOT_AN_OPERAND, NO_COMPLEX], dtypes=REAL, **FACTS
    )
for name in ("isnan", "isinf", "isfinite", "isreal"):
    case(name, samples=unary(*LIMITS), errors=[NOT_A_TENSOR], dtypes=TYPES, **FACTS)
case(
    "isreal", variant="complex", errors=[NOT_A_TENSOR], **FACTS,
    samples=lambda make: [sample(np.array([1.0, 1j, 2 + 0j]))],
)  # fmt: skip
for name, error in (
    ("isposinf", RuntimeError), ("isneginf", RuntimeError), ("signbit", NotImplementedError),
):  # fmt: skip
    case(
        name, samples=unary(*LIMITS), dtypes=REAL, **FACTS,
        errors=[NOT_A_TENSOR, wrong(error, "complex128", COMPLEX)],
    )  # fmt: skip
for name in ("logical_and", "logical_or", "logical_xor"):
    case(
        name, samples=binary((0.0, 0.0), (0.0, 1.0), (2.0, 0.0), (1.0, 1.0)), dtypes=TYPES,
        errors=[MISMATCH, NO_NUMBER], **FACTS,
    )  # fmt: skip
case("logical_not", samples=unary(0.0, 1.0, -0.0), errors=[NOT_A_TENSOR], dtypes=TYPES, **FACTS)


def nearly(make):
    return [
        sample(corners(make, 1.0, 2.0, 0.0, 3.0), corners(make, 1.0 + 1e-9, 2.1, 1e-9, 3.0)),
        sample(corners(make, *LIMITS), corners(make, *LIMITS)),
        sample(corners(make, NAN, INF, 1.0), corners(make, NAN, INF, 1.0), equal_nan=True),
        sample(make(2, 3), make(3), 0.5, 0.1),
        sample(make(2, 3), make(2, 3), rtol=0, atol=0),
        sample(make(0, 3), make(3)),
        sample(make(), make()),
    ]


TOLERANCE = wrong(RuntimeError, "must be at least zero", ONES, ONES, -1.0)
TWO_TYPES = wrong(RuntimeError, "float64 did not match .*int64", ONES, INTEGERS)
case("isclose", samples=nearly, errors=[MISMATCH, TOLERANCE, TWO_TYPES], dtypes=TYPES, **FACTS)
ANSWER = {
    "traced": False, "batched": False, "differentiable": False,
    "note": "one Python truth value of all elements",
}  # fmt: skip
case("allclose", rows="isclose all", samples=nearly, errors=[TOLERANCE, TWO_TYPES], **ANSWER)
case(
    "equal", rows="eq all", errors=[NO_NUMBER], **ANSWER,
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)), sample(corners(make, 1.0, 2.0), corners(make, 1.0, 2.0)),
        sample(make(), make()),
    ],
)  # fmt: skip
