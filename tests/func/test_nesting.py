"""``grad``, ``vjp``, ``jvp`` and ``vmap``: values, nesting in any order, structures, errors."""

import itertools
import threading

import numpy as np
import pytest

import adjoint as torch
from adjoint.func import grad, grad_and_value, jvp, vjp, vmap

X = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)


def close(found, expected):
    np.testing.assert_allclose(np.asarray(found.detach()), np.asarray(expected), rtol=1e-12)


def cube(x):
    return x * x * x


def test_grad_and_value():
    gradient, value = grad_and_value(lambda x: cube(x).sum())(X)
    close(gradient, 3 * X.numpy() ** 2)
    close(value, (X.numpy() ** 3).sum())


def test_argnums_and_aux():
    def function(a, b):
        return (a * b * b).sum(), {"a": a * 2}

    (first, second), aux = grad(function, argnums=(0, 1), has_aux=True)(X, X * 2)
    close(first, 4 * X.numpy() ** 2)
    close(second, 4 * X.numpy() ** 2)
    close(aux["a"], 2 * X.numpy())


def test_trees_of_arguments():
    gradient = grad(lambda p: (p["w"] * p["b"][0]).sum())({"w": X, "b": [X * 3]})
    close(gradient["w"], 3 * X.numpy())
    close(gradient["b"][0], X.numpy())


def derivative_by_grad(function):
    return grad(function)


def derivative_by_vjp(function):
    return lambda x: vjp(function, x)[1](torch.ones_like(x))[0]


def derivative_by_jvp(function):
    return lambda x: jvp(function, (x,), (torch.ones_like(x),))[1]


def derivative_by_backward(function):
    def derivative(x):
        y = (x * 1).detach().requires_grad_()
        return torch.autograd.grad(function(y), y, create_graph=True)[0]

    return derivative


ORDERS = list(
    itertools.product([derivative_by_grad, derivative_by_vjp, derivative_by_jvp], repeat=3)
)


@pytest.mark.parametrize(("first", "second", "third"), ORDERS)
def test_three_derivatives_in_any_order_alone_and_batched(first, second, third):
    def quartic(x):
        return x * x * x * x / (1 + x * x)

    derivative = third(second(first(quartic)))
    x = X.numpy()
    # d³/dx³ of x² - 1 + 1/(1+x²)
    expected = 24 * x * (1 - x * x) / (1 + x * x) ** 4
    for place in range(3):
        np.testing.assert_allclose(derivative(X[place]).item(), expected[place], rtol=1e-10)
    close(vmap(derivative)(X), expected)
    inside = third(second(lambda y: vmap(first(quartic))(y.expand(2)).sum() / 2))
    np.testing.assert_allclose(inside(X[0]).item(), expected[0], rtol=1e-10)


def test_perturbations_are_not_confused():
    inner = grad(lambda x: x * grad(lambda y: x + y)(torch.tensor(1.0)))
    assert inner(torch.tensor(2.0)).item() == 1.0
    forward = jvp(
        lambda x: x * jvp(lambda y: x + y, (torch.tensor(1.0),), (torch.tensor(1.0),))[1],
        (torch.tensor(2.0),),
        (torch.tensor(1.0),),
    )
    assert forward[1].item() == 1.0


def test_the_tape_outside_sees_through_the_transforms():
    w = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    grad(lambda x: (cube(x) * w).sum())(X).sum().backward()
    close(w.grad, 3 * X.numpy() ** 2)
    w.grad = None
    vmap(lambda x: (x * w).sum())(X).sum().backward()
    close(w.grad, np.full(3, X.numpy().sum()))
    w.grad = None
    jvp(lambda x: x * w, (X,), (X,))[1].sum().backward()
    close(w.grad, X.numpy())


def test_vjp_of_several_outputs():
    outs, pull = vjp(lambda x, y: {"p": x * y, "s": x + y}, X, X * 2)
    close(outs["p"], 2 * X.numpy() ** 2)
    first, second = pull({"p": torch.ones_like(X), "s": torch.ones_like(X)})
    close(first, 2 * X.numpy() + 1)
    close(second, X.numpy() + 1)


