"""``vmap``: dims in and out, trees, chunks, random numbers, writes, errors."""

from collections import OrderedDict, defaultdict, deque
from typing import Any, NamedTuple

import numpy as np
import pytest

import adjoint as torch
from adjoint.func import vmap

X = torch.tensor([0.5, -1.0, 2.0])
A = torch.tensor(np.arange(6.0, dtype="float32").reshape(2, 3))
C = torch.tensor(np.arange(24.0, dtype="float32").reshape(2, 3, 4))


class Pair(NamedTuple):
    first: Any
    second: Any


def close(found, expected):
    np.testing.assert_allclose(np.asarray(found.detach()), np.asarray(expected), rtol=1e-6)


@pytest.mark.parametrize("dim", range(-3, 3))
@pytest.mark.parametrize("place", range(-3, 3))
def test_dims_in_and_out(dim, place):
    found = vmap(lambda x: x * 2, in_dims=dim, out_dims=place)(C)
    close(found, np.moveaxis(2 * C.numpy(), dim, place))


def test_trees_of_dims():
    found = vmap(lambda t, k: (t["a"] * t["b"][0], k), ({"b": [None], "a": 1}, None), (0, None))(
        {"a": A, "b": [A[:, 0]]}, "kept"
    )
    close(found[0], A.numpy().T * A.numpy()[:, 0])
    assert found[1] == "kept"
    found = vmap(lambda p: Pair(p.first * 2, p.second), (Pair(0, None),), Pair(1, 0))(Pair(A, X))
    close(found.first, 2 * A.numpy().T)
    close(found.second, np.tile(X.numpy(), (2, 1)))
    for tree in (OrderedDict(x=A), defaultdict(list, x=A), deque([A]), [A], (A,)):
        found = vmap(lambda t: t)(tree)
        assert type(found) is type(tree)


def test_a_tuple_of_one_dim_is_for_one_result():
    close(vmap(lambda x: x, out_dims=(1,))(A), A.numpy().T)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 24])
def test_chunks(size):
    x = torch.arange(24.0).reshape(3, 8).requires_grad_()
    mapped = vmap(lambda x: (x * x, x.sum(), X), -1, (1, 0, None), chunk_size=size)
    first, second, shared = mapped(x)
    close(first, (x * x).detach())
    close(second, x.detach().sum(0))
    close(shared, X)
    (first.sum() + second.sum()).backward()
    close(x.grad, (2 * x + 1).detach())
    plain = vmap(lambda x: x * 3, chunk_size=size)(x.detach())
    close(plain, 3 * x.detach())
    assert plain.is_contiguous()


@pytest.mark.parametrize("size", [None, 2])
def test_random_numbers(size):
    torch.manual_seed(0)
    same = vmap(lambda x: x + torch.rand(3), randomness="same", chunk_size=size)(torch.zeros(4, 3))
    assert (same == same[0]).all()
    differing = vmap(lambda x: x + torch.rand(3), randomness="different", chunk_size=size)(
        torch.zeros(4, 3)
    )
    assert len({tuple(row.tolist()) for row in differing}) == 4


def test_writing_into_a_mapped_argument_reaches_the_caller():
    a = A.clone()
    close(vmap(lambda x: x.mul_(2).sum(), in_dims=1)(a), 2 * A.numpy().sum(0))
    close(a, 2 * A.numpy())


def test_writing_into_what_is_made_inside():
    def function(x):
        z = torch.zeros(3)
        z[1:] = x[:2]
        z.add_(x)
        y = torch.empty_like(x)
        y.copy_(z)
        return y

    expected = A.numpy().copy()
    expected[:, 1:] += A.numpy()[:, :2]
    close(vmap(function)(A), expected)


def test_captured_tensors_that_require_gradients():
    w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    vmap(lambda x: (x * w).sum())(A).sum().backward()
    close(w.grad, A.numpy().sum(0))


def test_a_batch_of_nothing():
    assert vmap(lambda x: x.sum())(torch.ones(0, 3)).shape == (0,)


def test_keywords_are_shared():
    close(vmap(lambda x, k: x * k.sum())(X, k=X), X.numpy() * 1.5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: vmap(lambda: X)(), ValueError, "without an argument"),
        (lambda: vmap(torch.sin, in_dims=[0])(X), ValueError, "in_dims is an int"),
        (lambda: vmap(torch.sin, in_dims=(None,))(X), ValueError, "at least one input"),
        (lambda: vmap(torch.sin, in_dims=(0.5,))(X), ValueError, "not 0.5"),
        (lambda: vmap(torch.sin, in_dims=(0, 0))(X), ValueError, "does not follow"),
        (lambda: vmap(lambda x, y: x)(X, 1.0), ValueError, "must be None"),
        (lambda: vmap(lambda x, y: x)(X, None), ValueError, "NoneType"),
        (lambda: vmap(torch.sin, in_dims=-2)(X), ValueError, r"in_dim -2 .*\[3\]"),
        (lambda: vmap(torch.sin)(X[0]), ValueError, r"shape \[\]"),
        (lambda: vmap(torch.mul)(X, X[:2]), ValueError, r"\[3, 2\]"),
        (lambda: vmap(torch.sin, out_dims=0.5)(X), ValueError, "out_dims holds"),
        (lambda: vmap(torch.sin, out_dims=1)(X), IndexError, "from -1 to 0"),
        (lambda: vmap(torch.sin, out_dims=None)(X), ValueError, "differs between examples"),
        (lambda: vmap(lambda x: 3)(X), ValueError, "not int; out_dims=None"),
        (lambda: vmap(lambda x: (x, x), out_dims=(0,))(X), ValueError, r"structure is \(\*, \*\)"),
        (lambda: vmap(torch.sin, randomness="x")(X), RuntimeError, "'x'"),
        (lambda: vmap(lambda x: x + torch.rand(()))(X), RuntimeError, "randomness="),
        (lambda: vmap(torch.sin, chunk_size=0), ValueError, "not 0"),
        (lambda: vmap(lambda x: x.item())(X), RuntimeError, r"item\(\) inside a transform"),
        (lambda: vmap(lambda x: x if x > 0 else -x)(X), RuntimeError, "the truth of a tensor"),
        (lambda: vmap(lambda x: x[x > 0])(A), RuntimeError, "where"),
        (lambda: vmap(lambda x: x.nonzero())(A), RuntimeError, "cannot be batched"),
        (
            lambda: vmap(lambda p, q: p.add_(q), (None, 0))(X.clone(), A),
            RuntimeError,
            "from outside",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_writes_that_are_not_recorded_leave_the_history_of_lower_tapes():
    def written(x):
        x = x * 2
        view = x[1:]
        with torch.no_grad():
            view.mul_(3)
        return (x * x).sum() + view.sum()

    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    both = torch.func.grad(lambda x: torch.func.vmap(written)(x).sum())(a)
    assert both.tolist() == torch.func.vmap(torch.func.grad(written))(a).tolist()
    assert both.tolist() == [[8.0, 50.0], [24.0, 98.0]]
