"""Compiled code kept on disk, under what it was made from: a second process need not compile again.

What the program and the effort say goes into the name of the file by value; a program with what no
other process can know again (a generator of the user's, a row made at run time) is not kept.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

from adjoint.array.random_engine import default_generator
from adjoint.compiler.program import Literal, Program, Variable
from adjoint.compiler.runtime import storage
from adjoint.compiler.runtime.building import build
from adjoint.compiler.runtime.code import Code
from adjoint.ops.kinds.row import TABLE, Row

UNKNOWN = (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError)


def recall(program: Program, effort: int = 3) -> tuple[Code, bool]:
    """The code of a program, and whether it was found on disk; else it is made, and left there."""
    path = path_of(program, effort)
    if path is not None:
        found = read(path)
        if found is not None:
            return found, True
    code = build(program, effort)
    if path is not None:
        write(path, code)
    return code, False


# -- names ----------------------------------------------------------------------------------------


def path_of(program: Program, effort: int) -> Path | None:
    """The file of a program's code; None if it has what no other process can know again."""
    if storage.directory() is None:
        return None
    try:
        return storage.path_for(pickled((effort, _description(program)), fast=True))
    except UNKNOWN:
        return None


def _description(program: Program) -> Any:
    """A program by value: two that do the same things in the same order have the same."""
    numbers: dict[Variable, int] = {}

    def atom(each: Any) -> Any:
        if isinstance(each, Variable):
            return ("v", numbers[each])
        if isinstance(each, Literal):
            small = each.value if each.number is None else each.value[(0,) * each.value.ndim]
            return ("l", each.shape, each.kind.str, each.kind.name, small.tobytes())
        return (type(each).__name__, each)

    def made(each: Variable) -> Any:
        numbers[each] = len(numbers)
        return each.shape, each.kind.str, each.kind.name

    inputs = [made(each) for each in program.inputs]
    equations = [
        (
            each.operation,
            [atom(value) for value in each.inputs],
            each.options,
            [made(value) for value in each.outputs],
        )
        for each in program.equations
    ]
    outputs = [atom(each) for each in program.outputs]
    return inputs, equations, outputs, sorted(program.writes.items())


# -- contents -------------------------------------------------------------------------------------


class _Pickler(pickle.Pickler):
    """Rows of the table and the default generator go by name."""

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, Row):
            if TABLE.get(value.name) is not value:
                raise pickle.PicklingError(f"row {value.name} is not in the table")
            return ("row", value.name)
        if value is default_generator:
            return ("generator",)
        if isinstance(value, type(default_generator)):
            raise pickle.PicklingError("a generator of the user's")
        return None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, name: Any) -> Any:
        return TABLE[name[1]] if name[0] == "row" else default_generator


def pickled(value: Any, fast: bool = False) -> bytes:
    """A pickle; with ``fast``, equal values have equal ones, whoever holds which object twice."""
    stream = io.BytesIO()
    pickler = _Pickler(stream, protocol=5)
    pickler.fast = fast
    pickler.dump(value)
    return stream.getvalue()


def read(path: Path) -> Code | None:
    """The code in a file; None if there is none."""
    data = storage.read(path)
    if data is None:
        return None
    try:
        found = _Unpickler(io.BytesIO(data)).load()
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the code is made anew
        return None
    return found if isinstance(found, Code) else None


def write(path: Path, code: Code) -> None:
    """Keep code in a file, if that can be done."""
    try:
        data = pickled(code)
    except UNKNOWN:
        return
    storage.write(path, data)
