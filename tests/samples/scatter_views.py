"""Samples of ``adjoint/ops/scatter_views.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
VECTOR = np.ones(3)
SHORT = r"src size = \[2\], slice size = \[3\]"

case(
    "select_scatter",
    samples=lambda make: [
        sample(make(2, 3), make(3), 0, 1),
        sample(make(2, 3), make(2), -1, -1),
        sample(make(3), make(), 0, 0),
    ],
    errors=[
        wrong(RuntimeError, SHORT, MATRIX, np.ones(2), 0, 0),
        wrong(IndexError, "index 2 out of range", MATRIX, VECTOR, 0, 2),
        wrong(IndexError, "cannot be applied to a 0-dim tensor", np.ones(()), np.ones(()), 0, 0),
    ],
)  # fmt: skip
case(
    "slice_scatter",
    samples=lambda make: [
        sample(make(4), make(2), 0, 1, 3),
        sample(make(2, 5), make(2, 2), 1, 0, 4, 2),
        sample(make(2, 3), make(2, 3)),
        sample(make(4), make(2), start=-2),
        sample(make(4), make(0), 0, 3, 1),
    ],
    errors=[
        wrong(RuntimeError, r"src size = \[3\], slice size = \[2, 3\]", MATRIX, VECTOR),
        wrong(RuntimeError, "step must be positive, not 0", MATRIX, MATRIX, step=0),
        wrong(IndexError, "Dimension out of range", MATRIX, MATRIX, 2),
    ],
)  # fmt: skip
case(
    "diagonal_scatter",
    samples=lambda make: [
        sample(make(3, 3), make(3)),
        sample(make(2, 3), make(2), 1),
        sample(make(2, 3, 4), make(3, 2), 0, 0, 2),
    ],
    errors=[
        wrong(RuntimeError, r"src size = \[3\], slice size = \[2\]", MATRIX, VECTOR),
        wrong(RuntimeError, "cannot be identical", MATRIX, VECTOR, 0, 1, 1),
    ],
)  # fmt: skip
case(
    "as_strided_scatter",
    samples=lambda make: [
        sample(make(2, 3), make(2), (2,), (2,)),
        sample(make(6), make(2, 2), (2, 2), (3, 1), 1),
    ],
    errors=[wrong(RuntimeError, r"src size = \[3\], slice", MATRIX, VECTOR, (2,), (1,))],
    differentiable=False, layouts=False,
    note="PyTorch 2.13's own gradient is wrong: what is kept of the input gets zeros, and what "
    "is overwritten the gradient; the row's is that of the other scatters. It looks at memory",
)  # fmt: skip
