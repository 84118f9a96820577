"""Samples of ``adjoint/ops/writing.py``: plain writes, and shapes changed in place."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
CUBE = np.ones((2, 3, 4))
TYPES = ("float32", "float64", "complex128", "int64", "bool")
OUT_OF_RANGE = "Dimension out of range"


def values(make):
    return [
        sample(make(2, 3), 2.5),
        sample(make(2, 3), make()),
        sample(make(), True),
        sample(make(0, 2), 1),
    ]


BAD_VALUES = [
    wrong(RuntimeError, r"value tensor, but got one of shape \[3\]", MATRIX, np.ones(3)),
    wrong(RuntimeError, "cannot be converted", MATRIX, 1j),
    wrong(TypeError, "a value to fill with is a number, not str", MATRIX, "one"),
]

case("fill", rows="fill fill_tensor", samples=values, errors=BAD_VALUES, in_place=False)
case(
    "fill_", rows="fill_in_place fill_tensor_in_place", samples=values, errors=BAD_VALUES,
)  # fmt: skip
case(
    "zero_", rows="zero",
    samples=lambda make: [sample(make(2, 3)), sample(make()), sample(make(0))],
    errors=[wrong(TypeError, "only Tensors are written in place", 1.0)], dtypes=TYPES,
)  # fmt: skip
case(
    "Tensor.copy_", rows="copy",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(3)),
        sample(make(2, 3), make(1, 1)),
        sample(make(2, 3), make()),
        sample(make(2, 3), np.arange(3)),
        sample(make(), make()),
        sample(make(0, 3), make(3)),
        sample(make(2, 3), make(3), non_blocking=True),
    ],
    errors=[
        wrong(RuntimeError, r"shape \[2, 3\] doesn't match the broadcast", MATRIX, CUBE[:, :1, :3]),
        wrong(RuntimeError, "size of tensor a", MATRIX, np.ones(2)),
        wrong(TypeError, "src must be a Tensor, not list", MATRIX, [1.0]),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "Tensor.fill_diagonal_", rows="",
    samples=lambda make: [
        sample(make(3, 3), 2.0),
        sample(make(2, 4), 1),
        sample(make(7, 2), 1.5),
        sample(make(7, 2), 1.5, True),
        sample(make(7, 2), 1.5, wrap=True),
        sample(make(2, 2, 2), -1.0),
    ],
    errors=[
        wrong(RuntimeError, "needs 2 dimensions", np.ones(3), 1.0),
        wrong(RuntimeError, "all sizes must be equal", CUBE, 1.0),
    ],
)  # fmt: skip
case(
    "Tensor.t_", rows="t",
    samples=lambda make: [sample(make(2, 3)), sample(make(3)), sample(make())],
    errors=[wrong(RuntimeError, r"t\(\) expects a tensor with <= 2 dimensions", CUBE)],
)  # fmt: skip
for _name in ("transpose_", "swapdims_"):
    case(
        f"Tensor.{_name}", rows="transpose",
        samples=lambda make: [sample(make(2, 3), 0, 1), sample(make(2, 3, 4), -1, 0)],
        errors=[wrong(IndexError, OUT_OF_RANGE, MATRIX, 0, 2)],
    )  # fmt: skip
case(
    "Tensor.swapaxes_", rows="transpose",
    samples=lambda make: [sample(make(2, 3), 0, 1), sample(make(2, 3, 4), axis0=-1, axis1=0)],
    errors=[wrong(IndexError, OUT_OF_RANGE, MATRIX, 0, 2)],
)  # fmt: skip
case(
    "Tensor.squeeze_", rows="squeeze",
    samples=lambda make: [sample(make(1, 3)), sample(make(1, 3, 1), 0), sample(make(1, 3), (0, 1))],
    errors=[wrong(IndexError, OUT_OF_RANGE, MATRIX, 2)],
)  # fmt: skip
case(
    "Tensor.unsqueeze_", rows="unsqueeze",
    samples=lambda make: [sample(make(2, 3), 0), sample(make(3), -1)],
    errors=[wrong(IndexError, OUT_OF_RANGE, MATRIX, 3)],
)  # fmt: skip
case(
    "Tensor.as_strided_", rows="as_strided",
    samples=lambda make: [sample(make(2, 3), (3,), (2,)), sample(make(6), (2, 2), (3, 1), 1)],
    errors=[wrong(RuntimeError, "the memory holds 6", MATRIX, (3,), (4,))],
    layouts=False, note="it looks at memory, however the tensor does",
)  # fmt: skip
DISTINCT = np.array([1, 0])
case(
    "Tensor.index_put_", rows="index_put",
    samples=lambda make: [
        sample(make(2, 3), (DISTINCT,), make(2, 3)),
        sample(make(2, 3), [np.array([0, 0, 1])], make(3, 3), True),
        sample(make(2, 3), (DISTINCT, np.array([2, 0])), make(), accumulate=True),
    ],
    errors=[
        wrong(TypeError, "expected Tensor as element 0", MATRIX, (None,), np.ones(())),
        wrong(IndexError, "out of bounds", MATRIX, (np.array([2]),), np.ones(())),
        wrong(RuntimeError, "dtypes match", MATRIX, (DISTINCT,), np.ones((), np.float32)),
    ],
)  # fmt: skip
