"""What a compiled program is on disk and in memory: object code, and the layout of its table."""

from __future__ import annotations

from typing import Any, NamedTuple

Shape = tuple[int, ...]


class Place(NamedTuple):
    """Where an array lies: "input", "result", "constant" (and which), or "arena" (and where)."""

    kind: str
    number: int
    shape: Shape
    dtype: Any


class CallCode(NamedTuple):
    """A row to be carried out by its own kernel, between two runs of machine code."""

    row: Any
    inputs: tuple[Any, ...]  # a Place for what lies in memory, all else as it is
    options: tuple[Any, ...]
    outputs: tuple[Place | None, ...]  # None for what nobody wants
    origin: Any


class Step(NamedTuple):
    """One step for `explain`: a kernel, a product, or a call."""

    kind: str
    domain: Shape
    operations: tuple[str, ...]
    reads: int  # bytes
    writes: int
    flops: int
    origins: tuple[Any, ...]  # numbers of the traced program's equations
    reason: str  # of a call


class Code(NamedTuple):
    """All that is needed to run a program. It can be pickled."""

    machine: bytes  # an object file
    arena: int  # bytes
    runs: int  # functions run0, run1, ...: one more than there are calls
    slots: int  # length of the table
    constants: tuple[tuple[int, Any], ...]  # slot and array
    addresses: tuple[tuple[int, str], ...]  # slot, and the function of another library
    inputs: int  # slot of the first
    results: tuple[tuple[int, Shape, Any], ...]  # slot, shape and type of arrays to be made
    # For each output: which result, or -1 - number of an input, None for what is written to one.
    outputs: tuple[int | None, ...]
    calls: tuple[CallCode, ...]
    messages: tuple[tuple[str, Any], ...]  # of flags, from 1: text and origin
    steps: tuple[Step, ...]
    seconds: dict[str, float]  # what each phase of compilation took
