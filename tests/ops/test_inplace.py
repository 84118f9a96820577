"""Writes that fail change nothing: not the values, not the version, not the history."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as torch

LONG = torch.tensor([0, 1])


def fresh():
    return torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


FAILING = {
    "a shape that does not broadcast": lambda x: x.add_(torch.ones(2)),
    "a shape that would grow": lambda x: x.mul_(torch.ones(2, 2, 3)),
    "operator": lambda x: x.__iadd__(torch.ones(4)),
    "a type that does not fit": lambda x: x.add_(torch.ones(2, 3, dtype=torch.complex64)),
    "copy of another shape": lambda x: x.copy_(torch.ones(3, 2)),
    "copy of what is no tensor": lambda x: x.copy_([1.0]),
    "fill with several": lambda x: x.fill_(torch.ones(2)),
    "fill with a word": lambda x: x.fill_("one"),
    "item of another shape": lambda x: x.__setitem__(0, torch.ones(2)),
    "item out of range": lambda x: x.__setitem__(2, 1.0),
    "item at places out of range": lambda x: x.__setitem__(torch.tensor([0, 5]), 1.0),
    "item behind a wrong mask": lambda x: x.__setitem__(torch.ones(3) > 0, 1.0),
    "index_put_": lambda x: x.index_put_((torch.tensor([0, 9]),), torch.zeros(3)),
    "index_add_ out of range": lambda x: x.index_add_(0, torch.tensor([0, 7]), torch.ones(2, 3)),
    "index_copy_ of another shape": lambda x: x.index_copy_(0, LONG, torch.ones(2, 2)),
    "index_fill_ out of range": lambda x: x.index_fill_(1, torch.tensor([0, 3]), 0.0),
    "scatter_ out of range": lambda x: x.scatter_(1, torch.tensor([[0, 3]]), torch.ones(1, 2)),
    "scatter_add_ of another type": lambda x: x.scatter_add_(0, LONG[None], LONG[None]),
    "masked_fill_ of another shape": lambda x: x.masked_fill_(torch.ones(2) > 0, 1.0),
    "masked_fill_ by what is no mask": lambda x: x.masked_fill_(torch.ones(2, 3), 1.0),
    "masked_scatter_ with too few": lambda x: x.masked_scatter_(x > 0, torch.zeros(2)),
    "addcdiv_": lambda x: x.addcdiv_(torch.ones(2, 3), torch.ones(4)),
    "addmm_": lambda x: x.addmm_(torch.ones(2, 4), torch.ones(3, 3)),
    "lerp_ of another type": lambda x: x.lerp_(torch.ones(2, 3, dtype=torch.double), 0.5),
    "clamp_ without bounds": lambda x: x.clamp_(),
    "cumsum_ along a dim there is not": lambda x: x.cumsum_(2),
    "transpose_ of a dim there is not": lambda x: x.transpose_(0, 2),
    "unsqueeze_ of a dim there is not": lambda x: x.unsqueeze_(4),
    "t_ of three dims": lambda x: x[None].t_(),
    "as_strided_ beyond the memory": lambda x: x.as_strided_((99,), (1,)),
    "resize_ to less than nothing": lambda x: x.resize_(-1),
    "set_ to another type": lambda x: x.set_(LONG),
    "fill_diagonal_ with a word": lambda x: x.fill_diagonal_("one"),
    "normal_ of a negative deviation": lambda x: x.normal_(0, -1),
    "uniform_ the wrong way round": lambda x: x.uniform_(1, 0),
    "bernoulli_ of more than 1": lambda x: x.bernoulli_(2.0),
    "random_ of nothing": lambda x: x.random_(3, 3),
    "floor_divide_ by a shape": lambda x: x.floor_divide_(torch.ones(5)),
    "bitwise_and_ of floats": lambda x: x.bitwise_and_(1),
    "renorm_ to a negative norm": lambda x: x.renorm_(2, 0, -1.0),
    "put_ out of range": lambda x: x.put_(torch.tensor([6]), torch.ones(1)),
    "apply_ that fails half-way": lambda x: x.apply_(lambda value: 1 / (value - 4)),
    "map_ of another shape": lambda x: x.map_(torch.ones(7), max),
    "out= of another type": lambda x: torch.add(x, 1j, out=x),
}


@pytest.mark.parametrize("how", FAILING)
@pytest.mark.parametrize("kind", ["constant", "recorded", "view"])
def test_nothing_is_half_done(how, kind):
    w = fresh().requires_grad_()
    base = {"constant": fresh, "recorded": lambda: w * 1, "view": lambda: torch.cat([w, w])}[kind]()
    x = base[:2] if kind == "view" else base
    facts = [
        (each.tolist(), each._version, each.requires_grad, each.grad_fn, each._base, each.stride())
        for each in (base, x)
    ]
    with pytest.raises((RuntimeError, TypeError, IndexError, ValueError, ArithmeticError)):
        FAILING[how](x)
    for each, (values, *others) in zip((base, x), facts, strict=True):
        assert each.tolist() == values
        assert [
            each._version, each.requires_grad, each.grad_fn, each._base, each.stride()
        ] == others  # fmt: skip
    if kind != "constant":
        (x * x).sum().backward()
        np.testing.assert_array_equal(w.grad.numpy(), 2 * fresh().numpy())


REFUSED = {
    "a leaf": (lambda w: w.add_(1), "a leaf Variable that requires grad"),
    "an item of a leaf": (lambda w: w.__setitem__(0, 1.0), "a leaf Variable|a view of a leaf"),
    "a view of a leaf": (lambda w: w[0].add_(1), "a view of a leaf Variable"),
    "one of several": (lambda w: (w * 1).unbind(0)[0].add_(1), "one of several outputs"),
    "a part of a split": (lambda w: (w * 1).split(1)[0].zero_(), "one of several outputs"),
    "expanded": (lambda w: torch.zeros(1).expand(3).add_(1), "single memory location"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what):
    w = fresh().requires_grad_()
    call, message = REFUSED[what]
    with pytest.raises(RuntimeError, match=message):
        call(w)
    assert w._version == 0
    assert w.tolist() == fresh().tolist()


def test_memory_that_overlaps_is_refused():
    flat = torch.arange(4.0)
    with pytest.raises(RuntimeError, match="single memory location"):
        flat[1:].add_(flat[:-1])
    assert flat.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert flat._version == 0


def test_warnings_made_errors_do_not_write_twice():
    with np.errstate(all="raise"):
        x = torch.tensor([1000.0, 1.0])
        x.exp_()
        assert x.tolist() == [float("inf"), pytest.approx(np.e, rel=1e-6)]
        assert x._version == 1
        y = torch.tensor([1000.0, 1.0])
        torch.exp(y, out=y)
        assert y.tolist() == x.tolist()
        y.div_(0.0)
        assert y.tolist() == [float("inf")] * 2
