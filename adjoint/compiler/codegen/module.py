"""A module: the functions of all steps, and ``run`` functions that go through them.

``run`` gets a table of addresses. First the arena, then memory of constants and functions of other
libraries, then inputs and results, of which the table has the NumPy arrays' own addresses: where an
array keeps the address of its elements is the same for all (``DATA``), and reading it there costs a
nanosecond where Python's way costs 500.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.compiler.codegen.library import library
from adjoint.compiler.codegen.loops import kernel_code
from adjoint.compiler.codegen.products import ProductCode
from adjoint.compiler.codegen.scalars import Needs
from adjoint.compiler.codegen.scans import ScanCode
from adjoint.compiler.kernels import Kernel, Step, stored
from adjoint.compiler.lowering.base import Lowering
from adjoint.compiler.memory import plan
from adjoint.compiler.nodes import Buffer, Call, Scan, Single
from adjoint.compiler.sharing import direct


def _offset_of_data() -> int:
    """Where in a NumPy array's object the address of its elements stands."""
    probe = np.zeros(1)
    address = probe.ctypes.data
    for offset in range(0, 64, 8):
        if ctypes.c_void_p.from_address(id(probe) + offset).value == address:
            return offset
    raise RuntimeError("NumPy's arrays do not keep their address where it was expected")


DATA = _offset_of_data()
# Places in the table: the number of what has gone wrong, and how often the program has ended well.
FLAG, FINISHED = 1, 2


# Before the first input is overwritten: all checks have been made.
GUARD = """  %failed = load i64, ptr %flag
  %none = icmp eq i64 %failed, 0
  br i1 %none, label %write, label %leave
leave:
  ret void
write:"""


