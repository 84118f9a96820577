"""What does nothing, and what undoes another: rules by the name of the row.

A rule gets the equation and the equations that made its inputs, and gives what stands for its
output, or None. Only what gives the same to the bit is left out: ``x + 0`` is not, for the sake of
``-0.0``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.compiler.passes.rewriting import Change, number_of, rewrite, uniform
from adjoint.compiler.program import Atom, Equation, Literal, Program, Variable

Makers = dict[Variable, Equation]
Rule = Callable[[Equation, Makers], Atom]
RULES: dict[str, Rule] = {}


def simplify(program: Program) -> Program:
    """The program without operations that change nothing."""
    makers: Makers = {}

    def change(equation: Equation) -> Change:
        if not equation.operation.many_outputs:
            found = _of_constant(equation)
            rule = RULES.get(equation.operation.name)
            if found is None and rule is not None:
                found = rule(equation, makers)
            if found is not None:
                return [], (found,)
        for each in equation.outputs:
            makers[each] = equation
        return None

    return rewrite(program, change)


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Make a function the rule of these rows."""

    def register(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
        return function

    return register


def _of_constant(equation: Equation) -> Atom:
    """A view of a constant that is the same everywhere is one too."""
    first = equation.inputs[0] if equation.inputs else None
    if getattr(equation.operation, "view", False) and isinstance(first, Literal):
        same, out = first.number, equation.outputs[0]
        if same is not None and out.kind == first.kind:
            return uniform(same, out)
    return None


def _as_it_is(equation: Equation, atom: Atom) -> Atom:
    """``atom`` if it has the output's type."""
    same = isinstance(atom, Variable) and atom.type == equation.outputs[0].type
    return atom if same else None


@rule("alias", "clone", "detach", "reshape", "reshape_alias", "unsafe_view", "expand", "to_dtype",
      "squeeze_all", "contiguous")  # fmt: skip
def _unchanged(equation: Equation, makers: Makers) -> Atom:
    return _as_it_is(equation, equation.inputs[0])


@rule("mul")
def _times(equation: Equation, makers: Makers) -> Atom:
    x, y = equation.inputs
    if number_of(y) == 1:
        return _as_it_is(equation, x)
    return _as_it_is(equation, y) if number_of(x) == 1 else None


@rule("div")
def _over(equation: Equation, makers: Makers) -> Atom:
    x, y = equation.inputs
    return _as_it_is(equation, x) if number_of(y) == 1 else None


@rule("sub")
def _less(equation: Equation, makers: Makers) -> Atom:
    x, y = equation.inputs
    zero = number_of(y)
    if zero == 0 and not np.signbit(zero):  # `-0.0 - -0.0` is 0.0
        return _as_it_is(equation, x)
    return None


@rule("neg", "conj", "permute", "logical_not")
def _twice(equation: Equation, makers: Makers) -> Atom:
    """What undoes itself."""
    (x,) = equation.inputs
    before = makers.get(x) if isinstance(x, Variable) else None
    if before is None or before.operation is not equation.operation:
        return None
    if equation.operation.name == "permute" and not _inverse(before, equation):
        return None
    return _as_it_is(equation, before.inputs[0])


def _inverse(first: Equation, second: Equation) -> bool:
    there, back = first.options[0], second.options[0]
    rank = len(there)
    return all(there[back[each] % rank] % rank == each for each in range(rank))


@rule("where")
def _chosen(equation: Equation, makers: Makers) -> Atom:
    condition, x, y = equation.inputs
    known: Any = number_of(condition)
    return None if known is None else _as_it_is(equation, x if known else y)
