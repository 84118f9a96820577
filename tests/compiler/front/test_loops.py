"""Training loops of many kinds, as one function each, traced beside eager."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import adjoint as torch
from adjoint.utils.checkpoint import checkpoint
from tests.compiler.front.comparing import assert_same
from tests.compiler.front.test_tracing import numbers

F = torch.nn.functional
nn = torch.nn


def seeded(module: Any) -> Any:
    """The module with the same parameters each time."""
    generator = torch.Generator().manual_seed(3)
    for each in module.parameters():
        each.data.normal_(generator=generator)
    return module


def two_optimizers() -> Any:
    ws = [numbers(3, seed=n, requires_grad=True) for n in range(3)]
    first = torch.optim.Adam(ws[:2], lr=0.1)
    second = torch.optim.SGD(ws[2:], lr=torch.tensor(0.1), momentum=0.5)

    def function(x):
        first.zero_grad()
        second.zero_grad()
        ((ws[0] * ws[1] * x).sum() + (ws[2] * x).sin().sum()).backward()
        first.step()
        second.step()

    return function, ws


def adversaries() -> Any:
    maker, judge = seeded(nn.Linear(3, 3)), seeded(nn.Linear(3, 1))
    making = torch.optim.Adam(maker.parameters(), lr=0.01)
    judging = torch.optim.Adam(judge.parameters(), lr=0.01)

    def function(x):
        noise = torch.randn(4, 3)
        judging.zero_grad()
        loss = F.softplus(-judge(x.expand(4, 3))).mean()
        loss = loss + F.softplus(judge(maker(noise).detach())).mean()
        loss.backward()
        judging.step()
        making.zero_grad()
        F.softplus(-judge(maker(noise))).mean().backward()
        making.step()
        return loss.detach()

    return function, [*maker.parameters(), *judge.parameters()]


def gradient_penalty() -> Any:
    model = seeded(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.01)

    def function(x):
        optimizer.zero_grad()
        x = x[None].clone().requires_grad_()
        out = model(x).sum()
        (g,) = torch.autograd.grad(out, x, create_graph=True)
        ((g.norm() - 1) ** 2 + out).backward()
        optimizer.step()
        return g.detach()

    return function, list(model.parameters())


def accumulation() -> Any:
    w = numbers(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)

    def function(x):
        optimizer.zero_grad()
        for scale in range(3):
            ((w * x * scale) ** 2).mean().backward()
        torch.nn.utils.clip_grad_value_([w], 0.5)
        optimizer.step()
        return w.grad

    return function, [w]


def learning_to_learn() -> Any:
    w = numbers(3, requires_grad=True)

    def function(x):
        (g,) = torch.autograd.grad(((w * x) ** 2).sum(), w, create_graph=True)
        (((w - 0.1 * g) * x) ** 3).sum().backward()
        found = w.grad * 1
        w.grad = None
        return found

    return function, [w]


def moving_average() -> Any:
    model = seeded(nn.Linear(3, 2))
    average = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def function(x):
        optimizer.zero_grad()
        (model(x) ** 2).sum().backward()
        optimizer.step()
        with torch.no_grad():
            for kept, now in zip(average.parameters(), model.parameters(), strict=True):
                kept.mul_(0.9).add_(now, alpha=0.1)
        return average(x).detach()

    return function, [*model.parameters(), *average.parameters()]


def step_in_a_hook() -> Any:
    w = numbers(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)

    def hook(_: Any) -> None:
        optimizer.step()
        optimizer.zero_grad()

    w.register_post_accumulate_grad_hook(hook)
    w.register_hook(lambda g: g * 2)
    return lambda x: ((w * x) ** 2).sum().backward(), [w]


def reentrant_checkpoint() -> Any:
    w = numbers(3, requires_grad=True)

    def function(x):
        x = x.clone().requires_grad_()
        w.grad = None
        checkpoint(lambda x: F.dropout(x * w).exp(), x, use_reentrant=True).sum().backward()
        return x.grad

    return function, [w]


def recurrent_state() -> Any:
    w, state = numbers(3, requires_grad=True), torch.zeros(3)

    def function(x):
        new = (state + x).tanh() * w
        state.copy_(new.detach())
        return new

    return function, [w, state]


LOOPS = (
    two_optimizers, adversaries, gradient_penalty, accumulation, learning_to_learn, moving_average,
    step_in_a_hook, reentrant_checkpoint, recurrent_state,
)  # fmt: skip


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_loops(loop):
    def build():
        function, watched = loop()
        return function, [(numbers(3, seed=n),) for n in range(3)], watched

    assert_same(build, programs=1, tolerance=1e-5)


@pytest.mark.parametrize("loop", LOOPS[:6], ids=lambda loop: loop.__name__)
def test_compiled_loops(loop):
    def build():
        function, watched = loop()
        return function, [(numbers(3, seed=n),) for n in range(3)], watched

    assert_same(build, programs=1, tolerance=1e-5, wrap=torch.compile)
