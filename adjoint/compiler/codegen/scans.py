"""Scans: states carried along one axis, for each line along it.

Where the axis is the last, a few lines go together with their states in registers: each operation
waits for the last one of its line. Otherwise the lines that lie side by side along the last axis go
together, a block at a time, so that memory is walked through in order and blocks become vectors;
their states lie in a few lines of the cache. So do lines along the last axis where what is computed
takes long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adjoint.compiler.codegen import parallel
from adjoint.compiler.codegen.scalars import emit
from adjoint.compiler.codegen.text import Text, in_memory, register, spell
from adjoint.compiler.functions import has_formula
from adjoint.compiler.nodes import Buffer, Look, Scalar, Scan, strides_of
from adjoint.shapes import product

if TYPE_CHECKING:
    from adjoint.compiler.codegen.module import Module

BLOCK = 64  # lines side by side in memory
FEW = 8  # lines side by side in registers
WORK = 8.0  # of a place, in units of `parallel`: a chain of operations, each waiting for the last
Coordinates = dict[int, str]


class ScanCode:
    """The function of one scan."""

    def __init__(self, module: Module, scan: Scan) -> None:
        self.module = module
        self.scan = scan
        self.text = Text()
        looked = [look.buffer for look in scan.looks()]
        self.buffers: list[Buffer] = list(dict.fromkeys([*looked, *scan.buffers]))
        self.pointers = {buffer: f"%p{number}" for number, buffer in enumerate(self.buffers)}
        domain, axis = scan.domain, scan.axis
        self.length = domain[axis]
        self.side, width = self._side()
        self.in_registers = width <= FEW
        lines = 1 if self.side is None else domain[self.side]
        self.width = min(lines, width)
        self.blocks = -(-lines // self.width) if lines else 0
        self.outer = [each for each in range(len(domain)) if each not in (axis, self.side)]
        self.turns = product([domain[each] for each in self.outer]) * self.blocks

    def _side(self) -> tuple[int | None, int]:
        """The axis whose lines go together, None for a line alone; and how many do."""
        scan, domain = self.scan, self.scan.domain
        last = len(domain) - 1
        if scan.axis != last and domain[last] > 1:
            return last, BLOCK
        others = [axis for axis in range(len(domain)) if axis != scan.axis and domain[axis] > 1]
        if not others:
            return None, 1
        # Exponentials and the like are worth gathering from many lines, to be made vectors.
        parts = [each for body in (*scan.following, *scan.bodies) for each in body.walk()]
        heavy = any(has_formula(each.name, each.kind) for each in parts)
        return max(others, key=lambda axis: domain[axis]), BLOCK if heavy else FEW

    def emit(self, name: str) -> tuple[str, list[Buffer]]:
        """Define the function; gives the call and the buffers it needs."""
        if 0 in self.scan.domain:
            return "", []
        name = self.module.define(name, self._function)
        pointers = [f"%b{buffer.number}" for buffer in self.buffers]
        division = parallel.divide(self.turns, product(self.scan.domain) * WORK)
        return parallel.call(self.module, name, pointers, division), self.buffers

    def _function(self, name: str) -> str:
        for number, (kind, _) in enumerate(self.scan.states):
            if not self.in_registers:
                self.text.do(
                    f"%states{number} = alloca [{self.width} x {in_memory(kind)}], align 64"
                )
        self.text.loop("%begin", "%end", self._line)
        self.text.do("ret void")
        pointers = [f"ptr noalias {pointer}" for pointer in self.pointers.values()]
        parameters = ", ".join([*pointers, "i64 %begin", "i64 %end"])
        body = "\n".join(self.text.lines)
        return f"define internal void @{name}({parameters}) {{\nentry:\n{body}\n}}\n"

    # -- loops --------------------------------------------------------------------------------

    def _line(self, turn: str) -> Sequence[str]:
        """One line along the axis, or a block of lines side by side."""
        text, domain = self.text, self.scan.domain
        coordinates: Coordinates = {}
        if self.blocks > 1:
            block = text.new(f"urem i64 {turn}, {self.blocks}")
            turn = text.new(f"udiv i64 {turn}, {self.blocks}")
        for axis in reversed(self.outer):
            coordinates[axis] = text.new(f"urem i64 {turn}, {domain[axis]}")
            turn = text.new(f"udiv i64 {turn}, {domain[axis]}")
        first = text.new(f"mul nuw nsw i64 {block}, {self.width}") if self.blocks > 1 else "0"
        if self.side is None:
            self._along([coordinates])
            return ()
        size, count = domain[self.side], str(self.width)
        if self.in_registers:
            if size % self.width:  # the last block begins where it has all its lines
                first = self._smaller(first, str(size - self.width))
            places = [text.new(f"add nuw nsw i64 {first}, {lane}") for lane in range(self.width)]
            self._along([{**coordinates, self.side: each} for each in places])
            return ()
        if size % self.width:  # the last block has fewer lines
            count = self._smaller(text.new(f"sub nuw nsw i64 {size}, {first}"), count)
        self._side_by_side(coordinates, first, count)
        return ()

    def _smaller(self, x: str, y: str) -> str:
        less = self.text.new(f"icmp ult i64 {x}, {y}")
        return self.text.new(f"select i1 {less}, i64 {x}, i64 {y}")

    def _place(self, turn: str) -> str:
        """The coordinate along the axis at a turn."""
        if not self.scan.reverse:
            return turn
        return self.text.new(f"sub nuw nsw i64 {self.length - 1}, {turn}")

    def _along(self, lines: Sequence[Coordinates]) -> None:
        """A few lines with their states in registers: while one waits for the last, others work."""
        scan = self.scan
        count = len(scan.states)

        def body(turn: str, *states: str) -> Sequence[str]:
            place, following = self._place(turn), []
            for number, line in enumerate(lines):
                own = states[number * count : (number + 1) * count]
                following += self._body({**line, scan.axis: place}, own)
            return following

        carried = [(register(kind), spell(start, kind)) for kind, start in scan.states]
        self.text.loop("0", str(self.length), body, carried * len(lines))

    def _side_by_side(self, coordinates: Coordinates, first: str, count: str) -> None:
        text, scan, side = self.text, self.scan, self.side
        assert side is not None

        def begin(lane: str) -> Sequence[str]:
            for number, (kind, start) in enumerate(scan.states):
                text.store(f"%states{number}", lane, spell(start, kind), kind)
            return ()

        def step(turn: str) -> Sequence[str]:
            at = {**coordinates, scan.axis: self._place(turn)}

            def body(lane: str) -> Sequence[str]:
                place = lane if first == "0" else text.new(f"add nuw nsw i64 {first}, {lane}")
                states = [
                    text.load(f"%states{number}", lane, kind)
                    for number, (kind, _) in enumerate(scan.states)
                ]
                following = self._body({**at, side: place}, states)
                for number, (kind, _) in enumerate(scan.states):
                    text.store(f"%states{number}", lane, following[number], kind)
                return ()

            text.loop("0", count, body)
            return ()

        text.loop("0", count, begin)
        text.loop("0", str(self.length), step)

    # -- what happens at one place ------------------------------------------------------------

    def _body(self, coordinates: Coordinates, states: Sequence[str]) -> list[str]:
        text, scan = self.text, self.scan
        bodies = (*scan.following, *scan.bodies)
        memo = {
            id(each): states[each.value]
            for body in bodies
            for each in body.walk()
            if each.name == "state"
        }

        def load(scalar: Scalar, args: Sequence[str]) -> str:
            if scalar.name == "index":
                return self._index(coordinates, 0, scalar.value)
            look: Look = scalar.value
            at = self._index(coordinates, look.offset, look.strides)
            return text.load(self.pointers[look.buffer], at, look.kind)

        values = [emit(text, each, load, memo, self.module.needs) for each in bodies]
        count = len(scan.following)
        for buffer, value in zip(scan.buffers, values[count:], strict=True):
            at = self._index(coordinates, 0, strides_of(buffer.shape))
            text.store(self.pointers[buffer], at, value, buffer.kind)
        return values[:count]

    def _index(self, coordinates: Coordinates, offset: int, strides: Sequence[Any]) -> str:
        found = str(offset)
        # The quickest coordinates last: what stays the same in the inner loop leaves it.
        for axis in [*self.outer, self.scan.axis, self.side]:
            step = 0 if axis is None else strides[axis]
            if axis is None or not step:
                continue
            moved = coordinates[axis]
            if step != 1:
                moved = self.text.new(f"mul nsw i64 {moved}, {step}")
            found = moved if found == "0" else self.text.new(f"add nsw i64 {found}, {moved}")
        return found
