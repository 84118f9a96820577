"""Everything that makes derivatives, and modules, inside traced functions."""

from __future__ import annotations

from typing import Any

import pytest

import adjoint as torch
from adjoint.utils.checkpoint import checkpoint
from tests.compiler.front.comparing import assert_same
from tests.compiler.front.test_tracing import numbers

F = torch.nn.functional


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x * x


def derivatives() -> dict[str, Any]:  # noqa: C901 - one after the other
    def of_grad(x):
        x = x.clone().requires_grad_()
        (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
        (h,) = torch.autograd.grad((g * g).sum(), x)
        return g.detach(), h

    def of_backward_twice(x):
        x = x.clone().requires_grad_()
        y = (x.exp() * x).sum()
        y.backward(retain_graph=True)
        y.backward()
        return x.grad

    def of_create_graph(x):
        x = x.clone().requires_grad_()
        (x**3).sum().backward(create_graph=True)
        g = x.grad
        x.grad = None
        g.sum().backward()
        return x.grad

    def of_func(x):
        def f(x):
            return (x.sin() * x).sum()

        value, pull = torch.func.vjp(f, x)
        return (
            torch.func.grad(f)(x), torch.func.jvp(f, (x,), (x * 2,)), value, pull(torch.ones(())),
            torch.func.jacrev(lambda x: x.cos() * x.sum())(x), torch.func.hessian(f)(x),
            torch.func.jacfwd(lambda x: x.cos() * x.sum())(x),
        )  # fmt: skip

    def of_vmap(x):
        batch = torch.stack([x, x * 2])
        return torch.func.vmap(lambda row: row.sum() * row)(batch), torch.func.vmap(
            torch.func.grad(lambda row: (row**2).sum())
        )(batch)

    def of_a_function(x):
        x = x.clone().requires_grad_()
        y = Cube.apply(x).sum()
        return torch.autograd.grad(y, x, create_graph=True)[0].detach()

    def of_checkpoint(x):
        x = x.clone().requires_grad_()
        y = checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False).sum()
        return torch.autograd.grad(y, x)

    def of_hooks(x):
        x = x.clone().requires_grad_()
        seen = []
        y = x * 2
        y.register_hook(lambda g: g * 3)
        x.register_post_accumulate_grad_hook(lambda leaf: seen.append(leaf.grad * 2))
        y.sum().backward()
        return x.grad, seen

    def of_modes(x):
        x = x.clone().requires_grad_()
        with torch.no_grad():
            a = x * 2
            with torch.enable_grad():
                b = x * 3
        with torch.inference_mode():
            c = (x * 4).sum()
        return a.requires_grad, b.requires_grad, c.requires_grad, a + b.detach(), c.clone()

    def of_retained(x):
        x = x.clone().requires_grad_()
        y = x * x
        y.retain_grad()
        y.sum().backward()
        return y.grad, x.grad

    def of_writes(x):
        leaf = x.clone().requires_grad_()
        y = leaf * 1
        y[0] = y[1] * 2
        y[1:].mul_(y[:1].detach().clone())
        y.sum().backward()
        return leaf.grad, y.detach()

    def of_forward_mode(x):
        with torch.autograd.forward_ad.dual_level():
            moved = torch.autograd.forward_ad.make_dual(x, x * 2)
            return torch.autograd.forward_ad.unpack_dual(moved.sin() * moved).tangent + 0

    def of_linearize(x):
        value, push = torch.func.linearize(lambda x: x.sin() * x, x)
        return value, push(x)

    return dict(locals())


@pytest.mark.parametrize("name", derivatives())
def test_derivatives(name):
    def build():
        return derivatives()[name], [(numbers(3, seed=n),) for n in range(2)], ()

    assert_same(build, programs=1, tolerance=1e-5)


def modules() -> dict[str, Any]:
    nn = torch.nn
    return {
        "linear": (nn.Linear(4, 3), (5, 4)),
        "mlp": (nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Dropout(), nn.Linear(8, 2)), (5, 4)),
        "conv": (
            nn.Sequential(
                nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
            ),
            (2, 1, 8, 8),
        ),
        "rnn": (nn.RNN(4, 3, batch_first=True), (2, 5, 4)),
        "lstm": (nn.LSTM(4, 3, num_layers=2, dropout=0.2), (5, 2, 4)),
        "gru": (nn.GRU(4, 3), (5, 2, 4)),
        "norms": (nn.Sequential(nn.LayerNorm(4), nn.RMSNorm(4)), (2, 3, 4)),
        "cumulative": (nn.BatchNorm1d(4, momentum=None), (5, 4)),
        "group": (nn.GroupNorm(2, 4), (2, 4, 3)),
    }  # fmt: skip


@pytest.mark.parametrize("name", modules())
def test_modules_train(name):
    def build():
        torch.manual_seed(0)
        module, shape = modules()[name]
        steps = torch.optim.SGD(module.parameters(), lr=0.1)

        def function(x):
            steps.zero_grad()
            out = module(x)
            out = out[0] if isinstance(out, tuple) else out
            loss = (out**2).mean()
            loss.backward()
            steps.step()
            return loss.detach()

        watched = list(module.state_dict(keep_vars=True).values())
        return function, [(numbers(*shape, seed=n),) for n in range(2)], watched

    assert_same(build, programs=1, tolerance=1e-4)


def test_attention_and_losses():
    def build():
        torch.manual_seed(0)
        attention = torch.nn.MultiheadAttention(8, 2)

        def function(x, target):
            out, weights = attention(x, x, x)
            flat, wanted = out.reshape(-1, 8), x.reshape(-1, 8)
            losses = (
                F.cross_entropy(flat, target), F.mse_loss(flat, flat.detach() * 2),
                F.l1_loss(flat, wanted),
                F.nll_loss(flat.log_softmax(-1), target), F.smooth_l1_loss(flat, wanted),
                F.binary_cross_entropy_with_logits(flat, flat.detach().sigmoid()),
            )  # fmt: skip
            total = sum(losses)
            total.backward()
            return total.detach(), weights.detach()

        target = torch.arange(6) % 8
        return (
            function,
            [(numbers(3, 2, 8, seed=n), target) for n in range(2)],
            list(attention.parameters()),
        )

    assert_same(build, tolerance=1e-4)


def test_functional_call_and_state():
    def build():
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 2)
        params = {key: value.detach().clone() for key, value in model.named_parameters()}

        def function(x):
            def loss(params):
                return (torch.func.functional_call(model, params, (x,)) ** 2).sum()

            grads = torch.func.grad(loss)(params)
            for key, value in params.items():
                value.sub_(grads[key], alpha=0.1)
            return grads

        return (
            function,
            [(numbers(4, 3, seed=n),) for n in range(2)],
            (
                list(params.values()),
                list(model.parameters()),
            ),
        )

    assert_same(build, programs=1)


def test_complex_numbers_and_halves():
    def build():
        def function(x):
            z = torch.complex(x, x * 2).requires_grad_()
            (z.abs() ** 2).sum().backward()
            half = x.half() * 2 + 1
            return z.grad, half, half.to(torch.bfloat16).float()

        return function, [(numbers(3, seed=n),) for n in range(2)], ()

    assert_same(build, programs=1)
