"""``functional_call``, ``stack_module_state``, ``replace_all_batch_norm_modules_``."""

import numpy as np
import pytest

import adjoint as torch
from adjoint import nn
from adjoint.func import (
    functional_call,
    grad,
    replace_all_batch_norm_modules_,
    stack_module_state,
    vmap,
)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(3))
        self.two = self.one
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x, scale=1.0):
        self.count = self.count + 1
        return (x + self.one + self.two) * scale


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


X = torch.tensor([[0.5, -1.0, 2.0], [1.0, 0.0, 1.0]])


def test_the_module_is_as_before_afterwards():
    model = network()
    before = dict(model.named_parameters())
    given = {name: p.detach() * 2 for name, p in before.items()}
    out = functional_call(model, given, (X,))
    expected = torch.tanh(X @ given["0.weight"].T + given["0.bias"]) @ given["2.weight"].T
    np.testing.assert_allclose(out.numpy(), (expected + given["2.bias"]).numpy(), rtol=1e-5)
    assert all(p is before[name] for name, p in model.named_parameters())
    with pytest.raises(RuntimeError):
        functional_call(model, given, X[:, :2])
    assert all(p is before[name] for name, p in model.named_parameters())


def test_some_of_the_state_and_several_dicts():
    model = network()
    zero = {"2.weight": torch.zeros(2, 4)}
    ones = {"2.bias": torch.ones(2)}
    assert (functional_call(model, [zero, ones], X).detach() == 1).all()
    found = functional_call(model, zero, X).detach()
    assert (found == model[2].bias.detach()).all()


def test_ties_buffers_and_keywords():
    model, y = Tied(), torch.full((3,), 5.0)
    given = {"one": y, "count": torch.zeros(())}
    out = functional_call(model, given, torch.zeros(3), {"scale": 2.0})
    assert out.tolist() == [20.0] * 3
    assert given["count"].item() == 1
    assert model.count.item() == 0
    out = functional_call(model, {"one": y}, torch.zeros(3), tie_weights=False)
    assert out.tolist() == [6.0] * 3
    with pytest.raises(ValueError, match="tie_weights=False"):
        functional_call(model, {"one": y, "two": y * 2}, y)


def test_gradients_of_a_network_and_of_each_sample():
    model = network()
    params = {name: p.detach() for name, p in model.named_parameters()}

    def loss(params, x):
        return functional_call(model, params, x).sin().sum()

    found = grad(loss)(params, X)
    model(X).sin().sum().backward()
    for name, p in model.named_parameters():
        np.testing.assert_allclose(found[name].numpy(), p.grad.numpy(), rtol=1e-5)
    each = vmap(grad(loss), (None, 0))(params, X)
    for name, g in found.items():
        np.testing.assert_allclose(each[name].sum(0).numpy(), g.numpy(), rtol=1e-5, atol=1e-6)


def test_ensembles():
    models = [network() for _ in range(3)]
    params, buffers = stack_module_state(models)
    assert buffers == {}
    assert all(p.is_leaf and p.requires_grad for p in params.values())
    found = vmap(lambda p: functional_call(models[0], p, X))(params)
    for row, model in zip(found, models, strict=True):
        np.testing.assert_allclose(row.detach().numpy(), model(X).detach().numpy(), rtol=1e-5)


def test_batch_norm_without_running_statistics():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Sequential(nn.BatchNorm1d(3)))
    assert replace_all_batch_norm_modules_(model) is model
    assert model[0].running_mean is None
    assert not model[1][0].track_running_stats
    grad(lambda w: functional_call(model, {"0.weight": w}, X).sum())(torch.ones(3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: functional_call(network(), 3, X), ValueError, "a int"),
        (lambda: functional_call(network(), [3], X), ValueError, "one of the dicts"),
        (lambda: functional_call(network(), {"0.bias": 3}, X), TypeError, "0.bias is a int"),
        (lambda: functional_call(network(), {"7.bias": X}, X), AttributeError, "submodule '7'"),
        (
            lambda: functional_call(network(), {"0.bias": X}, X, strict=True),
            RuntimeError,
            r"missing \['0.weight', '2.bias', '2.weight'\]",
        ),
        (
            lambda: functional_call(network(), ({"0.bias": X}, {"0.bias": X}), X),
            ValueError,
            r"\['0.bias'\] is in several",
        ),
        (lambda: stack_module_state([]), RuntimeError, "no model"),
        (lambda: stack_module_state([network(), network().eval()]), RuntimeError, "training"),
        (lambda: stack_module_state([network(), Tied()]), RuntimeError, "Sequential.*Tied"),
        (
            lambda: stack_module_state([network(), network().requires_grad_(False)]),
            RuntimeError,
            "0.weight",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
