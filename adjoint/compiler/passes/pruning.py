"""What leads to no result is removed."""

from __future__ import annotations

from adjoint.compiler.passes.rewriting import is_pure
from adjoint.compiler.program import Program, Variable


def prune(program: Program) -> Program:
    """The equations that a result needs, and those that draw random numbers."""
    needed = {each for each in program.outputs if isinstance(each, Variable)}
    kept = []
    for equation in reversed(program.equations):
        if is_pure(equation) and needed.isdisjoint(equation.outputs):
            continue
        kept.append(equation)
        needed.update(each for each in equation.inputs if isinstance(each, Variable))
    return Program(program.inputs, kept[::-1], program.outputs, program.name, program.writes)
