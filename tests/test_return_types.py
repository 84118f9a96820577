"""Named results: tuples that print and unpack as PyTorch's."""

from __future__ import annotations

import pickle

import pytest

import adjoint as torch


def test_names_order_and_printing() -> None:
    found = torch.tensor([[1.0, 3.0], [2.0, 0.0]]).max(dim=1)
    values, indices = found
    assert found.values is values is found[0]
    assert found.indices is indices is found[1]
    assert isinstance(found, tuple)
    assert isinstance(found, torch.return_types.max)
    assert repr(found) == (
        "torch.return_types.max(\nvalues=tensor([3., 2.]),\nindices=tensor([1, 0]))"
    )


def test_they_are_made_of_items_or_one_sequence() -> None:
    kind = torch.return_types.sort
    assert kind(1, 2) == kind((1, 2)) == (1, 2)
    with pytest.raises(TypeError, match=r"sort has 2 items \(values, indices\), not 3"):
        kind((1, 2, 3))


def test_they_pickle_and_pass_through_vmap() -> None:
    found = torch.return_types.topk(1, 2)
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    assert type(again) is type(found)
    x = torch.tensor([[1.0, 3.0], [2.0, 0.0]])
    batched = torch.func.vmap(lambda row: row.max(dim=0))(x)
    assert type(batched) is torch.return_types.max
    assert batched.values.tolist() == [3.0, 2.0]
