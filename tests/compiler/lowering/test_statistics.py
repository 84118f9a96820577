"""Variances: corrections, degrees of freedom that there are not, numbers far from zero."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.compiler.lowering.comparing import compare, numbers, spoiled


@pytest.mark.parametrize("kind", [np.float32, np.float64], ids=["float32", "float64"])
def test_values(kind: type) -> None:
    """Alone and with the mean."""
    cases = []
    for name in ("var", "std", "var_mean", "std_mean"):
        for shape, dims in (
            ((3, 7), (-1,)),
            ((3, 7), (-2, -1)),
            ((4, 2, 3), (-3, -1)),
            ((2, 1), (-1,)),
        ):
            for correction in (0, 1, 2.5, math.inf):
                given = spoiled(numbers(shape, kind))
                cases += [(name, (x,), dims, correction, True) for x in given]
        cases += [
            (name, (numbers((), kind),), (), 1, False),
            (name, (numbers((0,), kind),), (-1,), 1, False),
        ]
    compare(cases)


def test_far_from_zero() -> None:
    """The mean is taken away before anything is squared."""
    x = (numbers((4, 1000)) + 1e6).astype(np.float64)
    compare([("var", (x,), (-1,), 1, False)])
