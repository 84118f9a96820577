"""``allow_mutation_on_saved_tensors``: backward uses the values as they were saved."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as torch
from adjoint.autograd import graph


def leaf(*values):
    return torch.tensor(list(values), requires_grad=True)


WRITES = {
    "method": lambda y: y.mul_(10),
    "copy": lambda y: y.copy_(torch.zeros(2)),
    "item": lambda y: y.__setitem__(0, 7.0),
    "through a view": lambda y: y[0].add_(5),
    "through detach": lambda y: y.detach().zero_(),
    "fill": lambda y: y.fill_(3),
    "out": lambda y: torch.add(torch.ones(2), 1, out=y.detach()),
    "mask": lambda y: y.masked_fill_(torch.tensor([True, False]), 9.0),
    "index": lambda y: y.index_add_(0, torch.tensor([0]), torch.ones(1)),
    "without recording": lambda y: torch.no_grad().__call__(lambda: y.mul_(4))(),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_inputs_that_are_written_to(write):
    with graph.allow_mutation_on_saved_tensors():
        x = leaf(1.0, 2.0)
        y = x * 1
        z = y * y
        write(y)
        z.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_results_that_are_written_to(write):
    with graph.allow_mutation_on_saved_tensors():
        x = leaf(1.0, 2.0)
        y = x.exp()
        z = y * 1
        write(y)
        z.sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), np.exp([1.0, 2.0]), rtol=1e-6)


def test_saved_views_of_what_is_written_to():
    with graph.allow_mutation_on_saved_tensors() as context:
        x = leaf(1.0, 2.0)
        y = x * 1
        z = y[0] * y[1] * y.view(2, 1).sum()
        y.zero_()
        assert len(context.cloned) > 0
        z.backward()
    a, b = 1.0, 2.0
    assert x.grad.tolist() == [b * (a + b) + a * b, a * (a + b) + a * b]


def test_each_write_keeps_the_values_of_its_time():
    with graph.allow_mutation_on_saved_tensors():
        x = leaf(1.0, 2.0)
        y = x * 1
        out = y * y
        for factor in (2.0, 3.0):
            y.mul_(factor)
            out = out + y * y
        out.sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), (2 + 8 + 72) * np.array([1.0, 2.0]))


def test_second_order():
    with graph.allow_mutation_on_saved_tensors():
        x = leaf(1.0, 2.0)
        y = x * 1
        z = y * y * y
        y.zero_()
        (first,) = torch.autograd.grad(z.sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x)
    assert first.tolist() == [3.0, 12.0]
    assert second.tolist() == [6.0, 12.0]


def test_an_optimizer_may_step_between():
    with graph.allow_mutation_on_saved_tensors():
        w = leaf(1.0, 2.0)
        x = leaf(3.0, 4.0)
        loss = (w * x).sum()
        w.grad = torch.ones(2)
        torch.optim.SGD([w], lr=1.0).step()
        loss.backward(inputs=[x])
    assert w.tolist() == [0.0, 1.0]
    assert x.grad.tolist() == [1.0, 2.0]


def test_copies_are_made_only_of_what_is_written_to_and_shared():
    with graph.allow_mutation_on_saved_tensors() as context:
        x = leaf(1.0, 2.0)
        a, b = x * 1, x * 2
        z = a * a * b
        assert (len(context.original), len(context.cloned)) == (3, 0)  # a, a * a, b
        a.add_(1)
        assert (len(context.original), len(context.cloned)) == (2, 1)
        z.sum().backward()
        del z
        assert (len(context.original), len(context.cloned)) == (0, 0)


def test_backward_outside_or_after_clear():
    with graph.allow_mutation_on_saved_tensors() as context:
        x = leaf(1.0)
        y, z = x * x, x.exp()
        context.clear()
        with pytest.raises(AssertionError, match=r"inside the same block.*before clear"):
            y.sum().backward()
    with pytest.raises(AssertionError, match="inside the same block"):
        z.sum().backward()
    assert x.grad is None


def test_nesting_is_refused():
    with graph.allow_mutation_on_saved_tensors():
        nested = pytest.raises(RuntimeError, match="cannot be nested")
        with nested, graph.allow_mutation_on_saved_tensors():
            pass
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass


def test_outside_a_write_is_an_error_still():
    with graph.allow_mutation_on_saved_tensors():
        pass
    y = leaf(1.0) * 1
    z = y * y
    y.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()
