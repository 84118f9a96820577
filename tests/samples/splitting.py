"""Samples of ``adjoint/ops/splitting.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
SCALAR = np.ones(())
AT_LEAST_1 = r"at least a 1-dimensional tensor"
NOT_DIVISIBLE = "is not divisible by the split_size 2"

case(
    "split", rows="split split_with_sizes",
    samples=lambda make: [
        sample(make(5, 2), 2),
        sample(make(2, 5), 3, 1),
        sample(make(2, 5), 7, dim=-1),
        sample(make(0, 2), 0),
        sample(make(5), [1, 4]),
        sample(make(2, 5), (2, 0, 3), 1),
    ],
    errors=[
        wrong(RuntimeError, "split_size be non-negative.*split_size=-1", MATRIX, -1),
        wrong(RuntimeError, "0 only for an empty dimension", MATRIX, 0),
        wrong(RuntimeError, AT_LEAST_1, SCALAR, 1),
        wrong(RuntimeError, r"sum exactly to 3.*split_sizes=\[1, 1\]", MATRIX, [1, 1], 1),
        wrong(RuntimeError, "only non-negative entries", MATRIX, [-1, 4], 1),
        wrong(TypeError, "integer", MATRIX, 2.0),
    ],
    dtypes=("float64", "complex128", "int64", "bool"),
)  # fmt: skip
case(
    "split_with_sizes", rows="split_with_sizes",
    samples=lambda make: [sample(make(5), [1, 4]), sample(make(2, 5), [5, 0], 1)],
    errors=[
        wrong(RuntimeError, r"sum exactly to 3", MATRIX, [1, 1], 1),
        wrong(RuntimeError, AT_LEAST_1, SCALAR, [1]),
    ],
)  # fmt: skip
case(
    "chunk", rows="split split_with_sizes",
    samples=lambda make: [
        sample(make(5), 2),
        sample(make(2, 5), 3, 1),
        sample(make(2), 5),
        sample(make(0, 2), 3),
    ],
    errors=[
        wrong(RuntimeError, "`chunks` to be greater than 0, got: 0", MATRIX, 0),
        wrong(RuntimeError, AT_LEAST_1, SCALAR, 1),
    ],
)  # fmt: skip
case(
    "unbind", rows="unbind",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 1),
        sample(make(3), dim=-1),
        sample(make(2, 0)),
    ],
    errors=[
        wrong(IndexError, "Dimension specified as 0 but tensor has no dimensions", SCALAR),
        wrong(IndexError, "Dimension out of range", MATRIX, 2),
    ],
)  # fmt: skip
case(
    "tensor_split", rows="slice",
    samples=lambda make: [
        sample(make(5), 2),
        sample(make(2, 5), 3, 1),
        sample(make(2, 5), (1, 3), dim=1),
        sample(make(5), [3, 1, 9]),
        sample(make(5), [-2]),
        sample(make(0), 2),
    ],
    errors=[
        wrong(RuntimeError, "number of sections must be larger than 0, got 0", MATRIX, 0),
        wrong(RuntimeError, AT_LEAST_1, SCALAR, 1),
        wrong(RuntimeError, "torch.int64, but got torch.float64", MATRIX, np.ones(1)),
    ],
)  # fmt: skip
case(
    "hsplit", rows="slice",
    samples=lambda make: [sample(make(4), 2), sample(make(2, 4), [1]), sample(make(2, 4, 1), 2)],
    errors=[
        wrong(RuntimeError, NOT_DIVISIBLE, MATRIX, 2),
        wrong(RuntimeError, "at least 1 dimension, but got a tensor with 0", SCALAR, 1),
    ],
)  # fmt: skip
case(
    "vsplit", rows="slice",
    samples=lambda make: [sample(make(4, 2), 2), sample(make(4, 2), (1, 2))],
    errors=[
        wrong(RuntimeError, NOT_DIVISIBLE, MATRIX.T, 2),
        wrong(RuntimeError, "at least 2 dimension, but got a tensor with 1", np.ones(4), 1),
    ],
)  # fmt: skip
case(
    "dsplit", rows="slice",
    samples=lambda make: [sample(make(1, 2, 4), 2), sample(make(1, 2, 4), [1])],
    errors=[
        wrong(RuntimeError, NOT_DIVISIBLE, np.ones((1, 2, 3)), 2),
        wrong(RuntimeError, "at least 3 dimension, but got a tensor with 2", MATRIX, 1),
    ],
)  # fmt: skip
