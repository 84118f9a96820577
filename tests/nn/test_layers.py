"""Layers, containers, initial values and helpers; their numbers are compared in tests/parity."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest

import adjoint as torch
from adjoint import nn

# What PyTorch 2.13 draws after manual_seed(0).
WEIGHTS = {
    "nn.Linear(3, 2)": [
        [-0.004323, 0.309716, -0.475185, -0.424895, -0.222369, 0.154821],
        [-0.011439, 0.457775],
    ],
    "nn.Conv2d(1, 1, 2)": [[-0.003743, 0.268222, -0.411523, -0.36797], [-0.192577]],
    "nn.Embedding(2, 2)": [[1.540996, -0.293429, -2.178789, 0.568431]],
    "nn.Bilinear(1, 2, 1)": [[-0.007487, 0.536444], [-0.823045]],
}
# The losses of the network below in PyTorch 2.13.
LOSSES = [
    0.292379, 0.265736, 0.280986, 0.240666, 0.266913, 0.22411, 0.253984, 0.213475, 0.227094,
    0.19468, 0.196565, 0.162654, 0.157736, 0.112991, 0.108067, 0.061004, 0.03539, 0.047677, 0.0785,
    0.163869,
]  # fmt: skip


@pytest.mark.parametrize("expression", WEIGHTS)
def test_the_same_seed_gives_the_same_weights(expression: str) -> None:
    torch.manual_seed(0)
    module = eval(expression)
    for param, expected in zip(module.parameters(), WEIGHTS[expression], strict=True):
        np.testing.assert_allclose(param.detach().numpy().reshape(-1), expected, atol=1e-6)


def test_the_same_seed_learns_the_same() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    losses = []
    for _ in LOSSES:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    np.testing.assert_allclose(losses, LOSSES, rtol=1e-4)


# -- containers -----------------------------------------------------------------------------------


def test_sequential() -> None:
    layers = [nn.Linear(2, 2), nn.ReLU(), nn.Tanh()]
    row = nn.Sequential(*layers)
    assert len(row) == 3
    assert list(row) == layers
    assert row[-1] is layers[2]
    assert list(row[1:]) == layers[1:]
    del row[1]
    assert list(row._modules) == ["0", "1"]
    row.insert(1, layers[1])
    assert list(row) == layers
    assert row.pop(0) is layers[0]
    row.append(nn.Sigmoid()).extend([nn.ReLU()])
    assert len(row + row) == 8
    assert len(row * 2) == len(2 * row) == 8
    row[0] = nn.Identity()
    assert repr(row[0]) == "Identity()"
    assert row[1] is layers[2]
    named = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh()))
    assert list(named._modules) == ["a", "b"]
    del named[0]
    assert list(named._modules) == ["b"]


def test_module_list() -> None:
    layers = nn.ModuleList([nn.Linear(1, 1) for _ in range(3)])
    layers.insert(0, nn.ReLU())
    layers += [nn.Tanh()]
    assert len(layers) == 5
    assert len(list(layers.parameters())) == 6
    assert isinstance(layers[1:3], nn.ModuleList)
    assert len(layers + nn.ModuleList([nn.ReLU()])) == 6
    with pytest.raises(TypeError, match="iterable"):
        layers.extend(3)
    with pytest.raises(IndexError, match="out of range for 5 modules"):
        layers[5]


def test_module_dict() -> None:
    table = nn.ModuleDict({"a": nn.ReLU()})
    table["b"] = nn.Linear(1, 1)
    table.update([("c", nn.Tanh())])
    assert list(table) == list(table.keys()) == ["a", "b", "c"]
    assert "b" in table
    assert isinstance(table.pop("b"), nn.Linear)
    assert [name for name, _ in table.items()] == ["a", "c"]
    table.clear()
    assert len(table) == 0


def test_parameter_list_and_dict() -> None:
    row = nn.ParameterList([torch.ones(1), nn.Parameter(torch.zeros(2))])
    row.append(torch.ones(3))
    row += [torch.ones(4)]
    row[0] = torch.ones(5)
    assert [each.numel() for each in row] == [5, 2, 3, 4]
    assert isinstance(row[1:], nn.ParameterList)
    assert len(list(row.parameters())) == 4
    table = nn.ParameterDict({"a": torch.ones(1)})
    table["b"] = torch.ones(2)
    assert table.setdefault("c", torch.ones(3)).numel() == 3
    assert table.get("missing", 7) == 7
    assert list(reversed(table)) == ["c", "b", "a"]
    assert table.popitem()[0] == "c"
    assert [name for name, _ in table.copy().items()] == ["a", "b"]
    assert list(table.state_dict()) == ["a", "b"]
    table.clear()
    assert len(table) == 0


# -- layers with a state --------------------------------------------------------------------------


def test_batch_norm_learns_what_it_sees() -> None:
    layer = nn.BatchNorm1d(1, momentum=0.5)
    layer(torch.tensor([[1.0], [3.0]]))
    assert layer.running_mean.tolist() == [1.0]
    assert layer.running_var.tolist() == [1.5]
    assert layer.num_batches_tracked.item() == 1
    before = layer.running_mean.tolist()
    layer.eval()(torch.tensor([[10.0], [30.0]]))
    assert layer.running_mean.tolist() == before
    old = {"weight": torch.ones(1), "bias": torch.zeros(1)}
    old |= {"running_mean": torch.ones(1), "running_var": torch.ones(1)}
    layer.load_state_dict(old)  # from before there was a count of batches


def test_embedding_from_a_table() -> None:
    table = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    layer = nn.Embedding.from_pretrained(table)
    assert layer(torch.tensor([1])).tolist() == [[3.0, 4.0]]
    assert not layer.weight.requires_grad
    with pytest.raises(AssertionError, match="2-dimensional"):
        nn.Embedding.from_pretrained(torch.ones(3))


def test_transposed_convolution_of_a_chosen_size() -> None:
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2)
    for size in (9, 10):
        assert layer(torch.ones(1, 1, 4, 4), output_size=(size, 9)).shape == (1, 1, size, 9)


def test_old_arguments_of_losses() -> None:
    with pytest.warns(UserWarning, match="reduction='sum'"):
        loss = nn.MSELoss(size_average=False)
    assert loss.reduction == "sum"


# -- initial values -------------------------------------------------------------------------------


def test_initial_values() -> None:
    init = nn.init
    w = torch.empty(3, 5, requires_grad=True)
    assert init.orthogonal_(w) is w
    np.testing.assert_allclose((w @ w.T).detach().numpy(), np.eye(3), atol=1e-6)
    assert w.is_leaf
    assert init.eye_(w).sum().item() == 3
    assert ((init.sparse_(w, 0.4) == 0).sum(0) >= 2).all()
    x = torch.arange(12.0).reshape(1, 3, 4)
    kernel = init.dirac_(torch.empty(3, 3, 3))
    assert torch.equal(nn.functional.conv1d(x, kernel, padding=1), x)
    for low, high in ((-1.0, 1.0), (1.5, 2.0)):
        drawn = init.trunc_normal_(torch.empty(200), a=low, b=high)
        assert low <= drawn.min() <= drawn.max() <= high
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(torch.empty(2), mean=9.0, a=0.0, b=1.0)
    with pytest.warns(UserWarning, match="zero-element"):
        init.kaiming_normal_(torch.empty(0, 3))


# -- helpers --------------------------------------------------------------------------------------


def test_clipping() -> None:
    params = [torch.zeros(1, requires_grad=True) for _ in range(3)]
    (params[0] * 3 + params[1] * 4).sum().backward()
    utils = nn.utils
    assert utils.clip_grad_norm_(params, 10.0).item() == 5
    assert [p.grad.item() for p in params[:2]] == [3, 4]
    utils.clip_grad_norm_(params, 1.0)
    np.testing.assert_allclose([p.grad.item() for p in params[:2]], [0.6, 0.8], rtol=1e-5)
    utils.clip_grad_value_(params, 0.7)
    np.testing.assert_allclose([p.grad.item() for p in params[:2]], [0.6, 0.7], rtol=1e-5)
    assert utils.clip_grad_norm_([], 1.0).item() == 0
    params[0].grad.fill_(float("nan"))
    with pytest.raises(RuntimeError, match=r"total norm of order 2\.0 for gradients is nan"):
        utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)


def test_parameters_as_a_vector() -> None:
    layer = nn.Linear(2, 1)
    vector = nn.utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (3,)
    nn.utils.vector_to_parameters(torch.tensor([1.0, 2.0, 3.0]), layer.parameters())
    assert layer.weight.tolist() == [[1.0, 2.0]]
    assert layer.bias.tolist() == [3.0]
    assert layer.weight.requires_grad
