"""Functions that hardware has not, as formulas of scalar expressions.

``FORMULAS`` has those of floating numbers by the names that expressions use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.compiler.expressions import Expression
from adjoint.compiler.functions import exponentials

Formula = Callable[..., Expression]

FORMULAS: dict[str, Formula] = {
    "exp": exponentials.exp,
    "exp2": exponentials.exp2,
    "expm1": exponentials.expm1,
    "sigmoid": exponentials.sigmoid,
    "tanh": exponentials.tanh,
    "sinh": exponentials.sinh,
    "cosh": exponentials.cosh,
}


def has_formula(name: str, kind: np.dtype[Any]) -> bool:
    """Whether there is a function of that name and type."""
    return kind.kind == "f" and kind.itemsize > 2 and (name in FORMULAS or name in OUTSIDE)


OUTSIDE = {"log", "log1p", "sin", "cos", "erf", "rem", "log2", "log10"}
