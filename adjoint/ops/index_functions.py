"""Reading and writing whole slices along a dimension, or elements of the flat tensor, by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.index_rows import (
    as_rows,
    index_add_row,
    index_copy_row,
    index_fill_row,
    index_fill_tensor_row,
    index_select_row,
    put_row,
    take_row,
)
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import finish
from adjoint.ops.masks import fill_value
from adjoint.ops.movement import reshape_row
from adjoint.ops.scatter import require_index, require_range
from adjoint.ops.scatter_rows import INT64, out_of_range
from adjoint.shapes import normalise_dim, product
from adjoint.tape.tensor import Tensor, wrap

LONG = (dtypes.int64,)

# -- slices along a dimension -------------------------------------------------------------------


def _vector(name: str, index: Any, error: type[Exception]) -> Any:
    if len(index.shape) > 1:
        raise error(
            f"{name}(): Index is supposed to be a vector, not {describe_shape(index.shape)}"
        )
    return reshape_row(index, (1, product(index.shape)))


def _same_type(name: str, input: Any, source: Any) -> None:
    if not isinstance(source, (Value, np.ndarray)):
        raise TypeError(f"{name}(): source must be a Tensor, not {type(source).__name__}")
    if dtypes.of(input) is not dtypes.of(source):
        raise RuntimeError(
            f"{name}(): self and source expected to have the same dtype, but got "
            f"{dtypes.of(input)!r} and {dtypes.of(source)!r}"
        )


def _select_at_once(input: Any, dim: Any, index: Any) -> Any:
    """Slices of plain memory by a vector of places in range; None for all that needs a look."""
    if not (isinstance(input, Tensor) and isinstance(index, Tensor)) or type(dim) is not int:
        return None
    a, b, level = input._array, index._array, input._level
    if type(a) is not np.ndarray or type(b) is not np.ndarray or index._level != level:
        return None
    rank = a.ndim
    if b.dtype is not INT64 or b.ndim != 1 or not b.size or not -rank <= dim < rank:
        return None
    dim = dim if dim < 0 else dim - rank
    if out_of_range(b, a.shape[dim]):
        return None
    out = a.take(b, dim)
    if input._node is None:
        return wrap(out, level)
    return finish(index_select_row.row, out, level, (input, as_rows(index)), ((dim,), -dim - 1))


@public(out="exact")
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices along ``dim`` that the vector ``index`` names, in its order.

    Raises ``IndexError`` (along the second dimension ``RuntimeError``) for a place out of range,
    as they do not count from the end.

    >>> import adjoint as torch
    >>> torch.index_select(torch.tensor([[1, 2], [3, 4]]), 0, torch.tensor([1, 1]))
    tensor([[3, 4],
            [3, 4]])
    """
    out = _select_at_once(input, dim, index)
    if out is not None:
        return out
    require_index("index_select", index)
    dim = normalise_dim(dim, len(input.shape))
    places = _vector("index_select", index, IndexError)
    if not input.shape:
        if places.shape[1] != 1:
            raise RuntimeError(
                "index_select(): Index to scalar can have only 1 value, got "
                f"{places.shape[1]} values"
            )
        require_range("index_select", index, 1, IndexError)
        return index_select_row(input, places, (), 0)
    # PyTorch looks for places in three ways, each with an error of its own.
    rank = len(input.shape)
    plain_way = rank == 1 or (dim + rank != 1 and 0 not in input.shape)
    error = IndexError if plain_way else RuntimeError
    require_range("index_select", index, input.shape[dim], error)
    return index_select_row(input, places, (dim,), -dim - 1)


def _without(shape: Any, dim: int) -> tuple[int, ...]:
    """A shape without the dimension of the slices, which a tensor of none has not."""
    place = dim + len(shape)
    return (*shape[:place], *shape[place + 1 :]) if shape else ()


def _check_slices(name: str, input: Any, dim: int, source: Any) -> None:
    both = bool(input.shape and source.shape)
    slices = [_without(each.shape, dim) if both else tuple(each.shape) for each in (input, source)]
    if name == "index_copy" and not both:
        slices = [_without(each.shape, dim) for each in (input, source)]
    if slices[0] != slices[1] or (both and len(input.shape) != len(source.shape)):
        raise RuntimeError(
            f"{name}(): source tensor shape must match self tensor shape, excluding the specified "
            f"dimension {dim}: got {describe_shape(source.shape)} for "
            f"{describe_shape(input.shape)}"
        )


def _check_count(name: str, places: Any, source: Any, place: int, error: type[Exception]) -> None:
    count = source.shape[place] if source.shape else 1
    if count != places.shape[1]:
        raise error(
            f"{name}(): Number of indices ({places.shape[1]}) should be equal to source.size(dim) "
            f"({count}) for a source of shape {describe_shape(source.shape)}"
        )


def _write(row: Any, input: Any, dim: int, places: Any, source: Any, accumulate: bool) -> Any:
    if not input.shape:
        source = reshape_row(source, ()) if source.shape else source
        return row(input, places, source, (), 0, accumulate)
    return row(input, places, source, (dim,), -dim - 1, accumulate)