class Module:
    """The text of a compiled program, and the layout of its table."""

    def __init__(self, lowering: Lowering, steps: Sequence[Step]) -> None:
        self.steps = list(steps)
        self.needs = Needs()
        self.functions: list[str] = []
        self.written: list[str] = []  # functions that need no passes
        self.written_declarations: set[str] = set()
        self._defined: dict[str, str] = {}
        self._count = 0
        self.constants = lowering.constants
        self.inputs = lowering.inputs
        self.outputs = lowering.outputs
        self.shapes = lowering.shapes
        self.writes = lowering.writes
        given = dict.fromkeys(
            each for number, each in enumerate(self.outputs) if number not in self.writes
        )
        self.results = [each for each in given if each.node is not None]
        self.kept = stored(steps, lowering.outputs)
        outside = {*self.inputs, *self.results, *(buffer for buffer, _ in self.constants)}
        self.direct = self._direct()
        committed = {self.outputs[number] for number in self.writes}
        planned = plan(steps, self.kept, {*outside, *self.direct}, committed)
        self.offsets, self.arena_size = planned.offsets, planned.size
        self.same = {**planned.same, **self.direct}
        self.slots: dict[Any, int] = {"arena": 0, "flag": FLAG, "finished": FINISHED}
        for buffer, _ in self.constants:
            self.slots[buffer] = len(self.slots)
        self.products = ProductCode(self)
        bodies = self._steps()
        for buffer in (*self.inputs, *self.results):
            self.slots[buffer] = len(self.slots)
        self.runs = len(bodies)
        self.text = self._assemble(bodies)

    def _direct(self) -> dict[Buffer, Buffer]:
        """What is written to inputs as it is computed."""
        writes = {self.outputs[each]: self.inputs[target] for each, target in self.writes.items()}
        once = {each for each in writes if self.outputs.count(each) == 1}
        return direct(
            self.steps, {each: writes[each] for each in once}, {*self.outputs} & {*self.inputs}
        )

    def slot(self, what: Any) -> int:
        """The place in the table of a function of another library."""
        return self.slots.setdefault(what, len(self.slots))

    def count(self) -> int:
        """A number that nothing in the module has."""
        self._count += 1
        return self._count

    def define(self, name: str, function: Callable[[str], str]) -> str:
        """Add a function, given by its name, unless there is one that does the same; its name.

        They are not inlined: one function with hundreds of loops takes LLVM ten times as long.
        """
        text = function("function")
        known = self._defined.get(text)
        if known is None:
            name = known = self._defined[text] = self._unused(name)
            # Names of functions that belong to it begin with its own.
            text = text.replace("@function", f"@{name}")
            self.functions.append(text.replace(") {\n", ") noinline {\n"))
        return known

    def _unused(self, name: str) -> str:
        """A name that no function has."""
        used = self._defined.values()
        return name if name not in used else f"{name}_{self.count()}"

    def write(self, name: str, function: Callable[[str], str]) -> str:
        """As ``define``, for a function that needs no passes: with vectors, unrolled."""
        text = function("function")
        known = self._defined.get(text)
        if known is None:
            name = known = self._defined[text] = self._unused(name)
            text = text.replace("@function", f"@{name}")
            self.written.append(text.replace("define internal", "define hidden"))
            parameters = text[text.index("@" + name + "(") + len(name) + 2 :].split(")")[0]
            types = ", ".join(each.split()[0] for each in parameters.split(","))
            self.needs.declarations.add(f"declare void @{name}({types})")
        return known

    @property
    def written_text(self) -> str:
        """The module of the functions that need no passes."""
        return "\n".join([*sorted(self.written_declarations), *self.written])

    def _steps(self) -> list[list[tuple[str, list[Buffer]]]]:
        """Instructions between calls, with the buffers they need."""
        bodies: list[list[tuple[str, list[Buffer]]]] = [[]]
        guarded = True  # whether inputs are as they were
        for number, step in enumerate(self.steps):
            if isinstance(step, Call):
                bodies.append([])
            elif isinstance(step, Single):
                bodies[-1].append(self.products.emit(f"step{number}", step))
            elif isinstance(step, Scan):
                bodies[-1].append(ScanCode(self, step).emit(f"step{number}"))
            else:
                if guarded and not self.direct.keys().isdisjoint(step.made):
                    bodies[-1].append((GUARD, []))
                    guarded = False
                bodies[-1].append(self._kernel(f"step{number}", step))
        return bodies

    def _kernel(self, name: str, kernel: Kernel) -> tuple[str, list[Buffer]]:
        return kernel_code(self, name, kernel)

    def _pointer(self, buffer: Buffer) -> str:
        """Instructions that find a buffer."""
        name = f"%b{buffer.number}"
        if buffer in self.offsets:
            return f"  {name} = getelementptr inbounds i8, ptr %arena, i64 {self.offsets[buffer]}"
        slot = self.slots[self.direct.get(buffer, buffer)]
        lines = [
            f"  %s{buffer.number} = getelementptr inbounds ptr, ptr %table, i64 {slot}",
            f"  %o{buffer.number} = load ptr, ptr %s{buffer.number}",
        ]
        if any(buffer is each for each, _ in self.constants):
            return "\n".join([*lines, f"  {name} = getelementptr i8, ptr %o{buffer.number}, i64 0"])
        lines += [
            f"  %d{buffer.number} = getelementptr inbounds i8, ptr %o{buffer.number}, i64 {DATA}",
            f"  {name} = load ptr, ptr %d{buffer.number}",
        ]
        return "\n".join(lines)

    def _commit(self) -> list[tuple[str, list[Buffer]]]:
        """What is written to inputs, when nothing can go wrong any more."""
        copies, used = [], []
        for number, target in self.writes.items():
            new, old = self.outputs[number], self.inputs[target]
            if not old.bytes or new in self.direct:
                continue
            copies.append(
                f"  call void @llvm.memcpy.p0.p0.i64(ptr %b{old.number}, ptr %b{new.number}, "
                f"i64 {old.bytes}, i1 false)"
            )
            used += [old, new]
        if copies:
            self.needs.declarations.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        copies += [
            f"  %finished = getelementptr inbounds ptr, ptr %table, i64 {FINISHED}",
            "  %before = load i64, ptr %finished",
            "  %after = add i64 %before, 1",
            "  store i64 %after, ptr %finished",
        ]
        if self.needs.messages:
            copies = [
                "  %raised = load i64, ptr %flag",
                "  %fine = icmp eq i64 %raised, 0",
                "  br i1 %fine, label %commit, label %refuse",
                "refuse:",
                "  ret void",
                "commit:",
                *copies,
            ]
        return [("\n".join(copies), used)]

    def _assemble(self, bodies: list[list[tuple[str, list[Buffer]]]]) -> str:
        runs = []
        bodies[-1] += self._commit()
        for number, body in enumerate(bodies):
            used = dict.fromkeys(buffer for _, buffers in body for buffer in buffers)
            lines = [
                "  %arena = load ptr, ptr %table",
                f"  %flag = getelementptr inbounds ptr, ptr %table, i64 {FLAG}",
                *map(self._pointer, used),
            ]
            lines += [line for line, _ in body]
            inside = "\n".join(lines)
            runs.append(
                f"define void @run{number}(ptr %table) {{\nentry:\n{inside}\n  ret void\n}}\n"
            )
        functions, declarations = library(self.needs)
        return "\n".join([*sorted(declarations), *functions, *self.functions, *runs])
