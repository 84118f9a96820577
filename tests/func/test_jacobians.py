"""``jacrev``, ``jacfwd`` and ``hessian``: trees, chunks, nesting with the tape, memory."""

import tracemalloc

import numpy as np
import pytest

import adjoint as torch
from adjoint.func import grad, hessian, jacfwd, jacrev, rows, vmap

X = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
Y = torch.tensor([1.0, 3.0, -2.0], dtype=torch.float64)
M = torch.tensor(np.arange(6.0).reshape(2, 3) / 5)
BOTH = [jacrev, jacfwd]


def close(found, expected):
    np.testing.assert_allclose(np.asarray(found.detach()), np.asarray(expected), rtol=1e-12)


def wave(x):
    return (x.sin() * x * x).sum()


@pytest.mark.parametrize("make", BOTH)
def test_shapes_and_trees(make):
    found = make(lambda d, y: {"o": d["x"] * y, "p": (y.sum(),)}, argnums=(0, 1))({"x": X}, Y)
    close(found["o"][0]["x"], np.diag(Y.numpy()))
    close(found["o"][1], np.diag(X.numpy()))
    close(found["p"][0][0]["x"], np.zeros(3))
    close(found["p"][0][1], np.ones(3))
    assert make(lambda x: x.T * x.sum())(M).shape == (3, 2, 2, 3)
    assert make(lambda x: x[:0])(X).shape == (0, 3)
    assert make(lambda x: x * 2)(X[:0]).shape == (0, 0)
    assert make(lambda x: x.reshape(1, 1))(X[0]).shape == (1, 1)
    close(make(lambda x: torch.ones(2, dtype=torch.float64))(X), np.zeros((2, 3)))
    found, aux = make(lambda x: (x * x, [x * 3]), has_aux=True)(X)
    close(found, np.diag(2 * X.numpy()))
    close(aux[0], 3 * X.numpy())


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize("size", [1, 2, 4, 5, 6, 100])
def test_chunks(make, size):
    def function(x, y):
        return torch.tanh(x @ y), x.sum(0) * y[:, 0]

    whole = jacrev(function, (0, 1))(M, M.T)
    found = make(function, (0, 1), chunk_size=size)(M, M.T)
    for one, other in zip(found, whole, strict=True):
        for a, b in zip(one, other, strict=True):
            close(a, b)


@pytest.mark.parametrize("make", [jacrev, jacfwd, hessian])
@pytest.mark.parametrize("size", [None, 1, 2])
def test_the_tape_outside_sees_through(make, size):
    x, w = X.clone().requires_grad_(), Y.clone().requires_grad_()
    found = make(lambda x: (x**4 * w).sum(), chunk_size=size)(x)
    order = 2 if make is hessian else 1
    assert found.shape == (3,) * order
    found.sum().backward()
    factor = 12 if order == 2 else 4
    close(w.grad, factor * X.numpy() ** (4 - order))
    close(x.grad, factor * (4 - order) * X.numpy() ** (3 - order) * Y.numpy())


def test_hessians():
    found = hessian(wave)(X)
    x = X.numpy()
    close(found, np.diag(-np.sin(x) * x * x + 4 * x * np.cos(x) + 2 * np.sin(x)))
    (aa, ab), (ba, _) = hessian(lambda a, b: (a * a * b).sum(), (0, 1))(X, Y)
    close(aa, np.diag(2 * Y.numpy()))
    close(ab, np.diag(2 * x))
    close(ba, np.diag(2 * x))
    found = hessian(lambda d: (d["a"] * d["b"].sum()).sum())({"a": X, "b": Y})
    close(found["a"]["b"], np.ones((3, 3)))
    assert hessian(lambda x: wave(x).reshape(1))(X).shape == (1, 3, 3)
    assert hessian(lambda x: {"v": x * x, "s": wave(x)})(X)["v"].shape == (3, 3, 3)
    close(hessian(lambda x: x.sum())(X), np.zeros((3, 3)))
    close(hessian(lambda x: torch.ones((), dtype=torch.float64))(X), np.zeros((3, 3)))


def test_all_arguments_of_jacfwd():
    first, second = jacfwd(lambda x, y: x * y, argnums=None)(X, Y)
    close(first, np.diag(Y.numpy()))
    close(second, np.diag(X.numpy()))


def test_types_are_of_the_input_in_reverse_and_of_the_output_in_forward():
    x = X.float()
    assert jacrev(lambda x: x.double() * 2)(x).dtype is torch.float32
    assert jacfwd(lambda x: x.double() * 2)(x).dtype is torch.float64


def test_random_numbers_in_forward_mode():
    torch.manual_seed(0)
    found = jacfwd(lambda x: x * torch.rand(3), randomness="same")(X)
    assert np.count_nonzero(found.numpy()) == 3
    with pytest.raises(RuntimeError, match="randomness="):
        jacfwd(lambda x: x * torch.rand(3))(X)


def test_nested_with_vmap():
    xs = torch.stack([X, Y])
    for make in (jacrev, jacfwd, hessian):
        found = vmap(make(wave))(xs)
        for row, x in zip(found, xs, strict=True):
            close(row, make(wave)(x))
    close(grad(lambda x: jacrev(torch.sin)(x).sum())(X), -np.sin(X.numpy()))


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize(
    "derivative",
    [
        hessian(rosenbrock),
        lambda x: torch.autograd.functional.hessian(rosenbrock, x),
        jacrev(lambda x: torch.tanh(x) * x.sum()),
        jacfwd(lambda x: torch.tanh(x) * x.sum()),
        jacfwd(jacrev(rosenbrock)),
    ],
)
def test_memory_is_less_than_twice_the_result(derivative):
    x = torch.linspace(-1, 1, 2500)
    derivative(x[:5])
    tracemalloc.start()
    try:
        found = derivative(x)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * found.numel() * found.element_size()


def test_chunks_by_memory_give_the_same(monkeypatch):
    expected = hessian(rosenbrock)(X), jacfwd(lambda x: x * x.sum())(X)
    monkeypatch.setattr(rows, "FLOOR", 200)
    monkeypatch.setattr("adjoint.func.jacobians.FLOOR", 1)
    close(hessian(rosenbrock)(X), expected[0])
    close(jacfwd(lambda x: x * x.sum())(X), expected[1])


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda make: make(torch.sin)(X + 1j), RuntimeError, "complex128"),
        (lambda make: make(lambda x: x * 1j)(X), RuntimeError, "output 0"),
        (lambda make: make(torch.sin, chunk_size=0), ValueError, "not 0"),
        (lambda make: make(torch.sin, argnums=[0])(X), RuntimeError, "a list"),
        (lambda make: make(lambda x: 1.0)(X), RuntimeError, "a float"),
        (lambda make: make(torch.sin, has_aux=True)(X), RuntimeError, "output, aux"),
    ],
)
def test_errors(make, call, error, message):
    with pytest.raises(error, match=message):
        call(make)


def test_errors_of_hessian():
    with pytest.raises(ValueError, match="int64"):
        hessian(wave)(X.long())
    with pytest.raises(RuntimeError, match="complex"):
        hessian(wave)(X + 1j)
    with pytest.raises(ValueError, match="chunk_size"):
        hessian(wave, chunk_size=-1)
