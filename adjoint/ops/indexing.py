"""Indexing: reading and writing parts of a tensor with square brackets.

Whole numbers, slices, None and Ellipsis are taken one after the other, each a view of the last.
What is left, tensors of indices and masks, is read or written by one row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.indexing import result_shape, write_into
from adjoint.array.memory import writable
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.brackets import Entries, dimensions_used, gather_indices, mask_alone, split_index
from adjoint.ops.index_rows import index_mask_row, index_put_row, index_row
from adjoint.ops.indexing_quick import read_quickly
from adjoint.ops.inplace import before_write, check_writable, store
from adjoint.ops.kinds.public import public, publish
from adjoint.ops.masks import fill_value, mask_put_row, refuse_imaginary
from adjoint.ops.movement import reshape_row
from adjoint.ops.rewriting import renew_unrecorded
from adjoint.ops.writing import copy_, fill_
from adjoint.tape.tensor import Tensor, memory_of


def _out_of_range(error: IndexError, x: Any) -> IndexError:
    """NumPy's error with the shape of the tensor."""
    return IndexError(f"{error} (indexing a tensor of shape {describe_shape(x.shape)})")


# -- reading ------------------------------------------------------------------------------------


def getitem(input: Any, index: Any) -> Any:
    """``input[index]``: a view, or a copy of what tensors of indices or masks choose."""
    out = read_quickly(input, index)
    if out is not None:
        return out
    x, entries = split_index(input, index)
    return read(x, entries) if entries else x


def read(x: Any, entries: Entries) -> Any:
    """What tensors of indices choose of ``x``."""
    mask = mask_alone(x, entries)
    if mask is not None:
        return index_mask_row(x, mask, len(x.shape) - entries[0][0] - len(mask.shape))
    places, dims, block = gather_indices(x, entries)
    try:
        return index_row(x, places, dims, block)
    except IndexError as error:
        raise _out_of_range(error, x) from None


# -- writing ------------------------------------------------------------------------------------


def setitem(input: Any, index: Any, value: Any) -> None:
    """``input[index] = value``: a number, or a tensor that broadcasts and is cast."""
    if not isinstance(value, Tensor):
        if not isinstance(value, (bool, int, float, complex)):
            raise TypeError(
                f"can't assign a {type(value).__name__} to a tensor of {dtypes.of(input)!r}"
            )
        if index is not False:
            value = fill_value("__setitem__", value, input)[0]
    if index is False:
        return
    x, entries = split_index(input, None if index is True else index, itself=True)
    if entries:
        _write(x, entries, value)
        return
    while len(value.shape) > len(x.shape) and value.shape[0] == 1:
        value = reshape_row(value, tuple(value.shape[1:]))
    if value.shape or not x.shape:
        copy_(x, value)
    else:
        fill_(x, value)


def _write(x: Any, entries: Entries, value: Any) -> None:
    shape = tuple(value.shape)
    while shape and shape[0] == 1:
        shape = shape[1:]
    if shape != tuple(value.shape):
        value = reshape_row(value, shape)
    index_put_(x, entries, value, False)


def index_put_(x: Any, entries: Entries, value: Any, accumulate: bool) -> Any:
    """Write ``value`` where tensors of indices say; ``RuntimeError`` for another type or shape."""
    mask = None if accumulate or value.shape else mask_alone(x, entries)
    recording = check_writable(x, (value,), expanded=True)
    if mask is not None:
        refuse_imaginary("__setitem__", value, x)
        after = len(x.shape) - entries[0][0] - len(mask.shape)
        mask = reshape_row(mask, (*mask.shape, *(1,) * after))
        if not recording and _plain(x, mask, value):
            _write_plain(x, lambda array: masked_copy(array, mask._array, value._array))
            return x
        if dtypes.of(value) is not dtypes.of(x):
            value = value.to(dtypes.of(x))
        return store(x, mask_put_row(x, mask, value), "__setitem__")
    where = _checked_places(x, entries, value)
    try:
        if not recording and _plain(x, where[0], value):
            places, source = where[0]._array, value._array
            _write_plain(x, lambda array: write_into(array, places, source, *where[1:], accumulate))
            return x
        return store(x, index_put_row(x, where[0], value, *where[1:], accumulate), "__setitem__")
    except IndexError as error:
        raise _out_of_range(error, x) from None


