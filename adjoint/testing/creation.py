"""``make_tensor``: a tensor of random values of any type."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from adjoint import dtypes
from adjoint.ops.complex_parts import view_as_real
from adjoint.ops.creation import empty
from adjoint.ops.sampling import randint
from adjoint.typeinfo import finfo, iinfo

Bounds = tuple[float, float]


def make_tensor(
    *shape: int | Sequence[int],
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Any:
    """A tensor of values drawn uniformly from ``[low, high)``, which default to small numbers.

    ``noncontiguous`` takes every other element of a larger one; ``exclude_zero`` puts the smallest
    positive value in the place of zeros. Raises ``ValueError`` for bounds that are NaN, empty or
    beyond the type, for a gradient of integers, and for ``noncontiguous`` with a memory format;
    ``TypeError`` for a type that can not be drawn.

    >>> import adjoint as torch
    >>> torch.testing.make_tensor(2, 3, dtype=torch.float64, device="cpu", low=0).shape
    torch.Size([2, 3])
    """
    size = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    if noncontiguous and memory_format is not None:
        raise ValueError(
            f"noncontiguous=True and memory_format={memory_format} exclude each other: give one"
        )
    if not isinstance(dtype, dtypes.dtype):
        raise TypeError(f"make_tensor: {dtype!r} is not a dtype that values can be drawn in")
    whole = dtype.category < dtypes.FLOATING
    if requires_grad and whole:
        raise ValueError(f"`requires_grad=True` is not supported for the integral type {dtype!r}")
    noncontiguous = noncontiguous and math.prod(size) > 1  # type: ignore[arg-type]
    if noncontiguous:
        size = (*size[:-1], 2 * size[-1])  # type: ignore[operator]
    bounds = _bounds(dtype, low, high)
    if whole:
        first, last = math.ceil(bounds[0]), math.ceil(bounds[1])
        found = randint(first, last, size, device=device, dtype=dtype)
    else:
        found = empty(size, device=device, dtype=dtype)
        _fill(view_as_real(found) if dtype.is_complex else found, *bounds)
    if noncontiguous:
        found = found[..., 1::2]
    elif memory_format is not None:
        found = found.clone(memory_format=memory_format)
    if exclude_zero:
        found[found == 0] = 1 if whole else finfo(dtype).tiny
    return found if whole else found.requires_grad_(requires_grad)


def _fill(target: Any, low: float, high: float) -> None:
    if high - low >= finfo(target.dtype).max:  # drawn at half the width, which is a number
        target.uniform_(low / 2, high / 2).mul_(2)
    else:
        target.uniform_(low, high)


def _bounds(kind: dtypes.dtype, low: float | None, high: float | None) -> Bounds:
    """The bounds to draw between, within what the type holds."""
    least, beyond, (first, last) = _range(kind)
    low, high = first if low is None else low, last if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low == high and kind.category >= dtypes.FLOATING:
        warnings.warn(
            "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is "
            "deprecated, as in PyTorch; use `torch.full(...)` instead",
            FutureWarning,
            stacklevel=3,
        )
    elif low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    elif high < least or low >= beyond:
        raise ValueError(
            f"the values from {low} to {high} are beyond {kind!r}, which has [{least}, {beyond})"
        )
    return min(max(low, least), beyond), min(max(high, least), beyond)


def _range(kind: dtypes.dtype) -> tuple[float, float, Bounds]:
    """Least value, the first that is too great, and the bounds where none are given."""
    if kind is dtypes.bool_:
        return 0, 2, (0, 2)
    if kind.category < dtypes.FLOATING:
        limits = iinfo(kind)
        # randint's bounds are int64: it can not draw the greatest of them.
        beyond = limits.max if kind is dtypes.int64 else limits.max + 1
        return limits.min, beyond, (-9, 10)
    floats = finfo(kind)
    return floats.min, floats.max, (-9, 9)
