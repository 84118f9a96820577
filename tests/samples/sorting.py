"""Samples of ``adjoint/ops/sorting.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones((2, 3))
COMPLEX = np.ones(3, np.complex128)
NAN = np.nan
COMMON = [
    wrong(TypeError, "must be Tensor, not int", 3),
    wrong(RuntimeError, "not implemented for torch.complex128", COMPLEX),
]
ALONG = [
    *COMMON,
    wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, 2),
    wrong(TypeError, "dim must be an int", ONES, (0, 1)),
    wrong(TypeError, "dim is an int; say descending=True", ONES, True),
    wrong(TypeError, "unexpected keyword argument 'across'", ONES, across=0),
    wrong(TypeError, "both dim and axis", ONES, dim=0, axis=0),
]
TIES = np.array([[2.0, 1.0, 2.0, 1.0], [NAN, 1.0, NAN, 0.0]])


def orders(make):
    return [
        sample(make.distinct(2, 3)),
        sample(make.distinct(4, 3), 0),
        sample(make.distinct(2, 3, 4), 1, True),
        sample(make.distinct(2, 3), dim=-2, descending=True),
        sample(make.distinct(2, 3), axis=0),
        sample(make.distinct()),
        sample(make.distinct(), 0, True),
        sample(make(0)),
        sample(make(2, 0), 0),
        sample(make(7, dtype="int64")),
        sample(make(7, dtype="bool"), descending=True),
    ]


def stable_orders(make):
    ties = TIES.astype(make.dtype if make.dtype.kind == "f" else "f8")
    return [
        sample(make.distinct(2, 3), stable=True),
        sample(make.distinct(2, 3), dim=0, stable=False),
        sample(make(9, dtype="int64"), stable=True),
        sample(make(9, dtype="bool"), stable=True, descending=True),
        kink(ties, stable=True),
        kink(ties, stable=True, descending=True),
    ]


case("sort", samples=orders, errors=ALONG)
case("sort", variant="stable", rows="sort_stable", samples=stable_orders, errorless="see sort")
case(
    "argsort", samples=lambda make: [*orders(make), *stable_orders(make)], errors=ALONG,
    differentiable=False, note="the results are indices",
)  # fmt: skip
case(
    "msort", rows="sort", errors=COMMON,
    samples=lambda make: [
        sample(make.distinct(3, 2)),
        sample(make.distinct(3)),
        sample(make.distinct()),
        sample(make(0, 2)),
        sample(make(7, dtype="int64")),
    ],
)  # fmt: skip


def few(make):
    return [
        sample(make.distinct(5), 2),
        sample(make.distinct(2, 3), 2),
        sample(make.distinct(4, 3), 2, 0),
        sample(make.distinct(4, 3), 2, 0, False),
        sample(make.distinct(2, 3, 2), k=1, dim=1, largest=False, sorted=False),
        sample(make.distinct(4, 3), 3, axis=0),
        sample(make.distinct(2, 3), 0),
        sample(make.distinct(), 1),
        sample(make.distinct(), 0),
        sample(make(0, 3), 2),
        sample(make.distinct(5, dtype="int64"), 2),
        kink(np.array([1.0, NAN, 3.0, 2.0]), 2),
        kink(np.array([1.0, NAN, 3.0, 2.0]), 2, largest=False),
    ]


case(
    "topk", samples=few,
    errors=[
        wrong(TypeError, "must be Tensor, not int", 3, 1),
        wrong(RuntimeError, r"k=4 is out of range for dim -1 of size 3 .*\[2, 3\]", ONES, 4),
        wrong(RuntimeError, "k=-1 is out of range", ONES, -1),
        wrong(RuntimeError, "k=2 is out of range", np.ones(()), 2),
        wrong(TypeError, "'float' object cannot be interpreted as an integer", ONES, 1.0),
        wrong(IndexError, "Dimension out of range", ONES, 1, 2),
        wrong(TypeError, "dim must be an int", ONES, 1, (0, 1)),
        wrong(TypeError, "unexpected keyword argument 'across'", ONES, 1, across=0),
        wrong(TypeError, "both dim and axis", ONES, 1, dim=0, axis=0),
        wrong(RuntimeError, "not implemented for torch.complex128", COMPLEX, 1),
        wrong(RuntimeError, "not implemented for torch.bool", np.ones(3, np.bool_), 1),
    ],
)  # fmt: skip
