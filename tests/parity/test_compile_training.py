"""Compiled training steps beside PyTorch: every optimizer, and networks of many kinds of layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adjoint
from tests.references import optim_cases

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")

# Those whose steps are known to no program: they look at numbers, or are differentiated.
CASES = [
    (name, options)
    for name, options in optim_cases.CASES
    if name != "LBFGS" and not options.get("differentiable")
]
NAMES = [f"{name}-{number}" for number, (name, _) in enumerate(CASES)]
SHAPES = ((5, 4), (5,), (1, 5), ())


def train(library: Any, name: str, options: dict[str, Any], wrap: Any) -> list[Any]:
    """Losses and parameters of 12 steps in float64, with a rate that a scheduler changes."""
    generator = np.random.default_rng(3)
    params = [
        library.tensor(generator.standard_normal(shape), requires_grad=True) for shape in SHAPES
    ]
    w, b, v, c = params
    optimizer = getattr(library.optim, name)(params, **options)
    scheduler = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)

    def step(x, y):
        optimizer.zero_grad()
        loss = library.nn.functional.mse_loss((x @ w.T + b).tanh() @ v.T + c, y)
        loss.backward()
        library.nn.utils.clip_grad_norm_(params, 5.0)
        optimizer.step()
        return loss.detach()

    function, losses = wrap(step), []
    for _ in range(12):
        x = library.tensor(generator.standard_normal((8, 4)))
        y = library.tensor(generator.standard_normal((8, 1)))
        losses.append(function(x, y).item())
        scheduler.step()
    return [losses, *[each.detach().numpy() for each in params]]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_optimizers(case):
    name, options = case
    expected = train(torch, name, options, lambda step: step)
    found = train(adjoint, name, options, adjoint.compile)
    for here, there in zip(found, expected, strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-9, atol=1e-10)


def convolutional(library: Any) -> Any:
    nn = library.nn
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Dropout(0.25),
        nn.Linear(8 * 4, 5),
    ).double()  # fmt: skip


def recurrent(library: Any) -> Any:
    nn = library.nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(7, 6)
            self.lstm = nn.LSTM(6, 5, num_layers=2, batch_first=True)
            self.attention = nn.MultiheadAttention(5, 1, batch_first=True)
            self.norm = nn.LayerNorm(5)
            self.head = nn.Linear(5, 5)

        def forward(self, ids):
            x = self.lstm(self.embedding(ids))[0]
            x = self.norm(x + self.attention(x, x, x, need_weights=False)[0])
            return self.head(x.mean(1))

    return Network().double()


def batches(library: Any, kind: str) -> list[Any]:
    generator = np.random.default_rng(5)
    found = []
    for _ in range(4):
        shape = (6, 1, 12, 12) if kind == "convolutional" else (6, 4)
        values = generator.standard_normal(shape)
        ids = generator.integers(0, 7, shape)
        given = values if kind == "convolutional" else ids
        target = generator.integers(0, 5, 6)
        found.append((library.from_numpy(given), library.from_numpy(target)))
    return found


def fit(library: Any, kind: str, start: Any, wrap: Any) -> list[Any]:
    """Losses and everything that the network has after four steps of AdamW."""
    model = {"convolutional": convolutional, "recurrent": recurrent}[kind](library)
    model.load_state_dict({name: library.from_numpy(each.copy()) for name, each in start.items()})
    optimizer = library.optim.AdamW(model.parameters(), lr=0.01)

    def step(x, y):
        optimizer.zero_grad()
        loss = library.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    library.manual_seed(11)
    function = wrap(step)
    losses = [function(*batch).item() for batch in batches(library, kind)]
    return [losses, *[each.numpy() for each in model.state_dict().values()]]


@pytest.mark.parametrize("kind", ["convolutional", "recurrent"])
def test_networks(kind):
    torch.manual_seed(7)
    reference = {"convolutional": convolutional, "recurrent": recurrent}[kind](torch)
    start = {name: each.numpy().copy() for name, each in reference.state_dict().items()}
    expected = fit(torch, kind, start, lambda step: step)
    found = fit(adjoint, kind, start, adjoint.compile)
    for here, there in zip(found, expected, strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-6, atol=1e-8)
