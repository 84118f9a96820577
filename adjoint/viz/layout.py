"""Places for the boxes: layers from the inputs down to the result, few crossings, no overlap.

The method is that of K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of
hierarchical system structures" (1981): layers by longest path, an order in each by the mean place
of the neighbours, then coordinates. A deep graph is folded into columns, like a newspaper.
Parameters stand in a group of their own at the left; where arrows would cover the picture (from one
that is used in many places, and from all in a folded picture) the boxes that use them name them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import chain, pairwise

from adjoint.viz.markup import lines_of
from adjoint.viz.model import INPUT, PARAMETER, Vertex

CHARACTER, LINE, MARGIN = 6.7, 15.0, 9.0  # of the 11-pixel font, in pixels
ACROSS, DOWN, COLUMN = 26.0, 38.0, 90.0  # gaps between boxes, layers, and from the parameters
SWEEPS = 8
MOST_ARROWS = 3  # from one parameter; with more uses it is named in the boxes
TURN = 36.0  # by which an arrow between columns goes past the ends of the columns
TALLEST = 1500.0  # of a picture in one column, in pixels


@dataclass
class Box:
    """A placed vertex; ``x`` and ``y`` are the centre's. A bend of a long edge has no vertex."""

    vertex: Vertex | None
    width: float
    height: float
    layer: int = 0
    column: int = 0
    gutter: float = 0.0  # the middle of the gap at the left of its column
    tag: str = ""  # the parameters that are named instead of drawn
    x: float = 0.0
    y: float = 0.0


@dataclass
class Layout:
    """All boxes, the edges, and the size of the picture."""

    boxes: list[Box]
    edges: list[list[Box]]  # the boxes an edge goes through: source, bends, target
    width: float
    height: float
    panel: tuple[float, float, float, float] | None  # the parameters' group: x, y, width, height


def measure(vertex: Vertex, tag: str) -> Box:
    """A box just large enough for a vertex's lines."""
    lines = [*lines_of(vertex), *([tag] if tag else [])]
    return Box(
        vertex,
        max(map(len, lines)) * CHARACTER + 2 * MARGIN,
        len(lines) * LINE + 2 * MARGIN - 4,
        tag=tag,
    )


def arrange(vertices: list[Vertex]) -> Layout:
    """Places for all vertices."""
    layout = _arranged(vertices, MOST_ARROWS)
    folded = any(box.column for box in layout.boxes)
    return _arranged(vertices, 0) if folded else layout


def _arranged(vertices: list[Vertex], most_arrows: int) -> Layout:
    """Places, with arrows from the parameters that have no more than ``most_arrows`` uses."""
    named_only = _used_often(vertices, most_arrows)
    boxes = {}
    for vertex in vertices:
        named = [named_only[source] for source in vertex.sources if source in named_only]
        boxes[vertex.number] = measure(vertex, "← " + ", ".join(named) if named else "")
    flow = [vertex for vertex in vertices if vertex.kind != PARAMETER]
    _assign_layers(flow, boxes)
    layers, chains = _with_bends(flow, boxes)
    _order(layers, chains)
    _place_across(layers, chains)
    _place_down(layers)
    _fold(layers)
    parameters = [boxes[vertex.number] for vertex in vertices if vertex.kind == PARAMETER]
    if most_arrows:
        panel = _place_parameters(parameters, vertices, boxes)
    else:
        panel = _stack_parameters(parameters, boxes)
    edges = chains + [
        [boxes[source], boxes[vertex.number]]
        for vertex in vertices
        for source in vertex.sources
        if vertices[source].kind == PARAMETER and source not in named_only
    ]
    return _shifted(list(boxes.values()), edges, panel)


def _used_often(vertices: list[Vertex], most_arrows: int) -> dict[int, str]:
    """Names of the parameters with more uses than ``most_arrows``."""
    uses = Counter(source for vertex in vertices for source in vertex.sources)
    return {
        vertex.number: vertex.label
        for vertex in vertices
        if vertex.kind == PARAMETER and uses[vertex.number] > most_arrows
    }


