"""Where reductions combine: in registers, in their buffers, or in partial results.

Long sums and those along the loop that threads divide have *partial results*, on the stack: of each
chunk, or of all together where chunks have different elements of the result. In the end they are
combined in the order of the chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from adjoint.compiler.arrangement import count
from adjoint.compiler.codegen import parallel
from adjoint.compiler.codegen.accesses import Accesses, Loop, Place, Start
from adjoint.compiler.codegen.combining import (
    BLOCK,
    accumulator_of,
    combine,
    is_blocked,
    start_of,
)
from adjoint.compiler.codegen.costs import work_of
from adjoint.compiler.codegen.scalars import convert
from adjoint.compiler.codegen.text import Text, code, register, spell
from adjoint.compiler.codegen.tiling import DOWN, wants_tiles
from adjoint.compiler.kernels import Kernel
from adjoint.compiler.nodes import Buffer, Reduction

PARTIALS = 131_072  # bytes of partial results, all together
LINE = 64  # elements: where chunks of one long loop begin


class Sums:
    """The reductions of a kernel, and how its loops are divided among threads."""

    def __init__(self, kernel: Kernel, accesses: Accesses, loops: list[Loop]) -> None:
        self.kernel = kernel
        self.accesses = accesses
        self.loops = loops
        self.single = len(kernel.phases) == 1
        self.nodes = [each for each in kernel.nodes if isinstance(each, Reduction)]
        self.division = self._divide()
        # How many copies of the result there are, for those that have partial results.
        self.copies: dict[Reduction, int] = {}
        room = PARTIALS
        for node in self.nodes:
            copies = self._copies(node)
            if copies > 1 or (copies and self._bytes(node) <= room):
                self.copies[node] = copies
                room -= copies * self._bytes(node)
        self.pointers = {node: f"%q{number}" for number, node in enumerate(self.copies)}

    # -- decisions ----------------------------------------------------------------------------

    def _divide(self) -> parallel.Division:
        if self.kernel.empty or not self.loops:
            return parallel.Division(1, 1, 1)
        turns = self.loops[0].size
        if self.kernel.updates:
            return parallel.Division(turns, 1, turns)
        multiple = 1
        if len(self.loops) == 1 and self.single:
            multiple = BLOCK if any(map(is_blocked, self.nodes)) else LINE
        if len(self.loops) == 2 and wants_tiles(self.kernel, self.loops):
            multiple = DOWN
        if any(node.name == "mul" for node in self.loops[0].reduced):
            return parallel.Division(turns, 1, turns)  # products are in order
        copy = sum(self._bytes(node) for node in self.loops[0].reduced)
        most = max(1, PARTIALS // copy) if copy else parallel.MOST
        return parallel.divide(turns, work_of(self.kernel), multiple, most)

    def _bytes(self, node: Reduction) -> int:
        return node.buffers[0].size * accumulator_of(node).itemsize

    def _copies(self, node: Reduction) -> int:
        if self.kernel.empty or not self.loops:
            return 0
        along = node in self.loops[0].reduced
        if along and self.division.chunks > 1:
            return self.division.chunks
        if not is_blocked(node) or not self.kernel.accumulates(node) or not self.at_once(node):
            return 0
        many = count(node.domain) // node.buffers[0].size > BLOCK
        return 1 if many else 0

    def at_once(self, node: Reduction) -> bool:
        """Whether what it combines in memory is not only of one place of the outer loops."""
        outer = self.kernel.arranged(node).outer
        return self.single or any(piece.axis in node.axes for piece in outer)

    def pointer(self, buffer: Buffer) -> str:
        """The first element of a buffer; nothing for one that is not in memory."""
        if buffer in self.kernel.made:  # another's memory may be that of what is only looked at
            buffer = self.accesses.same.get(buffer, buffer)
        return self.accesses.pointers.get(Start(buffer, 0), "")

    # -- first values -------------------------------------------------------------------------

    def begin(self, text: Text) -> None:
        """What happens before the loops."""
        for node in self.nodes:
            buffer, pointer = node.buffers[0], self.pointer(node.buffers[0])
            if self.kernel.empty:  # reductions still give their first values
                if buffer.size:
                    self._fill(text, pointer, node, buffer.kind, "0", str(buffer.size))
                continue
            kind = buffer.kind
            if node in self.copies:
                pointer, kind = self.pointers[node], accumulator_of(node)
            if self.kernel.accumulates(node) and self.at_once(node):
                self._fill(text, pointer, node, kind, *self._share(text, node))

    def _share(self, text: Text, node: Reduction) -> tuple[str, str]:
        """The elements of the result that the turns at hand combine."""
        size = node.buffers[0].size
        if node in self.loops[0].reduced:
            return "0", str(size)
        share = size // self.loops[0].size
        begin, end = (text.new(f"mul nuw nsw i64 {each}, {share}") for each in ("%begin", "%end"))
        return begin, end

    def begin_row(self, text: Text, node: Reduction, indices: dict[Place, str]) -> None:
        """What happens before a phase, at one place of the outer loops."""
        if not self.kernel.accumulates(node) or self.at_once(node):
            return
        buffer = node.buffers[0]
        begin = indices[self.accesses.stores[node]]
        end = text.new(f"add nuw nsw i64 {begin}, {self.kernel.row_of(buffer)}")
        self._fill(text, self.pointer(buffer), node, buffer.kind, begin, end)

    def _fill(
        self, text: Text, pointer: str, node: Reduction, kind: Any, begin: str, end: str
    ) -> None:
        first = spell(start_of(node.name, kind), kind)

        def body(index: str) -> list[str]:
            text.store(pointer, index, first, kind)
            return []

        text.loop(begin, end, body)

    # -- results ------------------------------------------------------------------------------

    def flush(
        self, text: Text, node: Reduction, value: str, kind: Any, indices: dict[Place, str]
    ) -> str | None:
        """A reduction leaves registers; gives its result, if that is all."""
        buffer = node.buffers[0]
        place = self.accesses.stores.get(node)
        index = indices[place] if place is not None else ""
        pointer, target = self.pointer(buffer), buffer.kind
        if node in self.copies:
            pointer, target = self.pointers[node], accumulator_of(node)
        value = convert(text, value, kind, target)
        more = self.kernel.accumulates(node)
        if more:
            present = text.load(pointer, index, target)
            value = combine(text, node.name, present, value, target)
        if place is not None:
            text.store(pointer, index, value, target)
        return None if more or self.kernel.row_of(buffer) > 1 else value

    def partials(self, starts: Sequence[Start], module: Any) -> list[parallel.Partial]:
        """What is to be done with partial results, for pointers to ``starts``."""
        found = []
        for node, copies in self.copies.items():
            buffer, kind = node.buffers[0], accumulator_of(node)
            name = f"combine_{node.name}_{code(kind)}_{code(buffer.kind)}"
            name = module.define(name, partial(_combining, node.name, kind, buffer.kind))
            place = starts.index(Start(buffer, 0))
            found.append(parallel.Partial(place, self._bytes(node), copies, buffer.size, name))
        return found


def _combining(operation: str, kind: Any, result: Any, name: str) -> str:
    """A function that makes results of copies of partial ones, in order."""
    text = Text()

    def element(index: str) -> list[str]:
        def copy(number: str, value: str) -> list[str]:
            row = text.new(f"mul nuw nsw i64 {number}, %size")
            place = text.new(f"add nuw nsw i64 {row}, {index}")
            return [combine(text, operation, value, text.load("%copies", place, kind), kind)]

        first = spell(start_of(operation, kind), kind)
        (value,) = text.loop("0", "%count", copy, [(register(kind), first)])
        text.store("%results", index, convert(text, value, kind, result), result)
        return []

    text.loop("0", "%size", element)
    body = "\n".join([*text.lines, "  ret void"])
    pointers = "ptr noalias %results, ptr noalias %copies"
    return (
        f"define internal void @{name}({pointers}, i64 %size, i64 %count) {{\nentry:\n{body}\n}}\n"
    )
