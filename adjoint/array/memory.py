"""Plain memory: small helpers on NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from adjoint import dtypes


def zeros_like(value: Any) -> Any:
    """Zeros of a value's shape and type: one zero, repeated without room."""
    return np.broadcast_to(np.zeros((), dtypes.of(value).numpy), value.shape)


def ones_like(value: Any) -> Any:
    """Ones of a value's shape and type."""
    return np.ones(value.shape, dtypes.of(value).numpy)


def writable(array: Any) -> Any:
    """A view that NumPy made read-only by habit (``diagonal``, ``broadcast_to``), to be written to.

    Raises ``ValueError`` where the memory itself is read-only.
    """
    if not array.flags.writeable:
        try:
            array.flags.writeable = True
        except ValueError:
            raise ValueError(
                "the memory is read-only, as that of the array it came from; write to a clone()"
            ) from None
    return array


def stretch(x: Any, shape: tuple[int, ...]) -> Any:
    """``x`` repeated to ``shape`` without room: ``np.broadcast_to``, at an eighth of its cost.

    Raises ``ValueError`` where the shape does not fit.
    """
    old = x.shape
    missing = len(shape) - len(old)
    if missing >= 0 and x.flags.c_contiguous and x.size:
        strides = [0] * missing
        if old:
            for size, stride, wanted in zip(old, x.strides, shape[missing:], strict=True):
                if size == wanted:
                    strides.append(stride)
                elif size == 1:
                    strides.append(0)
                else:
                    return np.broadcast_to(x, shape)
        try:
            return np.ndarray(shape, x.dtype, x, 0, strides)
        except (ValueError, BufferError):  # a type that buffers cannot hold, as bfloat16
            pass
    return _broadcast(x, shape)


def _broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    out = np.broadcast_to(x, shape)
    return writable(out) if x.flags.writeable else out


def overlaps_itself(array: Any) -> bool:
    """Whether an array was expanded: one element in several places along some dimension."""
    return 0 in array.strides and any(
        stride == 0 and size > 1 for stride, size in zip(array.strides, array.shape, strict=True)
    )


def strides_of(value: Any) -> tuple[int, ...]:
    """Steps in elements along each dimension, of any value; a symbol's are those of fresh memory.

    A batch answers for one of its arrays.
    """
    if isinstance(value, np.ndarray):
        return tuple(stride // value.itemsize for stride in value.strides)
    for name in ("_array", "primal"):
        if hasattr(value, name):
            return strides_of(getattr(value, name))
    if hasattr(value, "value"):
        return strides_of(value.value)[1:]
    if hasattr(value, "strides"):
        return tuple(value.strides)
    return dense_strides(value.shape)


def dense_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Steps in elements along each dimension of fresh memory."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def is_contiguous(value: Any) -> bool:
    """Whether the elements of a value lie one after the other, in order."""
    if isinstance(value, np.ndarray):
        return value.flags.c_contiguous
    shape = value.shape
    return 0 in shape or all(
        size == 1 or stride == dense
        for size, stride, dense in zip(shape, strides_of(value), dense_strides(shape), strict=True)
    )


def owner_of(array: Any) -> Any:
    """The array that owns the memory that ``array`` looks at."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def storage_of(array: Any) -> tuple[Any, int]:
    """The memory that ``array`` looks at, flat, and the place in it of its first element."""
    owner = owner_of(array)
    if owner.dtype != array.dtype or not owner.flags.forc:
        # Memory that came from outside, or is seen as another type: what the array spans.
        span = sum((n - 1) * stride for n, stride in zip(array.shape, array.strides, strict=True))
        count = span // array.itemsize + 1 if array.size else 0
        return as_strided(array, (count,), (array.itemsize,)), 0
    flat = owner.reshape(-1, order="A")
    offset = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    return flat, offset // array.itemsize
