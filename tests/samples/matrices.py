"""Samples of ``adjoint/ops/matrices.py``."""

import numpy as np

from adjoint.errors import LinAlgError
from tests.samples.case import case, sample, wrong

ONES = np.ones
FLOATS = ("float32", "float64", "complex128")
INTEGERS = np.eye(2, dtype=np.int64)
SINGULAR = ONES((2, 2))


def regular(make, *lead, size=3):
    """Matrices that are far from singular."""
    return make(*lead, size, size) + np.asarray(4 * np.eye(size), make.dtype)


def stacks(make):
    return [
        sample(regular(make)),
        sample(regular(make, 2)),
        sample(regular(make, 2, 1, size=2)),
        sample(make(0, 0)),
        sample(make(0, 2, 2)),
    ]


def shapes(*more):
    """What is wrong with other shapes and types, for a function of a matrix and ``more``."""
    return [
        wrong(RuntimeError, "square", ONES((2, 3)), *more),
        wrong(RuntimeError, "at least 2 dimensions", ONES(3), *more),
        wrong(RuntimeError, "floating point or complex", INTEGERS, *more),
        wrong(TypeError, "must be", 3.0, *more),
    ]


HALF = wrong(RuntimeError, "Low precision", np.eye(2, dtype=np.float16))
NO_INVERSE = wrong(LinAlgError, "singular", SINGULAR)
for name in ("linalg.inv", "inverse"):
    case(
        name, rows="linalg_inv_ex", samples=stacks, dtypes=FLOATS,
        errors=[*shapes(), HALF, NO_INVERSE],
    )  # fmt: skip
for name in ("linalg.slogdet", "slogdet", "logdet"):
    case(name, rows="linalg_slogdet", samples=stacks, dtypes=FLOATS, errors=[*shapes(), HALF])
for name in ("linalg.det", "det"):
    case(
        name, rows="linalg_det", samples=stacks, dtypes=FLOATS,
        errors=[*shapes(), wrong(NotImplementedError, "float16", np.eye(2, dtype=np.float16))],
    )  # fmt: skip


def equations(make):
    return [
        sample(regular(make), make(3, 2)),
        sample(regular(make), make(3)),
        sample(regular(make), make(2, 3), left=False),
        sample(regular(make, 2), make(3, 2)),
        sample(regular(make, 2), make(2, 3)),
        sample(regular(make, 2, 1), make(3, 3, 1)),
        sample(regular(make), make(2, 3, 2)),
        sample(make(0, 0), make(0, 2)),
        sample(regular(make), make(3, 0)),
    ]


EYE = np.eye(3)
case(
    "linalg.solve", rows="linalg_solve_ex", samples=equations, dtypes=FLOATS,
    errors=[
        *shapes(ONES((2, 2))),
        wrong(LinAlgError, "singular", SINGULAR, SINGULAR),
        wrong(RuntimeError, "same dtype", EYE, ONES(3, np.float32)),
        wrong(RuntimeError, "AX = B", EYE, ONES((2, 2))),
        wrong(RuntimeError, "XA = B", EYE, ONES((3, 2)), left=False),
        wrong(RuntimeError, "XA = B", EYE, ONES(3), left=False),
        wrong(RuntimeError, "match", np.stack([EYE] * 2), ONES((3, 3, 2))),
    ],
)  # fmt: skip
for name in ("linalg.matrix_power", "matrix_power"):
    case(
        name, rows="matmul linalg_inv_ex", dtypes=FLOATS,
        samples=lambda make: [
            *[sample(regular(make), n) for n in (0, 1, 2, 3, 5, -1, -2)],
            sample(regular(make, 2), 4),
            sample(make(0, 0), 2),
        ],
        errors=[
            *shapes(2)[:2],
            wrong(LinAlgError, "singular", SINGULAR, -1),
            wrong(TypeError, "n must be int", EYE, 1.5),
        ],
    )  # fmt: skip
case(
    "linalg.tensorinv", rows="linalg_inv_ex",
    samples=lambda make: [
        sample(regular(make, size=4).reshape(4, 2, 2), ind=1),
        sample(regular(make, size=6).reshape(2, 3, 6)),
        sample(regular(make, size=4).reshape(2, 2, 2, 2), 2),
    ],
    errors=[
        wrong(RuntimeError, "multiply up", ONES((2, 3, 4))),
        wrong(RuntimeError, "strictly positive", ONES((2, 2)), 0),
        wrong(LinAlgError, "singular", ONES((4, 2, 2)), 1),
    ],
)  # fmt: skip
case(
    "linalg.tensorsolve", rows="linalg_solve_ex",
    samples=lambda make: [
        sample(regular(make, size=4).reshape(2, 2, 4), make(2, 2)),
        sample(regular(make, size=6).reshape(2, 3, 3, 2), make(2, 3)),
        sample(regular(make, size=4).reshape(4, 2, 2).transpose(1, 0, 2), make(4), dims=(0, 2)),
    ],
    errors=[
        wrong(RuntimeError, "satisfy prod", ONES((2, 2, 3)), ONES((2, 2))),
        wrong(LinAlgError, "singular", ONES((2, 2, 4)), ONES((2, 2))),
    ],
)  # fmt: skip
