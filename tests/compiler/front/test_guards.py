"""What a function reaches is found, watched, and put back."""

from __future__ import annotations

import functools
import math
from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest

import adjoint as torch
from adjoint.compiler.front.guards import Change, Guards, same_value
from adjoint.compiler.front.reaching import guards_of
from adjoint.tape.changes import changes

RATE = 0.5


def names(guards: Guards) -> set[str]:
    return {point.name for point in guards.points}


def test_values_of_other_types_differ():
    for one, other in ((1, 1.0), (1, True), (0.0, -0.0), ((1,), (1.0,)), (None, 0), ([1], (1,))):
        assert not same_value(one, other), (one, other)
    for value in (math.nan, 0.5, "text", (1, 2.5), slice(1, None), frozenset([1, 2]), None):
        assert same_value(value, value)
    assert same_value(float("nan"), math.nan)
    assert not same_value(object(), object())


def test_cells_globals_and_defaults_are_watched():
    factor, unused = 2.0, 1

    def function(x, power=3):
        return x * factor * RATE * power

    guards = guards_of(function)
    assert {"factor", "global RATE", "defaults of function"} <= names(guards)
    assert "unused" not in names(guards)
    assert unused == 1
    assert guards.holds()
    factor = 3.0
    with pytest.raises(Change, match=r"factor: 2\.0, 3\.0"):
        guards.renew()
    factor = float("2.0")  # another object, the same number
    assert guards.renew() == []


def test_a_cell_that_is_emptied_is_a_change():
    factor = 2.0

    def function(x):
        return x * factor

    guards = guards_of(function)
    del function.__closure__[0].cell_contents
    with pytest.raises(Change, match="factor"):
        guards.renew()
    assert guards.restore() == ["factor"]
    assert factor == 2.0


def test_functions_that_are_called_are_followed():
    inner_rate = 0.5

    def inner(x):
        return x * inner_rate

    def function(x):
        def nested(each):
            return inner(each) * RATE

        return [nested(each) for each in x]

    assert {"inner", "inner_rate", "global RATE"} <= names(guards_of(function))
    partial = functools.partial(inner, 3)
    assert "inner_rate" in names(guards_of(partial))
    assert "inner_rate" in names(guards_of(torch.no_grad()(inner)))
    assert "inner_rate" in names(guards_of(torch.func.grad(inner)))


def test_attributes_that_code_names_are_watched_and_others_are_not():
    settings = SimpleNamespace(rate=0.1, unread=1)

    class Settings:
        shared = 3

        def __init__(self):
            self.own = settings
            self.steps = 0

        def method(self, x):
            return x * self.own.rate * self.shared

    thing = Settings()
    guards = guards_of(thing.method)
    assert guards.holds()
    thing.steps = 1
    assert guards.renew() == []
    settings.unread = 2
    assert guards.renew() == []
    settings.rate = 0.2
    with pytest.raises(Change, match=r"rate: 0\.1, 0\.2"):
        guards.renew()
    settings.rate = 0.1
    Settings.shared = 4
    with pytest.raises(Change, match=r"Settings\.shared: 3, 4"):
        guards.renew()


def test_slots_are_watched():
    class Slotted:
        __slots__ = ("rate",)

    thing = Slotted()
    thing.rate = 1.0

    def function(x):
        return x * thing.rate

    guards = guards_of(function)
    thing.rate = 2.0
    with pytest.raises(Change, match="rate"):
        guards.renew()


@pytest.mark.parametrize(
    ("container", "change"),
    [
        ([1, 2], lambda each: each.append(3)),
        ({"a": 1}, lambda each: each.update(a=2)),
        ({"a": 1}, lambda each: each.update(b=1)),
        ({1, 2}, lambda each: each.add(3)),
        ([[1], [2]], lambda each: each[1].append(0)),
        (np.ones(3), lambda each: each.fill(2)),
    ],
)
def test_containers_are_watched(container, change):
    def function(x):
        return x + len(container)

    guards = guards_of(function)
    assert guards.renew() == []
    change(container)
    assert not guards.holds()
    assert guards.restore()
    assert guards.holds()


