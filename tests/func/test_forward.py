"""``jvp`` and ``linearize``: structures, constants, what may be read inside, errors."""

import numpy as np
import pytest

import adjoint as torch
from adjoint.func import grad, jvp, linearize, vmap

X = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
Y = torch.tensor([1.0, 3.0, -2.0], dtype=torch.float64)


def close(found, expected):
    np.testing.assert_allclose(np.asarray(found.detach()), np.asarray(expected), rtol=1e-12)


def test_trees():
    out, move = jvp(
        lambda t: {"p": t["a"] * t["b"][0]}, ({"a": X, "b": [Y]},), ({"a": Y, "b": [X]},)
    )
    close(out["p"], X.numpy() * Y.numpy())
    close(move["p"], X.numpy() ** 2 + Y.numpy() ** 2)


def test_constants_do_not_move_and_strict_refuses_them():
    out, move = jvp(lambda x: (Y, torch.ones(2).long()), (X,), (Y,))
    close(move[0], np.zeros(3))
    assert move[1].dtype is torch.int64
    with pytest.raises(RuntimeError, match=r"strict=True.*\[3\]"):
        jvp(lambda x: Y, (X,), (Y,), strict=True)
    close(jvp(lambda x: x * 2, (X,), (Y,), strict=True)[1], 2 * Y.numpy())
    close(out[0], Y.numpy())


def test_numbers_may_be_read_inside():
    def function(x):
        if x.sum() > 0 and x[0].item() == 0.5 and x.tolist()[2] == 2.0:
            return x * float(x[1])
        return x

    out, move = jvp(function, (X,), (Y,))
    close(out, -X.numpy())
    close(move, -Y.numpy())
    close(vmap(lambda t: jvp(lambda x: x * float(X[1]), (X,), (t,))[1])(torch.stack([X, Y]))[1], -Y)


def test_writes_reach_the_argument_of_the_caller():
    x = X.clone()
    out, move = jvp(lambda x: x.mul_(3) * 2, (x,), (Y,))
    close(out, 6 * X.numpy())
    close(move, 6 * Y.numpy())
    close(x, 3 * X.numpy())


def test_aux():
    _, move, aux = jvp(lambda x: (x * x, [x * 2]), (X,), (Y,), has_aux=True)
    close(aux[0], 2 * X.numpy())
    close(move, 2 * X.numpy() * Y.numpy())


def test_the_tape_sees_primals_and_tangents():
    x, t = X.clone().requires_grad_(), Y.clone().requires_grad_()
    _, move = jvp(lambda x: x * x * x, (x,), (t,))
    move.sum().backward()
    close(x.grad, 6 * X.numpy() * Y.numpy())
    close(t.grad, 3 * X.numpy() ** 2)


# -- linearize ----------------------------------------------------------------------------------


def test_linearize_runs_the_function_once():
    calls = []

    def function(x):
        calls.append(x.shape)
        return torch.softmax(x * x.sum(), 0).cumsum(0), {"s": x.exp().sum()}

    out, push = linearize(function, X)
    for t in (X, Y):
        found = push(t)
        expected = jvp(function, (X,), (t,))
        close(out[0], expected[0][0])
        close(found[0], expected[1][0])
        close(found[1]["s"], expected[1][1]["s"])
    assert len(calls) == 3


def test_linearize_is_differentiable_and_nests():
    x = X.clone().requires_grad_()
    out, push = linearize(lambda x: x * x * x, x)
    push(Y).sum().backward()
    close(x.grad, 6 * X.numpy() * Y.numpy())
    close(grad(lambda t: push(t).sum())(Y), 3 * X.numpy() ** 2)
    close(vmap(push)(torch.stack([X, Y]))[1], 3 * X.numpy() ** 2 * Y.numpy())
    found = vmap(lambda x: linearize(lambda y: y * y, x)[1](x))(torch.stack([X, Y]))
    close(found[1], 2 * Y.numpy() ** 2)
    close(grad(lambda x: linearize(lambda y: y * y * y, x)[1](Y).sum())(X), 6 * X * Y)
    assert out.requires_grad


def test_linearize_of_constants():
    out, push = linearize(lambda x: (Y, x, 3, Y * 2), X)
    assert out[2] == 3
    found = push(Y)
    close(found[0], np.zeros(3))
    close(found[1], Y.numpy())
    assert found[2] == 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: jvp(torch.sin, [X], [X]), RuntimeError, "tuple"),
        (lambda: jvp(torch.sin, (X,), [X]), RuntimeError, "the same"),
        (lambda: jvp(lambda: X, (), ()), RuntimeError, "no Tensor"),
        (lambda: jvp(torch.sin, (1.0,), (X,)), RuntimeError, "a float"),
        (lambda: jvp(torch.sin, (X,), (1.0,)), RuntimeError, "tangents hold"),
        (lambda: jvp(torch.sin, (X.long(),), (X,)), ValueError, "primals must be floating"),
        (lambda: jvp(torch.sin, (X,), (X.long(),)), ValueError, "tangents must be floating"),
        (lambda: jvp(lambda x: None, (X,), (X,)), RuntimeError, "forget"),
        (lambda: jvp(lambda x: x, (X,), (X,), has_aux=True), RuntimeError, "output, aux"),
        (lambda: linearize(torch.sin, X)[1](X, X), RuntimeError, "structure"),
        (lambda: linearize(torch.sin, X)[1](X[:2]), RuntimeError, r"\[2\], its primal \[3\]"),
        (lambda: linearize(torch.sin, X)[1](X.float()), RuntimeError, "torch.float32"),
        (lambda: linearize(torch.sin, X)[1](1.0), RuntimeError, "a float"),
        (lambda: linearize(torch.sin, 1.0), RuntimeError, "a float"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
