"""Calls find the right program, whatever has changed in the arguments and in the world around."""

from __future__ import annotations

import functools
import math
import random
import warnings
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import adjoint as torch
from adjoint.compiler.front.keys import key_of, take_apart, value_key
from adjoint.errors import UntraceableError


class Pair(NamedTuple):
    first: Any
    second: Any


RATE = 2.0


def key(*args, **kwargs):
    return key_of(take_apart(args, kwargs))


def close(actual, expected):
    torch.testing.assert_close(actual, expected)


# -- keys ---------------------------------------------------------------------------------------


def test_keys_tell_values_apart():
    values = [
        1,
        1.0,
        True,
        1j,
        0.0,
        -0.0,
        "1",
        None,
        (),
        [],
        {},
        slice(1),
        slice(2),
        frozenset([1]),
    ]
    values += [np.float32(1), np.float64(1), np.ones(2), np.zeros(2), torch.float32, [1], (1,), abs]
    keys = [key(value) for value in values]
    for number, one in enumerate(keys):
        assert keys.count(one) == 1, values[number]
    assert key(math.nan) == key(float("nan"))
    assert key({1, 2}) == key({2, 1}) != key({1, 2.0})
    assert value_key(np.arange(1000)) == value_key(np.arange(1000)) != value_key(np.ones(1000))
    thing, other = object(), object()
    assert key(thing) == key(thing) != key(other)


def test_keys_tell_tensors_apart():
    x = torch.ones(2, 3)
    others = [
        torch.ones(3, 2),
        torch.ones(2, 3, dtype=torch.float64),
        torch.ones(2, 3, requires_grad=True),
        torch.ones(2, 3, requires_grad=True) * 1,
        torch.ones(3, 2).t(),
        torch.nn.Parameter(torch.ones(2, 3), requires_grad=False),
        torch.ones(1, 3).expand(2, 3),
    ]
    keys = [key(each) for each in (x, *others)]
    assert len(set(keys)) == len(keys)
    assert key(torch.zeros(2, 3)) == key(x)
    rows = torch.ones(4, 3)
    assert key(rows[:1]) == key(rows[::2][:1])
    assert key(x, x) != key(x, torch.ones(2, 3))
    assert key((x,)) != key([x]) != key(x)
    assert key(a=x, b=1) != key(a=x, c=1)
    assert key(a=x, b=1) != key(b=1, a=x)
    assert key(Pair(x, 1)) != key((x, 1))
    with torch.no_grad():
        assert key(x) != keys[0]
    with torch.inference_mode():
        assert key(x) not in keys


def test_programs_by_arguments():
    @torch.compile
    def function(tree, scale, shift=0):
        return {"out": tree["x"] * scale + shift, "pair": Pair(tree["y"][0], scale)}

    x, y = torch.randn(3), torch.randn(2, 2)
    for scale in (2, 2.0, True, 3):
        for _ in range(2):
            out = function({"x": x, "y": [y]}, scale)
            close(out["out"], x * scale)
            assert out["out"].dtype is (x * scale).dtype
            assert out["pair"].first is y
            assert type(out["pair"].second) is type(scale)
    assert len(function.programs) == 4
    close(function({"x": x.double(), "y": (y,)}, 2, shift=1)["out"], x.double() * 2 + 1)
    assert len(function.programs) == 5
    function.clear()
    assert function.programs == []
    assert function.program is None


def test_arguments_by_name_in_any_order():
    @torch.compile
    def function(**given):
        return {name: value * 2 for name, value in given.items()}

    x, y = torch.ones(2), torch.zeros(2)
    for _ in range(3):
        for given in ({"x": x, "y": y}, {"y": y, "x": x}):
            out = function(**given)
            assert [*out] == [*given]
            close(out["x"], x * 2)
            close(out["y"], y)


