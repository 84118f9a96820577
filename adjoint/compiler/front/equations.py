"""The trace of a whole function: what it writes down, and what it refuses."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from adjoint.array.symbol import Equation, Symbol, Trace, facts_of, running
from adjoint.dtypes import float64
from adjoint.errors import TransformError, UntraceableError
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.row import TABLE
from adjoint.tape.node import line_of, shorten, user_frame

ndarray = np.ndarray
STANDARD = str(Path(os.__file__).parent)  # where Python's own library lies
LEVEL = -0.25  # of the symbols: above memory, and below every Tensor
WAYS_OUT = (
    "take it out of the compiled function, choose between tensors with where(), or let such "
    "functions run as they are: compile(..., fallback=True)"
)


def untraceable(
    what: str, way_out: str = WAYS_OUT, cause: BaseException | None = None
) -> UntraceableError:
    """The error for what cannot be traced, at the user's line, or at that of ``cause``."""
    where = None
    if cause is None:
        frame = user_frame(sys._getframe(1))
        while frame is not None and frame.f_back and _is_pythons(frame.f_code.co_filename):
            frame = user_frame(frame.f_back)  # Python's own library, as copy.py, is not it either
        if frame is not None:
            where = f"{shorten(frame.f_code.co_filename)}:{frame.f_lineno}"
    else:
        step = cause.__traceback__
        while step is not None:
            if user_frame(step.tb_frame) is step.tb_frame:
                where = f"{shorten(step.tb_frame.f_code.co_filename)}:{step.tb_lineno}"
            step = step.tb_next
    error = UntraceableError(f"compile: {where or 'somewhere'}: {what}; {way_out}")
    error.where = where
    trace = getattr(running.capture, "trace", None)
    if trace is not None and trace.failure is None:
        trace.failure = error  # a function that catches it has still not been traced
    return error


def _is_pythons(file: str) -> bool:
    return file.startswith(STANDARD) and "-packages" not in file


class Where:
    """A place in the user's code, which becomes text when somebody asks."""

    __slots__ = ("code", "instruction")

    def __init__(self, code: CodeType, instruction: int) -> None:
        self.code = code
        self.instruction = instruction

    def __str__(self) -> str:
        return f"{shorten(self.code.co_filename)}:{line_of(self.code, self.instruction)}"

    __repr__ = __str__


class CaptureTrace(Trace):
    """A trace that keeps its constants as they are, and where each step was asked for."""

    __slots__ = ("constants", "failure", "token")

    def __init__(self) -> None:
        super().__init__(LEVEL)
        # By id: the array, and its copy as it was when a step first took it.
        self.constants: dict[int, tuple[Any, Any]] = {}
        self.token = Symbol(self, "witness", (), float64)  # the witness of random rows
        self.failure: UntraceableError | None = None

    def record(self, row: Any, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
        if row.kind == "random" and row.inputs[-1:] == ("witness",):
            inputs = (*inputs[:-1], None)
        for each in inputs:
            if type(each) is ndarray:
                inputs = tuple([self.constant(x) if type(x) is ndarray else x for x in inputs])
                break
        try:
            facts = facts_of(row, inputs, options)
        except UntraceableError:
            raise
        except TransformError as error:
            raise untraceable(
                str(error), "or let such functions run as they are: compile(..., fallback=True)"
            ) from None
        outputs = tuple([self.symbol(*each) for each in facts])
        if row.kind == "random" and any(type(x) is Symbol and x._strides for x in inputs):
            layouts = tuple([x._strides if type(x) is Symbol else None for x in inputs])
            row, options = drawn_along_row, (row.name, layouts, *options)
        equation = Equation(row, inputs, options, outputs)
        frame = user_frame(sys._getframe(2))
        if frame is not None:
            equation.code, equation.instruction = frame.f_code, frame.f_lasti
        self.equations.append(equation)
        return outputs if row.many_outputs else outputs[0]

    def constant(self, array: Any) -> Any:
        """An array as it is now, whatever is written to it later."""
        known = self.constants.get(id(array))
        if known is not None and _same(known[1], array):
            return known[1]
        copy = array if not any(array.strides) and not array.flags.writeable else array.copy()
        self.constants[id(array)] = array, copy
        return copy


def _drawn_along(*args: Any) -> Any:
    """A random row on arrays that lie in memory as they did eagerly: it draws in that order."""
    place = next(place for place, each in enumerate(args) if isinstance(each, str))
    inputs, (name, layouts, *options) = args[:place], args[place:]
    laid = []
    for each, strides in zip(inputs, layouts, strict=True):
        if strides is not None:
            span = sum((n - 1) * step for n, step in zip(each.shape, strides, strict=True)) + 1
            memory = np.empty(max(span, 1), each.dtype)
            steps = [step * memory.itemsize for step in strides]
            array = as_strided(memory, each.shape, steps)
            array[...] = each
            each = array
        laid.append(each)
    return TABLE[name].evaluate(tuple(laid), tuple(options))


drawn_along_row = define(
    "drawn_along", "random", _drawn_along, inputs="tensors", options="name layouts",
    variadic=True, low_precision=False,
).row  # type: ignore[attr-defined]  # fmt: skip


def _same(x: Any, y: Any) -> bool:
    return x is y or (x.shape == y.shape and x.dtype == y.dtype and x.tobytes() == y.tobytes())


def where_of(equation: Equation) -> Where | None:
    """The place in the user's code that asked for a step."""
    return None if equation.code is None else Where(equation.code, equation.instruction)


def symbols_of(equation: Equation) -> list[Symbol]:
    """The symbols that a step takes."""
    return [each for each in equation.inputs if type(each) is Symbol]
