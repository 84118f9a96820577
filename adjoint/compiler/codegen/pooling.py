"""Maxima over windows of planes, a vector of windows at a time, and their gradients."""

from __future__ import annotations

from typing import Any

from adjoint.compiler.codegen.target import lanes_for, vectors
from adjoint.compiler.codegen.vector_text import VectorText
from adjoint.compiler.windows import MaxBack, MaxPool

INT64 = 8  # bytes of an index


def _function(name: str, parameters: str, text: VectorText) -> str:
    body = "\n".join(text.lines)
    return (
        f"define internal void @{name}({parameters}, i64 %begin, i64 %end) noinline nounwind "
        f"{vectors().attributes} {{\nentry:\n{body}\n}}\n"
    )


class _Lines:
    """What both directions share: a unit is a line of windows."""

    def __init__(self, text: VectorText, across: int) -> None:
        self.text = text
        self.across = across  # windows of a line
        lanes = text.lanes
        self.wide, self.small = f"<{lanes} x i64>", f"<{lanes} x i32>"

    def constant(self, kind: str, values: list[int]) -> str:
        """A vector of numbers."""
        element = kind.split(" x ")[1].rstrip(">")
        return f"<{', '.join(f'{element} {each}' for each in values)}>"

    def mask(self, count: int) -> str:
        """True for the first lanes."""
        lanes = self.text.lanes
        bits = ("i1 true" if lane < count else "i1 false" for lane in range(lanes))
        return f"<{lanes} x i1> <{', '.join(bits)}>"

    def pieces(self) -> list[tuple[int, int]]:
        """First window and number of windows of each vector."""
        lanes = self.text.lanes
        return [(first, min(lanes, self.across - first)) for first in range(0, self.across, lanes)]

    def index_at(self, pointer: str, offset: str) -> str:
        """The address of an index."""
        return self.text.new(f"getelementptr i64, ptr {pointer}, i64 {offset}")

    def declare(self, text: str) -> None:
        """What is called."""
        self.text.declarations.add(f"declare {text}")


class _LineByLine:
    """Writes the function of a node of windows, a line of them at a time."""

    pointers = ""  # of the function, in LLVM's words

    def __init__(self, node: Any, declarations: set[str]) -> None:
        self.node = node
        buffer = node.buffers[0]
        self.down, across = node.windows.sizes
        self.text = VectorText(buffer.kind, lanes_for(buffer.kind, across), declarations)
        self.lines = _Lines(self.text, across)
        self.units = buffer.shape[0] * self.down

    def function(self, name: str) -> str:
        """The text."""
        self.text.loop("%begin", "%end", self._line)
        self.text.do("ret void")
        return _function(name, self.pointers, self.text)

    def _line(self, unit: str) -> list[str]:
        raise NotImplementedError


