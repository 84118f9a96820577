"""The larger and the smaller, and bounds."""

from __future__ import annotations

from typing import Any

from adjoint.compiler.expressions import Expression, is_nan, maximum, minimum, where


def _clamp(x: Expression, low: Any, high: Any) -> Expression:
    if low is not None:
        x = maximum(x, low)
    return x if high is None else minimum(x, high)


SCALARS: dict[str, Any] = {
    "maximum": maximum,
    "minimum": minimum,
    "fmax": lambda x, y: where((x >= y) | is_nan(y), x, y),
    "fmin": lambda x, y: where((x <= y) | is_nan(y), x, y),
    "clamp": _clamp,
    "clamp_min": maximum,
    "clamp_max": minimum,
    "clamp_between": _clamp,
    "clamp_from": maximum,
    "clamp_to": minimum,
    "clamp_min_tensor": maximum,
    "clamp_max_tensor": minimum,
}
