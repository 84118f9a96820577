"""The arena: where buffers lie that are neither inputs nor results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from adjoint.compiler.kernels import Step, nodes_of
from adjoint.compiler.nodes import Buffer
from adjoint.compiler.sharing import reused

ALIGNMENT = 64  # a line of the cache, and the widest vector


class Plan(NamedTuple):
    """Offsets in the arena, its size, and which buffers lie where another one did before."""

    offsets: dict[Buffer, int]
    size: int
    same: dict[Buffer, Buffer]


def plan(
    steps: Sequence[Step],
    kept: Collection[Buffer],
    outside: Collection[Buffer],
    lasting: Collection[Buffer] = (),
) -> Plan:
    """Where the ``kept`` buffers lie that are not ``outside``.

    A buffer lives from the step that makes it to the last that looks at it, or if it is
    ``lasting`` to the end; each is put at the lowest place that is free for so long, the largest
    first. One that overwrites another element by element has that one's place.
    """
    born: dict[Buffer, int] = {}
    dies: dict[Buffer, int] = {}
    for at, step in enumerate(steps):
        for node in nodes_of(step):
            for buffer in node.buffers:
                if buffer in kept and buffer not in outside:
                    born.setdefault(buffer, at)  # by the first of its parts
                    dies[buffer] = at
            for look in node.looks():
                if look.buffer in born:
                    dies[look.buffer] = at
    dies.update((buffer, len(steps)) for buffer in lasting if buffer in born)
    same = reused(steps, born.keys(), lasting)
    first = {buffer: _first(buffer, same) for buffer in same}
    for buffer, begun in first.items():
        dies[begun] = max(dies[begun], dies[buffer])
        del born[buffer]
    placed: list[tuple[int, int, Buffer]] = []  # begin, end, which
    offsets: dict[Buffer, int] = {}
    size = 0
    for buffer in sorted(born, key=lambda each: (-each.bytes, each.number)):
        room = -(-max(buffer.bytes, 1) // ALIGNMENT) * ALIGNMENT
        begin = 0
        for start, end, other in sorted(placed, key=lambda each: each[:2]):
            if born[other] > dies[buffer] or dies[other] < born[buffer]:
                continue
            if begin + room <= start:
                break
            begin = max(begin, end)
        offsets[buffer] = begin
        placed.append((begin, begin + room, buffer))
        size = max(size, begin + room)
    offsets.update((buffer, offsets[begun]) for buffer, begun in first.items())
    return Plan(offsets, size, same)


def _first(buffer: Buffer, same: dict[Buffer, Buffer]) -> Buffer:
    """Which buffer was first where ``buffer`` lies."""
    while buffer in same:
        buffer = same[buffer]
    return buffer
