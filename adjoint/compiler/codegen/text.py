"""Functions of LLVM's language, line by line."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# Types of registers and of memory, by NumPy's codes. A truth value is a byte in memory; halves
# (float16 and bfloat16, which NumPy knows as two bytes) are only ever moved and converted.
REGISTER = {
    "f4": "float", "f8": "double", "b1": "i1", "i8": "i64", "i4": "i32", "i2": "i16", "i1": "i8",
    "u8": "i64", "u4": "i32", "u2": "i16", "u1": "i8", "f2": "i16", "V2": "i16",
}  # fmt: skip
MEMORY = {**REGISTER, "b1": "i8"}

# Two vectors in a turn, which hide from each other how long their operations take: pow of float64
# takes 2.8 ns instead of 6.2, most functions a tenth less. Such loops take longer to compile, so
# only those with pow are made so unless it is asked for.
SLOW = "@pow_f8("
TWICE = '!1 = distinct !{!1, !2}\n!2 = !{!"llvm.loop.interleave.count", i32 2}\n'


def code(kind: np.dtype[Any]) -> str:
    """NumPy's short name of a type: ``f4``."""
    return kind.str[1:]


def register(kind: np.dtype[Any]) -> str:
    """LLVM's type for a value."""
    return REGISTER[code(kind)]


def in_memory(kind: np.dtype[Any]) -> str:
    """LLVM's type for an element in memory."""
    return MEMORY[code(kind)]


def spell(value: Any, kind: np.dtype[Any]) -> str:
    """A constant."""
    if kind.kind == "f" and kind.itemsize > 2:
        with np.errstate(all="ignore"):
            exact = float(np.asarray(value).astype(kind))
        return "0x" + struct.pack(">d", exact).hex().upper()
    if kind.kind == "b":
        return "true" if value else "false"
    if kind.kind in "fV":
        return str(int(np.asarray(value).astype(kind).view(np.int16)))
    return str(int(np.asarray(value).astype(kind)))


class Text:
    """The body of one function, whose values are vectors if it has ``lanes``."""

    def __init__(self, lanes: int = 0) -> None:
        self.lines: list[str] = []
        self.block = "entry"
        self.lanes = lanes
        self._count = 0

    def wide(self, kind: str) -> str:
        """A type of LLVM as that of a value."""
        return f"<{self.lanes} x {kind}>" if self.lanes else kind

    def type(self, kind: np.dtype[Any]) -> str:
        """LLVM's type of a value."""
        return self.wide(register(kind))

    def constant(self, value: Any, kind: np.dtype[Any]) -> str:
        """A constant, the same in all lanes."""
        one = spell(value, kind)
        return f"splat ({register(kind)} {one})" if self.lanes else one

    def count(self) -> int:
        """A number that no name of this function has."""
        self._count += 1
        return self._count

    def new(self, instruction: str) -> str:
        """Append an instruction; gives the name of its value."""
        name = f"%v{self.count()}"
        self.lines.append(f"  {name} = {instruction}")
        return name

    def do(self, instruction: str) -> None:
        """Append an instruction without a value."""
        self.lines.append(f"  {instruction}")

    def label(self, name: str) -> None:
        """Begin a block."""
        self.lines.append(f"{name}:")
        self.block = name

    # -- memory -------------------------------------------------------------------------------

    def at(self, pointer: str, index: str, kind: np.dtype[Any]) -> str:
        """The address of an element."""
        return self.new(f"getelementptr inbounds {in_memory(kind)}, ptr {pointer}, i64 {index}")

    def load(self, pointer: str, index: str, kind: np.dtype[Any]) -> str:
        """The value of an element."""
        value = self.new(f"load {in_memory(kind)}, ptr {self.at(pointer, index, kind)}")
        return self.new(f"icmp ne i8 {value}, 0") if kind.kind == "b" else value

    def store(self, pointer: str, index: str, value: str, kind: np.dtype[Any]) -> None:
        """Put a value into an element."""
        if kind.kind == "b":
            value = self.new(f"zext i1 {value} to i8")
        place = self.at(pointer, index, kind)
        self.do(f"store {in_memory(kind)} {value}, ptr {place}")

    # -- loops --------------------------------------------------------------------------------

    def loop(
        self,
        begin: str,
        end: str,
        body: Callable[..., Sequence[str]],
        carried: Sequence[tuple[str, str]] = (),
        hint: str = "",
    ) -> list[str]:
        """From ``begin`` to before ``end``, at least once.

        ``carried`` are the types and first values of what goes from one turn to the next; ``body``
        gets the index and their present values, and gives the next. Gives the last. ``hint`` names
        what LLVM is told of the loop, such as ``TWICE`` as ``!1``.
        """
        number = self.count()
        before = self.block
        self.do(f"br label %loop{number}")
        self.label(f"loop{number}")
        head = len(self.lines)
        index = f"%i{number}"
        names = [f"%c{number}_{place}" for place in range(len(carried))]
        following = list(body(index, *names))
        self.do(f"%n{number} = add nuw nsw i64 {index}, 1")
        self.do(f"%d{number} = icmp eq i64 %n{number}, {end}")
        last = self.block
        inside = self.lines[head:]
        if not hint and any(SLOW in line for line in inside):
            nested = any(line.startswith("loop") for line in inside)
            hint = "" if nested else "!1"
        told = f", !llvm.loop {hint}" if hint else ""
        self.do(f"br i1 %d{number}, label %end{number}, label %loop{number}{told}")
        phis = [f"  {index} = phi i64 [{begin}, %{before}], [%n{number}, %{last}]"]
        for name, (kind, first), value in zip(names, carried, following, strict=True):
            phis.append(f"  {name} = phi {kind} [{first}, %{before}], [{value}, %{last}]")
        self.lines[head:head] = phis
        self.label(f"end{number}")
        return following
