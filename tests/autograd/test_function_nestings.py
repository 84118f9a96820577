"""Random programs in random nestings of transforms: with rules of users' own, and without.

The rules apply transforms themselves, so that no level may be taken for another.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

import adjoint as torch
from adjoint.autograd import Function, custom
from adjoint.func import grad, jacrev, jvp, vjp, vmap

Binary = Callable[[Any, Any], Any]
COUNT = 200
OPERATIONS: tuple[Binary, ...] = (
    lambda x, y: x * y,
    lambda x, y: x * y.sin(),
    lambda x, y: x + y * y,
    lambda x, y: (x * x).tanh() + y,
    lambda x, y: x.sum() * y,
    lambda x, y: torch.outer(x, y).sum(0),
)


def with_vjp(operation: Binary) -> Binary:
    return custom(operation, vjp=lambda g, _, *inputs: vjp(operation, *inputs)[1](g))


def with_jvp(operation: Binary) -> Binary:
    return custom(operation, jvp=lambda t, _, *inputs: jvp(operation, inputs, t)[1])


def as_function(operation: Binary) -> Binary:
    class Made(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*inputs):
            return operation(*inputs)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx, g):
            return vjp(operation, *ctx.saved_tensors)[1](g)

        @staticmethod
        def jvp(ctx, *tangents):
            return jvp(operation, ctx.saved_tensors, tangents)[1]

    return Made.apply


MADE = [[wrap(each) for wrap in (with_vjp, with_jvp, as_function)] for each in OPERATIONS]
NESTINGS: tuple[Callable[[Binary], Binary], ...] = (
    lambda f: lambda x, y: grad(lambda x: f(x, y).sum())(x),
    lambda f: lambda x, y: grad(lambda y: f(x, y).pow(2).sum())(y),
    lambda f: lambda x, y: jvp(lambda x: f(x, y), (x,), (y,))[1],
    lambda f: lambda x, y: vjp(lambda y: f(x, y), y)[1](torch.ones_like(x))[0],
    lambda f: lambda x, y: vmap(lambda t: f(x * t, y))(torch.arange(1.0, 3.0)).sum(0),
    lambda f: lambda x, y: vmap(f, (0, None))(torch.stack([x, y]), y).sum(0),
    lambda f: lambda x, y: jacrev(lambda x: f(x, y))(x).flatten()[:3] * x,
)


def program(source: random.Random, custom_rules: bool) -> Binary:
    """A few operations on earlier results, with rules of their own for most, or none."""
    steps = []
    for _ in range(source.randrange(1, 4)):
        number, which = source.randrange(len(OPERATIONS)), source.randrange(4)
        plain = which == 3 or not custom_rules
        operation = OPERATIONS[number] if plain else MADE[number][which]
        steps.append((operation, source.randrange(6), source.randrange(6)))

    def run(x, y):
        pool = [x, y]
        for operation, first, second in steps:
            pool.append(operation(pool[first % len(pool)], pool[second % len(pool)]))
        return pool[-1]

    for _ in range(source.randrange(1, 4)):
        run = source.choice(NESTINGS)(run)
    return run


@pytest.mark.parametrize("start", range(0, COUNT, 20))
def test_rules_of_users_own_change_nothing(start: int):
    x, y = torch.tensor([0.5, -0.3, 0.8]), torch.tensor([0.2, 0.7, -0.4])
    for seed in range(start, start + 20):
        found, wanted = (program(random.Random(seed), own)(x, y) for own in (True, False))
        torch.testing.assert_close(
            found, wanted, rtol=1e-3, atol=1e-4, msg=lambda m, s=seed: f"{s}: {m}"
        )
