"""Transforms inside transforms as in PyTorch, in many orders."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity.comparing import Cases, check

CASES = Cases()


def wave(p: Any) -> Any:
    return (p.sin() * p * p / (1 + p * p)).sum()


def field(p: Any) -> Any:
    return p.sin() * p.flip(0) * p.sum()


@CASES.case
def nest_jacobians(torch, f, x, **_):
    return (
        f.jacrev(f.jacfwd(field))(x),
        f.jacfwd(f.jacrev(field))(x),
        f.jacrev(f.jacrev(field))(x),
        f.jacfwd(f.jacfwd(field))(x),
        f.jacrev(f.hessian(wave))(x),
        f.hessian(lambda p: f.hessian(wave)(p).sum())(x),
        f.grad(lambda p: f.jacrev(field)(p).sum())(x),
        f.jacfwd(f.grad(lambda p: f.jacfwd(field)(p).sum()))(x),
    )


@CASES.case
def nest_vmap(torch, f, a, c, **_):
    return (
        f.vmap(f.hessian(wave))(a),
        f.vmap(f.jacrev(field))(a),
        f.vmap(f.jacfwd(field))(a),
        f.vmap(f.jacfwd(f.jacrev(field)), in_dims=1)(a.mT),
        f.vmap(f.vmap(f.grad(wave)))(c),
        f.jacrev(f.vmap(wave))(a),
        f.jacfwd(f.vmap(field))(a),
        f.hessian(lambda p: f.vmap(wave)(p).sum())(a),
        f.vmap(lambda p: f.vjp(field, p)[1](p)[0])(a),
        f.vmap(lambda p: f.jvp(field, (p,), (p * 2,)))(a),
        f.grad(lambda p: f.vmap(f.grad(wave))(p).sin().sum())(a),
    )


@CASES.case
def nest_jvp_of_vjp_of_vmap(torch, f, a, **_):
    def inner(p):
        out, pull = f.vjp(f.vmap(field), p)
        return pull(out * 2)[0]

    return f.jvp(inner, (a,), (a.cos(),)), f.vjp(inner, a)[1](a)


@CASES.case
def nest_grad_inside_jvp(torch, f, x, y, **_):
    def outer(p):
        return f.grad(lambda q: (q * q * p).sum() * p.sum())(y * p)

    return f.jvp(outer, (x,), (y,)), f.jacrev(outer)(x), f.jacfwd(outer)(x)


@CASES.case
def nest_perturbations(torch, f, s, **_):
    one = torch.ones_like(s)
    return (
        f.grad(lambda p: p * f.grad(lambda q: p + q)(one))(s),
        f.jvp(lambda p: p * f.jvp(lambda q: p + q, (one,), (one,))[1], (s,), (one,)),
        f.grad(lambda p: p * f.jvp(lambda q: p * q, (one,), (one,))[1])(s),
        f.jvp(lambda p: p * f.grad(lambda q: p * q)(one), (s,), (one,)),
        f.grad(lambda p: f.vmap(lambda q: p * q * q)(torch.stack([p, one])).sum())(s),
    )


@CASES.case
def nest_a_pull_in_other_transforms(torch, f, x, y, **_):
    _, pull = f.vjp(field, x)
    return (
        f.vmap(pull)(torch.stack([x, y])),
        f.jvp(pull, (x,), (y,)),
        f.grad(lambda g: pull(g)[0].sin().sum())(y),
        f.jacrev(lambda g: pull(g)[0])(y),
        f.jacfwd(lambda g: pull(g)[0])(y),
        f.vmap(lambda g: f.grad(lambda h: pull(h)[0].sin().sum())(g))(torch.stack([x, y])),
    )


@CASES.case
def nest_third_order(torch, f, s, **_):
    makers = [f.grad, f.jacrev, f.jacfwd, f.hessian]
    quartic = lambda p: p**4 / (1 + p * p)  # noqa: E731 - as users write it
    return [g(h(k(quartic)))(s) for g in makers[:3] for h in makers[:3] for k in makers]


@CASES.case
def nest_with_the_tape(torch, f, a, x, **_):
    w = x.clone().requires_grad_()
    f.vmap(f.grad(lambda p: (p * p * w).sum() ** 2))(a).sum().backward()
    first = w.grad
    w.grad = None
    f.jvp(lambda p: f.hessian(lambda q: (q**3 * w * p).sum())(p), (x,), (x,))[1].sum().backward()
    return first, w.grad


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_as_in_pytorch(name: str) -> None:
    check(CASES[name], may_fail=" " in name)
