"""Forward mode through Functions: tangents that users attach, and what jvp may answer."""

from __future__ import annotations

import pytest

import adjoint as torch
from adjoint.autograd import Function
from adjoint.autograd import forward_ad as fwAD
from adjoint.func import grad, jvp, vmap
from tests.autograd.functions import Product, function, leaf


def moved(kind, *args):
    with fwAD.dual_level():
        duals = [fwAD.make_dual(x, torch.ones_like(x)) for x in args]
        return tuple(fwAD.unpack_dual(kind.apply(*duals)))


def test_the_old_style_on_duals():
    seen = []

    def forward(ctx, x, n):
        out = x * n
        ctx.save_for_forward(x, out)
        ctx.n = n
        return out

    def move(ctx, t, n):
        x, out = ctx.saved_tensors
        seen.append((n, x.tolist(), out.tolist(), torch.is_grad_enabled()))
        return t * ctx.n

    kind = function(forward, jvp=staticmethod(move))
    with fwAD.dual_level():
        dual = fwAD.make_dual(torch.tensor([1.0]), torch.tensor([2.0]))
        primal, tangent = fwAD.unpack_dual(kind.apply(dual, 3))
        assert (primal.tolist(), tangent.tolist()) == ([3.0], [6.0])
        assert fwAD.unpack_dual(kind.apply(torch.ones(1), 3)).tangent is None
    assert seen == [(None, [1.0], [3.0], True)]


def test_forward_over_reverse_and_reverse_over_forward():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with fwAD.dual_level():
        dual = fwAD.make_dual(x, torch.tensor([1.0, 10.0]))
        out = Product.apply(dual, y)
        tangent = fwAD.unpack_dual(out).tangent
        assert torch.autograd.grad(tangent.sum(), y, retain_graph=True)[0].tolist() == [1.0, 10.0]
        (g,) = torch.autograd.grad(out.sum(), y)
        assert g.tolist() == [1.0, 2.0]
        assert fwAD.unpack_dual(g).tangent.tolist() == [1.0, 10.0]


def test_tangents_that_did_not_arrive():
    seen = []
    for materialize in (True, False):

        def forward(ctx, x, y, n, materialize=materialize):
            ctx.set_materialize_grads(materialize)
            return x + y

        def move(ctx, *tangents):
            seen.append([t if t is None else t.tolist() for t in tangents])
            return tangents[0]

        with fwAD.dual_level():
            dual = fwAD.make_dual(torch.ones(1), torch.ones(1))
            function(forward, jvp=staticmethod(move)).apply(dual, torch.ones(1), torch.tensor(3))
    assert seen == [[[1.0], [0.0], None], [[1.0], None, None]]


def test_a_missing_jvp():
    kind = function(lambda ctx, x: x * 2)
    with pytest.raises(NotImplementedError, match="implement the jvp function"):
        moved(kind, torch.ones(1))


def test_a_dual_that_is_written_to():
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    with fwAD.dual_level():
        dual = fwAD.make_dual(torch.ones(1), torch.ones(1))
        out = function(forward, jvp=staticmethod(lambda ctx, t: t.mul_(2))).apply(dual)
        assert out is dual
        assert fwAD.unpack_dual(dual).tangent.tolist() == [2.0]
    with pytest.raises(RuntimeError, match=r"not modifying .* inplace: as Made\.forward"):
        moved(function(forward, jvp=staticmethod(lambda ctx, t: t * 2)), torch.ones(1))


def test_views_and_inputs_as_they_are():
    for forward in (lambda ctx, x: x, lambda ctx, x: x.view(-1)):
        kind = function(forward, jvp=staticmethod(lambda ctx, t: t * 7))
        primal, tangent = moved(kind, torch.ones(2))
        assert (primal.tolist(), tangent.tolist()) == ([1.0, 1.0], [7.0, 7.0])


def test_a_tangent_that_is_handed_on_is_not_shared():
    kind = function(lambda ctx, x: x * 1, jvp=staticmethod(lambda ctx, t: t))
    with fwAD.dual_level():
        dual = fwAD.make_dual(torch.ones(1), torch.ones(1))
        out = kind.apply(dual)
        out.mul_(5)
        assert fwAD.unpack_dual(dual).tangent.tolist() == [1.0]
        assert fwAD.unpack_dual(out).tangent.tolist() == [5.0]


