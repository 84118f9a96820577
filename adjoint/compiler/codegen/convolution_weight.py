"""Gradients of convolutions' weights: tiles of elements of windows by output channels.

Vectors go along the output channels of the cotangent, which lies turned; what windows see are
single numbers again. A tile goes over all windows of some images.
"""

from __future__ import annotations

from typing import NamedTuple

from adjoint.compiler.codegen.target import lanes_for, vectors
from adjoint.compiler.codegen.vector_text import VectorText
from adjoint.compiler.codegen.windows import head
from adjoint.compiler.windows import ConvolutionWeight

CHUNK = 1024  # windows whose products are added up in registers at once, about


class Shape(NamedTuple):
    """A tile: input channels, lines and columns of the kernel, vectors of output channels."""

    channels: int
    lines: int
    columns: int
    vectors: int


class WeightCode:
    """Writes the function of a ``ConvolutionWeight`` node: of x, g and the result.

    A unit is a tile over a part of the batch.
    """

    def __init__(self, node: ConvolutionWeight, declarations: set[str]) -> None:
        self.node = node
        buffer = node.buffers[0]
        self.parts, self.groups, self.inputs = buffer.shape[:3]
        self.outputs = buffer.shape[-1]
        self.kernel, self.sizes = node.windows.kernel, node.windows.sizes
        lines = self.kernel[-2] if len(self.kernel) > 1 else 1
        lanes = lanes_for(buffer.kind, self.outputs)
        self.tile = best_shape(self.inputs, self.kernel[:-2], lines, self.kernel[-1],
                               -(-self.outputs // lanes))  # fmt: skip
        self.lines = lines
        self.text = VectorText(buffer.kind, lanes, declarations)
        self.width = self.tile.vectors * lanes
        self.counts = (
            -(-self.outputs // self.width),
            -(-self.kernel[-1] // self.tile.columns),
            -(-lines // self.tile.lines),
            -(-self.inputs // self.tile.channels),
        )
        self.units = self.parts * self.groups
        for each in (*self.counts, *self.kernel[:-2]):
            self.units *= each
        self.rows = self.tile.channels * self.tile.lines * self.tile.columns

    def function(self, name: str) -> str:
        """The text."""
        self.text.loop("%begin", "%end", self._unit)
        self.text.do("ret void")
        return head(name, "xgz", self.text)

    def _unit(self, unit: str) -> list[str]:
        text, tile, node = self.text, self.tile, self.node
        strides, gaps = node.x.strides, node.windows.dilation
        places = []
        rest = unit
        limits = (self.outputs, self.kernel[-1], self.lines, self.inputs)
        sizes = (self.width, tile.columns, tile.lines, tile.channels)
        for count, part, of in zip(self.counts, sizes, limits, strict=True):
            number, rest = text.divided(rest, count)
            first = text.times(number, part)
            places.append(first if of % part == 0 or of < part else text.at_most(first, of - part))
        output, column, line, channel = places
        x = text.walk("%x", channel, strides[1])
        x = text.walk(x, column, gaps[-1] * strides[-1])
        z = text.walk(text.walk("%z", output, 1), column, self.outputs)
        z = text.walk(z, line, self.kernel[-1] * self.outputs)
        if len(self.kernel) > 1:
            x = text.walk(x, line, gaps[-2] * strides[-2])
        step = self.lines * self.kernel[-1] * self.outputs
        for dim in range(len(self.kernel) - 3, -1, -1):
            place, rest = text.divided(rest, self.kernel[dim])
            x = text.walk(x, place, gaps[dim] * strides[2 + dim])
            z = text.walk(z, place, step)
            step *= self.kernel[dim]
        z = text.walk(z, channel, step)
        group, piece = text.divided(rest, self.groups)
        x = text.walk(x, group, self.inputs * strides[1])
        z = text.walk(z, group, self.inputs * step)
        z = text.walk(z, piece, self.groups * self.inputs * step)
        g = text.walk(text.walk("%g", output, 1), group, self.outputs)
        self._tile(x, g, z, piece, step)
        return []

    def _tile(self, x: str, g: str, z: str, part: str, channel: int) -> None:
        """Sum over the images of a part, and store."""
        text, tile, images = self.text, self.tile, self.node.x.shape[0]
        totals = text.totals(self.rows * tile.vectors)
        for place in totals:
            text.store(place, "zeroinitializer")
        scaled = text.times(part, images)
        following = (
            text.new(f"add nuw nsw i64 {scaled}, {images}") if self.parts > 1 else str(images)
        )
        begin, end = scaled, following
        if self.parts > 1:
            begin = text.new(f"udiv i64 {scaled}, {self.parts}")
            end = text.new(f"udiv i64 {following}, {self.parts}")
        plane = self.groups * self.outputs
        for size in self.sizes:
            plane *= size

        def image(number: str) -> list[str]:
            own_x = text.walk(x, number, self.node.x.strides[0])
            self._lead(0, own_x, text.walk(g, number, plane), plane, totals)
            return []

        text.loop(begin, end, image)
        for row in range(self.rows):
            rest, column = divmod(row, tile.columns)
            input, line = divmod(rest, tile.lines)
            goal = input * channel + (line * self.kernel[-1] + column) * self.outputs
            for number in range(tile.vectors):
                value = text.load(totals[row * tile.vectors + number])
                at = text.at(z, goal + number * text.lanes)
                text.store(at, value, self.outputs - number * text.lanes)

    def _lead(self, dim: int, x: str, g: str, size: int, totals: list[str]) -> None:
        """Loops along the windows' dimensions, of which the last two are one sum."""
        text, strides = self.text, self.node.x.strides
        size //= self.sizes[dim]
        step = self.node.windows.stride[dim] * strides[2 + dim]
        few = 1
        for each in self.sizes[dim:]:
            few *= each
        if dim == len(self.sizes) - 1 or (dim == len(self.sizes) - 2 and few <= CHUNK):
            count = self.rows * self.tile.vectors
            zeros = ["zeroinitializer"] * count
            for place, value in zip(totals, self._sums(dim, x, g, size, zeros), strict=True):
                text.add_to(place, value)
            return

        def body(index: str) -> list[str]:
            self._lead(dim + 1, text.walk(x, index, step), text.walk(g, index, size), size, totals)
            return []

        text.loop("0", str(self.sizes[dim]), body)

    def _sums(self, dim: int, x: str, g: str, size: int, sums: list[str]) -> list[str]:
        text = self.text
        step = self.node.windows.stride[dim] * self.node.x.strides[2 + dim]

        def body(index: str, *inner: str) -> list[str]:
            own_x, own_g = text.walk(x, index, step), text.walk(g, index, size)
            if dim == len(self.sizes) - 1:
                return self._step(own_x, own_g, inner)
            deeper = size // self.sizes[dim + 1]
            return self._sums(dim + 1, own_x, own_g, deeper, list(inner))

        carried = [(text.vector, each) for each in sums]
        return text.loop("0", str(self.sizes[dim]), body, carried)

    def _step(self, x: str, g: str, sums: tuple[str, ...]) -> list[str]:
        """One window: each of the tile's elements by the cotangents."""
        text, tile, strides = self.text, self.tile, self.node.x.strides
        gaps = self.node.windows.dilation
        cotangents = [
            text.load(text.at(g, place * text.lanes), self.outputs - place * text.lanes)
            for place in range(tile.vectors)
        ]
        found: list[str] = []
        for row in range(self.rows):
            rest, column = divmod(row, tile.columns)
            input, line = divmod(rest, tile.lines)
            offset = input * strides[1] + column * gaps[-1] * strides[-1]
            if line:
                offset += line * gaps[-2] * strides[-2]
            spread = text.spread(text.load_one(text.at(x, offset)))
            for each in cotangents:
                found.append(text.multiply_add(spread, each, sums[len(found)]))
        return found


def best_shape(inputs: int, lead: tuple[int, ...], lines: int, columns: int, whole: int) -> Shape:
    """The tile that takes the fewest cycles; counted as for matrix products."""
    registers = vectors().registers
    found: list[tuple[float, int, Shape]] = []
    outside = 1
    for each in lead:
        outside *= each
    for wide in range(1, min(4, whole) + 1):
        most = (registers - wide - 1) // wide
        shapes = [(1, 1, each) for each in range(1, min(columns, most) + 1)]
        if columns <= most:
            shapes += [(1, each, columns) for each in range(2, min(lines, most // columns) + 1)]
        if lines * columns <= most and outside == 1:
            highest = min(inputs, most // (lines * columns))
            shapes += [(each, lines, columns) for each in range(2, highest + 1)]
        for channels, high, across in shapes:
            tiles = -(-inputs // channels) * -(-lines // high) * -(-columns // across)
            size = channels * high * across
            cycles = max(size * wide / 2, (size + wide) / 2, 4.0) + 0.5
            cost = outside * tiles * -(-whole // wide) * cycles
            found.append((cost, -wide, Shape(channels, high, across, wide)))
    return min(found)[2]
