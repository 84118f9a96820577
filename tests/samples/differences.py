"""Samples of ``adjoint/ops/differences.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones((2, 3))
POINT = np.ones(())
TRUTHS = np.ones(3, np.bool_)
OUT_OF_RANGE = wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, dim=2)
FLOATS = ("float32", "float64", "complex128")

case(
    "diff", rows="sub slice cat logical_xor clone", dtypes=FLOATS,
    samples=lambda make: [
        sample(make(5)),
        sample(make(2, 4)),
        sample(make(2, 4), 2),
        sample(make(3, 2), 1, 0),
        sample(make(3, 2), dim=0),
        sample(make(3, 2), axis=0),
        sample(make(2, 3), n=5),
        sample(make(2, 3), 0),
        sample(make(1)),
        sample(make(0)),
        sample(make(2, 3), prepend=make(2, 1), append=make(2, 2)),
        sample(make(2, 3), 1, 0, make(1, 3)),
        sample(make(4, dtype="uint8", high=9)),
        sample(make(4, dtype="int64"), append=make(1)),
        sample(make(5, dtype="bool")),
        sample(make(5, dtype="bool"), 2),
    ],
    errors=[
        OUT_OF_RANGE,
        wrong(RuntimeError, "no dimensions", POINT),
        wrong(RuntimeError, "non-negative, but got n=-1", ONES, -1),
        wrong(RuntimeError, r"as many dimensions.*\[3\].*\[2, 3\]", ONES, prepend=np.ones(3)),
        wrong(RuntimeError, r"has 4 and not 2 in dim 0", ONES, append=np.ones((4, 1))),
        wrong(TypeError, "'prepend' must be Tensor, not int", ONES, prepend=1),
        wrong(TypeError, "must be Tensor, not int", 3),
        wrong(TypeError, "unexpected keyword argument 'across'", ONES, across=0),
    ],
)  # fmt: skip


def integrals(make):
    return [
        sample(make(5)),
        sample(make(2, 4)),
        sample(make(2, 4), dx=2),
        sample(make(3, 2), dx=0.5, dim=0),
        sample(make(3, 2), axis=0),
        sample(make(5), make(5)),
        sample(make(2, 4), make(4)),
        sample(make(3, 2), make(3), dim=0),
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), x=make(2, 3), dim=0),
        sample(make(2, 3, 2), make(3, 2), dim=-2),
        sample(make(2, 1)),
        sample(make(4, dtype="int64")),
        sample(make(4, dtype="int64"), make(4, dtype="int64")),
    ]


ERRORS = [
    OUT_OF_RANGE,
    wrong(IndexError, "no dimensions", POINT),
    wrong(RuntimeError, "not implemented for torch.bool", TRUTHS),
    wrong(RuntimeError, "not implemented for torch.bool", np.ones(3), TRUTHS),
    wrong(RuntimeError, "dx must be a real number, not True", ONES, dx=True),
    wrong(RuntimeError, "dx must be a real number, not 1j", ONES, dx=1j),
    wrong(RuntimeError, r"one x for each of the 3 points.*\[2\]", ONES, np.ones(2)),
    wrong(RuntimeError, r"one x for each of the 3 points.*\[2\]", np.ones(3), np.ones(2)),
    wrong(TypeError, "both x and dx", ONES, ONES, dx=1.0),
    wrong(TypeError, "must be Tensor, not int", 3),
    wrong(TypeError, "unexpected keyword argument 'across'", ONES, across=0),
]
case("trapezoid", rows="slice add mul sum_dims", samples=integrals, errors=ERRORS, dtypes=FLOATS)
case(
    "trapz", rows="slice add mul sum_dims", samples=integrals, dtypes=FLOATS,
    errors=[each for each in ERRORS if "dx" not in each.kwargs],
)  # fmt: skip
case(
    "cumulative_trapezoid", rows="slice add mul cumsum", samples=integrals, errors=ERRORS,
    dtypes=FLOATS,
)  # fmt: skip
