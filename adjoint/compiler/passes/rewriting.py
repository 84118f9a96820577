"""What passes share: going through equations while their inputs are replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.compiler.program import Atom, Equation, Literal, Program, Variable

Replaced = dict[Variable, Atom]
# What an equation becomes: other equations, and atoms in the place of its outputs. Or None: it
# stays as it is.
Change = tuple[list[Equation], tuple[Atom, ...]] | None


def is_pure(equation: Equation) -> bool:
    """Whether it may be merged, folded or removed: it draws no random numbers."""
    return bool(equation.operation.kind != "random")


def replace(atom: Atom, replaced: Replaced) -> Atom:
    """What stands for an atom now."""
    return replaced.get(atom, atom) if isinstance(atom, Variable) else atom


def rewrite(program: Program, change: Callable[[Equation], Change]) -> Program:
    """The program with each equation, whose inputs are replaced already, changed by ``change``."""
    replaced: Replaced = {}
    equations: list[Equation] = []
    for equation in program.equations:
        inputs = tuple([replace(each, replaced) for each in equation.inputs])
        if inputs != equation.inputs:
            equation = equation.with_inputs(inputs)
        found = change(equation)
        if found is None:
            equations.append(equation)
            continue
        added, atoms = found
        equations += added
        for old, new in zip(equation.outputs, atoms, strict=True):
            if new is not old:
                replaced[old] = replace(new, replaced)
    outputs = [replace(each, replaced) for each in program.outputs]
    return Program(program.inputs, equations, outputs, program.name, program.writes)


def number_of(atom: Atom) -> Any:
    """The number that an atom is everywhere, None for what is not known or differs."""
    if isinstance(atom, Literal):
        return atom.number
    return atom if isinstance(atom, (int, float)) else None


def uniform(number: Any, like: Variable) -> Literal:
    """A constant of a variable's type that is the same everywhere, and takes no memory."""
    value = np.asarray(number).astype(like.kind)
    return Literal(np.broadcast_to(value, like.shape))
