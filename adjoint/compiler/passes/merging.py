"""The same operation on the same values is carried out once."""

from __future__ import annotations

from typing import Any

from adjoint.compiler.passes.rewriting import Change, is_pure, rewrite
from adjoint.compiler.program import Atom, Equation, Literal, Program, Variable

SMALL = 64  # elements up to which constants are compared by value


def merge(program: Program) -> Program:
    """Common subexpressions once."""
    known: dict[Any, tuple[Variable, ...]] = {}

    def change(equation: Equation) -> Change:
        if not is_pure(equation):
            return None
        key = key_of(equation)
        if key is None:
            return None
        found = known.setdefault(key, equation.outputs)
        return None if found is equation.outputs else ([], found)

    return rewrite(program, change)


def key_of(equation: Equation) -> Any:
    """What two equations share that give the same; None where that cannot be told."""
    key = (
        equation.operation.name,
        tuple(map(key_of_atom, equation.inputs)),
        repr(equation.options),
        tuple([each.type for each in equation.outputs]),
    )
    try:
        hash(key)
    except TypeError:
        return None
    return key


def key_of_atom(atom: Atom) -> Any:
    """An atom by value where that is cheap: numbers with their type, small constants."""
    if isinstance(atom, Variable):
        return atom
    if not isinstance(atom, Literal):
        return type(atom), repr(atom)
    same = atom.number
    if same is not None:
        return atom.type, repr(same)
    return (atom.type, atom.value.tobytes()) if atom.value.size <= SMALL else id(atom.value)