def _assign_layers(flow: list[Vertex], boxes: dict[int, Box]) -> None:
    """Below all its sources; an input just above the first that takes it."""
    used_by: dict[int, list[int]] = defaultdict(list)
    for vertex in flow:  # sources come first in the list
        above = [boxes[s].layer for s in vertex.sources if _flows(boxes[s])]
        boxes[vertex.number].layer = 1 + max(above, default=-1)
        for source in vertex.sources:
            used_by[source].append(vertex.number)
    # The first operations need a layer above them for their inputs.
    lift = 1 if any(v.kind == INPUT for v in flow) else 0
    for vertex in flow:
        if vertex.kind != INPUT:
            boxes[vertex.number].layer += lift if not vertex.sources else 0
    for vertex in flow:
        if vertex.kind == INPUT and used_by[vertex.number]:
            boxes[vertex.number].layer = min(boxes[n].layer for n in used_by[vertex.number]) - 1
    lowest = min((boxes[vertex.number].layer for vertex in flow), default=0)
    for vertex in flow:
        boxes[vertex.number].layer -= lowest


def _flows(box: Box) -> bool:
    return box.vertex is not None and box.vertex.kind != PARAMETER


def _with_bends(
    flow: list[Vertex], boxes: dict[int, Box]
) -> tuple[list[list[Box]], list[list[Box]]]:
    """The boxes of each layer, with a bend wherever an edge passes through one."""
    depth = 1 + max((boxes[vertex.number].layer for vertex in flow), default=0)
    layers: list[list[Box]] = [[] for _ in range(depth)]
    for vertex in flow:
        layers[boxes[vertex.number].layer].append(boxes[vertex.number])
    chains = []
    for vertex in flow:
        for number in vertex.sources:
            source, target = boxes[number], boxes[vertex.number]
            if not _flows(source):
                continue
            bends = [Box(None, 4.0, 0.0, layer) for layer in range(source.layer + 1, target.layer)]
            for bend in bends:
                layers[bend.layer].append(bend)
            chains.append([source, *bends, target])
    return layers, chains


def _neighbours(chains: list[list[Box]]) -> tuple[dict[int, list[Box]], dict[int, list[Box]]]:
    above: dict[int, list[Box]] = defaultdict(list)
    below: dict[int, list[Box]] = defaultdict(list)
    for path in chains:
        for upper, lower in pairwise(path):
            above[id(lower)].append(upper)
            below[id(upper)].append(lower)
    return above, below


def _order(layers: list[list[Box]], chains: list[list[Box]]) -> None:
    """Sort each layer by the mean place of its neighbours, downward and upward in turn."""
    above, below = _neighbours(chains)
    for sweep in range(SWEEPS):
        towards, order = (above, layers) if sweep % 2 == 0 else (below, layers[::-1])
        places = {id(box): place for layer in layers for place, box in enumerate(layer)}
        for layer in order:
            means = {}
            for box in layer:
                near = [places[id(each)] for each in towards[id(box)]]
                means[id(box)] = sum(near) / len(near) if near else places[id(box)]
            layer.sort(key=lambda box: means[id(box)])
            places.update({id(box): place for place, box in enumerate(layer)})


def _place_across(layers: list[list[Box]], chains: list[list[Box]]) -> None:
    """Draw every box towards the mean of its neighbours, and push overlaps apart."""
    above, below = _neighbours(chains)
    for layer in layers:
        x = 0.0
        for box in layer:
            box.x = x + box.width / 2
            x += box.width + ACROSS
    for sweep in range(2 * SWEEPS):
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            wanted = []
            for box in layer:
                near = above[id(box)] + below[id(box)]
                wanted.append(sum(each.x for each in near) / len(near) if near else box.x)
            _push_apart(layer, wanted)


def _push_apart(layer: list[Box], wanted: list[float]) -> None:
    """The mean of the leftmost and rightmost places that keep the order and the gaps."""
    left, right = list(wanted), list(wanted)
    for place in range(1, len(layer)):
        gap = (layer[place - 1].width + layer[place].width) / 2 + ACROSS
        left[place] = max(left[place], left[place - 1] + gap)
    for place in range(len(layer) - 2, -1, -1):
        gap = (layer[place].width + layer[place + 1].width) / 2 + ACROSS
        right[place] = min(right[place], right[place + 1] - gap)
    for box, low, high in zip(layer, left, right, strict=True):
        box.x = (low + high) / 2


def _place_down(layers: list[list[Box]]) -> None:
    y = 0.0
    for layer in layers:
        height = max((box.height for box in layer), default=0.0)
        for box in layer:
            box.y = y + height / 2
        y += height + DOWN


