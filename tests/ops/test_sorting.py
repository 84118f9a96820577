"""Orders of many elements: the first of equals first, NaN largest, by partition or in full."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as torch


def lines(kind: str) -> np.ndarray:
    random = np.random.default_rng(0)
    if kind == "ties":
        return random.integers(0, 50, (3, 2000)).astype("float32")
    x = random.normal(size=(3, 2000)).astype("float32")
    if kind == "nan":
        x[0, 7] = x[2, 1999] = np.nan
    return x


def expected_order(x: np.ndarray, largest: bool) -> np.ndarray:
    """Indices by Python's stable sort: NaN beyond everything."""
    return np.array(
        [
            sorted(
                range(len(line)),
                key=lambda i, line=line: (
                    (not np.isnan(line[i]), -line[i]) if largest else (np.isnan(line[i]), line[i])
                ),
            )
            for line in x
        ]
    )


@pytest.mark.parametrize("kind", ["distinct", "ties", "nan"])
@pytest.mark.parametrize("largest", [True, False])
def test_topk_of_many(kind: str, largest: bool) -> None:
    x = lines(kind)
    order = expected_order(x, largest)
    for k in (1, 5, 250, 600):
        values, indices = torch.topk(torch.tensor(x), k, largest=largest)
        np.testing.assert_array_equal(indices.numpy(), order[:, :k])
        np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, order[:, :k], 1))
        across = torch.topk(torch.tensor(x.T.copy()), k, dim=0, largest=largest).indices
        np.testing.assert_array_equal(across.numpy().T, order[:, :k])


@pytest.mark.parametrize("kind", ["distinct", "ties", "nan"])
def test_sort_is_stable(kind: str) -> None:
    x = torch.tensor(lines(kind))
    for descending in (True, False):
        order = expected_order(x.numpy(), descending)
        np.testing.assert_array_equal(x.sort(descending=descending).indices.numpy(), order)
        np.testing.assert_array_equal(x.argsort(1, descending).numpy(), order)


@pytest.mark.parametrize("kind", ["distinct", "ties", "nan"])
def test_the_first_of_equals_is_named(kind: str) -> None:
    x = lines(kind)
    order = expected_order(x, False)
    found = torch.tensor(x).kthvalue(701)
    for line, value, index in zip(x, found.values.numpy(), found.indices.numpy(), strict=True):
        assert index == np.flatnonzero((line == value) | np.isnan([value]) & np.isnan(line))[0]
    np.testing.assert_array_equal(found.values.numpy(), x[range(3), order[:, 700]])


def test_gradients_go_where_the_values_came_from() -> None:
    x = torch.tensor(lines("distinct")[0], requires_grad=True)
    weights = torch.arange(3.0) + 1
    (x.topk(3).values * weights).sum().backward()
    assert np.count_nonzero(x.grad.numpy()) == 3
    np.testing.assert_array_equal(x.grad.numpy()[x.detach().topk(3).indices.numpy()], [1, 2, 3])
