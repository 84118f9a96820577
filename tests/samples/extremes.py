"""Samples of ``adjoint/ops/extremes.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones((2, 3))
EMPTY = np.ones((0, 3))
COMPLEX = np.ones(3, np.complex128)
NAN = np.nan
OUT_OF_RANGE = wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, 2)
TWICE = wrong(RuntimeError, "dim 0 appears multiple times", ONES, (0, 0))
NOT_AN_INT = wrong(TypeError, "dim must be an int", ONES, "first")
NOT_A_TENSOR = wrong(TypeError, "must be Tensor, not int", 3)
UNKNOWN_WORD = wrong(TypeError, "unexpected keyword argument 'across'", ONES, across=0)
BOTH = wrong(TypeError, "both dim and axis", ONES, dim=0, axis=0)
NO_ELEMENTS = wrong(RuntimeError, r"\[0, 3\] has no elements", EMPTY)
NOTHING_ALONG = wrong(IndexError, "expected reduction dim 0 to have non-zero size", EMPTY, 0)
UNORDERED = wrong(NotImplementedError, "not implemented for torch.complex128", COMPLEX)
UNORDERED_DIM = wrong(NotImplementedError, "not implemented for torch.complex128", COMPLEX, 0)
NOT_A_FLAG = wrong(TypeError, "must be bool, not int; several dims", ONES, 0, 1)
COMMON = [OUT_OF_RANGE, NOT_AN_INT, NOT_A_TENSOR, UNKNOWN_WORD, BOTH]


def ties(make):
    return np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]], make.dtype)


def spoiled(make):
    return np.array(
        [[1.0, NAN, 3.0], [NAN, NAN, 2.0]], make.dtype if make.dtype.kind == "f" else "f8"
    )


def several_dims(make):
    return [
        sample(make.distinct(2, 3)),
        sample(make.distinct()),
        sample(make.distinct(), 0),
        sample(make.distinct(), -1, True),
        sample(make.distinct(2, 3), 0),
        sample(make.distinct(2, 3), -1, True),
        sample(make.distinct(2, 3, 4), (0, 2)),
        sample(make.distinct(2, 3, 4), dim=[-1, 0], keepdim=True),
        sample(make.distinct(2, 3), axis=1, keepdims=True),
        sample(make.distinct(2, 3), ()),
        sample(make(0, 3), 1),
        sample(make(2, 3, dtype="int64"), 1),
        sample(make(2, 3, dtype="bool"), 1),
        kink(ties(make)),
        kink(ties(make), 1),
        kink(ties(make), 0, True),
        kink(spoiled(make), 1),
    ]


MANY = [NOT_A_FLAG, *COMMON, TWICE, NO_ELEMENTS, NOTHING_ALONG, UNORDERED]
case("amax", rows="amax shares", samples=several_dims, errors=MANY)
case("amin", rows="amin shares", samples=several_dims, errors=MANY)
case(
    "aminmax",
    samples=lambda make: [
        sample(make.distinct(2, 3)),
        sample(make.distinct()),
        sample(make.distinct(), dim=0),
        sample(make.distinct(2, 3), keepdim=True),
        sample(make.distinct(2, 3), dim=0),
        sample(make.distinct(2, 3), dim=-1, keepdim=True),
        sample(make.distinct(2, 3), axis=1, keepdims=True),
        sample(make(0, 3), dim=1),
        sample(make(2, 3, dtype="int64"), dim=1),
        kink(ties(make)),
        kink(ties(make), dim=1),
        kink(spoiled(make), dim=1),
    ],
    errors=[
        wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, dim=2),
        wrong(TypeError, "dim must be an int", ONES, dim=(0, 1)),
        wrong(RuntimeError, r"\[0, 3\] has no elements", EMPTY),
        wrong(IndexError, "expected reduction dim 0 to have non-zero size", EMPTY, dim=0),
        NOT_A_TENSOR, UNKNOWN_WORD, BOTH, UNORDERED,
    ],
)  # fmt: skip


def everything(make):
    return [
        sample(make.distinct(2, 3)),
        sample(make.distinct(5)),
        sample(make.distinct()),
        sample(make(2, 3, dtype="int64")),
        sample(make(2, 3, dtype="bool")),
        kink(ties(make)),
        kink(spoiled(make)),
    ]


def one_dim(make):
    return [
        sample(make.distinct(), 0),
        sample(make.distinct(), -1, True),
        sample(make.distinct(5), 0),
        sample(make.distinct(2, 3), 0),
        sample(make.distinct(2, 3), -1, True),
        sample(make.distinct(2, 3, 4), 1),
        sample(make.distinct(2, 3), axis=1, keepdims=True),
        sample(make(0, 3), 1),
        sample(make(2, 3, dtype="int64"), 1),
        sample(make(2, 3, dtype="bool"), 1),
        kink(ties(make), 1),
        kink(ties(make), 0),
        kink(spoiled(make), 1),
    ]


def two_tensors(make):
    return [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), other=make(3)),
        sample(make(), make(2)),
    ]


ONE = [
    NOT_A_FLAG,
    *COMMON, NO_ELEMENTS, NOTHING_ALONG, UNORDERED, UNORDERED_DIM,
    wrong(TypeError, "dim must be an int, not tuple", ONES, (0, 1)),
    wrong(TypeError, "takes a dim with keepdim", ONES, keepdim=True),
    wrong(TypeError, "takes a dim with keepdim", ONES, 0, other=ONES),
    wrong(TypeError, "dim must be an int, not NoneType", ONES, None),
]  # fmt: skip
for name, of_two in (("max", "maximum"), ("min", "minimum")):
    case(name, rows=f"{name} shares", samples=everything, errors=ONE)
    case(name, variant="dim", rows=f"{name}_dim", samples=one_dim, errorless=f"see {name}")
    case(name, variant="of two", rows=of_two, samples=two_tensors, errorless=f"see {of_two}")


def places(make):
    return [
        *[each for each in everything(make) if each.args[0].dtype.kind != "b"],
        *[each for each in one_dim(make) if each.args[0].dtype.kind != "b"],
        sample(make.distinct(2, 3), None, True),
        sample(make.distinct(), keepdim=True),
    ]


PLACES = [
    *COMMON,
    NOTHING_ALONG,
    wrong(IndexError, r"\[0, 3\] has no elements", EMPTY),
    wrong(TypeError, "dim must be an int, not tuple", ONES, (0, 1)),
    wrong(RuntimeError, "not implemented for torch.bool", np.ones(3, np.bool_)),
    wrong(RuntimeError, "not implemented for torch.complex128", COMPLEX),
]
INDICES = "the results are indices"
case("argmax", samples=places, errors=PLACES, differentiable=False, note=INDICES)
case("argmin", samples=places, errors=PLACES, differentiable=False, note=INDICES)
