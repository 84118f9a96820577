"""What depends on constants alone is computed once, at compilation."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.passes.rewriting import Change, is_pure, rewrite
from adjoint.compiler.program import Atom, Equation, Literal, Program, Variable

# Elements that a constant in a program may have: what is larger is better computed at each call
# than kept, unless it is the same everywhere, which takes no memory.
LARGEST = 1 << 16


def fold(program: Program) -> Program:
    """Operations on constants as constants."""
    return rewrite(program, folded)


def folded(equation: Equation) -> Change:
    """An equation without variables, computed."""
    if any(isinstance(each, Variable) for each in equation.inputs) or not is_pure(equation):
        return None
    same = _computed_once(equation)
    if same is not None:
        return [], (same,)
    if any(each.type.size > LARGEST for each in equation.outputs):
        return None
    inputs = tuple([_value(each) for each in equation.inputs])
    try:
        with np.errstate(all="ignore"):
            out = equation.operation.evaluate(inputs, equation.options)
    except Exception:  # noqa: BLE001 - what it raises is to be raised when the program runs
        return None
    outs = out if equation.operation.many_outputs else (out,)
    return [], tuple([Literal(np.array(each)) for each in outs])


def _value(atom: Atom) -> Any:
    return atom.value if isinstance(atom, Literal) else atom


def _computed_once(equation: Equation) -> Literal | None:
    """An elementwise operation on constants that are each the same everywhere: one number."""
    if equation.operation.kind != "elementwise" or equation.operation.many_outputs:
        return None
    inputs = []
    for each in equation.inputs:
        if isinstance(each, Literal):
            same = each.number
            if same is None:
                return None
            each = np.full((1,) * len(each.shape), same, each.kind)
        inputs.append(each)
    out = equation.outputs[0]
    with np.errstate(all="ignore"):
        value = equation.operation.evaluate(tuple(inputs), equation.options)
    return Literal(np.broadcast_to(np.asarray(value).astype(out.kind), out.shape))
