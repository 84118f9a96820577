"""Sums keep pairwise accuracy along every dim, whatever the shape and the layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adjoint as torch
from adjoint.array.sums import accurate_sum

SHAPES = [
    ((100_000, 3), (-2,)),  # rows too short to add one by one
    ((5_000, 64), (-2,)),  # in blocks
    ((1_031, 40), (-2,)),  # a prime: no whole blocks
    ((2, 700, 3, 4), (-3,)),
    ((600, 500, 2), (-3, -2)),
    ((3, 4_000), (-2, -1)),
    ((4_097,), (-1,)),
]


@pytest.mark.parametrize(("shape", "dims"), SHAPES)
@pytest.mark.parametrize("kind", ["float32", "complex64"])
def test_sums_are_accurate(shape: tuple[int, ...], dims: tuple[int, ...], kind: str) -> None:
    x = np.random.default_rng(0).random(shape).astype(kind)
    wide = x.astype("complex128" if kind == "complex64" else "float64")
    exact = np.add.reduce(wide, axis=dims)
    for layout in (x, np.asfortranarray(x), np.flip(x)):
        found = accurate_sum(layout, dims, False)
        assert found.dtype == x.dtype
        wanted = np.flip(exact) if layout.base is not None and layout.strides[-1] < 0 else exact
        np.testing.assert_allclose(found, wanted, rtol=6e-7)
        kept = accurate_sum(layout, dims, True)
        assert kept.shape == tuple(1 if p - len(shape) in dims else n for p, n in enumerate(shape))
        np.testing.assert_array_equal(kept.reshape(found.shape), found)


def test_integers_add_up_in_int64() -> None:
    x = torch.full((1000,), 200, dtype=torch.uint8)
    assert x.sum().item() == 200_000
    assert x.sum(0).dtype is torch.int64
    assert (x > 100).sum().item() == 1000


def test_a_full_reduction_names_the_users_line() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x.sum()
    assert y.grad_fn.where().endswith(f"{__file__.rpartition('/')[2]}:{LINE}")


LINE = test_a_full_reduction_names_the_users_line.__code__.co_firstlineno + 2


@pytest.mark.parametrize(
    "reduce",
    [lambda x: x.sum(), lambda x: x.mean(), lambda x: x.sum(0).sum(), lambda x: x.amax()],
)
def test_gradients_do_not_share_memory(reduce: Any) -> None:
    x, y = (torch.ones(2, 3, requires_grad=True) for _ in range(2))
    (reduce(x) + reduce(y)).backward()
    x.grad += 1
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())
    big = torch.ones(200, 200, requires_grad=True)
    reduce(big).backward()
    big.grad += 1  # writable, and every element its own
    assert len(set(np.unique(big.grad.numpy()))) == 1
