"""``autograd.custom``: what rules are given and may return; test_function_transforms nests it."""

from __future__ import annotations

import functools
import gc
import inspect
import weakref

import numpy as np
import pytest

import adjoint as torch
from adjoint.autograd import custom, gradcheck, gradgradcheck
from adjoint.autograd import forward_ad as fwAD
from adjoint.func import grad, jacfwd, jvp, vmap
from tests.autograd.functions import leaf

HERE = "test_custom_rules.py"


@custom(vjp=lambda g, _, x: g * torch.sigmoid(x))
def softplus(x):
    """Of large numbers too."""
    return torch.where(x > 20, x, torch.log1p(torch.exp(x)))


def test_as_a_decorator():
    assert softplus.__name__ == "softplus"
    assert softplus.__doc__ == "Of large numbers too."
    x = leaf(0.0, 1000.0)
    y = softplus(x)
    assert y.grad_fn.name() == "SoftplusBackward"
    y.sum().backward()
    assert x.grad.tolist() == [0.5, 1.0]


def test_rules_are_right():
    x = torch.tensor([0.5, -1.5], dtype=torch.float64, requires_grad=True)
    options = {"check_batched_grad": True}
    assert gradcheck(softplus, (x,), check_forward_ad=True, **options)
    assert gradgradcheck(softplus, (x,), check_fwd_over_rev=True, **options)


