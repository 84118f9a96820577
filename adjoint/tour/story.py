"""The tour from beginning to end."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

import adjoint as torch
from adjoint.tour.classifier import make_model, train
from adjoint.tour.network import show_network
from adjoint.tour.pictures import draw_curve, draw_mistakes


def tell(console: Console, folder: Path, epochs: int, seed: int) -> None:
    """Print the story and write the pictures."""
    console.print(
        "\n[bold]Adjoint[/bold] computes derivatives of programs. You write what a program "
        "computes; it writes down each operation as it happens, and goes back over them.\n"
    )
    torch.manual_seed(seed)
    show_network(console, folder)
    console.rule("[bold]5. The same with real data")
    parameters = sum(each.numel() for each in make_model().parameters())
    console.print(
        "1,797 digits written by 43 people, 8 by 8 pixels each. Two convolutions and a linear "
        f"layer, {parameters:,} numbers to learn; a fifth of the digits is kept for testing.\n"
    )
    run = train(console, epochs, seed)
    draw_curve(run, folder / "training.png")
    wrong = draw_mistakes(run, folder / "mistakes.png")
    console.print(
        f"\n[bold]{run.accuracies[-1]:.1%}[/bold] of the digits it has never seen are read "
        f"correctly, after {len(run.losses):,} steps in {run.seconds:.1f} s. The curve is in "
        f"{folder / 'training.png'}, the {wrong} misread digits in {folder / 'mistakes.png'}.\n"
    )
