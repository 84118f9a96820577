"""``torch.autograd.functional`` as in PyTorch: values, structures, flags, errors."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from tests.parity.comparing import Cases, check

CASES = Cases()


def wave(p: Any) -> Any:
    return (p.sin() * p * p).sum()


def pair(p: Any, q: Any) -> Any:
    return p * q.sum(), (p * p).sum() + q.sin().sum()


def scalar_pair(p: Any, q: Any) -> Any:
    return (p * p * q.sin()).sum() * q.sum()


def functional(torch: Any) -> Any:
    return torch.autograd.functional


@CASES.case
def jacobians(torch, f, x, y, a, **_):
    jacobian = functional(torch).jacobian
    return [
        (
            jacobian(torch.sin, x, vectorize=batched),
            jacobian(pair, (x, y), vectorize=batched),
            jacobian(lambda p: (p * 2, p.sum()), x, vectorize=batched),
            jacobian(lambda p: (p * p,), x, vectorize=batched),
            jacobian(lambda p, q: p * q, (x, y), vectorize=batched),
            jacobian(lambda p: p.T * p.sum(), a, vectorize=batched),
            jacobian(lambda p: p.sum(), x[0], vectorize=batched),
            jacobian(lambda p: torch.ones(2).to(p.dtype), x, vectorize=batched),
            jacobian(lambda p, q: p * 2, (x, y), vectorize=batched),
            jacobian(lambda p: (p, torch.ones(2).to(p.dtype)), x, vectorize=batched),
        )
        for batched in (False, True)
    ]


@CASES.case
def jacobians_forward(torch, f, x, y, a, **_):
    jacobian = functional(torch).jacobian
    options = {"vectorize": True, "strategy": "forward-mode"}
    return (
        jacobian(torch.sin, x, **options),
        jacobian(pair, (x, y), **options),
        jacobian(lambda p: (p * p,), x, **options),
        jacobian(lambda p: p.T * p.sum(), a, **options),
        jacobian(lambda p, q: p * 2, (x, y), **options),
        jacobian(torch.sin, x.clone().requires_grad_(), **options),
        jacobian(lambda p: p.double() * 2, x.float(), **options),
    )


@CASES.case
def jacobians_with_a_graph(torch, f, x, y, **_):
    outs = []
    for batched in (False, True):
        w, v = y.clone().requires_grad_(), x.clone().requires_grad_()
        j = functional(torch).jacobian(
            lambda p, w=w: p * p * w * p.sum(), v, create_graph=True, vectorize=batched
        )
        (j * j).sum().backward()
        plain = functional(torch).jacobian(lambda p, w=w: p * w, x, create_graph=True)
        outs.append((j, v.grad, w.grad, plain))
    linear = functional(torch).jacobian(lambda p: p * 2, v, create_graph=True)
    return outs, linear


@CASES.case
def jacobian_of_a_tracked_input(torch, f, x, **_):
    v = x.clone().requires_grad_()
    return functional(torch).jacobian(torch.sin, v), v.grad


@CASES.case
def jacobian_under_no_grad(torch, f, x, **_):
    with torch.no_grad():
        return functional(torch).jacobian(torch.sin, x), functional(torch).vjp(wave, x)


@CASES.case
def jacobian_through_hooks(torch, f, x, **_):
    seen = []

    def function(p):
        q = p * p
        q.register_hook(lambda g: seen.append(tuple(g.shape)))
        return q.sin()

    return functional(torch).jacobian(function, x), seen


@CASES.case
def hessians(torch, f, x, y, a, **_):
    hessian = functional(torch).hessian
    flags = [{}, {"vectorize": True}]
    return [
        (
            hessian(wave, x, **flag),
            hessian(scalar_pair, (x, y), **flag),
            hessian(lambda p: wave(p).reshape(1, 1), x, **flag),
            hessian(lambda p: torch.tanh(p).matmul(p.mT).sum(), a, **flag),
            hessian(lambda p: wave(p), (x,), **flag),
        )
        for flag in flags
    ]


@CASES.case
def hessians_forward(torch, f, x, y, a, **_):
    hessian = functional(torch).hessian
    flags = {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}
    # PyTorch's results require gradients here even without create_graph.
    return (
        hessian(wave, x, **flags).detach(),
        [[h.detach() for h in line] for line in hessian(scalar_pair, (x, y), **flags)],
        type(hessian(scalar_pair, (x, y), **flags)[0]).__name__,
        hessian(lambda p: torch.tanh(p).matmul(p.mT).sum(), a, **flags).detach(),
    )


@CASES.case
def hessians_of_linear_functions(torch, f, x, y, **_):
    hessian = functional(torch).hessian
    return (
        hessian(lambda p: p.sum(), x),
        hessian(lambda p, q: wave(p), (x, y)),
        hessian(lambda p: torch.ones(()).to(p.dtype), x),
    )


@CASES.case
def hessian_with_a_graph(torch, f, x, y, **_):
    w, v = y.clone().requires_grad_(), x.clone().requires_grad_()
    h = functional(torch).hessian(lambda p: (p**3 * w).sum() * p.sum(), v, create_graph=True)
    (h * h).sum().backward()
    return h, v.grad, w.grad


@CASES.case
def products(torch, f, x, y, a, **_):
    g = functional(torch)
    outs = []
    for graph in (False, True):
        outs += [
            g.vjp(wave, x, create_graph=graph),
            g.vjp(torch.sin, x, y, create_graph=graph),
            g.vjp(pair, (x, y), (y, x.sum()), create_graph=graph),
            g.vjp(lambda p: (p * 2,), x, y, create_graph=graph),
            g.vjp(lambda p, q: p * 2, (x, y), x, create_graph=graph),
            g.jvp(torch.sin, x, y, create_graph=graph),
            g.jvp(lambda p: p * x, x[0], create_graph=graph),
            g.jvp(pair, (x, y), (y, x), create_graph=graph),
            g.jvp(lambda p: (p.sin(), x), x, y, create_graph=graph),
            g.vhp(wave, x, y, create_graph=graph),
            g.vhp(scalar_pair, (x, y), (y, x), create_graph=graph),
            g.vhp(lambda p: p**3, x[0], create_graph=graph),
            g.vhp(lambda p, q: wave(p), (x, y), (y, x), create_graph=graph),
            g.hvp(wave, x, y, create_graph=graph),
            g.hvp(scalar_pair, (x, y), (y, x), create_graph=graph),
            g.hvp(lambda p: p**3, x[0], create_graph=graph),
            g.hvp(lambda p, q: wave(p), (x, y), (y, x), create_graph=graph),
            g.hvp(lambda p: p.sum(), x, y, create_graph=graph),
        ]
    return outs


@CASES.case
def products_with_a_graph(torch, f, x, y, **_):
    g = functional(torch)
    outs = []
    for name in ("vjp", "jvp", "vhp", "hvp"):
        w, v, u = (each.clone().requires_grad_() for each in (y, x, x * y))
        number = name in ("vhp", "hvp")
        out, found = getattr(g, name)(
            lambda p, w=w, number=number: (p**3 * w).sum() if number else p**3 * w,
            v,
            u,
            create_graph=True,
        )
        (found * found).sum().backward()
        outs.append((out, found, v.grad, u.grad, w.grad))
    return outs


def constant(torch: Any) -> Any:
    return lambda p: torch.ones(3).to(p.dtype)


STRICT = {
    "depends": lambda torch: wave,
    "constant": lambda torch: lambda p: torch.ones(()).to(p.dtype),
    "linear": lambda torch: lambda p: p.sum(),
    "square": lambda torch: lambda p: (p * p).sum(),
    "detached": lambda torch: lambda p: p.detach().sum(),
}
for (kind, make), name, graph in product(
    STRICT.items(), ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"), (False, True)
):

    def strict(torch, f, x, y, make=make, name=name, graph=graph, **_):
        v = x.clone().requires_grad_()
        given = (y,) if name in ("jvp", "vhp", "hvp") else ()
        call = getattr(functional(torch), name)
        return call(make(torch), v, *given, create_graph=graph, strict=True)

    CASES.wrong({f"{name} strict, {kind}, graph {graph}": strict})

CASES.wrong(
    {
        f"{name} strict, unused input": lambda torch, f, x, y, name=name, **_: getattr(
            functional(torch), name
        )(
            lambda p, q: wave(p),
            (x, y),
            *([(x, y)] if name in ("jvp", "vhp", "hvp") else []),
            strict=True,
        )
        for name in ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp")
    }
)
CASES.wrong(
    {
        "jacobian list in": lambda torch, f, x, **_: functional(torch).jacobian(wave, [x]),
        "jacobian number in": lambda torch, f, **_: functional(torch).jacobian(wave, 1.0),
        "jacobian number in tuple": lambda torch, f, x, **_: functional(torch).jacobian(
            pair, (x, 1.0)
        ),
        "jacobian number out": lambda torch, f, x, **_: functional(torch).jacobian(
            lambda p: 1.0, x
        ),
        "jacobian list out": lambda torch, f, x, **_: functional(torch).jacobian(
            lambda p: [p, p], x
        ),
        "jacobian integers": lambda torch, f, i, **_: functional(torch).jacobian(wave, i),
        "jacobian strategy": lambda torch, f, x, **_: functional(torch).jacobian(
            wave, x, strategy="sideways"
        ),
        "jacobian forward loop": lambda torch, f, x, **_: functional(torch).jacobian(
            wave, x, strategy="forward-mode"
        ),
        "jacobian forward graph": lambda torch, f, x, **_: functional(torch).jacobian(
            wave, x, True, vectorize=True, strategy="forward-mode"
        ),
        "jacobian forward strict": lambda torch, f, x, **_: functional(torch).jacobian(
            wave, x, strict=True, vectorize=True, strategy="forward-mode"
        ),
        "jacobian strict batched": lambda torch, f, x, **_: functional(torch).jacobian(
            wave, x, strict=True, vectorize=True
        ),
        "jacobian strict outputs": lambda torch, f, x, **_: functional(torch).jacobian(
            lambda p: (p, x), x, strict=True
        ),
        "hessian strategy": lambda torch, f, x, **_: functional(torch).hessian(
            wave, x, outer_jacobian_strategy="sideways"
        ),
        "hessian forward loop": lambda torch, f, x, **_: functional(torch).hessian(
            wave, x, outer_jacobian_strategy="forward-mode"
        ),
        "hessian vector": lambda torch, f, x, **_: functional(torch).hessian(torch.sin, x),
        "hessian tuple": lambda torch, f, x, **_: functional(torch).hessian(
            lambda p: (wave(p),), x
        ),
        "hessian number": lambda torch, f, x, **_: functional(torch).hessian(lambda p: 1.0, x),
        "vjp no v": lambda torch, f, x, **_: functional(torch).vjp(torch.sin, x),
        "vjp two v": lambda torch, f, x, **_: functional(torch).vjp(torch.sin, x, (x, x)),
        "vjp shape": lambda torch, f, x, **_: functional(torch).vjp(torch.sin, x, x[:2]),
        "vjp shape in tuple": lambda torch, f, x, **_: functional(torch).vjp(
            lambda p: (p, p), x, (x, x[:2])
        ),
        "vjp list": lambda torch, f, x, **_: functional(torch).vjp(torch.sin, x, [x]),
        "jvp no v": lambda torch, f, x, **_: functional(torch).jvp(torch.sin, x),
        "jvp no v, two": lambda torch, f, x, **_: functional(torch).jvp(torch.mul, (x[0], x[0])),
        "jvp shape": lambda torch, f, x, **_: functional(torch).jvp(torch.sin, x, x[:2]),
        "jvp number out": lambda torch, f, x, **_: functional(torch).jvp(lambda p: 1.0, x, x),
        "vhp no v": lambda torch, f, x, **_: functional(torch).vhp(wave, x),
        "vhp vector": lambda torch, f, x, **_: functional(torch).vhp(torch.sin, x, x),
        "vhp tuple": lambda torch, f, x, **_: functional(torch).vhp(lambda p: (wave(p),), x, x),
        "hvp no v": lambda torch, f, x, **_: functional(torch).hvp(wave, x),
        "hvp vector": lambda torch, f, x, **_: functional(torch).hvp(torch.sin, x, x),
        "hvp tuple": lambda torch, f, x, **_: functional(torch).hvp(lambda p: (wave(p),), x, x),
    }
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_as_in_pytorch(name: str) -> None:
    check(CASES[name], may_fail=" " in name)
