"""What is timed. Each workload is written once, for ``import adjoint as torch`` or torch itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Step = Callable[[], Any]


class Workload(NamedTuple):
    """A program to time: ``build(torch)`` gives one step; ``target`` is the ratio to reach."""

    name: str
    target: float
    build: Callable[[Any], Step]


def seed_network(torch: Any) -> Step:
    """The one-layer network of the introductory tutorials: forward and backward."""
    functional = torch.nn.functional
    x, y = torch.ones(5), torch.zeros(3)
    w = torch.randn(5, 3, requires_grad=True)
    b = torch.randn(3, requires_grad=True)

    def step() -> None:
        w.grad = b.grad = None
        z = torch.matmul(x, w) + b
        loss = functional.binary_cross_entropy_with_logits(z, y)
        loss.backward()

    return step


def chain(torch: Any) -> Step:
    """A hundred multiplications of three elements, forward and backward."""
    x = torch.tensor([0.9, 1.0, 1.1], requires_grad=True)
    y = torch.tensor([1.0, 0.9, 1.1])

    def step() -> None:
        x.grad = None
        z = x
        for _ in range(100):
            z = z * y
        z.sum().backward()

    return step


def _training(torch: Any, model: Any, x: Any, y: Any, **options: Any) -> Step:
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, **options)
    loss_function = torch.nn.CrossEntropyLoss()

    def step() -> None:
        optimiser.zero_grad()
        loss_function(model(x), y).backward()
        optimiser.step()

    return step


def perceptron(torch: Any) -> Step:
    """A 784-256-128-10 network at batch 64: forward, backward and an SGD step."""
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )
    return _training(torch, model, torch.randn(64, 784), torch.randint(0, 10, (64,)))


def recurrent(torch: Any) -> Step:
    """A tanh network over 50 steps, hidden 64, batch 16, as a Python loop."""
    torch.manual_seed(0)
    xs = torch.randn(50, 16, 32)
    target = torch.randn(16, 64)
    w = (torch.randn(32, 64) * 0.1).requires_grad_()
    u = (torch.randn(64, 64) * 0.1).requires_grad_()
    b = torch.zeros(64, requires_grad=True)

    def step() -> None:
        w.grad = u.grad = b.grad = None
        h = torch.zeros(16, 64)
        for t in range(50):
            h = torch.tanh(xs[t] @ w + h @ u + b)
        ((h - target) ** 2).mean().backward()

    return step


def digits_network(torch: Any) -> Step:
    """The small convolutional classifier of 8x8 digits at batch 64, with an SGD step."""
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip
    labels = torch.randint(0, 10, (64,))
    return _training(torch, model, torch.rand(64, 1, 8, 8), labels, momentum=0.9)


WORKLOADS = (
    Workload("one-layer network of the tutorials, forward and backward", 2.0, seed_network),
    Workload("100 multiplications of 3 elements, forward and backward", 2.0, chain),
    Workload("784-256-128-10 network, batch 64, SGD step", 1.0, perceptron),
    Workload("tanh RNN of 50 steps, hidden 64, batch 16", 1.2, recurrent),
    Workload("digits CNN, batch 64, SGD step with momentum", 1.0, digits_network),
)


def check_equal(first: Any, second: Any) -> None:
    """Raise unless two libraries' parameters agree after the same steps (for the curious)."""
    np.testing.assert_allclose(first.detach().numpy(), second.detach().numpy(), rtol=1e-4)
