"""Functions inside func's transforms, in any nesting: what operations give, and errors."""

from __future__ import annotations

import pytest

import adjoint as torch
from adjoint.autograd import Function, custom
from adjoint.func import grad, jvp, vmap
from tests.autograd.functions import Product, function, leaf

NESTINGS = (
    "grad(lambda x: f(x, y).sum())(x)",
    "grad(lambda x, y: f(x, y).sum(), argnums=(0, 1))(x, y)",
    "vjp(f, x, y)[1](y)",
    "jvp(f, (x, y), (y, x))",
    "jvp(lambda x: f(x, y), (x,), (y,))",
    "jvp(lambda x: f(x, x), (x,), (y,))",
    "vmap(f)(x, y)",
    "vmap(f, (None, 0))(x, y)",
    "vmap(f, (0, None), 1)(x, y)",
    "vmap(f, (1, 0), 1)(rows, rows)",
    "vmap(grad(lambda x, y: f(x, y).sum(), argnums=1), (0, None))(rows, y)",
    "grad(lambda x: vmap(f, (None, 0))(x, rows).pow(2).sum())(x)",
    "vmap(vmap(f, (None, 0)), (0, None))(rows, rows)",
    "grad(lambda r: vmap(vmap(f, (None, 0)), (0, None))(r, rows).pow(2).sum())(rows)",
    "jvp(lambda r: vmap(vmap(f, (None, 0)), (0, None))(r, rows), (rows,), (rows,))",
    "vmap(vmap(grad(lambda x, y: (f(x, y) * x).sum()), (None, 0)), (0, None))(rows, rows)",
    "jacrev(lambda x: f(x, y))(x)",
    "jacfwd(lambda x: f(x, y))(x)",
    "jacrev(jacrev(lambda x: f(x, x * y)))(x)",
    "jacfwd(jacfwd(lambda x: f(x, x * y)))(x)",
    "jacfwd(jacrev(lambda x: f(x, x * y)))(x)",
    "jacrev(jacfwd(lambda x: f(x, x * y)))(x)",
    "hessian(lambda x: f(x, f(x, y)).sum())(x)",
    "vmap(hessian(lambda x: f(x, f(x, y)).sum()))(rows)",
    "grad(lambda x: grad(lambda x: grad(lambda x: f(x, f(x, x)).sum())(x).sum())(x).sum())(x)",
    "grad(lambda x: jvp(lambda x: f(x, x), (x,), (y,))[1].sum())(x)",
    "jvp(grad(lambda x: f(x, f(x, y)).sum()), (x,), (y,))",
    "jvp(lambda x: jvp(lambda x: f(x, f(x, y)), (x,), (y,))[1], (x,), (y,))",
    "vmap(lambda t: jvp(lambda x: f(x, y), (x,), (t,))[1])(rows)",
    "vmap(lambda t: vjp(lambda x: f(x, y), x)[1](t)[0])(rows)",
    "jvp(vmap(f), (rows, rows), (rows, rows))",
    "grad(lambda w: grad(lambda x: f(x, w).sum())(x).pow(2).sum())(y)",
    "grad(lambda x: f(x, leaf).pow(2).sum())(x)",
    "gradient_of(leaf, vmap(lambda x: f(x, leaf))(rows))",
    "gradient_of(leaf, grad(lambda x: f(x, leaf).pow(2).sum())(x))",
    "gradient_of(leaf, jvp(lambda x: f(x, leaf), (x,), (y,))[1])",
    "gradient_of(leaf, vmap(grad(lambda x: f(x, leaf).pow(2).sum()))(rows))",
    "gradient_of(leaf, jacfwd(lambda x: f(x, leaf * x))(x))",
)
TRANSFORMS = ("grad", "vjp", "jvp", "vmap", "jacrev", "jacfwd", "hessian")
KINDS = {
    "Function": Product.apply,
    "vjp": custom(lambda x, y: x * y, vjp=lambda g, _, x, y: (g * y, g * x)),
    "jvp": custom(lambda x, y: x * y, jvp=lambda t, _, x, y: t[0] * y + x * t[1]),
    "loop": custom(lambda x, y: x * y, vjp=lambda g, _, x, y: (g * y, g * x), batch="loop"),
}


def gradient_of(x, out):
    return torch.autograd.grad(out.pow(2).sum(), x)[0]


def leaves(tree):
    return [each for part in tree for each in leaves(part)] if isinstance(tree, tuple) else [tree]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nesting", NESTINGS)
def test_as_the_operation_itself(nesting: str, kind: str):
    def result(f):
        names = {name: getattr(torch.func, name) for name in TRANSFORMS}
        names |= {"f": f, "gradient_of": gradient_of}
        names["x"], names["y"] = torch.tensor([0.5, -1.5, 2.0]), torch.tensor([1.0, 0.3, -0.7])
        names["rows"] = torch.stack([names["x"], names["y"], names["x"] * names["y"]])
        names["leaf"] = leaf(2.0, 3.0, 4.0)
        return leaves(eval(nesting, names))

    found, wanted = result(KINDS[kind]), result(torch.mul)
    assert len(found) == len(wanted)
    for mine, other in zip(found, wanted, strict=True):
        assert mine.shape == other.shape
        torch.testing.assert_close(mine, other)