@public(in_place=True, out="exact")
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """``input`` with the slices of ``source``, times ``alpha``, added at ``index`` along ``dim``.

    Raises ``RuntimeError`` for a place out of range (``IndexError`` where ``input`` is a vector),
    or a source of another type or shape.

    >>> import adjoint as torch
    >>> torch.zeros(3).index_add(0, torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))
    tensor([3., 0., 0.])
    """
    require_index("index_add", index)
    dim = normalise_dim(dim, len(input.shape))
    places = _vector("index_add", index, IndexError)
    _same_type("index_add", input, source)
    place = dim + len(input.shape)
    if not source.shape or 0 <= place < len(source.shape):
        _check_count("index_add", places, source, place, RuntimeError)
    _check_slices("index_add", input, dim, source)
    # PyTorch has a way of its own for vectors, with an error of its own.
    error = IndexError if len(input.shape) < 2 else RuntimeError
    require_range("index_add", index, input.shape[dim] if input.shape else 1, error)
    if alpha != 1:
        if isinstance(alpha, float) and dtypes.of(input).category < dtypes.FLOATING:
            raise RuntimeError(
                f"index_add(): for integers alpha must not be a floating number, but it is {alpha}"
            )
        source = source * alpha
    return _write(index_add_row, input, dim, places, source, True)


@public(in_place=True, out="exact")
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """``input`` with the slices of ``source`` put at ``index`` along ``dim``.

    Raises ``IndexError`` for a place out of range or a source that does not fit, ``RuntimeError``
    for one of another type.

    >>> import adjoint as torch
    >>> torch.zeros(3).index_copy(0, torch.tensor([2, 0]), torch.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    require_index("index_copy", index, LONG)
    dim = normalise_dim(dim, len(input.shape))
    places = _vector("index_copy", index, IndexError)
    if input.shape and source.shape and len(input.shape) != len(source.shape):
        raise IndexError(
            "index_copy(): source and self must have as many dimensions, but got shapes "
            f"{describe_shape(source.shape)} and {describe_shape(input.shape)}"
        )
    if not source.shape:
        _check_count("index_copy", places, source, 0, IndexError)
    _same_type("index_copy", input, source)
    _check_slices("index_copy", input, dim, source)
    _check_count("index_copy", places, source, dim, IndexError)
    require_range("index_copy", index, input.shape[dim] if input.shape else 1, IndexError)
    return _write(index_copy_row, input, dim, places, source, False)


@public(in_place=True)
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """``input`` with ``value``, a number or a 0-d tensor, in the slices at ``index`` along ``dim``.

    Raises ``IndexError`` for a place out of range, ``RuntimeError`` for a value with dimensions.

    >>> import adjoint as torch
    >>> torch.zeros(3).index_fill(0, torch.tensor([0, -1]), 1)
    tensor([1., 0., 1.])
    """
    require_index("index_fill", index, LONG, IndexError)
    dim = normalise_dim(dim, len(input.shape))
    places = _vector("index_fill", index, RuntimeError)
    number, is_tensor = fill_value("index_fill", value, input)
    if dtypes.of(number).is_complex and not dtypes.of(input).is_complex:
        raise RuntimeError(
            f"index_fill: a {dtypes.of(number)!r} value for a {dtypes.of(input)!r} tensor; "
            "take its real part"
        )
    size = input.shape[dim] if input.shape else 1
    require_range("index_fill", index, size, IndexError, negative=True)
    row = index_fill_tensor_row if is_tensor else index_fill_row
    return _write(row, input, dim, places, number, False)


# -- elements of the flat tensor ----------------------------------------------------------------


@public(out="exact")
def take(input: Any, index: Any) -> Any:
    """The elements of ``input``, as if it were a vector, at ``index``, in its shape.

    Raises ``IndexError`` out of range, ``RuntimeError`` for an index that is not of int64.

    >>> import adjoint as torch
    >>> torch.take(torch.tensor([[1, 2], [3, 4]]), torch.tensor([0, -1]))
    tensor([1, 4])
    """
    require_index("take", index, LONG)
    size = product(input.shape)
    require_range("take", index, size, IndexError, negative=True)
    if not size and product(index.shape):
        raise IndexError("take(): tried to take from an empty tensor")
    places = reshape_row(index, (1, *index.shape))
    if not input.shape:
        input = reshape_row(input, (1,))
    return take_row(input, places, _all_dims(input), 0)


def _all_dims(input: Any) -> tuple[int, ...]:
    return tuple(range(-len(input.shape), 0))


@public(in_place=True)
def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """``input`` with the elements of ``source`` put, or added, at ``index`` as if it were a vector.

    Raises ``IndexError`` out of range or for unequal numbers of elements, ``RuntimeError`` for
    other types.

    >>> import adjoint as torch
    >>> torch.zeros(2, 2).put(torch.tensor([0, -1]), torch.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    require_index("put", index, LONG)
    _same_type("put", input, source)
    count, size = product(index.shape), product(input.shape)
    if count != product(source.shape):
        raise IndexError(
            "put(): Expected source and index to have the same number of elements, but got "
            f"{product(source.shape)} and {count}"
        )
    require_range("put", index, size, IndexError, negative=True)
    places, values = reshape_row(index, (1, count)), reshape_row(source, (count,))
    if input.shape:
        return put_row(input, places, values, _all_dims(input), 0, bool(accumulate))
    out = put_row(reshape_row(input, (1,)), places, values, (-1,), 0, bool(accumulate))
    return reshape_row(out, ())