def test_modes_are_part_of_the_key():
    w = torch.ones(2, requires_grad=True)

    @torch.compile
    def function(x):
        return w * x, torch.is_grad_enabled()

    x = torch.ones(2)
    assert function(x)[0].requires_grad
    with torch.no_grad():
        out, enabled = function(x)
        assert (out.requires_grad, enabled) == (False, False)
    with torch.inference_mode():
        assert function(x)[0].is_inference()
    assert function(x)[0].requires_grad
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.compile(lambda: torch.ones(1))().dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_arrays_that_do_not_lie_in_order():
    @torch.compile
    def function(x, y):
        y.add_(x.sum())
        return x * 2 + 1

    whole = torch.arange(24.0).reshape(4, 6)
    unaligned = torch.from_numpy(np.frombuffer(bytearray(17), np.float32, offset=1))
    odd = [whole[::2, ::3], whole.t(), whole[:1].expand(4, 6), unaligned, torch.tensor(3.0)]
    for x in odd:
        y = torch.zeros(5, 2).t()
        close(function(x, y), x * 2 + 1)
        close(y, torch.zeros(2, 5) + x.sum())


# -- the world around ---------------------------------------------------------------------------


def test_what_is_bound_anew_is_seen():
    global RATE
    scale, w = 2.0, torch.ones(2)

    class Options:
        shift = 1.0

    options = Options()

    @torch.compile
    def function(x):
        return x * scale * RATE + w + options.shift

    x = torch.tensor([1.0, 2.0])
    plain = function.function

    def check(programs):
        close(function(x), plain(x))
        close(function(x), plain(x))
        assert len(function.programs) == programs

    check(1)
    scale = 3.0
    check(2)
    RATE = 5.0
    check(3)
    options.shift = 2.0
    check(4)
    Options.shift = 7.0
    check(4)
    del options.shift
    check(5)
    w = torch.full((2,), 9.0)  # another tensor of the same kind: the same program
    check(5)
    w = torch.full((1,), 9.0)
    check(6)
    w = torch.full((2,), 4.0)
    check(6)
    RATE, scale = 2.0, 2.0
    close(function(x), plain(x))


def test_tensors_that_are_closed_over():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    v = torch.ones(2)

    @torch.compile
    def function(x):
        return (w * x).sum() + v.mean()

    x = torch.tensor([3.0, 4.0])
    plain = function.function
    for change in (
        lambda: w.data.mul_(2),
        lambda: setattr(w, "data", torch.tensor([5.0, 6.0])),
        lambda: w.requires_grad_(False),
        lambda: w.requires_grad_(),
        lambda: setattr(w, "data", torch.tensor([5.0, 6.0], dtype=torch.float64)),
        lambda: setattr(v, "data", torch.ones(3, 2)[:, :1]),
        lambda: v.resize_(4).fill_(2.0),
    ):
        function(x)
        change()
        out, expected = function(x), plain(x)
        close(out, expected)
        assert out.requires_grad is expected.requires_grad
        assert out.dtype is expected.dtype


def test_grads_that_are_there_or_not():
    w = torch.tensor([1.0, 2.0], requires_grad=True)

    @torch.compile
    def function(x):
        (w * w * x).sum().backward()
        return w.grad * 1

    def plain(x):
        (w * w * x).sum().backward()
        return w.grad * 1

    x = torch.tensor([3.0, 4.0])
    for clear in (True, False, False, True, False):
        found = []
        for each in (function, plain):
            start = None if clear else torch.tensor([1.0, 1.0])
            w.grad = start
            found.append((each(x), w.grad))
            if start is not None:
                assert w.grad is start
        close(*found)