def test_the_old_style_is_refused():
    made = function(lambda ctx, x: x * 2, lambda ctx, g: g * 2)
    x = torch.ones(2)
    for call in (
        lambda: grad(lambda x: made.apply(x).sum())(x),
        lambda: grad(lambda z: made.apply(x).sum() + z.sum())(x),
        lambda: vmap(made.apply)(x),
        lambda: jvp(made.apply, (x,), (x,)),
    ):
        with pytest.raises(RuntimeError, match=r"must override the setup_context .* Made\.forward"):
            call()


def test_setup_context_is_told_the_values_of_each_level():
    seen = []

    class Shown(Product):
        @staticmethod
        def setup_context(ctx, inputs, output):
            seen.append((inputs[0].requires_grad, torch.is_grad_enabled()))
            Product.setup_context(ctx, inputs, output)

    x = torch.tensor(2.0)
    assert grad(grad(lambda x: Shown.apply(x, x)))(x).item() == 2.0
    assert seen[0] == (False, False)  # the plain memory at the bottom


def test_intermediates_of_setup_context_are_differentiated():
    class Square(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(2 * inputs[0])

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    x = torch.tensor([1.0, 3.0])
    assert vmap(grad(grad(Square.apply)))(x).tolist() == [2.0, 2.0]
    assert grad(lambda x: grad(lambda x: Square.apply(x).sum())(x).sum())(x).tolist() == [2.0, 2.0]


def test_several_outputs_of_any_kind():
    class Parts(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, n):
            return x * n, x.argmax(), "text", x + 1

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.n = inputs[1]

        @staticmethod
        def backward(ctx, g, index, text, h):
            assert text is None
            return g * ctx.n + h, None

    x = torch.tensor([1.0, 2.0])

    def f(x):
        a, index, text, b = Parts.apply(x, 3)
        assert text == "text"
        assert not index.dtype.is_floating_point
        return (a * b).sum()

    assert grad(f)(x).tolist() == [3 * 2.0 + 3 * 1.0, 3 * 3.0 + 3 * 2.0]
    assert vmap(grad(f))(torch.stack([x, x])).tolist() == [[9.0, 15.0]] * 2
    values, index = vmap(lambda x: Parts.apply(x, 3)[:2])(torch.stack([x, x.flip(0)]))
    assert values.tolist() == [[3.0, 6.0], [6.0, 3.0]]
    assert index.tolist() == [1, 0]


def test_a_backward_inside_a_transform():
    def f(x):
        y = x.detach().clone().requires_grad_()
        Product.apply(y, x).sum().backward()
        return y.grad.sum()

    x = torch.tensor([1.0, 2.0])
    assert vmap(f)(torch.stack([x, x])).tolist() == [3.0, 3.0]
    assert grad(f)(x).tolist() == [0.0, 0.0]  # that backward was not asked for a graph


def test_a_write_to_the_input():
    class Doubling(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x.mul_(2)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.mark_dirty(*inputs)

        @staticmethod
        def backward(ctx, g):
            return g * 2

        @staticmethod
        def jvp(ctx, t):
            return t.mul_(2)

    def f(x):
        y = x * 3
        z = Doubling.apply(y)
        assert z is y
        return (y * z).sum()

    x = torch.tensor([1.0, 2.0])
    assert grad(f)(x).tolist() == [72.0, 144.0]
    assert jvp(f, (x,), (x,))[1].item() == 2 * 36.0 + 2 * 144.0
    assert vmap(f)(torch.stack([x, x])).tolist() == [180.0, 180.0]
    assert vmap(grad(f))(torch.stack([x, x])).tolist() == [[72.0, 144.0]] * 2
    assert x.tolist() == [1.0, 2.0]


def test_an_input_returned_as_it_is():
    class Same(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, g):
            return g * 7

        @staticmethod
        def jvp(ctx, t):
            return t * 7

    x = torch.tensor([1.0, 2.0])
    assert grad(lambda x: Same.apply(x).sum())(x).tolist() == [7.0, 7.0]
    assert jvp(Same.apply, (x,), (x,))[1].tolist() == [7.0, 14.0]
    assert vmap(grad(Same.apply))(x).tolist() == [7.0, 7.0]
    assert vmap(Same.apply)(x).tolist() == [1.0, 2.0]


def test_functions_in_the_rules_of_others_are_written_down():
    doubled = custom(lambda x: 2 * x, jvp=lambda t, _, x: 2 * t[0])
    f = custom(lambda x, y: 2 * x * y, jvp=lambda t, _, x, y: doubled(t[0] * y + x * t[1]))
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    out, push = torch.func.linearize(f, x, y)
    assert out.tolist() == [6.0, 16.0]
    assert push(y, x).tolist() == [20.0, 40.0]
    assert vmap(lambda t: push(t, x))(torch.eye(2)).tolist() == [[8.0, 8.0], [2.0, 16.0]]
