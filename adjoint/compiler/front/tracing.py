"""A function of Tensors as a program, and what else a call of it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_not
from typing import Any

import numpy as np

from adjoint.array.symbol import Symbol
from adjoint.compiler.front.capture import Again, Capture, Cell
from adjoint.compiler.front.differentiating import backward_of
from adjoint.compiler.front.entries import stand_in
from adjoint.compiler.front.equations import Where, untraceable, where_of
from adjoint.compiler.front.leaving import Constant, Given, Leaving, Look, Result, constants_of
from adjoint.compiler.front.sources import Source, kind_of_node
from adjoint.compiler.front.traced import Flag, Left, Traced, Written, overlapping
from adjoint.compiler.front.world import GRAD, MISSING
from adjoint.compiler.program import Equation, Literal, Program, Type, Variable
from adjoint.errors import TransformError, UntraceableError
from adjoint.pytree import Structure, flatten
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad
from adjoint.tape.tensor import Tensor, history_of

ATTEMPTS = 8  # of which each finds one more argument that is reached otherwise too


class Tracing:
    """Makes a program from a capture."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.variables: dict[Symbol, Variable] = {}
        self.results: list[Any] = []
        self.numbers: dict[Any, int] = {}
        self.kept: list[Any] = []

    def variable(self, symbol: Symbol) -> Variable:
        """The variable of a symbol."""
        found = self.variables.get(symbol)
        if found is None:
            kind = Type(symbol.shape, symbol.dtype.numpy)
            found = self.variables[symbol] = Variable(symbol.name, kind)
        return found

    def atom(self, value: Any) -> Any:
        """What an input of an equation is in the program."""
        if isinstance(value, Symbol):
            return self.variable(value)
        if isinstance(value, Tensor):
            return self.atom(value._array)
        if isinstance(value, tuple):
            return tuple(map(self.atom, value))
        return Literal(value) if isinstance(value, (np.ndarray, np.generic)) else value

    def result(self, array: Any) -> int:
        """The number of a result, which is made one if it is none yet."""
        if not isinstance(array, Symbol):
            array = self.capture.trace.constant(array)
            self.kept.append(array)
        atom = self.atom(array)
        key = atom if isinstance(atom, Variable) else id(array)
        if key not in self.numbers:
            self.numbers[key] = len(self.results)
            self.results.append(atom)
        return self.numbers[key]

    def own_result(self, array: Any) -> int:
        """The number of a result for one use alone, as for a write to memory."""
        self.results.append(self.atom(array))
        return len(self.results) - 1

    def equations(self, traced: Sequence[Any]) -> list[Equation]:
        """Steps of a trace as equations of a program."""
        found = []
        for each in traced:
            where: Where | None = where_of(each)
            found.append(
                Equation(
                    each.row,
                    tuple([self.atom(x) for x in each.inputs]),
                    each.options,
                    tuple([self.variable(x) for x in each.outputs]),
                    where,
                )
            )
        return found