X, Y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 5.0, 6.0])


def tangent_of(f, x, t):
    with fwAD.dual_level():
        return fwAD.unpack_dual(f(fwAD.make_dual(x, t))).tangent


COMBINED = {
    "level in vmap": lambda f: vmap(lambda t: tangent_of(lambda x: f(x, Y), X, t))(torch.eye(3)),
    "vmap in level": lambda f: tangent_of(lambda x: vmap(f)(x, Y), X, Y),
    "grad in level": lambda f: tangent_of(grad(lambda x: f(x, f(x, Y)).sum()), X, Y),
    "jvp in level": lambda f: tangent_of(
        lambda x: jvp(lambda a: f(a, f(a, Y)), (x,), (Y,))[1], X, Y
    ),
    "level in jvp": lambda f: jvp(lambda x: tangent_of(lambda a: f(a, f(a, Y)), x, Y), (X,), (Y,)),
    "level in grad": lambda f: grad(
        lambda t: tangent_of(lambda x: f(x, f(x, Y)), X, t).pow(2).sum()
    )(Y),
}


@pytest.mark.parametrize("name", COMBINED)
def test_levels_among_transforms(name: str):
    found, wanted = (COMBINED[name](f) for f in (Product.apply, torch.mul))
    torch.testing.assert_close(found, wanted)


def test_a_dual_of_a_transform_that_is_written_to():
    class Doubling(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x.mul_(2)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.mark_dirty(*inputs)

        @staticmethod
        def jvp(ctx, t):
            return t.mul_(2)

    def f(x, t):
        with fwAD.dual_level():
            dual = fwAD.make_dual(x.clone(), t.clone())
            out = Doubling.apply(dual)
            assert out is dual
            return tuple(fwAD.unpack_dual(out))

    primal, tangent = vmap(f)(X, Y)
    assert primal.tolist() == [2.0, 4.0, 6.0]
    assert tangent.tolist() == [8.0, 10.0, 12.0]


BAD = {
    "shape": (
        lambda t: t[:1],
        RuntimeError,
        r"different size .* returned \[1\] .* \[3\]",
    ),
    "float": (lambda t: 3.0, RuntimeError, r"expected Variable or None \(got float\)"),
    "number": (lambda t: (t, t), RuntimeError, r"expected 1 but got 2"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("mode", ["func", "dual"])
def test_bad_tangents(case: str, mode: str):
    answer, error, message = BAD[case]
    kind = function(
        lambda x: x * 2,
        setup_context=staticmethod(lambda ctx, inputs, output: None),
        jvp=staticmethod(lambda ctx, t: answer(t)),
    )
    x = torch.ones(3)
    with pytest.raises(error, match=message):
        jvp(kind.apply, (x,), (x,)) if mode == "func" else moved(kind, x)


@pytest.mark.parametrize("out", [lambda x: x.long(), lambda x: x * 3, lambda x: "text"])
def test_constants_have_no_tangent(out):
    class Two(Function):
        @staticmethod
        def forward(x):
            return x * 2, out(x)

        @staticmethod
        def setup_context(ctx, inputs, output):
            if isinstance(output[1], torch.Tensor):
                ctx.mark_non_differentiable(output[1])

        @staticmethod
        def jvp(ctx, t):
            return t * 2, ctx.answer if hasattr(ctx, "answer") else None

    class Wrong(Two):
        @staticmethod
        def jvp(ctx, t):
            return t, t

    x = torch.ones(2)
    value, tangent = jvp(lambda x: Two.apply(x)[0], (x,), (x,))
    assert (value.tolist(), tangent.tolist()) == ([2.0, 2.0], [2.0, 2.0])
    with pytest.raises(RuntimeError, match=r"position 1, .* return None there from Wrong\.jvp"):
        jvp(lambda x: Wrong.apply(x)[0], (x,), (x,))


def test_none_is_no_movement():
    kind = function(
        lambda x: x * 2,
        setup_context=staticmethod(lambda ctx, inputs, output: None),
        jvp=staticmethod(lambda ctx, t: None),
    )
    x = torch.ones(2)
    assert jvp(kind.apply, (x,), (x,))[1].tolist() == [0.0, 0.0]
