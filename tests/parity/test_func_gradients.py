"""``grad``, ``vjp``, ``jvp`` and ``linearize`` as in PyTorch."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity.comparing import Cases, check

CASES = Cases()


def twice(pull: Any, x: Any) -> Any:
    return pull(x, retain_graph=False), pull(x)


def scalar(t: Any) -> Any:
    return (t.sin() * t).sum()


@CASES.case
def grad_and_value(torch, f, x, y, **_):
    return f.grad_and_value(lambda p, q: (p * q * q).sum(), argnums=(1, 0))(x, y)


@CASES.case
def grad_of_trees(torch, f, x, y, a, **_):
    return f.grad(lambda d, k: (d["w"] * d["b"][0]).sum() * k)({"w": x, "b": [y, a]}, 2.0)


@CASES.case
def grad_keywords(torch, f, x, y, **_):
    return f.grad(lambda p, q=None: (p * q).sum())(x, q=y)


@CASES.case
def grad_negative_argnum(torch, f, x, y, **_):
    return f.grad(lambda p, q: (p * q * q).sum(), argnums=-1)(x, y)


@CASES.case
def grad_aux(torch, f, x, y, **_):
    return f.grad(lambda p: (scalar(p), {"o": p * 2, "c": y}), has_aux=True)(x)


@CASES.case
def grad_and_value_aux(torch, f, x, y, **_):
    return f.grad_and_value(lambda p: (scalar(p), (p * 2,)), has_aux=True)(x)


@CASES.case
def grad_of_complex(torch, f, z, **_):
    return f.grad(lambda p: (p * p).abs().sum())(z)


@CASES.case
def grad_of_a_tracked_input(torch, f, x, y, **_):
    w = y.clone().requires_grad_()
    g = f.grad(lambda p: (p * p * w).sum())(x.clone().requires_grad_())
    g.sum().backward()
    return g, w.grad


@CASES.case
def grad_under_no_grad(torch, f, x, y, **_):
    w, v = y.clone().requires_grad_(), x.clone().requires_grad_()
    with torch.no_grad():
        return (
            f.grad(lambda p: (p * p * w).sum())(v),
            f.vjp(lambda p: p * p * w, v)[1](y),
            f.jacrev(lambda p: p * p * w)(v),
            f.vjp(lambda p: p * p * w, v)[0],
        )


@CASES.case
def grad_under_inference_mode(torch, f, x, **_):
    with torch.inference_mode():
        g = f.grad(scalar)(x)
        return g.is_inference(), g.clone()


@CASES.case
def no_grad_inside_grad(torch, f, x, **_):
    def function(p):
        with torch.no_grad():
            c = p * p
        return (p - c).sum()

    return f.grad(function)(x), f.grad(lambda p: f.grad(function)(p * p).sum())(x)


@CASES.case
def vjp_of_trees(torch, f, x, y, **_):
    out, pull = f.vjp(lambda d, q: {"p": d["x"] * q, "s": (d["x"] + q,)}, {"x": x}, y)
    return out, pull({"p": x, "s": (y,)})


@CASES.case
def vjp_aux(torch, f, x, y, **_):
    out, pull, aux = f.vjp(lambda p: (p * p, [p * 3]), x, has_aux=True)
    return out, pull(y), aux


@CASES.case
def vjp_of_nothing(torch, f, x, **_):
    return f.vjp(lambda: x)[0]


@CASES.case
def vjp_twice(torch, f, x, y, **_):
    pull = f.vjp(lambda p: p.sin() * p, x)[1]
    return pull(x), pull(y), pull(y, retain_graph=False)


@CASES.case
def vjp_of_a_constant(torch, f, x, **_):
    return f.vjp(lambda p: torch.ones(3).to(p.dtype), x)[1](x)


@CASES.case
def vjp_of_its_argument(torch, f, x, y, **_):
    out, pull = f.vjp(lambda p: (p, p), x)
    return out, pull((x, y))


@CASES.case
def vjp_differentiated_by_the_tape(torch, f, x, y, **_):
    v = x.clone().requires_grad_()
    u = y.clone().requires_grad_()
    _, pull = f.vjp(lambda p: p * p * p, v)
    (g,) = pull(u)
    g.sum().backward()
    return g, v.grad, u.grad


@CASES.case
def jvp_of_trees(torch, f, x, y, **_):
    return f.jvp(lambda d: {"a": d["x"] * d["y"][0]}, ({"x": x, "y": [y]},), ({"x": y, "y": [x]},))


@CASES.case
def jvp_aux(torch, f, x, y, **_):
    return f.jvp(lambda p: (p * p, {"a": p * 2}), (x,), (y,), has_aux=True)


@CASES.case
def jvp_of_a_constant(torch, f, x, y, i, **_):
    return f.jvp(lambda p: (torch.ones(2), i), (x,), (y,))


@CASES.case
def jvp_items(torch, f, x, y, **_):
    return f.jvp(lambda p: p * p.sum().item() if p.sum() > -9 else p, (x,), (y,))


@CASES.case
def linearize_trees(torch, f, x, y, **_):
    out, push = f.linearize(lambda d: {"a": d["x"].sin() * d["y"][0]}, {"x": x, "y": [y]})
    return out, push({"x": y, "y": [x]}), push({"x": x, "y": [x]})


@CASES.case
def linearize_network(torch, f, a, b, **_):
    out, push = f.linearize(lambda w: torch.softmax(torch.tanh(a @ w), -1).sum(0), b)
    return out, push(b * 2), f.vmap(push)(torch.stack([b, b * 3]))


@CASES.case
def in_place_inside(torch, f, x, y, **_):
    def function(p):
        z = p.clone()
        z.mul_(p)
        z[0] = p[1] * 2
        z[1:].add_(p[:2])
        return z.sum()

    return f.grad(function)(x), f.jvp(function, (x,), (y,)), f.vmap(function)(torch.stack([x, y]))


@CASES.case
def in_place_on_an_argument(torch, f, x, y, a, **_):
    first, second, third = y.clone(), x.clone(), a.clone()
    g = f.grad(lambda p, q: (p * q.add_(1)).sum())(x, first)
    moved = f.jvp(lambda p: p.mul_(2).sum(), (second,), (y,))
    mapped = f.vmap(lambda p: p.mul_(2).sum())(third)
    return g, first, moved, second, mapped, third


CASES.wrong(
    {
        "grad of integers": lambda torch, f, i, **_: f.grad(lambda p: p.sum())(i),
        "grad of a number": lambda torch, f, **_: f.grad(lambda p: p)(1.0),
        "grad of None": lambda torch, f, x, **_: f.grad(lambda p: p[0].sum())((x, None)),
        "grad without arguments": lambda torch, f, x, **_: f.grad(lambda: x.sum())(),
        "grad argnums beyond": lambda torch, f, x, **_: f.grad(scalar, argnums=1)(x),
        "grad argnums empty": lambda torch, f, x, **_: f.grad(scalar, argnums=())(x),
        "grad argnums twice": lambda torch, f, x, y, **_: f.grad(lambda p, q: scalar(p), (0, -2))(
            x, y
        ),
        "grad argnums list": lambda torch, f, x, **_: f.grad(scalar, argnums=[0])(x),
        "grad argnums text": lambda torch, f, x, **_: f.grad(scalar, argnums="0")(x),
        "grad argnums float": lambda torch, f, x, **_: f.grad(scalar, argnums=(0.5,))(x),
        "grad of a vector": lambda torch, f, x, **_: f.grad(lambda p: p)(x),
        "grad of one element": lambda torch, f, x, **_: f.grad(lambda p: p[:1])(x),
        "grad of a tuple": lambda torch, f, x, **_: f.grad(lambda p: (p.sum(),))(x),
        "grad of None out": lambda torch, f, x, **_: f.grad(lambda p: None)(x),
        "grad without aux": lambda torch, f, x, **_: f.grad(scalar, has_aux=True)(x),
        "grad aux list": lambda torch, f, x, **_: f.grad(lambda p: [scalar(p), p], has_aux=True)(x),
        "grad aux number": lambda torch, f, x, **_: f.grad(lambda p: (scalar(p), 1), has_aux=True)(
            x
        ),
        "grad constant": lambda torch, f, x, **_: f.grad(lambda p: torch.tensor(1.0))(x),
        "grad integer out": lambda torch, f, x, i, **_: f.grad(lambda p: i.sum())(x),
        "grad complex out": lambda torch, f, z, **_: f.grad(lambda p: p.sum())(z),
        "grad leaf in place": lambda torch, f, x, **_: f.grad(lambda p: p.add_(1).sum())(x.clone()),
        "vjp of integers": lambda torch, f, i, **_: f.vjp(lambda p: p * 1.0, i),
        "vjp integer out": lambda torch, f, x, i, **_: f.vjp(lambda p: i, x),
        "vjp of a freed tape": lambda torch, f, x, **_: twice(f.vjp(torch.sin, x)[1], x),
        "vjp None out": lambda torch, f, x, **_: f.vjp(lambda p: None, x),
        "vjp no out": lambda torch, f, x, **_: f.vjp(lambda p: (), x),
        "vjp number out": lambda torch, f, x, **_: f.vjp(lambda p: 1.0, x),
        "vjp number in": lambda torch, f, x, **_: f.vjp(lambda p, q: p, x, 1.0),
        "vjp structure": lambda torch, f, x, **_: f.vjp(lambda p: p, x)[1]((x,)),
        "vjp dict order": lambda torch, f, x, **_: f.vjp(lambda p: {"a": p, "b": p}, x)[1](
            {"b": x, "a": x}
        ),
        "vjp shape": lambda torch, f, x, **_: f.vjp(lambda p: p, x)[1](x[:2]),
        "vjp number": lambda torch, f, x, **_: f.vjp(lambda p: p, x)[1](1.0),
        "vjp other type": lambda torch, f, x, **_: f.vjp(lambda p: p * 2, x)[1](x.float())[0],
        "jvp lists": lambda torch, f, x, **_: f.jvp(scalar, [x], [x]),
        "jvp structure": lambda torch, f, x, **_: f.jvp(scalar, (x,), (x, x)),
        "jvp list of tangents": lambda torch, f, x, **_: f.jvp(scalar, (x,), [x]),
        "jvp nothing": lambda torch, f, x, **_: f.jvp(lambda: x, (), ()),
        "jvp number": lambda torch, f, x, **_: f.jvp(lambda p: x, (1.0,), (x,)),
        "jvp number tangent": lambda torch, f, x, **_: f.jvp(scalar, (x,), (1.0,)),
        "jvp shape": lambda torch, f, x, **_: f.jvp(scalar, (x,), (x[:2],)),
        "jvp integers": lambda torch, f, i, **_: f.jvp(scalar, (i,), (i,)),
        "jvp integer tangent": lambda torch, f, x, i, **_: f.jvp(scalar, (x,), (i,)),
        "jvp other type": lambda torch, f, x, **_: f.jvp(lambda p: p * 2, (x,), (x.float(),))[0],
        "jvp strict": lambda torch, f, x, **_: f.jvp(lambda p: x, (x,), (x,), strict=True),
        "jvp strict passes": lambda torch, f, x, **_: f.jvp(scalar, (x,), (x,), strict=True),
        "jvp None out": lambda torch, f, x, **_: f.jvp(lambda p: None, (x,), (x,)),
        "jvp number out": lambda torch, f, x, **_: f.jvp(lambda p: (p, 1.0), (x,), (x,)),
        "jvp no out": lambda torch, f, x, **_: f.jvp(lambda p: (), (x,), (x,)),
        "jvp without aux": lambda torch, f, x, **_: f.jvp(lambda p: p, (x,), (x,), has_aux=True),
        "linearize shape": lambda torch, f, x, **_: f.linearize(torch.sin, x)[1](x[:2]),
        "linearize type": lambda torch, f, x, **_: f.linearize(torch.sin, x)[1](x.float()),
        "linearize structure": lambda torch, f, x, **_: f.linearize(torch.sin, x)[1](x, x),
        "linearize mixed": lambda torch, f, x, **_: f.linearize(lambda p: (p, 1.0), x)[0],
    }
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_as_in_pytorch(name: str) -> None:
    check(CASES[name], may_fail=" " in name)
