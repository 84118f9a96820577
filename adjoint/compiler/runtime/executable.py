"""A program that can be called: on arrays, without a Tensor in sight."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.compiler.codegen.module import Module
from adjoint.compiler.kernels import alive, group
from adjoint.compiler.lowering import lower
from adjoint.compiler.memory import ALIGNMENT
from adjoint.compiler.nodes import Buffer, Call, Look
from adjoint.compiler.passes import optimise
from adjoint.compiler.program import Literal, Program
from adjoint.compiler.runtime.native import blas_address, load

Function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Executable:
    """A compiled program: ``executable(*arrays)`` gives the results' arrays.

    Arrays are contiguous, and of the shapes and types of the program's inputs. It has memory of
    its own for what lies between, so it must not be called by two threads at once.
    """

    def __init__(self, program: Program, effort: int = 3) -> None:
        self.program = program = optimise(program)
        lowering = lower(program)
        nodes = alive(lowering.nodes, lowering.outputs)
        self.steps = group(nodes)
        self.module = Module(lowering, self.steps)
        self.engine = load(self.module.text, effort)
        self._runs = [
            Function(self.engine.get_function_address(f"run{number}"))
            for number in range(self.module.runs)
        ]
        self._arena = np.empty(self.module.arena_size + ALIGNMENT, np.uint8)
        start = -(-self._arena.ctypes.data // ALIGNMENT) * ALIGNMENT
        self._within = self._arena[start - self._arena.ctypes.data :]
        slots = self.module.slots
        self.table = (ctypes.c_int64 * len(slots))()
        self.address = ctypes.addressof(self.table)
        self.table[0] = start
        for buffer, array in self.module.constants:
            self.table[slots[buffer]] = array.ctypes.data
        for what, slot in slots.items():
            if isinstance(what, str) and what not in ("arena", "flag"):
                self.table[slot] = blas_address(what)
        first = [slots[each] for each in self.module.inputs]
        self.first = first[0] if first else 0
        self.made = [(slots[each], each.shape, each.kind) for each in self.module.results]
        order = {each: place for place, each in enumerate(self.module.results)}
        given = {each: place for place, each in enumerate(self.module.inputs)}
        # Where each output is found: among what is made, or (-n - 1) among the inputs.
        self.places = [
            order[each] if each in order else -given[each] - 1 for each in lowering.outputs
        ]
        self._calls = [step for step in self.steps if isinstance(step, Call)]

    def __call__(self, *arrays: Any) -> list[Any]:
        table, slot = self.table, self.first
        for array in arrays:
            table[slot] = id(array)
            slot += 1
        made = []
        for slot, shape, kind in self.made:
            array = np.empty(shape, kind)
            table[slot] = id(array)
            made.append(array)
        if not self._calls:
            self._runs[0](self.address)
        else:
            self._run_with_calls(arrays, made)
        if table[1]:
            self._refuse()
        return [made[place] if place >= 0 else arrays[-place - 1].copy() for place in self.places]

    def _refuse(self) -> None:
        number, self.table[1] = self.table[1], 0
        messages = self.module.needs.messages
        raise IndexError(next(text for text, each in messages.items() if each == number))

    def _run_with_calls(self, arrays: Sequence[Any], made: Sequence[Any]) -> None:
        environment: dict[Buffer, Any] = dict(zip(self.module.inputs, arrays, strict=True))
        environment.update(zip(self.module.results, made, strict=True))
        environment.update(self.module.constants)
        self._runs[0](self.address)
        for run, call in zip(self._runs[1:], self._calls, strict=True):
            self._call(call, environment)
            run(self.address)

    def _array(self, buffer: Buffer, environment: dict[Buffer, Any]) -> Any:
        found = environment.get(buffer)
        if found is None:
            offset = self.module.offsets[buffer]
            found = environment[buffer] = np.ndarray(
                buffer.shape, buffer.kind, self._within.data, offset
            )
        return found

    def _call(self, call: Call, environment: dict[Buffer, Any]) -> None:
        def read(each: Any) -> Any:
            if isinstance(each, tuple):
                return tuple(map(read, each))
            if isinstance(each, Look):
                return self._array(each.buffer, environment)
            return each.value if isinstance(each, Literal) else each

        out = call.row.evaluate(tuple(map(read, call.inputs)), call.options)
        outs = out if call.row.many_outputs else (out,)
        for buffer, array in zip(call.buffers, outs, strict=True):
            if buffer in self.module.kept:
                np.copyto(self._array(buffer, environment), array, casting="unsafe")