def trace(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Traced:
    """Run ``function`` on symbols in the place of the tensors among its arguments.

    Raises ``UntraceableError`` for what no program can do; the world is then as it was before.
    """
    leaves, rebuild = flatten((tuple(args), kwargs))
    bound: list[Any] = []
    for _ in range(ATTEMPTS):
        try:
            return _Attempt(leaves, bound).trace(function, rebuild)
        except Again as again:
            bound.append(again.tensor)
    raise untraceable("arguments and tensors that the function closes over are the same")


class _Attempt:
    """One run of the function."""

    def __init__(self, leaves: Sequence[Any], bound: Sequence[Any]) -> None:
        self.leaves = leaves
        self.capture = Capture()
        self.tracing = Tracing(self.capture)
        self.stand_ins: dict[int, Any] = {}
        self.bound: list[tuple[int, Any]] = []
        known = {id(each) for each in bound}
        tensors = {id(each): each for each in leaves if isinstance(each, Tensor)}
        for number, tensor in enumerate(tensors.values()):
            if id(tensor) in known:
                self.bound.append((number, tensor))
                self.stand_ins[id(tensor)] = tensor
            else:
                self.stand_ins[id(tensor)] = stand_in(tensor)
                self.capture.leaks.add(self.stand_ins[id(tensor)])
                self.capture.given[id(tensor)] = tensor
        for number, tensor in enumerate(self.stand_ins.values()):
            self.capture.stand_in(tensor, number)

    def trace(self, function: Callable[..., Any], rebuild: Any) -> Traced:
        capture = self.capture
        inner = [self.stand_ins.get(id(each), each) for each in self.leaves]
        for tensor in capture.given.values():
            capture.world.note_tensor(tensor)
        with capture:
            args, kwargs = rebuild(iter(inner))
            try:
                returned = function(*args, **kwargs)
            except AttributeError as error:
                if "'Symbol' object" not in str(error):
                    raise
                raise untraceable(
                    f"an operation needs the numbers ({error})", cause=error
                ) from error
            except UntraceableError:
                raise
            except TransformError as error:
                raise untraceable(str(error), cause=error) from None
            if capture.trace.failure is not None:
                raise capture.trace.failure
            if (modes.enabled, modes.inference) != capture.modes:
                raise untraceable("the grad mode is another one after the function")
            self._require_same(inner, (args, kwargs), rebuild)
            return self._collect(*flatten(returned))

    def _require_same(self, inner: Sequence[Any], arguments: Any, structure: Structure) -> None:
        """Raise if the function has changed a list or a dictionary that it was given."""
        now, present = flatten(arguments)
        if present != structure or any(map(is_not, now, inner)):
            raise untraceable(
                "a list, dictionary or other container among the arguments is changed",
                "make another one of what is in it, and return that",
            )

    # -- what the run has found ---------------------------------------------------------------

    def _collect(self, values: Sequence[Any], rebuild: Any) -> Traced:
        capture, tracing = self.capture, self.tracing
        leaving = Leaving(capture, tracing.result)
        flags = self._flags()
        left = [*self._left()]
        tensors = [each for each in values if isinstance(each, Tensor)]
        leaving.expect([*tensors, *[now for _, now in left if now is not None]])
        constants = constants_of(values)
        outputs = tuple(
            leaving.add(value) if isinstance(value, Tensor) else constant
            for value, constant in zip(values, constants, strict=True)
        )
        grads = tuple(
            Left(source, None if now is None else leaving.add(now)) for source, now in left
        )
        made_grads = leaving.grads_of_made()
        written = self._written()
        self._refuse_effects()
        count = len(capture.trace.equations)
        backward = backward_of(capture, tracing, leaving)
        inputs = [tracing.variable(symbol) for _, symbol in capture.inputs]
        program = Program(
            inputs, tracing.equations(capture.trace.equations[:count]), tracing.results
        )
        places = {id(source): place for place, (source, _) in enumerate(capture.inputs)}
        program.writes = {
            each.result: places[id(each.source)] for each in written if not each.rebinds
        }
        return Traced(
            program.check(),
            tuple([source for source, _ in capture.inputs]),
            len(self.stand_ins),
            tuple(capture.effects),
            tuple(leaving.made),
            outputs,
            rebuild,
            written,
            self._counted(),
            grads,
            flags,
            made_grads,
            self._grad_guards(),
            tuple(self.bound),
            backward,
            tuple(capture.related.values()),
            capture.leaks,
        )

    def _cells(self) -> list[Cell]:
        cells = {id(each): each for each in self.capture.cells.values() if each.source is not None}
        return list(cells.values())

    def _written(self) -> tuple[Written, ...]:
        world, found = self.capture.world, []
        cells = self._cells()
        for cell in cells:
            if cell.array is not cell.first:
                writes = world.writes(cell.tensor)
                assert cell.source is not None
                number = self.tracing.own_result(cell.array)
                found.append(Written(cell.source, number, writes, cell.replaced))
        with self.capture.paused():
            arrays = [(cell.source, cell.tensor._array) for cell in cells]
        clash = overlapping(arrays, {id(each.source) for each in found if not each.rebinds})
        if clash is not None:
            raise untraceable(
                f"{clash[0]!r} and {clash[1]!r} share memory, and one of them is written to",
                "clone() one of them, or pass the whole tensor and take the views inside",
            )
        return tuple(found)

    def _counted(self) -> tuple[tuple[Source, int], ...]:
        capture, world = self.capture, self.capture.world
        found: dict[int, tuple[Source, int]] = {}
        for cell in self._cells():
            own = cell.tensor._memory
            if cell.array is cell.first and world.writes(cell.tensor):  # in place, but no numbers
                found[id(own)] = capture.source_of(cell.tensor), world.writes(cell.tensor)
            for other in cell.others:
                memory = other._memory
                if memory is not None and memory is not own and world.writes(other):
                    found[id(memory)] = capture.source_of(other), world.writes(other)
        return tuple(found.values())

    def _left(self) -> list[tuple[Source, Any]]:
        """Sources, and the tensor that is their ``.grad`` now, where it is another than before."""
        capture, found = self.capture, []
        for each in capture.grads.values():
            leaf = each.node.variable_reference()
            if each.now is not each.before and leaf is not None:
                found.append((capture.source_of(leaf), each.now))
        for tensor, name, old in capture.world.changed_facts():
            now = tensor.__dict__.get(name)
            if name == "_retained_grad":
                found.append((capture.source_of(tensor), now))
            elif name not in ("_leaf_hooks", "_grad_dtype") or old is MISSING:
                raise untraceable(
                    f"the attribute {name.lstrip('_')!r} of a tensor from outside is set",
                    "set it outside of the compiled function",
                )
        for tensor in self._flagged():
            node = history_of(tensor)
            grad = None if node is None else GRAD.__get__(node)
            if grad is not None:
                found.append((capture.source_of(tensor), grad))
        return found

    def _flagged(self) -> list[Any]:
        """Tensors from outside that require a gradient now and did not, or the other way."""
        world = self.capture.world
        found = []
        for tensor, name, old in list(world.slots.values()):
            now = history_of(tensor)
            if name != "_node" or old is now or tensor._view is not None:
                continue
            if any(
                each is not None and not isinstance(each, AccumulateGrad) for each in (old, now)
            ):
                where = (
                    "" if tensor._memory is None else f" (it was written at {tensor._memory.where})"
                )
                raise untraceable(
                    f"a tensor of shape {list(tensor.shape)} from outside gets a history{where}",
                    "write a detached value, write under no_grad(), or return the new tensor",
                )
            if (old is None) is not (now is None):
                found.append(tensor)
        return found

    def _flags(self) -> tuple[Flag, ...]:
        return tuple(
            Flag(self.capture.source_of(each), kind_of_node(history_of(each)) != "constant")
            for each in self._flagged()
        )

    def _refuse_effects(self) -> None:
        world = self.capture.world
        if world.changed_hooks():
            raise untraceable(
                "a hook is hung on a tensor from outside, or taken off",
                "register hooks outside of the compiled function",
            )
        for tensor, name, old in world.slots.values():
            if name in ("_level", "_view") and getattr(tensor, name) is not old and tensor._level:
                raise untraceable("a tensor from outside is written to inside a transform")

    def _grad_guards(self) -> tuple[tuple[Source, bool], ...]:
        found = []
        for each in self.capture.grads.values():
            leaf = each.node.variable_reference()
            if each.looked and leaf is not None:
                found.append((self.capture.source_of(leaf), each.before is not None))
        return tuple(found)


__all__ = [
    "Constant", "Flag", "Given", "Left", "Look", "Result", "Traced", "Tracing", "UntraceableError",
    "Written", "overlapping", "trace",
]  # fmt: skip
