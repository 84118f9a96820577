"""The tour's own numbers: its gradients, and how well the digits are read."""

import pytest

import adjoint as torch

pytest.importorskip("rich", reason="the tour prints with rich: install adjoint[tour]")
pytest.importorskip("matplotlib", reason="the tour draws with matplotlib: install adjoint[tour]")

from rich.console import Console

from adjoint.tour import classifier, network


def test_difference_finds_a_wrong_gradient():
    torch.manual_seed(0)
    x, y = torch.ones(5), torch.zeros(3)
    w = torch.randn(5, 3, requires_grad=True)
    b = torch.randn(3, requires_grad=True)
    network.forward(x, y, w, b)[1].backward()

    def loss_of(value):
        return network.forward(x.double(), y.double(), value, b.double())[1]

    assert network.difference(loss_of, w) < 1e-6
    w.grad[0, 0] += 0.01
    assert network.difference(loss_of, w) > 0.009


def test_the_rows_of_a_matrix_stand_one_below_the_other():
    assert network.equation("w", torch.zeros(2, 1)).splitlines() == [
        "w = tensor([[0.],",
        "            [0.]])",
    ]


def test_the_held_out_fifth_is_kept_apart():
    (x, y), (held_x, held_y) = classifier.split(0)
    assert (len(x), len(y), len(held_x), len(held_y)) == (1438, 1438, 359, 359)
    assert x.dtype is torch.float32
    assert (x.min().item(), x.max().item()) == (0.0, 1.0)


def test_the_digits_are_read():
    run = classifier.train(Console(quiet=True), epochs=15, seed=0)
    assert run.accuracies[-1] >= 0.97
    assert len(run.losses) == 15 * 45
    assert run.losses[-1] < run.losses[0] / 10
