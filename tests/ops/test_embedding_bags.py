"""Bags of embeddings: what the samples of the table cannot say."""

import pytest

import adjoint as torch

F = torch.nn.functional


def test_rows_that_are_too_long_are_shortened_in_place():
    table = torch.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    out = F.embedding_bag(torch.tensor([[0, 1]]), table, max_norm=1.0, mode="sum")
    torch.testing.assert_close(out, torch.tensor([[0.9, 1.2]]))
    torch.testing.assert_close(table[0], torch.tensor([0.6, 0.8]))
    assert table[2].tolist() == [6.0, 8.0]


def test_gradients_are_divided_by_how_often_an_index_occurs():
    table = torch.ones(3, 1, requires_grad=True)
    index = torch.tensor([[0, 1, 1]])
    F.embedding_bag(index, table, scale_grad_by_freq=True, mode="sum").sum().backward()
    assert table.grad.tolist() == [[1.0], [1.0], [0.0]]


def test_bags_that_begin_before_the_one_before_are_refused():
    with pytest.raises(RuntimeError, match="cannot decrease"):
        F.embedding_bag(torch.tensor([0, 0, 0]), torch.ones(1, 1), torch.tensor([0, 2, 1]))


def test_the_node_has_pytorchs_name():
    table = torch.ones(3, 2, requires_grad=True)
    for mode in ("sum", "mean", "max"):
        out = F.embedding_bag(torch.tensor([[0, 1]]), table, mode=mode)
        assert out.grad_fn.name() == "EmbeddingBagBackward0"
