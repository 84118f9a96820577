"""Nests of loops for kernels.

Axes of size 1 are left out and neighbouring axes that every access walks through as one are
joined, so that what is contiguous is one long loop, which LLVM makes into vectors. A reduction
keeps its value in registers through the innermost loops, as far as they are along its axes; from
there it is stored, or, if further loops outside are along its axes, combined with what lies in
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from adjoint.compiler.codegen import parallel
from adjoint.compiler.codegen.accesses import Accesses, Loop, Place
from adjoint.compiler.codegen.combining import (
    BLOCK,
    accumulator_of,
    combine,
    declaration,
    is_blocked,
    start_of,
)
from adjoint.compiler.codegen.scalars import Needs, convert, emit
from adjoint.compiler.codegen.sums import Sums
from adjoint.compiler.codegen.text import Text, in_memory, register, spell
from adjoint.compiler.codegen.tiling import Tiles, wants_tiles
from adjoint.compiler.frames import checks
from adjoint.compiler.kernels import Kernel
from adjoint.compiler.nodes import Buffer, Look, Map, Reduction, Scalar, Update

Indices = dict[Place, str]
Values = dict[Any, str]  # of reductions, and of CHECK
CHECK = "check"  # the number of a check that failed, the greatest of them, or 0
SHORT = 4  # turns of an innermost loop that are written one after the other
INT = np.dtype(np.int64)


class Nest:
    """The code of one kernel."""

    def __init__(
        self,
        kernel: Kernel,
        stored: set[Buffer],
        needs: Needs,
        same: Mapping[Buffer, Buffer] | None = None,
    ) -> None:
        self.kernel = kernel
        self.needs = needs
        self.text = Text()
        self.origin: Any = None  # of the node at hand
        self.accesses = Accesses(kernel, stored | kernel.in_memory(), same)
        self.pointers = {
            start: name
            for start, name in self.accesses.pointers.items()
            if start.buffer not in self.accesses.rows
        }
        self.single = len(kernel.phases) == 1
        self.loops = [] if kernel.empty else self.accesses.outer_loops()
        for node in kernel.nodes:
            if isinstance(node, (Reduction, Update)):
                needed = declaration(node.name, node.buffers[0].kind)
                needs.declarations.update([needed] if needed else [])
        self.sums = Sums(kernel, self.accesses, self.loops)
        self.division = self.sums.division
        self._finished: dict[Buffer, str] = {}  # values that later phases look at
        self._rows: list[str] = []  # memory on the stack: instructions that come first

    # -- functions ----------------------------------------------------------------------------

    def function(self, name: str) -> str:
        """The function of a range of turns: of pointers, the flag, and the range."""
        text = self.text = Text()
        self._finished = {}
        self._rows = [
            f"{self.sums.pointer(buffer)} = alloca [{self.kernel.row_of(buffer)} x "
            f"{in_memory(buffer.kind)}], align 64"
            for buffer in self.accesses.rows
        ]
        self.sums.begin(text)
        if not self.kernel.empty:
            self._run()
        text.do("ret void")
        pointers = [*self.pointers.values(), *self.sums.pointers.values(), "%flag"]
        parameters = ", ".join(f"ptr noalias {pointer}" for pointer in pointers)
        body = "\n".join([*[f"  {line}" for line in self._rows], *text.lines])
        return (
            f"define internal void @{name}({parameters}, i64 %begin, i64 %end) {{\nentry:\n{body}\n"
            "}\n"
        )

    def _run(self) -> None:
        """All loops."""
        indices = {place: str(place.offset) for each in self.accesses.phases for place in each}
        values = {CHECK: "0"} if any(map(checks, self.kernel.nodes)) else {}
        inside = None if self.single else self._phases
        values = self._descend(self.loops, 0, indices, values, inside, 0)
        if CHECK in values:
            self._raise(values[CHECK])

    def _raise(self, number: str) -> None:
        """Leave the number of a check that failed for who called."""
        text = self.text
        failed = text.new(f"icmp ne i64 {number}, 0")
        label = text.count()
        text.do(f"br i1 {failed}, label %raise{label}, label %fine{label}")
        text.label(f"raise{label}")
        text.do(f"store i64 {number}, ptr %flag")
        text.do(f"br label %fine{label}")
        text.label(f"fine{label}")

    # -- loops --------------------------------------------------------------------------------

    def _deeper(self, index: str, indices: Indices, loop: Loop) -> Indices:
        found = dict(indices)
        for place, step in loop.steps.items():
            if not step:
                continue
            base = indices[place]
            if index.isdigit():
                moved = str(int(index) * step)
            else:
                moved = index if step == 1 else self.text.new(f"mul nsw i64 {index}, {step}")
            if base == "0" or moved == "0":
                found[place] = moved if base == "0" else base
            else:
                found[place] = self.text.new(f"add nsw i64 {base}, {moved}")
        return found

    def _descend(
        self,
        loops: Sequence[Loop],
        depth: int,
        indices: Indices,
        values: Values,
        inside: Callable[[Indices, Values], Values] | None,
        phase: int,
    ) -> Values:
        """Loops from ``depth`` on, and ``inside`` them, or the phase's nodes.

        ``values`` are of the reductions that have begun; gives them with what is combined.
        """
        starting = [] if inside else self._starting(loops, depth, values, phase)
        if starting:
            first = {
                node: spell(start_of(node.name, node.buffers[0].kind), accumulator_of(node))
                for node in starting
            }
            found = self._descend(loops, depth, indices, {**values, **first}, inside, phase)
            for node in starting:
                self._flush(node, found.pop(node), accumulator_of(node), indices)
            return found
        if depth == len(loops):
            if inside:
                return inside(indices, values)
            return self._body(indices, values, phase)
        begin, end = "0", str(loops[depth].size)
        if depth == 0 and loops is self.loops:
            begin, end = "%begin", "%end"
        tiny = loops[depth].size <= SHORT and self._is_whole(loops, depth)
        if depth == len(loops) - 1 and any(map(_blocked, values)):
            if tiny:
                begin, end = "", ""
            return self._blocks(loops[depth], begin, end, indices, values, phase)
        if tiny:
            for index in range(loops[depth].size):
                deeper = self._deeper(str(index), indices, loops[depth])
                values = self._descend(loops, depth + 1, deeper, values, inside, phase)
            return values
        if depth == len(loops) - 2 and not values and wants_tiles(self.kernel, loops):
            self._tiles(loops, begin, end, indices)
            return values

        def body(index: str, *present: str) -> Sequence[str]:
            deeper = self._deeper(index, indices, loops[depth])
            given = dict(zip(values, present, strict=True))
            found = self._descend(loops, depth + 1, deeper, given, inside, phase)
            return [found[node] for node in values]

        kinds = [_register(node) for node in values]
        carried = list(zip(kinds, values.values(), strict=True))
        return dict(zip(values, self.text.loop(begin, end, body, carried), strict=True))

    def _turns(
        self, loop: Loop, begin: str, end: str, indices: Indices, values: Values, phase: int
    ) -> Values:
        """The innermost loop, from ``begin`` to ``end``, or all of it one after the other."""
        if not end:
            for turn in range(loop.size):
                values = self._body(self._deeper(str(turn), indices, loop), values, phase)
            return values

        def body(index: str, *carried: str) -> Sequence[str]:
            deeper = self._deeper(index, indices, loop)
            found = self._body(deeper, dict(zip(values, carried, strict=True)), phase)
            return [found[node] for node in values]

        carried = [(_register(node, short=True), each) for node, each in values.items()]
        return dict(zip(values, self.text.loop(begin, end, body, carried), strict=True))

    def _is_whole(self, loops: Sequence[Loop], depth: int) -> bool:
        """Whether the innermost loop is one that no threads divide."""
        divided = depth == 0 and loops is self.loops and self.division.chunks > 1
        return depth == len(loops) - 1 and not divided

    def _tiles(self, loops: Sequence[Loop], begin: str, end: str, indices: Indices) -> None:
        tiles = Tiles(self.text, loops, self.accesses.stores.values())
        self._rows += tiles.memory()

        def there(down: str, along: str) -> Indices:
            return self._deeper(along, self._deeper(down, indices, loops[-2]), loops[-1])

        def load(place: Place, down: str, along: str) -> str:
            pointer, kind = self.accesses.pointers[place.start], place.start.buffer.kind
            return self.text.load(pointer, there(down, along)[place], kind)

        def body(down: str, along: str, loaded: dict[Place, str]) -> None:
            self._body(there(down, along), {}, 0, loaded)

        tiles.run(begin, end, loops[-1].size, load, body)

    def _starting(
        self, loops: Sequence[Loop], depth: int, values: Values, phase: int
    ) -> list[Reduction]:
        """Reductions that all loops from ``depth`` on are along, of which there is one at least."""
        if depth == len(loops):
            return []
        return [
            node
            for node in self.kernel.phases[phase]
            if isinstance(node, Reduction)
            and node not in values
            and all(node in loop.reduced for loop in loops[depth:])
        ]

    def _blocks(
        self, loop: Loop, begin: str, end: str, indices: Indices, values: Values, phase: int
    ) -> Values:
        """The innermost loop, of which blocks are summed in float32."""
        text = self.text

        def inner(begin: str, end: str, present: Values) -> Values:
            first = {
                node: spell(0, node.buffers[0].kind) if _blocked(node) else value
                for node, value in present.items()
            }

            sums = self._turns(loop, begin, end, indices, first, phase)
            for node, value in present.items():
                if _blocked(node):
                    kind = accumulator_of(node)
                    wide = convert(text, sums[node], node.buffers[0].kind, kind)
                    zero = value == spell(0, kind)
                    sums[node] = wide if zero else combine(text, "add", value, wide, kind)
            return sums

        if loop.size <= BLOCK:
            return inner(begin, end, values)
        first, last = "0", str(-(-loop.size // BLOCK))
        if begin != "0":  # a multiple of a block
            first = text.new(f"udiv i64 {begin}, {BLOCK}")
            more = text.new(f"add nuw nsw i64 {end}, {BLOCK - 1}")
            last = text.new(f"udiv i64 {more}, {BLOCK}")

        def block(number: str, *present: str) -> Sequence[str]:
            start = text.new(f"mul nuw nsw i64 {number}, {BLOCK}")
            after = text.new(f"add nuw nsw i64 {start}, {BLOCK}")
            over = text.new(f"icmp sgt i64 {after}, {end}")
            stop = text.new(f"select i1 {over}, i64 {end}, i64 {after}")
            found = inner(start, stop, dict(zip(values, present, strict=True)))
            return [found[node] for node in values]

        kinds = [_register(node) for node in values]
        carried = list(zip(kinds, values.values(), strict=True))
        return dict(zip(values, text.loop(first, last, block, carried), strict=True))

    def _phases(self, indices: Indices, values: Values) -> Values:
        """All phases at one place of the outer loops."""
        for number in range(len(self.kernel.phases)):
            for node in self.kernel.phases[number]:
                if isinstance(node, Reduction):
                    self.sums.begin_row(self.text, node, indices)
            loops = self.accesses.inner_loops(number)
            values = self._descend(loops, 0, indices, values, None, number)
        return values

    # -- what happens at a place --------------------------------------------------------------

    def _flush(self, node: Reduction, value: str, kind: Any, indices: Indices) -> None:
        """A reduction leaves registers."""
        result = self.sums.flush(self.text, node, value, kind, indices)
        if result is not None:
            self._finished[node.buffers[0]] = result

    def _checked(self, scalar: Scalar, args: Sequence[str], values: Values) -> str:
        """A value that may be used only if a condition holds; else 0, and its number is kept."""
        text, kind = self.text, register(scalar.kind)
        number = self.needs.message(scalar.value, self.origin)
        failed = text.new(f"select i1 {args[1]}, i64 0, i64 {number}")
        values[CHECK] = combine(text, "max", values[CHECK], failed, INT)
        return text.new(f"select i1 {args[1]}, {kind} {args[0]}, {kind} {spell(0, scalar.kind)}")

    def _write(
        self, node: Any, value: str, indices: Indices, compute: Callable[[Scalar], str]
    ) -> None:
        """Store what a map, a part or an update has computed at one place."""
        buffer = node.buffers[0]
        kind, pointer = buffer.kind, self.sums.pointer(buffer)
        if isinstance(node, Update):
            index = compute(node.at)
            if node.name != "set":
                present = self.text.load(pointer, index, kind)
                value = combine(self.text, node.name, present, value, kind)
            self.text.store(pointer, index, value, kind)
            return
        place = self.accesses.stores.get(node)
        if place is not None:
            pointer = self.accesses.pointers[place.start]
            self.text.store(pointer, indices[place], value, kind)

    def _body(
        self,
        indices: Indices,
        values: Values,
        phase: int,
        copied: Mapping[Place, str] | None = None,
    ) -> Values:
        """What happens at one place of the domain."""
        text, accesses = self.text, self.accesses
        registers: dict[Buffer, str] = dict(self._finished)
        loaded: dict[Place, str] = dict(copied or {})
        memo: dict[int, str] = {}
        found = dict(values)

        def load(scalar: Scalar, args: Sequence[str]) -> str:
            if scalar.name == "index":
                return indices[accesses.loads[phase, id(scalar)]]
            if scalar.name == "element":
                return text.load(self.sums.pointer(scalar.value), args[0], scalar.kind)
            if scalar.name == "checked":
                return self._checked(scalar, args, found)
            look: Look = scalar.value
            if look.buffer in registers:
                return registers[look.buffer]
            place = accesses.loads[phase, id(scalar)]
            if place not in loaded:
                pointer = accesses.pointers[place.start]
                loaded[place] = text.load(pointer, indices[place], look.kind)
            return loaded[place]

        for node in self.kernel.phases[phase]:
            self.origin = node.where
            buffer = node.buffers[0]
            value = emit(text, node.body, load, memo, self.needs)
            if not isinstance(node, Reduction):
                if isinstance(node, Map):
                    registers[buffer] = value
                    if self.kernel.row_of(buffer) == 1:
                        self._finished[buffer] = value
                self._write(node, value, indices, lambda at: emit(text, at, load, memo, self.needs))
            elif node in values:
                found[node] = combine(text, node.name, values[node], value, buffer.kind)
            else:
                self._flush(node, value, buffer.kind, indices)
        return found


def _blocked(node: Any) -> bool:
    return node is not CHECK and is_blocked(node)


def _register(node: Any, short: bool = False) -> str:
    """LLVM's type of a carried value, within a block or outside."""
    if node is CHECK:
        return "i64"
    return register(node.buffers[0].kind if short else accumulator_of(node))


def kernel_code(module: Any, name: str, kernel: Kernel) -> tuple[str, list[Buffer]]:
    """Functions of a kernel; gives the instructions of ``run``, and the buffers they need."""
    nest = Nest(kernel, module.kept, module.needs, module.same)
    name = module.define(name, nest.function)
    starts = list(nest.pointers)
    buffers = [start.buffer for start in starts]
    lines, pointers = [], []
    for buffer, offset in starts:
        pointers.append(f"%b{buffer.number}")
        if offset:
            pointers[-1] = f"%at{module.count()}"
            of = f"{in_memory(buffer.kind)}, ptr %b{buffer.number}, i64 {offset}"
            lines.append(f"  {pointers[-1]} = getelementptr inbounds {of}")
    pointers.append("%flag")
    partials = nest.sums.partials(starts, module)
    lines.append(parallel.call(module, name, pointers, nest.division, partials))
    return "\n".join(lines), buffers
