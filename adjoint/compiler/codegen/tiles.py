"""The innermost part of a matrix product: a tile of the result, kept in registers.

A tile is some rows by some vectors of neighbouring columns. For each step along the inner
dimension it loads its vectors of the right matrix, and multiplies them by one number of each of its
rows of the left matrix, which may lie anywhere.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from adjoint.compiler.codegen.target import lanes_for, vectors
from adjoint.compiler.codegen.vector_text import VectorText

CHUNK = 256  # steps added up in registers at once: longer sums would be less exact


class Tile(NamedTuple):
    """A tile, and how it finds its elements. All steps are in elements."""

    kind: np.dtype[Any]
    rows: int
    vectors: int  # of columns
    lanes: int
    tail: int  # how many lanes of the last vector count
    x_row: int
    x_step: int
    y_step: int
    masked: bool  # whether the last vector of the right matrix must not be loaded whole
    z_row: int
    adds: bool  # to what the result has already
    start: tuple[int, int] | None  # steps of what is added at the end, along rows and columns
    long: bool = False  # whether there may be more steps than one chunk

    @property
    def name(self) -> str:
        """A name for the function, the same for equal tiles."""
        start = "" if self.start is None else f"s{self.start[0]}_{self.start[1]}"
        flags = "m" * self.masked + "a" * self.adds + "l" * self.long
        numbers = "_".join(map(str, self[1:8])).replace("-", "n")
        return f"tile_{self.kind.str[1:]}_{numbers}_{self.z_row}{flags}{start}"


@cache
def best_tile(
    kind: np.dtype[Any], rows: int, columns: int, exact: bool, highest: int
) -> tuple[int, int, int]:
    """Rows, vectors and lanes of the tiles for a product, which take the fewest cycles.

    Counted are multiplications and loads, two of each a cycle, and that a multiplication waits four
    cycles for the one before it on the same register. Unless they must be ``exact``, the last tiles
    are moved back so far that they are as large as the others.
    """
    lanes = lanes_for(kind, columns)
    registers = vectors().registers
    whole = -(-columns // lanes)
    found = []
    widest = 4 if rows > 2 else 16  # one line of the result reads long runs of the right matrix
    for wide in range(1, min(widest, whole) + 1):
        for high in range(1, min((registers - wide - 1) // wide, highest, rows) + 1):
            cycles = 0.0
            for panel, panels in _parts(whole, wide, exact):
                for tile, tiles in _parts(rows, high, exact):
                    each = max(tile * panel / 2, (tile + panel) / 2, 4.0) + 0.5
                    cycles += panels * tiles * each
            found.append((cycles, -wide, high))
    _, wide, high = min(found)
    return high, -wide, lanes


def _parts(size: int, part: int, exact: bool) -> list[tuple[int, int]]:
    """Sizes of parts, and how many there are of each."""
    if not exact:
        return [(part, -(-size // part))]
    return [(part, size // part), (size % part, int(size % part > 0))]


class TileCode:
    """Writes the function of a tile: of the three matrices' first elements and the start's."""

    def __init__(self, tile: Tile, declarations: set[str]) -> None:
        self.tile = tile
        self.text = VectorText(tile.kind, tile.lanes, declarations)

    def function(self) -> str:
        """The text."""
        tile, text = self.tile, self.text
        if tile.long:
            sums = self._chunks()
        else:
            sums = self._sums("0", "%steps")
        for row in range(tile.rows):
            for place in range(tile.vectors):
                self._finish(row, place, sums[row * tile.vectors + place])
        text.do("ret void")
        body = "\n".join([*text.memory, *text.lines])
        pointers = "ptr noalias readonly %x, ptr noalias readonly %y, ptr noalias %z, ptr %s"
        pointers += ", i64 %steps"
        return (
            f"define internal void @{tile.name}({pointers}) noinline nounwind "
            f"{vectors().attributes} {{\nentry:\n{body}\n}}\n"
        )

    def _sums(self, begin: str, end: str) -> list[str]:
        """The sums over some steps."""
        carried = [(self.text.vector, "zeroinitializer")] * (self.tile.rows * self.tile.vectors)
        return self.text.loop(begin, end, self._step, carried)

    def _chunks(self) -> list[str]:
        """The sums over all steps, those over chunks added up in memory."""
        text = self.text
        places = text.totals(self.tile.rows * self.tile.vectors)
        for place in places:
            text.store(place, "zeroinitializer")

        def chunk(number: str) -> list[str]:
            begin = text.new(f"mul nuw nsw i64 {number}, {CHUNK}")
            after = text.new(f"add nuw nsw i64 {begin}, {CHUNK}")
            over = text.new(f"icmp ugt i64 {after}, %steps")
            end = text.new(f"select i1 {over}, i64 %steps, i64 {after}")
            for place, value in zip(places, self._sums(begin, end), strict=True):
                text.add_to(place, value)
            return []

        more = text.new(f"add nuw nsw i64 %steps, {CHUNK - 1}")
        text.loop("0", text.new(f"udiv i64 {more}, {CHUNK}"), chunk)
        return [text.load(place) for place in places]

    def _step(self, index: str, *sums: str) -> list[str]:
        """One step of the inner dimension."""
        tile, text = self.tile, self.text
        right = text.walk("%y", index, tile.y_step)
        left = text.walk("%x", index, tile.x_step)
        columns = [
            text.load(
                text.at(right, place * tile.lanes), self._last(place) if tile.masked else None
            )
            for place in range(tile.vectors)
        ]
        found = []
        for row in range(tile.rows):
            spread = text.spread(text.load_one(text.at(left, row * tile.x_row)))
            for place, column in enumerate(columns):
                total = sums[row * tile.vectors + place]
                found.append(text.multiply_add(spread, column, total))
        return found

    def _last(self, place: int) -> int | None:
        """How many lanes of a vector count, if it is the last."""
        return self.tile.tail if place == self.tile.vectors - 1 else None

    def _finish(self, row: int, place: int, value: str) -> None:
        """Put a vector of the tile into the result."""
        tile, text, count = self.tile, self.text, self._last(place)
        where = text.at("%z", row * tile.z_row + place * tile.lanes)
        if tile.adds:
            value = text.plus(text.load(where, count), value)
        if tile.start is not None:
            down, along = tile.start
            begin = text.at("%s", row * down + place * tile.lanes * along)
            begins = text.load(begin, count) if along else text.spread(text.load_one(begin))
            value = text.plus(value, begins)
        text.store(where, value, count)
