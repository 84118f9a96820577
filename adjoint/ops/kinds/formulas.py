"""Formulas that many rows share: a derivative that is zero, and one that PyTorch does not have."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from adjoint.array.memory import zeros_like
from adjoint.ops.kinds.row import Formula
from adjoint.tape.tensor import Tensor, wrap


def zero(g: Any) -> Any:
    """Zeros in place of ``g``: for functions that are constant but for jumps."""
    if type(g) is np.ndarray:
        return np.zeros(g.shape, g.dtype)
    if isinstance(g, Tensor):
        return wrap(zeros_like(g._array), g._level)
    return zeros_like(g)


def missing(name: str, error: type[Exception] = RuntimeError) -> Formula:
    """A derivative that does not exist: an error when it is asked for, as in PyTorch."""

    def formula(g: Any) -> NoReturn:
        raise error(
            f"derivative for {name} is not implemented; detach() the input if its gradient "
            "through this operation is not wanted"
        )

    return formula
