"""Samples of ``adjoint/ops/bitwise.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong
from tests.samples.elementwise import BOOLEANS, INTEGERS, NOT_A_TENSOR, NOT_AN_OPERAND, ONES

FACTS = {"differentiable": False, "note": "integers have no derivative", "dtypes": ("int64",)}
FLOATS = wrong(NotImplementedError, "float64", ONES, ONES)
SHAPES = wrong(RuntimeError, r"\(3\) must match .*\(2\)", INTEGERS, np.ones(2, np.int64))
KINDS = ("int64", "int32", "int16", "int8", "uint8")


def whole(kinds, number=None, low=-9.0, high=9.0):
    """Pairs of each of these types, broadcast, and with a number on either side."""

    def samples(make):
        def some(*shape, dtype):
            return make(*shape, low=low, high=high, dtype=dtype)

        found = []
        for kind in kinds:
            found += [
                sample(some(2, 3, dtype=kind), some(2, 3, dtype=kind)),
                sample(some(2, 1, dtype=kind), some(dtype=kind)),
                sample(some(0, 3, dtype=kind), some(3, dtype=kind)),
                sample(some(2, 3, dtype=kind), some(3, dtype="int16")),
            ]
            if number is not None:
                found += [sample(some(3, dtype=kind), number), sample(number, some(3, dtype=kind))]
        return found

    return samples


for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    case(
        name, samples=whole((*KINDS, "bool"), number=5), errors=[FLOATS, SHAPES, NOT_AN_OPERAND],
        **FACTS,
    )  # fmt: skip
case(
    "bitwise_not", **FACTS, errors=[NOT_A_TENSOR, wrong(NotImplementedError, "float64", ONES)],
    samples=lambda make: [
        sample(make(*shape, low=-9.0, high=9.0, dtype=kind))
        for kind in (*KINDS, "bool") for shape in ((2, 3), (), (0, 3))
    ],
)  # fmt: skip


def shifts(make):
    return [
        *whole(KINDS, number=2, low=0.0, high=6.0)(make),
        sample(np.array([1, -1, 8, -8]), np.array([63, 64, -1, 70])),
        sample(np.array([1, -1, 8, -8], np.int8), np.array([7, 9, -1, 3], np.int8)),
    ]


for name in ("bitwise_left_shift", "bitwise_right_shift"):
    case(
        name, samples=shifts, **FACTS,
        errors=[FLOATS, SHAPES, wrong(NotImplementedError, "bool", BOOLEANS, BOOLEANS)],
    )  # fmt: skip
for name in ("gcd", "lcm"):
    case(
        name, samples=whole(KINDS, low=-20.0, high=20.0), **FACTS,
        errors=[FLOATS, SHAPES, wrong(TypeError, "must be Tensor", INTEGERS, 2)],
    )  # fmt: skip
