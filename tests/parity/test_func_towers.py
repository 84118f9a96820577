"""Towers of transforms in every order: all pairs, and random towers of three and four.

Each storey makes of a vector field another one, some of them with closures over the outer variable,
which is where perturbations would be confused.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import adjoint
from tests.parity.comparing import torch

Field = Callable[[Any], Any]


def by_grad(t: Any, f: Field) -> Field:
    return t.func.grad(lambda y: f(y).sum())


def by_grad_and_value(t: Any, f: Field) -> Field:
    def field(x: Any) -> Any:
        g, value = t.func.grad_and_value(lambda y: f(y).sin().sum())(x)
        return g + value

    return field


def by_closure(t: Any, f: Field) -> Field:
    return lambda x: t.func.grad(lambda y: (f(y * x) * x).sum())(x)


def by_vjp(t: Any, f: Field) -> Field:
    def field(x: Any) -> Any:
        out, pull = t.func.vjp(lambda y: f(y) * x, x)
        return pull(out)[0]

    return field


def by_jvp(t: Any, f: Field) -> Field:
    return lambda x: t.func.jvp(lambda y: f(y) * x, (x,), (x * x,))[1]


def by_linearize(t: Any, f: Field) -> Field:
    if t is torch:  # whose linearize does not nest
        return lambda x: t.func.jvp(f, (x,), (x,))[1]
    return lambda x: t.func.linearize(f, x)[1](x)


def by_jacrev(t: Any, f: Field) -> Field:
    return lambda x: t.func.jacrev(f, chunk_size=2)(x).sum(0)


def by_jacfwd(t: Any, f: Field) -> Field:
    return lambda x: t.func.jacfwd(lambda y: f(y) * x)(x) @ x


def by_hessian(t: Any, f: Field) -> Field:
    return lambda x: t.func.hessian(lambda y: (f(y) * x).sum())(x).sum(1)


def by_vmap(t: Any, f: Field) -> Field:
    return lambda x: t.func.vmap(lambda s: f(s * x))(x).sum(0)


def by_vmap_of_rows(t: Any, f: Field) -> Field:
    return lambda x: t.func.vmap(f, in_dims=1, out_dims=1)(t.stack([x, x * x], 1)).prod(1)


STOREYS = (
    by_grad, by_grad_and_value, by_closure, by_vjp, by_jvp, by_linearize, by_jacrev, by_jacfwd,
    by_hessian, by_vmap, by_vmap_of_rows,
)  # fmt: skip


def base(t: Any) -> Field:
    return lambda x: x.sin() * x.flip(0) / (2 + x * x) + x.prod()


def towers() -> list[tuple[Any, ...]]:
    draw = random.Random(11)
    found: list[tuple[Any, ...]] = list(product(STOREYS, repeat=2))
    found += [tuple(draw.choices(STOREYS, k=3)) for _ in range(150)]
    cheap = [each for each in STOREYS if each not in (by_hessian, by_jacfwd)]
    found += [tuple(draw.choices(cheap, k=4)) for _ in range(40)]
    return list(dict.fromkeys(found))


def value(t: Any, tower: tuple[Any, ...]) -> np.ndarray:
    field = base(t)
    for storey in tower:
        field = storey(t, field)
    return field(t.tensor([0.3, -0.8, 1.1], dtype=t.float64)).detach().numpy()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "tower", towers(), ids=lambda tower: ".".join(each.__name__[3:] for each in tower)
)
def test_towers(tower: tuple[Any, ...]) -> None:
    expected = value(torch, tower)
    found = value(adjoint, tower)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max())