def test_hooks_on_leaves():
    w = torch.ones(3, requires_grad=True)

    @torch.compile
    def step(x, y):
        w.grad = y.grad = None
        (w * x * y).sum().backward()

    x, y = torch.full((3,), 2.0), torch.ones(3, requires_grad=True)

    def check(programs):
        found = []
        for function in (step, step, step.function):
            function(x, y)
            found.append((w.grad, y.grad))
        close(found[0], found[2])
        close(found[1], found[2])
        assert len(step.programs) == programs

    check(1)
    handles = [w.register_hook(lambda g: g * 5)]
    check(2)
    handles.append(y.register_hook(lambda g: g * 7))
    check(3)

    def thrice(leaf):
        leaf.grad.mul_(3)

    handles.append(w.register_post_accumulate_grad_hook(thrice))
    check(4)
    for handle in handles:
        handle.remove()
    check(4)


def test_modules_and_their_modes():
    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(3, 3)
            self.drop = torch.nn.Dropout(0.5)
            self.scale = 2.0

        def forward(self, x):
            return self.drop(self.linear(x)) * self.scale

    model = Scaled()
    compiled = torch.compile(model)
    x = torch.randn(4, 3)

    def check():
        for _ in range(2):
            torch.manual_seed(1)
            expected = model(x)
            torch.manual_seed(1)
            close(compiled(x), expected)

    check()
    model.eval()
    check()
    compiled.train()
    check()
    model.scale = 3.0
    check()
    compiled.scale = 4.0
    assert model.scale == 4.0
    check()
    model.linear.weight = torch.nn.Parameter(torch.ones(3, 3))
    check()
    model.load_state_dict({key: value + 1 for key, value in model.state_dict().items()})
    check()
    model.double()
    x = x.double()
    check()
    handle = model.linear.register_forward_hook(lambda module, args, out: out + 1)
    check()
    handle.remove()
    check()
    model.drop = torch.nn.Identity()
    check()


