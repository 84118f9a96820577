"""Samples of ``adjoint/ops/scatter.py`` and its rows."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
INDEX = np.array([[0, 1]])
NOTHING = np.zeros((0, 3), np.int64)
TYPES = ("float32", "float64", "complex128", "int64", "bool")
PLACES = np.array([[0, 2, 1], [1, 1, 0]])
DISTINCT = np.array([[0, 2, 1], [1, 0, 2]])


def bad(*source):
    """What is wrong for all that go along a dimension."""
    return [
        wrong(RuntimeError, "index 2 is out of bounds", MATRIX, 0, np.array([[2]]), *source),
        wrong(RuntimeError, "index -1 is out of bounds", MATRIX, 0, np.array([[-1]]), *source),
        wrong(RuntimeError, "same number of dimensions", MATRIX, 0, np.array([0]), *source),
        wrong(RuntimeError, "no larger than self", MATRIX, 0, np.zeros((1, 4), int), *source),
        wrong(RuntimeError, "Expected dtype int32 or int64", MATRIX, 0, np.ones((1, 1)), *source),
        wrong(IndexError, "Dimension out of range", MATRIX, 2, INDEX, *source),
    ]


BAD_SOURCE = [
    wrong(RuntimeError, "self.dtype to be equal", MATRIX, 0, INDEX, np.ones((1, 2), np.float32)),
    wrong(RuntimeError, r"no larger", MATRIX, 0, INDEX, np.ones((1, 1))),
]

case(
    "gather", rows="gather gather_backward",
    samples=lambda make: [
        sample(make(2, 3), 1, PLACES),
        sample(make(3, 3), 0, np.array([[0, 2], [1, 1], [2, 0], [0, 0]])),
        sample(make(3, 2, 4), dim=-2, index=np.ones((2, 5, 3), np.int64)),
        sample(make(4), 0, np.array([3, 3, 0], np.int32)),
        sample(make(4), 0, np.array(2)),
        sample(make(), 0, np.array([0, 0])),
        sample(make(), 0, np.array(0)),
        sample(make(2, 3), 0, NOTHING),
        sample(make(2, 3), 0, INDEX, sparse_grad=False),
    ],
    errors=[*bad(), wrong(TypeError, "must be Tensor, not list", MATRIX, 0, [[0]])], dtypes=TYPES,
)  # fmt: skip
case(
    "take_along_dim", rows="gather expand reshape",
    samples=lambda make: [
        sample(make(2, 3), PLACES, 1),
        sample(make(2, 3), np.array([[-1], [0]]), dim=1),
        sample(make(2, 3), np.array([[1, 0, 1]]), 0),
        sample(make(1, 3), np.array([[-3], [0]]), 1),
        sample(make(2, 3), np.array([5, 0])),
        sample(make(2, 3), np.array([[3], [-4]]), 1),
    ],
    errors=[
        wrong(RuntimeError, "same number of dimensions", MATRIX, np.array([0]), 1),
        wrong(RuntimeError, "must match the size", MATRIX, np.array([[0], [0], [0]]), 1),
        wrong(RuntimeError, "Expected dtype int64", MATRIX, np.ones((1, 1)), 1),
    ],
)  # fmt: skip
case(
    "scatter", rows="scatter",
    samples=lambda make: [
        sample(make(2, 3), 1, DISTINCT, make(2, 3)),
        sample(make(3, 3), 0, np.array([[0, 2], [1, 1]]), make(2, 2)),
        sample(make(3, 2, 2), dim=0, index=np.array([[[2, 0]]]), src=make(1, 1, 2)),
        sample(make(4), 0, np.array([3, 0], np.int32), make(2)),
        sample(make(), 0, np.array(0), make()),
        sample(make(2, 3), 0, NOTHING, make(0, 3)),
    ],
    errors=[*bad(np.ones((1, 4))), *BAD_SOURCE, wrong(TypeError, "needs src", MATRIX, 0, INDEX)],
    dtypes=TYPES,
)  # fmt: skip
case(
    "scatter", variant="a number", rows="scatter_value",
    samples=lambda make: [
        sample(make(2, 3), 1, PLACES, 1.5),
        sample(make(3, 3), 0, np.array([[0, 2], [1, 1]]), value=2),
        sample(make(), 0, np.array([0]), 3.0),
        sample(make(2, 3), 0, NOTHING, 1.0),
    ],
    errors=[*bad(1.0), wrong(RuntimeError, "cannot be converted", MATRIX, 0, INDEX, 1j)],
)  # fmt: skip
case(
    "scatter", variant="reduced", rows="scatter_reduce",
    samples=lambda make: [
        sample(make(2, 3), 1, PLACES, make(2, 3), reduce="add"),
        sample(make(2, 3), 1, PLACES, make(2, 3), reduce="multiply"),
        sample(make(2, 3), 1, PLACES, 2.0, reduce="multiply"),
    ],
    errors=[wrong(RuntimeError, "either add or multiply", MATRIX, 0, INDEX, MATRIX, reduce="sum")],
    differentiable=False, note="PyTorch has no derivative; scatter_reduce has",
)  # fmt: skip
case(
    "scatter_add", rows="scatter_add",
    samples=lambda make: [
        sample(make(2, 3), 1, PLACES, make(2, 3)),
        sample(make(3, 3), 0, np.array([[0, 2], [0, 2]]), make(2, 2)),
        sample(make(4), dim=-1, index=np.array([3, 3, 0]), src=make(3)),
        sample(make(), 0, np.array([0]), make(1)),
        sample(make(2, 3), 0, NOTHING, make(0, 3)),
    ],
    errors=[
        *bad(np.ones((1, 4))), *BAD_SOURCE,
        wrong(TypeError, "a Tensor, not float", MATRIX, 0, INDEX, 1.0),
    ],
    dtypes=("float32", "float64", "complex128", "int64"),
)  # fmt: skip


def reductions(make):
    out = []
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        for kept in (True, False):
            x, src = make.distinct(2, 3), make.distinct(2, 4)
            places = np.array([[0, 2, 2, 0], [1, 1, 1, 2]])
            out.append(sample(x, 1, places, src, reduce, include_self=kept))
    out.append(sample(make(), 0, np.array(0), make(), "sum"))
    out.append(sample(make(2, 3), 0, NOTHING, make(0, 3), "amax"))
    return out


def zeros_among(make):
    x, src = make(2, 3, low=0.5), make(2, 3, low=0.5)
    x[0, 0] = src[0, 1] = src[1, 0] = 0
    return [sample(x, 1, np.array([[0, 1, 1], [2, 2, 2]]), src, "prod")]


def from_larger(make):
    index = np.array([[0, 2], [1, 1]])
    return [
        sample(make(3, 3), 0, index, make(3, 4)),
        sample(make(4), 0, np.array([3, 0]), make(3)),
        sample(make(2, 3), 0, NOTHING, make(2, 3)),
    ]


for _name in ("scatter", "scatter_add"):
    case(
        _name, variant="from a larger source", rows=_name, samples=from_larger,
        differentiable=False, errorless=f"see {_name}",
        note="PyTorch has a gradient only for a source of the index's shape",
    )  # fmt: skip


COMPLEX_ARGUMENTS = (MATRIX.astype(complex), 0, INDEX, MATRIX.astype(complex))
case(
    "scatter_reduce", samples=reductions, dtypes=("float32", "float64"),
    errors=[
        wrong(RuntimeError, "either sum, prod, mean, amax or amin", MATRIX, 0, INDEX, MATRIX, "or"),
        wrong(RuntimeError, "out of bounds", MATRIX, 0, np.array([[2]]), MATRIX, "sum"),
        wrong(NotImplementedError, "have no order", *COMPLEX_ARGUMENTS, "amax"),
        wrong(NotImplementedError, "have no order", *COMPLEX_ARGUMENTS, "amin"),
        *(wrong(each.error, each.message, *each.args, "sum") for each in BAD_SOURCE),
    ],
)  # fmt: skip
case(
    "scatter_reduce", variant="zeros among the factors", rows="scatter_reduce", samples=zeros_among,
    errorless="see scatter_reduce",
)  # fmt: skip
