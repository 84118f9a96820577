"""What stands in square brackets: views taken one after the other, and tensors of indices kept."""

from __future__ import annotations

from operator import index as as_index
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.dual import Dual
from adjoint.array.value import Value
from adjoint.errors import TransformError, describe_shape
from adjoint.ops.dimensions import unsqueeze_row
from adjoint.ops.joining import stack_row
from adjoint.ops.movement import alias_row, expand_row, reshape_row
from adjoint.ops.slicing import select_place, slice_places
from adjoint.shapes import broadcast_shapes, product
from adjoint.tape.tensor import Tensor, wrap

Entries = list[tuple[int, Any]]  # tensors of indices, and the dimension each begins at

# -- what stands in the brackets ----------------------------------------------------------------


def _items(index: Any) -> tuple[Any, ...]:
    """The parts of an index: a tuple's, and those of a list that stands for one."""
    if type(index) is tuple:
        return index
    if isinstance(index, tuple):
        return tuple(index)
    if isinstance(index, (Value, np.ndarray, np.generic, dict)):
        return (index,)
    if not hasattr(index, "__getitem__") or len(index) >= 32:
        return (index,)
    for each in index:
        if each is None or each is Ellipsis or isinstance(each, (slice, Tensor, list, tuple)):
            return tuple(index)
        if isinstance(each, (str, np.ndarray)):
            return tuple(index)
    return (index,)


def _refused(item: Any) -> Exception:
    if isinstance(item, (str, bytes)):
        return TypeError(f"an index is no text: {item!r}")
    return IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        f"indices (got {type(item).__name__})"
    )


def _as_index_tensor(item: Any, level: int) -> Any:
    """A tensor of indices or a mask from what an index may be; raises for what it may not."""
    if isinstance(item, Tensor):
        return item
    if isinstance(item, (np.ndarray, list, range)) or type(item) is tuple:
        if isinstance(item, (list, tuple)):
            item = [each.item() if isinstance(each, Tensor) else each for each in item]
        array = np.asarray(item)
        if not array.size and not isinstance(item, np.ndarray):
            array = array.astype(np.int64)
        if array.dtype.kind == "f":
            array = array.astype(np.int64)  # PyTorch too takes whole parts here
        if array.dtype.kind not in "biu":
            raise _refused(item)
        return wrap(array, level)
    raise _refused(item)


def dimensions_used(items: tuple[Any, ...]) -> int:
    used = 0
    for item in items:
        if item is None or item is Ellipsis or item is True or item is False:
            continue
        kind = getattr(item, "dtype", None)
        if kind is not None and isinstance(item, (Tensor, np.ndarray)):
            is_mask = dtypes.of(item) in (dtypes.bool_, dtypes.uint8)
            used += len(item.shape) if is_mask else 1
        else:
            used += 1
    return used


def _check_number(index: Any, used: int, x: Any) -> None:
    rank = len(x.shape)
    if used <= rank:
        return
    if not rank and isinstance(index, slice):
        raise IndexError("slice() cannot be applied to a 0-dim tensor")
    if not rank and used == 1:
        raise IndexError("invalid index of a 0-dim tensor; use tensor.item() for its number")
    raise IndexError(
        f"too many indices for tensor of dimension {rank} (got {used}, and shape "
        f"{describe_shape(x.shape)})"
    )


def split_index(x: Any, index: Any, *, itself: bool = False) -> tuple[Any, Entries]:
    """``x`` looked at through all that is no tensor, and the tensors, with their dimensions.

    Where there is nothing to look through it is an alias of ``x``, or ``x`` ``itself``.
    Raises ``IndexError`` for too many indices or one out of range, ``ValueError`` for a step that
    is not positive, ``TypeError`` for text.
    """
    items = _items(index)
    rank = len(x.shape)
    used = dimensions_used(items)
    _check_number(index, used, x)
    entries: Entries = []
    dim = 0
    start = x
    for item in items:
        if dim > len(x.shape):  # a second Ellipsis
            raise IndexError(f"too many indices for tensor of shape {describe_shape(start.shape)}")
        if item is Ellipsis:
            dim += rank - used
        elif item is None:
            x = unsqueeze_row(x, dim - len(x.shape) - 1)
            dim += 1
        elif isinstance(item, slice):
            x = _slice(x, dim - len(x.shape), item, alone=item is index and not itself)
            dim += 1
        elif item is True or item is False:
            x = unsqueeze_row(x, dim - len(x.shape) - 1)
            entries.append((dim, _truth(item, x)))
            dim += 1
        elif isinstance(item, Tensor):
            x, dim = _tensor_item(x, item, dim, entries)
        elif hasattr(item, "__index__") and not isinstance(item, (np.ndarray, np.bool_)):
            x = _select(x, dim, as_index(item))
        else:
            tensor = _as_index_tensor(item, level_of(x))
            x, dim = _tensor_item(x, tensor, dim, entries)
    if x is start and not entries and not itself:
        x = alias_row(x)
    return x, entries


def level_of(x: Any) -> int:
    return x._level if isinstance(x, Tensor) else 0


def _truth(value: bool, x: Any) -> Any:
    return wrap(np.zeros(1 if value else 0, np.int64), level_of(x))


def _slice(x: Any, dim: int, item: slice, alone: bool) -> Any:
    if dim >= 0:
        raise IndexError(f"too many indices for tensor of shape {describe_shape(x.shape)}")
    whole = item.start in (None, 0) and item.step in (None, 1)
    if whole and not alone and (item.stop is None or as_index(item.stop) >= x.shape[dim]):
        return x
    return slice_places(x, dim, item)