def _plain(*tensors: Any) -> bool:
    return all(isinstance(each, Tensor) and type(each._array) is np.ndarray for each in tensors)


def _write_plain(x: Any, write: Callable[[Any], None]) -> None:
    """Let ``write`` change memory whose history stays what it is."""
    memory = memory_of(x)
    before_write(memory, x._array)
    write(writable(x._array))
    memory.note_write()
    if memory.views:
        renew_unrecorded(memory)


def masked_copy(array: Any, mask: Any, value: Any) -> None:
    """Write a number into memory where a mask is true."""
    np.copyto(array, value, where=mask, casting="unsafe")


def _checked_places(x: Any, entries: Entries, value: Any) -> tuple[Any, tuple[int, ...], int]:
    """What ``gather_indices`` gives, if ``value`` fits there; ``RuntimeError`` otherwise."""
    places, dims, block = gather_indices(x, entries)
    if dtypes.of(value) is not dtypes.of(x):
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{dtypes.of(x)!r} for the destination and {dtypes.of(value)!r} for the source"
        )
    shape = result_shape(tuple(x.shape), tuple(places.shape), dims, block)
    fits = len(value.shape) <= len(shape) and all(
        size in (1, wanted)
        for size, wanted in zip(reversed(value.shape), reversed(shape), strict=False)
    )
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {describe_shape(value.shape)} cannot be "
            f"broadcast to indexing result of shape {describe_shape(shape)}"
        )
    return places, dims, block


@public()
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """``input`` with ``values`` put, or added, at the places that a tuple of tensors names.

    Raises ``RuntimeError`` for another type or a shape that does not broadcast, ``IndexError``
    out of range.

    >>> import adjoint as torch
    >>> torch.zeros(3).index_put((torch.tensor([0, 2]),), torch.tensor(1.0))
    tensor([1., 0., 1.])
    """
    _require_flag("index_put", accumulate)
    entries = _entries_of("index_put", input, indices, values)
    places, dims, block = _checked_places(input, entries, values)
    try:
        return index_put_row(input, places, values, dims, block, bool(accumulate))
    except IndexError as error:
        raise _out_of_range(error, input) from None


def _require_flag(name: str, accumulate: Any) -> None:
    if not isinstance(accumulate, (bool, int)):
        raise TypeError(
            f"{name}(): argument 'accumulate' must be bool, not {type(accumulate).__name__}"
        )


def index_put_method(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """In-place form of ``index_put``: writes into ``input`` and returns it."""
    _require_flag("index_put_", accumulate)
    return index_put_(input, _entries_of("index_put_", input, indices, values), values, accumulate)


def _entries_of(name: str, input: Any, indices: Any, values: Any) -> Entries:
    """The tensors of indices that a call gives, checked, with the dimension each begins at."""
    for number, each in enumerate(indices):
        if not isinstance(each, Tensor):
            raise TypeError(
                f"{name}(): expected Tensor as element {number} of indices, but got "
                f"{type(each).__name__}"
            )
    if not isinstance(values, (Value, np.ndarray)):
        raise TypeError(f"{name}(): values must be a Tensor, not {type(values).__name__}")
    if not len(indices):
        raise RuntimeError(f"{name}(): at least one tensor of indices is needed")
    used = dimensions_used(tuple(indices))
    if used > len(input.shape):
        raise IndexError(
            f"too many indices for tensor of dimension {len(input.shape)} (got {used})"
        )
    entries: Entries = []
    dim = 0
    for each in indices:
        kind = dtypes.of(each)
        is_mask = kind in (dtypes.bool_, dtypes.uint8)
        if not is_mask and kind not in (dtypes.int64, dtypes.int32):
            raise IndexError(
                f"tensors used as indices must be long, int, byte or bool tensors, not {kind!r}"
            )
        entries.append((dim, each))
        dim += len(each.shape) if is_mask else 1
    return entries


publish("index_put_", index_put_method, ("",), True)
setattr(Value, "__getitem__", getitem)  # noqa: B010 - as every operator is put on
setattr(Tensor, "__setitem__", setitem)  # noqa: B010
