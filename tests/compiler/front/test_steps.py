"""Optimizers in traced steps: nothing of the first call stays in the program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adjoint as torch
from adjoint.errors import UntraceableError
from tests.compiler.front.comparing import assert_same
from tests.compiler.front.replaying import Replayed
from tests.compiler.front.test_tracing import numbers

OPTIMIZERS = [
    (torch.optim.SGD, {"lr": 0.1}, 1),
    (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1}, 2),
    (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}, 1),
    (torch.optim.Adam, {"lr": 0.01}, 1),
    (torch.optim.Adam, {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1, "maximize": True}, 1),
    (torch.optim.AdamW, {"lr": 0.01}, 1),
    (torch.optim.RMSprop, {"lr": 0.01, "momentum": 0.5, "centered": True}, 1),
    (torch.optim.Adagrad, {"lr": 0.1, "lr_decay": 0.1}, 1),
    (torch.optim.Adadelta, {}, 1),
    (torch.optim.Adamax, {}, 1),
    (torch.optim.NAdam, {}, 1),
    (torch.optim.RAdam, {}, 2),  # plain steps at first
    (torch.optim.ASGD, {"t0": 3}, 2),  # the mean begins after t0
    (torch.optim.Rprop, {}, 1),
]


def training(optimizer: Any, options: dict[str, Any], calls: int) -> Any:
    """A network, its step with a scheduler outside, and batches."""

    def build():
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
        steps = optimizer(model.parameters(), **options)
        scheduler = torch.optim.lr_scheduler.StepLR(steps, 2, 0.5)

        def step(x, y):
            steps.zero_grad()
            loss = torch.nn.functional.mse_loss(model(x), y)
            loss.backward()
            steps.step()
            return loss.detach()

        batches = [(numbers(6, 5, seed=n), numbers(6, 2, seed=n + 50)) for n in range(calls)]
        return step, batches, scheduler, model, steps

    return build


def state_of(steps: Any) -> list[Any]:
    return [
        (name, value.numpy().copy(), value._version) if hasattr(value, "_array") else (name, value)
        for state in steps.state.values()
        for name, value in state.items()
    ]


@pytest.mark.parametrize("case", OPTIMIZERS, ids=lambda case: case[0].__name__)
def test_optimizers_follow_eager_ones(case):
    optimizer, options, programs = case
    seen: list[Any] = []
    for replayed in (False, True):
        step, batches, scheduler, model, steps = training(optimizer, options, 9)()
        function = Replayed(step) if replayed else step
        losses = []
        for batch in batches:
            losses.append(function(*batch).item())
            scheduler.step()
        params = [(each.detach().numpy(), each._version) for each in model.parameters()]
        seen.append((losses, params, state_of(steps)))
    assert len(function.programs) == programs
    np.testing.assert_allclose(seen[1][0], seen[0][0], rtol=1e-5)
    for there, here in zip(*[each[1] for each in seen], strict=True):
        np.testing.assert_allclose(here[0], there[0], rtol=1e-5, atol=1e-6)
        assert here[1] == there[1]
    for there, here in zip(*[each[2] for each in seen], strict=True):
        assert (here[0], *here[2:]) == (there[0], *there[2:])
        np.testing.assert_allclose(here[1], there[1], rtol=1e-4, atol=1e-6)


def test_adam_for_a_hundred_steps():
    params = []
    for replayed in (False, True):
        step, batches, _, model, _ = training(torch.optim.Adam, {"lr": 0.01}, 100)()
        function = Replayed(step) if replayed else step
        for batch in batches:
            function(*batch)
        params.append([each.detach().numpy() for each in model.parameters()])
    assert len(function.programs) == 1
    for there, here in zip(*params, strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-6)


def test_a_trace_leaves_the_state_alone():
    step, batches, _, model, steps = training(torch.optim.Adam, {}, 1)()

    def failing(x, y):
        step(x, y)
        raise KeyError("after all")

    before = [(each.detach().clone(), each._version) for each in model.parameters()]
    with pytest.raises(KeyError):
        Replayed(failing)(*batches[0])
    assert not steps.state
    for each, (old, version) in zip(model.parameters(), before, strict=True):
        assert each.grad is None
        assert each._version == version
        assert torch.equal(each, old)


def test_state_that_is_loaded_is_used():
    step, batches, _, _, steps = training(torch.optim.Adam, {"lr": 0.1}, 6)()
    replayed = Replayed(step)
    for batch in batches[:3]:
        replayed(*batch)
    steps.load_state_dict(steps.state_dict())
    for batch in batches[3:]:
        replayed(*batch)
    assert len(replayed.programs) == 2
    assert [state["step"].item() for state in steps.state.values()] == [6.0] * 4


def test_undo_takes_back_what_begin_has_counted():
    step, batches, _, _, steps = training(torch.optim.NAdam, {}, 2)()
    replayed = Replayed(step)
    replayed(*batches[0])
    effect = replayed.programs[0][1].effects[0]
    before = state_of(steps)
    assert effect.begin() is not None
    assert str(state_of(steps)) != str(before)
    effect.undo()
    assert str(state_of(steps)) == str(before)


def test_two_steps_and_two_groups_in_one_function():
    def build():
        w, b = numbers(3, requires_grad=True), numbers(3, seed=1, requires_grad=True)
        steps = torch.optim.Adam([{"params": [w], "lr": 0.1}, {"params": [b], "betas": (0.5, 0.9)}])

        def function(x):
            for _ in range(2):
                steps.zero_grad()
                ((w * x + b) ** 2).sum().backward()
                steps.step()

        return function, [(numbers(3, seed=n),) for n in range(3)], (w, b)

    traced = assert_same(build, programs=1)
    assert len(traced.programs[0][1].effects) == 4


def test_a_step_with_a_closure_and_clipping_and_an_average():
    def build():
        w = numbers(3, requires_grad=True)
        average = torch.zeros(3)
        steps = torch.optim.SGD([w], lr=0.1, momentum=0.9)

        def function(x):
            def closure():
                steps.zero_grad()
                loss = ((w * x) ** 2).sum()
                loss.backward()
                torch.nn.utils.clip_grad_norm_([w], 0.5)
                return loss

            loss = steps.step(closure)
            with torch.no_grad():
                average.lerp_(w, 0.1)
            return loss.detach()

        return function, [(numbers(3, seed=n),) for n in range(3)], (w, average)

    assert_same(build, programs=1)


def test_zero_grad_that_keeps_the_tensors():
    def build():
        w = numbers(3, requires_grad=True)
        steps = torch.optim.SGD([w], lr=0.1)

        def function(x):
            steps.zero_grad(set_to_none=False)
            ((w * x) ** 2).sum().backward()
            steps.step()

        return function, [(numbers(3, seed=n),) for n in range(4)], (w,)

    assert_same(build, programs=2)


def test_what_has_no_traced_step_says_so():
    w = numbers(3, requires_grad=True)
    for steps, words in (
        (torch.optim.LBFGS([w]), "the numbers of"),
        (torch.optim.SGD([w], differentiable=True), "differentiable=True"),
    ):

        def function(steps=steps):
            def closure():
                steps.zero_grad()
                loss = (w * w).sum()
                loss.backward()
                return loss

            steps.step(closure)

        with pytest.raises(UntraceableError, match=words):
            Replayed(function)()
        assert w.grad is None
        assert w._version == 0


@pytest.mark.parametrize("wrap", [Replayed, torch.compile])
def test_a_group_that_is_added_is_stepped(wrap):
    w, b = numbers(3, requires_grad=True), numbers(3, seed=1, requires_grad=True)
    steps = torch.optim.SGD([w], lr=0.1)

    def function(x):
        steps.zero_grad()
        ((w * x + b) ** 2).sum().backward()
        steps.step()

    traced = wrap(function)
    before = b.detach().clone()
    traced(numbers(3))
    assert torch.equal(b, before)
    steps.add_param_group({"params": [b]})
    traced(numbers(3))
    assert not torch.equal(b, before)
    before = b.detach().clone()
    steps.param_groups[1]["params"].pop()
    traced(numbers(3))
    assert torch.equal(b, before)
