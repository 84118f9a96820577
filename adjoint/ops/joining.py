"""Joining tensors: along a dimension they have, or along a new one."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.ops.kinds.general import define
from adjoint.ops.slicing import select_row
from adjoint.tape import engine


def _stack(*args: Any) -> Any:
    *arrays, dim = args
    return np.stack(arrays, axis=dim)


def _stack_vjp(g: Any, needs: Any, shapes: Any, dim: int) -> list[Any]:
    return [
        select_row(g, dim, place) if place < len(needs) and needs[place] else None
        for place in range(len(shapes))
    ]


stack_row = define(
    "stack", "movement", _stack,
    variadic=True, options="dim", vjp=_stack_vjp,
    jvp="linear", promote="same", low_precision=False,
)  # fmt: skip

engine.rows.stack = lambda values: stack_row(values, -len(values[0].shape) - 1)
