"""Samples of ``adjoint/ops/factors.py``.

Vectors have a sign that is arbitrary: of square matrices in double precision NumPy's is PyTorch's.
"""

import numpy as np

from adjoint.errors import LinAlgError
from tests.samples.case import case, kink, sample, wrong

ONES = np.ones
FLOATS = ("float32", "float64", "complex128")
EYE = np.eye(2)
HALF = np.eye(2, dtype=np.float16)


def positive(make, *lead, size=3):
    """Positive definite matrices; finite differences would leave them, so that these are kinks."""
    x = make(*lead, size, size)
    turned = x.swapaxes(-1, -2).conj()
    return x @ turned + np.asarray(3 * np.eye(size), make.dtype)


def lower(make, *lead, size=3):
    """Triangular matrices that are far from singular."""
    return np.tril(make(*lead, size, size)) + np.asarray(4 * np.eye(size), make.dtype)


def symmetric(make, *lead, size=3):
    """Symmetric matrices with eigenvalues that are apart."""
    x = make(*lead, size, size, low=-0.6, high=0.6)
    turned = x.swapaxes(-1, -2).conj()
    return (x + turned + np.diag(3.0 * np.arange(size))).astype(make.dtype)


def shapes(name_of_half=NotImplementedError):
    return [
        wrong(RuntimeError, "at least 2 dimensions", ONES(3)),
        wrong(name_of_half, "float16", HALF),
    ]


SQUARE = wrong(RuntimeError, "square", ONES((2, 3)))
INTEGERS = wrong(RuntimeError, "floating point or complex", np.eye(2, dtype=np.int64))
WHOLE = wrong(NotImplementedError, "torch.int64", np.eye(2, dtype=np.int64))
NOT_POSITIVE = wrong(LinAlgError, "not positive-definite", -EYE)


def of_positive(make):
    return [
        kink(positive(make)),
        kink(positive(make, 2)),
        kink(positive(make), upper=True),
        sample(positive(make, 3, size=1)),
        kink(make(0, 0)),
    ]


for name, whole in (("linalg.cholesky", INTEGERS), ("cholesky", WHOLE)):
    case(
        name, rows="linalg_cholesky_ex", samples=of_positive, dtypes=("float32", "float64"),
        errors=[*shapes(), SQUARE, whole, NOT_POSITIVE],
    )  # fmt: skip
case(
    "linalg.solve_triangular", rows="linalg_solve_ex tril triu", dtypes=FLOATS,
    samples=lambda make: [
        sample(lower(make), make(3, 2), upper=False),
        sample(lower(make).T, make(3, 2), upper=True),
        sample(lower(make) + make(3, 3), make(2, 3), upper=False, left=False),
        sample(lower(make, 2), make(3, 2), upper=False, unitriangular=True),
        sample(lower(make), make(2, 3, 1), upper=True),
    ],
    errors=[
        wrong(RuntimeError, "square", ONES((2, 3)), ONES((2, 3)), upper=True),
        wrong(RuntimeError, "AX = B", EYE, ONES((3, 2)), upper=True),
        wrong(RuntimeError, "XA = B", EYE, ONES((2, 3)), upper=True, left=False),
    ],
)  # fmt: skip


def tall_and_wide(make, *options):
    return [
        sample(make(4, 3), *options),
        sample(make(3, 3), *options),
        sample(make(2, 3, 2), *options),
    ]


case(
    "linalg.qr", rows="linalg_qr", dtypes=("float32", "float64"),
    samples=lambda make: [
        *tall_and_wide(make),
        sample(make(2, 4)),
        sample(make(2, 2, 3)),
        sample(make(2, 3), "complete"),
        sample(make(3, 3), "complete"),
        sample(make(0, 0)),
    ],
    tolerance=1e-9,
    errors=[*shapes(), INTEGERS, wrong(RuntimeError, "mode is", EYE, "full")],
)  # fmt: skip
case(
    "linalg.qr", variant="complete, r", rows="linalg_qr", dtypes=("float32", "float64"),
    samples=lambda make: [
        sample(make(4, 3), "complete"), sample(make(4, 3), "r"), sample(make(2, 3), "r"),
    ],
    differentiable=False, note="PyTorch has no derivative", errorless="see linalg.qr",
    batched=True,
)  # fmt: skip
case(
    "qr", rows="linalg_qr", dtypes=("float32", "float64"), samples=tall_and_wide, tolerance=1e-9,
    errors=[*shapes(), INTEGERS],
)  # fmt: skip


def of_symmetric(make):
    return [
        kink(symmetric(make)),
        kink(symmetric(make, 2)),
        kink(symmetric(make), "U"),
        sample(symmetric(make, 3, size=1)),
        kink(make(0, 0)),
    ]


for name in ("linalg.eigh", "linalg.eigvalsh"):
    case(
        name, rows="linalg_eigh", samples=of_symmetric, dtypes=("float64",),
        tolerance=1e-9, errors=[*shapes(), SQUARE, WHOLE, wrong(RuntimeError, "UPLO", EYE, "x")],
    )  # fmt: skip
case(
    "linalg.svdvals", rows="linalg_svd", dtypes=FLOATS, tolerance=1e-9,
    samples=lambda make: [*tall_and_wide(make), sample(make(2, 4)), sample(make(0, 2))],
    errors=[*shapes(), INTEGERS],
)  # fmt: skip
case(
    "linalg.svd", rows="linalg_svd", dtypes=("float64",), tolerance=1e-9,
    samples=lambda make: [
        sample(make(3, 3)), sample(make(2, 2, 2), full_matrices=False), sample(make(0, 0)),
    ],
    errors=[*shapes(), INTEGERS],
)  # fmt: skip
case(
    "svd", rows="linalg_svd", dtypes=("float64",), tolerance=1e-9,
    samples=lambda make: [sample(make(3, 3)), sample(make(2, 2, 2), False)],
    errors=[*shapes(), INTEGERS],
)  # fmt: skip