def _fold(layers: list[list[Box]]) -> None:
    """Break a deep picture into columns side by side, about as wide together as they are tall."""
    height = max((box.y + box.height / 2 for layer in layers for box in layer), default=0.0)
    if height <= TALLEST:
        return
    lefts = [box.x - box.width / 2 for layer in layers for box in layer]
    rights = [box.x + box.width / 2 for layer in layers for box in layer]
    width = max(rights) - min(lefts) + COLUMN
    columns = max(2, round(math.sqrt(height / width)))
    each = height / columns
    column, top = 0, 0.0
    for layer in layers:
        upper = min((box.y - box.height / 2 for box in layer), default=top)
        if upper - top >= each:
            column, top = column + 1, upper
        for box in layer:
            box.column = column
            box.gutter = min(lefts) + column * width - COLUMN / 2
            box.x += column * width
            box.y -= top


def _place_parameters(
    parameters: list[Box], vertices: list[Vertex], boxes: dict[int, Box]
) -> tuple[float, float, float, float] | None:
    """A column left of everything, each parameter about level with what uses it first."""
    if not parameters:
        return None
    wanted = {}
    for box in parameters:
        assert box.vertex is not None
        number = box.vertex.number
        users = [boxes[v.number].y for v in vertices if number in v.sources]
        wanted[id(box)] = min(users, default=0.0)
    parameters.sort(key=lambda box: wanted[id(box)])
    others = [box for box in boxes.values() if _flows(box)]
    edge = min((box.x - box.width / 2 for box in others), default=0.0) - COLUMN
    width = max(box.width for box in parameters)
    bottom = float("-inf")
    for box in parameters:
        box.x = edge - width / 2
        box.y = max(wanted[id(box)], bottom + box.height / 2 + 14)
        bottom = box.y + box.height / 2
    top = parameters[0].y - parameters[0].height / 2
    return edge - width - 14, top - 32, width + 28, bottom - top + 46


def _stack_parameters(
    parameters: list[Box], boxes: dict[int, Box]
) -> tuple[float, float, float, float] | None:
    """Columns left of everything, as tall as the rest of the picture, in the order of use."""
    if not parameters:
        return None
    others = [box for box in boxes.values() if _flows(box)]
    top = min((box.y - box.height / 2 for box in others), default=0.0) + 18
    bottom = max((box.y + box.height / 2 for box in others), default=0.0)
    edge = min((box.x - box.width / 2 for box in others), default=0.0) - COLUMN
    width = max(box.width for box in parameters)
    step = max(box.height for box in parameters) + 14
    rows = max(1, int((bottom - top) // step))
    columns = math.ceil(len(parameters) / rows)
    rows = math.ceil(len(parameters) / columns)
    left = edge - columns * width - (columns - 1) * ACROSS
    for place, box in enumerate(parameters):
        column, row = divmod(place, rows)
        box.x = left + column * (width + ACROSS) + width / 2
        box.y = top + row * step + box.height / 2
    return left - 14, top - 32, edge - left + 28, rows * step - 14 + 46


def _shifted(
    boxes: list[Box], edges: list[list[Box]], panel: tuple[float, float, float, float] | None
) -> Layout:
    """Move everything into the quarter plane of positive coordinates, with a border."""
    everything = list({id(box): box for box in [*boxes, *chain.from_iterable(edges)]}.values())
    lefts = [box.x - box.width / 2 for box in everything]
    tops = [box.y - box.height / 2 for box in everything]
    rights = [box.x + box.width / 2 for box in everything]
    bottoms = [box.y + box.height / 2 for box in everything]
    if panel is not None:
        lefts.append(panel[0])
        tops.append(panel[1])
        rights.append(panel[0] + panel[2])
        bottoms.append(panel[1] + panel[3])
    border = 20 if not any(box.column for box in boxes) else 20 + TURN
    dx, dy = 20 - min(lefts), border - min(tops)
    for box in everything:
        box.x, box.y, box.gutter = box.x + dx, box.y + dy, box.gutter + dx
    if panel is not None:
        panel = (panel[0] + dx, panel[1] + dy, panel[2], panel[3])
    return Layout(boxes, edges, max(rights) + dx + 20, max(bottoms) + dy + border, panel)
