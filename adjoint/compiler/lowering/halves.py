"""float16 and bfloat16: in float32, and rounded once, as rows compute with them everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.compiler.codegen.conversions import is_half
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation, Literal, Type, Variable

FLOAT = np.dtype(np.float32)
MOVING = ("movement", "indexing", "creation", "linear")  # kinds of rows that may take halves whole


def has_halves(equation: Equation) -> bool:
    """Whether an equation reads or makes halves."""
    atoms = [*equation.outputs]
    for each in equation.inputs:
        atoms += each if isinstance(each, tuple) else [each]
    return any(isinstance(each, (Variable, Literal)) and is_half(each.kind) for each in atoms)


def in_float32(low: Any, rule: Callable[..., Any], equation: Equation, inputs: Any) -> Any:
    """What a rule makes of an equation whose halves are float32 numbers, rounded to halves."""

    def widened(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(widened, value))
        if isinstance(value, Literal) and is_half(value.kind):
            return Literal(value.value.astype(FLOAT))
        if isinstance(value, Look) and is_half(value.kind):
            return low.map(value.shape, FLOAT, low.load(value, value.shape, FLOAT))
        return value

    def renamed(atom: Any) -> Any:
        if isinstance(atom, tuple):
            return tuple(map(renamed, atom))
        if isinstance(atom, Variable) and is_half(atom.kind):
            return Variable(atom.name, Type(atom.shape, FLOAT))
        return atom

    def rounded(value: Any, variable: Variable) -> Any:
        if not is_half(variable.kind):
            return value
        return low.map(variable.shape, variable.kind, low.load(value, variable.shape))

    row = equation.operation
    wide = Equation(
        row,
        renamed(equation.inputs),
        equation.options,
        renamed(equation.outputs),
        equation.where,
    )
    found = rule(low, wide, *widened(inputs))
    if not row.many_outputs:
        return rounded(found, equation.outputs[0])
    return tuple(map(rounded, found, equation.outputs))
