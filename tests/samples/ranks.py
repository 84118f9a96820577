"""Samples of ``adjoint/ops/ranks.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones((2, 3))
EMPTY = np.ones((0, 3))
TRUTHS = np.ones(3, np.bool_)
COMPLEX = np.ones(3, np.complex128)
NAN = np.nan


def errors(*first):
    """What is wrong with a dim, for a function of the input, ``first`` and a dim."""
    return [
        wrong(TypeError, "must be Tensor, not int", 3, *first),
        wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, *first, 2),
        wrong(TypeError, "dim must be an int", ONES, *first, (0, 1)),
        wrong(IndexError, "dim 0 to have non-zero size", EMPTY, *first, 0),
        wrong(TypeError, "unexpected keyword argument 'across'", ONES, *first, 0, across=0),
        wrong(TypeError, "both dim and axis", ONES, *first, dim=0, axis=0),
        wrong(NotImplementedError, "not implemented for torch.complex128", COMPLEX, *first),
    ]


def given(make, values):
    """These values, in the case's type where that has NaN."""
    return np.array(values, make.dtype if make.dtype.kind not in "iub" else np.float64)


BOOLEAN = wrong(NotImplementedError, "not implemented for torch.bool", TRUTHS)


def one_dim(make, *first):
    return [
        sample(make.distinct(5), *first, 0),
        sample(make.distinct(2, 4), *first, 1),
        sample(make.distinct(4, 2), *first, 0, True),
        sample(make.distinct(2, 3, 2), *first, dim=1),
        sample(make.distinct(2, 3), *first, axis=1, keepdims=True),
        sample(make.distinct(), *first, 0),
        sample(make.distinct(), *first, -1, True),
        sample(make(0, 3), *first, 1),
        sample(make.distinct(7, dtype="int64"), *first, 0),
    ]


case(
    "kthvalue",
    samples=lambda make: [
        *one_dim(make, 1),
        sample(make.distinct(5), 4),
        sample(make.distinct(4, 2), k=3, dim=0),
        kink(given(make, [1.0, NAN, 0.0]), 3),
    ],
    errors=[
        *errors(1),
        wrong(RuntimeError, r"k=4 is out of range for dim -1 of size 3 .*\[2, 3\]", ONES, 4),
        wrong(RuntimeError, "k=0 is out of range", ONES, 0),
        wrong(RuntimeError, "k=2 is out of range", np.ones(()), 2),
        wrong(TypeError, "cannot be interpreted as an integer", ONES, 1.0),
        wrong(NotImplementedError, "not implemented for torch.bool", TRUTHS, 1),
    ],
)


def everything(make):
    return [
        sample(make.distinct(2, 3)),
        sample(make.distinct(2, 2)),
        sample(make.distinct(5)),
        sample(make.distinct()),
        sample(make.distinct(7, dtype="int64")),
        kink(given(make, [[2.0, 2.0, 1.0]])),
        kink(given(make, [1.0, NAN, NAN, 0.0])),
        kink(given(make, [NAN, NAN])),
    ]


def with_nans(make):
    return [
        *one_dim(make),
        kink(given(make, [[1.0, NAN, 0.0, 2.0], [3.0, 1.0, 2.0, 0.0]]), 1),
        kink(given(make, [NAN, NAN, 1.0]), 0),
        kink(given(make, [NAN, NAN]), 0),
    ]


for name in ("median", "nanmedian"):
    case(
        name, samples=everything,
        errors=[*errors(), BOOLEAN, wrong(TypeError, "keepdim needs a dim", ONES, keepdim=True)],
    )  # fmt: skip
    case(
        name, variant="of nothing",
        samples=lambda make: [
            sample(make(0)), sample(make(0, 2)),
            *[sample(make(0, dtype=kind)) for kind in ("int8", "int16", "int64", "uint8")],
        ],
        differentiable=False, note="NaN has no derivative", errorless=f"see {name}",
    )  # fmt: skip
    case(name, variant="dim", rows=f"{name}_dim", samples=with_nans, errorless=f"see {name}")
case(
    "mode",
    samples=lambda make: [
        *one_dim(make),
        sample(make.distinct(2, 3)),
        kink(given(make, [[1.0, 1.0, 2.0, 2.0, 0.0], [2.0, 1.0, 2.0, 1.0, 0.0]])),
        sample(make(9, dtype="int64")),
        sample(make(9, dtype="bool")),
    ],
    errors=errors(),
)
