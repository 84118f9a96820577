"""Samples of ``adjoint/ops/selection.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong
from tests.samples.elementwise import (
    COMPLEX,
    INTEGERS,
    MISMATCH,
    NAN,
    NO_NUMBER,
    ONES,
    REAL,
    TYPES,
    binary,
    corners,
)

MASK = np.array([True, False, True])


def choices(make):
    flags = make(2, 3, dtype="bool")
    return [
        sample(flags, make(2, 3), make(2, 3)),
        sample(MASK, make(2, 1), make()),
        sample(make(dtype="bool"), make(2, 2), make(2)),
        sample(flags, make(2, 3), 2),
        sample(flags, 0.5, make(2, 3)),
        sample(flags, make(), 1.5),
        sample(make(0, 3, dtype="bool"), make(1, 3), make(3)),
        sample(MASK, 1, 0.5),
        sample(MASK, make(3), np.arange(3)),
    ]


case(
    "where", samples=choices, dtypes=TYPES,
    errors=[
        wrong(RuntimeError, "a boolean tensor, but got .*int64", INTEGERS, ONES, ONES),
        wrong(RuntimeError, "must match", MASK, ONES, np.ones(2)),
        wrong(TypeError, "'other' must be Tensor", MASK, ONES, "word"),
        wrong(TypeError, "'condition' must be Tensor", True, ONES, ONES),
    ],
)  # fmt: skip
case(
    "where", variant="indices", rows="", traced=False, batched=False, differentiable=False,
    samples=lambda make: [
        sample(make(2, 3, dtype="bool")), sample(make(3)), sample(make(0, 2)), sample(make()),
    ],
    errors=[wrong(TypeError, "must be Tensor", 2.0)],
    note="how many there are depends on the values, and indices have no derivative",
)  # fmt: skip
case(
    "Tensor.where", rows="where",
    samples=lambda make: [sample(make(2, 3), MASK, make(3)), sample(make(), MASK, 2.0)],
    errors=[wrong(RuntimeError, "a boolean tensor", ONES, INTEGERS, ONES)],
)  # fmt: skip

# -- the larger and the smaller -----------------------------------------------------------------

TIES = [(1.0, 1.0), (2.0, 1.0), (0.0, -0.0), (1.0, 2.0)]
for name in ("maximum", "minimum", "fmax", "fmin"):
    case(
        name, samples=binary(*TIES), dtypes=REAL,
        errors=[
            MISMATCH, NO_NUMBER,
            wrong(RuntimeError, "not implemented for complex128", COMPLEX, COMPLEX),
        ],
    )  # fmt: skip
    case(
        name, variant="NaN", dtypes=REAL, errors=[NO_NUMBER],
        samples=lambda make: [sample(corners(make, NAN, 1.0, NAN), corners(make, 1.0, NAN, NAN))],
        differentiable=False, note="values only: directions from NaN are not numbers",
    )  # fmt: skip

# -- bounds ---------------------------------------------------------------------------------------


def between_numbers(make):
    return [
        sample(make(2, 3), -1, 1),
        sample(make(), -1, 1),
        sample(make(2, 3), min=0.5),
        sample(make(2, 3), max=0.5),
        sample(make(2, 3), 1, -1),
        sample(make(0, 3), 0, 1),
        kink(corners(make, 0.0, 1.0, 2.0, -1.0, 0.5), 0, 1),
    ]


def between_tensors(make):
    low, high = make(2, 3, high=-0.5), make(2, 3, low=0.5)
    return [
        sample(make(2, 3, low=-4.0, high=4.0), low, high),
        sample(make(2, 3), make(3), make(2, 1)),
        sample(make(2, 2), make(2), make()),
        sample(make(0, 3), make(1, 3), make(3)),
        kink(
            corners(make, 1.0, 2.0, 0.0, 3.0, 5.0),
            corners(make, 1.0, 1.0, 1.0, 2.0, 2.0),
            corners(make, 2.0, 2.0, 2.0, 2.0, 1.0),
        ),
    ]


def with_bound(name):
    def samples(make):
        return [
            sample(make(2, 3), **{name: make(2, 3)}),
            sample(make(2, 1), **{name: make(3)}),
            sample(make(), **{name: make()}),
            sample(make(0, 3), **{name: make(1, 3)}),
            kink(corners(make, 1.0, 2.0, 0.0), **{name: corners(make, 1.0, 1.0, 1.0)}),
        ]

    return samples


def with_number(make):
    return [
        sample(make(2, 3), 1),
        sample(make(), 0.5),
        sample(make(0, 3), 0),
        kink(corners(make, 0.0, 1.0, 2.0), 1),
    ]


WORD = wrong(TypeError, "bounds are numbers or tensors", ONES, "word")
case(
    "clamp", samples=between_numbers, dtypes=REAL,
    errors=[
        wrong(RuntimeError, "At least one of", ONES),
        wrong(TypeError, "not one of each", ONES, ONES, 1.0),
        wrong(NotImplementedError, "complex128", COMPLEX, 0.0, 1.0),
        WORD,
    ],
)  # fmt: skip
case(
    "clamp", variant="tensors", rows="clamp_between", samples=between_tensors, dtypes=REAL,
    errors=[wrong(RuntimeError, "must match", ONES, np.ones(2), ONES)],
)  # fmt: skip
case(
    "clamp", variant="from a tensor", rows="clamp_from", samples=with_bound("min"), dtypes=REAL,
    errors=[MISMATCH],
)  # fmt: skip
case(
    "clamp", variant="to a tensor", rows="clamp_to", samples=with_bound("max"), dtypes=REAL,
    errors=[wrong(RuntimeError, "must match", ONES, max=np.ones(2))],
)  # fmt: skip
for name, option in (("clamp_min", "min"), ("clamp_max", "max")):
    case(name, samples=with_number, dtypes=REAL, errors=[WORD])
    case(
        name, variant="tensor", rows=f"{name}_tensor", samples=with_bound(option), dtypes=REAL,
        errors=[MISMATCH],
    )  # fmt: skip