def test_vjp_of_an_unused_input_is_zero():
    _, pull = vjp(lambda x, y: x * 2, X, X)
    close(pull(X)[1], np.zeros(3))


def test_vmap_dims_in_and_out():
    a = torch.tensor(np.arange(6.0).reshape(2, 3))
    close(vmap(lambda x: x * 2, in_dims=1, out_dims=1)(a), 2 * a.numpy())
    close(vmap(lambda x: x * 2, in_dims=1)(a), 2 * a.numpy().T)
    close(vmap(lambda x, y: x * y, in_dims=(0, None))(a, X), a.numpy() * X.numpy())
    pair = vmap(lambda t: (t["a"].sum(), t["b"]), in_dims=({"a": 0, "b": None},))({"a": a, "b": X})
    close(pair[0], a.numpy().sum(1))
    close(pair[1], np.tile(X.numpy(), (2, 1)))


def test_vmap_nests():
    table = vmap(vmap(lambda a, b: a * b, (None, 0)), (0, None))(X, X)
    close(table, np.outer(X.numpy(), X.numpy()))


def test_per_sample_gradients():
    w = torch.tensor(np.random.default_rng(0).normal(size=(3,)))
    xs = torch.tensor(np.random.default_rng(1).normal(size=(5, 3)))
    per_sample = vmap(grad(lambda w, x: ((w * x).sum()) * ((w * x).sum())), in_dims=(None, 0))(
        w, xs
    )
    expected = 2 * (xs.numpy() @ w.numpy())[:, None] * xs.numpy()
    close(per_sample, expected)


def test_backward_inside_vmap_is_a_tape_of_its_own():
    def inner(x):
        y = (x * 1).detach().requires_grad_()
        (g,) = torch.autograd.grad((y * y * y).sum(), y)
        return g

    close(vmap(inner)(X), 3 * X.numpy() ** 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(cube)(X), RuntimeError, r"scalar tensor, got one of shape \[3\]"),
        (lambda: grad(lambda x: 1.0)(X), RuntimeError, "returned a float"),
        (lambda: grad(cube, argnums=2)(X), RuntimeError, "argnums=2"),
        (lambda: grad(lambda x: x.sum())(torch.ones(2).long()), RuntimeError, "floating point"),
        (lambda: jvp(cube, X, X), RuntimeError, "a tuple of arguments"),
        (lambda: jvp(cube, (X,), (X[:2],)), RuntimeError, r"\[2\].*\[3\]"),
        (lambda: jvp(cube, (X,), (X, X)), RuntimeError, "must be the same"),
        (lambda: vjp(cube, X)[1](X[:2]), RuntimeError, r"\[2\].*\[3\]"),
        (lambda: vmap(cube, in_dims=3)(X), ValueError, r"in_dim 3 .*\[3\]"),
        (lambda: vmap(cube, in_dims=None)(X), ValueError, "in_dims is an int"),
        (lambda: vmap(torch.mul)(X, X[:2]), ValueError, r"same size.*\[3, 2\]"),
        (lambda: vmap(lambda x: x.item())(X), RuntimeError, "inside a transform"),
    ],
)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_error_inside_leaves_no_level_behind():
    with pytest.raises(ZeroDivisionError):
        vmap(lambda x: grad(lambda y: 1 / 0)(x))(X)
    close(grad(lambda x: cube(x).sum())(X), 3 * X.numpy() ** 2)
    assert torch.is_grad_enabled()


def test_threads_do_not_meet():
    def function(x):
        return (x.sin() * x.flip(0)).sum()

    points = [X * number for number in range(1, 4)]
    expected = [torch.func.hessian(function)(x).numpy() for x in points]
    wrong = []

    def work(number):
        for _ in range(20):
            rows = vmap(torch.func.jacfwd(grad(function)))(points[number][None])[0]
            whole = torch.func.hessian(function)(points[number])
            wrong.extend(
                number
                for found in (rows, whole)
                if not np.allclose(found.numpy(), expected[number], rtol=1e-12)
            )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
