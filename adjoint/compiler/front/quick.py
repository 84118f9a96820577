"""The call of one program as straight-line Python, written for it: what a small step mostly costs.

It does what ``Compiled.fits`` and ``Compiled.__call__`` do, for programs that need no call of NumPy
in the middle, no step of an optimizer and no view: every check is a comparison by identity with
what was there when it was written, and anything else is a ``MISS``, for which the general way is
gone, and another one is written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.compiler.front.calling import MISS, Compiled, root_of, undo
from adjoint.compiler.front.guards import PLAIN
from adjoint.compiler.front.keys import Arguments
from adjoint.compiler.front.sources import Argument, Number, Outside
from adjoint.compiler.front.tracing import Constant, Given, Result
from adjoint.compiler.runtime.executable import FINISHED, FLAG
from adjoint.ops.inplace import before_write
from adjoint.ops.rewriting import renew_unrecorded
from adjoint.tape.changes import changes
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad, clock, user_frame
from adjoint.tape.tensor import Tensor, Untracked, make_leaf, memory_of, new

IN_ORDER = 257  # bits of ``flags.num``: C order, and aligned
WRONG = "(AttributeError, ValueError, KeyError, TypeError)"
Call = Callable[[tuple[Any, ...], dict[str, Any]], Any]


def quick_call(compiled: Compiled, given: Arguments) -> Call | None:
    """A function of ``args`` and ``kwargs`` that calls the program, or gives ``MISS``.

    To be made right after ``compiled`` was called with such arguments. None where the program
    needs more than this way knows.
    """
    if not _is_simple(compiled, given):
        return None
    compiled.ways += 1
    if compiled.ways & (compiled.ways - 1):
        return None  # it keeps missing: the first, second, fourth, eighth ... time only
    writer = _Writer(compiled, given)
    source = writer.source()
    if compiled.written_call is None or compiled.written_call[0] != source:
        compiled.written_call = source, compile(source, "<call of a program>", "exec")
    exec(compiled.written_call[1], writer.names)
    call: Call = writer.names["call"]
    return call


def _is_simple(compiled: Compiled, given: Arguments) -> bool:
    traced, executable = compiled.traced, compiled.executable
    args, kwargs = given.structure.parts
    if executable.has_calls or traced.flags or compiled.unchecked:
        return False
    if kwargs.parts or any(part.kind is not None for part in args.parts):
        return False
    if any(place < 0 and not isinstance(x, PLAIN) for x, place in _pairs(given)):
        return False
    tensors = [each for each in given.places if each >= 0]
    if len(set(tensors)) < len(tensors):  # one tensor twice
        return False
    derivative = compiled.derivative
    if derivative is not None and (derivative.copied or derivative.draws):
        return False
    if any(not isinstance(each, (Argument, Outside, Number)) for each in traced.sources):
        return False
    if any(not isinstance(each, (Result, Given)) for each in traced.made) or compiled.spent:
        return False
    if any(each.rebinds or not isinstance(each.source, Outside) for each in traced.written):
        return False
    if any(not isinstance(each.source, Outside) for each in traced.left) or traced.bound:
        return False
    known = {*map(id, traced.sources)}
    used = [each for each, _ in traced.grad_guards] + [each.source for each in traced.left]
    used += [each.source for each in traced.made if isinstance(each, Given)]
    if any(id(each) not in known for each in used):  # tensors of which no numbers are needed
        return False
    found = [each.find(given.tensors) for each in traced.sources]
    arrays = [each._array for each in found if each is not None]
    return all(each.flags.num & IN_ORDER == IN_ORDER for each in arrays)


def _pairs(given: Arguments) -> Any:
    return zip(given.leaves, given.places, strict=True)


class _Writer:
    """Collects lines of source, and the names in them."""

    def __init__(self, compiled: Compiled, given: Arguments) -> None:
        self.compiled = compiled
        self.traced = compiled.traced
        self.executable = compiled.executable
        self.given = given
        self.names: dict[str, Any] = {
            "MISS": MISS, "modes": modes, "dtypes": dtypes, "changes": changes, "new": new,
            "Tensor": Tensor, "Untracked": Untracked, "AccumulateGrad": AccumulateGrad,
            "empty": np.empty, "clock": clock, "user_frame": user_frame, "frame_at": sys._getframe,
            "renew": renew_unrecorded, "executable": self.executable, "compiled": compiled,
            "run": self.executable.run, "idle": [],
        }  # fmt: skip
        self.lines: list[str] = []
        self.tensors: dict[int, str] = {}  # the name of each source's tensor, by its id
        self.context()

    def context(self) -> None:
        """A pool of tables of our own, in which closed-over arrays stand already."""
        executable, outside = self.executable, self.compiled.outside
        places = {id(each): place for place, each in enumerate(self.traced.sources)}
        entries = [
            (executable.first + places[id(each)], id(each.tensor._array)) for each in outside
        ]

        def fresh() -> Any:
            context = executable.take()
            for slot, address in entries:
                context.table[slot] = address
            return context

        self.names["fresh"] = fresh

    def add(self, *lines: str) -> None:
        """Lines inside the function."""
        self.lines += [f"    {line}" for line in lines]

    def source(self) -> str:
        """The whole function."""
        self.add("try:")
        self._arguments()
        self._world()
        self.add(f"except {WRONG}:", "    return MISS")
        self._run()
        self._deliver()
        return "\n".join(["def call(args, kwargs):", *self.lines, ""])

    # -- checks -------------------------------------------------------------------------------

    def _arguments(self) -> None:
        count = len(self.given.leaves)
        names = [f"x{number}" for number in range(count)]
        if count:
            self.add(f"    {', '.join(names)}, = args")
            self._miss("kwargs")
        else:
            self._miss("args or kwargs")
        outside = [each.tensor for each in self.compiled.outside]
        self.names["closed"] = {*map(id, outside), *[id(root_of(each._array)) for each in outside]}
        tensors = []
        for name, (leaf, place) in zip(names, _pairs(self.given), strict=True):
            if place < 0:
                self._value(name, leaf)
            else:
                tensors.append(name)
                self.tensors[id(self.traced.sources[place])] = name
                self._tensor(name, leaf, place)
        for number, name in enumerate(tensors):
            for other in tensors[:number]:
                self._miss(f"{name} is {other}")
                if self.traced.written:
                    self._miss(f"root_{name} is root_{other}")

    def _value(self, name: str, leaf: Any) -> None:
        self.names[f"value_{name}"], self.names[f"kind_{name}"] = leaf, type(leaf)
        if type(leaf) in (float, complex):
            self._miss(f"type({name}) is not kind_{name} or repr({name}) != {repr(leaf)!r}")
        else:
            self._miss(f"type({name}) is not kind_{name} or {name} != value_{name}")

    def _tensor(self, name: str, leaf: Any, place: int) -> None:
        array = leaf._array
        self.names.update(
            {f"kind_{name}": type(leaf), f"shape_{name}": array.shape, f"type_{name}": array.dtype}
        )
        self.add(f"    array_{name} = {name}._array")
        parts = [
            f"type({name}) is not kind_{name}",
            f"array_{name}.shape != shape_{name}",
            f"array_{name}.dtype is not type_{name}",
            f"array_{name}.flags.num & {IN_ORDER} != {IN_ORDER}",
            f"{name}._view is {'not ' if leaf._view is None else ''}None",
            f"id({name}) in closed",
        ]
        node = leaf._node
        if node is None:
            parts.append(f"{name}._node is not None")
        elif type(node) is AccumulateGrad:
            parts.append(f"type({name}._node) is not AccumulateGrad")
        else:
            parts.append(f"{name}._node is None or isinstance({name}._node, AccumulateGrad)")
        self._miss(f"({' or '.join(parts)})")
        if self.traced.written:
            self.add(f"    root_{name} = array_{name}.base")
            self.add(f"    if root_{name} is None: root_{name} = array_{name}")
            self._miss(f"id(root_{name}) in closed or root_{name}.base is not None")

    def _world(self) -> None:
        inference = bool(modes.inference)
        if modes.enabled:
            self._miss("modes.enabled is not True")
        else:
            self._miss(
                f"modes.enabled or modes.recorder is not True or modes.inference is not {inference}"
            )
        self.names["kind"] = dtypes.get_default_dtype()
        self.names["count"] = self.compiled.changes
        self._miss("dtypes._default is not kind or changes.count != count")
        quick = self.compiled.guards.expression(self.names)
        if quick:
            self.add(f"    if not ({quick}): return MISS")
        for number, each in enumerate(self.compiled.outside):
            tensor = each.tensor
            name = self.tensors[id(each)] = f"t{number}"
            self.names.update(
                {name: tensor, f"array_{name}": tensor._array, f"node_{name}": tensor._node}
            )
            self._miss(f"{name}._array is not array_{name} or {name}._node is not node_{name}")
        for source, there in self.traced.grad_guards:
            name = self.tensors[id(source)]
            self._miss(f"{name}._node.grad is {'' if there else 'not '}None")

    def _miss(self, condition: str) -> None:
        self.add(f"    if {condition}: return MISS")

    # -- running ------------------------------------------------------------------------------

    def _run(self) -> None:
        executable, traced = self.executable, self.traced
        self.add("try:", "    context = idle.pop()", "except IndexError:", "    context = fresh()")
        self.add("table = context.table")
        for place, source in enumerate(traced.sources):
            if isinstance(source, Argument):
                name = self.tensors[id(source)]
                self.add(f"table[{executable.first + place}] = id(array_{name})")
        for number, (slot, shape, kind) in enumerate(executable.made):
            self.names[f"size{number}"], self.names[f"made{number}"] = shape, kind
            self.add(f"r{number} = empty(size{number}, made{number})")
            self.add(f"table[{slot}] = id(r{number})")
        if not traced.written and not traced.effects:
            self.add("run(context.address)", f"if table[{FLAG}]: executable.refuse(context)")
            self.add("idle.append(context)")
            return
        self.add("now = next(clock)", "frame = user_frame(frame_at(1))")
        self.add(f"finished = table[{FINISHED}]", "begun = []", "try:")
        self._effects()
        self.add("    run(context.address)", f"    if table[{FLAG}]: executable.refuse(context)")
        self.add("    idle.append(context)", "except BaseException:")
        # An interrupt that came while machine code ran is seen when it has ended, and written.
        self.add(f"    if table[{FINISHED}] == finished:", "        undo(begun)", "    else:")
        arguments = [
            self.tensors[id(each)] for each in traced.sources if isinstance(each, Argument)
        ]
        made = ", ".join(f"r{number}" for number in range(len(executable.made)))
        self.add(f"        complete(({''.join(f'{x}, ' for x in arguments)}), [{made}])")
        self.add("    raise")
        self.names["undo"], self.names["complete"] = undo, self.compiled.complete

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
                slot = self.executable.first + place
                self.add(f"    table[{slot}] = id(numbers{source.effect}[{source.place}])")

    # -- delivering ---------------------------------------------------------------------------

    def _deliver(self) -> None:
        traced = self.traced
        self._writes()
        made = [self._made(number, each) for number, each in enumerate(traced.made)]
        for number, leaf in enumerate(traced.left):
            node = f"leaf{number}"
            self.names[node] = leaf.source.find(self.given.tensors)._node
            self.add(f"{node}.grad = {'None' if leaf.made is None else made[leaf.made]}")
        if self.compiled.derivative is not None:
            self._history(made)
        values = []
        for number, each in enumerate(traced.outputs):
            if isinstance(each, Constant):
                self.names[f"constant{number}"] = each.value
                values.append(f"constant{number}")
            else:
                values.append(made[each])
        if traced.rebuild.kind is None:
            self.add(f"return {values[0]}")
        elif traced.rebuild.kind is tuple and all(x.kind is None for x in traced.rebuild.parts):
            self.add(f"return ({''.join(f'{each}, ' for each in values)})")
        else:
            self.names["rebuild"] = traced.rebuild
            self.add(f"return rebuild(iter([{', '.join(values)}]))")

    def _writes(self) -> None:
        """Count writes: all at one time, in the line of the call."""
        written = self.traced.written
        if not written:
            return
        self.add("code, instruction = None, 0")
        self.add("if frame is not None: code, instruction = frame.f_code, frame.f_lasti")
        for number, each in enumerate(written):
            tensor = each.source.find(self.given.tensors)
            memory = self.names[f"memory{number}"] = memory_of(tensor)
            before_write(memory, tensor._array)
            self.add(
                f"memory{number}.version += {each.writes}",
                f"memory{number}.written = now",
                f"memory{number}.code, memory{number}.instruction = code, instruction",
                f"if memory{number}.views: renew(memory{number})",
            )

    def _made(self, number: int, each: Any) -> str:
        """Lines that make one tensor; its name."""
        if isinstance(each, Given):
            return self.tensors[id(each.source)]
        place = self.executable.outputs[each.number]
        assert place is not None
        if place >= 0:
            array = f"r{place}"
        else:
            array = f"array_{self.tensors[id(self.traced.sources[-place - 1])]}.copy()"
        if each.copy:
            array += ".copy()"
        name = f"m{number}"
        self.add(
            f"{name} = new(Tensor)",
            f"{name}._array = {array}",
            f"{name}._node = {name}._view = None",
            f"{name}._memory = {'new(Untracked)' if modes.inference else 'None'}",
            f"{name}._level = 0",
        )
        if each.requires_grad == "leaf":
            self.names["make_leaf"] = make_leaf
            self.add(f"make_leaf({name})")
        if each.writes:
            self.names["memory_of"] = memory_of
            self.add(f"memory_of({name}).version = {each.writes}")
        return name

    def _history(self, made: list[str]) -> None:
        derivative, backward = self.compiled.derivative, self.traced.backward
        assert derivative is not None
        assert backward is not None
        self.names["record"] = derivative.record
        results = [made[each] for each in backward.cotangents]
        edges = [f"{self.tensors[id(each)]}._node" for each in backward.edges]
        outputs = []
        for place in self.executable.outputs:
            if place is None:
                outputs.append("None")
            elif place >= 0:
                outputs.append(f"r{place}")
            else:
                outputs.append(f"array_{self.tensors[id(self.traced.sources[-place - 1])]}.copy()")
        kept = [
            outputs[each] if isinstance(each, int) else self.tensors[id(each)]
            for each in derivative.residuals
        ]
        inputs = [self.tensors.get(id(each), "None") for each in self.traced.sources]
        for name, values in (("results", results), ("edges", edges), ("kept", kept)):
            self.add(f"{name} = ({''.join(f'{each}, ' for each in values)})")
        drawn = "()"
        self.add(f"record(results, edges, kept, {drawn}, ({''.join(f'{x}, ' for x in inputs)}))")
