"""Gradients of what a compiled function returns: one node, whose backward pass is a program too.

The program of the call gives, beside its results, what the backward program needs: the residuals.
Those that are inputs of the function are kept as the tensors they are, and checked for writes as
all saved tensors are. The backward program is compiled when a pass first comes to the node. A pass
that is recorded (``create_graph=True``) or transformed carries out the equations of both programs
on its own values instead, so that derivatives of any order and kind come out.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from adjoint.array.value import apply
from adjoint.compiler.program import Equation, Literal, Program, Variable
from adjoint.compiler.runtime.executable import Executable
from adjoint.errors import GraphError
from adjoint.tape.node import Node, Port, clock, user_frame
from adjoint.tape.tensor import Tensor, new, spoiled

ndarray = np.ndarray
IN_ORDER = 257  # bits of ``flags.num``: C order, and aligned


class CompiledBackward(Node):
    """The node of one call of a compiled function."""

    __slots__ = ()


class Derivative:
    """What the engine asks of a node's plan and row; here one object is both."""

    direct = None
    variadic = True
    name = "compiled"

    def __init__(self, forward: Program, backward: Any) -> None:
        self.row = self
        self.forward = forward
        self.backward: Program = backward.program
        self.residuals: tuple[Any, ...] = tuple(backward.residuals)
        self.draws: tuple[tuple[Variable, int], ...] = tuple(backward.draws)
        self.holds = len(self.residuals)
        self.output_count = len(backward.cotangents)
        self.replayed, self.replayed_inputs = self._replay_plan()
        # Inputs that the call writes to, and that a replay needs as they were before.
        written = set(forward.writes.values())
        self.copied = tuple([each for each in self.replayed_inputs if each in written])
        self._parts: dict[tuple[bool, ...], Part] = {}
        self._whole: Part | None = None  # of a single cotangent
        self._lock = threading.Lock()

    def _replay_plan(self) -> tuple[list[Equation], tuple[int, ...]]:
        """The equations, and the inputs, that lead to the residuals."""
        drawn = {variable for variable, _ in self.draws}
        outputs = self.forward.outputs
        wanted = {outputs[each] for each in self.residuals if isinstance(each, int)}
        wanted = {each for each in wanted if isinstance(each, Variable)} - drawn
        equations = []
        for equation in reversed(self.forward.equations):
            if not wanted.isdisjoint(equation.outputs):
                equations.append(equation)
                wanted.update(each for each in variables_of(equation.inputs) if each not in drawn)
        inputs = [number for number, each in enumerate(self.forward.inputs) if each in wanted]
        return equations[::-1], tuple(inputs)

    # -- recording ----------------------------------------------------------------------------

    def record(
        self,
        results: Sequence[Any],
        edges: Sequence[Any],
        kept: Sequence[Any],
        made: Sequence[Any],
        inputs: Sequence[Any],
    ) -> None:
        """Make ``results`` outputs of a node that keeps residuals and, for replays, inputs."""
        node = make_node(self, results, edges)
        drawn = [made[number] for _, number in self.draws]
        node.saved = (*kept, *drawn, *[inputs[number] for number in self.replayed_inputs])

    # -- the backward pass --------------------------------------------------------------------

    def pull(
        self, node: Node, saved: tuple[Any, ...], g: Any, level: int, record: bool
    ) -> list[Any]:
        """Gradients of the inputs from those of the results, None for those that did not come."""
        if type(g) is not list:
            part, cotangents = self._whole or self.part((True,)), (g,)
        else:
            part = self.part(tuple([each is not None for each in g]))
            cotangents = tuple([each for each in g if each is not None])
        if record:
            return part.evaluate([*self._replay(node, saved), *cotangents])
        values, plain = [], True
        for value in (*saved[: self.holds], *cotangents):
            if type(value) is not ndarray:
                if isinstance(value, Tensor) and value._level == level:
                    memory = value._memory
                    if memory is not None and memory.written > node.sequence:
                        raise spoiled(value, node)
                    value = value._array
                plain = plain and type(value) is ndarray
            values.append(value)
        return part(values) if plain else part.evaluate(values)

    def _replay(self, node: Node, saved: tuple[Any, ...]) -> list[Any]:
        """The residuals as they follow from the inputs, recorded."""
        after = self.holds + len(self.draws)
        environment: dict[Any, Any] = {
            variable: value
            for (variable, _), value in zip(self.draws, saved[self.holds : after], strict=True)
        }
        for number, value in zip(self.replayed_inputs, saved[after:], strict=True):
            environment[self.forward.inputs[number]] = checked(value, node)
        carry_out(self.replayed, environment)
        found = []
        for residual, value in zip(self.residuals, saved, strict=False):
            if isinstance(residual, int):
                atom = self.forward.outputs[residual]
                found.append(environment[atom] if isinstance(atom, Variable) else value)
            else:
                found.append(checked(value, node))
        return found

    def part(self, present: tuple[bool, ...]) -> Part:
        """The backward program for those cotangents that are there."""
        found = self._parts.get(present)
        if found is None:
            with self._lock:
                found = self._parts.get(present)
                if found is None:
                    found = self._parts[present] = Part(self.backward, self.holds, present)
                if present == (True,):
                    self._whole = found
        return found


