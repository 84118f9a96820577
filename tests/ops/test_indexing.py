"""Indexing where a sample cannot say it: what is shared, what stays whole, what inputs may be.

Values, gradients and errors of every form are in ``tests/samples/indexing.py``, thousands of random
ones in ``tests/parity/test_indexing.py``.
"""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as torch
from adjoint.array import accumulate

CUBE = np.arange(24.0).reshape(2, 3, 4)
PLACES = np.array([1, 0, 1])


def cube():
    return torch.tensor(CUBE)


# -- where PyTorch differs from NumPy -----------------------------------------------------------


def test_numbers_are_taken_before_tensors():
    """A number beside tensors is a view of its own, and does not put their dimensions in front."""
    x = cube()
    assert x[0, :, PLACES].shape == (3, 3)
    assert x[:, 0, PLACES].shape == (2, 3)
    assert x[[0], :, PLACES].shape == (3, 3)
    assert x[None, [0], :, [1]].shape == (1, 1, 3)


def test_a_list_of_slices_is_a_tuple_and_one_of_numbers_a_tensor():
    x = cube()
    assert x[[0, slice(0, 1)]].shape == (1, 4)
    assert x[[0, 1]].shape == (2, 3, 4)
    assert x[[[0, 1]]].shape == (2, 3, 4)
    assert x[[0, None]].shape == (1, 3, 4)
    assert x[[[0, 1], [2, 0]]].tolist() == x[[0, 1], [2, 0]].tolist()


def test_numbers_of_every_kind():
    x = cube()
    one = torch.tensor(1)
    for place in (1, np.int64(1), one, np.array(1)):
        assert x[place].tolist() == x[1].tolist()
    assert x[one:].shape == (1, 3, 4)
    assert x[: np.int32(1)].shape == (1, 3, 4)
    assert x[True].shape == (1, 2, 3, 4)
    assert x[torch.tensor(False)].shape == (0, 2, 3, 4)
    assert x[range(2)].shape == (2, 3, 4)
    assert x[torch.tensor([0, 1], dtype=torch.uint8)].shape == (1, 3, 4)


def test_nodes():
    x = cube().requires_grad_()
    for index, name in (
        (0, "Select"), (slice(0, 1), "Slice"), (slice(None), "Slice"), (..., "Alias"),
        (None, "Unsqueeze"), ((0, slice(0, 2)), "Slice"), ((slice(None), 1), "Select"),
        ((slice(None), slice(0, 3)), "Alias"), ([0], "Index"), (CUBE > 3, "Index"), (True, "Index"),
    ):  # fmt: skip
        assert x[index].grad_fn.name() == name + "Backward0"
    node = x[0, 1:].grad_fn
    assert node.next_functions[0][0].name() == "SelectBackward0"


def test_iteration_gives_views_of_all_places():
    x = cube().requires_grad_()
    parts = list(x)
    assert [part.grad_fn.name() for part in parts] == ["UnbindBackward0"] * 2
    first, second = x
    assert first.tolist() == CUBE[0].tolist()
    assert second._base is x


# -- gradients add up ---------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 3, 64])
@pytest.mark.parametrize("count", [5, 700])
@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "complex64"])
def test_repeated_places_add_up(width, count, kind):
    """By single elements, and from 16,384 on by a sparse product."""
    random = np.random.RandomState(0)
    index = random.randint(0, 10, count)
    g = random.randint(-4, 5, (count, width)).astype(kind)
    wanted = np.zeros((10, width), kind)
    np.add.at(wanted, index, g)
    np.testing.assert_allclose(
        accumulate.add_rows(10, index, g), wanted, rtol=2e-2 if kind == "float16" else 1e-6
    )
    w = torch.tensor(np.ones((10, width), kind), requires_grad=True)
    w[torch.tensor(index)].backward(torch.tensor(g))
    np.testing.assert_allclose(w.grad.numpy(), wanted, rtol=2e-2 if kind == "float16" else 1e-6)


def test_places_out_of_range_are_found_by_the_sparse_product_too():
    with pytest.raises(IndexError, match="index 10 is out of bounds"):
        accumulate.add_rows(10, np.full(300, 10), np.ones((300, 64)))


# -- what stays whole ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "value", "error"),
    [
        (5, 1.0, IndexError),
        ([0, 5], 1.0, IndexError),
        (([0, 1], [0, 7]), 1.0, IndexError),
        (slice(None, None, -1), 1.0, ValueError),
        (0, [1.0], TypeError),
        (0, "one", TypeError),
        (0, 1j, RuntimeError),
        (0, torch.ones(7), RuntimeError),
        ([0], torch.ones(7, dtype=torch.float64), RuntimeError),
        ([0], torch.ones(4), RuntimeError),
        (CUBE > 3, torch.ones(3, dtype=torch.float64), RuntimeError),
    ],
)
def test_a_write_that_fails_changes_nothing(index, value, error):
    x = cube()
    with pytest.raises(error):
        x[index] = value
    assert x.tolist() == CUBE.tolist()
    assert x._version == 0


def test_the_index_may_be_changed_afterwards():
    """As in PyTorch, changing a tensor of indices spoils the gradient, and says so."""
    w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    index = torch.tensor([0, 2])
    out = w[index]
    index[0] = 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()
    array = np.array([0, 2])
    out = w[torch.tensor(array), None]
    array[0] = 1
    out.sum().backward()
    assert w.grad.tolist() == [1.0, 0.0, 1.0]


def test_a_mask_that_is_written_to_spoils_too():
    w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    mask = torch.tensor([True, False, True])
    out = w[mask]
    mask[0] = False
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


# -- inside transforms --------------------------------------------------------------------------


def test_indices_that_are_batches():
    x = cube()
    index = torch.tensor([[2, 0], [1, 1]])
    rows = torch.func.vmap(lambda x, index: x[index])(x, index)
    assert rows.tolist() == np.stack([CUBE[0][[2, 0]], CUBE[1][[1, 1]]]).tolist()
    shared = torch.func.vmap(lambda index: x[0, index])(index)
    assert shared.tolist() == CUBE[0][index.numpy()].tolist()
    mixed = torch.func.vmap(lambda index: x[:, 0, index])(index)
    assert mixed.tolist() == np.stack([CUBE[:, 0, [2, 0]], CUBE[:, 0, [1, 1]]]).tolist()
    one = torch.func.vmap(lambda x, place: x[place])(x, torch.tensor([2, 0]))
    assert one.tolist() == [CUBE[0, 2].tolist(), CUBE[1, 0].tolist()]


def test_writes_at_places_that_are_batches():
    def write(x, index, value):
        y = x * 1
        y[index] = value
        y.index_add_(0, index, y[index])
        return y

    index = torch.tensor([[2, 0], [1, 0]])
    value = torch.tensor([1.0, 2.0], dtype=torch.float64)
    found = torch.func.vmap(write)(cube(), index, value)
    for number in range(2):
        one = write(cube()[number], index[number], value[number])
        assert found[number].tolist() == one.tolist()


def test_masks_inside_vmap_are_refused_with_the_way_out():
    with pytest.raises(RuntimeError, match=r"use where\(\)"):
        torch.func.vmap(lambda x: x[x > 3])(cube())
    kept = torch.func.vmap(lambda x: x.masked_fill(x > 3, 0.0))(cube())
    assert kept.max().item() == 3.0
