"""Norms and condition of matrices, pseudo-inverses, ranks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import LinAlgError
from adjoint.ops.complex_parts import abs as absolute
from adjoint.ops.contraction import matmul_row, require_tensors
from adjoint.ops.extremes import amax_row, amin_row
from adjoint.ops.factors import adj, svd_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.matrices import check_matrices, inv_row
from adjoint.ops.movement import permute_row, reshape_row
from adjoint.ops.norms import vector_norm, vector_norm_row
from adjoint.ops.nuclear import nuclear_norm
from adjoint.ops.reduction import sum_row
from adjoint.shapes import normalise_dim
from adjoint.tape.engine import rows
from adjoint.tape.tensor import Tensor

LINALG = ("linalg",)
ORDERS = (1, -1, 2, -2, math.inf, -math.inf)

# -- norms ----------------------------------------------------------------------------------------


def _two_dims(name: str, dim: Any, rank: int) -> tuple[int, int]:
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {dim}")
    first, second = (normalise_dim(each, rank) for each in dim)
    if first == second:
        raise RuntimeError(f"{name}: dims must be different. Got {tuple(dim)}")
    return first, second


def _in_kind(x: Any, dtype: dtypes.dtype | None) -> Any:
    return x if dtype is None or dtypes.of(x) is dtype else rows.to_dtype(x, dtype)


def _of_singular_values(x: Any, order: Any, first: int, second: int, keepdim: bool) -> Any:
    rank = len(x.shape)
    others = [each for each in range(-rank, 0) if each not in (first, second)]
    moved = permute_row(x, (*others, first, second))
    values = svd_row(moved, False)[1]
    found = _extreme(values, -1, False, order > 0)
    if not keepdim:
        return found
    shape = [1 if each in (first, second) else x.shape[each] for each in range(-rank, 0)]
    return rename(reshape_row(found, tuple(shape)), "PermuteBackward0")


def _extreme(values: Any, dim: int, keepdim: bool, greatest: bool) -> Any:
    """The greatest along ``dim``, 0 of none, or the smallest, of which there must be one."""
    if values.shape[dim]:
        return (amax_row if greatest else amin_row)(values, (dim,), keepdim)
    if not greatest:
        raise IndexError(f"amin(): Expected reduction dim {dim} to have non-zero size.")
    return sum_row(values, (dim,), keepdim)


def _matrix_norm(
    name: str, x: Any, order: Any, dim: Any, keepdim: bool, dtype: dtypes.dtype | None
) -> Any:
    check_matrices(name, x, square=False, halves=True)
    rank = len(x.shape)
    first, second = _two_dims(name, dim, rank)
    if not (order in ("fro", "nuc") if isinstance(order, str) else order in ORDERS):
        kind = RuntimeError if isinstance(order, (str, int, float)) else TypeError
        raise kind(f"{name}: Order {order} not supported.")
    x = _in_kind(x, dtype)
    if order == "fro":
        return vector_norm_row(x, 2.0, (first, second), keepdim)
    if order == "nuc" or abs(order) == 2:
        check_matrices(name, x, square=False)
        if order == "nuc":
            return nuclear_norm(x, (first, second), keepdim)
        return _of_singular_values(x, order, first, second, keepdim)
    if math.isinf(order):
        first, second = second, first
    sums = sum_row(absolute(x), (first,), keepdim)
    if first > second and not keepdim:
        second += 1  # which counts from the end, where a dimension less is now
    return _extreme(sums, second, keepdim, order > 0)


@public(namespaces=LINALG, method=False, out="exact")
def matrix_norm(
    A: Any,
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: dtypes.dtype | None = None,
) -> Any:
    """The norm of each matrix in the dimensions ``dim``.

    ``ord`` is "fro" (of all elements), "nuc" (the sum of singular values), 2 and -2 (the greatest
    and the least of them), 1 and -1 (of the columns' sums of sizes), ``inf`` and ``-inf`` (of the
    rows'). Raises ``RuntimeError`` for other orders, shapes and types.

    >>> torch.linalg.matrix_norm(torch.tensor([[3.0, 0.0], [0.0, 4.0]]), "nuc")
    tensor(7.)
    """
    return _matrix_norm("linalg.matrix_norm", A, ord, dim, keepdim, dtype)


@public(namespaces=LINALG, method=False, name="norm", out="exact")
def linalg_norm(
    A: Any,
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: dtypes.dtype | None = None,
) -> Any:
    """``linalg.vector_norm``, or ``linalg.matrix_norm`` where two dims or a matrix ask for it.

    Without ``ord`` the norm of all elements. Raises ``RuntimeError`` as those, and for an ``ord``
    without ``dim`` of more than two dimensions.

    >>> torch.linalg.norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    name = "linalg.norm"
    require_tensors(name, A)
    rank = len(A.shape)
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None and rank not in (1, 2):
        raise RuntimeError(
            f"{name}: If dim is not specified but ord is, the input must be 1D or 2D. Got {rank}D."
        )
    if isinstance(ord, str) or (dim is None and rank == 2):
        return _matrix_norm("linalg.matrix_norm", A, ord, (-2, -1) if dim is None else dim,
                            keepdim, dtype)  # fmt: skip
    if isinstance(dim, (tuple, list)) and len(dim) == 2:
        return _matrix_norm("linalg.matrix_norm", A, ord, dim, keepdim, dtype)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


# -- condition ------------------------------------------------------------------------------------


@public(namespaces=LINALG, method=False, out="cast")
def cond(A: Any, p: Any = None) -> Any:
    """The norm of each matrix times that of its inverse: 2 by default, the singular values' ratio.

    Infinite for singular matrices. Raises ``RuntimeError`` for other orders, shapes and types.

    >>> torch.linalg.cond(torch.tensor([[4.0, 0.0], [0.0, 2.0]]))
    tensor(2.)
    """
    name = "linalg.cond"
    check_matrices(name, A, square=p not in (None, 2, -2))
    if p in (None, 2, -2):
        values = svd_row(A, False)[1]
        if not values.shape[-1]:
            return sum_row(values, (-1,), False)
        high, low = amax_row(values, (-1,), False), amin_row(values, (-1,), False)
        return rename(low / high if p == -2 else high / low, "SqueezeBackward1")
    own = _matrix_norm(name, A, p, (-2, -1), False, None)
    try:
        inverse = inv_row(A)
    except LinAlgError:
        return own * math.inf
    found = own * _matrix_norm(name, inverse, p, (-2, -1), False, None)
    return rename(found, "NanToNumBackward0")


# -- pseudo-inverses and ranks --------------------------------------------------------------------


def _limits(x: Any, values: Any, atol: Any, rtol: Any) -> Any:
    """Below what singular values count as 0."""
    if rtol is None:
        rtol = 0.0 if atol is not None else float(np.finfo(values.dtype).eps) * max(x.shape[-2:])
    sizes = np.abs(values).max(-1, keepdims=True)
    return np.maximum(sizes * _plain(rtol), _plain(0.0 if atol is None else atol))


def _plain(limit: Any) -> Any:
    """A number, or one for each matrix, as an array that meets their values."""
    array = limit._array if isinstance(limit, Tensor) else limit
    return array[..., None] if isinstance(array, np.ndarray) else array


def _rank(x: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    values = np.linalg.eigvalsh(x) if hermitian else np.linalg.svd(x, compute_uv=False)
    if not values.shape[-1]:
        return np.zeros(x.shape[:-2], np.int64)
    kept = np.abs(values) > _limits(x, values, atol, rtol)
    return np.asarray(np.count_nonzero(kept, -1), np.int64)


matrix_rank_row: Any = define(
    "matrix_rank", "contraction", _rank, options="atol rtol hermitian",
    infer=lambda row, inputs, options: (tuple(inputs[0].shape[:-2]), dtypes.int64),
)  # fmt: skip


def _pinv(x: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    if hermitian:
        values, left = np.linalg.eigh(x)
        right = left.swapaxes(-1, -2).conj()
    else:
        left, values, right = np.linalg.svd(x, False)
    kept = np.abs(values) > _limits(x, values, atol, rtol)
    inverted = np.where(kept, 1 / np.where(kept, values, 1), 0).astype(values.dtype)
    scaled = right.swapaxes(-1, -2).conj() * inverted[..., None, :]
    return np.matmul(scaled, left.swapaxes(-1, -2).conj())


def _complement(x: Any, y: Any) -> Any:
    """The identity less a product."""
    return np.eye(x.shape[-2], dtype=dtypes.of(x).numpy) - matmul_row(x, y)


def _pinv_vjp(g: Any, x: Any, out: Any) -> Any:
    turned = adj(g)
    left = matmul_row(_complement(x, out), matmul_row(turned, matmul_row(out, adj(out))))
    right = matmul_row(matmul_row(adj(out), matmul_row(out, turned)), _complement(out, x))
    return left + right - matmul_row(adj(out), matmul_row(g, adj(out)))


def _pinv_jvp(x_t: Any, x: Any, out: Any) -> Any:
    turned = adj(x_t)
    left = matmul_row(matmul_row(out, matmul_row(adj(out), turned)), _complement(x, out))
    right = matmul_row(_complement(out, x), matmul_row(turned, matmul_row(adj(out), out)))
    return left + right - matmul_row(out, matmul_row(x_t, out))


# Source: G. Golub and V. Pereyra, "The differentiation of pseudo-inverses" (1973).
pinv_row: Any = define(
    "linalg_pinv", "contraction", _pinv, options="atol rtol hermitian", x=_pinv_vjp, jvp=_pinv_jvp,
    infer=lambda row, inputs, options: (
        (*inputs[0].shape[:-2], inputs[0].shape[-1], inputs[0].shape[-2]), dtypes.of(inputs[0])
    ),
    conjugate=False,
)  # fmt: skip


@public(namespaces=LINALG, method=False, out="cast")
def pinv(
    A: Any,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Any:
    """The pseudo-inverse of each matrix (..., m, n): (..., n, m).

    Singular values of at most ``atol`` or ``rtol`` times the greatest count as zero. Raises
    ``RuntimeError`` for other shapes and types.

    >>> torch.linalg.pinv(torch.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    check_matrices("linalg.pinv", A, square=hermitian)
    shape = tuple(A.shape)
    if 0 in shape:
        out = reshape_row(A, (*shape[:-2], shape[-1], shape[-2]))
        return rename(out, "LinalgPinvBackward0")
    return pinv_row(A, atol, rcond if rtol is None else rtol, bool(hermitian))


@public()
def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """As ``linalg.pinv``.

    >>> torch.pinverse(torch.tensor([[2.0]]))
    tensor([[0.5000]])
    """
    return pinv(input, rcond)


@public(namespaces=LINALG, method=False, out="cast")
def matrix_rank(
    A: Any,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Any:
    """How many singular values of each matrix are more than zero, as ``linalg.pinv`` counts.

    Raises ``RuntimeError`` for other shapes and types.

    >>> torch.linalg.matrix_rank(torch.ones(2, 2))
    tensor(1)
    """
    check_matrices("linalg.matrix_rank", A, square=hermitian)
    if tol is not None:
        atol, rtol = tol, 0.0
    return matrix_rank_row(A, atol, rtol, bool(hermitian))
