"""From a program to code: every phase of compilation in its order."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from adjoint.compiler.codegen.module import FINISHED, Module
from adjoint.compiler.grouping import group
from adjoint.compiler.kernels import Kernel, alive, nodes_of
from adjoint.compiler.lowering import lower
from adjoint.compiler.nodes import Buffer, Call, Look, Single
from adjoint.compiler.passes import optimise
from adjoint.compiler.program import Equation, Literal, Program
from adjoint.compiler.runtime.code import CallCode, Code, Place, Shape, Step
from adjoint.compiler.runtime.native import object_code

# Operations of a scalar expression that compute nothing.
FREE = {"load", "number", "index", "element", "checked", "cast", "where"}


def build(program: Program, effort: int = 3) -> Code:
    """Code for a program, made with an effort from 0 to 3.

    Steps, calls and messages know where they come from by the number of the equation.
    """
    seconds: dict[str, float] = {}
    with _timed("passes", seconds):
        better = optimise(_numbered(program))
    with _timed("lowering", seconds):
        lowering = lower(better)
        nodes = alive(lowering.nodes, lowering.outputs)
    with _timed("grouping", seconds):
        steps = group(nodes)
    with _timed("emission", seconds):
        module = Module(lowering, steps)
    with _timed("llvm", seconds):
        machine = object_code(module.text, effort, module.written_text)
    return _code(module, machine, seconds)


@contextmanager
def _timed(phase: str, seconds: dict[str, float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[phase] = time.perf_counter() - start


def _numbered(program: Program) -> Program:
    """Equations that know their number in the place of a line."""
    equations = [
        Equation(each.operation, each.inputs, each.options, each.outputs, number)
        for number, each in enumerate(program.equations)
    ]
    return Program(program.inputs, equations, program.outputs, program.name, program.writes)


def _code(module: Module, machine: bytes, seconds: dict[str, float]) -> Code:
    places = _Places(module)
    slots = module.slots
    numbers = {each: number for number, each in enumerate(module.results)}
    given = {each: number for number, each in enumerate(module.inputs)}
    outputs = [
        None if number in module.writes else numbers[each] if each in numbers else -1 - given[each]
        for number, each in enumerate(module.outputs)
    ]
    return Code(
        machine=machine,
        arena=module.arena_size,
        runs=module.runs,
        slots=len(slots),
        constants=tuple([(slots[buffer], array) for buffer, array in module.constants]),
        addresses=tuple(
            [
                (slot, name)
                for name, slot in slots.items()
                if isinstance(name, str) and slot > FINISHED
            ]
        ),
        inputs=slots[module.inputs[0]] if module.inputs else 0,
        results=tuple(
            [
                (slots[each], tuple(module.shapes.get(each, each.shape)), each.kind)
                for each in module.results
            ]
        ),
        outputs=tuple(outputs),
        calls=tuple([places.call(step) for step in module.steps if isinstance(step, Call)]),
        messages=tuple(module.needs.messages),
        steps=tuple([_step(each, module.kept) for each in module.steps]),
        seconds=seconds,
    )


class _Places:
    """Where buffers lie."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.known: dict[Buffer, tuple[str, int]] = {}
        for kind, buffers in (
            ("input", module.inputs),
            ("result", module.results),
            ("constant", [buffer for buffer, _ in module.constants]),
        ):
            self.known.update((each, (kind, number)) for number, each in enumerate(buffers))
        self.known.update((each, ("arena", offset)) for each, offset in module.offsets.items())

    def place(self, buffer: Buffer, shape: Shape | None = None) -> Place:
        """The place of a buffer that has one."""
        return Place(*self.known[buffer], buffer.shape if shape is None else shape, buffer.kind)

    def call(self, node: Call) -> CallCode:
        """A call with places instead of buffers."""
        inputs = tuple([self._input(each) for each in node.inputs])
        outputs = tuple([self.place(each) if each in self.known else None for each in node.buffers])
        return CallCode(node.row, inputs, node.options, outputs, node.where)

    def _input(self, each: Any) -> Any:
        if isinstance(each, Look):
            return self.place(each.buffer, each.shape)
        return each.value if isinstance(each, Literal) else each


# -- for `explain` --------------------------------------------------------------------------------


def _step(step: Any, kept: Collection[Buffer]) -> Step:
    nodes = nodes_of(step)
    origins = tuple(dict.fromkeys(each.where for each in nodes if each.where is not None))
    own = {buffer for node in nodes for buffer in node.buffers}
    read = {look.buffer for node in nodes for look in node.looks()} - own
    kind, flops, reason = type(step).__name__.lower(), 0, ""
    operations: tuple[str, ...] = ()
    domain: Any = getattr(step, "domain", None) or step_shape(nodes)
    if isinstance(step, Kernel):
        operations, flops = _operations(nodes)
    elif isinstance(step, Single):
        flops, domain = step.flops, step.extent
    elif isinstance(step, Call):
        operations, reason = (step.row.name,), step.reason
    return Step(
        kind,
        tuple(domain),
        operations,
        sum(each.bytes for each in read),
        sum(each.bytes for each in own if each in kept),
        flops,
        origins,
        reason,
    )


def step_shape(nodes: Sequence[Any]) -> tuple[int, ...]:
    """The shape of the first thing made."""
    return tuple(nodes[0].buffers[0].shape)


def _operations(nodes: Sequence[Any]) -> tuple[tuple[str, ...], int]:
    """What a kernel computes at each place, and how many operations that is in all."""
    names: list[str] = []
    flops = 0
    for node in nodes:
        inside = [each.name for each in node.body.walk() if each.name not in FREE]
        size = 1
        for each in node.domain:
            size *= each
        flops += size * len(inside)
        names += reversed(inside)
        if hasattr(node, "axes"):
            names.append(f"reduce {node.name}")
            flops += size
    return tuple(names), flops
