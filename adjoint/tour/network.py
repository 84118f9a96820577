"""The tour's first half: a network of one layer, its loss, its graph and its gradients.

The code of ``forward`` is shown to the reader as it stands.
"""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax

import adjoint as torch


def forward(x: Any, y: Any, w: Any, b: Any) -> tuple[Any, Any]:
    """Three outputs from five inputs, and how far they are from the wanted ones."""
    z = torch.matmul(x, w) + b
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
    return z, loss


def show_network(console: Console, folder: Path) -> None:
    """Print the story of one gradient step; write the graph's pictures into ``folder``."""
    console.rule("[bold]1. A network of one layer")
    console.print(
        "Five inputs, three outputs. The weights w and offsets b are what it can learn, so they "
        "ask for gradients (requires_grad=True). Whatever is computed from them is recorded.\n"
    )
    x, y = torch.ones(5), torch.zeros(3)
    w = torch.randn(5, 3, requires_grad=True)
    b = torch.randn(3, requires_grad=True)
    source = textwrap.dedent("".join(inspect.getsourcelines(forward)[0][2:4]))
    console.print(Panel(Syntax(source.rstrip(), "python", background_color="default"), width=80))
    z, loss = forward(x, y, w, b)
    console.print(f"loss = {loss!r}", highlight=False, markup=False)
    console.print(
        "\nThe last part of that line is the point: the loss knows the operation that made it.\n"
    )
    _show_graph(console, folder, loss, {"w": w, "b": b}, {"x": x, "y": y, "z": z})
    _show_gradients(console, x, y, w, b, loss)
    _show_step(console, x, y, w, b, loss)


def _show_graph(
    console: Console, folder: Path, loss: Any, params: dict[str, Any], inputs: dict[str, Any]
) -> None:
    console.rule("[bold]2. Its graph")
    console.print("From the loss back to the leaves, with the line of code that made each step:\n")
    graph = torch.viz.graph(loss, params=params, inputs=inputs)
    console.print(str(graph), highlight=False, markup=False)
    for name, text in (("graph.svg", graph.svg()), ("graph.mmd", graph.mermaid())):
        (folder / name).write_text(text, encoding="utf-8")
    console.print(
        f"\nDrawn in {folder / 'graph.svg'}, and for Mermaid in {folder / 'graph.mmd'}.\n"
    )


def _show_gradients(console: Console, x: Any, y: Any, w: Any, b: Any, loss: Any) -> None:
    console.rule("[bold]3. Its gradients")
    console.print(
        "loss.backward() walks the graph from the loss to w and b, multiplying derivatives as the "
        "chain rule says. How much the loss grows with each number is then in .grad:\n"
    )
    loss.backward()
    gradients = "\n".join((equation("w.grad", w.grad), equation("b.grad", b.grad)))
    console.print(gradients, highlight=False, markup=False)
    x, y = x.double(), y.double()
    error = max(
        difference(lambda value: forward(x, y, value, b.double())[1], w),
        difference(lambda value: forward(x, y, w.double(), value)[1], b),
    )
    console.print(
        "\nNothing has to be taken on trust. Move each number a little both ways, see what the "
        f"loss does, and compare: the largest difference is {error:.1e}.\n"
    )


def equation(name: str, tensor: Any) -> str:
    """``name = tensor``, with the rows of a matrix one below the other."""
    start = f"{name} = "
    return start + str(tensor).replace("\n", "\n" + " " * len(start))


def difference(loss_of: Any, parameter: Any, step: float = 1e-5) -> float:
    """The largest gap between ``parameter.grad`` and central differences taken in float64."""
    worst = 0.0
    for place in range(parameter.numel()):
        ends = []
        for sign in (1.0, -1.0):
            moved = parameter.detach().double().clone()
            moved.view(-1)[place] += sign * step
            ends.append(loss_of(moved).item())
        slope = (ends[0] - ends[1]) / (2 * step)
        worst = max(worst, abs(slope - parameter.grad.view(-1)[place].item()))
    return worst


def _show_step(console: Console, x: Any, y: Any, w: Any, b: Any, loss: Any) -> None:
    console.rule("[bold]4. One step downhill")
    rate = 1.0
    with torch.no_grad():
        w -= rate * w.grad
        b -= rate * b.grad
    _, after = forward(x, y, w, b)
    console.print(
        f"Take {rate} times the gradient off w and b, and the loss falls from {loss.item():.4f} to "
        f"{after.item():.4f}. Training is this, repeated.\n"
    )
