"""Two loops in tiles, where one walks along memory that the other jumps through.

A transposed matrix is read down its columns, each element from another line of the cache, and a
line is gone before its next element is wanted. In tiles all of a line's elements are used while it
is there. Where lines are a power of two apart, so that the cache has but a few places for all of
them, a tile is copied first, line by line: 2048 by 2048 float32 take 4 ms so instead of 24, and 12
without copies, which are the slower where there is room.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from adjoint.compiler.codegen.accesses import Loop, Place
from adjoint.compiler.codegen.text import Text, in_memory
from adjoint.compiler.kernels import Kernel
from adjoint.compiler.nodes import Map, Part

DOWN, ALONG = 16, 64  # of a tile: the elements of a line, and what fills some vectors
LINE = 64  # bytes
CROWDED = 1024  # bytes: lines a multiple of that apart share a sixteenth of the cache
LEAST = 131_072  # places below which all of it is in the second cache anyway


def wants_tiles(kernel: Kernel, loops: Sequence[Loop]) -> bool:
    """Whether the two innermost loops of a kernel of maps disagree about memory."""
    if len(kernel.phases) > 1 or len(loops) < 2:
        return False
    if not all(isinstance(node, (Map, Part)) for node in kernel.nodes):
        return False
    down, along = loops[-2:]
    if down.size < 2 * DOWN or along.size < 2 * DOWN or down.size * along.size < LEAST:
        return False
    return bool(turned(loops))


def turned(loops: Sequence[Loop]) -> list[Place]:
    """Places that the innermost loop jumps through, and the one around it walks along."""
    down, along = loops[-2:]
    return [
        place
        for place, step in along.steps.items()
        if abs(down.steps[place]) == 1 and abs(step) * place.start.buffer.kind.itemsize >= LINE
    ]


class Tiles:
    """The copies of tiles, and the loops."""

    def __init__(self, text: Text, loops: Sequence[Loop], stored: Collection[Place]) -> None:
        self.text = text
        copied = [
            place
            for place in turned(loops)
            if place not in stored
            and loops[-1].steps[place] * place.start.buffer.kind.itemsize % CROWDED == 0
        ]
        self.copies = {place: f"%tile{number}" for number, place in enumerate(copied)}

    def memory(self) -> list[str]:
        """Instructions for the beginning of the function."""
        return [
            f"{name} = alloca [{DOWN * ALONG} x {in_memory(place.start.buffer.kind)}], align 64"
            for place, name in self.copies.items()
        ]

    def run(
        self,
        begin: str,
        end: str,
        size: int,
        load: Callable[[Place, str, str], str],
        body: Callable[[str, str, dict[Place, str]], None],
    ) -> None:
        """All turns of a loop from ``begin`` to ``end``, and in it of one of ``size``.

        ``load`` gives the element of a place at a turn of both, from memory, and ``body`` is what
        happens there, with such elements from copies.
        """

        def band(top: str, bottom: str) -> None:
            def tile(left: str, right: str) -> None:
                self._tile(top, bottom, left, right, load, body)

            self._blocks("0", str(size), ALONG, tile)

        self._blocks(begin, end, DOWN, band)

    def _blocks(self, begin: str, end: str, width: int, inside: Callable[[str, str], None]) -> None:
        text = self.text
        length = end if begin == "0" else text.new(f"sub nsw i64 {end}, {begin}")
        more = text.new(f"add nuw nsw i64 {length}, {width - 1}")
        number = text.new(f"udiv i64 {more}, {width}")

        def block(index: str) -> list[str]:
            within = text.new(f"mul nuw nsw i64 {index}, {width}")
            start = within if begin == "0" else text.new(f"add nsw i64 {begin}, {within}")
            after = text.new(f"add nsw i64 {start}, {width}")
            over = text.new(f"icmp sgt i64 {after}, {end}")
            inside(start, text.new(f"select i1 {over}, i64 {end}, i64 {after}"))
            return []

        text.loop("0", number, block)

    def _tile(
        self,
        top: str,
        bottom: str,
        left: str,
        right: str,
        load: Callable[[Place, str, str], str],
        body: Callable[[str, str, dict[Place, str]], None],
    ) -> None:
        text = self.text

        def within(down: str, along: str) -> str:
            row = text.new(f"sub nuw nsw i64 {down}, {top}")
            column = text.new(f"sub nuw nsw i64 {along}, {left}")
            start = text.new(f"mul nuw nsw i64 {row}, {ALONG}")
            return text.new(f"add nuw nsw i64 {start}, {column}")

        def copy(along: str, down: str) -> None:
            for place, name in self.copies.items():
                kind = place.start.buffer.kind
                text.store(name, within(down, along), load(place, down, along), kind)

        def element(down: str, along: str) -> None:
            at = within(down, along) if self.copies else ""
            found = {
                place: text.load(name, at, place.start.buffer.kind)
                for place, name in self.copies.items()
            }
            body(down, along, found)

        if self.copies:
            self._both(left, right, top, bottom, copy)
        self._both(top, bottom, left, right, element)

    def _both(
        self, begin: str, end: str, first: str, last: str, inside: Callable[[str, str], None]
    ) -> None:
        def outer(index: str) -> list[str]:
            def inner(other: str) -> list[str]:
                inside(index, other)
                return []

            self.text.loop(first, last, inner)
            return []

        self.text.loop(begin, end, outer)
