"""Functions with explicit vectors: what tiles, panels and dots are written with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.compiler.codegen.text import Text, in_memory

SUFFIX = {"float": "f32", "double": "f64"}


class VectorText(Text):
    """The body of a function that computes with vectors of one type."""

    def __init__(self, kind: np.dtype[Any], lanes: int, declarations: set[str]) -> None:
        super().__init__()
        self.kind = kind
        self.lanes = lanes
        self.declarations = declarations
        self.element = in_memory(kind)
        self.vector = f"<{lanes} x {self.element}>"
        self.suffix = f"v{lanes}{SUFFIX.get(self.element, self.element)}"
        self.bytes = kind.itemsize
        self.memory: list[str] = []  # the function's own, to be had before anything else

    # -- places -------------------------------------------------------------------------------

    def times(self, index: str, number: int) -> str:
        """An index multiplied by what is known."""
        if not index.startswith("%"):
            return str(int(index) * number)
        return index if number == 1 else self.new(f"mul nsw i64 {index}, {number}")

    def walk(self, pointer: str, index: str, step: int) -> str:
        """The address ``index`` times ``step`` elements further."""
        moved = self.times(index, step) if step else "0"
        if moved == "0":
            return pointer
        return self.new(f"getelementptr {self.element}, ptr {pointer}, i64 {moved}")

    def at(self, pointer: str, offset: int) -> str:  # type: ignore[override]
        """The address ``offset`` elements further."""
        return self.walk(pointer, str(offset), 1)

    def divided(self, value: str, by: int) -> tuple[str, str]:
        """Remainder and quotient; the remainder is known where there is but one."""
        if by == 1:
            return "0", value
        return self.new(f"urem i64 {value}, {by}"), self.new(f"udiv i64 {value}, {by}")

    def at_most(self, value: str, limit: int) -> str:
        """The smaller of both."""
        over = self.new(f"icmp ugt i64 {value}, {limit}")
        return self.new(f"select i1 {over}, i64 {limit}, i64 {value}")

    def either(self, condition: str, one: Callable[[], None], other: Callable[[], None]) -> None:
        """What ``one`` writes if a condition holds, else what the ``other`` does."""
        number = self.count()
        found = self.new(condition)
        self.do(f"br i1 {found}, label %one{number}, label %other{number}")
        for label, write in (("one", one), ("other", other)):
            self.label(f"{label}{number}")
            write()
            self.do(f"br label %both{number}")
        self.label(f"both{number}")

    # -- memory -------------------------------------------------------------------------------

    def _mask(self, count: int) -> str:
        bits = ("i1 true" if lane < count else "i1 false" for lane in range(self.lanes))
        return f"<{self.lanes} x i1> <{', '.join(bits)}>"

    def load(self, pointer: str, count: int | None = None) -> str:  # type: ignore[override]
        """A vector; only the first ``count`` elements, and zeros."""
        if count is None or count >= self.lanes:
            return self.new(f"load {self.vector}, ptr {pointer}, align {self.bytes}")
        if count <= 0:
            return "zeroinitializer"
        name = f"llvm.masked.load.{self.suffix}.p0"
        bits = f"<{self.lanes} x i1>"
        self.declarations.add(f"declare {self.vector} @{name}(ptr, i32, {bits}, {self.vector})")
        return self.new(
            f"call {self.vector} @{name}(ptr {pointer}, i32 {self.bytes}, {self._mask(count)}, "
            f"{self.vector} zeroinitializer)"
        )

    def store(self, pointer: str, value: str, count: int | None = None) -> None:  # type: ignore[override]
        """Put a vector into memory; only the first ``count`` elements."""
        if count is None or count >= self.lanes:
            self.do(f"store {self.vector} {value}, ptr {pointer}, align {self.bytes}")
            return
        name = f"llvm.masked.store.{self.suffix}.p0"
        bits = f"<{self.lanes} x i1>"
        self.declarations.add(f"declare void @{name}({self.vector}, ptr, i32, {bits})")
        self.do(
            f"call void @{name}({self.vector} {value}, ptr {pointer}, i32 {self.bytes}, "
            f"{self._mask(count)})"
        )

    def load_one(self, pointer: str) -> str:
        """An element."""
        return self.new(f"load {self.element}, ptr {pointer}, align {self.bytes}")

    def store_one(self, pointer: str, value: str) -> None:
        """Put an element into memory."""
        self.do(f"store {self.element} {value}, ptr {pointer}, align {self.bytes}")

    def totals(self, count: int) -> list[str]:
        """Addresses of vectors in the function's own memory; only once in a function."""
        self.memory.append(f"  %totals = alloca [{count} x {self.vector}], align 64")
        return [
            self.new(f"getelementptr {self.vector}, ptr %totals, i64 {place}")
            for place in range(count)
        ]

    def add_to(self, pointer: str, value: str) -> None:
        """Add to a vector in memory."""
        self.store(pointer, self.plus(self.load(pointer), value))

    # -- arithmetic ---------------------------------------------------------------------------

    def spread(self, number: str) -> str:
        """A number in all lanes."""
        one = self.new(f"insertelement {self.vector} poison, {self.element} {number}, i64 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.new(f"shufflevector {self.vector} {one}, {self.vector} poison, {zeros}")

    def shuffled(self, a: str, b: str, order: list[int]) -> str:
        """Lanes of two vectors in another order."""
        lanes = ", ".join(f"i32 {each}" for each in order)
        return self.new(
            f"shufflevector {self.vector} {a}, {self.vector} {b}, <{len(order)} x i32> <{lanes}>"
        )

    def plus(self, x: str, y: str) -> str:
        """The sum of two vectors."""
        return self.new(f"{'fadd' if self.kind.kind == 'f' else 'add'} {self.vector} {x}, {y}")

    def plus_one(self, x: str, y: str) -> str:
        """The sum of two elements."""
        return self.new(f"{'fadd' if self.kind.kind == 'f' else 'add'} {self.element} {x}, {y}")

    def multiply_add(self, x: str, y: str, total: str) -> str:
        """``x * y + total``, in one instruction where there is one."""
        kind = self.vector
        if self.kind.kind != "f":
            return self.plus(self.new(f"mul {kind} {x}, {y}"), total)
        name = f"llvm.fmuladd.{self.suffix}"
        self.declarations.add(f"declare {kind} @{name}({kind}, {kind}, {kind})")
        return self.new(f"call {kind} @{name}({kind} {x}, {kind} {y}, {kind} {total})")

    def summed(self, value: str) -> str:
        """The lanes of a vector added up."""
        if self.kind.kind == "f":
            name = f"llvm.vector.reduce.fadd.{self.suffix}"
            self.declarations.add(f"declare {self.element} @{name}({self.element}, {self.vector})")
            return self.new(
                f"call reassoc {self.element} @{name}({self.element} 0.0, {self.vector} {value})"
            )
        name = f"llvm.vector.reduce.add.{self.suffix}"
        self.declarations.add(f"declare {self.element} @{name}({self.vector})")
        return self.new(f"call {self.element} @{name}({self.vector} {value})")

    def turned(self, rows: list[str]) -> list[str]:
        """A square of vectors transposed.

        In steps that x86 has instructions for, which LLVM finds at once: first among the elements
        in quarters of 128 bits, then among the quarters. Other steps took it a tenth longer.
        """
        inside, quarters = 16 // self.bytes, self.lanes * self.bytes // 16
        if inside > 4 or quarters not in (1, 2, 4):
            return self._exchanged(rows)
        rows, size = list(rows), 1
        while size < inside:  # pairs of rows that differ in one bit of their number
            for first in range(self.lanes):
                if not first & size:
                    self._interleave(rows, first, first + size, size, inside)
            size *= 2
        found = [""] * self.lanes
        for place in range(inside):
            column = place if inside < 4 else (0, 2, 1, 3)[place]
            several = [rows[part * inside + place] for part in range(quarters)]
            for part, value in enumerate(self._turned_quarters(several, inside)):
                found[part * inside + column] = value
        return found

    def _interleave(self, rows: list[str], first: int, second: int, size: int, inside: int) -> None:
        """Groups of ``size`` elements of two rows by turns: of lower halves, and of upper ones."""
        low: list[int] = []
        high: list[int] = []
        for begin in range(0, self.lanes, inside):
            for order, half in ((low, begin), (high, begin + inside // 2)):
                for at in range(half, half + inside // 2, size):
                    order += [*range(at, at + size)]
                    order += [*range(self.lanes + at, self.lanes + at + size)]
        a, b = rows[first], rows[second]
        rows[first], rows[second] = self.shuffled(a, b, low), self.shuffled(a, b, high)

    def _turned_quarters(self, rows: list[str], inside: int) -> list[str]:
        """As many vectors as they have quarters of 128 bits: these transposed."""

        def pick(a: str, b: str, quarters: tuple[int, ...]) -> str:
            order = [each * inside + at for each in quarters for at in range(inside)]
            return self.shuffled(a, b, order)

        if len(rows) == 1:
            return rows
        if len(rows) == 2:
            return [pick(rows[0], rows[1], (0, 2)), pick(rows[0], rows[1], (1, 3))]
        even, odd = (0, 2, 4, 6), (1, 3, 5, 7)
        a, b, c, d = rows
        first, second = pick(a, b, even), pick(c, d, even)
        third, fourth = pick(a, b, odd), pick(c, d, odd)
        return [
            pick(first, second, even), pick(third, fourth, even),
            pick(first, second, odd), pick(third, fourth, odd),
        ]  # fmt: skip

    def _exchanged(self, rows: list[str]) -> list[str]:
        """A square transposed: blocks off the diagonal change places, ever smaller."""
        lanes, rows = self.lanes, list(rows)
        size = lanes // 2
        while size:
            for first in range(lanes):
                if first & size:
                    continue
                second = first + size
                a, b = rows[first], rows[second]
                low = [at if not at & size else lanes + at - size for at in range(lanes)]
                high = [at + size if not at & size else lanes + at for at in range(lanes)]
                rows[first], rows[second] = self.shuffled(a, b, low), self.shuffled(a, b, high)
            size //= 2
        return rows
