"""Matrix products with few rows or columns, whose factors both lie along the inner dimension.

Then a result's element is the product of two runs of memory: vectors go along the inner dimension,
and their lanes are added up at the end.
"""

from __future__ import annotations

from adjoint.compiler.codegen.problem import Matrix, Problem
from adjoint.compiler.codegen.target import lanes_for, vectors
from adjoint.compiler.codegen.vector_text import VectorText

CHAINS = 8  # sums that go on side by side, as each addition waits for the one before
ROWS = 8


class Dots:
    """Writes the function of a problem whose inner steps are 1."""

    def __init__(self, problem: Problem, declarations: set[str]) -> None:
        self.problem = problem
        self.lanes = lanes_for(problem.kind, problem.inner)
        self.text = VectorText(problem.kind, self.lanes, declarations)
        self.high, self.wide = min(problem.rows, ROWS), min(problem.columns, 4)
        if problem.columns > 1:
            self.high = min(self.high, 4)
        self.tiles = -(-problem.rows // self.high), -(-problem.columns // self.wide)

    @property
    def units(self) -> int:
        """Into how many parts the work is divided."""
        count = self.tiles[0] * self.tiles[1]
        for size in self.problem.front:
            count *= size
        return count

    def function(self, name: str) -> str:
        """The text: of x, y, the result, the start, and of the units to do."""
        self.text.loop("%begin", "%end", self._unit)
        self.text.do("ret void")
        body = "\n".join(self.text.lines)
        pointers = "ptr noalias readonly %x, ptr noalias readonly %y, ptr noalias %z, ptr %s"
        return (
            f"define internal void @{name}({pointers}, i64 %begin, i64 %end) noinline nounwind "
            f"{vectors().attributes} {{\nentry:\n{body}\n}}\n"
        )

    def _unit(self, unit: str) -> list[str]:
        """Some rows by some columns; the last ones are moved back, where they do not divide."""
        text, problem = self.text, self.problem
        column, rest = text.divided(unit, self.tiles[1])
        row, stack = text.divided(rest, self.tiles[0])
        places = []
        for size in reversed(problem.front):
            place, stack = text.divided(stack, size)
            places.append(place)
        places.reverse()
        first_row = self._first(row, self.high, problem.rows)
        first_column = self._first(column, self.wide, problem.columns)

        def matrix(pointer: str, each: Matrix, down: str, along: str) -> str:
            for place, step in zip(places, each.front, strict=True):
                pointer = text.walk(pointer, place, step)
            return text.walk(text.walk(pointer, down, each.row), along, each.column)

        x = matrix("%x", problem.x, first_row, "0")
        y = matrix("%y", problem.y, "0", first_column)
        z = matrix("%z", problem.z, first_row, first_column)
        begin = None
        if problem.start is not None:
            begin = matrix("%s", problem.start, first_row, first_column)
        self._tile(x, y, z, begin)
        return []

    def _first(self, tile: str, size: int, of: int) -> str:
        first = self.text.times(tile, size)
        return first if of % size == 0 or of == size else self.text.at_most(first, of - size)

    def _tile(self, x: str, y: str, z: str, begin: str | None) -> None:
        text, problem, lanes = self.text, self.problem, self.lanes
        pairs = [(row, column) for row in range(self.high) for column in range(self.wide)]
        turns, rest = divmod(problem.inner, lanes)
        chains = max(1, min(CHAINS // len(pairs), turns))

        def step(place: str, count: int, sums: list[str]) -> list[str]:
            left = [
                text.load(text.at(text.walk(x, place, 1), row * problem.x.row), count)
                for row in range(self.high)
            ]
            right = [
                text.load(text.at(text.walk(y, place, 1), column * problem.y.column), count)
                for column in range(self.wide)
            ]
            return [
                text.multiply_add(left[row], right[column], each)
                for (row, column), each in zip(pairs, sums, strict=True)
            ]

        def turn(number: str, *sums: str) -> list[str]:
            place = text.times(number, chains * lanes)
            found: list[str] = []
            for chain in range(chains):
                part = list(sums[chain * len(pairs) : (chain + 1) * len(pairs)])
                at = text.new(f"add nuw nsw i64 {place}, {chain * lanes}") if chain else place
                found += step(at, lanes, part)
            return found

        sums = ["zeroinitializer"] * (len(pairs) * chains)
        if turns >= chains:
            carried = [(text.vector, each) for each in sums]
            sums = text.loop("0", str(turns // chains), turn, carried)
        totals = sums[: len(pairs)]
        for chain in range(1, chains):
            more = sums[chain * len(pairs) : (chain + 1) * len(pairs)]
            totals = [text.plus(a, b) for a, b in zip(totals, more, strict=True)]
        done = turns // chains * chains
        for place in range(done * lanes, turns * lanes, lanes):
            totals = step(str(place), lanes, totals)
        if rest:
            totals = step(str(turns * lanes), rest, totals)
        for (row, column), total in zip(pairs, totals, strict=True):
            value = text.summed(total)
            if begin is not None and problem.start is not None:
                start = problem.start
                value = text.plus_one(
                    value, text.load_one(text.at(begin, row * start.row + column * start.column))
                )
            text.store_one(text.at(z, row * problem.z.row + column * problem.z.column), value)
