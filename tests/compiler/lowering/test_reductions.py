"""Reductions beside their NumPy kernels: of all, of some dims, of nothing, of every type."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compiler.lowering.comparing import compare, numbers, spoiled

FLOATS = (np.float32, np.float64)
KINDS = (*FLOATS, np.int64, np.int32, np.uint8, np.bool_)
DIMS = (
    ((3, 4, 5), (-1,)), ((3, 4, 5), (-2,)), ((3, 4, 5), (-3, -1)), ((2, 70), (-1,)),
    ((70, 2), (-2,)), ((4, 1), (-1,)), ((0, 3), (-1,)), ((), ()),
)  # fmt: skip
OF_NOTHING = ((0, 3), (-2,))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: np.dtype(kind).name)
def test_of_some_dims(kind: type) -> None:
    """Rows with ``dims`` and ``keepdim``."""
    cases = []
    for name in ("sum_dims", "nansum", "mean_dims", "amax", "amin", "aminmax", "all", "any"):
        if name == "mean_dims" and kind not in FLOATS:
            continue
        some = () if name.startswith("am") else (OF_NOTHING,)
        for shape, dims in (*DIMS, *some):
            for x in spoiled(numbers(shape, kind)):
                cases += [(name, (x,), dims, keep) for keep in (False, True)]
    cases += [
        ("all", (numbers((2, 3), kind),), (), False),
        ("any", (numbers((3,), kind),), (), True),
    ]
    cases += [("count_nonzero", (numbers(shape, kind),), dims) for shape, dims in DIMS]
    compare(cases)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: np.dtype(kind).name)
def test_of_all(kind: type) -> None:
    """Rows of everything, and products along a dim."""
    cases = []
    for shape in ((3, 4), (100,), (), (0,), (1, 1)):
        for x in spoiled(numbers(shape, kind)):
            cases += [("sum", (x,)), ("prod", (x,))]
            if kind in FLOATS:
                cases.append(("mean", (x,)))
            if x.size:
                cases += [("max", (x,), False), ("min", (x,), False)]
            if len(shape) == 2:
                cases += [("max", (x,), True), ("prod_dim", (x,), -2, True)]
    cases += [("prod_dim", (numbers((), kind),), None, True)]
    compare(cases)


def test_shares() -> None:
    """What ties share, where a NaN is the largest too."""
    cases = []
    for x in spoiled(numbers((4, 6))):
        top = np.maximum.reduce(x, -1)
        cases += [("shares", (x, top), (-1,), False, nans) for nans in (False, True)]
        cases.append(("shares", (x, np.maximum.reduce(x, None)), (-2, -1), False, True))
    compare(cases)


def test_sums_are_accurate() -> None:
    """Float32 adds up in float64, along any dim: as close to the truth as NumPy's pairwise sums."""
    x = np.random.RandomState(0).uniform(0, 1, (2, 100_000)).astype(np.float32)
    turned = x.T.copy()
    compare([
        ("sum_dims", (x,), (-1,), False),
        ("sum_dims", (turned,), (-2,), False),
        ("mean_dims", (turned,), (-2,), True),
        ("mean", (x,)),
    ])  # fmt: skip


def test_products_keep_their_order() -> None:
    """In another order this would be infinity times zero."""
    x = np.array([1e30, 1e-30] * 50, np.float32)
    compare([
        ("prod", (x,)),
        ("prod_dim", (np.stack([x, x]),), -1, False),
        ("prod_dim", (np.stack([x, x], 1),), -2, False),
    ])  # fmt: skip
