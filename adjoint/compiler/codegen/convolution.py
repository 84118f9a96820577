"""Convolutions: tiles of neighbouring windows by output channels.

Vectors go along the output channels, which lie together in the weight; the elements of windows are
single numbers, which may lie anywhere: so neither stride nor dilation costs anything, and nothing
is copied into columns. A finished tile is turned in registers, as windows are neighbours in the
result.
"""

from __future__ import annotations

from typing import NamedTuple

from adjoint.compiler.codegen.target import lanes_for, vectors
from adjoint.compiler.codegen.vector_text import VectorText
from adjoint.compiler.codegen.windows import head
from adjoint.compiler.windows import Convolution

CHUNK = 256  # products added up in registers at once, about: longer sums would be less exact


class Shape(NamedTuple):
    """A tile: lines of neighbouring windows, and vectors of output channels."""

    lines: int
    columns: int
    vectors: int


class ConvolutionCode:
    """Writes the function of a ``Convolution`` node: of x, w, the start and the result.

    A unit is a tile's place in one image and group, with all output channels of the group.
    """

    def __init__(self, node: Convolution, declarations: set[str]) -> None:
        self.node = node
        self.groups, self.inputs = node.w.shape[:2]
        self.outputs = node.w.shape[-1]
        self.planes = node.buffers[0].shape[2:]
        self.high = self.planes[-2] if len(self.planes) > 1 else 1
        self.wide = self.planes[-1]
        kind = node.buffers[0].kind
        self.tile, lanes = self._shape()
        self.text = VectorText(kind, lanes, declarations)
        self.width = self._width()  # output channels at once
        self.across = -(-self.wide // self.tile.columns)
        self.down = -(-self.high // self.tile.lines)
        self.lead = 1
        for size in self.planes[:-2]:
            self.lead *= size
        self.taps = self._taps()
        self.units = node.x.shape[0] * self.groups * self.lead * self.down * self.across

    def _shape(self) -> tuple[Shape, int]:
        """The tile, and how many elements a vector has."""
        lanes = lanes_for(self.node.buffers[0].kind, self.outputs)
        return best_shape(self.high, self.wide, self.outputs, lanes), lanes

    def _width(self) -> int:
        return self.tile.vectors * self.text.lanes

    @property
    def count(self) -> int:
        """How many vectors of sums there are."""
        return self.tile.lines * self.tile.columns * self.tile.vectors

    def _taps(self) -> list[int]:
        """Where the elements of a window are behind its first."""
        steps, windows = self.node.x.strides[2:], self.node.windows
        found = [0]
        for size, gap, step in zip(windows.kernel, windows.dilation, steps, strict=True):
            found = [first + place * gap * step for first in found for place in range(size)]
        return found

    def _steps(self) -> list[int]:
        """How far the next window is along each dimension."""
        steps = self.node.x.strides[2:]
        return [a * b for a, b in zip(self.node.windows.stride, steps, strict=True)]

    def function(self, name: str) -> str:
        """The text."""
        self.table = f"{name}_taps"
        self.text.loop("%begin", "%end", self._unit)
        self.text.do("ret void")
        taps = ", ".join(f"i64 {each}" for each in self.taps)
        table = f"@{self.table} = private constant [{len(self.taps)} x i64] [{taps}]\n"
        return table + head(name, "xwsz", self.text)

    def _unit(self, unit: str) -> list[str]:
        """The tile at one place: for each panel of output channels."""
        text, tile, steps = self.text, self.tile, self._steps()
        column, rest = text.divided(unit, self.across)
        line, rest = text.divided(rest, self.down)
        first_column = self._first(column, tile.columns, self.wide)
        first_line = self._first(line, tile.lines, self.high)
        lead, rest = text.divided(rest, self.lead)
        group, image = text.divided(rest, self.groups)
        x = text.walk("%x", image, self.node.x.strides[0])
        x = text.walk(x, group, self.inputs * self.node.x.strides[1])
        x = text.walk(x, first_column, steps[-1])
        if len(steps) > 1:
            x = text.walk(x, first_line, steps[-2])
        inside = lead
        for size, step in zip(self.planes[-3::-1], steps[-3::-1], strict=False):
            place, inside = text.divided(inside, size)
            x = text.walk(x, place, step)
        plane = self.lead * self.high * self.wide
        z = text.walk("%z", image, self.groups * self.outputs * plane)
        z = text.walk(z, group, self.outputs * plane)
        z = text.walk(z, lead, self.high * self.wide)
        z = text.walk(text.walk(z, first_line, self.wide), first_column, 1)
        w = text.walk("%w", group, self.inputs * len(self.taps) * self.outputs)
        begin = text.walk("%s", group, self.outputs)
        panels = -(-self.outputs // self.width)

        def panel(number: str) -> list[str]:
            first = self._first(number, self.width, self.outputs)
            own = text.walk(w, first, 1), text.walk(begin, first, 1), text.walk(z, first, plane)
            self._tile(x, *own, plane)
            return []

        if panels == 1:
            panel("0")
        else:
            text.loop("0", str(panels), panel)
        return []

    def _first(self, number: str, size: int, of: int) -> str:
        first = self.text.times(number, size)
        return first if of % size == 0 or of < size else self.text.at_most(first, of - size)

    # -- a tile -------------------------------------------------------------------------------

    def _tile(self, x: str, w: str, begin: str, z: str, plane: int) -> None:
        channels = max(1, CHUNK // len(self.taps))
        if self.inputs <= 2 * channels:
            sums = self._sums(x, w, "0", str(self.inputs))
        else:
            sums = self._chunks(x, w, channels)
        self._finish(sums, begin, z, plane)

    def _finish(self, sums: list[str], begin: str, z: str, plane: int) -> None:
        """Put the tile into the result: its vectors go across the channels' planes."""
        text, tile = self.text, self.tile
        rows = tile.lines * tile.columns
        for place in range(tile.vectors):
            values = [sums[row * tile.vectors + place] for row in range(rows)]
            count = min(self.outputs - place * text.lanes, text.lanes)
            if self.node.start is not None:
                start = text.load(text.at(begin, place * text.lanes), count)
                values = [text.plus(each, start) for each in values]
            goal = text.at(z, place * text.lanes * plane)
            for first in range(0, rows, text.lanes):
                part = values[first : first + text.lanes]
                part += ["zeroinitializer"] * (text.lanes - len(part))
                for channel, value in enumerate(text.turned(part)[:count]):
                    text.store(text.at(goal, channel * plane + first), value, rows - first)

    def _sums(self, x: str, w: str, begin: str, end: str) -> list[str]:
        """The sums over some input channels and all taps."""
        text, taps = self.text, len(self.taps)
        kinds = [text.vector] * self.count

        def channel(number: str, *sums: str) -> list[str]:
            own_x = text.walk(x, number, self.node.x.strides[1])
            own_w = text.walk(w, number, taps * self.outputs)

            def tap(place: str, *inner: str) -> list[str]:
                at = text.new(f"getelementptr i64, ptr @{self.table}, i64 {place}")
                offset = text.new(f"load i64, ptr {at}")
                return self._step(
                    text.walk(own_x, offset, 1), text.walk(own_w, place, self.outputs), inner
                )

            if taps == 1:
                return self._step(text.at(own_x, self.taps[0]), own_w, sums)
            return text.loop("0", str(taps), tap, list(zip(kinds, sums, strict=True)))

        carried = [(kind, "zeroinitializer") for kind in kinds]
        return text.loop(begin, end, channel, carried)

    def _chunks(self, x: str, w: str, channels: int) -> list[str]:
        """The sums over all, those over some channels added up in memory."""
        text = self.text
        totals = text.totals(self.count)

        def chunk(number: str) -> list[str]:
            begin = text.times(number, channels)
            end = text.at_most(text.new(f"add nuw nsw i64 {begin}, {channels}"), self.inputs)
            for place, value in zip(totals, self._sums(x, w, begin, end), strict=True):
                text.add_to(place, value)
            return []

        for place in totals:
            text.store(place, "zeroinitializer")
        text.loop("0", str(-(-self.inputs // channels)), chunk)
        return [text.load(place) for place in totals]

    def _step(self, x: str, w: str, sums: tuple[str, ...]) -> list[str]:
        """One element of every window, by its weights."""
        text, tile, steps = self.text, self.tile, self._steps()
        weights = [
            text.load(text.at(w, place * text.lanes), self.outputs - place * text.lanes)
            for place in range(tile.vectors)
        ]
        found: list[str] = []
        for line in range(tile.lines):
            for column in range(tile.columns):
                offset = column * steps[-1] + (line * steps[-2] if line else 0)
                spread = text.spread(text.load_one(text.at(x, offset)))
                for weight in weights:
                    found.append(text.multiply_add(spread, weight, sums[len(found)]))
        return found


def best_shape(high: int, wide: int, outputs: int, lanes: int) -> Shape:
    """The tile that takes the fewest cycles; counted as for matrix products."""
    whole, registers = -(-outputs // lanes), vectors().registers
    found = []
    for wide_tile in range(1, min(4, whole) + 1):
        most = (registers - wide_tile - 1) // wide_tile
        for rows in range(1, most + 1):
            columns = min(wide, rows)
            lines = min(rows // columns, high) if columns == wide else 1
            if lines * columns < rows and rows > 1:
                continue
            size = lines * columns
            tiles = -(-high // lines) * -(-wide // columns) * -(-whole // wide_tile)
            each = max(size * wide_tile / 2, (size + wide_tile) / 2, 4.0) + 0.5
            found.append((tiles * each, -wide_tile, Shape(lines, columns, wide_tile)))
    return min(found)[2]
