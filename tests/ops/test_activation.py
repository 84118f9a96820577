"""Activations that store their result in the input, and their random slopes."""

import numpy as np
import pytest

import adjoint as torch

F = torch.nn.functional
VALUES = [-2.0, -0.5, 0.0, 0.5, 7.0]
IN_PLACE = {
    "relu": {}, "relu6": {}, "leaky_relu": {"negative_slope": 0.3}, "elu": {"alpha": 2.0},
    "selu": {}, "celu": {"alpha": 2.0}, "silu": {}, "mish": {}, "hardtanh": {"max_val": 2.0},
    "hardsigmoid": {}, "hardswish": {}, "threshold": {"threshold": 0.1, "value": 3.0},
    "rrelu": {"lower": 0.1, "upper": 0.2},
}  # fmt: skip


@pytest.mark.parametrize(("name", "options"), IN_PLACE.items())
def test_in_place(name, options):
    function = getattr(F, name)
    x, leaf = torch.tensor(VALUES), torch.tensor(VALUES, requires_grad=True)
    expected = function(x, **options)
    assert x.tolist() == VALUES
    assert function(x, inplace=True, **options) is x
    assert x.tolist() == expected.tolist()
    copy = leaf * 1
    out = function(copy, inplace=True, **options)
    assert out is copy
    out.sum().backward()
    (wanted,) = torch.autograd.grad(function(leaf, **options).sum(), leaf)
    assert leaf.grad.tolist() == wanted.tolist()


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_leaf_is_not_overwritten(name):
    x = torch.tensor(VALUES, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        getattr(F, name)(x, inplace=True, **IN_PLACE[name])
    assert x.tolist() == VALUES


def test_random_slopes_lie_between_their_bounds():
    torch.manual_seed(0)
    x = -torch.ones(1000, requires_grad=True)
    out = F.rrelu(x, 0.2, 0.4, training=True)
    slopes = (out / x).detach().numpy()
    assert 0.2 <= slopes.min() < 0.21
    assert 0.39 < slopes.max() <= 0.4
    (g,) = torch.autograd.grad(out.sum(), x)
    np.testing.assert_allclose(g.numpy(), slopes, rtol=1e-6)


def test_random_slopes_differ_between_examples_as_vmap_is_told():
    x = -torch.ones(2, 50)

    def function(row):
        return F.rrelu(row, training=True)

    with pytest.raises(RuntimeError, match="randomness"):
        torch.func.vmap(function)(x)
    different = torch.func.vmap(function, randomness="different")(x)
    assert different[0].tolist() != different[1].tolist()