class MaxPoolCode(_LineByLine):
    """Writes the function of a ``MaxPool`` node: of x, the values and the indices."""

    node: MaxPool
    pointers = "ptr noalias readonly %x, ptr noalias %z, ptr noalias %i"

    def _line(self, unit: str) -> list[str]:
        text, node, lines = self.text, self.node, self.lines
        strides, (step, along) = node.x.strides, node.windows.stride
        line, plane = text.divided(unit, self.down)
        x = text.walk(text.walk("%x", plane, strides[0]), line, step * strides[2])
        z = text.walk("%z", unit, lines.across)
        indices = lines.index_at("%i", text.times(unit, lines.across))
        base = text.times(line, step * node.width)
        for first, count in lines.pieces():
            best, chosen = self._best(text.at(x, first * along), count)
            text.store(text.at(z, first), best, count)
            start = text.new(f"insertelement {lines.wide} poison, i64 {base}, i64 0")
            zeros = f"<{text.lanes} x i32> zeroinitializer"
            start = text.new(f"shufflevector {lines.wide} {start}, {lines.wide} poison, {zeros}")
            steps = lines.constant(lines.wide, [(first + at) * along for at in range(text.lanes)])
            start = text.new(f"add {lines.wide} {start}, {steps}")
            place = text.new(f"zext {lines.small} {chosen} to {lines.wide}")
            place = text.new(f"add {lines.wide} {place}, {start}")
            name = f"llvm.masked.store.v{text.lanes}i64.p0"
            lines.declare(f"void @{name}({lines.wide}, ptr, i32, <{text.lanes} x i1>)")
            at = lines.index_at(indices, str(first))
            text.do(
                f"call void @{name}({lines.wide} {place}, ptr {at}, i32 {INT64}, "
                f"{lines.mask(count)})"
            )
        return []

    def _best(self, x: str, count: int) -> tuple[str, str]:
        """The greatest elements of some neighbouring windows, and their places from the first."""
        text, node, lines = self.text, self.node, self.lines
        bits = f"<{text.lanes} x i1>"
        best = chosen = ""
        for line in range(node.windows.kernel[0]):
            for column in range(node.windows.kernel[1]):
                offset = line * node.x.strides[2] + column
                value = self._every(text.at(x, offset), count)
                where = line * node.width + column
                place = lines.constant(lines.small, [where] * text.lanes)
                if not best:
                    best, chosen = value, place
                    continue
                greater = text.new(f"fcmp ogt {text.vector} {value}, {best}")
                broken = text.new(f"fcmp uno {text.vector} {value}, {value}")
                better = text.new(f"or {bits} {greater}, {broken}")
                best = text.new(
                    f"select {bits} {better}, {text.vector} {value}, {text.vector} {best}"
                )
                chosen = text.new(
                    f"select {bits} {better}, {lines.small} {place}, {lines.small} {chosen}"
                )
        return best, chosen

    def _every(self, x: str, count: int) -> str:
        """The elements at the windows' distances."""
        text = self.text
        if self.node.windows.stride[1] == 1:
            return text.load(x, count)
        size = 2 * count - 1
        low, high = text.load(x, size), text.load(text.at(x, text.lanes), size - text.lanes)
        return text.shuffled(low, high, list(range(0, 2 * text.lanes, 2)))


class MaxBackCode(_LineByLine):
    """Writes the function of a ``MaxBack`` node: of g, the indices and the result."""

    node: MaxBack
    pointers = "ptr noalias readonly %g, ptr noalias readonly %i, ptr noalias %z"

    def _line(self, unit: str) -> list[str]:
        text, node, lines = self.text, self.node, self.lines
        high, width = node.windows.kernel[0], node.buffers[0].shape[-1]
        line, _ = text.divided(unit, self.down)
        g = text.walk("%g", unit, lines.across)
        indices = lines.index_at("%i", text.times(unit, lines.across))
        z = text.walk("%z", unit, high * width)
        base = text.times(line, high * width)
        name = f"llvm.masked.load.v{text.lanes}i64.p0"
        lines.declare(f"{lines.wide} @{name}(ptr, i32, <{text.lanes} x i1>, {lines.wide})")
        for first, count in lines.pieces():
            values = text.load(text.at(g, first), count)
            found = text.new(
                f"call {lines.wide} @{name}(ptr {lines.index_at(indices, str(first))}, "
                f"i32 {INT64}, {lines.mask(count)}, {lines.wide} zeroinitializer)"
            )
            start = text.new(f"insertelement {lines.wide} poison, i64 {base}, i64 0")
            zeros = f"<{text.lanes} x i32> zeroinitializer"
            start = text.new(f"shufflevector {lines.wide} {start}, {lines.wide} poison, {zeros}")
            found = text.new(f"sub {lines.wide} {found}, {start}")
            place = text.new(f"trunc {lines.wide} {found} to {lines.small}")
            for row in range(high):
                self._store(text.at(z, row * width + 2 * first), place, values, row, first, count)
        return []

    def _store(self, goal: str, place: str, values: str, row: int, first: int, count: int) -> None:
        """A line of the planes: two elements for each window."""
        text, lines = self.text, self.lines
        width = self.node.buffers[0].shape[-1]
        pair = []
        for column in range(2):
            wanted = lines.constant(
                lines.small, [row * width + column + 2 * (first + at) for at in range(text.lanes)]
            )
            here = text.new(f"icmp eq {lines.small} {place}, {wanted}")
            pair.append(
                text.new(
                    f"select <{text.lanes} x i1> {here}, {text.vector} {values}, "
                    f"{text.vector} zeroinitializer"
                )
            )
        order = [lane // 2 + (lane % 2) * text.lanes for lane in range(2 * text.lanes)]
        for half in range(2):
            part = order[half * text.lanes : (half + 1) * text.lanes]
            left = 2 * count - half * text.lanes
            if left > 0:
                text.store(
                    text.at(goal, half * text.lanes), text.shuffled(pair[0], pair[1], part), left
                )
