"""Results in pieces: written into one memory, or kept and joined."""

import numpy as np
import pytest

import adjoint as torch
from adjoint.func.pieces import Pieces


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_plain_pieces_are_written_at_once(dim):
    whole = np.arange(24.0).reshape(2, 3, 4)
    pieces = Pieces(whole.shape[dim], dim)
    for part in np.array_split(whole, 2, axis=dim):
        pieces.add(part)
    assert not pieces.kept
    np.testing.assert_array_equal(pieces.whole().numpy(), whole)
    assert pieces.whole((6, 4)).shape == (6, 4)


def test_pieces_with_a_history_are_joined():
    first, second = torch.ones(2, 3), torch.ones(1, 3, requires_grad=True)
    pieces = Pieces(4, 0)
    for part in (first.numpy(), second * 2, torch.zeros(1, 3)):
        pieces.add(part)
    found = pieces.whole((2, 6))
    found.sum().backward()
    np.testing.assert_array_equal(second.grad.numpy(), np.full((1, 3), 2.0))
    np.testing.assert_array_equal(found.detach().numpy().reshape(4, 3)[:, 0], [1, 1, 2, 0])


def test_one_for_all_and_none_at_all():
    pieces = Pieces(3, None)
    pieces.add("kept")
    pieces.add("kept")
    assert pieces.whole() == "kept"
    assert Pieces(0, 0).whole((0, 2), torch.ones(1, dtype=torch.float64)).dtype is torch.float64
