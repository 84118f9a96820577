"""Programs for the compiler's tests: the equations of functions of Tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import adjoint as torch
from adjoint.array.symbol import Symbol
from adjoint.compiler.program import Equation, Literal, Program, Type, Variable
from tests.harness_tracing import trace


def program_of(
    function: Callable[..., Any], *args: torch.Tensor, writes: dict[int, int] | None = None
) -> Program:
    """The equations of a function of Tensors, as it stands."""
    record, symbols, outs = trace(function, [each.numpy() for each in args])
    variables: dict[Any, Variable] = {}

    def atom(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            value = value._array
        if not isinstance(value, Symbol):
            return Literal(value) if isinstance(value, np.ndarray) else value
        kind = Type(tuple(value.shape), np.dtype(value.dtype.numpy))
        return variables.setdefault(value, Variable(value.name, kind))

    inputs = tuple(map(atom, symbols))
    equations = [
        Equation(
            each.row, tuple(map(atom, each.inputs)), each.options, tuple(map(atom, each.outputs))
        )
        for each in record.equations
    ]
    return Program(inputs, equations, map(atom, outs), writes=writes).check()
