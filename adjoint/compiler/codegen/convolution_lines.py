"""Convolutions to few channels: vectors go along the lines of the planes instead.

Windows must be neighbours there. The weights are single numbers then; depthwise convolutions, and
those to an image's colours, would leave most lanes of a vector of output channels empty.
"""

from __future__ import annotations

from adjoint.compiler.codegen.convolution import ConvolutionCode, Shape
from adjoint.compiler.codegen.target import lanes_for, vectors
from adjoint.compiler.windows import Convolution

MOST = 3  # how often the channels may go into a vector's lanes and still be few


def suits(node: Convolution) -> bool:
    """Whether lines are the better direction."""
    outputs, wide = node.w.shape[-1], node.buffers[0].shape[-1]
    kind = node.buffers[0].kind
    along = node.windows.stride[-1] == 1 and (node.x.strides[-1] == 1 or node.x.shape[-1] == 1)
    lanes = lanes_for(kind, vectors().bytes // kind.itemsize)
    return along and wide > 1 and outputs * MOST <= lanes and outputs < lanes_for(kind, wide)


class LineCode(ConvolutionCode):
    """As ``ConvolutionCode``; a tile is all output channels of some vectors of some lines.

    The last vector of a line is moved back, where the lines are long enough.
    """

    def _shape(self) -> tuple[Shape, int]:
        lanes = lanes_for(self.node.buffers[0].kind, self.wide)
        self.across_line = min(-(-self.wide // lanes), 4)
        room = vectors().registers * 3 // 4 // (self.outputs * self.across_line)
        columns = min(self.across_line * lanes, self.wide)
        return Shape(max(1, min(self.high, room)), columns, self.outputs), lanes

    def _width(self) -> int:
        return self.outputs

    @property
    def count(self) -> int:
        return self.tile.lines * self.across_line * self.outputs

    def _vectors(self) -> list[tuple[int, int, int]]:
        """Line, first column and number of columns of each vector."""
        lanes, columns = self.text.lanes, self.tile.columns
        firsts = [max(min(place * lanes, columns - lanes), 0) for place in range(self.across_line)]
        count = min(lanes, columns)
        return [(line, first, count) for line in range(self.tile.lines) for first in firsts]

    def _step(self, x: str, w: str, sums: tuple[str, ...]) -> list[str]:
        text, steps = self.text, self._steps()
        elements = []
        for line, first, count in self._vectors():
            offset = first + (line * steps[-2] if line else 0)
            elements.append(text.load(text.at(x, offset), count))
        found: list[str] = []
        for channel in range(self.outputs):
            spread = text.spread(text.load_one(text.at(w, channel)))
            for element in elements:
                found.append(text.multiply_add(spread, element, sums[len(found)]))
        return found

    def _finish(self, sums: list[str], begin: str, z: str, plane: int) -> None:
        text = self.text
        waiting = iter(sums)
        for channel in range(self.outputs):
            start = None
            if self.node.start is not None:
                start = text.spread(text.load_one(text.at(begin, channel)))
            for line, first, count in self._vectors():
                value = next(waiting)
                if start is not None:
                    value = text.plus(value, start)
                goal = text.at(z, channel * plane + line * self.wide + first)
                text.store(goal, value, count)
