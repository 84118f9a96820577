"""Schedules of learning rates: PyTorch's rates, recorded; saving, warnings, refusals."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
from pathlib import Path

import pytest

import adjoint as torch
from tests.references import optim_cases

S = torch.optim.lr_scheduler
REFERENCES = json.loads(
    (Path(__file__).parents[1] / "references" / "optim.json").read_text(encoding="utf-8")
)
SCHEDULES = optim_cases.schedules(S)
# A chain within a sequence begins with a step of each of its schedules; PyTorch warns of it too.
pytestmark = pytest.mark.filterwarnings("ignore:scheduler.step.. was called before")


def optimizer_of(lr=1.0, name="SGD", **options):
    return getattr(torch.optim, name)([torch.ones(1)], lr=lr, **options)


@pytest.mark.parametrize("name", SCHEDULES)
def test_as_recorded(name: str):
    optimizer = optim_cases.two_groups(torch)
    found = optim_cases.course(SCHEDULES[name](optimizer), optimizer)
    wanted = REFERENCES["schedules"][name]
    assert len(found) == len(wanted)
    for (rates, momentum), (wanted_rates, wanted_momentum) in zip(found, wanted, strict=True):
        # Cosines and powers differ by an ulp from one C library to the next.
        assert rates == pytest.approx(wanted_rates, rel=1e-12, abs=1e-15)
        assert momentum == pytest.approx(wanted_momentum, rel=1e-12)


@pytest.mark.parametrize("name", optim_cases.PLATEAUS)
def test_plateaus_as_recorded(name: str):
    optimizer = optim_cases.two_groups(torch)
    scheduler = S.ReduceLROnPlateau(optimizer, **optim_cases.PLATEAUS[name])
    found = optim_cases.course(scheduler, optimizer, measured=optim_cases.MEASURED)
    assert found == REFERENCES["plateaus"][name]
    assert found[-1] != found[0], "the rate never fell"


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_going_on_from_a_state_dict(name: str, kind: str):
    optimizer = optim_cases.two_groups(torch, kind)
    scheduler = SCHEDULES[name](optimizer)
    optim_cases.course(scheduler, optimizer, 7)
    other_optimizer = optim_cases.two_groups(torch, kind)
    other = SCHEDULES[name](other_optimizer)
    other_optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    saved = scheduler.state_dict()
    assert "optimizer" not in saved
    other.load_state_dict(pickle.loads(pickle.dumps(saved)))
    assert optim_cases.course(other, other_optimizer, 9) == optim_cases.course(
        scheduler, optimizer, 9
    )


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_that_are_tensors(name: str):
    plain = optim_cases.two_groups(torch)
    held = optim_cases.two_groups(torch)
    for group in held.param_groups:
        group["lr"] = torch.tensor(group["lr"], dtype=torch.float64)
    tensors = [group["lr"] for group in held.param_groups]
    wanted = optim_cases.course(SCHEDULES[name](plain), plain, 12)
    scheduler = SCHEDULES[name](held)
    found = optim_cases.course(scheduler, held, 12)
    assert [group["lr"] for group in held.param_groups] == tensors  # written in place
    for (rates, _), (wanted_rates, _) in zip(found, wanted, strict=True):
        assert [float(rate) for rate in rates] == pytest.approx(wanted_rates, rel=1e-9, abs=1e-15)


@pytest.mark.filterwarnings("ignore:the epoch given")
@pytest.mark.parametrize(
    "name",
    ["StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR",
     "CosineAnnealingLR", "LambdaLR", "CosineAnnealingWarmRestarts", "OneCycleLR", "CyclicLR"],
)  # fmt: skip
def test_a_jump_leads_where_steps_do(name: str):
    walked, jumped = optim_cases.two_groups(torch), optim_cases.two_groups(torch)
    first, second = SCHEDULES[name](walked), SCHEDULES[name](jumped)
    optim_cases.course(first, walked, 6)
    jumped.step()
    second.step(6)
    assert second.get_last_lr() == pytest.approx(first.get_last_lr(), rel=1e-12)


def test_the_optimizer_takes_the_rate():
    w = torch.ones(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1.0)
    scheduler = S.ExponentialLR(optimizer, 0.5)
    for _ in range(3):
        w.grad = torch.ones(1)
        optimizer.step()
        scheduler.step()
    assert w.tolist() == [1.0 - 1.0 - 0.5 - 0.25]


def test_groups_keep_what_a_schedule_began_with():
    optimizer = optimizer_of(0.5)
    S.StepLR(optimizer, 1)
    assert optimizer.param_groups[0]["initial_lr"] == 0.5
    S.LambdaLR(optimizer, lambda epoch: 1.0, last_epoch=3)
    with pytest.raises(KeyError, match="initial_lr"):
        S.StepLR(optimizer_of(), 1, last_epoch=3)


def test_a_users_schedule():
    class Harmonic(S.LRScheduler):
        def get_lr(self):
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    optimizer = optimizer_of()
    scheduler = Harmonic(optimizer)
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.5]
    assert scheduler.state_dict()["last_epoch"] == 1


# -- warnings -----------------------------------------------------------------------------------


def test_the_order_of_steps():
    optimizer = optimizer_of()
    scheduler = S.StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match="called before optimizer.step"):
        scheduler.step()
    optimizer = optimizer_of()
    scheduler = S.StepLR(optimizer, 1)
    optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()


def test_a_step_that_is_replaced():
    optimizer = optimizer_of()
    scheduler = S.StepLR(optimizer, 1)
    optimizer.step()
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match="replaced"):
        scheduler.step()
    before = optimizer_of()
    before.step = lambda: None
    scheduler = S.StepLR(before, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()


@pytest.mark.parametrize(
    "name", sorted({"StepLR", "LambdaLR", "CyclicLR", "OneCycleLR", "CosineAnnealingLR"})
)
def test_get_lr_outside_of_a_step(name: str):
    scheduler = SCHEDULES[name](optim_cases.two_groups(torch))
    with pytest.warns(UserWarning, match="get_last_lr"):
        scheduler.get_lr()


def test_a_given_epoch_is_deprecated():
    optimizer = optimizer_of()
    scheduler = S.StepLR(optimizer, 2, gamma=0.5)
    optimizer.step()
    with pytest.warns(UserWarning, match="deprecated"):
        scheduler.step(4)
    assert scheduler.get_last_lr() == [0.25]


# -- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda o: S.StepLR([1], 3), TypeError),
        (lambda o: S.LambdaLR(o, [abs, abs]), ValueError),
        (lambda o: S.MultiplicativeLR(o, [abs, abs]), ValueError),
        (lambda o: S.MultiplicativeLR(o, 0.5), TypeError),
        (lambda o: S.ConstantLR(o, 1.5), ValueError),
        (lambda o: S.ConstantLR(o, -0.5), ValueError),
        (lambda o: S.LinearLR(o, 0.0), ValueError),
        (lambda o: S.LinearLR(o, 0.5, 1.5), ValueError),
        (lambda o: S.CosineAnnealingWarmRestarts(o, 0), ValueError),
        (lambda o: S.CosineAnnealingWarmRestarts(o, 2.5), ValueError),
        (lambda o: S.CosineAnnealingWarmRestarts(o, 2, 0), ValueError),
        (lambda o: S.CosineAnnealingWarmRestarts(o, 2, 1, "0"), ValueError),
        (lambda o: S.CosineAnnealingWarmRestarts(o, 2).step(-1), ValueError),
        (lambda o: S.OneCycleLR(o, 0.1), ValueError),
        (lambda o: S.OneCycleLR(o, 0.1, total_steps=0), ValueError),
        (lambda o: S.OneCycleLR(o, 0.1, epochs=3), ValueError),
        (lambda o: S.OneCycleLR(o, 0.1, epochs=3, steps_per_epoch=-1), ValueError),
        (lambda o: S.OneCycleLR(o, 0.1, total_steps=5, pct_start=1.5), ValueError),
        (lambda o: S.OneCycleLR(o, 0.1, total_steps=5, anneal_strategy="up"), ValueError),
        (lambda o: S.OneCycleLR(o, [0.1, 0.2], total_steps=5), ValueError),
        (lambda o: S.OneCycleLR(optimizer_of(name="Adagrad"), 0.1, total_steps=5), ValueError),
        (lambda o: S.OneCycleLR(0, 0.1, total_steps=5), TypeError),
        (lambda o: S.CyclicLR(o, 0.1, 0.2, mode="square"), ValueError),
        (lambda o: S.CyclicLR(o, [0.1, 0.1], 0.2), ValueError),
        (lambda o: S.CyclicLR(optimizer_of(name="Adagrad"), 0.1, 0.2), ValueError),
        (lambda o: S.CyclicLR(None, 0.1, 0.2), TypeError),
        (lambda o: S.ReduceLROnPlateau(o, factor=1.0), ValueError),
        (lambda o: S.ReduceLROnPlateau(o, mode="up"), ValueError),
        (lambda o: S.ReduceLROnPlateau(o, threshold_mode="both"), ValueError),
        (lambda o: S.ReduceLROnPlateau(o, min_lr=[0.1, 0.1]), ValueError),
        (lambda o: S.ReduceLROnPlateau(3), TypeError),
        (lambda o: S.SequentialLR(o, [], []), ValueError),
        (lambda o: S.SequentialLR(o, [3], []), TypeError),
        (lambda o: S.SequentialLR(o, [S.StepLR(o, 1)], [3]), ValueError),
        (lambda o: S.SequentialLR(o, [S.StepLR(optimizer_of(), 1)], []), ValueError),
        (lambda o: S.SequentialLR(o, [S.ReduceLROnPlateau(o)], []), ValueError),
        (lambda o: S.ChainedScheduler([]), ValueError),
        (lambda o: S.ChainedScheduler([S.StepLR(o, 1), S.ReduceLROnPlateau(o)]), ValueError),
        (lambda o: S.ChainedScheduler([S.StepLR(o, 1), S.StepLR(optimizer_of(), 1)]), ValueError),
    ],
)
def test_bad_options(make, error: type[Exception]):
    with pytest.raises(error):
        make(optimizer_of(momentum=0.9))


def test_a_cycle_has_an_end():
    optimizer = optimizer_of(momentum=0.9)
    scheduler = S.OneCycleLR(optimizer, 0.1, total_steps=3)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    with pytest.raises(ValueError, match="3 steps"):
        scheduler.step()


def test_groups_that_come_later():
    optimizer = optimizer_of()
    scheduler = S.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.01])
    optimizer.add_param_group({"params": [torch.ones(1)]})
    scheduler.step(1.0)
    with pytest.raises(RuntimeError, match="min_lrs"):
        scheduler.step(1.0)
    scheduler.min_lrs.append(0.5)
    scheduler.step(1.0)
    assert scheduler.get_last_lr() == [0.1, 0.5]
