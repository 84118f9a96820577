"""Grids and selections: coordinates of all combinations of elements of vectors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.index_functions import index_select
from adjoint.ops.joining import checked, stack
from adjoint.ops.kinds.public import public
from adjoint.ops.movement import expand_row, reshape
from adjoint.shapes import broadcast_shapes, product
from adjoint.tape.tensor import Tensor, wrap


@public(method=False)
def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """The tensors expanded to the shape they have together; ``RuntimeError`` if there is none.

    >>> import adjoint as torch
    >>> a, b = torch.broadcast_tensors(torch.ones(3), torch.ones(2, 1))
    >>> a.shape, b.shape
    (torch.Size([2, 3]), torch.Size([2, 3]))
    """
    if not tensors:
        return ()
    given = checked("broadcast_tensors", list(tensors))
    shape = broadcast_shapes(*(tuple(each.shape) for each in given))
    return tuple(each if tuple(each.shape) == shape else expand_row(each, shape) for each in given)


def _listed(tensors: tuple[Any, ...]) -> Any:
    return tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors


@public(method=False)
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """Coordinates of a grid: each vector expanded along a dimension of its own.

    ``indexing`` is "ij", or "xy" to exchange the first two dimensions. Raises ``RuntimeError``
    for matrices and unequal types.

    >>> import adjoint as torch
    >>> x, y = torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4, 5]), indexing="ij")
    >>> x
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    given = checked("meshgrid", list(_listed(tensors)))
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'meshgrid: indexing must be one of "xy" or "ij", but is {indexing!r}')
    for each in given:
        if len(each.shape) > 1:
            raise RuntimeError(
                "meshgrid: Expected 0D or 1D tensor in the tensor list but got shape "
                f"{describe_shape(each.shape)}"
            )
        if dtypes.of(each) is not dtypes.of(given[0]):
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    order = list(range(len(given)))
    if indexing == "xy" and len(given) > 1:
        order[:2] = [1, 0]
    sizes = [product(each.shape) for each in given]
    shape = tuple(sizes[each] for each in order)
    grids = []
    for number, each in enumerate(given):
        alone = tuple(sizes[number] if place == number else 1 for place in order)
        grids.append(expand_row(reshape(each, alone), shape))
    return tuple(grids)


@public(method=False)
def cartesian_prod(*tensors: Any) -> Any:
    """All combinations of one element of each vector, a row for each; ``RuntimeError`` as meshgrid.

    >>> import adjoint as torch
    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    given = checked("cartesian_prod", list(tensors))
    for each in given:
        if len(each.shape) != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {describe_shape(each.shape)}")
    if len(given) == 1:
        return given[0]
    count = product(each.shape[0] for each in given)
    return stack([reshape(grid, (count,)) for grid in meshgrid(*given)], 1)


@public()
def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All selections of ``r`` elements of a vector, in order, a row for each.

    Raises ``RuntimeError`` for a matrix or a negative ``r``.

    >>> import adjoint as torch
    >>> torch.combinations(torch.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if len(input.shape) != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {describe_shape(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    level = input._level if isinstance(input, Tensor) else 0
    if not r:
        return wrap(np.empty(0, dtypes.of(input).numpy), level)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(input.shape[0]), r)), np.int64).reshape(-1, r)
    columns = [
        index_select(input, 0, wrap(np.ascontiguousarray(column), level)) for column in places.T
    ]
    return stack(columns, 1)
