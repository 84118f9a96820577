"""Running totals and extremes, forwards and backwards, along the last dim and along others."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compiler.lowering.comparing import compare, numbers, spoiled

# Lines alone, side by side, and more of them than go together.
SHAPES = (((7,), -1), ((3, 7), -1), ((7, 3), -2), ((2, 5, 150), -2), ((4, 2, 3), -3), ((3, 0), -1))


@pytest.mark.parametrize(
    "kind", [np.float32, np.float64, np.int64, np.uint8, np.bool_], ids=lambda x: np.dtype(x).name
)
def test_totals_and_extremes(kind: type) -> None:
    """Of every type."""
    cases = []
    for shape, dim in (*SHAPES, ((), None)):
        for x in spoiled(numbers(shape, kind)):
            cases += [("cumsum", (x,), dim, back) for back in (False, True)]
            cases += [(name, (x,), dim) for name in ("cumprod", "cummax", "cummin")]
    compare(cases)


@pytest.mark.parametrize("kind", [np.float32, np.float64], ids=["float32", "float64"])
def test_recurrences(kind: type) -> None:
    """The state before each place; logarithms of running sums."""
    cases = []
    for shape, dim in (*SHAPES, ((), None)):
        b = numbers(shape, kind, 2)
        for a in spoiled(numbers(shape, kind) / 3):
            cases += [("carry", (a, b), dim, back) for back in (False, True)]
            cases += [("products_before", (a,), dim, back) for back in (False, True)]
            cases.append(("logcumsumexp", (a * 50,), dim))
    compare(cases)


def test_a_recurrence_stretches() -> None:
    """One factor for all lines."""
    compare([("carry", (numbers((5, 1)), numbers((5, 4))), -2, False)])
