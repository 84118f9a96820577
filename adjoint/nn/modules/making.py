"""What constructors of layers share: parameters to be filled, and how options are written."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from adjoint import devices, dtypes
from adjoint.nn.parameter import Parameter
from adjoint.tape.tensor import wrap


def empty(shape: tuple[int, ...], device: Any = None, dtype: dtypes.dtype | None = None) -> Any:
    """A tensor of a shape with any numbers in it, of the default type unless another is given.

    Raises ``RuntimeError`` for a device other than the CPU, and for a negative size.
    """
    devices.require_cpu(device)
    if min(shape, default=0) < 0:
        raise RuntimeError(f"a layer's sizes cannot be negative, but got {list(shape)}")
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    return wrap(np.empty(shape, kind.numpy))


def empty_parameter(
    shape: tuple[int, ...], device: Any = None, dtype: dtypes.dtype | None = None
) -> Any:
    """A parameter of a shape that is still to be filled."""
    return Parameter(empty(shape, device, dtype))


def per_dimension(value: Any, rank: int) -> tuple[Any, ...]:
    """One number for each dimension: as given, or one repeated."""
    if isinstance(value, (tuple, list)):
        return tuple(value)
    return (value,) * rank


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """What PyTorch's two old arguments mean, with a warning; ``reduction`` without them."""
    if size_average is None and reduce is None:
        return reduction
    meant = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        f"size_average and reduce are deprecated: use reduction={meant!r} instead", stacklevel=3
    )
    return meant


__all__ = ["empty", "empty_parameter", "legacy_reduction", "per_dimension"]
