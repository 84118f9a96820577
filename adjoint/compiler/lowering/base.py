"""The lowering of a program: where its variables are to be found, and the nodes that make them.

A rule takes the lowering, the equation, and the inputs (a ``Look``, a ``Literal``, a Python number
or None), and returns what its outputs are. It may raise ``NotLoweredError`` with the reason: the
row is then carried out by its own NumPy kernel in the middle of the program.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.compiler.codegen.conversions import is_half
from adjoint.compiler.codegen.scalars import has_code
from adjoint.compiler.expressions import Expression, as_scalar, number
from adjoint.compiler.lowering.halves import MOVING, has_halves, in_float32
from adjoint.compiler.lowering.numbering import Numbering
from adjoint.compiler.nodes import (
    Buffer,
    Call,
    Look,
    Looped,
    Map,
    Node,
    Part,
    Product,
    Reduction,
    Scalar,
)
from adjoint.compiler.program import Equation, Literal, Program, Variable
from adjoint.ops.kinds.row import TABLE

Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}
NUMBERS = "fiub"  # kinds of NumPy types that loops are made for


class NotLoweredError(Exception):
    """Raised by a rule for what it does not cover, with the reason."""


def lowers(*names: str) -> Callable[[Rule], Rule]:
    """Make a function the rule of these rows."""

    def register(rule: Rule) -> Rule:
        for name in names:
            if name in RULES:
                raise ValueError(f"row {name!r} has a rule already")
            RULES[name] = rule
        return rule

    return register


def can_loop(kind: np.dtype[Any]) -> bool:
    """Whether loops compute with this type: no complex numbers."""
    return kind.kind in NUMBERS or is_half(kind)


def last_uses(program: Program) -> dict[Variable, int]:
    """The number of the last equation that reads each variable; results are read after all."""
    found: dict[Variable, int] = {}
    for at, equation in enumerate(program.equations):
        for each in equation.inputs:
            for atom in each if isinstance(each, tuple) else (each,):
                if isinstance(atom, Variable):
                    found[atom] = at
    for atom in program.outputs:
        if isinstance(atom, Variable):
            found[atom] = len(program.equations)
    return found


class Lowering:
    """The nodes of a program."""

    def __init__(self, program: Program) -> None:
        self.nodes: list[Node] = []
        self.values: dict[Variable, Any] = {}
        self.constants: list[tuple[Buffer, Any]] = []
        self.where: str | None = None
        self.at = 0  # the number of the present equation
        self.last = last_uses(program)
        self.uses = program.uses()
        self.holders: dict[Buffer, list[Variable]] = {}  # the variables that look at a buffer
        self.numbering = Numbering()
        self.known: dict[Any, Buffer] = {}  # what maps and reductions have made, by what they do
        self.zeros: dict[Buffer, Any] = {}  # buffers that are zeros but for some places
        self.summed: set[Buffer] = set()  # those in which sums with such have been made
        self.inputs = [Buffer(each.shape, each.kind) for each in program.inputs]
        for variable, buffer in zip(program.inputs, self.inputs, strict=True):
            self.values[variable] = Look(buffer)
        for self.at, equation in enumerate(program.equations):
            self._lower(equation)
        self.writes = program.writes
        self.shapes: dict[Buffer, Sequence[int]] = {}  # of results, where not the buffers' own
        self.outputs = [
            self._result(each, number in program.writes)
            for number, each in enumerate(program.outputs)
        ]

    def _result(self, atom: Any, written: bool) -> Buffer:
        """The memory of a result: not a constant's.

        Nor that of an input, if either is written to: all writes come before results are read.
        """
        value = self.read(atom)
        if isinstance(value, Look) and value.full and value.buffer.node is not None:
            if written or self.shapes.setdefault(value.buffer, value.shape) == value.shape:
                return value.buffer
            loaded = self.load(value, value.shape)
            return self.map(value.shape, value.kind, loaded, fresh=True).buffer
        buffer = self.whole(value)
        shape = tuple(value.shape) if isinstance(value, (Look, Literal)) else buffer.shape
        fresh = not written and buffer.node is not None
        if fresh and self.shapes.setdefault(buffer, shape) != shape:  # a result in another too
            buffer = self.map(shape, value.kind, self.load(value, shape), fresh=True).buffer
        written = written or buffer in [self.inputs[each] for each in self.writes.values()]
        if buffer.node is None and (written or buffer not in self.inputs):
            buffer = self._copied(buffer)
        return buffer

    def _copied(self, buffer: Buffer) -> Buffer:
        """A copy of a constant or an input."""
        look = Look(buffer)
        if can_loop(look.kind):
            return self.map(look.shape, look.kind, self.load(look, look.shape)).buffer
        copy = Buffer(buffer.shape, buffer.kind)
        reason = f"loops do not copy {buffer.kind}"
        self.add(Call(TABLE["clone"], (look,), ("C",), (copy,), reason))
        return copy

    # -- equations ----------------------------------------------------------------------------

    def read(self, atom: Any) -> Any:
        """What an atom is: a Look, a Literal, a number, None."""
        return self.values[atom] if isinstance(atom, Variable) else atom

    def _lower(self, equation: Equation) -> None:
        self.where = equation.where
        inputs = tuple(
            tuple(map(self.read, each)) if isinstance(each, tuple) else self.read(each)
            for each in equation.inputs
        )
        try:
            found = self._by_rule(equation, inputs)
        except NotLoweredError as reason:
            found = self.call(equation, inputs, str(reason))
        many = equation.operation.many_outputs
        for variable, value in zip(equation.outputs, found if many else (found,), strict=True):
            self.values[variable] = value
            if isinstance(value, Look):
                self.holders.setdefault(value.buffer, []).append(variable)

    def _by_rule(self, equation: Equation, inputs: tuple[Any, ...]) -> Any:
        """What the row's rule makes: of halves as they are, or else of what they are in float32."""
        rule = RULES.get(equation.operation.name)
        if rule is None:
            raise NotLoweredError("there is no rule for it")
        for each in (*equation.inputs, *equation.outputs):
            if isinstance(each, (Variable, Literal)) and not can_loop(each.kind):
                raise NotLoweredError(f"loops do not compute with {each.kind}")
        row = equation.operation
        if not (row.low_precision and has_halves(equation)):
            return self._tried(rule, self, equation, *inputs)
        if row.kind in MOVING:
            with contextlib.suppress(NotLoweredError):
                return self._tried(rule, self, equation, *inputs)
        return self._tried(in_float32, self, rule, equation, inputs)

    def _tried(self, make: Callable[..., Any], *args: Any) -> Any:
        """What a rule makes; where it gives up, nothing is left of what it has made so far."""
        count, known = len(self.nodes), len(self.known)
        try:
            return make(*args)
        except NotLoweredError:
            del self.nodes[count:]
            while len(self.known) > known:
                self.known.popitem()
            raise

    def call(self, equation: Equation, inputs: Sequence[Any], reason: str) -> Any:
        """Carry the row out by its own kernel."""

        def prepared(each: Any) -> Any:
            if isinstance(each, tuple):
                return tuple(map(prepared, each))
            if not isinstance(each, Look) or each.full:
                return each
            return Look(self.whole(each))

        buffers = tuple(Buffer(each.shape, each.kind) for each in equation.outputs)
        node = Call(
            equation.operation, tuple(map(prepared, inputs)), equation.options, buffers, reason
        )
        self.add(node)
        looks = tuple(map(Look, buffers))
        return looks if equation.operation.many_outputs else looks[0]

    def add(self, node: Node) -> None:
        """Append a node; ``NotLoweredError`` if there is no code for one of its operations."""
        moves = isinstance(node, (Map, Part, Call)) or getattr(node, "name", "") == "set"
        if not moves and any(is_half(each.kind) for each in node.buffers):
            raise NotLoweredError("nothing is combined in halves")  # but in float32: see `_by_rule`
        if isinstance(node, Looped):
            for each in node.body.walk():
                if not has_code(each):
                    raise NotLoweredError(f"the library has no {each.name} of {each.kind}")
        node.where = self.where
        self.nodes.append(node)

    # -- what rules build with ----------------------------------------------------------------

    def whole(self, value: Any) -> Buffer:
        """A buffer in order that holds the value and nothing else."""
        if isinstance(value, Look):
            if value.whole:
                return value.buffer
            return self.map(value.shape, value.kind, self.load(value, value.shape)).buffer
        if not isinstance(value, Literal):
            value = Literal(value)
        same = value.number
        if same is not None and can_loop(value.kind):
            return self.map(value.shape, value.kind, number(same, value.kind)).buffer
        buffer = Buffer(value.shape, value.kind)
        self.constants.append((buffer, np.ascontiguousarray(value.value)))
        return buffer

    def look(self, value: Any) -> Look:
        """The value in memory; of a constant, in memory of its own."""
        return value if isinstance(value, Look) else Look(self.whole(value))

    def load(self, value: Any, shape: Sequence[int], kind: Any = None) -> Expression:
        """The element of ``value`` at a place of ``shape``, to which it broadcasts."""
        if isinstance(value, Literal) and value.number is not None:
            loaded = number(value.number, value.kind)
        elif isinstance(value, (Look, Literal)):
            look = self.look(value).stretched(tuple(shape))
            loaded = Expression(Scalar("load", look.kind, value=look))
        else:
            loaded = number(value, np.asarray(value).dtype if kind is None else kind)
        return loaded if kind is None else loaded.to(kind)

    def map(self, shape: Sequence[int], kind: Any, body: Any, fresh: bool = False) -> Look:
        """A buffer of ``shape`` whose elements are ``body``.

        It may be one that is there already; not so if it is to be ``fresh``, to be written to.
        """
        buffer = Buffer(tuple(shape), kind)
        scalar = as_scalar(body, buffer.kind)
        return self._once(("map", buffer.shape, buffer.kind.str), Map(buffer, scalar), fresh)

    def _once(self, key: Any, node: Map | Reduction, fresh: bool = False) -> Look:
        """What a node makes, made once if the same has been made before."""
        number = None if fresh else self.numbering.number(node.body)
        if number is not None:
            found = self.known.get((*key, number))
            if found is not None and not found.rewritten:
                return Look(found)
        self.add(node)
        if number is not None:
            self.known.setdefault((*key, number), node.buffers[0])
        return Look(node.buffers[0])

    def reduce(
        self, name: str, body: Expression, domain: Sequence[int], axes: Sequence[int], kind: Any
    ) -> Look:
        """``body`` over ``domain`` combined along ``axes``, which stay with size 1."""
        rank = len(domain)
        along = tuple(sorted(axis % rank for axis in axes)) if rank else ()
        shape = tuple(1 if axis in along else size for axis, size in enumerate(domain))
        buffer = Buffer(shape, kind)
        node = Reduction(name, buffer, tuple(domain), along, as_scalar(body, buffer.kind))
        return self._once((name, node.domain, along, buffer.kind.str), node)

    def product(self, x: Look, y: Look, kind: Any, start: Look | None = None) -> Look:
        """Matrix product of two looks with the same sizes in front, plus the ``start``."""
        buffer = Buffer((*x.shape[:-1], y.shape[-1]), kind)
        self.add(Product(buffer, x, y, start))
        return Look(buffer)

    def reshaped(self, value: Any, shape: Sequence[int]) -> Look:
        """In another shape, copied where strides cannot say it."""
        look = self.look(value)
        try:
            return look.seen(lambda place: place.reshape(shape, copy=False))
        except ValueError:
            return Look(self.whole(look)).seen(lambda place: place.reshape(shape))