def test_another_tensor_in_the_same_place_is_no_change():
    w = torch.ones(2)
    listed = [w, torch.zeros(1)]

    def function(x):
        return x * w + listed[0]

    guards = guards_of(function)
    first, w = w, torch.zeros(2)
    with pytest.raises(Change, match="one tensor in some places"):
        guards.renew()
    listed[0] = w
    assert [(one is first, other is w) for one, other in guards.renew()] == [(True, True)]
    assert guards.renew() == []


def test_modules_are_watched_by_their_count_of_changes():
    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(2, 2)
            self.drop = torch.nn.Dropout(0.5)
            self.scale = 2.0
            self.unread = 1

        def forward(self, x):
            return self.drop(self.linear(x)) * self.scale

    model = Scaled()
    guards = guards_of(model)
    assert all(point.module for point in guards.points if point.name.startswith("the function"))
    count = changes.count
    for change, back in (
        (lambda: setattr(model, "scale", 3.0), lambda: setattr(model, "scale", 2.0)),
        (model.eval, model.train),
        (lambda: setattr(model.drop, "p", 0.1), lambda: setattr(model.drop, "p", 0.5)),
    ):
        change()
        assert changes.count > count
        with pytest.raises(Change):
            guards.renew()
        back()
        assert guards.renew() == []
    model.unread = 2
    assert guards.renew() == []
    count = changes.count
    handle = model.linear.register_forward_hook(lambda *_: None)
    assert changes.count > count
    with pytest.raises(Change):
        guards.renew()
    count = changes.count
    handle.remove()
    assert changes.count > count
    weight = model.linear.weight
    model.linear.weight = torch.nn.Parameter(torch.ones(2, 2))
    guards = guards_of(model)
    model.linear.weight = weight
    assert [new is weight for _, new in guards.renew()] == [True]


def test_what_has_changed_is_put_back():
    counter = {"calls": 0}
    rate = 1.0

    class Thing:
        def __init__(self):
            self.cache = None

        def method(self, x):
            self.cache = x
            counter["calls"] += 1
            return rate

    thing = Thing()
    guards = guards_of(thing.method)
    thing.method(3)
    rate = 2.0
    assert len(guards.restore()) == 3
    assert (thing.cache, counter, rate) == (None, {"calls": 0}, 1.0)
    assert guards.restore() == []


def test_the_quick_check_is_an_expression():
    factor, listed = 2.0, [1, 2]

    def function(x):
        return x * factor * RATE + listed[0]

    guards = guards_of(function)
    constants: dict[str, object] = {}
    source = f"lambda: ({guards.expression(constants)})"
    check = eval(source, constants)
    assert check() is True
    listed.append(3)
    assert check() is False
    listed.pop()
    factor = 3.0
    assert check() is False


def test_hooks_of_all_modules_and_optimizers():
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def function(x):
        model(x).sum().backward()
        optimizer.step()

    everywhere = torch.nn.modules.module
    for register in (
        lambda hook: everywhere.register_module_forward_hook(hook),
        lambda hook: everywhere.register_module_forward_pre_hook(hook),
        model.register_full_backward_hook,
        optimizer.register_step_pre_hook,
        torch.optim.optimizer.register_optimizer_step_post_hook,
    ):
        guards = guards_of(function)
        assert guards.renew() == []
        handle = register(lambda *_: None)
        with pytest.raises(Change, match="hooks"):
            guards.renew()
        handle.remove()


def test_attributes_that_are_missing_at_first():
    class Lenient:
        def __getattr__(self, name):
            return 3.0

    options, lenient, queue = SimpleNamespace(), Lenient(), deque([1.0, 2.0])

    def function(x):
        doubled = x * 2 if hasattr(options, "doubled") else x
        return doubled * getattr(options, "scale", 5.0) * lenient.factor * sum(queue)

    compiled = torch.compile(function)
    one = torch.ones(())
    assert compiled(one).item() == 45
    options.scale = 7.0
    assert compiled(one).item() == 63
    options.doubled = None
    assert compiled(one).item() == 126
    lenient.factor = 1.0
    assert compiled(one).item() == 42
    queue.append(3.0)
    assert compiled(one).item() == 84
    del options.scale
    assert compiled(one).item() == 60
