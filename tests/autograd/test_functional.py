"""``autograd.functional``: structures, flags, users' code on the way, errors."""

import numpy as np
import pytest

import adjoint as torch
from adjoint.autograd.functional import hessian, hvp, jacobian, jvp, vhp, vjp

X = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
Y = torch.tensor([1.0, 3.0, -2.0], dtype=torch.float64)


def close(found, expected):
    np.testing.assert_allclose(np.asarray(found.detach()), np.asarray(expected), rtol=1e-12)


def pair(x, y):
    return x * y, (x * x).sum()


def cube(x):
    return (x**3).sum()


FORWARD = {"vectorize": True, "strategy": "forward-mode"}


@pytest.mark.parametrize("flags", [{}, {"vectorize": True}, FORWARD])
def test_structures_of_jacobians(flags):
    (xx, xy), (sx, sy) = jacobian(pair, (X, Y), **flags)
    close(xx, np.diag(Y.numpy()))
    close(xy, np.diag(X.numpy()))
    close(sx, 2 * X.numpy())
    close(sy, np.zeros(3))
    close(jacobian(torch.sin, X, **flags), np.diag(np.cos(X.numpy())))
    (only,) = jacobian(lambda x: (x * x,), X, **flags)
    close(only, np.diag(2 * X.numpy()))
    assert isinstance(jacobian(lambda x, y: x * y, (X, Y), **flags), (tuple, list))
    assert jacobian(lambda x: x[:, None] * x, X, **flags).shape == (3, 3, 3)


@pytest.mark.parametrize("batched", [False, True])
def test_a_graph_of_the_jacobian(batched):
    x, w = X.clone().requires_grad_(), Y.clone().requires_grad_()
    found = jacobian(lambda x: x * x * w, x, create_graph=True, vectorize=batched)
    found.sum().backward()
    close(x.grad, 2 * Y.numpy())
    close(w.grad, 2 * X.numpy())
    plain = jacobian(lambda x: x * x * w, x)
    assert not plain.requires_grad


def test_nothing_is_left_in_the_inputs():
    x = X.clone().requires_grad_()
    jacobian(cube, x)
    hessian(cube, x)
    assert x.grad is None
    assert x.is_leaf
    with torch.no_grad():
        close(jacobian(cube, x), 3 * X.numpy() ** 2)
    assert torch.is_grad_enabled()


def test_hooks_see_one_row_at_a_time_unless_told_otherwise():
    shapes = []

    def function(x):
        y = x * x
        y.register_hook(lambda g: shapes.append((tuple(g.shape), float(g.abs().sum()) > 0)))
        return y.sin()

    expected = np.diag(2 * X.numpy() * np.cos(X.numpy() ** 2))
    close(jacobian(function, X), expected)
    assert shapes == [((3,), True)] * 3


def test_functions_see_one_row_at_a_time_unless_told_otherwise():
    seen = []

    class Square(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0])

        @staticmethod
        def backward(ctx, g):
            seen.append(tuple(g.shape))
            return 2 * g * ctx.saved_tensors[0]

    close(jacobian(Square.apply, X), np.diag(2 * X.numpy()))
    assert seen == [(3,)] * 3
    seen.clear()
    close(jacobian(Square.apply, X, vectorize=True), np.diag(2 * X.numpy()))
    assert len(seen) == 1


@pytest.mark.parametrize(
    "flags",
    [{}, {"vectorize": True}, {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}],
)
def test_hessians(flags):
    close(hessian(cube, X, **flags), np.diag(6 * X.numpy()))
    (xx, xy), (yx, yy) = hessian(lambda x, y: (x * x * y).sum(), (X, Y), **flags)
    close(xx, np.diag(2 * Y.numpy()))
    close(xy, np.diag(2 * X.numpy()))
    close(yx, np.diag(2 * X.numpy()))
    close(yy, np.zeros((3, 3)))
    close(hessian(lambda x: x.sum(), X, **flags), np.zeros((3, 3)))
    assert hessian(lambda x: cube(x).reshape(1, 1), X, **flags).shape == (3, 3)


