"""The two ways to a batching rule: the user's own, and the one that is made."""

from __future__ import annotations

import pytest

import adjoint as torch
from adjoint.autograd import Function
from adjoint.func import grad, jvp, vmap
from tests.autograd.functions import Product, leaf


class Scaled(Function):
    """``x * n`` with a rule of its own, which tells what it was told."""

    told: list[tuple[object, ...]]

    @staticmethod
    def forward(x, n):
        return x * n

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.n = inputs[1]

    @staticmethod
    def backward(ctx, g):
        return g * ctx.n, None

    @staticmethod
    def vmap(info, in_dims, x, n):
        Scaled.told.append((info.batch_size, info.randomness, in_dims, tuple(x.shape)))
        return Scaled.apply(x, n), in_dims[0]


@pytest.fixture(autouse=True)
def _told():
    Scaled.told = []


def test_a_rule_is_told_size_randomness_and_dims():
    x = torch.ones(2, 3)
    assert vmap(lambda x: Scaled.apply(x, 5), randomness="same")(x).tolist() == [[5.0] * 3] * 2
    assert Scaled.told == [(2, "same", (0, None), (2, 3))]


def test_a_rule_is_not_asked_where_nothing_is_batched():
    out = vmap(lambda y: Scaled.apply(torch.ones(2), 3) * y)(torch.ones(4))
    assert out.tolist() == [[3.0, 3.0]] * 4
    assert Scaled.told == []


def test_nested_vmaps_ask_for_each():
    vmap(vmap(lambda x: Scaled.apply(x, 2)))(torch.ones(2, 3, 4))
    assert [size for size, *_ in Scaled.told] == [3, 2]


def test_gradients_flow_through_a_rule():
    x = leaf(1.0, 2.0)
    vmap(lambda x: Scaled.apply(x, 5))(x).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]
    assert vmap(grad(lambda x: Scaled.apply(x, 5) ** 2))(x.detach()).tolist() == [50.0, 100.0]


def test_dims_of_results():
    class Sums(Function):
        @staticmethod
        def forward(x):
            return x.sum(), x.max(), x

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def vmap(info, in_dims, x):
            return (x.sum(1), torch.tensor(7.0), x.T, "text"), (0, None, -1, None)

    a, b, c = vmap(lambda x: Sums.apply(x)[:3])(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert a.tolist() == [3.0, 7.0]
    assert b.tolist() == [7.0, 7.0]
    assert c.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: x, r"two returns, .* Got a <class 'adjoint.Tensor'> instead"),
        (lambda x: (x, 0, 0), "two returns, .* Got 3 returns instead"),
        (lambda x: (x, (0, 0)), r"incompatible .* Expected out_dims=\(0, 0\)"),
        (lambda x: (x, 1), r"out_dim 1 for an output of shape \[2\]"),
        (lambda x: (x[:1], 0), r"out_dim 0 for an output of shape \[1\], but there are 2 examples"),
    ],
)
def test_bad_answers_of_a_rule(answer, message: str):
    class Bad(Scaled):
        @staticmethod
        def vmap(info, in_dims, x):
            return answer(x)

        @staticmethod
        def forward(x):
            return x

    with pytest.raises((RuntimeError, IndexError), match=message):
        vmap(Bad.apply)(torch.ones(2))


def test_no_rule_and_two_rules():
    class NoRule(Product):
        generate_vmap_rule = False

    class TwoRules(Product):
        @staticmethod
        def vmap(info, in_dims, x, y):
            return x * y, 0

    x = torch.ones(2)
    with pytest.raises(RuntimeError, match="NoRule, but it does not have vmap support"):
        vmap(NoRule.apply)(x, x)
    with pytest.raises(RuntimeError, match="TwoRules, but it has both"):
        vmap(TwoRules.apply)(x, x)
    with pytest.raises(NotImplementedError, match="generate_vmap_rule"):
        Function.vmap(None, ())


# -- the rule that is made ------------------------------------------------------------------------


def test_methods_see_single_examples():
    seen = []

    class Shown(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, y):
            seen.append((tuple(x.shape), tuple(y.shape)))
            return x.sum() * y

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.x_shape = inputs[0].shape
            ctx.y = inputs[1]
            ctx.save_for_backward(*inputs, output)
            seen.append(tuple(output.shape))

        @staticmethod
        def backward(ctx, g):
            x, y, out = ctx.saved_tensors
            assert ctx.needs_input_grad == (True, True)
            seen.append([tuple(each.shape) for each in (g, x, y, out, ctx.y)])
            return (g * y).sum().expand(ctx.x_shape), g * x.sum()

    x, y = leaf(1.0, 2.0), torch.ones(3, 4, requires_grad=True)
    out = vmap(Shown.apply, (None, 0))(x, y)
    assert out.grad_fn.name() == "VmappedShownBackward"
    out.sum().backward()
    assert seen == [((2,), (4,)), (4,), [(4,), (2,), (4,), (4,), (4,)]]
    assert x.grad.tolist() == [12.0, 12.0]
    assert y.grad.tolist() == [[3.0] * 4] * 3