def _select(x: Any, dim: int, place: int) -> Any:
    if not -(2**63) <= place < 2**63:
        raise ValueError(f"index {place} is too large for 64 bits")
    if dim >= len(x.shape):
        raise IndexError(f"too many indices for tensor of shape {describe_shape(x.shape)}")
    return select_place(x, dim - len(x.shape), place)


def _tensor_item(x: Any, item: Any, dim: int, entries: Entries) -> tuple[Any, int]:
    """Select by one number, or keep a tensor of indices for later; the dimension to go on at."""
    kind = dtypes.of(item)
    known = kind in (dtypes.int64, dtypes.int32, dtypes.bool_, dtypes.uint8)
    if not known and (item.shape or kind.category != dtypes.INTEGER):
        raise IndexError(
            f"tensors used as indices must be long, int, byte or bool tensors, not {kind!r}"
        )
    is_mask = kind in (dtypes.bool_, dtypes.uint8)
    if not item.shape:
        if is_mask:
            x = unsqueeze_row(x, dim - len(x.shape) - 1)
            places = wrap(np.zeros(int(bool(_concrete(item))), np.int64), level_of(x))
            entries.append((dim, places))
            return x, dim + 1
        if isinstance(_bottom(item), np.ndarray):
            return _select(x, dim, int(_bottom(item))), dim
    after = dim + (len(item.shape) if is_mask else 1)
    if after > len(x.shape):
        raise IndexError(f"too many indices for tensor of shape {describe_shape(x.shape)}")
    entries.append((dim, item))
    return x, after


def _bottom(item: Any) -> Any:
    """The plain memory of an index, or the batch or symbol that it is."""
    while isinstance(item, (Tensor, Dual)):
        item = item._array if isinstance(item, Tensor) else item.primal
    return item


def _concrete(item: Any) -> Any:
    found = _bottom(item)
    if not isinstance(found, np.ndarray):
        raise TransformError(
            "indexing by a mask inside vmap or a trace: the shape of the result depends on its "
            "values; use where() or masked_fill()"
        )
    return found


# -- tensors of indices -------------------------------------------------------------------------


def mask_alone(x: Any, entries: Entries) -> Any:
    """The mask, if one is all there is and it fits; None otherwise."""
    if len(entries) != 1:
        return None
    dim, mask = entries[0]
    if dtypes.of(mask) is not dtypes.bool_:
        return None
    _check_mask(x, mask, dim)
    return mask


def _check_mask(x: Any, mask: Any, dim: int) -> None:
    for place, size in enumerate(mask.shape):
        if x.shape[dim + place] != size:
            raise IndexError(
                f"The shape of the mask {describe_shape(mask.shape)} at index {place} does not "
                f"match the shape of the indexed tensor {describe_shape(x.shape)} at index "
                f"{dim + place}"
            )


def gather_indices(x: Any, entries: Entries) -> tuple[Any, tuple[int, ...], int]:
    """All indices as one array (k, ...), with their dims and the place of the result's block.

    Raises ``IndexError`` for masks that do not fit and indices that do not broadcast.
    """
    rank = len(x.shape)
    tensors: list[Any] = []
    dims: list[int] = []
    for dim, item in entries:
        if dtypes.of(item) in (dtypes.bool_, dtypes.uint8):
            _check_mask(x, item, dim)
            for number, column in enumerate(np.nonzero(_concrete(item))):
                tensors.append(wrap(column, level_of(x)))
                dims.append(dim + number - rank)
        else:
            tensors.append(item)
            dims.append(dim - rank)
    try:
        shape = broadcast_shapes(*(tuple(each.shape) for each in tensors))
    except RuntimeError:
        raise IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes "
            + ", ".join(describe_shape(each.shape) for each in tensors)
        ) from None
    if product(shape):
        if any(x.shape[dim] == 0 for dim in dims):
            raise IndexError(
                "index is out of bounds for a dimension of size 0 (indexing a tensor of shape "
                f"{describe_shape(x.shape)})"
            )
        if any(x.shape[dim] == 0 for dim in range(-rank, 0) if dim not in dims):
            # Nothing will be read, and so, as in PyTorch, no place is out of range.
            tensors = [wrap(np.zeros(shape, np.int64), level_of(x)) for _ in tensors]
    order = sorted(range(len(dims)), key=dims.__getitem__)
    dims = [dims[each] for each in order]
    whole = _stacked([tensors[each] for each in order], shape, level_of(x))
    adjacent = dims == list(range(dims[0], dims[0] + len(dims)))
    return whole, tuple(dims), -dims[-1] - 1 if adjacent else rank - len(dims)


def _stacked(tensors: list[Any], shape: tuple[int, ...], level: int) -> Any:
    if len(tensors) == 1:
        one = tensors[0]
        if dtypes.of(one) is not dtypes.int64:
            one = one.to(dtypes.int64)
        return reshape_row(one, (1, *one.shape))
    arrays = [_bottom(each) for each in tensors]
    if all(isinstance(each, np.ndarray) for each in arrays):
        out = np.empty((len(arrays), *shape), np.int64)
        for place, array in enumerate(arrays):
            out[place] = array
        return wrap(out, level)
    whole = [each if tuple(each.shape) == shape else expand_row(each, shape) for each in tensors]
    return stack_row(whole, -len(shape) - 1)
