"""Samples of ``adjoint/ops/rounding.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong
from tests.samples.elementwise import (
    COMPLEX,
    INF,
    INTEGERS,
    MISMATCH,
    NAN,
    NO_BOOLEANS,
    NO_COMPLEX,
    NO_INTEGERS,
    NO_NUMBER,
    NOT_A_TENSOR,
    ONES,
    REAL,
    binary,
    corners,
    unary,
    with_options,
)

HALVES = (0.5, 1.5, 2.5, -0.5, -1.5, -0.0, 0.0, 3.0)
NO_DERIVATIVE = "PyTorch has no derivative; backward raises an error"

for name in ("floor", "ceil", "trunc", "round"):
    case(name, samples=unary(*HALVES), dtypes=REAL, errors=[NOT_A_TENSOR, NO_BOOLEANS, NO_COMPLEX])
case("frac", samples=unary(*HALVES), dtypes=REAL, errors=[NOT_A_TENSOR, NO_INTEGERS])
case(
    "round", variant="decimals", rows="round_decimals", dtypes=("float32", "float64"),
    samples=lambda make: [
        sample(make(2, 3), decimals=1), sample(make(), decimals=2),
        sample(make(2, 3, high=90.0), decimals=-1), sample(make(0, 3), decimals=1),
    ],
    errors=[wrong(NotImplementedError, "int64", INTEGERS, decimals=1)],
)  # fmt: skip
case(
    "special.round", rows="round_decimals", samples=with_options(decimals=1),
    errors=[wrong(NotImplementedError, "int64", INTEGERS)],
)  # fmt: skip
case("sign", samples=unary(*HALVES), dtypes=REAL, errors=[NOT_A_TENSOR, NO_COMPLEX])
case(
    "sign", variant="limits", samples=lambda make: [sample(corners(make, NAN, INF, -INF, -0.0))],
    errors=[NO_COMPLEX], differentiable=False, note="values only: NaN is in no direction",
)  # fmt: skip
case(
    "copysign", rows="copysign copysign_number", dtypes=REAL, errors=[MISMATCH],
    samples=lambda make: [
        *binary((0.0, -1.0), (-0.0, 1.0), (2.0, -0.0), number=-1.5, low=0.3)(make),
        kink(corners(make, 0.0, -2.0, 3.0), 1),
    ],
)  # fmt: skip
case(
    "heaviside", samples=binary((0.0, 0.5), (-0.0, 2.0), (1.0, 3.0), (-1.0, 3.0)), dtypes=REAL,
    errors=[
        NO_NUMBER,
        wrong(RuntimeError, "different dtypes", ONES, INTEGERS),
        wrong(RuntimeError, "complex numbers have no sign", COMPLEX, COMPLEX),
    ],
    differentiable=False, note=NO_DERIVATIVE,
)  # fmt: skip
case(
    "nextafter", dtypes=("float32", "float64", "bfloat16"),
    samples=lambda make: [kink(*each.args) for each in binary((1.0, 1.0), (1.0, 2.0))(make)],
    errors=[MISMATCH, NO_NUMBER, wrong(NotImplementedError, "int64", INTEGERS, INTEGERS)],
    differentiable=False, note="the derivative is PyTorch's choice, as if it were the identity",
)  # fmt: skip
case(
    "nan_to_num", dtypes=REAL, errors=[NOT_A_TENSOR],
    samples=lambda make: [
        sample(make(2, 3)), sample(make()), sample(make(0, 3)),
        sample(make(2, 3), nan=1.0, posinf=2.0),
    ],
)  # fmt: skip
case(
    "nan_to_num", variant="limits", dtypes=("float64",), errors=[NOT_A_TENSOR],
    samples=lambda make: [
        sample(corners(make, NAN, INF, -INF, 1.0)),
        sample(corners(make, NAN, INF, -INF, 1.0), 1.0, 2.0, 3.0),
    ],
    differentiable=False, note="values only: directions are not numbers there",
)  # fmt: skip
case("deg2rad", samples=unary(), dtypes=REAL, errors=[wrong(RuntimeError, "complex128", COMPLEX)])
case("rad2deg", samples=unary(), dtypes=REAL, errors=[wrong(RuntimeError, "complex128", COMPLEX)])
case(
    "ldexp", dtypes=("float32", "float64"),
    errors=[
        MISMATCH, NO_NUMBER,
        wrong(NotImplementedError, r"exponents that are torch\.bool", ONES, ONES.astype(bool)),
    ],
    samples=lambda make: [
        *binary()(make), sample(make(2, 3), np.array([0, 2, 5])),
    ],
)  # fmt: skip
case(
    "frexp", samples=unary(low=0.3), dtypes=("float32", "float64", "float16"),
    errors=[wrong(RuntimeError, "floating types", INTEGERS), NOT_A_TENSOR],
)  # fmt: skip
case(
    "frexp", variant="limits", dtypes=("float32", "float64"), errors=[NOT_A_TENSOR],
    samples=lambda make: [sample(corners(make, 0.0, -0.0, 1.0, -8.0, 1e-3))],
    differentiable=False, note="values only",
)  # fmt: skip
