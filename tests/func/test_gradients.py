"""``grad``, ``grad_and_value`` and ``vjp``: arguments, modes, memory, errors."""

import gc
import weakref

import numpy as np
import pytest

import adjoint as torch
from adjoint.func import grad, grad_and_value, vjp

X = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)


def close(found, expected):
    np.testing.assert_allclose(np.asarray(found.detach()), np.asarray(expected), rtol=1e-12)


def square(x):
    return (x * x).sum()


def test_arguments_by_number():
    def function(a, b, c):
        return (a * b * b * c).sum()

    for argnums, expected in ((-1, 2.0), (1, 4.0)):
        close(
            grad(function, argnums)(X, 2 * X / X, X / X),
            expected * X.numpy() / [1, 1, 1] * (2 if argnums == -1 else 1),
        )
    first, last = grad(function, (-3, 2))(X, X, X)
    close(first, X.numpy() ** 3)
    close(last, X.numpy() ** 3)


def test_other_arguments_are_of_any_kind():
    gradient = grad(lambda x, *, k, name: square(x) * k["a"][0] if name == "n" else None)
    close(gradient(X, k={"a": [3]}, name="n"), 6 * X.numpy())


def test_gradients_share_no_memory():
    first, second = grad(lambda a, b: (a + b).sum(), (0, 1))(X, X)
    first.mul_(7)
    close(second, np.ones(3))
    out, pull = vjp(lambda a, b: (a, b), X, X)
    g = torch.ones_like(X)
    found = pull((g, g))
    found[0].mul_(7)
    close(found[1], np.ones(3))
    close(g, np.ones(3))
    assert out[0] is not X


def test_the_mode_outside_does_not_matter_inside_but_for_the_result():
    x = X.clone().requires_grad_()
    with torch.no_grad():
        inside = grad(square)(x)
    close(inside, 2 * X.numpy())
    assert not inside.requires_grad
    assert grad(square)(x).requires_grad
    with torch.inference_mode():
        found, _ = grad_and_value(square)(X)
        assert not found.is_inference()
        close(found, 2 * X.numpy())
    assert torch.is_grad_enabled()


def test_no_grad_inside_is_respected():
    def function(x):
        with torch.no_grad():
            kept = x * x
        return (x * kept).sum()

    close(grad(function)(X), X.numpy() ** 2)


def test_a_pull_may_be_used_again_and_differentiated():
    w = X.clone().requires_grad_()
    _, pull = vjp(lambda x: x * x * w, X)
    g = torch.ones_like(X).requires_grad_()
    (found,) = pull(g)
    found.sum().backward()
    close(w.grad, 2 * X.numpy())
    close(g.grad, 2 * X.numpy() ** 2)
    assert not pull(g, create_graph=False)[0].requires_grad
    with torch.no_grad():
        assert not pull(g)[0].requires_grad
        assert pull(g, create_graph=True)[0].requires_grad
    pull(g, retain_graph=False)
    with pytest.raises(RuntimeError, match="second time"):
        pull(g)


def test_hooks_inside_are_called():
    seen = []

    def function(x):
        x.register_hook(lambda g: seen.append(("x", tuple(g.shape))))
        y = x * x
        y.register_hook(lambda g: g * 2)
        return y.sum()

    close(grad(function)(X), 4 * X.numpy())
    assert seen == [("x", (3,))]


def test_an_unused_argument_and_a_constant():
    found = grad(lambda a, b: square(a), (0, 1))(X, X)
    close(found[1], np.zeros(3))
    close(grad(lambda x: torch.tensor(2.0))(X), np.zeros(3))


def test_aux_of_any_structure():
    found, aux = grad(lambda x: (square(x), {"a": [x * 2], "b": X}), has_aux=True)(X)
    close(found, 2 * X.numpy())
    close(aux["a"][0], 2 * X.numpy())
    assert not aux["a"][0].requires_grad
    found, (value, (twice,)) = grad_and_value(lambda x: (square(x), (x * 2,)), has_aux=True)(X)
    close(value, (X.numpy() ** 2).sum())
    close(twice, 2 * X.numpy())


def test_the_wrapped_function_keeps_its_name():
    assert grad(square).__name__ == "square"
    assert grad_and_value(square).__wrapped__ is square


def test_writing_into_another_argument_reaches_the_caller():
    y = X.clone()
    found = grad(lambda a, b: (a * b.add_(1)).sum())(X, y)
    close(found, X.numpy() + 1)
    close(y, X.numpy() + 1)
    assert y._version == 1
    y = X.clone()
    grad(lambda a, b: (a * b.mul_(a)).sum())(X, y)
    close(y, X.numpy() ** 2)
    assert not y.requires_grad


def test_writing_into_what_is_differentiated_is_refused():
    with pytest.raises(RuntimeError, match="leaf"):
        grad(lambda x: x.add_(1).sum())(X.clone())


def test_complex_gradients_are_of_the_conjugate():
    z = torch.tensor([1.0 + 2.0j, -0.5j])
    np.testing.assert_allclose(grad(lambda z: (z * z.conj()).real.sum())(z).numpy(), 2 * z.numpy())


def test_nothing_is_kept_alive():
    gc.collect()
    gc.disable()
    try:
        x = X.clone()
        kept = weakref.ref(x)
        out = grad(lambda y: square(y * y))(x)
        _, pull = vjp(lambda y: y * y, x)
        pull(out)
        del x, pull
        assert kept() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(square)(1.0), ValueError, "here is a float"),
        (lambda: grad(lambda t: square(t[0]))((X, None)), ValueError, "a NoneType"),
        (lambda: grad(square, argnums=())(X), RuntimeError, "empty"),
        (lambda: grad(square, argnums=(0, -1))(X), RuntimeError, "twice"),
        (lambda: grad(square, argnums=[0])(X), RuntimeError, "a list"),
        (lambda: grad(square, argnums=(0.5,))(X), RuntimeError, "a float"),
        (lambda: grad(lambda x: (square(x),))(X), RuntimeError, "not tuple"),
        (lambda: grad(lambda x: None)(X), RuntimeError, "forget to return"),
        (lambda: grad(lambda x: [square(x), x], has_aux=True)(X), RuntimeError, "a tuple"),
        (lambda: grad(lambda x: (square(x), 1), has_aux=True)(X), RuntimeError, "not a int"),
        (lambda: grad(lambda x: (x * 1j).sum())(X), RuntimeError, "real scalar"),
        (lambda: vjp(lambda x: torch.ones(2).long(), X), RuntimeError, "torch.int64"),
        (lambda: vjp(lambda x: (), X), RuntimeError, "no Tensor"),
        (lambda: vjp(square, X)[1]((X,)), RuntimeError, r"\(\*,\).*\*"),
        (lambda: vjp(lambda x: x, X)[1](1.0), TypeError, "a float"),
        (lambda: vjp(lambda x: x, X)[1](X[:2]), RuntimeError, r"\[2\], its output \[3\]"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
