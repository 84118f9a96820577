"""One hook for the gradients of several tensors."""

from __future__ import annotations

import threading

import pytest

import adjoint as torch
from adjoint.autograd import graph


def setup_tensors():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    return x, x * 2, x * 3, x * 5


def shown(gradients):
    return [None if g is None else g.tolist() for g in gradients]


def test_all_waits_for_those_that_will_come():
    _x, a, b, c = setup_tensors()
    calls = []
    handle = graph.register_multi_grad_hook((a, b, c), lambda gs: calls.append(shown(gs)))
    (a + b * 2).sum().backward(retain_graph=True)
    assert calls == [[[1.0, 1.0], [2.0, 2.0], None]]
    (a + b + c).sum().backward(retain_graph=True)
    assert calls[1] == [[1.0, 1.0]] * 3
    handle.remove()
    handle.remove()
    (a + b + c).sum().backward()
    assert len(calls) == 2


def test_any_gets_the_first():
    _x, a, b, c = setup_tensors()
    calls = []
    with graph.register_multi_grad_hook((a, b, c), calls.append, mode="any"):
        (a * 7 + b * 9).sum().backward(retain_graph=True)
        (a * 8).sum().backward(retain_graph=True)
    (a + b).sum().backward()
    assert [g.tolist() for g in calls] == [[9.0, 9.0], [8.0, 8.0]]


def test_leaves_and_a_pass_for_other_inputs():
    x, a, b, _c = setup_tensors()
    calls = []
    graph.register_multi_grad_hook((x, a), lambda gs: calls.append(shown(gs)))
    torch.autograd.grad(b.sum(), b, retain_graph=True)
    assert calls == []
    torch.autograd.grad(a.sum(), a, retain_graph=True)
    assert calls == [[None, [1.0, 1.0]]]
    torch.autograd.grad(a.sum(), x, retain_graph=True)
    assert calls[1] == [[2.0, 2.0], [1.0, 1.0]]
    b.sum().backward(inputs=[x])
    assert calls[2] == [[3.0, 3.0], None]


def test_what_is_returned_changes_nothing():
    x, a, b, _c = setup_tensors()
    graph.register_multi_grad_hook((a, b), lambda gs: [g * 10 for g in gs])
    graph.register_multi_grad_hook((a, b), lambda g: g * 10, mode="any")
    (a + b).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]


def test_a_hook_that_raises_leaves_nothing_behind():
    x, a, b, _c = setup_tensors()
    calls = []

    def fail_once(gs):
        calls.append(shown(gs))
        if len(calls) == 1:
            raise KeyError("stop")

    graph.register_multi_grad_hook((a, b), fail_once)
    with pytest.raises(KeyError):
        (a + b).sum().backward(retain_graph=True)
    assert x.grad is None
    (a + b * 2).sum().backward()
    assert calls[1] == [[1.0, 1.0], [2.0, 2.0]]
    assert x.grad.tolist() == [8.0, 8.0]


def test_a_pass_that_fails_between_two_gradients():
    _x, a, b, _c = setup_tensors()
    calls, fail = [], [True]

    def stop(g):
        if fail:
            raise KeyError("stop")

    graph.register_multi_grad_hook((a, b), lambda gs: calls.append(shown(gs)))
    a.register_hook(stop)  # b is younger, and has its gradient before
    with pytest.raises(KeyError):
        (a + b).sum().backward(retain_graph=True)
    fail.clear()
    (a * 4 + b * 2).sum().backward()
    assert calls[-1] == [[4.0, 4.0], [2.0, 2.0]]


def test_threads_count_apart():
    x, a, b, _c = setup_tensors()
    loss = (a + b * 2).sum()
    calls = []
    graph.register_multi_grad_hook((a, b), lambda gs: calls.append(shown(gs)))
    threads = [
        threading.Thread(target=lambda: torch.autograd.grad(loss, x, retain_graph=True))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [[[1.0, 1.0], [2.0, 2.0]]] * 8


def test_under_create_graph_the_gradients_have_a_history():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    seen = []
    graph.register_multi_grad_hook((x, y), seen.extend)
    torch.autograd.grad(y.sum(), x, create_graph=True)
    assert [g.requires_grad for g in seen] == [True, False]
    assert torch.autograd.grad(seen[0].sum(), x)[0].tolist() == [2.0, 2.0]


def test_no_tensors():
    graph.register_multi_grad_hook((), print).remove()


def test_what_is_refused():
    _x, a, _b, _c = setup_tensors()
    with pytest.raises(ValueError, match=r"one of \('all', 'any'\) but got both"):
        graph.register_multi_grad_hook((a,), print, mode="both")
    with pytest.raises(AssertionError, match=r"tensor 1, of shape \[3\], does not"):
        graph.register_multi_grad_hook((a, torch.ones(3)), print)
