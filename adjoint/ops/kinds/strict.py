"""Rows as users find them: they give Tensors, where formulas may give plain arrays.

The same code with two other cells in its closure, so that neither pays for the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import CellType, FunctionType
from typing import Any

import numpy as np


class _Nothing:
    """What no value is of: stands for the type of plain arrays."""


@cache
def _tensors_only(general: Callable[..., Any]) -> CellType:
    def explain(row: Any, inputs: tuple[Any, ...]) -> Any:
        for name, value in zip(row.inputs, inputs, strict=True):
            if isinstance(value, np.ndarray):
                spelled = {"x": "input", "y": "other"}.get(name, name)
                raise TypeError(
                    f"{row.name}(): argument '{spelled}' must be Tensor, not numpy.ndarray; "
                    "torch.from_numpy(array) makes one of it"
                )
        return general(row, inputs)

    return CellType(explain)


@cache
def for_users(operation: Any) -> Any:
    """``operation``, a row of one or two inputs, that refuses plain arrays with ``TypeError``."""
    code = operation.__code__
    cells = [
        CellType(_Nothing)
        if name == "plain"
        else _tensors_only(cell.cell_contents)
        if name == "general"
        else cell
        for name, cell in zip(code.co_freevars, operation.__closure__, strict=True)
    ]
    found: Any = FunctionType(
        code, operation.__globals__, operation.__name__, operation.__defaults__, tuple(cells)
    )
    found.__doc__, found.__qualname__ = operation.__doc__, operation.__qualname__
    found.__dict__.update(operation.__dict__)
    found.operation = operation
    return found
