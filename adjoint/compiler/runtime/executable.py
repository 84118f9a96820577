"""A program that can be called: on arrays, without a Tensor in sight."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.compiler.codegen.module import FINISHED, FLAG
from adjoint.compiler.memory import ALIGNMENT
from adjoint.compiler.program import Program
from adjoint.compiler.runtime import pool
from adjoint.compiler.runtime.cache import recall
from adjoint.compiler.runtime.code import CallCode, Code, Place
from adjoint.compiler.runtime.native import load

# Calls of the first kind let other Python threads run meanwhile; the second kind is quicker by
# 0.1 us, which is felt up to some 20 us.
Function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
QuickFunction = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
QUICK = 50_000  # operations and bytes
ADDRESSES = {pool.REGION: pool.region_address}  # of functions that are not the program's own


__all__ = ["FINISHED", "FLAG", "Context", "Executable"]


class Context:
    """Memory for one call at a time: the table of addresses, and the arena."""

    __slots__ = ("address", "arena", "keep", "table")

    def __init__(self, code: Code, fixed: Sequence[tuple[int, int]]) -> None:
        self.keep = np.empty(code.arena + ALIGNMENT, np.uint8)
        start = -(-self.keep.ctypes.data // ALIGNMENT) * ALIGNMENT
        self.arena = self.keep[start - self.keep.ctypes.data :]
        self.table = (ctypes.c_int64 * code.slots)()
        self.address = ctypes.addressof(self.table)
        self.table[0] = start
        for slot, address in fixed:
            self.table[slot] = address


class Executable:
    """A compiled program: ``executable(*arrays)`` gives the arrays of its outputs.

    Arrays are in order, and of the shapes and types of the program's inputs. For an output that
    is written to an input, that input's memory is changed and None given. Whatever raises leaves
    all inputs as they were. Several threads may call at once.

    For callers that do the same in fewer steps: ``idle`` has contexts to be taken out and put back,
    whose table gets the ids of input arrays from slot ``first`` on, and those of new arrays as
    ``made`` says (slot, shape, type); ``run`` takes a context's address; a flag in ``table[FLAG]``
    is for ``refuse``. Only where ``has_calls`` is false.
    """

    def __init__(self, program: Program, effort: int = 3) -> None:
        self.program = program
        self.code, self.from_cache = recall(program, effort)
        code = self.code
        self._engine = load(code.machine)
        effort_of_call = sum(each.flops + each.reads + each.writes for each in code.steps)
        function = QuickFunction if effort_of_call < QUICK else Function
        self.runs = [
            function(self._engine.get_function_address(f"run{number}"))
            for number in range(code.runs)
        ]
        self.run = self.runs[0]
        fixed = [(slot, array.ctypes.data) for slot, array in code.constants]
        fixed += [(slot, ADDRESSES[name]()) for slot, name in code.addresses]
        self.fixed = fixed
        self.idle: list[Context] = [Context(code, fixed)]
        self.first, self.made, self.outputs = code.inputs, code.results, code.outputs
        self.in_order = list(code.outputs) == list(range(len(code.results)))
        self.has_calls = bool(code.calls)

    def __call__(self, *arrays: Any) -> list[Any]:
        context = self.take()
        made = self.call_in(context, arrays)
        self.idle.append(context)
        return made

    def take(self) -> Context:
        """A context that nobody uses; it is to be put back into ``idle``."""
        try:
            return self.idle.pop()
        except IndexError:  # another thread is in a call, or this one is within it
            return Context(self.code, self.fixed)

    def call_in(
        self, context: Context, arrays: Sequence[Any], made: list[Any] | None = None
    ) -> list[Any]:
        """Call with a context of the caller: its ``table[FINISHED]`` counts calls that ended well.

        An interrupt is seen by Python after the machine code has run, so that a caller who gets an
        exception can tell from that number whether inputs have been written to; ``made``, an empty
        list of the caller's, then has what ``outputs_of`` takes.
        """
        table, slot = context.table, self.first
        for array in arrays:
            table[slot] = id(array)
            slot += 1
        made = [] if made is None else made
        for slot, shape, kind in self.made:
            array = np.empty(shape, kind)
            table[slot] = id(array)
            made.append(array)
        if self.has_calls:
            self._run_with_calls(context, arrays, made)
        else:
            self.run(context.address)
        if table[FLAG]:
            self.refuse(context)
        return self.outputs_of(made, arrays)

    def outputs_of(self, made: list[Any], arrays: Sequence[Any]) -> list[Any]:
        """The outputs' arrays, from those that a call has made and was given."""
        if self.in_order:
            return made
        return [
            None if place is None else made[place] if place >= 0 else arrays[-place - 1].copy()
            for place in self.outputs
        ]

    def refuse(self, context: Context) -> None:
        """Raise what a flag means."""
        number, context.table[FLAG] = context.table[FLAG], 0
        text, origin = self.code.messages[number - 1]
        error, text = text if isinstance(text, tuple) else (IndexError, text)
        raise error(text + self.line_of(origin))

    def line_of(self, origin: Any) -> str:
        """Where the user's code made an equation, as the end of a message."""
        where = None if origin is None else self.program.equations[origin].where
        return "" if where is None else f" (at {where})"

    # -- calls in the middle ------------------------------------------------------------------

    def _run_with_calls(self, context: Context, arrays: Sequence[Any], made: list[Any]) -> None:
        self.runs[0](context.address)
        for run, call in zip(self.runs[1:], self.code.calls, strict=True):
            if context.table[FLAG]:
                return  # values are not what they should be
            self._call(call, context, arrays, made)
            run(context.address)

    def _array(self, place: Place, context: Context, arrays: Sequence[Any], made: list[Any]) -> Any:
        if place.kind == "arena":
            return np.ndarray(place.shape, place.dtype, context.arena.data, place.number)
        if place.kind == "constant":
            array = self.code.constants[place.number][1]
        else:
            array = (arrays if place.kind == "input" else made)[place.number]
        return array if array.shape == place.shape else array.reshape(place.shape)

    def _call(
        self, call: CallCode, context: Context, arrays: Sequence[Any], made: list[Any]
    ) -> None:
        inputs = tuple(
            [
                self._array(each, context, arrays, made) if type(each) is Place else each
                for each in call.inputs
            ]
        )
        out = call.row.evaluate(inputs, call.options)
        outs = out if call.row.many_outputs else (out,)
        for place, array in zip(call.outputs, outs, strict=True):
            if place is not None:
                np.copyto(self._array(place, context, arrays, made), array, casting="unsafe")
