"""The tour's pictures: how the training went, and the digits it got wrong."""

from __future__ import annotations

from pathlib import Path

import matplotlib.figure
import numpy as np

from adjoint.tour.classifier import Training

BLUE, GREEN = "#2f6fab", "#2f855a"


def draw_curve(run: Training, path: Path) -> None:
    """The loss of every step and the held-out accuracy of every epoch, over one axis of epochs."""
    figure = matplotlib.figure.Figure(figsize=(7.5, 4.2), dpi=120, layout="constrained")
    left = figure.subplots()
    epochs = len(run.accuracies)
    steps = np.arange(1, len(run.losses) + 1) * epochs / len(run.losses)
    left.plot(steps, run.losses, color=BLUE, linewidth=0.6, alpha=0.35)
    width = max(1, len(run.losses) // (4 * epochs))
    smooth = np.convolve(run.losses, np.ones(width) / width, mode="valid")
    left.plot(steps[width - 1 :], smooth, color=BLUE, label="loss (training)")
    left.set(xlabel="epoch", ylabel="cross-entropy loss", ylim=(0, None), xlim=(0, epochs))
    right = left.twinx()
    right.plot(
        np.arange(1, epochs + 1), 100 * np.array(run.accuracies), "o-", color=GREEN,
        markersize=3.5, label="accuracy (held out)",
    )  # fmt: skip
    right.set(ylabel="correct of the held-out digits (%)", ylim=(80, 100))
    handles = [*left.lines[1:], *right.lines]
    left.legend(handles=handles, loc="center right", frameon=False)
    for axes in (left, right):
        axes.spines["top"].set_visible(False)
    left.set_title(f"Learning to read digits: {run.accuracies[-1]:.1%} correct", loc="left")
    figure.savefig(path)


def draw_mistakes(run: Training, path: Path) -> int:
    """The held-out digits that were misread, each with what was read; returns how many."""
    images, labels, answers = (np.asarray(each) for each in (run.images, run.labels, run.answers))
    wrong = np.flatnonzero(labels != answers)
    columns = min(max(len(wrong), 1), 8)
    rows = max(1, -(-len(wrong) // columns))
    figure = matplotlib.figure.Figure(
        figsize=(1.5 * columns + 0.4, 1.75 * rows + 0.5), dpi=120, layout="constrained"
    )
    figure.suptitle(
        f"{len(wrong)} of {len(labels)} held-out digits misread", x=0.02, ha="left", fontsize=11
    )
    for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.set_axis_off()
        if place < len(wrong):
            number = wrong[place]
            axes.imshow(images[number, 0], cmap="gray_r", vmin=0, vmax=1)
            axes.set_title(f"{labels[number]} read as {answers[number]}", fontsize=9)
    figure.savefig(path)
    return len(wrong)
