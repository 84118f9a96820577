"""Optimizers as text, saved and loaded, copied, and with hooks around them."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import adjoint as torch
from adjoint.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
    required,
)
from tests.references import optim_cases

ALL = sorted({name for name, _ in optim_cases.CASES})


def leaf(*values: float):
    return torch.tensor(values, requires_grad=True)


def with_gradient(*values: float):
    param = leaf(*values)
    param.grad = torch.ones_like(param)
    return param


# -- text ---------------------------------------------------------------------------------------


def test_repr():
    optimizer = torch.optim.SGD([{"params": [leaf(1.0)]}, {"params": [leaf(2.0)], "lr": 1}], lr=0.1)
    lines = ["dampening: 0", "differentiable: False", "foreach: None", "fused: None", "lr: {}"]
    lines += ["maximize: False", "momentum: 0", "nesterov: False", "weight_decay: 0"]
    body = "\n".join("    " + line for line in lines)
    assert repr(optimizer) == (
        f"SGD (\nParameter Group 0\n{body.format(0.1)}\n\nParameter Group 1\n{body.format(1)}\n)"
    )


# -- saving -------------------------------------------------------------------------------------


def walk(optimizer, param, steps, begin=0):
    for step in range(begin, begin + steps):
        param.grad = torch.tensor([np.sin(step), np.cos(2 * step)], dtype=param.dtype)
        optimizer.step()


@pytest.mark.parametrize(("name", "options"), optim_cases.CASES)
def test_going_on_from_a_state_dict(name: str, options: dict):
    w = leaf(1.0, -1.0)
    optimizer = getattr(torch.optim, name)([w], **options)
    walk(optimizer, w, 3)
    v = w.detach().clone().requires_grad_()
    other = getattr(torch.optim, name)([v], lr=7.0)
    other.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    assert other.param_groups[0]["params"] == [v]
    walk(optimizer, w, 3, 3)
    walk(other, v, 3, 3)
    assert torch.equal(w, v)
    assert repr(optimizer) == repr(other)


@pytest.mark.parametrize("name", [*ALL, "LBFGS"])
@pytest.mark.parametrize("again", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_copies_of_an_optimizer(name: str, again):
    w = leaf(1.0, -1.0)
    optimizer = getattr(torch.optim, name)([w])

    def step(optimizer, w, number):
        def closure():
            optimizer.zero_grad()
            loss = ((w - number) ** 4).sum()
            loss.backward()
            return loss

        optimizer.step(closure)

    step(optimizer, w, 1)
    other = again(optimizer)
    v = other.param_groups[0]["params"][0]
    assert v is not w
    step(optimizer, w, 2)
    step(other, v, 2)
    assert torch.equal(w, v)
    assert w._array is not v._array


def test_numbers_stand_for_parameters():
    a, b, c = with_gradient(1.0), with_gradient(2.0), with_gradient(3.0)
    optimizer = torch.optim.SGD([{"params": [a]}, {"params": [b, c]}], momentum=0.9)
    optimizer.step()
    saved = optimizer.state_dict()
    assert [group["params"] for group in saved["param_groups"]] == [[0], [1, 2]]
    assert list(saved["state"]) == [0, 1, 2]
    assert saved["state"][1]["momentum_buffer"].tolist() == [1.0]


def test_state_takes_the_type_of_its_parameter():
    w = with_gradient(1.0)
    optimizer = torch.optim.Adam([w])
    optimizer.step()
    v = torch.ones(1, dtype=torch.float64, requires_grad=True)
    other = torch.optim.Adam([v])
    other.load_state_dict(optimizer.state_dict())
    state = other.state[v]
    assert state["exp_avg"].dtype is torch.float64
    assert state["step"].dtype is torch.float32


def test_state_dicts_that_do_not_match():
    a, b = leaf(1.0), leaf(2.0)
    optimizer = torch.optim.SGD([a, b], lr=0.5)
    for groups in ([{"params": [a]}], [{"params": [a]}, {"params": [b]}]):
        saved = torch.optim.SGD(groups).state_dict()
        with pytest.raises(ValueError, match="groups"):
            optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_counts_that_were_numbers_once():
    w = with_gradient(1.0)
    optimizer = torch.optim.Adam([w])
    optimizer.step()
    saved = optimizer.state_dict()
    saved["state"][0]["step"] = 1
    del saved["param_groups"][0]["amsgrad"]
    optimizer.load_state_dict(saved)
    optimizer.step()
    assert optimizer.state[w]["step"].item() == 2.0


def test_hooks_around_state_dicts():
    optimizer = torch.optim.SGD([leaf(1.0)], lr=0.5)
    calls = []
    optimizer.register_state_dict_pre_hook(lambda optimizer: calls.append("before"))
    handle = optimizer.register_state_dict_post_hook(lambda optimizer, saved: {**saved, "more": 1})
    assert optimizer.state_dict()["more"] == 1
    handle.remove()
    assert "more" not in optimizer.state_dict()

    def halve(optimizer, saved):
        groups = [{**group, "lr": group["lr"] / 2} for group in saved["param_groups"]]
        return {**saved, "param_groups": groups}

    optimizer.register_load_state_dict_pre_hook(halve)
    optimizer.register_load_state_dict_post_hook(lambda optimizer: calls.append("after"))
    optimizer.register_load_state_dict_post_hook(
        lambda optimizer: calls.append("first"), prepend=True
    )
    optimizer.load_state_dict(optimizer.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.25
    assert calls == ["before", "before", "before", "first", "after"]


# -- hooks around steps -------------------------------------------------------------------------


def test_hooks_around_a_step():
    w = with_gradient(1.0)
    optimizer = torch.optim.SGD([w], lr=0.5)
    calls = []
    handles = [
        optimizer.register_step_pre_hook(lambda *given: calls.append(("before", given))),
        optimizer.register_step_post_hook(lambda *given: calls.append(("after", w.tolist()))),
        register_optimizer_step_pre_hook(lambda *given: calls.append("before any")),
        register_optimizer_step_post_hook(lambda *given: calls.append("after any")),
    ]
    optimizer.step()
    assert calls == [
        "before any", ("before", (optimizer, (optimizer,), {})), ("after", [0.5]), "after any",
    ]  # fmt: skip
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert len(calls) == 4


def test_a_hook_may_change_the_arguments():
    w = with_gradient(1.0)
    optimizer = torch.optim.SGD([w])
    handle = optimizer.register_step_pre_hook(
        lambda optimizer, args, kwargs: (args, {"closure": lambda: 42})
    )
    assert optimizer.step() == 42
    handle.remove()
    optimizer.register_step_pre_hook(lambda *given: 3)
    with pytest.raises(RuntimeError, match="None or a tuple"):
        optimizer.step()


class Halving(Optimizer):
    def __init__(self, params):
        super().__init__(params, {"rate": required})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for param in group["params"]:
                param.mul_(group["rate"])


def test_a_users_optimizer():
    w = leaf(4.0)
    with pytest.raises(ValueError, match="rate"):
        Halving([w])
    optimizer = Halving([{"params": [w], "rate": 0.5}])
    calls = []
    optimizer.register_step_post_hook(lambda *given: calls.append(1))
    optimizer.step()
    assert w.tolist() == [2.0]
    assert calls == [1]


def test_hooks_run_once_where_a_subclass_calls_its_base():
    class Logging(torch.optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    optimizer = Logging([with_gradient(1.0)])
    calls = []
    optimizer.register_step_pre_hook(lambda *given: calls.append(1))
    optimizer.step()
    assert calls == [1]


def test_a_base_that_does_not_step():
    with pytest.raises(NotImplementedError, match="Optimizer"):
        Optimizer([leaf(1.0)], {}).step()
