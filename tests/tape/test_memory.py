"""What tensors over one memory keep alive, and that long loops of views and writes stay small."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import adjoint as torch
from adjoint.tape.tensor import memory_of


@pytest.fixture(autouse=True)
def _without_the_collector():
    gc.disable()
    yield
    gc.enable()


def weights():
    return torch.tensor([1.0, 2.0, 3.0], requires_grad=True)


CUTS: dict[str, Callable[[Any], Any]] = {
    "detach": lambda h: h.detach(),
    "a view of it": lambda h: h.detach()[1:],
    "data": lambda h: h.data,
    "detach_": lambda h: h.detach_(),
    "detach of a view": lambda h: h[1:].detach(),
    "a copy": lambda h: h.detach().clone(),
}


@pytest.mark.parametrize("how", CUTS)
def test_what_is_cut_off_keeps_no_graph(how):
    h = weights() * 2
    node = weakref.ref(h.grad_fn)
    h = CUTS[how](h)
    assert node() is None


def test_a_detached_tensor_shares_memory_versions_and_storage():
    h = weights() * 2
    detached = h[1:].detach()
    assert not detached._is_view()
    assert detached.storage_offset() == 1
    assert detached.untyped_storage().data_ptr() == h.untyped_storage().data_ptr()
    detached.add_(1)
    assert h._version == detached._version == 1
    assert h.tolist() == [2.0, 5.0, 7.0]


def test_what_a_node_saved_is_found_spoiled_after_its_tensor_is_gone():
    for forget in (lambda y: y.detach(), lambda y: y.detach_(), lambda y: y[1:].detach()):
        y = weights().exp()  # which saves its result
        total = (y * 2).sum()
        rest = forget(y)
        del y
        rest.mul_(0)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            total.backward()


def test_a_chain_of_views_does_not_keep_them_all():
    for enabled in (True, False):
        base = torch.zeros(4)
        with torch.set_grad_enabled(enabled):
            x = base
            for _ in range(1000):
                x = x[:]
        assert len(memory_of(base).views) <= 16
        assert x._base is base
        x[2] = 1.0
        assert base.tolist() == [0.0, 0.0, 1.0, 0.0]


def test_a_chain_that_was_shortened_has_its_history():
    w = torch.arange(1.0, 7.0).requires_grad_()
    base = w * 1
    x, kept = base.view(2, 3), []
    for number in range(40):
        x = x.t() if number % 2 else x[:]
        kept += [x] * (number % 7 == 0)
    x.mul_(w.detach().view(2, 3))
    x[0, 1] = 0.0
    assert base.tolist() == [1.0, 0.0, 9.0, 16.0, 25.0, 36.0]
    (sum(each.sum() for each in kept) + base.sum()).backward()
    assert w.grad.tolist() == [7.0 * n for n in (1.0, 0.0, 3.0, 4.0, 5.0, 6.0)]


def test_a_shortened_view_stays_forbidden():
    base = weights() * 1
    with torch.no_grad():
        x = base
        for _ in range(40):
            x = x[:]
    with pytest.raises(RuntimeError, match="no_grad mode and is being modified inplace"):
        x.mul_(2)


def steps(loop: Callable[[int], Any], count: int) -> int:
    """How many of Python's instructions a loop runs: what it costs, on however busy a machine."""
    run = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal run
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        run += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        loop(count)
    finally:
        sys.settrace(before)
    return run


def writes_through_views(count: int) -> None:
    x = weights() * 1
    for number in range(count):
        x[number % 3 :].mul_(1.0)
    x.sum().backward()


def items(count: int) -> None:
    x = weights() * 1
    for number in range(count):
        x[number % 3] = 1.0
    x.sum().backward()


def one_view(count: int) -> None:
    view = (weights() * 1)[1:]
    for _ in range(count):
        view.add_(1.0)
    view.sum().backward()


def base_with_views(count: int) -> None:
    x = weights() * 1
    views = [x[number:] for number in range(3)]
    for _ in range(count):
        x.add_(1.0)
    views[1].sum().backward()


def chain(count: int) -> None:
    x = weights() * 1
    for _ in range(count):
        x = x[:]
    x.mul_(2)
    x.sum().backward()


def shapes(count: int) -> None:
    x = torch.ones(2, 3)[:]
    for _ in range(count):
        x.t_()


@pytest.mark.parametrize(
    "loop", [writes_through_views, items, one_view, base_with_views, chain, shapes]
)
def test_long_loops_take_linear_time(loop):
    """10 times as many take 10 times as many instructions; in quadratic time it would be 100."""
    loop(60)
    assert steps(loop, 600) < 11 * steps(loop, 60)


def test_a_buffer_that_is_filled():
    w = weights()
    rows = torch.zeros(500, 3)
    for number in range(500):
        rows[number] = w * number
    rows[1:].sum().backward()
    assert w.grad.tolist() == [sum(range(500))] * 3


def test_truncated_recurrence_stays_small():
    w, h = weights(), torch.zeros(3)
    nodes = []
    for _ in range(50):
        h = (h * w).tanh()
        nodes.append(weakref.ref(h.grad_fn))
        h = h.detach()
    assert not any(node() for node in nodes)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.sort(0),
        lambda x: x.max(0),
        lambda x: x.topk(2, 0),
        lambda x: x.cummax(0),
        lambda x: x.median(0),
    ],
)
def test_indices_that_were_saved_are_checked_too(function):
    x = torch.tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, places = function(x)
    values.sum().backward(retain_graph=True)
    places -= places
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        values.sum().backward()
