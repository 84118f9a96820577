"""Factors of matrices: Cholesky, QR, eigenvectors of symmetric matrices, singular values.

Sources of the derivatives: I. Murray, "Differentiation of the Cholesky decomposition" (2016); M.
Giles, "Collected matrix derivative results" (2008); and for QR the same way of differentiating
``A = QR``. Where values repeat, factors have no derivative, and infinities and NaNs come out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes, return_types
from adjoint.errors import LinAlgError
from adjoint.ops.casting import cast, conj
from adjoint.ops.complex_parts import real
from adjoint.ops.contraction import matmul_row, require_tensors, swap_last
from adjoint.ops.joining import cat_row
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, batch_loop, batch_same
from adjoint.ops.matrices import check_matrices, check_shape, inv_row, solve_row, stacked
from adjoint.ops.movement import clone_row, reshape_row
from adjoint.ops.slicing import slice_row
from adjoint.ops.strided import diagonal_row
from adjoint.ops.triangles import diag_embed_row, tril_row, triu_row

LINALG = ("linalg",)


def adj(x: Any) -> Any:
    """The conjugate transpose of each matrix."""
    x = swap_last(x)
    return conj(x) if dtypes.of(x).is_complex else x


def _diag(x: Any) -> Any:
    return diagonal_row(x, 0, -2, -1)


def _no_halves(name: str, x: Any) -> None:
    if dtypes.of(x).itemsize < 4:
        raise NotImplementedError(f"{name} is not implemented for {dtypes.of(x)!r}")


# -- Cholesky -------------------------------------------------------------------------------------


def _cholesky(x: Any) -> Any:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "linalg.cholesky: The factorization could not be completed because the input is not "
            "positive-definite"
        ) from None


def _cholesky_vjp(g: Any, out: Any) -> Any:
    inner = matmul_row(adj(out), g)
    inner = tril_row(inner, 0) + adj(tril_row(inner, -1))
    inverse = inv_row(out)
    return matmul_row(adj(inverse), matmul_row(inner, inverse)) * 0.5


def _cholesky_jvp(x_t: Any, out: Any) -> Any:
    inverse = inv_row(out)
    inner = matmul_row(inverse, matmul_row(x_t, adj(inverse)))
    return matmul_row(out, tril_row(inner, 0) + tril_row(adj(inner), -1)) * 0.5


def _like(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return tuple(inputs[0].shape), dtypes.of(inputs[0])


cholesky_row: Any = define(
    "linalg_cholesky_ex", "contraction", _cholesky, x=_cholesky_vjp, jvp=_cholesky_jvp,
    infer=_like, conjugate=False,
    saved="out=L",
)  # fmt: skip


@public(namespaces=LINALG, method=False, out="exact")
def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The lower triangular L of ``A = L @ L.mH`` of positive definite matrices; or its ``mH``.

    Only the lower triangle of A is read; the gradient is that of a symmetric matrix. Raises
    ``linalg.LinAlgError`` for matrices that are not positive definite, ``RuntimeError`` for other
    shapes and types.

    >>> torch.linalg.cholesky(torch.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    check_matrices("linalg.cholesky", A, halves=True)
    _no_halves("linalg.cholesky", A)
    if upper:
        return rename(adj(cholesky_row(adj(A))), "LinalgCholeskyExBackward0")
    return cholesky_row(A)


@public(namespaces=("",), name="cholesky", out="cast")
def top_cholesky(input: Any, upper: bool = False) -> Any:
    """As ``linalg.cholesky``.

    >>> torch.cholesky(torch.tensor([[9.0]]))
    tensor([[3.]])
    """
    shape = check_shape("cholesky", input)
    kind = dtypes.of(input)
    if kind.category < dtypes.FLOATING:
        if 0 in shape:
            return clone_row(input, "C")
        raise NotImplementedError(f"cholesky is not implemented for {kind!r}")
    return rename(cholesky(input, upper=upper), "CholeskyBackward0")


# -- triangular systems ---------------------------------------------------------------------------


TRIANGULAR = "LinalgSolveTriangularBackward0"


def _triangular(a: Any, upper: bool, unit: bool) -> Any:
    a = triu_row(a, 1 if unit else 0) if upper else tril_row(a, -1 if unit else 0)
    if not unit:
        return a
    return a + np.eye(a.shape[-1], dtype=dtypes.of(a).numpy)


@public(namespaces=LINALG, method=False, out="exact")
def solve_triangular(
    A: Any,
    B: Any,
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
) -> Any:
    """The X of ``A @ X = B``, or ``X @ A = B`` with ``left=False``, of one triangle of A.

    With ``unitriangular`` the diagonal counts as ones. Raises ``RuntimeError`` for shapes that do
    not match.

    >>> A = torch.tensor([[2.0, 0.0], [1.0, 1.0]])
    >>> torch.linalg.solve_triangular(A, torch.tensor([[4.0], [5.0]]), upper=False)
    tensor([[2.],
            [3.]])
    """
    name = "linalg.solve_triangular"
    shape = check_matrices(name, A)
    check_matrices(name, B, square=False)
    if B.shape[-2 if left else -1] != shape[-1]:
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation "
            f"{'AX' if left else 'XA'} = B: {list(shape)} and {list(B.shape)}"
        )
    a, b = _triangular(A, upper, unitriangular), cast(B, dtypes.of(A))
    if left:
        return rename(solve_row(*stacked(a, b)), TRIANGULAR)
    return rename(swap_last(solve_row(*stacked(swap_last(a), swap_last(b)))), TRIANGULAR)


# -- QR -------------------------------------------------------------------------------------------


def _qr(x: Any, mode: Any) -> tuple[Any, Any]:
    if mode == "r":
        return np.empty(0, x.dtype), np.linalg.qr(x, "r")
    q, r = np.linalg.qr(x, mode)
    return q, r


def _infer_qr(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> list[Fact]:
    *lead, rows, columns = inputs[0].shape
    inner = rows if options[0] == "complete" else min(rows, columns)
    kind, left = dtypes.of(inputs[0]), (*lead, rows, inner)
    return [(left if options[0] != "r" else (0,), kind), ((*lead, inner, columns), kind)]


def _columns(x: Any, start: int, stop: int) -> Any:
    return slice_row(x, -1, start, stop, 1)


def _qr_vjp(g: Any, q: Any, r: Any, mode: str) -> Any:
    """Matrices wider than high are a square one beside the rest, which Q turns."""
    g_q, g_r = g
    rows, inner, columns = q.shape[-2] if mode != "r" else 0, r.shape[-2], r.shape[-1]
    if mode == "r":
        raise RuntimeError("linalg.qr: mode='r' keeps no Q, which the derivative needs")
    if mode == "complete" and rows > columns:
        raise RuntimeError(
            "linalg.qr: mode='complete' has no derivative for more rows than columns"
        )
    if columns <= inner:
        return _tall_qr_vjp(g_q, g_r, q, r)
    right = None
    if g_r is not None:
        right = matmul_row(q, _columns(g_r, inner, columns))
        turned = matmul_row(q, _columns(r, inner, columns))
        more = matmul_row(turned, adj(_columns(g_r, inner, columns)))
        g_q = more if g_q is None else g_q + more
        g_r = _columns(g_r, 0, inner)
    left = _tall_qr_vjp(g_q, g_r, q, _columns(r, 0, inner))
    if right is None:
        right = zero(_columns(r, inner, columns))
    return cat_row([left, right], -1)


def _tall_qr_vjp(g_q: Any, g_r: Any, q: Any, r: Any) -> Any:
    inner = None if g_r is None else matmul_row(r, adj(g_r))
    if g_q is not None:
        part = matmul_row(adj(g_q), q)
        inner = -part if inner is None else inner - part
    lower = tril_row(inner, -1)
    diagonal = diag_embed_row(_diag(inner), 0, -2, -1)
    if dtypes.of(diagonal).is_complex:
        diagonal = (diagonal + conj(diagonal)) * 0.5
    pulled = matmul_row(q, lower + adj(lower) + diagonal)
    if g_q is not None:
        pulled = g_q + pulled
    return adj(solve_row(r, adj(pulled)))


qr_row: Any = define(
    "linalg_qr", "contraction", _qr, options="mode", outputs="Q R",
    x=lambda g, Q, R, mode: _qr_vjp(g, Q, R, mode),
    infer=_infer_qr, conjugate=False, batch=lambda row, size, values, batched, options: (
        batch_loop if options[0] == "r" else batch_same
    )(row, size, values, batched, options),
)  # fmt: skip


@public(namespaces=LINALG, method=False, name="qr", out="exact")
def linalg_qr(A: Any, mode: str = "reduced") -> Any:
    """``A = Q @ R`` of (..., m, n): Q with orthonormal columns, R upper triangular.

    ``mode`` is "reduced", "complete" (Q is square) or "r" (without Q). Raises ``RuntimeError`` for
    other modes, shapes and types.

    >>> torch.linalg.qr(torch.tensor([[3.0, 1.0], [0.0, 2.0]])).R.abs()
    tensor([[3., 1.],
            [0., 2.]])
    """
    check_matrices("linalg.qr", A, square=False, halves=True)
    _no_halves("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        kind = RuntimeError if isinstance(mode, str) else TypeError
        raise kind(f"linalg.qr: mode is 'reduced', 'complete' or 'r', not {mode!r}")
    return return_types.linalg_qr(*qr_row(A, mode))


@public(out="exact")
def qr(input: Any, some: bool = True) -> Any:
    """As ``linalg.qr``, reduced if ``some`` and complete otherwise.

    >>> torch.qr(torch.tensor([[3.0]])).R.abs()
    tensor([[3.]])
    """
    return return_types.qr(*linalg_qr(input, "reduced" if some else "complete"))


# -- eigenvectors of symmetric matrices -----------------------------------------------------------


def _eigh(x: Any, uplo: Any) -> tuple[Any, Any]:
    values, vectors = np.linalg.eigh(x, uplo)
    return values, vectors


def _infer_eigh(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> list[Fact]:
    shape, kind = tuple(inputs[0].shape), dtypes.of(inputs[0])
    return [(shape[:-1], kind.to_real()), (shape, kind)]


def _gaps(values: Any) -> Any:
    """Differences of all pairs of values, with infinity on the diagonal."""
    shape = tuple(values.shape)
    gaps = reshape_row(values, (*shape[:-1], 1, shape[-1])) - reshape_row(values, (*shape, 1))
    return gaps + np.diag(np.full(shape[-1], np.inf, dtypes.of(values).numpy))


def _eigh_vjp(g: Any, values: Any, vectors: Any) -> Any:
    g_values, g_vectors = g
    inner = None
    if g_vectors is not None:
        inner = matmul_row(adj(vectors), g_vectors) / _gaps(values)
    if g_values is not None:
        part = diag_embed_row(g_values, 0, -2, -1)
        inner = part if inner is None else inner + part
    if inner is None:
        return None
    if dtypes.of(inner) is not dtypes.of(vectors):
        inner = inner + zero(vectors)
    pulled = matmul_row(vectors, matmul_row(inner, adj(vectors)))
    return (pulled + adj(pulled)) * 0.5


def _eigh_jvp(x_t: Any, values: Any, vectors: Any) -> tuple[Any, Any]:
    x_t = (x_t + adj(x_t)) * 0.5
    inner = matmul_row(adj(vectors), matmul_row(x_t, vectors))
    moved = _diag(inner)
    if dtypes.of(moved).is_complex:
        moved = real(moved)
    return moved, matmul_row(vectors, inner / _gaps(values))


eigh_row: Any = define(
    "linalg_eigh", "contraction", _eigh, options="uplo", outputs="eigenvalues eigenvectors",
    x=lambda g, eigenvalues, eigenvectors: _eigh_vjp(g, eigenvalues, eigenvectors),
    jvp=lambda x_t, eigenvalues, eigenvectors: _eigh_jvp(x_t, eigenvalues, eigenvectors),
    infer=_infer_eigh, conjugate=False,
)  # fmt: skip


def _check_eigh(name: str, x: Any, uplo: Any) -> str:
    require_tensors(name, x)
    kind = dtypes.of(x)
    if kind.category < dtypes.FLOATING:
        raise NotImplementedError(f"{name} is not implemented for {kind!r}")
    check_matrices(name, x, halves=True)
    _no_halves(name, x)
    if not isinstance(uplo, str) or uplo.upper() not in ("L", "U"):
        raise RuntimeError(f"{name}: UPLO is 'L' or 'U', the triangle to read, not {uplo!r}")
    return uplo.upper()


@public(namespaces=LINALG, method=False, out="exact")
def eigh(A: Any, UPLO: str = "L") -> Any:
    """Eigenvalues, in ascending order, and eigenvectors (columns) of symmetric matrices.

    ``UPLO`` is the triangle that is read. Vectors have a sign that is arbitrary, and derivatives
    only where values do not repeat. Raises ``RuntimeError`` for other shapes.

    >>> torch.linalg.eigh(torch.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    return return_types.linalg_eigh(*eigh_row(A, _check_eigh("linalg.eigh", A, UPLO)))


@public(namespaces=LINALG, method=False, out="exact")
def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of symmetric matrices, in ascending order; errors as ``linalg.eigh``.

    >>> torch.linalg.eigvalsh(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    return eigh_row(A, _check_eigh("linalg.eigh", A, UPLO))[0]


# -- singular values ------------------------------------------------------------------------------


def _svd(x: Any, full: Any) -> tuple[Any, Any, Any]:
    u, s, vh = np.linalg.svd(x, full)
    return u, s, vh


def _infer_svd(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> list[Fact]:
    *lead, rows, columns = inputs[0].shape
    inner, kind = min(rows, columns), dtypes.of(inputs[0])
    left, right = (rows, columns) if options[0] else (inner, inner)
    return [
        ((*lead, rows, left), kind),
        ((*lead, inner), kind.to_real()),
        ((*lead, right, columns), kind),
    ]


def _skew(x: Any) -> Any:
    return x - adj(x)


def _svd_vjp(g: Any, u: Any, s: Any, vh: Any, full: bool) -> Any:
    g_u, g_s, g_vh = g
    size = s.shape[-1]
    if full:
        u, vh = _columns(u, 0, size), slice_row(vh, -2, 0, size, 1)
        g_u = None if g_u is None else _columns(g_u, 0, size)
        g_vh = None if g_vh is None else slice_row(g_vh, -2, 0, size, 1)
    widths = reshape_row(s, (*s.shape[:-1], 1, size))
    heights = reshape_row(s, (*s.shape, 1))
    gaps = _gaps(s * s)
    inner = None if g_s is None else diag_embed_row(g_s, 0, -2, -1)
    if g_u is not None:
        turn = _skew(matmul_row(adj(u), g_u))
        part = turn / gaps * widths
        if dtypes.of(u).is_complex:
            part = part + diag_embed_row(_diag(turn) / (s * 2), 0, -2, -1)
        inner = part if inner is None else inner + part
    if g_vh is not None:
        part = heights * (_skew(matmul_row(vh, adj(g_vh))) / gaps)
        inner = part if inner is None else inner + part
    if dtypes.of(inner) is not dtypes.of(u):
        inner = inner + zero(matmul_row(adj(u), u))
    pulled = matmul_row(u, matmul_row(inner, vh))
    if g_u is not None and u.shape[-2] > size:
        outside = g_u - matmul_row(u, matmul_row(adj(u), g_u))
        pulled = pulled + matmul_row(outside / widths, vh)
    if g_vh is not None and vh.shape[-1] > size:
        outside = g_vh - matmul_row(matmul_row(g_vh, adj(vh)), vh)
        pulled = pulled + matmul_row(u, outside / heights)
    return pulled


svd_row: Any = define(
    "linalg_svd", "contraction", _svd, options="full", outputs="U S Vh",
    x=lambda g, U, S, Vh, full: _svd_vjp(g, U, S, Vh, full),
    infer=_infer_svd, conjugate=False,
    saved="full=full_matrices",
)  # fmt: skip


def _check_svd(x: Any) -> None:
    check_matrices("linalg.svd", x, square=False, halves=True)
    _no_halves("linalg.svd", x)


@public(namespaces=LINALG, method=False, name="svd", out="exact")
def linalg_svd(A: Any, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """``A = U @ diag(S) @ Vh``: orthonormal columns, singular values in descending order, rows.

    ``full_matrices`` makes U and Vh square. Vectors have a sign that is arbitrary, and derivatives
    only where values do not repeat. Raises ``RuntimeError`` for other shapes and types.

    >>> torch.linalg.svd(torch.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    _check_svd(A)
    if driver is not None:
        raise RuntimeError("linalg.svd: the driver is for accelerators, and there is none")
    return return_types.linalg_svd(*svd_row(A, bool(full_matrices)))


@public(namespaces=LINALG, method=False, out="exact")
def svdvals(A: Any, *, driver: str | None = None) -> Any:
    """Singular values of each matrix, in descending order; errors as ``linalg.svd``.

    >>> torch.linalg.svdvals(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    _check_svd(A)
    return svd_row(A, False)[1]


@public(out="exact")
def svd(input: Any, some: bool = True, compute_uv: bool = True) -> Any:
    """``input = U @ diag(S) @ V.mH``; as ``linalg.svd``, with V in the place of Vh.

    Without ``compute_uv``, U and V are zeros.

    >>> torch.svd(torch.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    _check_svd(input)
    u, s, vh = svd_row(input, not some if compute_uv else True)
    if not compute_uv:
        u, vh = zero(u), zero(vh)
    v = rename(adj(vh), "TransposeBackward0")
    return return_types.svd(u, s, v)
