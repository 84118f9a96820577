"""Samples of ``adjoint/ops/transcendental.py``."""

from tests.samples.case import case, kink, sample, wrong
from tests.samples.elementwise import (
    COMPLEX,
    INF,
    INTEGERS,
    LIMITS,
    MISMATCH,
    NAN,
    NO_COMPLEX,
    NO_NUMBER,
    NOT_A_TENSOR,
    REAL,
    TYPES,
    binary,
    corners,
    unary,
    with_options,
)

VALUES_ONLY = "values only: the derivatives at limits are not numbers"


def limits(make):
    # A complex number at a limit has four neighbours, about which libraries differ.
    return [sample(corners(make, *(LIMITS if make.dtype.kind != "c" else (1.0, 2.0))))]


for name, low, high in (
    ("exp", -2.0, 2.0), ("exp2", -2.0, 2.0), ("expm1", -2.0, 2.0),
    ("log", 0.2, 4.0), ("log2", 0.2, 4.0), ("log10", 0.2, 4.0), ("log1p", -0.8, 4.0),
    ("sqrt", 0.3, 4.0),
    ("sigmoid", -4.0, 4.0),
):  # fmt: skip
    case(
        name, samples=unary(low=low, high=high), dtypes=TYPES, errors=[NOT_A_TENSOR],
    )  # fmt: skip
    case(
        name, variant="limits", samples=limits, dtypes=REAL, errors=[NOT_A_TENSOR],
        differentiable=False, note=VALUES_ONLY,
    )  # fmt: skip
case(
    "sigmoid", variant="many elements", dtypes=("float32", "float64"), errors=[NOT_A_TENSOR],
    samples=lambda make: [sample(make(20, 20, low=-30.0, high=30.0))],
)  # fmt: skip
case(
    "logit", dtypes=REAL, errors=[NO_COMPLEX, NOT_A_TENSOR],
    samples=lambda make: [
        *unary(low=0.1, high=0.9)(make),
        *with_options(0.2, low=0.0, high=1.0)(make),
        kink(corners(make, 0.25, 0.75, 0.1, 0.0, 1.0), eps=0.25),
    ],
)  # fmt: skip
case(
    "logaddexp", samples=binary(), dtypes=TYPES, tolerance=1e-5,
    errors=[MISMATCH, NO_NUMBER, wrong(NotImplementedError, "int64", INTEGERS, INTEGERS)],
)  # fmt: skip
case(
    "logaddexp2", samples=binary(), dtypes=REAL,
    errors=[MISMATCH, NO_NUMBER, wrong(NotImplementedError, "int64", INTEGERS, INTEGERS)],
)  # fmt: skip
for name in ("logaddexp", "logaddexp2"):
    case(
        name, variant="limits", dtypes=REAL, errors=[MISMATCH],
        samples=lambda make: [
            sample(corners(make, INF, -INF, INF, 0.0), corners(make, INF, -INF, -INF, -INF)),
        ],
        differentiable=False, note=VALUES_ONLY,
    )  # fmt: skip
case(
    "xlogy", rows="xlogy xlogy_number", dtypes=REAL,
    samples=lambda make: [*binary((0.0, 1.0), number=2.5, low=0.3)(make)],
    errors=[MISMATCH, wrong(NotImplementedError, "complex128", COMPLEX, COMPLEX)],
)  # fmt: skip
case(
    "xlogy", variant="of a number", rows="number_xlogy", dtypes=REAL,
    samples=lambda make: [
        sample(2.0, make(2, 3, low=0.3)), sample(0, make(low=0.3)), sample(1, make(0, 3)),
    ],
    errors=[wrong(TypeError, "must be Tensor", 2.0, "word")],
)  # fmt: skip
case(
    "xlogy", variant="limits", dtypes=REAL, errors=[MISMATCH],
    samples=lambda make: [
        sample(corners(make, 0.0, 0.0, 1.0, 0.0, NAN), corners(make, 0.0, -1.0, 0.0, NAN, 0.0)),
    ],
    differentiable=False, note=VALUES_ONLY,
)  # fmt: skip
