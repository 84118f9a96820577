"""Rows without a lowering rule that know how they are made of smaller ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.symbol import Symbol, Trace
from adjoint.compiler.lowering.base import RULES
from adjoint.compiler.passes.rewriting import Change, rewrite
from adjoint.compiler.program import Atom, Equation, Literal, Program, Type, Variable
from adjoint.ops.casting import to_dtype

# Rows that are decomposed though they have rules: their gradients have the same pieces, which are
# then computed once.
SHARED = {
    "batch_norm", "group_norm", "layer_norm", "rms_norm",
    "scaled_dot_product_attention",
}  # fmt: skip
LEVEL = -0.25  # of symbols here: above memory, below every tape


def decompose(program: Program) -> Program:
    """Fused rows as the rows that they are made of, wherever the target has no code for them."""
    return rewrite(program, decomposed)


def decomposed(equation: Equation) -> Change:
    """The equations that do the same, None if the row is to stay."""
    row = equation.operation
    if row.decompose is None or row.many_outputs or (row.name in RULES and row.name not in SHARED):
        return None
    # Halves are rounded once, and not after every piece: these are float32.
    halves = row.low_precision and dtypes.is_low_precision(equation.outputs[0].kind)
    trace = Trace(LEVEL)
    atoms: dict[Symbol, Atom] = {}
    inputs = []
    for each in equation.inputs:
        if isinstance(each, Variable):
            symbol = trace.symbol(each.shape, dtypes.from_numpy(each.kind))
            atoms[symbol] = each
            each = symbol
        each = each.value if isinstance(each, Literal) else each
        inputs.append(_in_float32(each) if halves else each)
    try:
        result = row.decompose(*inputs, *equation.options)
    except NotImplementedError:
        return None
    out = equation.outputs[0]
    if not isinstance(result, Symbol):
        return None
    if halves:
        result = to_dtype(result, dtypes.from_numpy(out.kind))
    if tuple(result.shape) != out.shape or result.dtype.numpy != out.kind:
        return None

    def atom(value: Any) -> Atom:
        if isinstance(value, Symbol):
            if value not in atoms:
                kind = Type(tuple(value.shape), np.dtype(value.dtype.numpy))
                atoms[value] = Variable(f"{out.name}_{value.name}", kind)
            return atoms[value]
        return Literal(value) if isinstance(value, (np.ndarray, np.generic)) else value

    made = [
        Equation(
            each.row,
            tuple(map(atom, each.inputs)),
            each.options,
            tuple(map(atom, each.outputs)),
            equation.where,
        )
        for each in trace.equations
    ]
    pieces = [each for inner in made for each in (decomposed_again(inner))]
    return pieces, (atom(result),)


def _in_float32(value: Any) -> Any:
    """A half in float32; any other value as it is."""
    if isinstance(value, (Symbol, np.ndarray)) and dtypes.is_low_precision(dtypes.of(value).numpy):
        return to_dtype(value, dtypes.float32)
    return value


def decomposed_again(equation: Equation) -> list[Equation]:
    """An equation, or what it is made of, as deep as that goes."""
    found = decomposed(equation)
    if found is None:
        return [equation]
    pieces, (atom,) = found
    for each in pieces:  # the last name is the one that the outer equations know
        each.outputs = tuple(
            [equation.outputs[0] if made is atom else made for made in each.outputs]
        )
        each.inputs = tuple([equation.outputs[0] if used is atom else used for used in each.inputs])
    return pieces
