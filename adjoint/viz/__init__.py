"""See the graph: as text, Mermaid, DOT, SVG, and in notebooks."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from adjoint.tape.node import Port
from adjoint.tape.tensor import Tensor
from adjoint.viz import markup
from adjoint.viz.model import Vertex, collect
from adjoint.viz.svg import svg

__all__ = ["Graph", "graph"]


class Graph:
    """A drawing of what results were computed from. ``print`` shows it as an indented tree.

    ``note`` says what is missing from it, and why; "" where nothing is.
    """

    def __init__(self, vertices: list[Vertex], note: str = "") -> None:
        self.vertices = vertices
        self.note = note

    def __len__(self) -> int:
        return len(self.vertices)

    def __str__(self) -> str:
        tree = markup.tree(self.vertices)
        return f"{tree}\n({self.note})" if self.note else tree

    def __repr__(self) -> str:
        edges = sum(len(vertex.sources) for vertex in self.vertices)
        return f"<graph of {len(self.vertices)} vertices and {edges} edges>"

    def text(self) -> str:
        """An indented tree, the result first."""
        return str(self)

    def mermaid(self) -> str:
        """A Mermaid flowchart, for Markdown."""
        return markup.mermaid(self.vertices)

    def dot(self) -> str:
        """A graph in Graphviz's language."""
        return markup.dot(self.vertices)

    def svg(self) -> str:
        """A picture, made without any other program."""
        return svg(self.vertices)

    def html(self) -> str:
        """A page of its own with the picture."""
        title = escape(repr(self).strip("<>"))
        return (
            f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
            f"<body>{self.svg()}</body></html>\n"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": str(self)}


def graph(
    results: Any,
    params: Mapping[str, Any] | None = None,
    *,
    inputs: Mapping[str, Any] | None = None,
) -> Graph:
    """The graph that ``results`` (a tensor or several) were recorded in.

    ``params`` and ``inputs`` name tensors; others take the name of the caller's variable that
    holds them. An input that needs no gradient is known only if an operation saved it, and until a
    backward pass frees it; the text of the graph says so then. Raises ``TypeError`` for results
    that are not Tensors, and for ``params`` or ``inputs`` that do not map names to Tensors.

    >>> import adjoint as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> print(torch.viz.graph(x * x, {"x": x}).mermaid().splitlines()[2])
        n0("x<br>[]"):::parameter
    """
    several = tuple(results) if isinstance(results, Sequence) else (results,)
    for result in several:
        if not isinstance(result, Tensor):
            raise TypeError(f"graph() shows Tensors, not {type(result).__name__}")
    params, inputs = _named("params", params), _named("inputs", inputs)
    names: dict[int, str] = {}
    frame = sys._getframe(1)
    for name, value in {**frame.f_locals, **inputs, **params}.items():
        if isinstance(value, Tensor) and not name.startswith("_"):
            names[id(value)] = name
            if value._node is not None:
                edge = value._node
                names[id(edge.node if isinstance(edge, Port) else edge)] = name
    vertices, freed = collect(several, params, names)
    note = (
        f"inputs that need no gradient are missing where the backward at {freed} freed what was "
        "saved: draw the graph before it, or call it with retain_graph=True"
    )
    return Graph(vertices, note if freed else "")


def _named(argument: str, tensors: Any) -> dict[str, Any]:
    """The names and tensors of an argument, or ``TypeError``."""
    example = f"{argument}={{'w': w}}"
    if tensors is None:
        return {}
    if not isinstance(tensors, Mapping):
        kind = type(tensors).__name__
        raise TypeError(f"{argument} gives names to Tensors, as in {example}, not {kind}")
    for name, tensor in tensors.items():
        if not isinstance(name, str):
            kind = type(name).__name__
            raise TypeError(f"the names in {argument} are text, as in {example}, not {kind}")
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{argument}[{name!r}] must be a Tensor, not {type(tensor).__name__}")
    return dict(tensors)
