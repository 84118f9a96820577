"""The graph as a picture: an SVG written by hand, for browsers, notebooks and documents."""

from __future__ import annotations

from html import escape
from itertools import pairwise

from adjoint.viz.layout import LINE, TURN, Box, arrange
from adjoint.viz.markup import COLOURS, lines_of
from adjoint.viz.model import PARAMETER, Vertex

STYLE = (
    "text{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1b1f24;"
    "text-anchor:middle}.first{font-weight:600}.rest{fill:#57606a}.tag{fill:#8a5a12}"
    "path{fill:none;stroke:#8b949e;stroke-width:1.2;marker-end:url(#arrow)}"
    "path.parameter{stroke:#b7791f;stroke-opacity:.55}"
)
ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" '
    'markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" '
    'style="fill:#8b949e;stroke:none;marker-end:none"/></marker></defs>'
)


def svg(vertices: list[Vertex]) -> str:
    """The whole picture as one string; it needs no file and no program beside it."""
    layout = arrange(vertices)
    width, height = round(layout.width), round(layout.height)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-label="computational graph">'
        ),
        f"<style>{STYLE}</style>",
        ARROW,
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    if layout.panel is not None:
        x, y, panel_width, panel_height = layout.panel
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{panel_width:.1f}" height="{panel_height:.1f}" '
            'rx="10" fill="#fffaf0" stroke="#e2c48d" stroke-dasharray="4 3"/>'
            f'<text class="rest" x="{x + panel_width / 2:.1f}" y="{y + 19:.1f}">Parameters</text>'
        )
    parts += [_edge(path) for path in layout.edges]
    parts += [_box(box) for box in layout.boxes]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _box(box: Box) -> str:
    vertex = box.vertex
    assert vertex is not None
    fill, stroke = COLOURS[vertex.kind]
    radius = 6 if vertex.kind == "operation" else 14
    lines = [*lines_of(vertex), *([box.tag] if box.tag else [])]
    first = box.y - (len(lines) - 1) * LINE / 2 + 4
    text = "".join(
        f'<text class="{_style(number, line, box)}" x="{box.x:.1f}" '
        f'y="{first + number * LINE:.1f}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    title = escape(" ".join(lines))
    return (
        f'<g><title>{title}</title><rect x="{box.x - box.width / 2:.1f}" '
        f'y="{box.y - box.height / 2:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="{radius}" fill="{fill}" stroke="{stroke}"/>{text}</g>'
    )


def _style(number: int, line: str, box: Box) -> str:
    if not number:
        return "first"
    return "tag" if line == box.tag else "rest"


def _edge(path: list[Box]) -> str:
    """A smooth line: out of the bottom and in at the top, or from the parameters' side."""
    source, target = path[0], path[-1]
    if source.vertex is not None and source.vertex.kind == PARAMETER:
        x, y = source.x + source.width / 2, source.y
        end_x, end_y = target.x - target.width / 2, target.y
        half = (end_x - x) / 2
        return (
            f'<path class="parameter" d="M{x:.1f} {y:.1f}C{x + half:.1f} {y:.1f} '
            f'{end_x - half:.1f} {end_y:.1f} {end_x:.1f} {end_y:.1f}"/>'
        )
    steps = [f"M{source.x:.1f} {source.y + source.height / 2:.1f}"]
    for before, after in pairwise(path):
        x, y = before.x, before.y + before.height / 2
        next_x, next_y = after.x, after.y - after.height / 2
        if before.column == after.column:
            middle = (y + next_y) / 2
            steps.append(
                f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {next_y:.1f}"
            )
        else:  # around through the gap between the columns
            gap, low, high = after.gutter, y + TURN, next_y - TURN
            steps.append(f"C{x:.1f} {low:.1f} {gap:.1f} {low:.1f} {gap:.1f} {y:.1f}")
            steps.append(f"L{gap:.1f} {next_y:.1f}C{gap:.1f} {high:.1f}")
            steps.append(f" {next_x:.1f} {high:.1f} {next_x:.1f} {next_y:.1f}")
    return f'<path d="{"".join(steps)}"/>'
