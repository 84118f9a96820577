"""Extremes with their places: the first of equal ones, and of NaNs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compiler.lowering.comparing import compare, numbers, spoiled

KINDS = (np.float32, np.float64, np.int64, np.uint8)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: np.dtype(kind).name)
def test_places(kind: type) -> None:
    """Along each dim, of a number, and of a dim of size 1."""
    cases = []
    for name in ("argmax", "argmin", "max_dim", "min_dim"):
        for shape, dim in (((3, 5, 4), -1), ((3, 5, 4), -3), ((2, 80), -1), ((3, 1), -1)):
            for x in spoiled(numbers(shape, kind)):
                cases += [(name, (x,), dim, keep) for keep in (False, True)]
        cases.append((name, (numbers((), kind),), None, True))
    compare(cases)


def test_truth_has_extremes() -> None:
    """Of booleans, where most are ties."""
    x = numbers((6, 7), np.bool_)
    compare([(name, (x,), -1, False) for name in ("max_dim", "min_dim")])
