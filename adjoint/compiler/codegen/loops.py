"""Nests of loops for kernels.

Axes of size 1 are left out and neighbouring axes that every access walks through as one are
joined, so that what is contiguous is one long loop, which LLVM makes into vectors. Reductions
whose axes are innermost keep their values in registers; where the innermost axis is kept instead
(sums over rows), they are added up in memory, along that axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from adjoint.compiler.codegen.scalars import Needs, convert, emit, extreme
from adjoint.compiler.codegen.text import Text, register, spell
from adjoint.compiler.kernels import Kernel
from adjoint.compiler.nodes import (
    Buffer,
    Look,
    Map,
    Part,
    Reduction,
    Scalar,
    Shape,
    Update,
    strides_of,
)

Place = tuple[Buffer, int, Shape]  # an access: which memory, offset, strides over the domain
Indices = dict[Place, str]
DOUBLE = np.dtype(np.float64)
INDEX = Buffer((), np.int64)  # stands for coordinates, which walk like an access but are no memory


class Loop(NamedTuple):
    """One loop of a nest."""

    size: int
    reduced: bool
    strides: dict[Place, int]


class Nest:
    """The code of one kernel."""

    def __init__(self, kernel: Kernel, stored: set[Buffer], needs: Needs) -> None:
        self.kernel = kernel
        self.needs = needs
        self.text = Text()
        self.axes = kernel.axes or ()
        self.reductions = [each for each in kernel.nodes if isinstance(each, Reduction)]
        self.places: list[Place] = []
        self.loads: dict[int, Place] = {}  # by the id of the look
        self.stores: dict[Buffer | Part, Place] = {}
        self._find_places(stored)
        buffers = dict.fromkeys(place[0] for place in self.places if place[0] is not INDEX)
        self.pointers = {buffer: f"%p{number}" for number, buffer in enumerate(buffers)}
        self.in_registers = self._innermost_is_reduced()
        self.loops = self._loops()

    # -- what is accessed ---------------------------------------------------------------------

    def _place(self, buffer: Buffer, offset: int, strides: Shape) -> Place:
        place = (buffer, offset, strides)
        if place not in self.places:
            self.places.append(place)
        return place

    def _find_places(self, stored: set[Buffer]) -> None:
        for node in self.kernel.nodes:
            roots = (node.at, node.body) if isinstance(node, Update) else (node.body,)
            for each in (scalar for root in roots for scalar in root.walk()):
                if each.name == "load" and each.value.buffer not in self.kernel.made:
                    look = each.value
                    self.loads[id(look)] = self._place(look.buffer, look.offset, look.strides)
                elif each.name == "element":  # the pointer alone
                    self._place(each.value, 0, (0,) * len(self.kernel.domain))
                elif each.name == "index":
                    self.loads[id(each)] = self._place(INDEX, 0, each.value)
            buffer = node.buffers[0]
            if isinstance(node, Part):
                self.stores[node] = self._place(buffer, node.place.offset, node.place.strides)
            elif isinstance(node, Update):
                self._place(buffer, 0, (0,) * len(self.kernel.domain))
            elif buffer in stored:
                self.stores[buffer] = self._place(buffer, 0, strides_of(buffer.shape))

    def _innermost_is_reduced(self) -> bool:
        kept = [axis for axis, size in enumerate(self.kernel.domain) if size > 1]
        return not kept or kept[-1] in self.axes

    def _loops(self) -> list[Loop]:
        domain = self.kernel.domain
        order = list(range(len(domain)))
        if self.in_registers:
            order = [axis for axis in order if axis not in self.axes] + list(self.axes)
        loops: list[Loop] = []
        for axis in order:
            if domain[axis] == 1:
                continue
            strides = {place: place[2][axis] for place in self.places}
            reduced = axis in self.axes
            if loops:
                size, outer_reduced, outer = loops[-1]
                if outer_reduced == reduced and all(
                    outer[place] == step * domain[axis] for place, step in strides.items()
                ):
                    loops[-1] = Loop(size * domain[axis], reduced, strides)
                    continue
            loops.append(Loop(domain[axis], reduced, strides))
        return loops

    @property
    def splits(self) -> int:
        """Over how many turns the outermost loop may be divided among threads; 0 for not at all."""
        if self.kernel.updates:
            return 0
        return self.loops[0].size if self.loops and not self.loops[0].reduced else 0

    # -- code ---------------------------------------------------------------------------------

    def function(self, name: str) -> str:
        """The whole function: of pointers, and of the part of the outermost loop to run."""
        if 0 not in self.kernel.domain:
            self._begin()
        else:
            self._fill_empty()
        self.text.do("ret void")
        pointers = [f"ptr noalias {pointer}" for pointer in self.pointers.values()]
        parameters = ", ".join([*pointers, "ptr noalias %flag", "i64 %begin", "i64 %end"])
        body = "\n".join(self.text.lines)
        return f"define internal void @{name}({parameters}) {{\nentry:\n{body}\n}}\n"

    def _fill_empty(self) -> None:
        """Over a domain without elements reductions still give their first values."""
        for node in self.reductions:
            buffer = node.buffers[0]
            if buffer.size:
                self._fill(node, "0", str(buffer.size))

    def _fill(self, node: Reduction, begin: str, end: str) -> None:
        buffer = node.buffers[0]
        first = spell(start_of(node.name, buffer.kind), buffer.kind)

        def body(index: str) -> list[str]:
            self.text.store(self.pointers[buffer], index, first, buffer.kind)
            return []

        self.text.loop(begin, end, body)

    def _begin(self) -> None:
        if self.reductions and not self.in_registers:
            if self.splits:  # each part fills what it adds up
                turns = self.splits
                for node in self.reductions:
                    share = node.buffers[0].size // turns
                    begin, end = (
                        self.text.new(f"mul nuw nsw i64 {each}, {share}")
                        for each in ("%begin", "%end")
                    )
                    self._fill(node, begin, end)
            else:
                for node in self.reductions:
                    self._fill(node, "0", str(node.buffers[0].size))
        self._descend(0, {place: str(place[1]) for place in self.places}, None)

    def _deeper(self, index: str, indices: Indices, loop: Loop) -> Indices:
        found = {}
        for place, base in indices.items():
            step = loop.strides[place]
            if not step:
                found[place] = base
                continue
            moved = index if step == 1 else self.text.new(f"mul nsw i64 {index}, {step}")
            found[place] = moved if base == "0" else self.text.new(f"add nsw i64 {base}, {moved}")
        return found

    def _descend(
        self, depth: int, indices: Indices, accumulated: Sequence[str] | None
    ) -> Sequence[str]:
        """Loops from ``depth`` on; with reductions in registers, gives their values."""
        at_reduction = depth == len(self.loops) or self.loops[depth].reduced
        if self.reductions and self.in_registers and accumulated is None and at_reduction:
            self._finish(indices, self._descend(depth, indices, self._starts()))
            return ()
        if depth == len(self.loops):
            return self._body(indices, accumulated)
        loop = self.loops[depth]
        carried = []
        if accumulated is not None:
            kinds = [register(accumulator_of(each)) for each in self.reductions]
            carried = list(zip(kinds, accumulated, strict=True))

        def body(index: str, *values: str) -> Sequence[str]:
            deeper = self._deeper(index, indices, loop)
            return self._descend(depth + 1, deeper, values if carried else None)

        begin, end = ("%begin", "%end") if depth == 0 and self.splits else ("0", str(loop.size))
        return self.text.loop(begin, end, body, carried)

    def _starts(self) -> list[str]:
        return [
            spell(start_of(each.name, each.buffers[0].kind), accumulator_of(each))
            for each in self.reductions
        ]

    def _finish(self, indices: Indices, values: Sequence[str]) -> None:
        for node, value in zip(self.reductions, values, strict=True):
            buffer = node.buffers[0]
            rounded = convert(self.text, value, accumulator_of(node), buffer.kind)
            self.text.store(
                self.pointers[buffer], indices[self.stores[buffer]], rounded, buffer.kind
            )

    def _checked(self, scalar: Scalar, args: Sequence[str]) -> str:
        """A value that may be used only if a condition holds; else 0, and the flag is raised."""
        text, kind = self.text, scalar.kind
        self.checks = True
        flag = text.new("load i64, ptr %flag")
        number = self.needs.message(scalar.value, self.origin)
        raised = text.new(f"select i1 {args[1]}, i64 {flag}, i64 {number}")
        text.do(f"store i64 {raised}, ptr %flag")
        return text.new(f"select i1 {args[1]}, {register(kind)} {args[0]}, {register(kind)} 0")

    def _write(
        self, node: Any, value: str, indices: Indices, compute: Callable[[Scalar], str]
    ) -> None:
        """Store what a map, a part or an update has computed at one place."""
        buffer = node.buffers[0]
        kind, pointer = buffer.kind, self.pointers.get(buffer, "")
        if isinstance(node, Update):
            index = compute(node.at)
            if node.name != "set":
                present = self.text.load(pointer, index, kind)
                value = combine(self.text, node.name, present, value, kind)
            self.text.store(pointer, index, value, kind)
            return
        place = self.stores.get(node if isinstance(node, Part) else buffer)
        if place is not None:
            self.text.store(pointer, indices[place], value, kind)

    def _body(self, indices: Indices, accumulated: Sequence[str] | None) -> list[str]:
        """What happens at one place of the domain."""
        text = self.text
        registers: dict[Buffer, str] = {}
        loaded: dict[Place, str] = {}
        memo: dict[int, str] = {}

        def load(scalar: Scalar, args: Sequence[str]) -> str:
            if scalar.name == "index":
                return indices[self.loads[id(scalar)]]
            if scalar.name == "element":
                return text.load(self.pointers[scalar.value], args[0], scalar.kind)
            if scalar.name == "checked":
                return self._checked(scalar, args)
            look: Look = scalar.value
            if look.buffer in registers:
                return registers[look.buffer]
            place = self.loads[id(look)]
            if place not in loaded:
                loaded[place] = text.load(self.pointers[look.buffer], indices[place], look.kind)
            return loaded[place]

        results: list[str] = []
        for node in self.kernel.nodes:
            buffer = node.buffers[0]
            self.origin = node.where
            value = emit(text, node.body, load, memo, self.needs)
            if not isinstance(node, Reduction):
                if isinstance(node, Map):
                    registers[buffer] = value
                self._write(node, value, indices, lambda at: emit(text, at, load, memo, self.needs))
            elif accumulated is not None:
                kind = accumulator_of(node)
                value = convert(text, value, buffer.kind, kind)
                results.append(combine(text, node.name, accumulated[len(results)], value, kind))
            else:
                index = indices[self.stores[buffer]]
                present = text.load(self.pointers[buffer], index, buffer.kind)
                total = combine(text, node.name, present, value, buffer.kind)
                text.store(self.pointers[buffer], index, total, buffer.kind)
        return results


# -- combining ----------------------------------------------------------------------------------


def accumulator_of(node: Reduction) -> np.dtype[Any]:
    """The type to add up in: float32 sums in float64, which costs nothing that memory does not."""
    kind = node.buffers[0].kind
    return DOUBLE if node.name == "add" and kind.kind == "f" else kind


def start_of(name: str, kind: np.dtype[Any]) -> Any:
    """What combines with anything into that."""
    if name in ("add", "or"):
        return 0
    if name in ("mul", "and"):
        return 1
    if kind.kind == "f":
        return -np.inf if name == "max" else np.inf
    if kind.kind == "b":
        return name == "min"
    limits = np.iinfo(kind)
    return limits.min if name == "max" else limits.max


def combine(text: Text, name: str, x: str, y: str, kind: np.dtype[Any]) -> str:
    """One step of a reduction, in whatever order suits vectors."""
    if name in ("max", "min"):
        return extreme(text, name, x, y, kind)
    kind_text = register(kind)
    if kind.kind == "f":
        return text.new(f"f{name} reassoc contract {kind_text} {x}, {y}")
    return text.new(f"{name} {kind_text} {x}, {y}")
