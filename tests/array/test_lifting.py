"""Writes of a transform's values into tensors from outside are refused, and undone."""

import pytest

import adjoint as torch
from adjoint.array import lifting
from adjoint.errors import TransformError
from adjoint.func import grad, hessian, jacfwd, jacrev, jvp, vmap

X = torch.tensor([1.0, 2.0, 3.0])
KEPT = torch.zeros(3)
TRANSFORMS = {
    "vmap": lambda f: vmap(f)(torch.stack([X, X])),
    "grad": lambda f: grad(lambda x: f(x).sum())(X),
    "jvp": lambda f: jvp(f, (X,), (X,)),
    "jacrev": lambda f: jacrev(f)(X),
    "jacfwd": lambda f: jacfwd(f)(X),
    "hessian": lambda f: hessian(lambda x: f(x).sum())(X),
    "vmap of grad": lambda f: vmap(grad(lambda x: f(x).sum()))(torch.stack([X, X])),
    "grad of vmap": lambda f: grad(lambda x: vmap(f)(x).sum())(torch.stack([X, X])),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_write_outside_is_refused_and_undone(name):
    def function(x):
        KEPT.add_(x * x)
        return x * x

    with pytest.raises(TransformError, match=r"from outside, at .*test_lifting.py:\d+"):
        TRANSFORMS[name](function)
    assert KEPT.tolist() == [0, 0, 0]
    assert KEPT._level == 0
    assert not KEPT.requires_grad
    assert not lifting._here.lifted


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_write_inside_is_not(name):
    def function(x):
        z = torch.zeros(3)
        view = z[1:]
        z.add_(x * x)
        view.mul_(2)
        return z * x

    TRANSFORMS[name](function)
    assert not lifting._here.lifted


@pytest.mark.parametrize("name", TRANSFORMS)
def test_an_error_inside_leaves_nothing_behind(name):
    def function(x):
        KEPT.add_(x)
        raise KeyError("inside")

    with pytest.raises(KeyError):
        TRANSFORMS[name](function)
    assert KEPT.tolist() == [0, 0, 0]
    assert not lifting._here.lifted


def test_plain_numbers_may_be_written_outside():
    kept = torch.zeros(3)

    def function(x):
        kept.add_(1)
        return (x * x).sum()

    grad(function)(X)
    assert kept.tolist() == [1, 1, 1]
