"""Tensors out of nothing: zeros, ones, one number throughout, identities, indices of triangles."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from adjoint import dtypes
from adjoint.devices import Placement
from adjoint.ops.kinds.public import public
from adjoint.ops.making import allocate, finish, read_int, read_shape, read_size, type_for
from adjoint.ops.scalars import cast_number, read_number


@public(method=False)
def zeros(
    *sizes: Any,
    size: Any = None,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """Zeros of a shape, given as ``zeros(2, 3)`` or ``zeros((2, 3))``.

    Raises ``TypeError`` for sizes that are no ints and ``RuntimeError`` for negative ones.

    >>> torch.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    shape = read_size("zeros", sizes, size)
    array = allocate(np.zeros, shape, type_for("zeros", dtype, out), "zeros")
    return finish("zeros", array, out=out, requires_grad=requires_grad, placement=placement)


@public(method=False)
def ones(
    *sizes: Any,
    size: Any = None,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """Ones of a shape. Raises ``TypeError`` for no ints and ``RuntimeError`` for negative sizes.

    >>> torch.ones(2, dtype=torch.int64)
    tensor([1, 1])
    """
    shape = read_size("ones", sizes, size)
    array = allocate(np.ones, shape, type_for("ones", dtype, out), "ones")
    return finish("ones", array, out=out, requires_grad=requires_grad, placement=placement)


@public(method=False)
def empty(
    *sizes: Any,
    size: Any = None,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    **placement: Unpack[Placement],
) -> Any:
    """A tensor of a shape whose numbers are whatever memory held.

    Raises ``TypeError`` for sizes that are no ints and ``RuntimeError`` for negative ones.

    >>> torch.empty(2, 3).shape
    torch.Size([2, 3])
    """
    shape = read_size("empty", sizes, size)
    array = allocate(np.empty, shape, type_for("empty", dtype, out), "empty")
    return finish("empty", array, out=out, requires_grad=requires_grad, placement=placement)


@public(method=False)
def full(
    size: Any,
    fill_value: Any,
    *,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """One number throughout, of the type that the number has unless ``dtype`` is given.

    ``size`` is a tuple. Raises ``TypeError`` for what is no number, ``RuntimeError`` for one
    beyond the type.

    >>> torch.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """
    shape = read_shape("full", size)
    number = read_number("full", "fill_value", fill_value)
    kind = type_for("full", dtype, out, dtypes.of_number(number))
    value = cast_number(number, kind, "full")
    array = allocate(
        lambda shape, numpy_type: np.full(shape, value, numpy_type), shape, kind, "full"
    )
    return finish("full", array, out=out, requires_grad=requires_grad, placement=placement)


@public(method=False)
def eye(
    n: int,
    m: int | None = None,
    *,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    requires_grad: bool = False,
    **placement: Unpack[Placement],
) -> Any:
    """A matrix of ``n`` rows and ``m`` columns (``n`` if not given) with ones on its diagonal.

    Raises ``TypeError`` for sizes that are no ints and ``RuntimeError`` for negative ones.

    >>> torch.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    rows = read_int("eye", "n", n)
    columns = rows if m is None else read_int("eye", "m", m)
    if rows < 0 or columns < 0:
        raise RuntimeError(f"eye: sizes are not negative, but got n={rows} and m={columns}")
    kind = type_for("eye", dtype, out)
    array = allocate(np.zeros, (rows, columns), kind, "eye")
    np.fill_diagonal(array[:columns], 1)  # NumPy starts a new diagonal below a tall matrix's end
    return finish("eye", array, out=out, requires_grad=requires_grad, placement=placement)


def _triangle(caller: str, dtype: Any, starts: Any, ends: Any, placement: Placement) -> Any:
    """Row and column numbers of the elements from ``starts`` to ``ends`` of each row."""
    kind = dtypes.as_dtype(dtype, caller)
    if kind is not dtypes.int32 and kind is not dtypes.int64:
        raise NotImplementedError(f"{caller}: indices are int64 or int32, not {kind!r}")
    lengths = np.maximum(ends - starts, 0)
    total = int(lengths.sum())
    array = np.empty((2, total), kind.numpy)
    array[0] = np.repeat(np.arange(len(lengths)), lengths)
    before = np.cumsum(lengths) - lengths
    array[1] = np.arange(total) + np.repeat(starts - before, lengths)
    return finish(caller, array, placement=placement)


def _check_matrix(caller: str, row: Any, col: Any, offset: Any) -> tuple[int, int, int]:
    sizes = (
        read_int(caller, "row", row), read_int(caller, "col", col),
        read_int(caller, "offset", offset),
    )  # fmt: skip
    if sizes[0] < 0 or sizes[1] < 0:
        raise RuntimeError(f"{caller}: sizes are not negative, but got row={row} and col={col}")
    return sizes


@public(method=False)
def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: dtypes.dtype = dtypes.int64,
    **placement: Unpack[Placement],
) -> Any:
    """Where the lower triangle of a (row, col) matrix is: shape (2, elements), row by row.

    ``offset`` moves the last diagonal up. Raises ``RuntimeError`` for negative sizes and
    ``NotImplementedError`` for types other than int64 and int32.

    >>> torch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    rows, columns, above = _check_matrix("tril_indices", row, col, offset)
    ends = np.clip(np.arange(rows) + above + 1, 0, columns)
    return _triangle("tril_indices", dtype, np.zeros_like(ends), ends, placement)


@public(method=False)
def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: dtypes.dtype = dtypes.int64,
    **placement: Unpack[Placement],
) -> Any:
    """Where the upper triangle of a (row, col) matrix is: shape (2, elements), row by row.

    ``offset`` moves the first diagonal up. Raises ``RuntimeError`` for negative sizes and
    ``NotImplementedError`` for types other than int64 and int32.

    >>> torch.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    rows, columns, above = _check_matrix("triu_indices", row, col, offset)
    starts = np.clip(np.arange(rows) + above, 0, columns)
    return _triangle("triu_indices", dtype, starts, np.full_like(starts, columns), placement)
