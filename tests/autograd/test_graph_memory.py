"""The report of saved bytes by line of the user's code."""

from __future__ import annotations

import sys

import pytest

import adjoint as torch
from adjoint.autograd.graph import get_gradient_edge, saved_memory, saved_tensors_hooks


def line_here():
    return sys._getframe(1).f_lineno


def test_bytes_by_line():
    x = torch.ones(100, 100, requires_grad=True)
    a = x.exp().sin(); first = line_here()  # fmt: skip  # noqa: E702 - one line
    b = a.double().exp(); second = line_here()  # fmt: skip  # noqa: E702 - one line
    report = saved_memory(b.sum())
    assert [(line.line, line.bytes, line.tensors) for line in report.lines] == [
        (second, 80_000, 1),
        (first, 40_000, 1),  # the result of exp is what sin saves: one memory
    ]
    assert report.lines[0].file == __file__
    assert report.lines[0].operations == {"ExpBackward0": 1}
    assert report.total == 120_000
    assert (report.parameters, report.packed, report.freed) == (0, 0, 0)


def test_parameters_are_told_apart():
    w = torch.ones(10, 10, requires_grad=True)
    x = torch.ones(5, 10)
    report = saved_memory((x @ w).relu().sum() + (w.t() * w).sum())
    assert report.parameters == 400
    assert report.total == 200 + 200  # the constant input, and the result of relu
    assert "400 B of parameters" in str(report)


def test_views_hold_all_of_their_memory():
    x = torch.ones(1000, requires_grad=True)
    y = x * 1
    report = saved_memory(y[:10].sin().sum())
    assert (report.total, report.lines[0].tensors) == (4000, 1)


def test_it_prints_as_a_table():
    x = torch.ones(1 << 20, requires_grad=True)
    y = x.exp() * x.sin()
    text = str(saved_memory(y.sum()))
    head, row, last = text.splitlines()
    assert head.split() == ["saved", "part", "tensors", "line", "operations", "code"]
    assert row.split()[:4] == ["8.0", "MiB", "100%", "2"]
    assert "ExpBackward0" in row
    assert row.endswith("y = x.exp() * x.sin()")
    assert last == "8.0 MiB saved; 4.0 MiB of parameters"
    assert repr(saved_memory(y.sum())) == text


def test_several_losses_and_edges():
    x = torch.ones(100, requires_grad=True)
    a = x.exp()
    y, z = a.sin(), a.cos()
    assert saved_memory(y).total == saved_memory([y, z]).total == 400
    assert saved_memory(get_gradient_edge(y)).total == 400


def test_after_a_backward():
    x = torch.ones(100, requires_grad=True)
    y = x.exp().sum()
    y.backward()
    report = saved_memory(y)
    assert (report.total, report.freed) == (0, 1)
    assert "1 operations were freed" in str(report)


def test_packed_values():
    x = torch.ones(100, requires_grad=True)
    with saved_tensors_hooks(lambda t: t.half(), lambda t: t.float()):
        y = x.exp()
    assert saved_memory(y).total == 200
    with saved_tensors_hooks(lambda t: (t.shape, t.numpy()[:1].copy()), lambda t: t):
        y = x.exp()
    assert saved_memory(y).total == 4
    with saved_tensors_hooks(lambda t: object(), lambda t: t):
        y = x.exp()
    report = saved_memory(y)
    assert (report.total, report.packed) == (0, 1)
    assert "1 saved tensors are packed by hooks" in str(report)


def test_functions_of_the_user():
    class Keep(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x * 2)
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return g

    y = Keep.apply(torch.ones(50, requires_grad=True))
    assert saved_memory(y).total == 200
    assert saved_memory(y).lines[0].operations == {"KeepBackward": 1}


def test_what_was_not_recorded():
    with pytest.raises(RuntimeError, match="nothing was saved"):
        saved_memory(torch.ones(3))
    for what in (3, "loss", [None]):
        with pytest.raises(RuntimeError, match="but got"):
            saved_memory(what)


def test_inside_transforms_and_dual_levels():
    def totals(x):
        y = (x * x).exp()
        found.append(saved_memory(y.sum()).total)
        return y.sum()

    found = []
    torch.func.grad(totals)(torch.ones(10))
    torch.func.vmap(torch.func.grad(totals))(torch.ones(4, 10))
    assert found == [40, 160]
    forward = torch.autograd.forward_ad
    with forward.dual_level():
        x = forward.make_dual(torch.ones(10, requires_grad=True), torch.ones(10))
        assert saved_memory(x.exp().sin()).total == 40
