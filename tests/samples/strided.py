"""Samples of ``adjoint/ops/strided.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
TYPES = ("float32", "float64", "complex128", "int64", "bool")

case(
    "diagonal", rows="diagonal diagonal_backward",
    samples=lambda make: [
        sample(make(3, 3)),
        sample(make(2, 3), 1),
        sample(make(2, 3), -1),
        sample(make(2, 3, 4), 0, 0, 2),
        sample(make(2, 3, 4), offset=1, dim1=-1, dim2=0),
        sample(make(2, 3), 5),
        sample(make(0, 3)),
    ],
    errors=[
        wrong(RuntimeError, "diagonal dimensions cannot be identical 1, -1", MATRIX, 0, 1, -1),
        wrong(IndexError, "Dimension out of range", MATRIX, 0, 0, 2),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "Tensor.unfold", rows="unfold unfold_backward",
    samples=lambda make: [
        sample(make(5), 0, 2, 1),
        sample(make(2, 7), 1, 3, 2),
        sample(make(7, 2), dimension=0, size=5, step=1),
        sample(make(4), 0, 4, 3),
        sample(make(3, 2), 0, 0, 1),
    ],
    errors=[
        wrong(RuntimeError, "at dimension 1 is 3 but size is 4", MATRIX, 1, 4, 1),
        wrong(RuntimeError, "step is 0 but must be > 0", MATRIX, 1, 2, 0),
        wrong(IndexError, "Dimension out of range", MATRIX, 2, 1, 1),
    ],
)  # fmt: skip
case(
    "as_strided", rows="as_strided",
    samples=lambda make: [
        sample(make(2, 3), (3, 2), (1, 3)),
        sample(make(6), (2, 2), (3, 1), 1),
        sample(make(4), (3, 2), (1, 1)),
        sample(make(4), size=(2,), stride=(0,), storage_offset=2),
        sample(make(), (), ()),
        sample(make(3), (0,), (1,)),
    ],
    errors=[
        wrong(RuntimeError, "strides and shape: 1 and 2", MATRIX, (2, 2), (1,)),
        wrong(RuntimeError, "Negative strides are not supported", MATRIX, (2,), (-1,)),
        wrong(RuntimeError, "reach element 8, but the memory holds 6", MATRIX, (3,), (4,)),
    ],
    layouts=False, note="it looks at memory, however the tensor does",
)  # fmt: skip
