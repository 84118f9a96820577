"""Memory behind tensors: what a base and its views share, and tensors made to look elsewhere.

A memory is a vector of bytes here. It is looked for when somebody resizes or asks for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.errors import describe_shape
from adjoint.ops.rewriting import family, root_of
from adjoint.shapes import product
from adjoint.tape.tensor import memory_of

ndarray = np.ndarray
BYTE = np.dtype(np.uint8)


def resize(tensor: Any, shape: tuple[int, ...], strides: tuple[int, ...] | None = None) -> None:
    """Give ``tensor`` a shape, whatever its number of elements; what is new is not set.

    ``strides`` count elements. Its memory stays that of its base and its views; where that is too
    small, all of them move to larger memory with what they hold.
    """
    array = tensor._array
    if type(array) is not ndarray:
        raise RuntimeError(
            f"a tensor of shape {describe_shape(tensor.shape)} cannot be resized inside a "
            "transform, where it has no memory of its own; make a new one"
        )
    root = root_of(tensor)
    store = storage(root)
    start = address(array) - address(store) if store.size else 0
    needed = start + extent(shape, strides) * array.itemsize
    if needed > store.size:
        store = _grow(root, store, needed)
    tensor._array = look(store, array.dtype, shape, start, strides)


def storage(root: Any) -> Any:
    """The whole memory of a base, as bytes."""
    memory = memory_of(root)
    if memory.storage is None:
        memory.storage = flat_bytes(root._array)
    return memory.storage


def look(
    store: Any, kind: Any, shape: tuple[int, ...], start: int, strides: tuple[int, ...] | None
) -> Any:
    """An array over bytes from ``start`` on; ``strides`` count elements, None for one by one."""
    steps = None if strides is None else tuple(each * kind.itemsize for each in strides)
    if 0 in shape:
        start = min(start, store.size)
    return ndarray(shape, kind, store, start, steps)


def extent(shape: tuple[int, ...], strides: tuple[int, ...] | None) -> int:
    """How many elements of memory a look of this shape spans."""
    if strides is None:
        return product(shape)
    if 0 in shape:
        return 0
    return 1 + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))


def address(array: Any) -> int:
    """Where an array's first element is."""
    return int(array.__array_interface__["data"][0])


def flat_bytes(array: Any) -> Any:
    """The memory of an array, gaps included, as a vector of bytes."""
    if array.flags.c_contiguous:
        return array.reshape(-1).view(BYTE)
    span = sum((size - 1) * step for size, step in zip(array.shape, array.strides, strict=True))
    count = span // array.itemsize + 1 if array.size else 0
    return np.lib.stride_tricks.as_strided(array, (count,), (array.itemsize,)).view(BYTE)


def _grow(root: Any, store: Any, count: int) -> Any:
    """Move a base and its views to memory of ``count`` bytes."""
    larger = np.empty(count, BYTE)
    larger[: store.size] = store
    first = address(store)
    for each in (root, *family(root)):
        array = each._array
        start = address(array) - first if store.size and array.size else 0
        each._array = ndarray(array.shape, array.dtype, larger, start, array.strides)
    memory_of(root).storage = larger
    return larger
