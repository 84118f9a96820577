"""Samples of ``adjoint/ops/joining.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
VECTOR = np.ones(3)
SCALAR = np.ones(())
TYPES = ("float32", "float64", "complex128", "int64", "bool")
NOT_A_LIST = wrong(TypeError, "must be tuple of Tensors, not Tensor", MATRIX)
NOT_TENSORS = wrong(TypeError, "expected Tensor as element 1 .* got int", [MATRIX, 1])
NOTHING = wrong(RuntimeError, "expected a non-empty list", [])
RANKS = wrong(RuntimeError, "same number of dimensions: got 2 and 1", [MATRIX, VECTOR])
SIZES = wrong(RuntimeError, "Expected size 3 but got size 4", [MATRIX, np.ones((2, 4))])

case(
    "cat", rows="cat",
    samples=lambda make: [
        sample([make(2, 3), make(4, 3)]),
        sample([make(2, 3), make(2, 1), make(2, 2)], 1),
        sample((make(3),), dim=-1),
        sample([make(0, 3), make(2, 3)]),
        sample([make(0), make(2, 3)], 1),
        sample([make(0), make(0)]),
        sample([make(2), make(2, dtype="float32")], axis=0),
        sample([make(2), np.array([1, 2])]),
    ],
    errors=[
        NOT_A_LIST, NOT_TENSORS, RANKS, SIZES,
        wrong(ValueError, "expected a non-empty list", []),
        wrong(RuntimeError, r"zero-dimensional tensor \(at position 0\)", [SCALAR]),
        wrong(IndexError, "Dimension out of range", [MATRIX], 2),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "stack", rows="stack",
    samples=lambda make: [
        sample([make(2, 3), make(2, 3)]),
        sample([make(2, 3), make(2, 3)], 1),
        sample((make(3), make(3)), dim=-1),
        sample([make(), make()]),
        sample([make(0), make(0)], 1),
    ],
    errors=[
        NOT_A_LIST, NOT_TENSORS, NOTHING,
        wrong(RuntimeError, r"equal size, but got \[2, 3\] at entry 0 and \[3\]", [MATRIX, VECTOR]),
        wrong(IndexError, "Dimension out of range", [MATRIX], 3),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "hstack", rows="cat",
    samples=lambda make: [
        sample([make(2, 3), make(2, 1)]),
        sample([make(2), make(3)]),
        sample([make(), make(2)]),
    ],
    errors=[NOT_A_LIST, NOTHING, RANKS],
)  # fmt: skip
case(
    "vstack", rows="cat unsqueeze",
    samples=lambda make: [
        sample([make(2, 3), make(3)]),
        sample([make(3), make(3)]),
        sample([make(), make()]),
    ],
    errors=[NOT_A_LIST, NOTHING, SIZES],
)  # fmt: skip
case(
    "dstack", rows="cat unsqueeze",
    samples=lambda make: [
        sample([make(2, 3), make(2, 3)]),
        sample([make(3), make(3)]),
        sample([make(), make()]),
        sample([make(2, 3, 1), make(2, 3)]),
    ],
    errors=[NOT_A_LIST, NOTHING, SIZES],
)  # fmt: skip
case(
    "column_stack", rows="cat",
    samples=lambda make: [
        sample([make(3), make(3, 2)]),
        sample([make(3), make(3)]),
        sample([make(), make()]),
    ],
    errors=[
        NOT_A_LIST, NOTHING,
        wrong(RuntimeError, "Expected size 2 but got size 3", [MATRIX, VECTOR]),
    ],
)  # fmt: skip
case(
    "block_diag", rows="block_diag",
    samples=lambda make: [
        sample(make(2, 3), make(1, 2)),
        sample(make(2), make()),
        sample(make(2, 2)),
        sample(make(0, 2), make(2, 1)),
    ],
    errors=[wrong(RuntimeError, r"input 0 has shape \[2, 3, 4\]", np.ones((2, 3, 4)))],
)  # fmt: skip
for _name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    case(
        _name, rows="reshape unsqueeze" if _name != "atleast_1d" else "reshape",
        samples=lambda make: [
            sample(make()),
            sample(make(3)),
            sample(make(2, 3)),
            sample(make(2, 3, 4)),
            sample(make(), make(2)),
            sample([make(2), make()]),
        ],
        errors=[wrong(TypeError, "expected Tensor as element 0", 1.0)],
    )  # fmt: skip
