"""What cannot be traced is refused at once, at the user's line, and nothing is changed by it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import adjoint as torch
from adjoint.errors import UntraceableError
from adjoint.tape.modes import modes
from tests.compiler.front.replaying import Replayed
from tests.compiler.front.test_tracing import numbers

kept: list[Any] = []


def refusals() -> dict[str, Any]:  # noqa: C901 - one after the other
    def branch(x, w):
        return x if x.sum() > 0 else w

    def truth(x, w):
        return bool(x.any())

    def item(x, w):
        return x.sum().item()

    def to_float(x, w):
        return float(x.sum())

    def to_int(x, w):
        return int(x.sum())

    def to_list(x, w):
        return x.tolist()

    def array(x, w):
        return np.asarray(x.detach())

    def numpy_call(x, w):
        return np.sum(x.detach().numpy())

    def caught(x, w):
        try:
            return float(x.sum())
        except RuntimeError:
            return 0.0

    def nonzero(x, w):
        return torch.nonzero(x)

    def masked(x, w):
        return x[x > 0]

    def selected(x, w):
        return torch.masked_select(x, x > 0)

    def unique(x, w):
        return torch.unique(x)

    def index(x, w):
        return [1, 2, 3][x.argmax()]

    def counted(x, w):
        return list(range(x.argmax()))

    def contained(x, w):
        return 3.0 in x

    def repeated(x, w):
        return x.repeat_interleave(x.abs().long(), output_size=None)

    def one_hot(x, w):
        return torch.nn.functional.one_hot(x.argmax(-1))

    def address(x, w):
        return x.data_ptr()

    def history(x, w):
        w.detach()[0] = x.requires_grad_(False)[0]
        held.copy_((w * x).sum().expand(3))

    def mode(x, w):
        torch.set_grad_enabled(False)

    def hook(x, w):
        w.register_hook(lambda g: g)

    def first_hook(x, w):
        other.register_hook(lambda g: g)

    def resized(x, w):
        held.data = x[:2]

    return dict(locals())


held = torch.zeros(3)
other = torch.zeros(3, requires_grad=True)


@pytest.mark.parametrize("name", refusals())
def test_refusals(name):
    w, x = numbers(3, requires_grad=True), numbers(3, seed=1)
    w.grad = torch.ones(3)
    before = [_state(each) for each in (w, x, held, w.grad)]
    random = torch.get_rng_state()
    inner = refusals()[name]

    def function(x):
        with torch.no_grad():
            w.mul_(2)
            x.add_(1)
            torch.rand(3)
        (w * x).sum().backward()
        return inner(x, w)

    with pytest.raises(UntraceableError) as caught:
        Replayed(function)(x)
    if name not in ("mode", "hook", "first_hook", "history"):  # which are seen at the end
        assert "test_refusing.py:" in str(caught.value)
        assert str(caught.value.where).rpartition(":")[2].isdigit()
    for each, old in zip((w, x, held, w.grad), before, strict=True):
        _assert_equal(_state(each), old)
    assert torch.equal(torch.get_rng_state(), random)
    assert modes.enabled is True
    assert not modes.inference
    assert (x * w).requires_grad


def _state(tensor: Any) -> dict[str, Any]:
    names = ("_node", "_view", "_memory", "_level")
    facts = {name: getattr(tensor, name) for name in names}
    facts["attributes"] = copy.copy(tensor.__dict__)
    facts["numbers"] = tensor._array.copy()
    facts["version"] = tensor._version
    facts["views"] = 0 if tensor._memory is None else len(tensor._memory.views)
    return facts


def _assert_equal(here: dict[str, Any], there: dict[str, Any]) -> None:
    for name, value in there.items():
        if name == "numbers":
            assert np.array_equal(here[name], value)
        elif name == "views":
            assert here[name] <= value
        else:
            assert here[name] is value or here[name] == value, name


def test_overlapping_memory_that_is_written_is_refused():
    whole = numbers(6)
    part = whole[2:5]
    with pytest.raises(UntraceableError, match="share memory"):
        Replayed(lambda x, y: x.add_(y))(part, whole[1:4])
    assert Replayed(lambda x, y: x + y)(part, whole[1:4]).tolist() == (part + whole[1:4]).tolist()
    with pytest.raises(UntraceableError, match="share memory"):
        Replayed(lambda x: whole.mul_(2)[0] + x)(part)


def test_values_may_be_printed(capsys):
    Replayed(lambda x: print(x * 2, f"{x.shape}"))(numbers(3))  # noqa: T201
    assert "Symbol of float32[3]" in capsys.readouterr().out


def test_an_error_of_the_users_own_is_theirs():
    def function(x):
        return x @ numbers(4)

    with pytest.raises(RuntimeError) as there:
        function(numbers(3))
    with pytest.raises(type(there.value)) as here:
        Replayed(function)(numbers(3))
    assert not isinstance(here.value, UntraceableError)


def test_other_threads_see_tensors_as_they_are():
    import threading

    w = numbers(3)
    seen: list[Any] = []

    def function(x):
        w.add_(x)
        thread = threading.Thread(target=lambda: seen.append((w + 0).tolist()))
        thread.start()
        thread.join()
        return w.sum()

    before = w.tolist()
    Replayed(function)(numbers(3, seed=1))
    assert seen == [before]


def test_a_pass_through_what_was_computed_outside_is_refused():
    x = numbers(3, requires_grad=True)
    y = (x * x).exp()

    def backward(y):
        (y * 2).sum().backward()

    with pytest.raises(UntraceableError, match=r"test_refusing.py:\d+.*outside"):
        Replayed(lambda: backward(y))()
    with pytest.raises(UntraceableError, match="outside"):
        Replayed(backward)(y)
    assert x.grad is None
    found = Replayed(lambda y: torch.autograd.grad((y * y).sum(), y)[0])(y)
    assert found.tolist() == (2 * y).tolist()
    backward(y)


def test_tensors_that_are_kept_are_found():
    history: list[Any] = []
    model = torch.nn.Linear(3, 3)

    def function(x):
        y = model(x)
        history.append(y.detach())
        model.last = y * 2
        return y

    replayed = Replayed(function)
    replayed(numbers(3))
    found = replayed.programs[0][1].leaks.find()
    places = {each.partition("kept ")[2] for each in found}
    assert "in a list" in places
    # From Python 3.13 on an object holds its attributes itself, without a dict.
    assert places & {"under 'last' in a dict or as an attribute", "in a Linear"}
    clean = Replayed(lambda x: (x * 2).sum())
    clean(numbers(3))
    assert clean.programs[0][1].leaks.find() == []


def test_a_leaf_made_inside_is_not_returned_with_what_comes_of_it():
    def function(x):
        leaf = x.clone().requires_grad_()
        return leaf, (leaf * 2).sum()

    with pytest.raises(UntraceableError, match="a leaf that was made inside"):
        Replayed(function)(numbers(3))
    assert Replayed(lambda x: function(x)[1] * 1)(numbers(3)).requires_grad
    assert Replayed(lambda x: function(x)[0])(numbers(3)).is_leaf


def test_refusals_say_what_and_where():
    def branch(x):
        return x if x.sum() > 0 else -x

    def copied(x):
        return copy.deepcopy(x)  # fails in copy.py

    for function, what in ((branch, "a branch .*torch.bool tensor"), (copied, "deepcopy")):
        line = function.__code__.co_firstlineno + 1
        with pytest.raises(UntraceableError, match=rf"test_refusing.py:{line}: {what}") as raised:
            torch.compile(function)(torch.ones(2))
        assert "where()" in str(raised.value)
        assert "fallback=True" in str(raised.value)