def test_reverse_mode_from_a_jvp_alone():
    f = custom(lambda x, y: (x * y).sum(), jvp=lambda t, out, x, y: (t[0] * y + x * t[1]).sum())
    x = torch.tensor([0.5, -1.5], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    assert gradcheck(f, (x, y), check_forward_ad=True)
    assert gradgradcheck(f, (x, y))


def test_both_rules_are_used_where_they_are_meant():
    used = []

    def vjp(g, out, x):
        used.append("vjp")
        return g * 2

    def move(tangents, out, x):
        used.append("jvp")
        return tangents[0] * 2

    f = custom(lambda x: x * 2, vjp=vjp, jvp=move)
    grad(f)(torch.tensor(1.0))
    jvp(f, (torch.tensor(1.0),), (torch.tensor(1.0),))
    assert used == ["vjp", "jvp"]


def test_duals_of_ordinary_tensors():
    with fwAD.dual_level():
        dual = fwAD.make_dual(torch.zeros(1), torch.tensor([2.0]))
        assert fwAD.unpack_dual(softplus(dual)).tangent.tolist() == [1.0]


def test_trees_of_inputs_and_outputs():
    def forward(weights, x):
        out = weights["a"] * x + weights["b"][0]
        return {"out": out, "sum": (out.sum(), "text")}

    def rule(g, out, weights, x):
        assert out["sum"][1] == "text"
        assert g["sum"][1] is None
        total = g["out"] + g["sum"][0]
        return {"a": (total * x).sum(), "b": [total.sum()]}, total * weights["a"]

    f = custom(forward, vjp=rule)
    weights = {"a": leaf(2.0).sum(), "b": [torch.ones(()).requires_grad_()]}
    x = leaf(1.0, 3.0)
    out = f(weights, x)
    assert out["sum"][1] == "text"
    assert out["out"].tolist() == [3.0, 7.0]
    found = torch.autograd.grad(out["sum"][0], (weights["a"], weights["b"][0], x))
    assert [each.tolist() for each in found] == [4.0, 2.0, [2.0, 2.0]]

    def plain(weights, x):
        out = forward(weights, x)
        return {"out": out["out"], "sum": out["sum"][:1]}

    def mine(weights, x):
        out = f(weights, x)
        return {"out": out["out"], "sum": out["sum"][:1]}

    t = torch.tensor([5.0, 7.0])
    for of_which in (plain, mine):
        moved = jvp(lambda x, f=of_which: f({"a": torch.tensor(2.0), "b": [x[0]]}, x), (t,), (t,))[
            1
        ]
        assert moved["out"].tolist() == [15.0, 19.0]
        assert moved["sum"][0].item() == 34.0


def test_inputs_without_gradients():
    f = custom(lambda x, n, index: x[index] * n, vjp=lambda g, _, x, n, index: (g * n, None, None))
    x = leaf(1.0, 2.0)
    index = torch.tensor([0, 1])
    assert torch.autograd.grad(f(x, 3, index).sum(), x)[0].tolist() == [3.0, 3.0]
    assert jvp(lambda x: f(x, 3, index), (x.detach(),), (torch.ones(2),))[1].tolist() == [3.0, 3.0]


def test_keyword_arguments_are_constants():
    f = custom(lambda x, *, n=1: x * n, vjp=lambda g, _, x, n=1: g * n)
    x = leaf(1.0)
    assert torch.autograd.grad(f(x, n=3), x)[0].tolist() == [3.0]
    assert torch.autograd.grad(f(x), x)[0].tolist() == [1.0]
    with pytest.raises(TypeError, match="keyword arguments are constants, and n is a Tensor"):
        f(x, n=leaf(1.0))
    assert f(x, n=torch.tensor(4.0)).tolist() == [4.0]


def test_several_outputs_and_those_without_a_gradient():
    def rule(g, out, x):
        values, index = g
        assert index is None
        return values * out[0]

    f = custom(lambda x: (x.exp(), x.argmax()), vjp=rule)
    x = torch.zeros(2, requires_grad=True)
    values, index = f(x)
    assert not index.requires_grad
    values.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    moved = jvp(lambda x: f(x)[0], (torch.zeros(2),), (torch.ones(2),))[1]
    assert moved.tolist() == [1.0, 1.0]


def test_what_no_rule_names_is_not_kept():
    seen = []
    f = custom(lambda x, y: x + y, vjp=lambda g, _out, x, _y: seen.append((_out, _y)) or (g, g))
    gc.disable()
    try:
        y = leaf(2.0) * 1
        kept = weakref.ref(y)
        z = f(leaf(1.0), y)
        del y
        assert [each is None for each in z.grad_fn.saved_tensors] == [False, True, True]
        z.backward()
        assert seen == [(None, None)]
        assert kept() is None
    finally:
        gc.enable()


def test_gradients_are_fitted():
    f = custom(lambda x, y: x + y, vjp=lambda g, _, x, y: (g, g.double()))
    x, y = leaf(1.0), leaf(1.0, 2.0)
    found = torch.autograd.grad(f(x, y).sum(), (x, y))
    assert [each.tolist() for each in found] == [[2.0], [1.0, 1.0]]
    assert found[1].dtype is torch.float32
    t = torch.ones(1), torch.ones(2)
    assert jvp(f, (x.detach(), y.detach()), t)[1].tolist() == [2.0, 2.0]


def test_complex_numbers():
    f = custom(lambda z: z * z, vjp=lambda g, _, z: g * (2 * z).conj())
    z = torch.tensor([1 + 2j, 0.5j], dtype=torch.complex128, requires_grad=True)
    assert gradcheck(f, (z,), check_forward_ad=True)


def test_numpy_inside_one_example_at_a_time():
    sizes = []

    def forward(x, y):
        sizes.append(tuple(x.shape))
        return torch.from_numpy(np.exp(x.numpy())) + y

    f = custom(forward, vjp=lambda g, out, x, y: (g * torch.exp(x), g), batch="loop")
    x, y = torch.zeros(2, 3), torch.ones(3)
    assert vmap(f, (0, None))(x, y).tolist() == [[2.0] * 3] * 2
    assert sizes == [(3,), (3,)]
    assert vmap(grad(lambda x: f(x, y).sum()))(x).tolist() == [[1.0] * 3] * 2
    assert grad(lambda y: vmap(f, (0, None))(x, y).sum())(y).tolist() == [2.0] * 3
    assert jacfwd(lambda x: f(x, y))(x[0]).tolist() == torch.eye(3).tolist()
    with pytest.raises(RuntimeError, match="there is none to tell the shape"):
        vmap(f, (0, None))(torch.zeros(0, 3), y)


def test_a_rule_may_use_another_custom_function():
    exponential = custom(torch.exp, vjp=lambda g, out, _: g * out)
    sigmoid = custom(
        lambda x: 1 / (1 + torch.exp(-x)), vjp=lambda g, out, x: g * out * out * exponential(-x)
    )
    x = torch.tensor([0.3, -2.0], dtype=torch.float64, requires_grad=True)
    assert gradcheck(sigmoid, (x,), check_forward_ad=True)
    assert gradgradcheck(sigmoid, (x,))


BAD = {
    "number": (lambda g, out, x, y: g, "returned 1 gradients for 2 inputs"),
    "structure": (lambda g, out, x, y: ([g, g], g), r"gradient for input 0 that is nested"),
    "float": (lambda g, out, x, y: (3.0, g), "is to return Tensors or None, but .* float"),
    "shape": (lambda g, out, x, y: (g[:1], g), r"a Tensor of shape \[1\] for one of shape \[2\]"),
    "complex": (lambda g, out, x, y: (g * 1j, g), "a complex Tensor for a real one"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_gradients_name_the_rule(case: str):
    rule, message = BAD[case]
    y = custom(lambda x, y: x * y, vjp=rule)(leaf(1.0, 2.0), leaf(3.0, 4.0))
    with pytest.raises(RuntimeError, match=message) as caught:
        y.sum().backward()
    assert f"{HERE}:{rule.__code__.co_firstlineno}" in str(caught.value)


def test_bad_tangents_name_the_rule():
    rules = (lambda t, out, x: (t[0], t[0]), lambda t, out, x: t[0][:1], lambda t, out, x: 3.0)
    for rule, message in zip(rules, ("nested otherwise", r"shape \[1\]", "float"), strict=True):
        f = custom(lambda x: x * 2, jvp=rule)
        with pytest.raises(RuntimeError, match=f"the jvp of <lambda> .*{message}") as caught:
            jvp(f, (torch.ones(2),), (torch.ones(2),))
        assert f"{HERE}:{inspect.getsourcelines(rule)[1]}" in str(caught.value)


def test_what_custom_refuses():
    with pytest.raises(TypeError, match="give a rule"):
        custom(torch.exp)
    with pytest.raises(TypeError, match="vjp is a function, not a int"):
        custom(torch.exp, vjp=3)
    with pytest.raises(ValueError, match="'through' or 'loop', not 'fast'"):
        custom(torch.exp, vjp=lambda g, out, x: g, batch="fast")


def test_names_that_are_none():
    f = custom(lambda x: x * 2, vjp=lambda g, _, x: g * 2)
    assert f(leaf(1.0)).grad_fn.name() == "CustomBackward"


def test_a_graph_is_freed_by_counting_references():
    gc.disable()
    try:
        y = softplus(leaf(1.0))
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_nothing_moves():
    f = custom(lambda x, n: x * 0 + n, vjp=lambda g, _, x, n: (None, None))
    assert jvp(lambda x: f(x, 2), (torch.ones(2),), (torch.ones(2),))[1].tolist() == [0.0, 0.0]
    x = leaf(1.0)
    assert torch.autograd.grad(f(x, 2), x, allow_unused=True) == (None,)


def test_rules_that_are_methods_or_have_no_code():
    class Rules:
        def pull(self, g, _, x):
            return g * x

    x = leaf(3.0)
    y = custom(lambda x: x * x / 2, vjp=Rules().pull)(x)
    assert [each is None for each in y.grad_fn.saved_tensors] == [False, True]
    assert torch.autograd.grad(y, x)[0].tolist() == [3.0]
    rule = functools.partial(lambda n, g, out, x: g * n, 5)
    y = custom(lambda x: x * 5, vjp=rule)(x)
    assert torch.autograd.grad(y, x)[0].tolist() == [5.0]
    wrong = functools.partial(lambda g, out, x: (g, g))
    with pytest.raises(RuntimeError, match="None for those without") as caught:
        custom(lambda x: x * 5, vjp=wrong)(x).backward()
    assert str(caught.value).endswith("without")
