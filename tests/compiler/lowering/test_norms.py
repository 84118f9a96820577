"""Norms of every order, and distances."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.compiler.lowering.comparing import compare, numbers, spoiled

ORDERS = (2.0, 1.0, 0.0, 3.0, 0.5, -1.0, -2.0, math.inf, -math.inf)


@pytest.mark.parametrize("kind", [np.float32, np.float64], ids=["float32", "float64"])
def test_norms(kind: type) -> None:
    """Of vectors along dims, of everything, of a number."""
    cases = []
    for order in ORDERS:
        given = spoiled(numbers((3, 6), kind))
        cases += [("vector_norm", (x,), order, (-1,), False) for x in given]
        for shape, dims in (((3, 6), (-2,)), ((2, 3, 4), (-3, -1)), ((), ())):
            cases.append(("vector_norm", (numbers(shape, kind),), order, dims, True))
        cases.append(("dist", (numbers((3, 4), kind), numbers((4,), kind, 4)), order))
    cases.append(("vector_norm", (numbers((0,), kind),), 2.0, (-1,), False))
    compare(cases)


def test_pairs() -> None:
    """Distances between all rows of two matrices, and of stacks of them."""
    x, y = numbers((2, 5, 3)), numbers((4, 3), seed=2)
    compare([("euclidean_dist", (x, y)), ("euclidean_dist", (x[0], y))])


def test_cross_products() -> None:
    """Along any dim of size 3, of integers too."""
    cases = []
    for kind in (np.float32, np.int64):
        for shape, dim in (((3,), -1), ((4, 3), -1), ((3, 4), -2), ((2, 3, 5), -2)):
            cases.append(("cross", (numbers(shape, kind), numbers(shape, kind, 1)), dim))
    compare(cases)
