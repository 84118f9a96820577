"""Triangles of matrices, matrices with a given diagonal, and the sum of the diagonal."""

from __future__ import annotations

from operator import index as as_index
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.movement import expand_row, reshape, reshape_row
from adjoint.ops.strided import diagonal_backward, diagonal_copy_row, diagonal_row
from adjoint.shapes import normalise_dim, product

# -- triangles ----------------------------------------------------------------------------------

tril_row = define(
    "tril", "movement", np.tril, options="diagonal", x=lambda g, diagonal: tril_row(g, diagonal),
    jvp="linear", low_precision=False, conjugate=False,
)  # fmt: skip
triu_row = define(
    "triu", "movement", np.triu, options="diagonal", x=lambda g, diagonal: triu_row(g, diagonal),
    jvp="linear", low_precision=False, conjugate=False,
)  # fmt: skip


def _matrices(name: str, input: Any) -> None:
    if len(input.shape) < 2:
        raise RuntimeError(
            f"{name}: input tensor must have at least 2 dimensions, but its shape is "
            f"{describe_shape(input.shape)}"
        )


@public(in_place=True, out="exact")
def tril(input: Any, diagonal: int = 0) -> Any:
    """Matrices with zeros above a diagonal (0 the main one, 1 the next above it).

    Raises ``RuntimeError`` below 2 dimensions.

    >>> import adjoint as torch
    >>> torch.tril(torch.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    _matrices("tril", input)
    return tril_row(input, as_index(diagonal))


@public(in_place=True, out="exact")
def triu(input: Any, diagonal: int = 0) -> Any:
    """Matrices with zeros below a diagonal (0 the main one, 1 the next above it).

    Raises ``RuntimeError`` below 2 dimensions.

    >>> import adjoint as torch
    >>> torch.triu(torch.ones(2, 2))
    tensor([[1., 1.],
            [0., 1.]])
    """
    _matrices("triu", input)
    return triu_row(input, as_index(diagonal))


# -- from diagonals -----------------------------------------------------------------------------


def _diag_embed(x: Any, offset: int, dim1: int, dim2: int) -> Any:
    size = x.shape[-1] + abs(offset)
    rank = x.ndim + 1
    lead = iter(x.shape[:-1])
    shape = [size if dim in (dim1, dim2) else next(lead) for dim in range(-rank, 0)]
    out = np.zeros(shape, x.dtype)
    diagonal_row(out, offset, dim1, dim2)[...] = x
    return out


diag_embed_row = define(
    "diag_embed", "movement", _diag_embed, options="offset dim1 dim2",
    x=lambda g, offset, dim1, dim2: diagonal_row(g, offset, dim1, dim2),
    jvp="linear", low_precision=False, conjugate=False,
)  # fmt: skip


@public()
def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices, in ``dim1`` and ``dim2``, with the last dimension of ``input`` on a diagonal.

    Raises ``IndexError`` for a dim out of range, ``RuntimeError`` for two that are the same.

    >>> import adjoint as torch
    >>> torch.diag_embed(torch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    rank = len(input.shape) + 1
    first, second = normalise_dim(dim1, rank), normalise_dim(dim2, rank)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return diag_embed_row(input, as_index(offset), first, second)


@public(out="exact")
def diag(input: Any, diagonal: int = 0) -> Any:
    """The diagonal of a matrix, copied, or the matrix with a vector on its diagonal.

    Raises ``RuntimeError`` for other numbers of dimensions.

    >>> import adjoint as torch
    >>> torch.diag(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    rank = len(input.shape)
    if rank == 1:
        return diag_embed_row(input, as_index(diagonal), -2, -1)
    if rank == 2:
        return diagonal_copy_row(input, as_index(diagonal), -2, -1)
    raise RuntimeError(
        f"diag(): Supports 1D or 2D tensors. Got shape {describe_shape(input.shape)}"
    )


@public()
def diagflat(input: Any, offset: int = 0) -> Any:
    """A matrix with all elements of ``input`` on a diagonal.

    >>> import adjoint as torch
    >>> torch.diagflat(torch.tensor([1, 2]), 1)
    tensor([[0, 1, 0],
            [0, 0, 2],
            [0, 0, 0]])
    """
    flat = reshape(input, (product(input.shape),))
    return diag_embed_row(flat, as_index(offset), -2, -1)


# -- trace --------------------------------------------------------------------------------------


def _trace(x: Any) -> Any:
    kind = np.int64 if x.dtype.kind in "iu" else x.dtype
    return x.trace(axis1=-2, axis2=-1, dtype=kind)


def _trace_backward(g: Any, shape: tuple[int, ...]) -> Any:
    lead = tuple(g.shape)
    each = expand_row(reshape_row(g, (*lead, 1)), (*lead, min(shape[-2:])))
    return diagonal_backward(each, shape, 0, -2, -1)


trace_row = define(
    "trace", "reduction", lambda x: np.asarray(_trace(x)),
    x=lambda g, x_shape: _trace_backward(g, x_shape), jvp="linear",
)  # fmt: skip


@public()
def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix; integers add up in int64.

    Raises ``RuntimeError`` unless there are 2 dimensions, ``NotImplementedError`` for booleans.

    >>> import adjoint as torch
    >>> torch.trace(torch.tensor([[1, 2], [3, 4]]))
    tensor(5)
    """
    if len(input.shape) != 2:
        raise RuntimeError(
            f"trace: expected a matrix, but got a tensor of shape {describe_shape(input.shape)}"
        )
    if dtypes.of(input) is dtypes.bool_:
        raise NotImplementedError("trace is not implemented for booleans; use .int() first")
    return trace_row(input)
