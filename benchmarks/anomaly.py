"""What ``detect_anomaly`` costs, as ``python -m benchmarks.anomaly`` tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import adjoint
from benchmarks.timing import time_by_turns


def _chain(length: int = 20) -> Callable[[], Any]:
    """Operations on three elements: nothing but overhead."""
    x = adjoint.tensor([0.5, 0.7, 0.9], requires_grad=True)

    def step() -> None:
        y = x
        for _ in range(length):
            y = (y * x).sin() + x
        y.sum().backward()
        x.grad = None

    return step


def _network(width: int, batch: int) -> Callable[[], Any]:
    layers = [adjoint.nn.Linear(width, width) for _ in range(4)]
    model = adjoint.nn.Sequential(*[part for each in layers for part in (each, adjoint.nn.Tanh())])
    x = adjoint.randn(batch, width)

    def step() -> None:
        model(x).square().mean().backward()
        model.zero_grad()

    return step


def _watched(step: Callable[[], Any]) -> Callable[[], Any]:
    def watched() -> None:
        with adjoint.autograd.set_detect_anomaly(True):
            step()

    return watched


def cost_of_anomaly_mode(rounds: int = 15) -> dict[str, float]:
    """How many times as long a step takes."""
    found = {}
    for name, step in (
        ("60 operations on 3 elements", _chain()),
        ("4 layers of 64, batch of 32", _network(64, 32)),
        ("4 layers of 256, batch of 64", _network(256, 64)),
    ):
        plain, watched = time_by_turns([step, _watched(step)], rounds)
        found[name] = watched / plain
    return found


if __name__ == "__main__":
    for name, times in cost_of_anomaly_mode().items():
        print(f"{name}: {times:.2f} times as long")
