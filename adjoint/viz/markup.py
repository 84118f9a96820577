"""The graph as text: an indented tree, Mermaid, and Graphviz's DOT."""

from __future__ import annotations

from collections import deque

from adjoint.viz.model import INPUT, OPERATION, PARAMETER, RESULT, Vertex

DEEPEST = 24  # levels of indentation before the tree goes on at the margin


def tree(vertices: list[Vertex]) -> str:
    """Results first, what each was made from indented below it; a shared part is shown once."""
    lines: list[str] = []
    shown: set[int] = set()
    roots = deque((each, "") for each in vertices if each.kind == RESULT)
    if not roots:
        roots.append((vertices[-1], ""))
    while roots:  # longer by the parts that were too deep
        root, mark = roots.popleft()
        _subtree(vertices, root, mark, lines, shown, roots)
    return "\n".join(lines)


def _subtree(
    vertices: list[Vertex],
    root: Vertex,
    mark: str,
    lines: list[str],
    shown: set[int],
    roots: deque[tuple[Vertex, str]],
) -> None:
    # (vertex, its depth, what to draw before it, what to draw before what it is made from)
    stack = [(root, 0, mark, "")]
    while stack:
        vertex, depth, lead, below = stack.pop()
        if vertex.number in shown and vertex.sources:
            lines.append(f"{lead}{describe(vertex)}  (shown above)")
            continue
        if depth == DEEPEST and vertex.sources:
            lines.append(f"{lead}{describe(vertex)}  (goes on at [{vertex.number}])")
            roots.append((vertex, f"[{vertex.number}] "))
            continue
        lines.append(lead + describe(vertex))
        shown.add(vertex.number)
        for position, number in reversed(list(enumerate(vertex.sources))):
            last = position == len(vertex.sources) - 1
            branch, trunk = ("└─ ", "   ") if last else ("├─ ", "│  ")
            stack.append((vertices[number], depth + 1, below + branch, below + trunk))


def describe(vertex: Vertex) -> str:
    """One line on a vertex: name, operation, shape and the user's line."""
    if vertex.kind in (INPUT, PARAMETER):
        return f"{vertex.label}: {vertex.kind} {vertex.size}"
    name = f"{vertex.name} = " if vertex.name else ""
    return f"{name}{vertex.label} {vertex.size}" + (f"  {vertex.where}" if vertex.where else "")


def lines_of(vertex: Vertex) -> list[str]:
    """What stands in a vertex's box: the operation or name, the shape, the user's line."""
    if vertex.kind in (INPUT, PARAMETER):
        return [vertex.label, vertex.size]
    first = vertex.label + (f" → {vertex.name}" if vertex.name else "")
    return [first, vertex.size, *([vertex.where] if vertex.where else [])]


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def mermaid(vertices: list[Vertex]) -> str:
    """A Mermaid flowchart, the parameters in a subgraph of their own."""
    shapes = {INPUT: ("(", ")"), PARAMETER: ("(", ")"), OPERATION: ("[", "]"), RESULT: ("([", "])")}

    def box(vertex: Vertex) -> str:
        left, right = shapes[vertex.kind]
        text = "<br>".join(map(_quoted, lines_of(vertex)))
        return f'n{vertex.number}{left}"{text}"{right}:::{vertex.kind}'

    lines = ["flowchart LR"]
    parameters = [each for each in vertices if each.kind == PARAMETER]
    if parameters:
        lines.append('  subgraph parameters["Parameters"]')
        lines += [f"    {box(each)}" for each in parameters]
        lines.append("  end")
    lines += [f"  {box(each)}" for each in vertices if each.kind != PARAMETER]
    lines += [f"  n{source} --> n{each.number}" for each in vertices for source in each.sources]
    lines += [
        f"  classDef {kind} fill:{fill},stroke:{stroke},color:#1b1f24"
        for kind, (fill, stroke) in COLOURS.items()
    ]
    return "\n".join(lines) + "\n"


def dot(vertices: list[Vertex]) -> str:
    """The same for Graphviz."""

    def box(vertex: Vertex) -> str:
        fill, stroke = COLOURS[vertex.kind]
        text = "\\n".join(
            line.replace("\\", "\\\\").replace('"', '\\"') for line in lines_of(vertex)
        )
        return f'n{vertex.number} [label="{text}", fillcolor="{fill}", color="{stroke}"];'

    lines = [
        "digraph adjoint {",
        '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11];',
    ]
    parameters = [each for each in vertices if each.kind == PARAMETER]
    if parameters:
        lines.append('  subgraph cluster_parameters { label="Parameters"; style=rounded;')
        lines += [f"    {box(each)}" for each in parameters]
        lines.append("  }")
    lines += [f"  {box(each)}" for each in vertices if each.kind != PARAMETER]
    lines += [f"  n{source} -> n{each.number};" for each in vertices for source in each.sources]
    return "\n".join([*lines, "}"]) + "\n"


# Fill and outline of each kind: distinguishable in print and by the colour-blind, dark text on all.
COLOURS = {
    INPUT: ("#e8f1fb", "#4a7fb5"),
    PARAMETER: ("#fdf0d5", "#b7791f"),
    OPERATION: ("#ffffff", "#6b7280"),
    RESULT: ("#e3f4e8", "#2f855a"),
}
