"""Recurrences long and short, and high derivatives of products with zeros."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as torch
from adjoint.ops.scan import carry, products_before


def one_by_one(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out = np.zeros_like(b)
    for place in range(1, len(b)):
        out[place] = a[place - 1] * out[place - 1] + b[place - 1]
    return out


@pytest.mark.parametrize("count", [0, 1, 2, 64, 65, 100, 1000, 1023])
@pytest.mark.parametrize("reverse", [False, True])
def test_blocks_carry_as_one_by_one_does(count: int, reverse: bool) -> None:
    random = np.random.default_rng(count)
    a, b = random.uniform(-1.1, 1.1, (2, count, 3))
    expected = np.flip(one_by_one(np.flip(a, 0), np.flip(b, 0)), 0) if reverse else one_by_one(a, b)
    np.testing.assert_allclose(carry(a, b, -2, reverse), expected, rtol=1e-9, atol=1e-12)
    across = carry(a.T.copy(), b.T.copy(), -1, reverse)
    np.testing.assert_allclose(across.T, expected, rtol=1e-9, atol=1e-12)


def test_products_before_and_after() -> None:
    x = np.array([2.0, 3.0, 0.0, 5.0])
    np.testing.assert_array_equal(products_before(x, -1, False), [1, 2, 6, 0])
    np.testing.assert_array_equal(products_before(x, -1, True), [0, 0, 5, 1])


def derivatives(function, x: torch.Tensor, order: int) -> list[np.ndarray]:
    out, found = function(x), []
    for _ in range(order):
        (out,) = torch.autograd.grad(out.sum(), x, create_graph=True)
        found.append(out.detach().numpy())
    return found


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 2)])
def test_third_derivatives_of_products(zeros: tuple[int, ...]) -> None:
    """Of x0 * x1 * x2 * x3, written out, as those of ``prod`` and the end of ``cumprod``."""
    start = np.array([1.5, -2.0, 0.7, 3.0])
    start[list(zeros)] = 0
    expected = derivatives(lambda x: x[0] * x[1] * x[2] * x[3], leaf(start), 3)
    for function in (
        lambda x: x.prod(),
        lambda x: x.prod(0),
        lambda x: x.cumprod(0)[-1],
        lambda x: x.reshape(2, 2).prod(),
    ):
        for found, wanted in zip(derivatives(function, leaf(start), 3), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-12)


def leaf(values: np.ndarray) -> torch.Tensor:
    return torch.tensor(values, requires_grad=True)


def test_a_product_that_underflows_has_a_gradient() -> None:
    x = torch.full((3,), 1e-30, requires_grad=True)
    x.prod().backward()
    assert x.prod().item() == 0
    np.testing.assert_allclose(x.grad.numpy(), 1e-30 * np.float32(1e-30))
    y = torch.full((2,), 1e-25, requires_grad=True)
    y.prod().backward()
    np.testing.assert_allclose(y.grad.numpy(), 1e-25, rtol=1e-6)


def test_running_sums_of_float32_are_kept_in_float64() -> None:
    x = torch.full((100_000,), 0.1)
    assert abs(x.cumsum(0)[-1].item() - 10_000) < 1e-3
