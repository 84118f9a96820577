"""The report says what a program does, in attributes and in print."""

from __future__ import annotations

import pytest

import adjoint as torch


def function(x, w):
    y = torch.tanh(x @ w) * x.exp()
    return torch.sort(y.sum(1))[0]


def test_a_report():
    x, w = torch.randn(8, 4), torch.randn(4, 4)
    report = torch.compiler.explain(function, x, w)
    assert len(report.products) == 1
    assert len(report.kernels) >= 1
    assert len(report.steps) == len(report.kernels) + len(report.products) + len(report.calls)
    assert all(call.reason for call in report.calls)
    assert report.bytes_read > 0
    assert report.bytes_written > 0
    assert report.flops >= 2 * 8 * 4 * 4
    assert report.arena > 0
    assert report.seconds["trace"] > 0
    assert report.from_cache in (True, False)
    assert report.backward is None
    text = str(report)
    assert "function: 2 inputs" in text
    assert "tanh" in text
    assert "test_explaining.py:" in text
    assert repr(report) == text


def test_a_report_on_gradients_and_modules():
    model = torch.compile(torch.nn.Linear(4, 2))
    with pytest.raises(RuntimeError, match="not been called"):
        model.explain()
    x = torch.randn(3, 4)
    model(x)
    report = model.explain()
    assert report.backward is not None
    assert "the backward pass of" in str(report)
    assert str(torch.compiler.explain(model, x)) == str(report)
    assert len(model.compiled.programs) == 1


def test_nothing_is_run():
    w = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)

    def step(x):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()

    compiled = torch.compile(step)
    report = torch.compiler.explain(compiled, torch.ones(3))
    assert w.grad is None
    assert w._version == 0
    assert len(compiled.programs) == 1
    assert report.program is not None
    assert dir(torch.compiler).count("explain") == 1
    with pytest.raises(AttributeError, match="no attribute"):
        _ = torch.compiler.nothing_of_that_name
