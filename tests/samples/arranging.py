"""Samples of ``adjoint/ops/arranging.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
VECTOR = np.ones(3)
SCALAR = np.ones(())
OUT_OF_RANGE = "Dimension out of range"
TYPES = ("float32", "float64", "complex128", "int64", "bool")
REPEATS = np.array([1, 0, 2])

case(
    "flip",
    samples=lambda make: [
        sample(make(3), (0,)),
        sample(make(2, 3), (0, -1)),
        sample(make(2, 3), [1]),
        sample(make(2, 3), ()),
        sample(make(), (0,)),
        sample(make(0, 3), (0,)),
    ],
    errors=[
        wrong(IndexError, OUT_OF_RANGE, MATRIX, (2,)),
        wrong(RuntimeError, "appears multiple times", MATRIX, (0, 0)),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "fliplr", rows="flip", samples=lambda make: [sample(make(2, 3)), sample(make(2, 3, 2))],
    errors=[wrong(RuntimeError, r"Input must be >= 2-d, but its shape is \[3\]", VECTOR)],
)  # fmt: skip
case(
    "flipud", rows="flip", samples=lambda make: [sample(make(2, 3)), sample(make(3))],
    errors=[wrong(RuntimeError, "Input must be >= 1-d", SCALAR)],
)  # fmt: skip
case(
    "roll",
    samples=lambda make: [
        sample(make(4), 1),
        sample(make(2, 3), -2),
        sample(make(2, 3), 1, 1),
        sample(make(2, 3), (1, -1), (0, 1)),
        sample(make(2, 3), shifts=(1, 1), dims=(0, 0)),
        sample(make(), 3),
        sample(make(0, 3), 1, 0),
    ],
    errors=[
        wrong(RuntimeError, "shifts: 1, dims: 2", MATRIX, 1, (0, 1)),
        wrong(RuntimeError, "`shifts` required", MATRIX, ()),
        wrong(IndexError, OUT_OF_RANGE, MATRIX, 1, 2),
        wrong(IndexError, "tensor has no dimensions", SCALAR, 1, 0),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "rot90",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), 2),
        sample(make(2, 3, 2), -1, (1, 2)),
        sample(make(2, 3), k=3, dims=[1, 0]),
        sample(make(2, 3), 4),
        sample(make(0, 3)),
    ],
    errors=[
        wrong(RuntimeError, "expected total dims >= 2", VECTOR),
        wrong(RuntimeError, "expected total rotation dims == 2", MATRIX, 1, (0,)),
        wrong(RuntimeError, "expected rotation dims to be different", MATRIX, 1, (0, 0)),
        wrong(IndexError, OUT_OF_RANGE, MATRIX, 1, (0, 2)),
    ],
)  # fmt: skip
case(
    "Tensor.repeat", rows="repeat",
    samples=lambda make: [
        sample(make(3), 2),
        sample(make(2, 3), 2, 1, 3),
        sample(make(2, 3), (1, 2)),
        sample(make(), 2, 2),
        sample(make(), repeats=()),
        sample(make(3), 0),
        sample(make(0), 2),
    ],
    errors=[
        wrong(RuntimeError, "can not be smaller than number of dimensions", MATRIX, 2),
        wrong(RuntimeError, "negative dimension", VECTOR, -1),
        wrong(TypeError, "needs sizes or dims", VECTOR),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "tile", rows="repeat",
    samples=lambda make: [
        sample(make(2, 3), (2,)),
        sample(make(3), (2, 2)),
        sample(make(), dims=(2,)),
    ],
    errors=[wrong(RuntimeError, "negative dimension", VECTOR, (-1,))],
)  # fmt: skip
case(
    "repeat_interleave", rows="expand clone reshape",
    samples=lambda make: [
        sample(make(3), 2),
        sample(make(2, 3), 2),
        sample(make(2, 3), 2, 1),
        sample(make(2, 3), 3, dim=-2),
        sample(make(), 2),
        sample(make(2, 0), 2, 0),
        sample(make(3), 0),
    ],
    errors=[
        wrong(RuntimeError, "Repeats must be non-negative, but got -1", VECTOR, -1),
        wrong(IndexError, OUT_OF_RANGE, MATRIX, 2, 2),
    ],
)  # fmt: skip
case(
    "repeat_interleave", variant="as a tensor says", rows="",
    samples=lambda make: [
        sample(make(3), REPEATS, 0),
        sample(make(2, 3), REPEATS, dim=1),
        sample(make(2, 3), np.array([2]), 0),
        sample(make(2, 3), REPEATS, 1, output_size=3),
    ],
    errors=[
        wrong(RuntimeError, "2 repeats for 3 places", VECTOR, np.array([1, 2]), 0),
        wrong(RuntimeError, "repeats can not be negative", VECTOR, np.array([1, -1, 1]), 0),
        wrong(RuntimeError, "0-dim or 1-dim tensor", VECTOR, np.array([[1, 1, 1]]), 0),
        wrong(RuntimeError, "output_size is 4, but", VECTOR, REPEATS, 0, output_size=4),
        wrong(NotImplementedError, "int32 or int64, not torch.float64", VECTOR, np.ones(3), 0),
    ],
    traced=False, batched=False, note="the shape of the result depends on the repeats",
)  # fmt: skip
case(
    "Tensor.sum_to_size", rows="sum_dims",
    samples=lambda make: [
        sample(make(2, 3), 1, 3),
        sample(make(2, 3), (3,)),
        sample(make(2, 3), size=(2, 3)),
        sample(make(2, 3), ()),
    ],
    errors=[
        wrong(RuntimeError, r"size \[2\] is not expandable to size \[2, 3\]", MATRIX, 2),
        wrong(TypeError, "needs sizes or dims", MATRIX),
    ],
)  # fmt: skip
