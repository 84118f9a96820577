"""The tour's second half: a small convolutional network that learns to read digits."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import adjoint as torch
from adjoint.tour.digits import load_digits

HELD_OUT = 5  # one in so many is kept for testing


@dataclass
class Training:
    """What a training run leaves: curves, and the held-out digits with the answers given."""

    losses: list[float] = field(default_factory=list)  # of each step
    accuracies: list[float] = field(default_factory=list)  # held out, after each epoch
    images: Any = None
    labels: Any = None
    answers: Any = None
    seconds: float = 0.0


def make_model() -> Any:
    """Two convolutions and a linear layer: 1x8x8 images to 10 scores, about 6,000 parameters."""
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip


def split(seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Shuffled images (n, 1, 8, 8) between 0 and 1 with labels, to train on and held out."""
    images, labels = load_digits()
    order = np.random.default_rng(seed).permutation(len(images))
    x = torch.from_numpy(images[order].astype(np.float32) / 16).unsqueeze(1)
    y = torch.from_numpy(labels[order].astype(np.int64))
    held_out = len(images) // HELD_OUT
    return (x[held_out:], y[held_out:]), (x[:held_out], y[:held_out])


def train(console: Console, epochs: int, seed: int) -> Training:
    """Train on four fifths of the digits, test on the other after each epoch."""
    torch.manual_seed(seed)
    (x, y), (held_x, held_y) = split(seed)
    model = make_model()
    loss_function = torch.nn.CrossEntropyLoss()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    batches: Any = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True
    )
    run = Training(images=held_x, labels=held_y)
    started = time.perf_counter()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console,
    ) as progress:  # fmt: skip
        task = progress.add_task("training", total=epochs * len(batches))
        for epoch in range(epochs):
            model.train()
            for batch_x, batch_y in batches:
                optimiser.zero_grad()
                loss = loss_function(model(batch_x), batch_y)
                loss.backward()
                optimiser.step()
                run.losses.append(loss.item())
                progress.advance(task)
            run.answers = predict(model, held_x)
            run.accuracies.append((run.answers == held_y).float().mean().item())
            progress.update(
                task, description=f"epoch {epoch + 1:2}, {run.accuracies[-1]:6.2%} held out"
            )
    run.seconds = time.perf_counter() - started
    return run


def predict(model: Any, x: Any) -> Any:
    """The digit with the highest score, for each image."""
    model.eval()
    with torch.no_grad():
        return model(x).argmax(dim=1)
