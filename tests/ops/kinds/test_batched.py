"""The short way of elementwise operations on batches: its results, and what it leaves alone."""

import numpy as np
import pytest

import adjoint as torch
from adjoint.array.batch import Batch
from adjoint.func import grad, vmap
from adjoint.ops.kinds.batched import on_batch, on_batches

A = np.arange(6.0, dtype="float32").reshape(2, 3)


def batch(array, level=1):
    return Batch(level, array)


def test_two_batches_and_constants():
    found = on_batches(np.multiply, batch(A), batch(A))
    assert found._level == 1
    np.testing.assert_array_equal(found.value, A * A)
    for constant in (A[0], np.array(2, "float32")):
        np.testing.assert_array_equal(
            on_batches(np.subtract, batch(A), constant).value, A - constant
        )
        np.testing.assert_array_equal(
            on_batches(np.subtract, constant, batch(A)).value, constant - A
        )
    np.testing.assert_array_equal(on_batch(np.exp, batch(A)).value, np.exp(A))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (batch(A), batch(A[0][:2])),  # other dimensions
        (batch(A), batch(A, 3)),  # another transform
        (batch(A), A),  # a constant with as many dimensions as the batch
        (A, batch(A)),
        (batch(A), batch(A.astype("float64"))),  # promotion
        (batch(A.astype("int64")), batch(A.astype("int64"))),
        (batch(A), 2.0),
        (batch(batch(A)), batch(A)),
        (batch(A), batch(np.ones((2, 4), "float32"))),  # shapes that do not fit
        (A, A),
    ],
)
def test_what_the_general_path_must_see(x, y):
    assert on_batches(np.multiply, x, y) is None


def test_numbers_of_types_that_are_not_floating():
    x = torch.arange(3)
    assert vmap(lambda x: x * 2.5)(x).tolist() == [0, 2.5, 5]
    assert vmap(lambda x: x * 2)(x).dtype is torch.int64
    assert vmap(lambda x: (x > 0) * 2)(x).tolist() == [0, 2, 2]


def test_recorded_operations_know_their_line():
    seen = []

    def function(x):
        y = x * 3 + x
        seen.append(y.grad_fn.where())
        return (y.exp() / x).sum()

    found = vmap(grad(function))(torch.tensor(A + 1))
    x = torch.tensor(A + 1)
    expected = (4 * x - 1) * (4 * x).exp() / (x * x)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5)
    assert "test_batched.py" in seen[0]


def test_modes_are_respected():
    def function(x):
        with torch.no_grad():
            y = x * x
        assert not y.requires_grad
        assert (x > 0).requires_grad is False
        return (x * y).sum()

    x = torch.tensor(A)
    np.testing.assert_allclose(vmap(grad(function))(x).numpy(), A * A)