def test_gradients_are_fitted_to_single_examples():
    class Wide(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, y):
            return x + y

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, g):
            return g, g  # of the shape of the sum; the inputs may be broadcast

    x, y = torch.ones(3, requires_grad=True), torch.ones(3, 4, requires_grad=True)
    vmap(Wide.apply)(x, y).sum().backward()
    assert x.grad.tolist() == [4.0] * 3
    assert y.grad.tolist() == [[1.0] * 4] * 3


def test_a_result_that_is_the_same_for_all():
    class Constant(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return torch.ones(2), x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.mark_non_differentiable(output[0])

        @staticmethod
        def backward(ctx, g, h):
            assert g.tolist() == [0.0, 0.0] if not hasattr(g._array, "value") else True
            return h * 2

    x = leaf(1.0, 2.0, 3.0)
    same, double = vmap(Constant.apply)(x)
    assert same.tolist() == [[1.0, 1.0]] * 3
    assert not same.requires_grad
    double.sum().backward()
    assert x.grad.tolist() == [2.0] * 3


def test_gradients_that_did_not_arrive():
    class Two(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x * 2, x * 3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.set_materialize_grads(False)

        @staticmethod
        def backward(ctx, g, h):
            assert h is None
            return g * 2

    x = leaf(1.0, 2.0)
    vmap(Two.apply)(x)[0].sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_random_numbers_of_each_example():
    class Noise(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x + torch.rand(2)

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

    x = torch.zeros(3, 2)
    rows = vmap(Noise.apply, randomness="different")(x)
    assert not torch.equal(rows[0], rows[1])
    rows = vmap(Noise.apply, randomness="same")(x)
    assert torch.equal(rows[0], rows[1])
    with pytest.raises(RuntimeError, match="randomness"):
        vmap(Noise.apply)(x)


def test_jvp_without_saving_for_forward():
    class Square(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def jvp(ctx, t):
            return 2 * ctx.saved_tensors[0] * t

    x = torch.tensor([1.0, 3.0])
    assert jvp(vmap(Square.apply), (x,), (x,))[1].tolist() == [2.0, 18.0]
    assert vmap(lambda x: jvp(Square.apply, (x,), (x,))[1])(x).tolist() == [2.0, 18.0]


def test_keyword_only_arguments():
    class Power(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, *, n):
            return x**n

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

    assert vmap(lambda x: Power.apply(x, n=3))(torch.tensor([2.0])).tolist() == [8.0]


def test_a_made_rule_is_used_again():
    x = torch.ones(3)
    before = len(Product._rules)
    for _ in range(3):
        vmap(grad(Product.apply))(x, x)
        vmap(grad(Product.apply), (0, None))(x, x[0])
    made = len(Product._rules) - before
    assert made <= 2
    for size in range(1, 80):
        vmap(Product.apply)(torch.ones(size), torch.ones(size))
    assert len(Product._rules) <= 64


def test_nested_arguments_and_results():
    class Nested(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(pair, x):
            return x * 2, [pair[0], pair[1] + 1]

        @staticmethod
        def setup_context(ctx, inputs, output):
            assert inputs[0][0].shape == ()

        @staticmethod
        def backward(ctx, g, none):
            assert none is None
            return None, g * 2

        @staticmethod
        def jvp(ctx, none, t):
            return t * 2, None

    x, y = leaf(1.0, 2.0), torch.tensor([5.0, 6.0])

    def f(a, b, x):
        out, rest = Nested.apply([a, b], x)
        return out, *rest

    out, first, second = vmap(f, (0, None, 0))(y, torch.tensor(7.0), x)
    assert (first.tolist(), second.tolist()) == ([5.0, 6.0], [8.0, 8.0])
    out.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    moved = jvp(lambda x: vmap(f, (0, None, 0))(y, torch.tensor(7.0), x)[0], (y,), (y,))[1]
    assert moved.tolist() == [10.0, 12.0]


def test_a_tangent_that_all_examples_share():
    class Sum(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, y):
            return x + y

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.set_materialize_grads(False)

        @staticmethod
        def jvp(ctx, x_t, y_t):
            assert x_t is None
            return y_t

    x, y = torch.ones(2, 3), torch.ones(3)
    moved = jvp(lambda y: vmap(Sum.apply, (0, None))(x, y), (y,), (y * 5,))[1]
    assert moved.tolist() == [[5.0] * 3] * 2
