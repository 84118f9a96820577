"""Matrix products of known sizes: tiles over panels, divided into units for threads.

A result's columns are divided into panels of a few vectors, its rows into tiles. A unit is a panel
with some of the tiles. Every element of the result is the sum along the inner dimension in order
(of many in blocks, as their sums are more exact), whichever thread computes it.

Sizes that tiles and panels do not divide are covered by moving the last ones back: what is computed
twice comes out the same, and one function does for all. Only where blocks are added up in memory
the last ones are smaller.
"""

from __future__ import annotations

from adjoint.compiler.codegen.panels import Panel, PanelCode
from adjoint.compiler.codegen.problem import Matrix, Problem
from adjoint.compiler.codegen.tiles import CHUNK, Tile, TileCode, best_tile
from adjoint.compiler.codegen.turning import turn
from adjoint.compiler.codegen.vector_text import VectorText

BLOCK = 1 << 18  # bytes of a panel at most: it lies on the stack, and in the second cache
NEAR = 1 << 15  # bytes of a right matrix that stay in the first cache unpacked
FAR = 1 << 18  # bytes of the left matrix that stay in the second cache while panels change
UNITS = 16  # wanted at least, if the tiles suffice
TILES = 3  # of a unit at least, as each packs its panel
ALIASES = 4096  # bytes between rows that take the same places in the first cache