class Part:
    """The backward program, or what is left of it without some cotangents."""

    def __init__(self, program: Program, residuals: int, present: tuple[bool, ...]) -> None:
        cotangents = program.inputs[residuals:]
        absent = [each for each, is_there in zip(cotangents, present, strict=True) if not is_there]
        equations, outputs = without(program, cotangents, absent)
        self.outputs = outputs
        wanted = list(dict.fromkeys(each for each in outputs if isinstance(each, Variable)))
        inputs = [each for each in program.inputs if each not in set(absent)]
        self.program = Program(inputs, equations, wanted, f"{program.name}")
        self.places = [
            wanted.index(each) if isinstance(each, Variable) else None for each in outputs
        ]
        self.in_order = self.places == list(range(len(wanted)))
        self.reshaped: list[tuple[int, tuple[int, ...]]] = []
        self.executable: Executable | None = None
        self._lock = threading.Lock()

    def __call__(self, arrays: list[Any]) -> list[Any]:
        """Machine code, made at the first call."""
        executable = self.executable or self.prepare()
        for place, each in enumerate(arrays):
            if each.flags.num & IN_ORDER != IN_ORDER:
                arrays[place] = as_input(each)
        made = executable(*arrays)
        for number, shape in self.reshaped:
            made[number] = made[number].reshape(shape)
        return made if self.in_order else self._gradients(made)

    def prepare(self) -> Executable:
        """Compile it, unless that is done."""
        with self._lock:
            if self.executable is None:
                executable = Executable(self.program)
                self.reshaped = reshaped(executable)
                self.executable = executable
            return self.executable

    def evaluate(self, values: Sequence[Any]) -> list[Any]:
        """The same by the equations, on values of any kind."""
        environment = dict(zip(self.program.inputs, values, strict=True))
        carry_out(self.program.equations, environment)
        return self._gradients([environment[each] for each in self.program.outputs])

    def _gradients(self, made: Sequence[Any]) -> list[Any]:
        return [
            made[place] if place is not None else None if each is None else each.value.copy()
            for place, each in zip(self.places, self.outputs, strict=True)
        ]


def make_node(plan: Any, results: Sequence[Any], edges: Sequence[Any]) -> CompiledBackward:
    """A node that has made ``results``; what it saves is the caller's to set."""
    node = new(CompiledBackward)
    node.plan = plan
    node.edges = tuple(edges)
    node.sequence = next(clock)
    node.hooks = None
    frame = user_frame(sys._getframe(1))
    node.code, node.instruction = (None, 0) if frame is None else (frame.f_code, frame.f_lasti)
    first = results[0]._array
    node.shape, node.dtype = first.shape, first.dtype
    if len(results) == 1:
        results[0]._node = node
    else:
        for number, each in enumerate(results):
            each._node = Port(node, number, each._array.shape, each._array.dtype)
    return node


class Spent:
    """The plan of a node through which there is no way back, because of what happened inside."""

    direct = None
    variadic = True
    holds = 0
    name = "compiled"
    output_count = 1

    def __init__(self) -> None:
        self.row = self

    def pull(self, node: Node, saved: Any, g: Any, level: int, record: bool) -> list[Any]:
        """Never reached: what the node has saved is gone."""
        return [None] * len(node.edges)


