"""Planes with room around them, and matrices turned: what convolutions read."""

from __future__ import annotations

from adjoint.compiler.codegen.target import lanes_for, vectors
from adjoint.compiler.codegen.text import spell
from adjoint.compiler.codegen.turning import turn
from adjoint.compiler.codegen.vector_text import VectorText
from adjoint.compiler.windows import Padded, Turned

WRITTEN_OUT = 8  # vectors of a row that are copied without a loop


def head(name: str, pointers: str, body: VectorText) -> str:
    """The function around a body; all but the last of the letters are only read."""
    read, written = pointers[:-1], pointers[-1]
    parameters = [f"ptr noalias readonly %{each}" for each in read] + [f"ptr noalias %{written}"]
    lines = "\n".join([*body.memory, *body.lines])
    return (
        f"define internal void @{name}({', '.join(parameters)}, i64 %begin, i64 %end) "
        f"noinline nounwind {vectors().attributes} {{\nentry:\n{lines}\n}}\n"
    )


class PaddedCode:
    """Writes the function of a ``Padded`` node: of x and the result; a unit is a plane."""

    def __init__(self, node: Padded, declarations: set[str]) -> None:
        self.node = node
        buffer = node.buffers[0]
        self.planes = buffer.shape[0] * buffer.shape[1]
        self.sizes = buffer.shape[2:]
        self.text = VectorText(buffer.kind, lanes_for(buffer.kind, self.sizes[-1]), declarations)
        self.units = self.planes

    def function(self, name: str) -> str:
        """The text."""
        self.text.loop("%begin", "%end", self._plane)
        self.text.do("ret void")
        return head(name, "xz", self.text)

    def _plane(self, unit: str) -> list[str]:
        text, node = self.text, self.node
        size = 1
        for each in self.sizes:
            size *= each
        goal = text.walk("%z", unit, size)
        channel, image = text.divided(unit, node.x.shape[1])
        strides = node.x.strides
        source = text.walk(text.walk("%x", image, strides[0]), channel, strides[1])
        empty = spell(node.around, node.buffers[0].kind)

        def fill(index: str) -> list[str]:
            text.store_one(text.walk(goal, index, 1), empty)
            return []

        text.loop("0", str(size), fill)
        if all(each.size for each in node.places):
            self._rows(source, goal, 0, size)
        return []

    def _rows(self, source: str, goal: str, dim: int, size: int) -> None:
        """Copy along the dimensions from ``dim`` on; ``size`` elements are under one before."""
        text, node = self.text, self.node
        place, step = node.places[dim], node.x.strides[2 + dim]
        size //= self.sizes[dim]
        source = text.at(source, place.first * step)
        goal = text.at(goal, place.low * size)
        if dim == len(self.sizes) - 1:
            self._row(source, goal, place.size, step, place.step)
            return

        def body(index: str) -> list[str]:
            inner = text.walk(goal, index, place.step * size)
            self._rows(text.walk(source, index, step), inner, dim + 1, size)
            return []

        text.loop("0", str(place.size), body)

    def _row(self, source: str, goal: str, count: int, step: int, to: int) -> None:
        text, lanes = self.text, self.text.lanes

        def one(index: str) -> list[str]:
            text.store_one(
                text.walk(goal, index, to), text.load_one(text.walk(source, index, step))
            )
            return []

        def vector(index: str) -> list[str]:
            at = text.times(index, lanes)
            text.store(text.walk(goal, at, 1), text.load(text.walk(source, at, 1)))
            return []

        if (step != 1 and count > 1) or to != 1:
            text.loop("0", str(count), one)
            return
        whole = count // lanes
        if whole > WRITTEN_OUT:
            text.loop("0", str(whole), vector)
        first = whole * lanes if whole > WRITTEN_OUT else 0
        for at in range(first, count, lanes):
            part = count - at
            text.store(text.at(goal, at), text.load(text.at(source, at), part), part)


class TurnedCode:
    """Writes the function of a ``Turned`` node: of x and the result.

    A unit is as many rows of a matrix as a vector has elements. Squares go through registers; the
    last ones are moved back, where they do not fit.
    """

    def __init__(self, node: Turned, shared: dict[str, str], declarations: set[str]) -> None:
        self.node = node
        self.shared = shared
        self.count, self.rows, self.columns = node.x.shape
        kind = node.buffers[0].kind
        lanes = lanes_for(kind, min(max(self.rows, 2), max(self.columns, 2)))
        self.text = VectorText(kind, lanes, declarations)
        self.blocks = -(-self.rows // lanes)
        self.units = self.count * self.blocks

    def function(self, name: str) -> str:
        """The text."""
        self.text.loop("%begin", "%end", self._unit)
        self.text.do("ret void")
        return head(name, "xz", self.text)

    def _unit(self, unit: str) -> list[str]:
        text, lanes = self.text, self.text.lanes
        block, matrix = text.divided(unit, self.blocks)
        stack, down, _ = self.node.x.strides
        row = text.times(block, lanes)
        if self.rows > lanes and self.rows % lanes:
            row = text.at_most(row, self.rows - lanes)
        source = text.walk(text.walk("%x", matrix, stack), row, down)
        goal = text.walk(text.walk("%z", matrix, self.rows * self.columns), row, 1)
        if min(self.rows, self.columns) >= lanes:
            name = turn(self.shared, text.declarations, text.kind, lanes)
            numbers = (down, self.rows, lanes, self.columns)
            given = ", ".join(f"i64 {each}" for each in numbers)
            text.do(f"call void @{name}(ptr {source}, ptr {goal}, {given})")
            return []

        def square(number: str) -> list[str]:
            column = text.times(number, lanes)
            if self.columns > lanes and self.columns % lanes:
                column = text.at_most(column, self.columns - lanes)
            self._square(text.walk(source, column, 1), text.walk(goal, column, self.rows), down)
            return []

        turns = -(-self.columns // lanes)
        if turns == 1:
            square("0")
        else:
            text.loop("0", str(turns), square)
        return []

    def _square(self, source: str, goal: str, down: int) -> None:
        text, lanes = self.text, self.text.lanes
        rows = [
            text.load(text.at(source, row * down), self.columns)
            if row < self.rows
            else "zeroinitializer"
            for row in range(lanes)
        ]
        for column, value in enumerate(text.turned(rows)[: self.columns]):
            text.store(text.at(goal, column * self.rows), value, self.rows)
