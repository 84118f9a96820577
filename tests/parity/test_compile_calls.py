"""Compiled calls beside PyTorch: what results look like, and what training steps leave."""

from __future__ import annotations

import numpy as np
import pytest
import torch as reference

import adjoint


def like(tensor, other):
    """Whether two tensors, of either library, say the same of themselves."""
    assert tuple(tensor.shape) == tuple(other.shape)
    assert str(tensor.dtype) == str(other.dtype)
    assert tensor.requires_grad is other.requires_grad
    assert tensor.is_leaf is other.is_leaf
    if other._base is None or tensor._base is not None:  # a view whose base is not returned: a copy
        assert tuple(tensor.stride()) == tuple(other.stride())
    np.testing.assert_allclose(
        tensor.detach().numpy(), other.detach().numpy(), rtol=1e-5, atol=1e-6
    )


def outcome(torch, compiled):
    """Results, gradients and versions of functions called three times."""
    found = []
    compile_ = torch.compile if compiled else lambda f: f
    w = torch.tensor([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]], requires_grad=True)
    counts = torch.zeros(3, dtype=torch.int64)

    @compile_
    def function(x, scale):
        counts.add_((x > 0).sum(0))
        h = torch.tanh(x @ w.t()) * scale
        return h, h.sum(), h.argmax(1), x.t(), (x * 2).t(), x[0]

    for number in range(3):
        x = torch.tensor(np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3) + number)
        x.requires_grad_(number > 0)
        out = function(x, 1.5)
        (out[0].sum() * out[1] + out[4].sum()).backward()
        found += [*out, w.grad, counts.clone()]
        if number:
            found.append(x.grad)
    return found, (w._version, counts._version)


def test_results_are_those_of_pytorch():
    expected, versions = outcome(reference, False)
    found, own = outcome(adjoint, True)
    assert own == versions
    for tensor, other in zip(found, expected, strict=True):
        like(tensor, other)


def train(torch, kind, options, compiled):
    """Losses and what is left after some steps, of which the rate changes on the way."""
    model = torch.nn.Sequential(
        torch.nn.Linear(5, 8), torch.nn.GELU(), torch.nn.LayerNorm(8), torch.nn.Linear(8, 3)
    )
    generator = np.random.default_rng(0)
    with torch.no_grad():
        for each in model.parameters():
            each.copy_(torch.tensor(generator.normal(size=tuple(each.shape)).astype(np.float32)))
    optimizer = getattr(torch.optim, kind)(model.parameters(), **options)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8)
    x = torch.tensor(generator.normal(size=(16, 5)).astype(np.float32))
    target = torch.tensor(generator.integers(0, 3, 16))

    def step(x, target):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), target, label_smoothing=0.1)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    step = torch.compile(step) if compiled else step
    losses = []
    for _ in range(6):
        losses.append(step(x, target).item())
        scheduler.step()
    return losses, [each.detach().numpy() for each in model.parameters()], step


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        ("AdamW", {"lr": 0.02, "weight_decay": 0.1}),
        ("RMSprop", {"lr": 0.01, "centered": True}),
        ("NAdam", {"lr": 0.02}),
    ],
)
def test_training_is_that_of_pytorch(kind, options):
    expected, parameters, _ = train(reference, kind, options, False)
    losses, own, step = train(adjoint, kind, options, True)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    for one, other in zip(own, parameters, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    assert len(step.programs) == 1


def test_random_numbers_are_those_of_pytorch():
    def run(torch, compiled):
        def function(x):
            noise = torch.rand(3) + torch.randn(2, 3)
            return torch.nn.functional.dropout(x, 0.5) + noise, torch.randint(0, 9, (4,))

        function = torch.compile(function) if compiled else function
        torch.manual_seed(7)
        return [each for _ in range(3) for each in function(torch.ones(2, 3))]

    for one, other in zip(run(adjoint, True), run(reference, False), strict=True):
        like(one, other)


def test_second_derivatives_are_those_of_pytorch():
    def run(torch, compiled):
        def residual(x):
            (g,) = torch.autograd.grad(torch.sin(x).exp().sum(), x, create_graph=True)
            (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
            return (h - g * x).square().mean()

        function = torch.compile(residual) if compiled else residual
        x = torch.linspace(-1, 1, 5, requires_grad=True)
        loss = function(x)
        (g,) = torch.autograd.grad(loss, x, create_graph=True)
        return [loss, g, *torch.autograd.grad(g.sum(), x)]

    for one, other in zip(run(adjoint, True), run(reference, False), strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), rtol=2e-5)
