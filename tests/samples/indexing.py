"""Samples of ``adjoint/ops/indexing.py``: reading and writing with square brackets."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
CUBE = np.ones((2, 3, 4))
SCALAR = np.ones(())
PLACES = np.array([1, 0, 1])
MASK = np.array([[True, False, True], [False, True, True]])
ROW = np.array([True, False, True])
ALL = slice(None)
TYPES = ("float32", "float64", "complex128", "int64", "bool")
ON_VALUES = "the shape of the result depends on the mask"

ERRORS = [
    wrong(IndexError, "index 2 is out of bounds for dimension 0 with size 2", MATRIX, 2),
    wrong(IndexError, "index -3 is out of bounds", MATRIX, (-3, 0)),
    wrong(IndexError, "too many indices for tensor of dimension 2", MATRIX, (0, 0, 0)),
    wrong(IndexError, "index 3 is out of bounds.*shape \\[2, 3\\]", MATRIX, (ALL, np.array([3]))),
    wrong(IndexError, "could not be broadcast together", MATRIX, ([0, 1], [0, 1, 2])),
    wrong(IndexError, "tensors used as indices must be", MATRIX, np.ones(1)),
    wrong(IndexError, r"shape of the mask \[3\] at index 0", MATRIX, ROW),
    wrong(IndexError, "only integers, slices", MATRIX, 1.0),
    wrong(IndexError, "only integers, slices", MATRIX, {}),
    wrong(TypeError, "an index is no text", MATRIX, "a"),
    wrong(TypeError, "slice indices must be integers", MATRIX, slice("a", None)),
    wrong(ValueError, "step must be greater than zero", MATRIX, slice(None, None, -1)),
    wrong(IndexError, "invalid index of a 0-dim", SCALAR, 0),
    wrong(IndexError, r"slice\(\) cannot be applied to a 0-dim tensor", SCALAR, ALL),
    wrong(IndexError, "size 0", np.ones((0, 3)), [0]),
]

case(
    "Tensor.__getitem__", rows="select slice unsqueeze alias",
    samples=lambda make: [
        sample(make(2, 3), 1),
        sample(make(2, 3), -2),
        sample(make(3), 1),
        sample(make(5, 3), slice(1, 4)),
        sample(make(5), slice(-4, None, 2)),
        sample(make(2, 3), slice(1, 0)),
        sample(make(2, 3), None),
        sample(make(2, 3), ...),
        sample(make(2, 3, 4), (0, ..., slice(1, 3))),
        sample(make(2, 3, 4), (ALL, None, 1)),
        sample(make(), ()),
        sample(make(), (None, ...)),
        sample(make(0, 3), (ALL, 1)),
    ],
    errors=ERRORS, dtypes=TYPES,
)  # fmt: skip
case(
    "Tensor.__getitem__", variant="tensors of indices", rows="index index_backward",
    samples=lambda make: [
        sample(make(2, 3), PLACES),
        sample(make(2, 3), (ALL, PLACES)),
        sample(make(2, 3), (PLACES, np.array([2, 0, -1]))),
        sample(make(2, 3), (np.array([[0], [1]]), PLACES)),
        sample(make(2, 3, 4), (PLACES, ALL, np.array([3, 0, 0]))),
        sample(make(2, 3, 4), (PLACES, slice(1, 3), np.array([3, 0, 0]))),
        sample(make(2, 3, 4), (ALL, PLACES, None, slice(1, 3))),
        sample(make(2, 3, 4), (0, ..., np.array([[1, 2]]))),
        sample(make(2, 3), np.array([1, 0], np.int32)),
        sample(make(2, 3), [1, 0, 1]),
        sample(make(2, 3), (ALL, [[0, 1], [2, 0]])),
        sample(make(2, 3), True),
        sample(make(2, 3), (ALL, False)),
        sample(make(), (True,)),
        sample(make(2, 3), []),
        sample(make(2, 3), [True, False]),
        sample(make(2, 0), PLACES),
        sample(make(2, 3), (np.array(1), PLACES)),
    ],
    errorless="see Tensor.__getitem__", dtypes=TYPES,
)  # fmt: skip
case(
    "Tensor.__getitem__", variant="masks", rows="",
    samples=lambda make: [
        sample(make(2, 3), MASK),
        sample(make(2, 3), (ALL, ROW)),
        sample(make(2, 3, 2), MASK),
        sample(make(2, 2, 3), (ALL, MASK)),
        sample(make(2, 3), (np.array([0, 1]), ROW)),
        sample(make(2, 3, 4), (MASK, 0)),
        sample(make(2, 3), (np.array([True, False]), ..., None)),
        sample(make(2, 3), np.array([1, 0], np.uint8)),
        sample(make(2, 3), np.zeros((2, 3), bool)),
        sample(make(), np.array(True)),
    ],
    errorless="see Tensor.__getitem__", traced=False, batched=False, note=ON_VALUES,
)  # fmt: skip
case(
    "Tensor.__getitem__", variant="one mask", rows="index_mask mask_backward",
    samples=lambda make: [
        sample(make(2, 3), MASK),
        sample(make(2, 3), (ALL, ROW)),
        sample(make(2, 3, 2), MASK),
    ],
    errorless="see Tensor.__getitem__", traced=False, batched=False, note=ON_VALUES,
)  # fmt: skip


def written(index, *more):
    """The errors of reading, of writing a number."""
    return [wrong(each.error, each.message, *each.args, 1.0) for each in ERRORS]


case(
    "Tensor.__setitem__", rows="copy_slices view_again",
    samples=lambda make: [
        sample(make(2, 3), 1, make(3)),
        sample(make(2, 3), 1, 2.5),
        sample(make(2, 3), (ALL, 1), make()),
        sample(make(5, 3), slice(1, 4, 2), make(2, 3)),
        sample(make(5, 3), slice(1, 4), make(1, 1, 3)),
        sample(make(2, 3), (1, slice(0, 2)), make(1)),
        sample(make(2, 3), ..., make(3)),
        sample(make(2, 3), None, make(1, 2, 3)),
        sample(make(2, 3), True, make(2, 3)),
        sample(make(2, 3), False, make(2, 3)),
        sample(make(), (), make()),
        sample(make(0, 3), (ALL, 1), make(0)),
        sample(make(2, 3), (0, 1), True),
    ],
    errors=[
        *written(ERRORS),
        wrong(TypeError, "can't assign a list to a tensor of torch.float64", MATRIX, 0, [1.0]),
        wrong(TypeError, "can't assign a NoneType", MATRIX, 0, None),
        wrong(RuntimeError, "doesn't match the broadcast shape", MATRIX, 0, np.ones((2, 3))),
        wrong(RuntimeError, "size of tensor a", MATRIX, 0, np.ones(2)),
        wrong(RuntimeError, "cannot be converted", MATRIX, 0, 1j),
    ],
    dtypes=TYPES,
)  # fmt: skip
DISTINCT = np.array([1, 0])
case(
    "Tensor.__setitem__", variant="tensors of indices", rows="index_put",
    samples=lambda make: [
        sample(make(2, 3), DISTINCT, make(2, 3)),
        sample(make(2, 3), DISTINCT, make(3)),
        sample(make(2, 3), (ALL, np.array([2, 0])), make(2, 1)),
        sample(make(2, 3), (DISTINCT, np.array([2, -1])), make(2)),
        sample(make(2, 3, 4), (DISTINCT, ALL, np.array([3, 0])), make(2, 3)),
        sample(make(2, 3), [1], 2.0),
        sample(make(2, 3, 4), (0, ..., np.array([[1, 2]])), make(3, 1, 2)),
        sample(make(2, 3), [], make()),
        sample(make(2, 3), (slice(0, 1), DISTINCT), make(1, 1, 2)),
    ],
    errors=[
        wrong(RuntimeError, r"shape \[2\] cannot be broadcast.*\[1, 3\]", MATRIX, [0], np.ones(2)),
        wrong(RuntimeError, "dtypes match", MATRIX, [0], np.ones(3, np.float32)),
        wrong(IndexError, "out of bounds", MATRIX, [2], np.ones(3)),
    ],
    dtypes=TYPES,
)  # fmt: skip
case(
    "Tensor.__setitem__", variant="masks", rows="mask_put",
    samples=lambda make: [
        sample(make(2, 3), MASK, 2.5),
        sample(make(2, 3), (ALL, ROW), make()),
        sample(make(2, 3, 2), MASK, -1.0),
        sample(make(2, 3), np.zeros((2, 3), bool), 1.0),
    ],
    errors=[wrong(IndexError, r"shape of the mask \[3\] at index 0", MATRIX, ROW, 1.0)],
)  # fmt: skip
case(
    "Tensor.__setitem__", variant="several elements into a mask", rows="",
    samples=lambda make: [
        sample(make(2, 3), MASK, make(4)),
        sample(make(2, 3), (ALL, ROW), make(2, 2)),
        sample(make(2, 3), (np.array([0, 1]), ROW), make(2)),
    ],
    errors=[wrong(RuntimeError, r"indexing result of shape \[4\]", MATRIX, MASK, np.ones(3))],
    traced=False, batched=False, note="which elements go where depends on the mask",
)  # fmt: skip
case(
    "index_put", rows="index_put",
    samples=lambda make: [
        sample(make(2, 3), (DISTINCT,), make(2, 3)),
        sample(make(2, 3), (DISTINCT, np.array([2, 0])), make()),
        sample(make(2, 3), [np.array([0, 0, 1])], make(3, 3), True),
        sample(make(2, 3), (np.array([0, 0, 1]), np.array([1, 1, 2])), make(3), accumulate=True),
        sample(make(40), (np.array([3, 3]),), make(2), accumulate=True),
        sample(make(2, 0), (DISTINCT,), make()),
    ],
    errors=[
        wrong(TypeError, "expected Tensor as element 0", MATRIX, (None,), SCALAR),
        wrong(TypeError, "values must be a Tensor, not float", MATRIX, (DISTINCT,), 1.0),
        wrong(IndexError, "too many indices", MATRIX, (DISTINCT,) * 3, SCALAR),
        wrong(IndexError, "must be long, int, byte or bool", MATRIX, (np.ones(1),), SCALAR),
        wrong(IndexError, "out of bounds", MATRIX, (np.array([2]),), SCALAR),
        wrong(RuntimeError, "dtypes match", MATRIX, (DISTINCT,), np.ones((), np.float32)),
        wrong(RuntimeError, "cannot be broadcast", MATRIX, (DISTINCT,), np.ones(2)),
        wrong(RuntimeError, "at least one tensor", MATRIX, (), SCALAR),
    ],
    dtypes=("float32", "float64", "complex128", "int64"),
)  # fmt: skip
