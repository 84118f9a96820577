"""The call of one program as straight-line Python, written for it: what a small step mostly costs.

It does what ``Compiled.fits`` and ``Compiled.__call__`` do. Every check is a comparison by identity
with what was there when it was written; for all else it gives ``MISS``, the general way is gone,
and another function is written. Names in it: ``x0`` ... are tensors among the arguments, ``t0`` ...
those closed over, ``g0`` ... those in a ``.grad``; ``array_x0`` is the array of ``x0``; ``r0`` ...
are new arrays, and ``m0`` ... what is made of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.compiler.front.calling import MISS, Compiled, undo, view_of
from adjoint.compiler.front.differentiable import CompiledBackward, Gone, Spent
from adjoint.compiler.front.keys import Arguments
from adjoint.compiler.front.quick_checks import Checks, NotSimpleError
from adjoint.compiler.front.sources import Argument, Number, Outside
from adjoint.compiler.front.tracing import Constant, Given, Look
from adjoint.compiler.runtime.executable import FINISHED, FLAG
from adjoint.ops.inplace import before_write
from adjoint.ops.rewriting import renew_unrecorded
from adjoint.tape.changes import changes
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad, Port, clock, user_frame
from adjoint.tape.tensor import Tensor, Untracked, make_leaf, memory_of, new

WRONG = "(AttributeError, ValueError, KeyError, TypeError)"
Call = Callable[[tuple[Any, ...], dict[str, Any]], Any]


def quick_call(compiled: Compiled, given: Arguments) -> Call | None:
    """A function of ``args`` and ``kwargs`` that calls the program, or gives ``MISS``.

    To be made right after ``compiled`` was called with such arguments. None where the program
    needs more than this way knows.
    """
    if compiled.unchecked or compiled.ways < 0:
        return None
    compiled.ways += 1
    if compiled.ways & (compiled.ways - 1):
        return None  # it keeps missing: the first, second, fourth, eighth ... time only
    writer = _Writer(compiled, given)
    try:
        source = writer.source()
    except NotSimpleError:
        compiled.ways = -1
        return None
    if compiled.written_call is None or compiled.written_call[0] != source:
        compiled.written_call = source, compile(source, "<call of a program>", "exec")
    exec(compiled.written_call[1], writer.names)
    call: Call = writer.names["call"]
    return call


class _Writer(Checks):
    """Collects lines of source, and the names in them."""

    def __init__(self, compiled: Compiled, given: Arguments) -> None:
        super().__init__(compiled, given)
        self.executable = compiled.executable
        self.names |= {
            "MISS": MISS, "modes": modes, "dtypes": dtypes, "changes": changes, "new": new,
            "Tensor": Tensor, "Untracked": Untracked, "AccumulateGrad": AccumulateGrad,
            "empty": np.empty, "clock": clock, "user_frame": user_frame, "frame_at": sys._getframe,
            "renew": renew_unrecorded, "executable": self.executable, "memory_of": memory_of,
            "run": self.executable.run, "idle": [], "before_write": before_write, "undo": undo,
            "complete": compiled.complete, "call_in": self.executable.call_in,
            "make_leaf": make_leaf, "view_of": view_of, "CompiledBackward": CompiledBackward,
        }  # fmt: skip
        traced = self.traced
        self.in_parts = bool(traced.written or traced.effects or traced.counted)
        self.framed = self.in_parts or bool(compiled.spent) or compiled.derivative is not None

    def source(self) -> str:
        """The whole function."""
        self.require_simple()
        self.add("try:")
        self.check_arguments()
        self.check_world()
        self.add(f"except {WRONG}:", "    return MISS")
        self._begin()
        self._run()
        self._deliver()
        return "\n".join(["def call(args, kwargs):", *self.lines, ""])

    # -- running ------------------------------------------------------------------------------

    def _begin(self) -> None:
        """A table of our own, in which closed-over arrays stand already; new arrays."""
        executable = self.executable
        entries = [
            (executable.first + place, id(each.tensor._array))
            for place, each in enumerate(self.traced.sources)
            if isinstance(each, Outside)
        ]

        def fresh() -> Any:
            context = executable.take()
            for slot, address in entries:
                context.table[slot] = address
            return context

        self.names["fresh"] = fresh
        self.add("try:", "    context = idle.pop()", "except IndexError:", "    context = fresh()")
        self.add("table = context.table")
        for place, source in enumerate(self.traced.sources):
            if not isinstance(source, (Outside, Number)):
                self.add(f"table[{executable.first + place}] = id(array_{self.name_of(source)})")
        if not executable.has_calls:
            for number, (slot, shape, kind) in enumerate(executable.made):
                self.names[f"size{number}"], self.names[f"kind{number}"] = shape, kind
                self.add(f"r{number} = empty(size{number}, kind{number})")
                self.add(f"table[{slot}] = id(r{number})")
        for number, each in enumerate(self.traced.written):
            name = self.name_of(each.source)
            if isinstance(each.source, Outside):
                memory = self.names[f"memory{number}"] = memory_of(each.source.tensor)
                before_write(memory, each.source.tensor._array)
            else:
                self.add(f"memory{number} = {name}._memory or memory_of({name})")
                self.add(f"before_write(memory{number}, array_{name})")
        if self.framed:
            self.add("frame, code, instruction = user_frame(frame_at(1)), None, 0")
            self.add("if frame is not None: code, instruction = frame.f_code, frame.f_lasti")

    def _run(self) -> None:
        made = ", ".join(f"r{number}" for number in range(len(self.executable.made)))
        lines = ["run(context.address)", f"if table[{FLAG}]: executable.refuse(context)"]
        if self.executable.has_calls:
            arrays = [self._array(each) for each in self.traced.sources]
            lines = ["made = []", f"call_in(context, ({_listed(arrays)}), made)"]
        if not self.in_parts:
            self.add(*lines, "idle.append(context)")
        else:
            self.add("now = next(clock)", f"finished = table[{FINISHED}]", "begun = []", "try:")
            self._effects()
            self.add(*[f"    {line}" for line in lines], "    idle.append(context)")
            # An interrupt that came while machine code ran is seen when it has ended, and written.
            self.add("except BaseException:", f"    if table[{FINISHED}] == finished:")
            self.add("        undo(begun)", "    else:")
            arguments = [
                self.name_of(each) for each in self.traced.sources if isinstance(each, Argument)
            ]
            kept = "made" if self.executable.has_calls else f"[{made}]"
            self.add(f"        complete(({_listed(arguments)}), {kept})", "    raise")
        if self.executable.has_calls and made:
            self.add(f"{made}, = made")

    def _effects(self) -> None:
        """What Python does before each run: it gives numbers, or finds that it does not fit."""
        for number, effect in enumerate(self.traced.effects):
            self.names[f"effect{number}"] = effect
            # It counts as begun before it begins, as that may be interrupted.
            self.add(f"    effect{number}.undoing = []", f"    begun.append(effect{number})")
            self.add(f"    numbers{number} = effect{number}.begin()")
            self.add(f"    if numbers{number} is None:")
            self.add("        undo(begun)", "        return MISS")
        for place, source in enumerate(self.traced.sources):
            if isinstance(source, Number):
                self.add(f"    table[{self.executable.first + place}] = id({self._array(source)})")

    def _array(self, source: Any) -> str:
        if isinstance(source, Number):
            return f"numbers{source.effect}[{source.place}]"
        return f"array_{self.name_of(source)}"

    # -- delivering ---------------------------------------------------------------------------

    def _deliver(self) -> None:
        traced = self.traced
        self._writes()
        made = [
            f"m{number}" if isinstance(each, Look) else self._made(number, each)
            for number, each in enumerate(traced.made)
        ]
        if self.compiled.derivative is not None:
            self._history(made)
        self._spent(made)
        for number, each in enumerate(traced.made):
            if isinstance(each, Look):
                self.names[f"look{number}"] = each
                parent = made[each.of] if isinstance(each.of, int) else self.name_of(each.of)
                self.add(f"m{number} = view_of({parent}, look{number})")
        for leaf in traced.left:
            grad = "None" if leaf.made is None else made[leaf.made]
            self.add(f"{self.home_of_grad(leaf.source)}.grad = {grad}")
        values = []
        for number, each in enumerate(traced.outputs):
            if isinstance(each, Constant):
                self.names[f"constant{number}"] = each.get if each.fresh else each.value
                values.append(f"constant{number}{'()' * each.fresh}")
            else:
                values.append(made[each])
        if traced.rebuild.kind is None:
            self.add(f"return {values[0]}")
        elif traced.rebuild.kind is tuple and all(x.kind is None for x in traced.rebuild.parts):
            self.add(f"return ({_listed(values)})")
        else:
            self.names["rebuild"] = traced.rebuild
            self.add(f"return rebuild(iter([{_listed(values)}]))")

    def _writes(self) -> None:
        """Count writes: all at one time, in the line of the call."""
        counts = [(f"memory{n}", each.writes) for n, each in enumerate(self.traced.written)]
        for number, (source, writes) in enumerate(self.traced.counted):
            name = self.name_of(source)
            self.add(f"counted{number} = {name}._memory or memory_of({name})")
            counts.append((f"counted{number}", writes))
        for memory, writes in counts:
            self.add(
                f"{memory}.version += {writes}",
                f"{memory}.written = now",
                f"{memory}.code, {memory}.instruction = code, instruction",
                f"if {memory}.views: renew({memory})",
            )

    def _result(self, number: int) -> str:
        """The array of a result of the program."""
        place = self.executable.outputs[number]
        if place is None:
            return "None"
        if place >= 0:
            shape = dict(self.compiled.reshaped).get(number)
            return f"r{place}" if shape is None else f"r{place}.reshape({shape})"
        return f"{self._array(self.traced.sources[-place - 1])}.copy()"

    def _made(self, number: int, each: Any) -> str:
        """Lines that make one tensor; its name."""
        if isinstance(each, Given):
            return self.name_of(each.source)
        name = f"m{number}"
        copy = ".copy()" if number in self.compiled.copies else ""
        self.add(
            f"{name} = new(Tensor)",
            f"{name}._array = {self._result(each.number)}{copy}",
            f"{name}._node = {name}._view = None",
            f"{name}._memory = {'new(Untracked)' if modes.inference else 'None'}",
            f"{name}._level = 0",
        )
        if each.requires_grad == "leaf":
            self.add(f"make_leaf({name})")
        if each.writes:
            self.add(f"memory_of({name}).version = {each.writes}")
        return name

    def _history(self, made: list[str]) -> None:
        derivative, backward = self.compiled.derivative, self.traced.backward
        assert derivative is not None
        assert backward is not None
        self.names["derivative"], self.names["Port"] = derivative, Port
        kept = [
            self._result(each) if isinstance(each, int) else self.name_of(each)
            for each in derivative.residuals
        ]
        kept += [self._array_or_tensor(each) for each in derivative.replayed_inputs]
        results = [made[each] for each in backward.cotangents]
        edges = [f"{self.name_of(each)}._node" for each in backward.edges]
        self._node("n", "derivative", edges, f"({_listed(kept)})", results[0])
        if len(results) == 1:
            self.add(f"{results[0]}._node = n")
            return
        for number, name in enumerate(results):
            self.add(f"array = {name}._array")
            self.add(f"{name}._node = Port(n, {number}, array.shape, array.dtype)")

    def _array_or_tensor(self, number: int) -> str:
        source = self.traced.sources[number]
        return self._array(source) if isinstance(source, Number) else self.name_of(source)

    def _node(self, name: str, plan: str, edges: list[str], saved: str, result: str) -> None:
        """Lines that make a node; what they are about is said in ``make_node``."""
        self.add(
            f"{name} = new(CompiledBackward)",
            f"{name}.plan, {name}.edges, {name}.saved = {plan}, ({_listed(edges)}), {saved}",
            f"{name}.sequence, {name}.hooks = next(clock), None",
            f"{name}.code, {name}.instruction = code, instruction",
            f"{name}.shape, {name}.dtype = {result}._array.shape, {result}._array.dtype",
        )

    def _spent(self, made: list[str]) -> None:
        """Histories that a backward pass inside has used up: enough of a node to say so."""
        if not self.compiled.spent:
            return
        self.names["spent"] = Spent()
        known = [each for each in self.traced.sources if not isinstance(each, Number)]
        found = [each for each in known if each.find(self.given.tensors)._node is not None]
        edges = [f"{self.name_of(each)}._node" for each in found]
        for number in self.compiled.spent:
            self.names[f"gone{number}"] = Gone(self.traced.made[number].error)
            self._node(f"n{number}", "spent", edges, f"gone{number}", made[number])
            self.add(f"{made[number]}._node = n{number}")


def _listed(names: list[str]) -> str:
    return "".join(f"{each}, " for each in names)


__all__ = ["Call", "quick_call"]
