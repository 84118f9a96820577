"""Samples of ``adjoint/ops/einsum.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
COMPLEX = ("float32", "float64", "complex64", "complex128")

EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ij->ji", (2, 3)),
    ("ba", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->i", (2, 3)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iji->ji", (2, 3, 2)),
    ("iii->i", (2, 2, 2)),
    ("i,j->ij", (2,), (3,)),
    ("i,i", (3,), (3,)),
    ("i,i->i", (3,), (3,)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
    ("bhqd,bhkd->bhqk", (2, 1, 3, 4), (2, 1, 2, 4)),
    ("bij,bij->b", (2, 3, 4), (2, 3, 4)),
    ("bi,bj->bij", (2, 3), (2, 4)),
    ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
    ("...i,...i->...", (2, 3), (3,)),
    ("...i", (2, 3)),
    ("i...->...", (2, 3, 4)),
    ("...ij->...ji", (2, 3, 4)),
    ("ij,j,jk->ik", (2, 3), (3,), (3, 4)),
    ("ab,bc,cd,da->", (2, 3), (3, 2), (2, 3), (3, 2)),
    ("i,ijk,jk->", (2,), (2, 3, 4), (3, 4)),
    ("ij,kj->ik", (2, 1), (3, 4)),
    ("Ab,bA->bA", (2, 3), (3, 2)),
    ("ii,ij->j", (2, 2), (2, 3)),
    (" i j , j -> i ", (2, 3), (3,)),
    (",i->i", (), (3,)),
    ("ij,jk->ik", (0, 3), (3, 4)),
    ("ij,jk->ik", (2, 0), (0, 4)),
    ("ijk,l->i", (2, 3, 1), (4,)),
]

case(
    "einsum",
    dtypes=COMPLEX,
    samples=lambda make: [
        *(sample(equation, *(make(*shape) for shape in shapes)) for equation, *shapes in EQUATIONS),
        sample("ij,jk->ik", [make(2, 3), make(3, 4)]),
        sample(make(2, 3), [0, 1], make(3, 4), [1, 2], [0, 2]),
        sample(make(2, 3), [5, 1], make(3, 4), [1, 30]),
        sample(make(2, 3, 4), [..., 0, 1], [..., 1]),
    ],
    errors=[
        wrong(RuntimeError, "j has size 4", "ij,jk", ONES((2, 3)), ONES((4, 5))),
        wrong(RuntimeError, "names 2 dimensions", "ij", ONES(2)),
        wrong(RuntimeError, "k is in none", "ij->ijk", ONES((2, 2))),
        wrong(RuntimeError, "2 operands, but 1", "ij,jk", ONES((2, 3))),
        wrong(RuntimeError, "1 operands, but 2", "ij", ONES((2, 3)), ONES((2, 3))),
        wrong(RuntimeError, "invalid subscript '1'", "i1", ONES((2, 3))),
        wrong(RuntimeError, "i appears more than once", "ij->ii", ONES((2, 3))),
        wrong(RuntimeError, "i is repeated", "ii", ONES((2, 3))),
        wrong(RuntimeError, "does not broadcast", "...i,...j", ONES((2, 3)), ONES((4, 2))),
        wrong(RuntimeError, "one dtype", "i,i", ONES(2), ONES(2, np.float32)),
        wrong(NotImplementedError, "bool", "i,i", ONES(2, np.bool_), ONES(2, np.bool_)),
        wrong(ValueError, "at least one tensor", "i"),
        wrong(ValueError, r"\[0, 52\)", ONES(2), [60]),
    ],
)
case(
    "tensordot",
    rows="einsum",
    dtypes=COMPLEX,
    samples=lambda make: [
        sample(make(2, 3), make(3, 4), 1),
        sample(make(2, 3, 4), make(3, 4, 2)),
        sample(make(2, 3), make(4), 0),
        sample(make(2, 3, 4), make(4, 5, 3), dims=([1, 2], [2, 0])),
        sample(make(2, 3), make(5, 2), dims=([-2], [-1])),
        sample(make(2, 1), make(3, 4), dims=1),
        sample(make(0, 3), make(3, 2), dims=1),
        sample(make(), make(2), dims=0),
    ],
    errors=[
        wrong(RuntimeError, "need to match.*size 3.*size 4", ONES((2, 3)), ONES((4, 5)), 1),
        wrong(RuntimeError, "dims >= 0", ONES((2, 3)), ONES((3, 5)), dims=-1),
        wrong(RuntimeError, "same length", ONES((2, 3)), ONES((3, 5)), dims=([1], [0, 1])),
        wrong(RuntimeError, "2 and 2 dimensions", ONES((2, 3)), ONES((3, 5)), dims=5),
        wrong(IndexError, "out of range", ONES((2, 3)), ONES((3, 5)), dims=([2], [0])),
    ],
)
