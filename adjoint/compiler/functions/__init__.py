"""Functions that hardware has not, as formulas of scalar expressions.

``FORMULAS`` has those of floating numbers by the names that expressions use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.compiler.expressions import Expression
from adjoint.compiler.functions import (
    errors,
    exponentials,
    inverse_circular,
    logarithms,
    powers,
)

Formula = Callable[..., Expression]

FORMULAS: dict[str, Formula] = {
    "exp": exponentials.exp,
    "exp2": exponentials.exp2,
    "expm1": exponentials.expm1,
    "sigmoid": exponentials.sigmoid,
    "tanh": exponentials.tanh,
    "sinh": exponentials.sinh,
    "cosh": exponentials.cosh,
    "asin": inverse_circular.asin,
    "acos": inverse_circular.acos,
    "atan": inverse_circular.atan,
    "atan2": inverse_circular.atan2,
    "erf": errors.erf,
    "erfc": errors.erfc,
    "pow": powers.power,
    "log": logarithms.log,
    "log2": logarithms.log2,
    "log10": logarithms.log10,
    "log1p": logarithms.log1p,
    "asinh": logarithms.asinh,
    "acosh": logarithms.acosh,
    "atanh": logarithms.atanh,
}


def has_formula(name: str, kind: np.dtype[Any]) -> bool:
    """Whether there is a function of that name and type."""
    return kind.kind == "f" and kind.itemsize > 2 and (name in FORMULAS or name in OUTSIDE)


OUTSIDE = {"sin", "cos", "rem"}
