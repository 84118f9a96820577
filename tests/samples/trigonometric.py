"""Samples of ``adjoint/ops/trigonometric.py``."""

from tests.samples.case import case, wrong
from tests.samples.elementwise import (
    COMPLEX,
    INTEGERS,
    MISMATCH,
    NO_NUMBER,
    NOT_A_TENSOR,
    REAL,
    TYPES,
    binary,
    unary,
)
from tests.samples.transcendental import VALUES_ONLY, limits

for name, low, high in (
    ("sin", -4.0, 4.0), ("cos", -4.0, 4.0), ("tan", -1.2, 1.2),
    ("asin", -0.9, 0.9), ("acos", -0.9, 0.9), ("atan", -3.0, 3.0),
    ("sinh", -2.0, 2.0), ("cosh", -2.0, 2.0), ("tanh", -2.0, 2.0),
    ("asinh", -3.0, 3.0), ("acosh", 1.2, 4.0), ("atanh", -0.9, 0.9),
):  # fmt: skip
    case(
        name, samples=unary(low=low, high=high), dtypes=TYPES, errors=[NOT_A_TENSOR],
        # PyTorch has no derivative of these in place.
        in_place=name not in ("acosh", "asinh", "atanh"),
    )  # fmt: skip
    case(
        name, variant="limits", samples=limits, dtypes=REAL, errors=[NOT_A_TENSOR],
        differentiable=False, note=VALUES_ONLY,
    )  # fmt: skip
case("sinc", samples=unary(0.0, 1.0, low=0.2, high=3.0), dtypes=TYPES, errors=[NOT_A_TENSOR])
case(
    "atan2", samples=binary((0.0, 0.0), (0.0, -1.0), (1.0, 0.0)), dtypes=REAL,
    errors=[MISMATCH, NO_NUMBER, wrong(NotImplementedError, "complex128", COMPLEX, COMPLEX)],
)  # fmt: skip
case(
    "hypot", samples=binary((3.0, 4.0), (0.0, 2.0)), dtypes=REAL,
    errors=[MISMATCH, NO_NUMBER, wrong(NotImplementedError, "int64", INTEGERS, INTEGERS)],
)  # fmt: skip
