"""Samples of ``adjoint/ops/powers.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong
from tests.samples.elementwise import (
    BOOLEANS,
    INTEGERS,
    MISMATCH,
    NOT_A_TENSOR,
    NOT_AN_OPERAND,
    ONES,
    REAL,
    TYPES,
    corners,
    unary,
)


def of_tensors(make):
    low = 0.5 if make.dtype.kind != "i" else 0
    return [
        sample(make(2, 3, low=0.5), make(2, 3, low=low)),
        sample(make(2, 1, low=0.5), make(3, low=low)),
        sample(make(low=0.5), make(2, 2, low=low)),
        sample(make(0, 3), make(1, 3, low=low)),
        kink(corners(make, 0.0, 0.0, 2.0, 0.0, 3.0), corners(make, 0.0, 2.0, 0.0, 1.0, 3.0)),
    ]


def of_number(exponents):
    def samples(make):
        low = 0.5 if make.dtype.kind != "c" else -2.0
        return [
            *[sample(make(2, 3, low=low), exponent) for exponent in exponents],
            sample(make(low=low), exponents[0]),
            sample(make(0, 3), exponents[0]),
        ]

    return samples


def whole(make):
    """Whole exponents, of negative numbers and zero too."""
    return [
        *[sample(make(2, 3), exponent) for exponent in (0, 1, 3, 4)],
        kink(corners(make, 0.0, -1.0, 2.0), 0),
        kink(corners(make, 0.0, -1.0, 2.0), 3),
        kink(corners(make, 0.0, -1.0, 2.0), 1),
    ]


def of_base(make):
    low = -2.0 if make.dtype.kind != "i" else 0.0
    return [
        sample(2, make(2, 3, low=low)),
        sample(2.5, make(low=low)),
        sample(1.5, make(0, 3)),
        kink(0, corners(make, 0.0, 1.0, 2.0)),
    ]


case("pow", samples=of_tensors, dtypes=REAL, errors=[MISMATCH, NOT_AN_OPERAND])
case(
    "pow", variant="number", rows="pow_number", samples=of_number((2.5, 0.5, -0.5, -1, -2, 3)),
    dtypes=TYPES, errors=[wrong(RuntimeError, "negative integer powers", INTEGERS, -1)],
)  # fmt: skip
case(
    "pow", variant="whole number", rows="pow_number", samples=whole, dtypes=REAL,
    errors=[wrong(TypeError, "must be Tensor", "word", 2)],
)  # fmt: skip
case(
    "pow", variant="of a number", rows="number_pow", samples=of_base, dtypes=REAL,
    errors=[wrong(TypeError, "must be Tensor", 2, "word")],
)  # fmt: skip
case(
    "pow", variant="of complex numbers", rows="pow", errorless="see pow",
    samples=lambda make: [
        sample(make(2, 3, dtype="complex128"), make(2, 3, dtype="complex128")),
        sample(make(2, 3, low=0.5), make(3, dtype="complex128")),
        sample(make(2, 1, dtype="complex128"), make(3)),
        sample(make(dtype="complex128"), make(dtype="complex128")),
        sample(make(0, 3, dtype="complex128"), make(3)),
        kink(np.array([0, 0, 1j]), np.array([2 + 0j, 3, 2])),
    ],
)  # fmt: skip
case(
    "pow", variant="of a number, complex", rows="number_pow", errorless="see pow (of a number)",
    samples=lambda make: [
        sample(2, make(2, 3, dtype="complex128")),
        sample(0.5, make(dtype="complex128")),
        sample(1 + 2j, make(3)),
        kink(0, np.array([2 + 0j, 1 + 0j])),
    ],
)  # fmt: skip
case("square", samples=unary(0.0), dtypes=TYPES, errors=[NOT_A_TENSOR])
case(
    "float_power", rows="pow pow_number", dtypes=("float32", "float64"),
    samples=lambda make: [
        sample(make(2, 3, low=0.5), make(3, low=0.5)),
        sample(make(2, 3, low=0.5), 2.5),
        sample(make(0, 2), 3),
    ],
    errors=[wrong(RuntimeError, r"must match", ONES, np.ones(2))],
)  # fmt: skip
case(
    "float_power", variant="of a number", rows="number_pow",
    samples=lambda make: [sample(2, make(2, 3)), sample(0.5, make())],
    errors=[wrong(TypeError, "must be Tensor", 2, "word")],
)  # fmt: skip
case("rsqrt", samples=unary(low=0.3), dtypes=TYPES, errors=[NOT_A_TENSOR])
case("reciprocal", samples=unary(low=0.3), dtypes=TYPES, errors=[NOT_A_TENSOR])
case(
    "pow", variant="booleans", rows="pow",
    samples=lambda make: [sample(make(3, dtype="int64", low=0), make(3, dtype="bool"))],
    errors=[wrong(NotImplementedError, "bool", BOOLEANS, BOOLEANS)],
    differentiable=False, note="integers have no derivative",
)  # fmt: skip
case(
    "Tensor.float_power_", rows="pow_number",
    samples=lambda make: [
        sample(make(2, 3, low=0.5, dtype="float64"), 2.5),
        sample(make(low=0.5, dtype="float64"), 3),
    ],
    errors=[wrong(RuntimeError, "double precision", np.ones(3, np.float32), 2)],
)  # fmt: skip
