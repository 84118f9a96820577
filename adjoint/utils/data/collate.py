"""From a list of examples to a batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.ops.conversion import as_tensor, tensor
from adjoint.ops.joining import stack
from adjoint.tape.tensor import Tensor

Map = dict[Any, Callable[..., Any]]


def default_convert(data: Any) -> Any:
    """An example with its NumPy arrays as tensors, within lists, tuples and dicts as well.

    >>> torch.utils.data.default_convert({"x": np.ones(2), "name": "a"})
    {'x': tensor([1., 1.], dtype=torch.float64), 'name': 'a'}
    """
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in "SUO" else as_tensor(data)
    if isinstance(data, Mapping):
        return _rebuild_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple):
        items = [default_convert(item) for item in data]
        return type(data)(*items) if hasattr(data, "_fields") else items
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _rebuild_sequence(data, [default_convert(item) for item in data])
    return data


def collate(batch: Any, *, collate_fn_map: Map | None = None) -> Any:
    """Put a list of examples together: ``collate_fn_map`` says how for each type of their parts.

    Mappings and sequences are gone through. Raises ``TypeError`` for a type that nobody knows, and
    ``RuntimeError`` for sequences of different lengths.

    >>> from adjoint.utils.data.collate import collate
    >>> collate([(1, 2), (3, 4)], collate_fn_map={int: lambda batch, collate_fn_map: sum(batch)})
    [4, 6]
    """
    first = batch[0]
    known = collate_fn_map or {}
    function = known.get(type(first))
    if function is None:
        function = next((known[kind] for kind in known if isinstance(first, kind)), None)
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        columns = {key: [example[key] for example in batch] for key in first}
        return _rebuild_mapping(
            first, {key: collate(column, collate_fn_map=known) for key, column in columns.items()}
        )
    if isinstance(first, Sequence):
        items = [
            collate(column, collate_fn_map=known)
            for column in _columns(batch, isinstance(first, tuple) and hasattr(first, "_fields"))
        ]
        if isinstance(first, tuple):
            return type(first)(*items) if hasattr(first, "_fields") else items
        return _rebuild_sequence(first, items)
    raise TypeError(
        "default_collate puts tensors, arrays, numbers, strings, and mappings and sequences of "
        f"them into a batch, but found a {type(first).__name__}; give the DataLoader a collate_fn"
    )


def _columns(batch: Any, named: bool) -> list[tuple[Any, ...]]:
    lengths = {len(example) for example in batch}
    if len(lengths) > 1 and not named:
        raise RuntimeError(
            f"the examples of a batch have equal lengths, but got {sorted(lengths)}; give the "
            "DataLoader a collate_fn that makes them equal"
        )
    return list(zip(*batch, strict=False))


def _rebuild_mapping(like: Any, items: dict[Any, Any]) -> Any:
    """The items in a mapping of the same type, and a dict where that cannot be made."""
    try:
        if isinstance(like, MutableMapping):
            out = copy.copy(like)
            out.update(items)
            return out
        return type(like)(items)
    except TypeError:
        return items


def _rebuild_sequence(like: Any, items: list[Any]) -> Any:
    """The items in a sequence of the same type, and a list where that cannot be made."""
    try:
        if isinstance(like, MutableSequence):
            out = copy.copy(like)
            for place, item in enumerate(items):
                out[place] = item
            return out
        return type(like)(items)
    except TypeError:
        return items


def _collate_arrays(batch: Any, *, collate_fn_map: Map | None = None) -> Any:
    if batch[0].dtype.kind in "SUO":
        raise TypeError(f"arrays of {batch[0].dtype} do not become tensors")
    return collate([as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


default_collate_fn_map: Map = {
    Tensor: lambda batch, *, collate_fn_map=None: stack(list(batch)),
    np.ndarray: _collate_arrays,
    np.bool_: lambda batch, *, collate_fn_map=None: as_tensor(np.array(batch)),
    np.number: lambda batch, *, collate_fn_map=None: as_tensor(np.array(batch)),
    float: lambda batch, *, collate_fn_map=None: tensor(batch, dtype=dtypes.float64),
    int: lambda batch, *, collate_fn_map=None: tensor(batch),
    str: lambda batch, *, collate_fn_map=None: batch,
    bytes: lambda batch, *, collate_fn_map=None: batch,
}


def default_collate(batch: Any) -> Any:
    """Stack the examples of a batch: tensors and arrays along a new first dimension.

    Numbers become a tensor (floats one of float64), strings stay a list, and mappings and
    sequences are gone through. Raises ``TypeError`` for other types, and ``RuntimeError`` for
    sequences of different lengths and for tensors of different shapes.

    >>> torch.utils.data.default_collate([{"x": 1, "y": 0.5}, {"x": 2, "y": 1.5}])
    {'x': tensor([1, 2]), 'y': tensor([0.5000, 1.5000], dtype=torch.float64)}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
