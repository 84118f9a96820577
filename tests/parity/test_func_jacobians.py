"""``jacrev``, ``jacfwd``, ``hessian`` and the small rest of ``torch.func`` as in PyTorch."""

from __future__ import annotations

from typing import Any

import pytest

import adjoint
from tests.parity.comparing import Cases, check, torch

CASES = Cases()


def scalar(t: Any) -> Any:
    return (t.sin() * t).sum()


def table(p: Any, q: Any) -> Any:
    return {"o": p["x"] * q.sin(), "p": (q.sum() * p["x"][0],)}


def trees(torch: Any, make: Any, x: Any, y: Any) -> Any:
    return (
        make(table, argnums=(0, 1))({"x": x}, y),
        make(table, argnums=1)({"x": x}, y),
        make(table, argnums=(1,))({"x": x}, y),
        make(lambda p: p * p)(x[0]),
        make(lambda p: p[:0])(x),
        make(lambda p: p * 2)(x[:0]),
        make(lambda p: torch.ones(2).to(p.dtype))(x),
        make(lambda p: p.reshape(1))(x[0]),
        make(lambda p: (p, p.sum(), p[:, :1] * p))(torch.stack([x, y])),
        make(lambda p: (p * p, [p * 2]), has_aux=True)(x),
    )


@CASES.case
def jacrev_trees(torch, f, x, y, **_):
    return trees(torch, f.jacrev, x, y)


@CASES.case
def jacfwd_trees(torch, f, x, y, **_):
    return trees(torch, f.jacfwd, x, y)


for maker in ("jacrev", "jacfwd"):
    CASES.wrong(
        {
            f"{maker} complex in": lambda torch, f, z, maker=maker, **_: getattr(f, maker)(
                lambda p: p * 2
            )(z),
            f"{maker} complex out": lambda torch, f, x, maker=maker, **_: getattr(f, maker)(
                lambda p: p * 1j
            )(x),
            f"{maker} integers": lambda torch, f, i, maker=maker, **_: getattr(f, maker)(
                lambda p: p * 2
            )(i),
            f"{maker} argnums list": lambda torch, f, x, maker=maker, **_: getattr(f, maker)(
                lambda p: p, argnums=[0]
            )(x),
            f"{maker} number out": lambda torch, f, x, maker=maker, **_: getattr(f, maker)(
                lambda p: 1.0
            )(x),
            f"{maker} aux number": lambda torch, f, x, maker=maker, **_: getattr(f, maker)(
                lambda p: (p, 1.0), has_aux=True
            )(x),
            f"{maker} keyword": lambda torch, f, x, maker=maker, **_: getattr(f, maker)(scalar)(
                p=x
            ),
        }
    )


@CASES.case
def jacrev_types(torch, f, x, **_):
    single = x.float()
    return f.jacrev(lambda p, q: p.double() * q, (0, 1))(single, single)


@CASES.case
def jacfwd_types(torch, f, x, **_):
    single = x.float()
    return f.jacfwd(lambda p, q: p.double() * q, (0, 1))(single, single)


@CASES.case
def jacfwd_of_all(torch, f, x, y, **_):
    return f.jacfwd(lambda p, q: p * q, argnums=None)(x, y)


@CASES.case
def jacobians_in_chunks(torch, f, a, b, **_):
    return [
        f.jacrev(lambda p: (torch.tanh(p @ b), p.sum(0)), chunk_size=size)(a)
        for size in (1, 2, 3, 7, 11, 100)
    ]


@CASES.case
def jacobians_of_a_tracked_input(torch, f, x, y, **_):
    outs = []
    for make in (f.jacrev, f.jacfwd, f.hessian):
        w, v = y.clone().requires_grad_(), x.clone().requires_grad_()
        j = make(lambda p, w=w: (p * p * p * w).sum())(v)
        (j * j).sum().backward()
        outs.append((j, v.grad, w.grad))
    w = x.clone().requires_grad_()
    j = f.jacrev(lambda p: p * p * p, chunk_size=2)(w)
    (j * j).sum().backward()
    return outs, j, w.grad


@CASES.case
def hessians(torch, f, x, y, b, **_):
    return (
        f.hessian(scalar)(x),
        f.hessian(lambda p: p**3)(x),
        f.hessian(lambda p: scalar(p).reshape(1))(x),
        f.hessian(lambda p: (scalar(p), p * p))(x),
        f.hessian(lambda p, q: (p * q).sin().sum(), argnums=(0, 1))(x, y),
        f.hessian(lambda d: (d["a"] ** 3).sum() * d["b"].sum())({"a": x, "b": y}),
        f.hessian(lambda p: torch.tanh(p).matmul(p.mT).sum())(b),
        f.hessian(lambda p: torch.ones((), dtype=p.dtype))(x),
        f.hessian(lambda p: p.sum())(x),
    )


CASES.wrong(
    {
        "jacrev chunk 0": lambda torch, f, x, **_: f.jacrev(scalar, chunk_size=0),
        "hessian complex": lambda torch, f, z, **_: f.hessian(scalar)(z),
        "hessian integers": lambda torch, f, i, **_: f.hessian(lambda p: p.sum())(i),
        "jacfwd randomness": lambda torch, f, x, **_: f.jacfwd(lambda p: p * torch.rand(3))(x),
        "functionalize remove": lambda torch, f, x, **_: f.functionalize(scalar, remove="x")(x),
    }
)


@CASES.case
def jacfwd_random(torch, f, x, **_):
    torch.manual_seed(0)
    return f.jacfwd(lambda p: p * torch.rand(3), randomness="same")(x).shape


@CASES.case
def functionalized(torch, f, x, **_):
    y = x.clone()
    return f.functionalize(lambda p: p.add_(1).view(3, 1) * 2)(y), y


@CASES.case
def rearranged(torch, f, c, x, **_):
    return (
        f.rearrange(c, "a b c -> c (a b)"),
        f.rearrange(c, "a (b1 b2) c -> b1 a (c b2)", b1=2),
        f.rearrange(c, "a ... -> ... a"),
        f.rearrange(x, "a -> 1 a ()"),
        f.rearrange([x, x * 2], "k a -> a k"),
    )


CASES.wrong(
    {
        "rearrange unknown": lambda torch, f, c, **_: f.rearrange(c, "a b c -> a b d"),
        "rearrange twice": lambda torch, f, c, **_: f.rearrange(c, "a a c -> a c"),
        "rearrange arrow": lambda torch, f, c, **_: f.rearrange(c, "a b c"),
        "rearrange rank": lambda torch, f, c, **_: f.rearrange(c, "a b -> b a"),
        "rearrange bracket": lambda torch, f, c, **_: f.rearrange(c, "a (b c -> a b c"),
    }
)


@CASES.case
def unwrapped(torch, f, a, **_):
    seen = []
    f.vmap(f.grad(lambda p: (seen.append(f.debug_unwrap(p)), p.sum())[1]))(a)
    return seen[0], f.debug_unwrap(a) is a


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_as_in_pytorch(name: str) -> None:
    check(CASES[name], may_fail=" " in name)


def test_every_public_name_is_here() -> None:
    names = {name for name in dir(torch.func) if not name.startswith("_")}
    assert names <= set(dir(adjoint.func))
    assert adjoint.vmap is adjoint.func.vmap
