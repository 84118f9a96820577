"""Functions that hardware has not, as formulas of scalar expressions.

``FORMULAS`` has those of floating numbers by the names that expressions use. A ``Rare`` one has a
formula for all arguments but a few, and another way for those.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from adjoint.compiler.expressions import Expression
from adjoint.compiler.functions import (
    circular,
    errors,
    exponentials,
    inverse_circular,
    logarithms,
    powers,
    quotients,
)

Formula = Callable[..., Expression]


class Rare(NamedTuple):
    """A formula, where it is good, and the name of the other way."""

    usual: Formula
    covers: Formula
    other: str  # "large" angles, "frem": LLVM's instruction


FORMULAS: dict[str, Formula | Rare] = {
    "exp": exponentials.exp,
    "exp2": exponentials.exp2,
    "expm1": exponentials.expm1,
    "sigmoid": exponentials.sigmoid,
    "tanh": exponentials.tanh,
    "sinh": exponentials.sinh,
    "cosh": exponentials.cosh,
    "log": logarithms.log,
    "log2": logarithms.log2,
    "log10": logarithms.log10,
    "log1p": logarithms.log1p,
    "asinh": logarithms.asinh,
    "acosh": logarithms.acosh,
    "atanh": logarithms.atanh,
    "pow": powers.power,
    "sin": Rare(circular.sin, circular.covers, "large"),
    "cos": Rare(circular.cos, circular.covers, "large"),
    "tan": Rare(circular.tan, circular.covers, "large"),
    "asin": inverse_circular.asin,
    "acos": inverse_circular.acos,
    "atan": inverse_circular.atan,
    "atan2": inverse_circular.atan2,
    "erf": errors.erf,
    "erfc": errors.erfc,
    "erfcx": errors.erfcx,
    "erfinv": errors.erfinv,
    "hypot": quotients.hypot,
    "rem": Rare(quotients.rem, quotients.rem_covers, "frem"),
    "modulo": quotients.modulo,
    "floor_divide": quotients.floor_divide,
    # For processors without instructions for them.
    "floor": quotients.floor,
    "ceil": quotients.ceil,
    "trunc": quotients.trunc,
    "rint": quotients.rint,
}


def has_formula(name: str, kind: np.dtype[Any]) -> bool:
    """Whether there is a function of that name and type."""
    return name in FORMULAS and kind.kind == "f" and kind.itemsize > 2