class Gone:
    """What stands for the saved values of such a node."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def unpacked(self, node: Node) -> tuple[Any, ...]:
        """Raises: a pass inside has freed the graph, or a write has spoiled it."""
        raise GraphError(
            self.text
            or "Trying to backward through the graph a second time: a backward pass inside the "
            f"compiled function that was called at {node.where()} has freed it. Specify "
            "retain_graph=True there if you need to go through the graph again"
        )


def make_spent(result: Any, edges: Sequence[Any], text: str) -> None:
    """Give a result a history through which no pass can go."""
    node = make_node(_SPENT, [result], edges)
    node.saved = Gone(text)


_SPENT = Spent()


def checked(value: Any, node: Node) -> Any:
    """A saved value; ``GraphError`` for a tensor that was written to since."""
    if isinstance(value, Tensor):
        memory = value._memory
        if memory is not None and memory.written > node.sequence:
            raise spoiled(value, node)
    return value


def reshaped(executable: Any) -> list[tuple[int, tuple[int, ...]]]:
    """Outputs that share memory with another one, and have another shape than that."""
    found = []
    for number, place in enumerate(executable.outputs):
        shape = executable.program.outputs[number].shape
        if place is not None and place >= 0 and executable.made[place][1] != shape:
            found.append((number, shape))
    return found


def as_input(array: Any) -> Any:
    """An array as machine code takes it: in order, aligned."""
    if array.flags.num & IN_ORDER == IN_ORDER:
        return array
    return np.array(array, order="C")


def carry_out(equations: Sequence[Equation], environment: dict[Any, Any]) -> None:
    """Equations on values of any kind."""

    def read(each: Any) -> Any:
        if isinstance(each, Variable):
            return environment[each]
        if isinstance(each, tuple):
            return tuple(map(read, each))
        return each.value if isinstance(each, Literal) else each

    for equation in equations:
        if equation.outputs and equation.outputs[0] in environment:
            continue  # it was drawn before
        inputs = tuple(map(read, equation.inputs))
        out = apply(equation.operation, inputs, equation.options)
        outs = out if equation.operation.many_outputs else (out,)
        environment.update(zip(equation.outputs, outs, strict=True))


def variables_of(inputs: Sequence[Any]) -> Iterator[Variable]:
    """The variables among an equation's inputs."""
    for each in inputs:
        if isinstance(each, Variable):
            yield each
        elif isinstance(each, tuple):
            yield from variables_of(each)


# -- cotangents that are absent -----------------------------------------------------------------


def without(
    program: Program, cotangents: Sequence[Variable], absent: Sequence[Variable]
) -> tuple[list[Equation], list[Any]]:
    """The equations and outputs of a program that is linear in its cotangents, some being zero.

    What follows from zeros alone is left out, and an output that does is None: there is no
    gradient, which is not the same as zeros where an infinity is to be multiplied.
    """
    if not absent:
        return list(program.equations), list(program.outputs)
    moving, zero = set(cotangents), set(absent)
    instead: dict[Variable, Any] = {}
    equations = []
    for equation in program.equations:
        inputs = tuple([_instead(each, instead) for each in equation.inputs])
        parts = [each for each in variables_of(inputs) if each in moving]
        if parts:
            moving.update(equation.outputs)
        dead = [each for each in parts if each in zero]
        if dead and len(dead) == len(parts) and _is_linear(equation):
            zero.update(equation.outputs)
            continue
        if dead:
            other = _other_summand(equation, inputs, zero)
            if other is not None:
                instead[equation.outputs[0]] = other
                continue
            inputs = tuple([_zeros(each, zero) for each in inputs])
        equations.append(
            Equation(equation.operation, inputs, equation.options, equation.outputs, equation.where)
        )
    outputs = [_instead(each, instead) for each in program.outputs]
    return equations, [None if each in zero else each for each in outputs]


def _is_linear(equation: Equation) -> bool:
    return all(each.kind.kind in "fc" for each in equation.outputs)


def _instead(each: Any, instead: dict[Variable, Any]) -> Any:
    if isinstance(each, tuple):
        return tuple([_instead(part, instead) for part in each])
    return instead.get(each, each) if isinstance(each, Variable) else each


def _zeros(each: Any, zero: set[Variable]) -> Any:
    if isinstance(each, tuple):
        return tuple([_zeros(part, zero) for part in each])
    if isinstance(each, Variable) and each in zero:
        return Literal(np.broadcast_to(np.zeros((), each.kind), each.shape))
    return each


def _other_summand(equation: Equation, inputs: tuple[Any, ...], zero: set[Variable]) -> Any:
    """What a sum is one of whose two parts is zero, if it is simply the other."""
    if equation.operation.name != "add" or len(inputs) != 2:
        return None
    out = equation.outputs[0]
    for each in inputs:
        if isinstance(each, Variable) and each not in zero and each.type == out.type:
            return each
    return None
