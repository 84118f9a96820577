"""Samples of ``adjoint/ops/addition_products.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
COMPLEX = ("float32", "float64", "complex64", "complex128")


def added(make, *pairs):
    """For shapes of the input and of the product's factors: plain, and with both numbers."""
    found = []
    for shapes in pairs:
        numbers = [{}, {"beta": 0.5, "alpha": 2}, {"beta": 0, "alpha": -1.5}]
        if any(0 in shape for shape in shapes):
            numbers = [{}, {"beta": 2, "alpha": 3}]
        found += [sample(*(make(*shape) for shape in shapes), **each) for each in numbers]
    return found


def errors(good, bad_shape, *more):
    """Shapes, types and numbers that do not fit; ``good`` is a call's arguments."""
    return [
        wrong(RuntimeError, "cannot be multiplied|expected", good[0], *bad_shape),
        wrong(RuntimeError, "must match|stretch", ONES((7,)), *good[1:]),
        wrong(RuntimeError, "must match|stretch", ONES((5, 1, 1, 1)), *good[1:]),
        wrong(TypeError, "beta must be a number", *good, beta="1"),
        *more,
    ]


def mixed(good):
    return wrong(RuntimeError, "same dtype", good[0].astype("float32"), *good[1:])


MATRICES = (ONES((2, 3)), ONES((2, 4)), ONES((4, 3)))
VECTOR = (ONES(2), ONES((2, 4)), ONES(4))
OUTER = (ONES((2, 3)), ONES(2), ONES(3))
STACKS = (ONES((2, 2, 3)), ONES((2, 2, 4)), ONES((2, 4, 3)))
SUMMED = (ONES((2, 3)), ONES((2, 2, 4)), ONES((2, 4, 3)))

case(
    "addmm",
    dtypes=COMPLEX,
    samples=lambda make: added(
        make,
        ((2, 3), (2, 4), (4, 3)),
        ((3,), (2, 4), (4, 3)),
        ((), (2, 4), (4, 3)),
        ((2, 1), (2, 0), (0, 3)),
    ),
    errors=errors(MATRICES, (ONES((2, 4)), ONES((3, 3))), mixed(MATRICES)),
)
case(
    "addmv",
    dtypes=COMPLEX,
    samples=lambda make: added(
        make, ((2,), (2, 4), (4,)), ((1,), (2, 4), (4,)), ((2,), (2, 0), (0,))
    ),
    errors=errors(VECTOR, (ONES((2, 4)), ONES(3)), mixed(VECTOR)),
)
case(
    "addr",
    dtypes=COMPLEX,
    samples=lambda make: added(
        make, ((2, 3), (2,), (3,)), ((3,), (2,), (3,)), ((0, 3), (0,), (3,))
    ),
    errors=errors(OUTER, (ONES((2, 1)), ONES(3))),
)
case(
    "baddbmm",
    dtypes=COMPLEX,
    samples=lambda make: added(
        make,
        ((2, 2, 3), (2, 2, 4), (2, 4, 3)),
        ((3,), (2, 2, 4), (2, 4, 3)),
        ((2, 1, 3), (2, 2, 0), (2, 0, 3)),
    ),
    errors=errors(STACKS, (ONES((2, 2, 4)), ONES((3, 4, 3))), mixed(STACKS)),
)
case(
    "addbmm",
    dtypes=COMPLEX,
    in_place=False,
    note="PyTorch's in-place form gives its target another shape",
    samples=lambda make: added(
        make,
        ((2, 3), (2, 2, 4), (2, 4, 3)),
        ((3,), (2, 2, 4), (2, 4, 3)),
        ((2, 3), (0, 2, 4), (0, 4, 3)),
    ),
    errors=errors(SUMMED, (ONES((2, 2, 4)), ONES((2, 3, 3))), mixed(SUMMED)),
)