def test_functions_that_change_what_they_find():
    class Cached:
        table = None
        calls = 0

        def __call__(self, x):
            if self.table is None:
                self.table = torch.arange(3.0)
            return x + self.table

        def counted(self, x):
            self.calls = self.calls + 1
            return x * 2

    cached = Cached()
    function = torch.compile(cached)
    x = torch.ones(3)
    for _ in range(3):
        close(function(x), x + torch.arange(3.0))
    assert len(function.programs) == 1
    counted = torch.compile(cached.counted)
    close(counted(x), x * 2)
    assert cached.calls == 1
    with pytest.raises(UntraceableError, match="calls"):
        counted(x)
    assert cached.calls == 1
    counted = torch.compile(cached.counted, fallback=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(4):
            close(counted(x), x * 2)
    assert cached.calls == 5
    assert len(caught) == 1


def test_what_no_program_would_do_again_is_refused():
    x = torch.ones(3)
    w = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    generator, own = np.random.default_rng(0), random.Random(0)

    def scheduled(x):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
        scheduler.step()

    cases = {
        "scheduler": scheduled,
        "Python's random": lambda x: x * random.random(),
        "NumPy's random": lambda x: x + np.random.rand(),  # noqa: NPY002 - what users write
        "generator": lambda x: x * generator.random(),
        "own": lambda x: x * own.random(),
    }
    for name, function in cases.items():
        compiled = torch.compile(function)
        compiled(x)
        with pytest.raises(UntraceableError, match=name):
            compiled(x)
    assert scheduler.last_epoch == 1
    assert optimizer.param_groups[0]["lr"] == 0.05
    assert own.random() == [draw := random.Random(0), draw.random(), draw.random()][2]


def test_many_programs_are_told_of_once():
    @torch.compile
    def function(x, scale):
        return x * scale

    x = torch.ones(2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for scale in range(11):
            function(x, float(scale))
    (warning,) = caught
    assert "value argument 0: '6.0', '7.0'" in str(warning.message)
    assert warning.filename == __file__


def test_arguments_in_the_same_memory():
    @torch.compile
    def function(x, y):
        x.add_(1)
        return x + y

    def agree(make):
        x, expected = torch.arange(3.0), torch.arange(3.0)
        close(function(x, make(x)), function.function(expected, make(expected)))
        close(x, expected)

    agree(lambda x: x.flip(0))
    agree(lambda x: x)
    agree(lambda x: x.clone())
    with pytest.raises(UntraceableError, match="share memory"):
        agree(lambda x: x[1:2])
    agree(lambda x: x.clone())


def test_values_made_inside_are_new_at_each_call():
    table, taken = np.ones(2), set()

    @torch.compile
    def function(x):
        return x * 2, np.zeros(2), {1}, table, taken

    for _ in range(3):  # by the general way, then by the quick one
        _, zeros, ones, same_table, same_taken = function(torch.ones(2))
        assert zeros.tolist() == [0, 0]
        assert ones == {1}
        assert same_table is table
        assert same_taken is taken
        zeros += 1
        ones.add(2)


def test_what_serves_one_call_is_not_returned():
    def turns(x):
        yield x

    def later(x):
        return lambda: x * 2

    for function in (turns, lambda x: map(torch.sin, [x]), lambda x: zip(x, x, strict=True)):
        with pytest.raises(UntraceableError, match="the first call would use up"):
            torch.compile(function)(torch.ones(2))
        eager = torch.compile(function, fallback=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert len([list(eager(torch.ones(2))) for _ in range(2)][1]) > 0
    compiled = torch.compile(later)
    assert compiled(torch.ones(()))().item() == 2
    with pytest.raises(UntraceableError, match="is kept"):
        compiled(torch.ones(()))


def test_containers_among_the_arguments_are_not_changed():
    def extended(found):
        found.append(found[0] * 2)

    def entered(found):
        found["twice"] = found["x"] * 2

    one = torch.ones(2)
    for function, found in ((extended, [one]), (entered, {"x": one})):
        with pytest.raises(UntraceableError, match="container among the arguments is changed"):
            torch.compile(function)(found)
        assert len(found) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.compile(function, fallback=True)(found)
        assert len(found) == 2
    taken = torch.compile(lambda **named: named.pop("x") * 2)  # a dictionary of its own
    assert taken(x=one).tolist() == taken(x=one).tolist() == [2, 2]


def test_modules_with_backward_hooks():
    def double(module, grad_input, grad_output):
        return (grad_input[0] * 2,)

    module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Tanh())
    module[0].register_full_backward_hook(double)
    compiled = torch.compile(module)
    for _ in range(3):  # its gates are in cycles with what was made inside
        x, twin = torch.ones(2, 3, requires_grad=True), torch.ones(2, 3, requires_grad=True)
        compiled(x).sum().backward()
        module(twin).sum().backward()
        torch.testing.assert_close(x.grad, twin.grad)
    assert len(compiled.compiled.programs) == 1


def test_what_changes_at_each_call_is_refused_at_each_call():
    found = []
    compiled = torch.compile(lambda x: found.append(x) or x * 2)
    compiled(torch.ones(2))  # it may be for the first time
    for _ in range(3):
        with pytest.raises(UntraceableError, match="changes found"):
            compiled(torch.ones(2))
    assert len(found) == 1


def test_objects_among_the_arguments_are_not_taken_for_earlier_ones():
    compiled = torch.compile(lambda x, options: x * options.scale)
    for number in range(4):  # each where the last one was in memory, unless that is kept
        options = SimpleNamespace(scale=float(number))
        assert compiled(torch.ones(()), options).item() == number
        del options
    partial = torch.compile(lambda x, function: function(x))
    for number in range(4):
        scaled = functools.partial(torch.mul, torch.tensor(float(number)))
        assert partial(torch.ones(()), scaled).item() == number
        del scaled


def test_a_method_as_an_argument_is_the_same_each_time():
    class Loss:
        def of(self, x):
            return x * 2

    loss, compiled = Loss(), torch.compile(lambda x, function: function(x))
    for _ in range(3):
        assert compiled(torch.ones(()), loss.of).item() == 2
    assert len(compiled.programs) == 1