def test_a_graph_of_the_hessian():
    x = X.clone().requires_grad_()
    found = hessian(cube, x, create_graph=True)
    found.sum().backward()
    close(x.grad, np.full(3, 6.0))


@pytest.mark.parametrize("graph", [False, True])
def test_products(graph):
    out, found = vjp(torch.sin, X, Y, create_graph=graph)
    close(out, np.sin(X.numpy()))
    close(found, Y.numpy() * np.cos(X.numpy()))
    assert found.requires_grad is graph
    _, found = jvp(pair, (X, Y), (Y, X), create_graph=graph)
    close(found[0], X.numpy() ** 2 + Y.numpy() ** 2)
    close(found[1], 2 * (X * Y).sum())
    for product in (vhp, hvp):
        out, found = product(cube, X, Y, create_graph=graph)
        close(out, cube(X))
        close(found, 6 * X.numpy() * Y.numpy())
        _, (first, second) = product(lambda x, y: cube(x), (X, Y), (Y, X), create_graph=graph)
        close(first, 6 * X.numpy() * Y.numpy())
        close(second, np.zeros(3))
    close(vjp(cube, X)[1], 3 * X.numpy() ** 2)
    close(jvp(lambda x: x * x, X[0])[1], 1.0)


@pytest.mark.parametrize("call", [jacobian, hessian, vjp, jvp, vhp, hvp])
def test_strict(call):
    given = (Y,) if call in (jvp, vhp, hvp) else ()
    call(cube, X, *given, strict=True)
    with pytest.raises(RuntimeError, match="strict=True: output 0"):
        call(lambda x: cube(x.detach()), X, *given, strict=True)
    pairs = ((X, Y),) if given else ()
    with pytest.raises(RuntimeError, match=r"strict=True.*input 1"):
        call(lambda x, y: cube(x), (X, Y), *pairs, strict=True)


def test_strict_about_derivatives():
    for call in (hessian, lambda f, x, **flags: hvp(f, x, Y, **flags)):
        with pytest.raises(RuntimeError, match="linear"):
            call(lambda x: x.sum(), X, strict=True)
    with pytest.raises(RuntimeError, match="must depend"):
        jacobian(lambda x: x * 2, X.clone().requires_grad_(), create_graph=True, strict=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: jacobian(cube, [X]), TypeError, "it is a list"),
        (lambda: jacobian(pair, (X, 1.0)), TypeError, "number 1 is a float"),
        (lambda: jacobian(lambda x: [x], X), TypeError, "outputs of the function"),
        (lambda: jacobian(cube, X.long()), RuntimeError, "floating point"),
        (lambda: jacobian(cube, X, strategy="x"), AssertionError, "'x'"),
        (lambda: jacobian(cube, X, strategy="forward-mode"), NotImplementedError, "vectorize"),
        (lambda: jacobian(cube, X, True, **FORWARD), NotImplementedError, "jacfwd"),
        (lambda: jacobian(cube, X, strict=True, **FORWARD), RuntimeError, "reverse-mode"),
        (lambda: jacobian(cube, X, strict=True, vectorize=True), RuntimeError, "vectorize=False"),
        (lambda: hessian(torch.sin, X), RuntimeError, r"shape \[3\]"),
        (lambda: hessian(lambda x: (cube(x),), X), RuntimeError, "not a tuple"),
        (lambda: hessian(cube, X, outer_jacobian_strategy="x"), AssertionError, "'x'"),
        (lambda: vjp(torch.sin, X), RuntimeError, "one element"),
        (lambda: vjp(torch.sin, X, (X, X)), RuntimeError, "holds 2"),
        (lambda: vjp(lambda x: (x, x), X, (X, X[:2])), RuntimeError, r"entry 1 of v .*\[2\]"),
        (lambda: vjp(torch.sin, X, [X]), TypeError, "it is a list"),
        (lambda: jvp(torch.sin, X), RuntimeError, "one element"),
        (lambda: vhp(torch.sin, X, X), RuntimeError, r"shape \[3\]"),
        (lambda: hvp(lambda x: (cube(x),), X, X), RuntimeError, "not a tuple"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
