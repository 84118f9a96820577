"""Samples of ``adjoint/ops/movement.py``."""

import numpy as np

from adjoint import dtypes
from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
TYPES = ("float32", "float64", "complex128", "int64", "bool")
LAYOUT = "whether a view is possible depends on the layout"

case(
    "reshape", rows="reshape",
    samples=lambda make: [
        sample(make(2, 3), (3, 2)),
        sample(make(2, 3), (-1,)),
        sample(make(), (1, 1)),
        sample(make(1), ()),
        sample(make(0, 3), (3, 0)),
        sample(make(2, 3, 4), (6, -1)),
        sample(make(2, 3, 4), [2, 12]),
    ],
    errors=[
        wrong(RuntimeError, r"shape '\[4\]' is invalid for input of size 6", MATRIX, (4,)),
        wrong(RuntimeError, "only one dimension can be inferred", MATRIX, (-1, -1)),
        wrong(RuntimeError, r"invalid shape dimension -2", MATRIX, (-2, 3)),
        wrong(RuntimeError, "is invalid for input of size 6", MATRIX, (-1, 4)),
        wrong(TypeError, "cannot be interpreted as an integer", MATRIX, (2.0, 3)),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "reshape", variant="of memory out of order", rows="clone unsafe_view reshape_alias",
    samples=lambda make: [
        sample(make(2, 3).T, (6,)),
        sample(make(2, 3, 4).T, (4, 6)),
        sample(make(4, 6)[:, ::2], (2, 6)),
    ],
    errors=[wrong(RuntimeError, "is invalid for input of size 6", MATRIX.T, (4,))],
)  # fmt: skip
case(
    "Tensor.reshape", rows="reshape",
    samples=lambda make: [sample(make(2, 3), 3, 2), sample(make(2, 3), shape=(6,))],
    errors=[wrong(TypeError, "needs sizes or dims", MATRIX)],
)  # fmt: skip
case(
    "Tensor.view", rows="reshape",
    samples=lambda make: [
        sample(make(2, 3), 3, 2),
        sample(make(2, 3), (-1,)),
        sample(make(), 1, 1),
        sample(make(0, 3), 3, 0),
        sample(make(2, 3, 4), size=(6, 4)),
    ],
    errors=[
        wrong(RuntimeError, r"shape '\[4\]' is invalid for input of size 6", MATRIX, 4),
        wrong(RuntimeError, r"shape \[3, 2\] with strides \[1, 3\].*reshape", MATRIX.T, 6),
        wrong(TypeError, "needs sizes or dims", MATRIX),
    ],
    layouts=False, note=LAYOUT, dtypes=("float64",),
)  # fmt: skip
case(
    "Tensor.view", variant="as another type", rows="view_dtype",
    samples=lambda make: [
        sample(make(2, 3), dtypes.int64),
        sample(make(2, 3), dtypes.float64),
        sample(make(2, 3), dtype=dtypes.uint8),
        sample(make(2, 4), dtypes.complex128),
        sample(make(), dtypes.int64),
    ],
    errors=[
        wrong(RuntimeError, r"self.size\(-1\) must be divisible by 2", MATRIX, dtypes.complex128),
        wrong(RuntimeError, r"self.dim\(\) cannot be 0", np.ones(()), dtypes.float32),
        wrong(RuntimeError, r"self.stride\(-1\) must be 1", MATRIX.T, dtypes.float32),
    ],
    dtypes=("float64",), differentiable=False, layouts=False,
    note="bits, not numbers: no derivative, and the elements must lie side by side",
)  # fmt: skip
case(
    "Tensor.view_as", rows="reshape",
    samples=lambda make: [sample(make(2, 3), make(3, 2)), sample(make(), make(1))],
    errors=[wrong(RuntimeError, "is invalid for input of size 6", MATRIX, np.ones(4))],
    layouts=False, note=LAYOUT, constants=(1,),
)  # fmt: skip
case(
    "Tensor.reshape_as", rows="reshape",
    samples=lambda make: [sample(make(2, 3), make(3, 2)), sample(make(), make(1))],
    errors=[wrong(RuntimeError, "is invalid for input of size 6", MATRIX, np.ones(4))],
    constants=(1,), note="only the shape of the other counts",
)  # fmt: skip
case(
    "flatten", rows="reshape",
    samples=lambda make: [
        sample(make(2, 3, 4)),
        sample(make(2, 3, 4), 1),
        sample(make(2, 3, 4), start_dim=0, end_dim=-2),
        sample(make(2, 3), 1, 1),
        sample(make()),
        sample(make(0, 3)),
    ],
    errors=[
        wrong(RuntimeError, r"start_dim \(1\) cannot come after end_dim \(0\)", MATRIX, 1, 0),
        wrong(IndexError, r"Dimension out of range .*got 5", MATRIX, 0, 5),
    ],
)  # fmt: skip
case(
    "ravel", rows="reshape",
    samples=lambda make: [sample(make(2, 3)), sample(make(4)), sample(make()), sample(make(0, 2))],
    errorless="any tensor can be laid flat",
)  # fmt: skip
case(
    "unflatten", rows="reshape",
    samples=lambda make: [
        sample(make(2, 6), 1, (3, 2)),
        sample(make(6), 0, (-1, 2)),
        sample(make(2, 0), -1, [0, 4]),
    ],
    errors=[
        wrong(RuntimeError, r"up to the size of dim 1 \(3\)", MATRIX, 1, (2, 2)),
        wrong(RuntimeError, "sizes must be non-empty", MATRIX, 1, ()),
        wrong(IndexError, "Dimension out of range", MATRIX, 2, (1,)),
    ],
    layouts=False, note=LAYOUT,
)  # fmt: skip

case(
    "clone", samples=lambda make: [sample(make(2, 3)), sample(make()), sample(make(0, 2))],
    errorless="any tensor can be copied", dtypes=TYPES,
)  # fmt: skip
case(
    "Tensor.contiguous", rows="",
    samples=lambda make: [sample(make(2, 3)), sample(make()), sample(make(0, 2))],
    errorless="any tensor can be copied",
)  # fmt: skip
case(
    "Tensor.detach", rows="detach",
    samples=lambda make: [sample(make(2, 3)), sample(make()), sample(make(0, 2))],
    errorless="any tensor can be detached", differentiable=False, note="that is its purpose",
)  # fmt: skip
case(
    "Tensor.expand", rows="expand",
    samples=lambda make: [
        sample(make(3, 1), 3, 2),
        sample(make(3, 1), (-1, 2)),
        sample(make(3), size=(2, 3)),
        sample(make(), 2, 3),
        sample(make(), ()),
        sample(make(1, 3), 0, 3),
        sample(make(2, 3), 4, -1, -1),
    ],
    errors=[
        wrong(RuntimeError, r"The expanded size of the tensor \(4\) must match", MATRIX, 2, 4),
        wrong(RuntimeError, r"number of sizes provided \(1\) must be greater", MATRIX, 3),
        wrong(RuntimeError, "isn't allowed in a leading", MATRIX, -1, 2, 3),
        wrong(TypeError, "needs sizes or dims", MATRIX),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "Tensor.expand_as", rows="expand",
    samples=lambda make: [sample(make(3, 1), make(3, 2)), sample(make(), make(2))],
    errors=[wrong(RuntimeError, "must match the existing size", MATRIX, np.ones((2, 4)))],
    constants=(1,), note="only the shape of the other counts",
)  # fmt: skip
case(
    "broadcast_to", rows="expand",
    samples=lambda make: [sample(make(3), (2, 3)), sample(make(), [2]), sample(make(1, 2), (0, 2))],
    errors=[wrong(RuntimeError, "must match the existing size", MATRIX, (2, 4))],
)  # fmt: skip