class Gemm:
    """Writes the function of a problem, and those that it calls into ``shared`` (by name)."""

    def __init__(self, problem: Problem, shared: dict[str, str], declarations: set[str]) -> None:
        self.problem = problem
        self.shared = shared
        self.declarations = declarations
        rows, inner, columns = problem.rows, problem.inner, problem.columns
        aliased = problem.x.column == 1 and problem.x.row * problem.kind.itemsize % ALIASES == 0
        highest = 8 if aliased and inner > 64 else 24
        self.exact = False  # what is added up in memory must not be added twice
        self.high, self.wide, self.lanes = best_tile(problem.kind, rows, columns, False, highest)
        most = BLOCK // (self.wide * self.lanes * problem.kind.itemsize)
        if inner > most:
            self.exact = True
            self.high, self.wide, self.lanes = best_tile(problem.kind, rows, columns, True, highest)
            most = BLOCK // (self.wide * self.lanes * problem.kind.itemsize)
        self.blocks = -(-inner // most)
        self.block = -(-inner // self.blocks)
        self.text = VectorText(problem.kind, self.lanes, declarations)
        self.width = self.wide * self.lanes
        self.panels = -(-columns // self.width)
        self.tiles = -(-rows // self.high)
        self.packs = self._packs()
        self.count = 1
        for size in problem.front:
            self.count *= size
        self.groups = self._groups()

    @property
    def units(self) -> int:
        """Into how many parts the work is divided."""
        return self.count * self.panels * self.groups

    def _packs(self) -> bool:
        """Whether panels are packed, rather than read where they are."""
        problem = self.problem
        if problem.y.column != 1:
            return True
        if self.tiles <= 2 or (self.panels == 1 and problem.y.row == self.width):
            return False
        spread = self.block * max(problem.y.row, self.width) * problem.kind.itemsize
        return spread > NEAR

    def _groups(self) -> int:
        """Into how many groups the tiles are divided."""
        wanted = -(-UNITS // (self.count * self.panels))
        size = self.problem.rows * self.block * self.problem.kind.itemsize
        if self.panels > 1:
            wanted = max(wanted, size // FAR)
        most = max(1, self.tiles // TILES) if self.packs else self.tiles
        return max(1, min(wanted, most))

    # -- the function -------------------------------------------------------------------------

    def function(self, name: str) -> str:
        """The text: of x, y, the result, the start, and of the units to do."""
        text = self.text
        if self.packs:
            size = self.block * self.width
            text.do(f"%panel = alloca [{size} x {self.text.element}], align 64")
        text.loop("%begin", "%end", self._unit)
        text.do("ret void")
        body = "\n".join(text.lines)
        pointers = "ptr noalias readonly %x, ptr noalias readonly %y, ptr noalias %z, ptr %s"
        return (
            f"define internal void @{name}({pointers}, i64 %begin, i64 %end) noinline nounwind "
            f"{{\nentry:\n{body}\n}}\n"
        )

    def _unit(self, unit: str) -> list[str]:
        """One panel's tiles, or some of them."""
        problem = self.problem
        panel, rest = self.text.divided(unit, self.panels)
        group, stack = self.text.divided(rest, self.groups)
        places = []
        for size in reversed(problem.front):
            place, stack = self.text.divided(stack, size)
            places.append(place)
        places.reverse()
        matrices = {
            "x": self._matrix("%x", problem.x, places),
            "y": self._matrix("%y", problem.y, places),
            "z": self._matrix("%z", problem.z, places),
            "s": "%s" if problem.start is None else self._matrix("%s", problem.start, places),
        }
        first = self.text.times(panel, self.width)
        last = problem.columns - (self.panels - 1) * self.width
        if last == self.width or self.panels == 1:
            self._panel(matrices, first, group, last)
        elif not self.exact:
            first = self.text.at_most(first, problem.columns - self.width)
            self._panel(matrices, first, group, self.width)
        else:
            self.text.either(
                f"icmp eq i64 {panel}, {self.panels - 1}",
                lambda: self._panel(matrices, first, group, last),
                lambda: self._panel(matrices, first, group, self.width),
            )
        return []

    def _panel(self, matrices: dict[str, str], first: str, group: str, columns: int) -> None:
        """The tiles of a group over a panel of so many columns."""
        problem, text = self.problem, self.text
        y = self.text.walk(matrices["y"], first, problem.y.column)
        z = self.text.walk(matrices["z"], first, 1)
        start = matrices["s"]
        if problem.start is not None:
            start = self.text.walk(start, first, problem.start.column)

        def block(at: str, steps: int, adds: bool, last: bool) -> None:
            source = self.text.walk(y, at, problem.y.row)
            if self.packs:
                self._pack(source, columns, steps)
                source = "%panel"
            x = self.text.walk(matrices["x"], at, problem.x.column)
            self._tiles((x, source, z, start), group, columns, steps, adds, last)

        if self.blocks == 1:
            block("0", problem.inner, False, True)
            return
        block("0", self.block, False, False)

        def middle(number: str) -> list[str]:
            block(text.new(f"mul nuw nsw i64 {number}, {self.block}"), self.block, True, False)
            return []

        if self.blocks > 2:
            text.loop("1", str(self.blocks - 1), middle)
        before = (self.blocks - 1) * self.block
        block(str(before), problem.inner - before, True, True)

    def _pack(self, source: str, columns: int, steps: int) -> None:
        problem = self.problem
        large = min(columns, steps) >= self.lanes and columns % self.lanes == 0
        if problem.y.row == 1 and problem.y.column != 1 and large:
            name = turn(self.shared, self.declarations, problem.kind, self.lanes)
            numbers = (problem.y.column, self.width, columns, steps)
            given = ", ".join(f"i64 {each}" for each in numbers)
            self.text.do(f"call void @{name}(ptr {source}, ptr %panel, {given})")
            return
        panel = Panel(
            problem.kind, self.lanes, self.width, columns, steps, problem.y.row, problem.y.column
        )
        if panel.name not in self.shared:
            self.shared[panel.name] = PanelCode(panel, self.declarations).function()
        self.text.do(f"call void @{panel.name}(ptr {source}, ptr %panel)")

    def _tiles(
        self,
        matrices: tuple[str, str, str, str],
        group: str,
        columns: int,
        steps: int,
        adds: bool,
        last: bool,
    ) -> None:
        """All tiles of a group."""
        text, rows = self.text, self.problem.rows

        def call(row: str, high: int) -> None:
            self._tile(matrices, row, high, columns, steps, adds, last)

        if self.tiles == 1:
            call("0", self.high)
            return
        rest = rows - (self.tiles - 1) * self.high

        def body(tile: str) -> list[str]:
            row = text.new(f"mul nuw nsw i64 {tile}, {self.high}")
            if rest == self.high:
                call(row, self.high)
            elif not self.exact:
                call(self.text.at_most(row, rows - self.high), self.high)
            else:
                self.text.either(
                    f"icmp eq i64 {tile}, {self.tiles - 1}",
                    lambda: call(row, rest),
                    lambda: call(row, self.high),
                )
            return []

        if self.groups == 1:
            text.loop("0", str(self.tiles), body)
            return
        scaled = text.new(f"mul nuw nsw i64 {group}, {self.tiles}")
        begin = text.new(f"udiv i64 {scaled}, {self.groups}")
        following = text.new(f"add nuw nsw i64 {scaled}, {self.tiles}")
        end = text.new(f"udiv i64 {following}, {self.groups}")
        text.loop(begin, end, body)

    def _tile(
        self,
        matrices: tuple[str, str, str, str],
        row: str,
        high: int,
        columns: int,
        steps: int,
        adds: bool,
        last: bool,
    ) -> None:
        problem = self.problem
        x, y, z, start = matrices
        wide = -(-columns // self.lanes)
        begins = None
        if last and problem.start is not None:
            begins = (problem.start.row, problem.start.column)
            start = self.text.walk(start, row, problem.start.row)
        tail = columns - (wide - 1) * self.lanes
        tile = Tile(
            problem.kind, high, wide, self.lanes, tail, problem.x.row, problem.x.column,
            self.width if self.packs else problem.y.row, not self.packs and tail < self.lanes,
            problem.z.row, adds, begins, problem.kind.kind == "f" and self.block > CHUNK,
        )  # fmt: skip
        if tile.name not in self.shared:
            self.shared[tile.name] = TileCode(tile, self.declarations).function()
        x = self.text.walk(x, row, problem.x.row)
        z = self.text.walk(z, row, problem.z.row)
        given = ", ".join(f"ptr {each}" for each in (x, y, z, start))
        self.text.do(f"call void @{tile.name}({given}, i64 {steps})")

    # -- pieces -------------------------------------------------------------------------------

    def _matrix(self, pointer: str, matrix: Matrix, places: list[str]) -> str:
        for place, step in zip(places, matrix.front, strict=True):
            pointer = self.text.walk(pointer, place, step)
        return pointer
