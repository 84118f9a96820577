"""Samples of ``adjoint/ops/masks.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))
MASK = np.array([[True, False, True], [False, False, True]])
ROW = np.array([True, False, True])
COLUMN = np.array([[True], [False]])
LONG = np.array([1, 0, 1])
TYPES = ("float32", "float64", "complex128", "int64", "bool")
ON_VALUES = "the shape of the result depends on values"
NOT_BOOLEAN = wrong(RuntimeError, "expected a boolean mask, but got torch.int64", MATRIX, LONG)
NO_MASK = wrong(TypeError, "argument 'mask' must be Tensor, not list", MATRIX, [True])


def with_value(each, *value):
    return wrong(each.error, each.message, *each.args, *value)


case(
    "masked_select", rows="masked_select mask_backward",
    samples=lambda make: [
        sample(make(2, 3), MASK),
        sample(make(2, 3), ROW),
        sample(make(3), COLUMN),
        sample(make(), np.array(True)),
        sample(make(2, 3), np.zeros((2, 3), bool)),
        sample(make(0, 3), ROW),
    ],
    errors=[
        NOT_BOOLEAN,
        NO_MASK,
        wrong(RuntimeError, "must match the size", MATRIX, np.ones(2, bool)),
    ],
    traced=False, batched=False, note=ON_VALUES, dtypes=TYPES,
)  # fmt: skip
case(
    "masked_fill", rows="masked_fill masked_fill_tensor",
    samples=lambda make: [
        sample(make(2, 3), MASK, 1.5),
        sample(make(2, 3), ROW, 2),
        sample(make(3), COLUMN, -1.0),
        sample(make(2, 3), MASK, make()),
        sample(make(3), COLUMN, make()),
        sample(make(), np.array(True), 0.0),
        sample(make(0, 3), ROW, 1.0),
    ],
    errors=[
        with_value(NOT_BOOLEAN, 1.0),
        with_value(NO_MASK, 1.0),
        wrong(RuntimeError, "must match the size", MATRIX, np.ones(2, bool), 1.0),
        wrong(RuntimeError, r"value tensor, but got one of shape \[3\]", MATRIX, MASK, np.ones(3)),
        wrong(RuntimeError, "cannot be converted", MATRIX, MASK, 1j),
        wrong(RuntimeError, "cannot be converted", MATRIX, MASK, np.array(1j)),
        wrong(TypeError, "is a number, not str", MATRIX, MASK, "one"),
    ],
)  # fmt: skip
case(
    "masked_scatter", rows="masked_scatter masked_scatter_backward",
    samples=lambda make: [
        sample(make(2, 3), MASK, make(3)),
        sample(make(2, 3), ROW, make(2, 4)),
        sample(make(3), COLUMN, make(5)),
        sample(make(), np.array(True), make(2)),
        sample(make(2, 3), np.zeros(3, bool), make(0)),
    ],
    errors=[
        with_value(NOT_BOOLEAN, MATRIX),
        wrong(RuntimeError, "source has 2 elements for 3 places", MATRIX, MASK, np.ones(2)),
        wrong(RuntimeError, "same dtypes", MATRIX, MASK, MATRIX.astype(np.float32)),
    ],
)  # fmt: skip


def with_zeros(make):
    x = make(2, 3)
    x[0, 1:] = 0
    return x


def everything(make, *args, **kwargs):
    return [
        sample(with_zeros(make), *args, **kwargs),
        sample(make(3), *args, **kwargs),
        sample(make(), *args, **kwargs),
        sample(make(0, 2), *args, **kwargs),
    ]


FACTS = {
    "differentiable": False, "note": "places have no derivative", "dtypes": ("float64", "bool"),
}  # fmt: skip
case(
    "nonzero", samples=lambda make: [*everything(make), *everything(make, as_tuple=True)],
    errorless="every tensor has places", traced=False, batched=False, **FACTS,
)  # fmt: skip
case(
    "argwhere", rows="nonzero", samples=everything, errorless="every tensor has places",
    traced=False, batched=False, **FACTS,
)  # fmt: skip
case(
    "nonzero_static",
    samples=lambda make: [*everything(make, size=2), *everything(make, size=9, fill_value=7)],
    errors=[wrong(RuntimeError, "non-negative integer, not -1", MATRIX, size=-1)], **FACTS,
)  # fmt: skip
