"""Plain memory: small helpers on NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes


def zeros_like(value: Any) -> Any:
    """Zeros of a value's shape and type: one zero, repeated without room."""
    return np.broadcast_to(np.zeros((), dtypes.of(value).numpy), value.shape)


def ones_like(value: Any) -> Any:
    """Ones of a value's shape and type."""
    return np.ones(value.shape, dtypes.of(value).numpy)
