"""``vmap`` as in PyTorch: dims, trees, chunks, random numbers, errors."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from typing import Any, NamedTuple

import pytest

from tests.parity.comparing import Cases, check

CASES = Cases()


class Pair(NamedTuple):
    first: Any
    second: Any


def scalar(t: Any) -> Any:
    return (t.sin() * t).sum()


@CASES.case
def vmap_dims(torch, f, a, c, x, **_):
    return (
        f.vmap(lambda p: p * 2, in_dims=1, out_dims=1)(a),
        f.vmap(lambda p: p * 2, in_dims=-1, out_dims=-1)(c),
        f.vmap(lambda p, q: p * q, in_dims=(0, None))(a, x),
        f.vmap(lambda p: (p, p.sum()), out_dims=(1, 0))(c),
        f.vmap(lambda p: [p, p.sum()], out_dims=[-1, 0])(c),
        f.vmap(lambda p: p, out_dims=(1,))(a),
        f.vmap(f.vmap(lambda p, q: p * q, (None, 0)), (0, None))(x, x),
        f.vmap(f.vmap(lambda p: p.sum(), in_dims=1), in_dims=2)(c),
    )


@CASES.case
def vmap_trees(torch, f, a, c, x, **_):
    return (
        f.vmap(lambda t: (t["a"].sum(), t["b"]), in_dims=({"a": 0, "b": None},))({"a": a, "b": x}),
        f.vmap(lambda t: t[0] * t[1][0], in_dims=((0, [None]),))((a, [x])),
        f.vmap(lambda t: t[0] * t[1][0], in_dims=((0, 1),))((a, [c])),
        f.vmap(lambda p: Pair(p.first * 2, p.second), (Pair(0, None),), Pair(0, 0))(Pair(a, x)),
        f.vmap(lambda p: OrderedDict(o=p["x"]))(OrderedDict(x=a)),
        f.vmap(lambda p: p)(defaultdict(list, x=a)),
        f.vmap(lambda p: p)(deque([a])),
        f.vmap(lambda p: p.max(0))(c),
        f.vmap(lambda p, q: p * q, (0, None))(a, 2.0),
        f.vmap(lambda p, q=None: p * q)(x, q=x),
        f.vmap(lambda p: (p, x, None, 3), out_dims=(0, None, None, None))(a),
        f.vmap(lambda p: ())(a),
    )


@CASES.case
def vmap_chunks(torch, f, a, c, x, **_):
    return (
        f.vmap(lambda p: p * 2, chunk_size=3)(a),
        f.vmap(lambda p: p * 2, chunk_size=1)(a),
        f.vmap(lambda p: p * 2, chunk_size=10)(a),
        f.vmap(lambda p: (p * 2, p.sum()), in_dims=-1, out_dims=(1, 0), chunk_size=2)(c),
        f.vmap(lambda p, q: p * q, in_dims=(0, None), chunk_size=3)(a, x),
        f.vmap(f.grad(scalar), chunk_size=3)(a),
    )


@CASES.case
def vmap_chunks_of_a_tracked_input(torch, f, a, **_):
    w = a.clone().requires_grad_()
    out = f.vmap(lambda p: p * p, chunk_size=3)(w)
    out.sum().backward()
    return out, w.grad


@CASES.case
def vmap_random(torch, f, a, **_):
    outs = []
    for mode in ("different", "same"):
        for chunk in (None, 3):
            torch.manual_seed(3)
            mapped = f.vmap(lambda p: p + torch.rand(3), randomness=mode, chunk_size=chunk)
            outs.append(mapped(a))
    return outs


@CASES.case
def vmap_of_nothing(torch, f, **_):
    return f.vmap(lambda p: p * 2)(torch.ones(0, 3)), torch.vmap(lambda p: p)(torch.ones(2, 0))


@CASES.case
def vmap_makes_zeros(torch, f, a, **_):
    def function(p):
        z = torch.zeros_like(p)
        z.add_(p)
        z[0] = p[1]
        return z

    return f.vmap(function)(a)


@CASES.case
def vmap_iterates(torch, f, a, **_):
    return f.vmap(lambda p: sum(v for v in p))(a)


CASES.wrong(
    {
        "vmap nothing": lambda torch, f, x, **_: f.vmap(lambda: x)(),
        "vmap in None": lambda torch, f, x, **_: f.vmap(scalar, in_dims=None)(x),
        "vmap in list": lambda torch, f, x, **_: f.vmap(scalar, in_dims=[0])(x),
        "vmap in dict": lambda torch, f, x, **_: f.vmap(scalar, in_dims={"a": 0})(x),
        "vmap in all None": lambda torch, f, x, **_: f.vmap(scalar, in_dims=(None,))(x),
        "vmap in float": lambda torch, f, x, **_: f.vmap(scalar, in_dims=(0.5,))(x),
        "vmap in text": lambda torch, f, x, **_: f.vmap(scalar, in_dims="0")(x),
        "vmap in too many": lambda torch, f, x, **_: f.vmap(scalar, in_dims=(0, 0))(x),
        "vmap in nested": lambda torch, f, x, **_: f.vmap(scalar, in_dims=([0],))((x,)),
        "vmap in number": lambda torch, f, x, **_: f.vmap(lambda p, q: p)(x, 1.0),
        "vmap in None leaf": lambda torch, f, x, **_: f.vmap(lambda p, q: p)(x, None),
        "vmap in beyond": lambda torch, f, x, **_: f.vmap(scalar, in_dims=3)(x),
        "vmap in below": lambda torch, f, x, **_: f.vmap(scalar, in_dims=-2)(x),
        "vmap in scalar": lambda torch, f, s, **_: f.vmap(lambda p: p)(s),
        "vmap sizes": lambda torch, f, x, **_: f.vmap(torch.mul)(x, x[:2]),
        "vmap out float": lambda torch, f, x, **_: f.vmap(lambda p: p, out_dims=0.5)(x),
        "vmap out text": lambda torch, f, x, **_: f.vmap(lambda p: p, out_dims="a")(x),
        "vmap out beyond": lambda torch, f, x, **_: f.vmap(lambda p: p, out_dims=3)(x),
        "vmap out below": lambda torch, f, a, **_: f.vmap(lambda p: p, out_dims=-3)(a),
        "vmap out None": lambda torch, f, x, **_: f.vmap(lambda p: p, out_dims=None)(x),
        "vmap out constant": lambda torch, f, x, a, **_: f.vmap(lambda p: a, out_dims=None)(x),
        "vmap out number": lambda torch, f, x, **_: f.vmap(lambda p: 3)(x),
        "vmap out nothing": lambda torch, f, x, **_: f.vmap(lambda p: None)(x),
        "vmap out too few": lambda torch, f, x, **_: f.vmap(lambda p: (p, p), out_dims=(0,))(x),
        "vmap out too many": lambda torch, f, x, **_: f.vmap(lambda p: p, out_dims=(0, 0))(x),
        "vmap out dict": lambda torch, f, x, **_: f.vmap(
            lambda p: {"a": p, "b": p}, out_dims={"a": 0, "b": None}
        )(x),
        "vmap out list": lambda torch, f, x, **_: f.vmap(lambda p: (p, p), out_dims=[0, 0])(x),
        "vmap out size": lambda torch, f, x, **_: f.vmap(lambda p: p.shape)(torch.ones(2, 3)),
        "vmap randomness": lambda torch, f, x, **_: f.vmap(scalar, randomness="x")(x),
        "vmap random": lambda torch, f, x, **_: f.vmap(lambda p: p + torch.rand(()))(x),
        "vmap chunk 0": lambda torch, f, x, **_: f.vmap(scalar, chunk_size=0)(x),
        "vmap chunk -1": lambda torch, f, x, **_: f.vmap(scalar, chunk_size=-1)(x),
        "vmap chunk text": lambda torch, f, x, **_: f.vmap(scalar, chunk_size="a")(x),
        "vmap item": lambda torch, f, x, **_: f.vmap(lambda p: p.item())(x),
        "vmap branch": lambda torch, f, x, **_: f.vmap(lambda p: p if p > 0 else -p)(x),
        "vmap float": lambda torch, f, x, **_: f.vmap(lambda p: float(p))(x),
        "vmap int": lambda torch, f, x, **_: f.vmap(lambda p: int(p))(x),
        "vmap list": lambda torch, f, x, **_: f.vmap(lambda p: p.tolist())(x),
        "vmap numpy": lambda torch, f, x, **_: f.vmap(lambda p: p.numpy())(x),
        "vmap nonzero": lambda torch, f, a, **_: f.vmap(lambda p: p.nonzero())(a),
        "vmap mask": lambda torch, f, a, **_: f.vmap(lambda p: p[p > 0])(a),
        "vmap allclose": lambda torch, f, a, **_: f.vmap(lambda p: torch.allclose(p, p))(a),
        "vmap equal": lambda torch, f, a, **_: f.vmap(lambda p: torch.equal(p, p))(a),
        "vmap writes into a shared argument": lambda torch, f, x, a, **_: f.vmap(
            lambda p, q: p.add_(q), (None, 0)
        )(x, a),
    }
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_as_in_pytorch(name: str) -> None:
    check(CASES[name], may_fail=" " in name)
