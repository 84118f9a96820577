"""Reading by indices: places of all kinds, through views, and what a wrong one raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adjoint
from adjoint.compiler.runtime.executable import Executable
from adjoint.nn import functional
from tests.compiler.lowering.tracing import Traced, gradient, nodes_of, reasons

RANDOM = np.random.default_rng(1)


def a(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape)


def places(low: int, high: int, *shape: int) -> np.ndarray:
    return RANDOM.integers(low, high, shape)


READ: list[tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = [
    (lambda x, i: x[i], (a(5, 3), places(-5, 5, 2, 4))),
    (lambda x, i, j: x[i, j], (a(5, 3), places(-5, 5, 4, 1), places(-3, 3, 6))),
    (lambda x, i, j: x[i, :, j], (a(5, 2, 3), places(-5, 5, 4), places(-3, 3, 4))),
    (lambda x, i, j: x[:, i, j], (a(2, 5, 3), places(-5, 5, 4), places(-3, 3, 4))),
    (lambda x, i: x.t()[i], (a(5, 3), places(-3, 3, 7))),
    (lambda x, i: x[1:, ::2][:, i], (a(5, 6), places(-3, 3, 7))),
    (lambda x, i: x.flip(0)[i], (a(5, 3), places(0, 5, 7).astype("i4"))),
    (lambda x, i: x.t().gather(0, i), (a(5, 3), places(0, 3, 4, 5))),
    (lambda x, i: x.gather(1, i), (a(4, 6), places(0, 6, 2, 9))),
    (lambda x, i: x.take(i), (a(4, 6), places(-24, 24, 3, 5))),
    (lambda x, i: x.t().take(i), (a(4, 6), places(-24, 24, 3, 5))),
    (lambda x, i: x.take_along_dim(i, 1), (a(4, 6), places(-6, 6, 1, 3))),
    (lambda x, i: x.index_select(-1, i), (a(4, 6), places(0, 6, 9))),
    (lambda w, i: functional.embedding(i, w, 2), (a(4, 3), places(0, 4, 5, 2))),
    (lambda w, i: functional.embedding(i, w.t()), (a(3, 4), places(0, 4, 5, 2))),
    (
        lambda w, i: functional.embedding(i, w, scale_grad_by_freq=True),
        (a(4, 3), places(0, 4, 5, 2)),
    ),
]


def test_reading_and_its_gradients() -> None:
    traced = Traced()
    for function, arrays in READ:
        traced.add(function, *arrays)
        traced.add(gradient(lambda *xs, f=function: f(*xs).exp()), *arrays)
        traced.add(gradient(gradient(lambda *xs, f=function: f(*xs).exp())), *arrays)
    assert traced.wrong() == []


def test_nothing_is_called() -> None:
    for function, arrays in READ:
        assert reasons(nodes_of(gradient(function), *arrays)) == []


@pytest.mark.parametrize(
    ("error", "function", "arrays"),
    [
        (IndexError, lambda x, i: x[i], (a(5, 3), np.array([0, 5]))),
        (IndexError, lambda x, i: x[i], (a(5, 3), np.array([0, -6]))),
        (IndexError, lambda w, i: functional.embedding(i, w), (a(5, 3), np.array([[1], [-1]]))),
        (IndexError, lambda x, i: x.take(i), (a(5, 3), np.array([15]))),
        (RuntimeError, lambda x, i: x.gather(0, i), (a(5), np.array([-1]))),
        (RuntimeError, lambda x, i: x.scatter(0, i, 1.0), (a(5), np.array([5]))),
        (IndexError, lambda x, i: x.index_add(0, i, x[:1]), (a(5), np.array([-1]))),
        (IndexError, lambda x, i: x.index_select(0, i), (a(5, 2), np.array([-1]))),
        (RuntimeError, lambda x, i: x.index_select(1, i), (a(5, 2), np.array([2]))),
        (RuntimeError, lambda x, i: x.index_add(0, i, x[:1]), (a(5, 2), np.array([5]))),
        (IndexError, lambda x, i: x.index_copy(0, i, x[:1]), (a(5, 2), np.array([5]))),
        (IndexError, lambda x, i: x.index_fill(0, i, 2), (a(5, 2), np.array([-6]))),
        (RuntimeError, lambda x, i: functional.one_hot(i, 3) + x, (a(3), np.array([3]))),
    ],
)
def test_a_wrong_place_raises(
    error: type[Exception], function: Callable[..., Any], arrays: tuple[np.ndarray, ...]
) -> None:
    """As eagerly; and the next call, with places that there are, is right."""
    traced = Traced()
    good = (arrays[0], np.zeros_like(arrays[1]))
    traced.add(function, *good)
    executable = Executable(traced.program(), effort=1)
    with pytest.raises(error):
        function(*map(adjoint.tensor, arrays))
    with pytest.raises(error, match=r"out of range|must not be negative"):
        executable(*arrays)
    expected = function(*map(adjoint.tensor, good)).numpy()
    np.testing.assert_array_equal(executable(*good)[0], expected)


NARROW: list[tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = [
    (lambda x, i: x[i], (a(1, 3), places(1, 2, 2))),
    (lambda x, i: x[:, i], (a(3, 1), places(1, 2, 2))),
    (lambda x, i: x[i, i], (a(1, 1), places(1, 2, 2))),
    (lambda x, i: x.expand(4, 3)[i], (a(1, 3), places(4, 5, 2))),
    (lambda x, i: x.take(i), (a(1), places(1, 2, 2))),
    (lambda x, i: x.gather(0, i), (a(1), places(1, 2, 2))),
    (lambda x, i: x.gather(0, i), (a(1, 2), places(1, 2, 2, 2))),
    (lambda x, i: x.gather(0, i), (a(), places(1, 2, 2))),
    (lambda x, i: x.index_select(0, i), (a(1, 3), places(1, 2, 2))),
    (lambda x, i: x.index_select(0, i), (a(), places(1, 2, 1))),
    (lambda x, i: x.index_add(0, i, x), (a(), places(1, 2, 1))),
    (lambda x, i: x.index_fill(0, i, 3), (a(), places(-2, -1, 1))),
    (lambda x, i: functional.embedding(i, x), (a(1, 3), places(1, 2, 2))),
    (lambda x, i: x.scatter(0, i, 2), (a(1), places(1, 2, 2))),
    (lambda x, i: x.scatter_add(0, i, x + 1), (a(1), places(1, 2, 1))),
    (lambda x, i: x.index_add(0, i, x), (a(1, 3), places(1, 2, 1))),
    (lambda x, i: x.index_put((i,), x[0]), (a(1, 3), places(1, 2, 2))),
    (lambda x, i: x.index_fill(0, i, 3), (a(1, 3), places(1, 2, 2))),
    (lambda x, i: x.put(i, x), (a(1), places(1, 2, 1))),
    (lambda x, i: functional.one_hot(i, 1), (a(1), places(1, 2, 2))),
]


@pytest.mark.parametrize("case", NARROW)
def test_a_wrong_place_raises_where_there_is_but_one(case: Any) -> None:
    function, arrays = case
    traced = Traced()
    traced.add(function, arrays[0], np.zeros_like(arrays[1]))
    executable = Executable(traced.program(), effort=1)
    with pytest.raises((IndexError, RuntimeError)) as eager:
        function(*map(adjoint.tensor, arrays))
    with pytest.raises(eager.type):
        executable(*arrays)


def test_places_in_a_sorted_sequence() -> None:
    traced = Traced()
    for size in (0, 1, 2, 3, 7, 8, 33):
        x = np.sort(RANDOM.integers(-9, 9, size).astype("f4"))
        y = np.array([-np.inf, np.inf, np.nan, -9, 0.5, *RANDOM.integers(-12, 12, 8)], "f4")
        for right in (False, True):
            traced.add(lambda x, y, right=right: adjoint.searchsorted(x, y, right=right), x, y)
    lines = np.sort(RANDOM.integers(-5, 5, (3, 2, 6)), -1)
    lines_of = RANDOM.standard_normal((3, 2, 4)) * 5
    traced.add(adjoint.searchsorted, np.array([0, 1, np.nan]), np.array([np.nan, 2.0, 1.0]))
    traced.add(adjoint.searchsorted, lines, lines_of)
    traced.add(lambda x, y: adjoint.bucketize(y, x, out_int32=True), np.arange(5), a(3, 3))
    assert traced.wrong() == []


def test_masks_that_are_known_or_keep_the_shape() -> None:
    mask = adjoint.tensor([[True, False, True], [False, False, True]])
    traced = Traced()
    for x in (a(2, 3), a(2, 3, 4)):
        traced.add(lambda x: x[mask].exp(), x)
        traced.add(gradient(lambda x: x[mask].exp()), x)
        traced.add(lambda x: x.clone().index_put((mask,), x[mask] * 2), x)
    traced.add(lambda x: x[:, mask[0]].exp() + x[:, ~mask[1]], a(4, 3))
    moved = lambda x, m, y: x.masked_scatter(m, y)  # noqa: E731
    arrays = (a(3, 4), RANDOM.random((3, 4)) < 0.5, a(5, 4))
    traced.add(moved, *arrays)
    traced.add(gradient(lambda *xs: moved(*xs).exp()), *arrays)
    traced.add(gradient(lambda y, m, x: moved(x, m, y).exp()), *arrays[::-1])
    assert traced.wrong() == []


def test_places_one_after_the_other_are_a_view() -> None:
    def function(w: Any) -> Any:
        first = functional.embedding(adjoint.arange(1, 4)[None], w)
        return first.exp() + functional.embedding(adjoint.arange(0, 5, 2), w)

    traced = Traced()
    traced.add(function, a(6, 4))
    traced.add(gradient(function), a(6, 4))
    traced.add(lambda w: functional.embedding(adjoint.tensor([4, 3, 3]), w), a(6, 4))
    assert traced.wrong() == []
    nodes = nodes_of(gradient(lambda w: functional.embedding(adjoint.arange(6), w).exp()), a(6, 4))
    assert [type(node).__name__ for node in nodes][-1] == "Part"
