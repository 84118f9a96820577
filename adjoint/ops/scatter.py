"""Reading and writing along a dimension at the places that an index names."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.kinds.public import public
from adjoint.ops.masks import fill_value
from adjoint.ops.movement import expand_row, reshape_row
from adjoint.ops.scalars import cast_number
from adjoint.ops.scatter_reductions import REDUCTIONS, scatter_reduce_row
from adjoint.ops.scatter_rows import (
    INT64,
    gather_row,
    scatter_add_row,
    scatter_row,
    scatter_value_row,
)
from adjoint.ops.slicing import slice_row
from adjoint.shapes import broadcast_shapes, normalise_dim, product
from adjoint.tape.tensor import Tensor, wrap

# -- what an index may be -----------------------------------------------------------------------

INDICES = (dtypes.int32, dtypes.int64)


def require_index(name: str, index: Any, kinds: Any = INDICES, error: Any = RuntimeError) -> None:
    """Raise unless ``index`` is a tensor of one of the given integer types."""
    if not hasattr(index, "dtype"):
        raise TypeError(f"{name}(): argument 'index' must be Tensor, not {type(index).__name__}")
    if dtypes.of(index) not in kinds:
        raise error(
            f"{name}(): Expected dtype {' or '.join(kind.name for kind in kinds)} for index, but "
            f"got {dtypes.of(index).name}"
        )


def plain(index: Any) -> Any:
    """The values of an index that can be looked at, None inside ``vmap`` or a trace."""
    while isinstance(index, Tensor):
        index = index._array
    return index if isinstance(index, np.ndarray) else None


def require_range(
    name: str, index: Any, size: int, error: type[Exception], negative: bool = False
) -> None:
    """Raise ``error`` for a place that there is not among ``size``."""
    values = plain(index)
    if values is None or not values.size:
        return
    low, high = values.min(), values.max()
    if high >= size or low < (-size if negative else 0):
        wrong = high if high >= size else low
        raise error(f"{name}(): index {wrong} is out of bounds for a dimension of size {size}")


# -- gather -------------------------------------------------------------------------------------


def check_sizes(name: str, index: Any, dim: int, x: Any, source: Any = None) -> None:
    """Raise ``RuntimeError`` for an index larger than what it is to read from or write to."""
    if max(len(index.shape), 1) != max(len(x.shape), 1):
        raise RuntimeError(
            f"{name}(): Index tensor must have the same number of dimensions as input tensor, but "
            f"got shapes {describe_shape(index.shape)} and {describe_shape(x.shape)}"
        )
    for place, size in enumerate(index.shape if x.shape else ()):
        if place != dim + len(x.shape) and size > x.shape[place]:
            raise RuntimeError(
                f"{name}(): Size does not match at dimension {place}: expected index "
                f"{describe_shape(index.shape)} to be no larger than self "
                f"{describe_shape(x.shape)} apart from dimension {dim + len(x.shape)}"
            )
    if source is None:
        return
    sizes = tuple(source.shape) or (1,) * len(index.shape)
    misfit = (
        f"{name}(): Expected index {describe_shape(index.shape)} to have as many dimensions "
        f"as src {describe_shape(source.shape)}, and to be no larger"
    )
    for place, size in enumerate(index.shape):
        if place == len(sizes):
            raise IndexError(misfit)
        if size > sizes[place]:
            raise RuntimeError(misfit)
    if max(len(source.shape), 1) != max(len(index.shape), 1):
        raise RuntimeError(misfit)


def _same_but(x: Any, index: Any, dim: int) -> bool:
    """Whether plain memory and its index have one shape, or differ in the last ``dim`` only."""
    if not (isinstance(x, Tensor) and isinstance(index, Tensor)):
        return False
    a, b = x._array, index._array
    if type(a) is not np.ndarray or type(b) is not np.ndarray or b.dtype is not INT64:
        return False
    rank = a.ndim
    return rank == b.ndim > 0 and (
        (a.shape == b.shape and -rank <= dim < rank)
        or (dim in (-1, rank - 1) and a.shape[:-1] == b.shape[:-1])
    )


@public(out="exact")
def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """For each element of ``index`` the element of ``input`` there along ``dim``.

    Raises ``RuntimeError`` for an index of another rank, out of range, or larger than ``input``
    in another dimension.

    >>> import adjoint as torch
    >>> torch.gather(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    if type(dim) is not int or not _same_but(input, index, dim):
        require_index("gather", index)
        dim = normalise_dim(dim, len(input.shape))
        if product(index.shape):
            check_sizes("gather", index, dim, input)
    elif dim >= 0:
        dim -= len(input.shape)
    return gather_row(input, index, dim if input.shape else None)


@public(out="exact")
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """``gather`` with an index that broadcasts, and goes round: -1 is the last place.

    Raises ``RuntimeError`` for another rank, or an index that is not of int64.

    >>> import adjoint as torch
    >>> torch.take_along_dim(torch.tensor([[1, 2], [3, 4]]), torch.tensor([[-1]]), 1)
    tensor([[2],
            [4]])
    """
    require_index("take_along_dim", indices, (dtypes.int64,))
    if dim is None:
        flat = reshape_row(input, (product(input.shape),))
        return gather(flat, 0, reshape_row(indices, (product(indices.shape),)))
    rank = len(input.shape)
    if rank != len(indices.shape):
        raise RuntimeError(
            "take_along_dim(): input and indices should have the same number of dimensions, but "
            f"got shapes {describe_shape(input.shape)} and {describe_shape(indices.shape)}"
        )
    dim = normalise_dim(dim, rank)
    place = dim + rank
    a, b = list(input.shape), list(indices.shape)
    a[place] = b[place] = 1
    common = list(broadcast_shapes(a, b))
    common[place] = input.shape[place]
    input = _stretch(input, tuple(common))
    common[place] = indices.shape[place]
    indices = _wrapped(_stretch(indices, tuple(common)), input.shape[place])
    return gather_row(input, indices, dim)


def _stretch(x: Any, shape: tuple[int, ...]) -> Any:
    return x if tuple(x.shape) == shape else expand_row(x, shape)


def _wrapped(index: Any, size: int) -> Any:
    """An index that goes round and round, as PyTorch has it here."""
    values = plain(index)
    if values is None:
        return index % max(size, 1)
    if not values.size or (values.min() >= 0 and values.max() < size):
        return index
    return wrap(np.remainder(values, max(size, 1)), index._level)


# -- scatter ------------------------------------------------------------------------------------


def scatter_parts(name: str, input: Any, dim: int, index: Any, src: Any) -> tuple[Any, Any]:
    """The source, cut to the index's sizes, and the row's dim; everything checked."""
    require_index(name, index)
    dim = normalise_dim(dim, len(input.shape))
    if src is not None and dtypes.of(src) is not dtypes.of(input):
        raise RuntimeError(
            f"{name}(): Expected self.dtype to be equal to src.dtype, but got "
            f"{dtypes.of(input)!r} and {dtypes.of(src)!r}"
        )
    if product(index.shape):
        check_sizes(name, index, dim, input, src)
    if src is not None and len(src.shape) != len(index.shape):
        if not product(index.shape):
            src = np.zeros(index.shape, dtypes.of(input).numpy)
        else:  # one of the two has no dimensions
            src = slice_row(src, -1, 0, 1, 1) if src.shape else src
            src = reshape_row(src, tuple(index.shape))
    elif src is not None:
        for place, (size, other) in enumerate(zip(index.shape, src.shape, strict=True)):
            if size != other:
                src = slice_row(src, place - len(src.shape), 0, size, 1)
    return src, dim if input.shape else None


@public(in_place=True, out="exact")
def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Any:
    """``input`` with each element of ``src``, or ``value``, put where ``index`` says along ``dim``.

    ``reduce`` is "add" or "multiply" to do that instead. Raises ``RuntimeError`` for an index of
    another rank, out of range, or larger than ``input`` or ``src``, and for unequal types.

    >>> import adjoint as torch
    >>> torch.zeros(3).scatter(0, torch.tensor([2, 0]), torch.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    if src is None:
        src = value
    if src is None:
        raise TypeError("scatter() needs src, a tensor, or value, a number")
    is_tensor = isinstance(src, (Value, np.ndarray))
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError(f"reduce argument must be either add or multiply, not {reduce!r}")
        if not is_tensor:
            src = expand_row(fill_value("scatter", src, input)[0], tuple(index.shape))
        return scatter_reduce(input, dim, index, src, "sum" if reduce == "add" else "prod")
    source, place = scatter_parts("scatter", input, dim, index, src if is_tensor else None)
    if is_tensor:
        return scatter_row(input, index, source, place)
    return scatter_value_row(input, index, place, cast_number(src, dtypes.of(input), "scatter"))


@public(in_place=True, out="exact")
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """``input`` with each element of ``src`` added where ``index`` says along ``dim``.

    Raises ``RuntimeError`` as ``scatter`` does.

    >>> import adjoint as torch
    >>> torch.zeros(2).scatter_add(0, torch.tensor([1, 1]), torch.tensor([1.0, 2.0]))
    tensor([0., 3.])
    """
    if not isinstance(src, (Value, np.ndarray)):
        raise TypeError(f"scatter_add(): src must be a Tensor, not {type(src).__name__}")
    source, place = scatter_parts("scatter_add", input, dim, index, src)
    return scatter_add_row(input, index, source, place)


@public(in_place=True, out="exact")
def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """``input`` with the elements of ``src`` that ``index`` sends to one place reduced there.

    ``reduce`` is "sum", "prod", "mean", "amax" or "amin"; without ``include_self`` the elements
    of ``input`` do not take part where others arrive. Raises ``RuntimeError`` as ``scatter``.

    >>> import adjoint as torch
    >>> x = torch.tensor([1.0, 5.0])
    >>> x.scatter_reduce(0, torch.tensor([0, 0]), torch.tensor([2.0, 3.0]), "amax")
    tensor([3., 5.])
    """
    if reduce not in REDUCTIONS:
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        )
    source, place = scatter_parts("scatter_reduce", input, dim, index, src)
    if reduce in ("amax", "amin") and dtypes.of(input).is_complex:
        raise NotImplementedError(
            f"scatter_reduce: complex numbers have no order for {reduce!r} to go by"
        )
    return scatter_reduce_row(input, index, source, place, reduce, bool(include_self))
