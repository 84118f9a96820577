"""Square matrices: inverses, systems of equations, determinants, powers.

All take stacks of matrices, and raise ``RuntimeError`` for matrices that are not square, for
integers and for half types; ``linalg.LinAlgError`` where a matrix is singular.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes, return_types
from adjoint.errors import LinAlgError, describe_shape
from adjoint.ops.casting import conj
from adjoint.ops.complex_parts import imag, real
from adjoint.ops.contraction import matmul, matmul_row, require_tensors, swap_last
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.movement import clone_row, expand_row, reshape_row
from adjoint.ops.reducing import shape_of
from adjoint.ops.reduction import sum_row
from adjoint.ops.selection import where_row
from adjoint.ops.transcendental import log
from adjoint.shapes import broadcast_shapes, product

BOTH = ("linalg", "")
LINALG = ("linalg",)
DETERMINED = "a row or column may be a combination of others"

# -- checks ---------------------------------------------------------------------------------------


def check_shape(name: str, x: Any, square: bool = True) -> tuple[int, ...]:
    """The shape of a stack of matrices; ``RuntimeError`` for other shapes."""
    require_tensors(name, x)
    shape = tuple(shape_of(name, x))
    if len(shape) < 2:
        raise RuntimeError(
            f"{name}: The input tensor A must have at least 2 dimensions, but its shape is "
            f"{describe_shape(shape)}"
        )
    if square and shape[-1] != shape[-2]:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {shape[-2]} by "
            f"{shape[-1]} matrices"
        )
    return shape


def check_matrices(name: str, x: Any, square: bool = True, halves: bool = False) -> tuple[int, ...]:
    """``check_shape``, and ``RuntimeError`` for integers, and half types unless ``halves``."""
    shape, kind = check_shape(name, x, square), dtypes.of(x)
    if kind.category < dtypes.FLOATING:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor, not {kind!r}")
    if kind.itemsize < 4 and not halves:
        raise RuntimeError(f"{name}: Low precision dtypes not supported, but got {kind!r}")
    return shape


def each_column(g: Any) -> Any:
    """A number for each matrix, ready to multiply with matrices."""
    return reshape_row(g, (*g.shape, 1, 1)) if hasattr(g, "shape") else g


def _facts_like(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return tuple(inputs[0].shape), dtypes.of(inputs[0])


# -- inverses -------------------------------------------------------------------------------------


def _inverse(x: Any) -> Any:
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        raise LinAlgError(f"linalg.inv: the matrix is singular: {DETERMINED}") from None


inv_row: Any = define(
    "linalg_inv_ex", "contraction", _inverse, infer=_facts_like,
    x=lambda g, out: -matmul_row(swap_last(out), matmul_row(g, swap_last(out))),
    jvp=lambda x_t, out: -matmul_row(out, matmul_row(x_t, out)),
    saved="out=inverse",
)  # fmt: skip


@public(namespaces=LINALG, method=False, out="exact")
def inv(A: Any) -> Any:
    """The inverse of each matrix (..., n, n).

    Raises ``linalg.LinAlgError`` where one has none, ``RuntimeError`` for other shapes and types.

    >>> torch.linalg.inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    check_matrices("linalg.inv", A)
    return inv_row(A)


@public(out="exact")
def inverse(input: Any) -> Any:
    """As ``linalg.inv``.

    >>> torch.inverse(torch.tensor([[4.0]]))
    tensor([[0.2500]])
    """
    check_matrices("inverse", input)
    return inv_row(input)


# -- systems of equations -------------------------------------------------------------------------


def _solution(a: Any, b: Any) -> Any:
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise LinAlgError(f"linalg.solve: the matrix is singular: {DETERMINED}") from None


def _solve_vjp(g: Any, needs: Any, a: Any, out: Any) -> tuple[Any, Any]:
    back = solve_row(swap_last(a), g)
    return (-matmul_row(back, swap_last(out)) if needs[0] else None), back


solve_row: Any = define(
    "linalg_solve_ex", "contraction", _solution, inputs="a b", vjp=_solve_vjp,
    jvp=lambda a_t, b_t, a, out: solve_row(a, b_t - matmul_row(a_t, out)),
    infer=lambda row, inputs, options: (tuple(inputs[1].shape), dtypes.of(inputs[1])),
    saved="a=A",
)  # fmt: skip


def stacked(a: Any, b: Any) -> tuple[Any, Any]:
    """Two stacks of matrices with the same dimensions in front."""
    lead = broadcast_shapes(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    shapes = [(*lead, *each.shape[-2:]) for each in (a, b)]
    a, b = (
        each if tuple(each.shape) == shape else expand_row(each, shape)
        for each, shape in zip((a, b), shapes, strict=True)
    )
    return a, b


@public(namespaces=LINALG, method=False, out="exact")
def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The X of ``A @ X = B``, or of ``X @ A = B`` with ``left=False``; B is matrices or vectors.

    Raises ``linalg.LinAlgError`` where a matrix is singular, ``RuntimeError`` for shapes that do
    not match and for two types.

    >>> A = torch.tensor([[2.0, 0.0], [0.0, 4.0]])
    >>> torch.linalg.solve(A, torch.tensor([1.0, 2.0]))
    tensor([0.5000, 0.5000])
    """
    name = "linalg.solve"
    shape = check_matrices(name, A, halves=0 in getattr(A, "shape", ()))
    require_tensors(name, B)
    if dtypes.of(A) is not dtypes.of(B):
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type "
            f"{dtypes.of(A)!r} and B of type {dtypes.of(B)!r}"
        )
    given = tuple(B.shape)
    vector = len(given) == 1 or (len(shape) - 1 == len(given) and given == shape[:-1])
    b = reshape_row(B, (*given, 1)) if vector else B
    if (b.shape[-2] if left else b.shape[-1]) != shape[-1]:
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation "
            f"{'AX' if left else 'XA'} = B: {describe_shape(shape)} and {describe_shape(given)}"
        )
    a = A
    if not left:
        a, b = swap_last(a), swap_last(b)
    out = solve_row(*stacked(a, b))
    if vector:
        return rename(reshape_row(out, tuple(out.shape[:-1])), "LinalgSolveExBackward0")
    return out if left else rename(swap_last(out), "LinalgSolveExBackward0")


# -- determinants ---------------------------------------------------------------------------------


def _cofactors(x: Any, out: Any) -> Any:
    """The derivative of the determinant; of singular matrices too where they are plain memory."""
    if type(x) is np.ndarray and type(out) is np.ndarray:
        try:
            return np.linalg.inv(x).swapaxes(-1, -2) * out[..., None, None]
        except np.linalg.LinAlgError:
            return _cofactors_of_singular(x)
    return swap_last(inv_row(x)) * each_column(out)


def _cofactors_of_singular(x: Any) -> Any:
    """Through the singular values: each times the product of the others."""
    u, s, vh = np.linalg.svd(x)
    size = s.shape[-1]
    others = np.ones((*s.shape, size), s.dtype)
    others[...] = s[..., None, :]
    others[..., range(size), range(size)] = 1
    turned = np.linalg.det(u) * np.linalg.det(vh)
    found: Any = np.matmul(u.conj() * others.prod(-1)[..., None, :], vh.conj())
    return found * turned[..., None, None]


det_row: Any = define(
    "linalg_det", "contraction", np.linalg.det,
    x=lambda g, x, out: each_column(g) * _cofactors(x, out),
    jvp=lambda x_t, x, out: sum_row(_cofactors(x, out) * x_t, (-2, -1), False),
    infer=lambda row, inputs, options: (tuple(inputs[0].shape[:-2]), dtypes.of(inputs[0])),
    saved="x=A",
)  # fmt: skip


def _slogdet_vjp(g: Any, x: Any, sign: Any) -> Any:
    """Of the logarithm, the inverse; the sign of complex matrices turns with the imaginary part."""
    part = g[1]
    if dtypes.of(x).is_complex and g[0] is not None:
        turn = imag(conj(g[0]) * sign) * -1j
        part = turn if part is None else turn + part
    elif part is None:
        return None
    return conj(swap_last(inv_row(x))) * each_column(part)


def _slogdet_jvp(x_t: Any, x: Any, sign: Any) -> tuple[Any, Any]:
    moved = sum_row(swap_last(inv_row(x)) * x_t, (-2, -1), False)
    if not dtypes.of(x).is_complex:
        return sign * 0, moved
    return sign * (imag(moved) * 1j), real(moved)


def _infer_slogdet(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> list[Fact]:
    shape, kind = tuple(inputs[0].shape[:-2]), dtypes.of(inputs[0])
    return [(shape, kind), (shape, kind.to_real())]


slogdet_row: Any = define(
    "linalg_slogdet", "contraction", lambda x: tuple(map(np.asarray, np.linalg.slogdet(x))),
    outputs="sign logabsdet", x=_slogdet_vjp, jvp=_slogdet_jvp, infer=_infer_slogdet,
    conjugate=False,
    saved="x=A",
)  # fmt: skip


@public(namespaces=LINALG, method=False, name="det", out="exact")
def linalg_det(A: Any) -> Any:
    """The determinant of each matrix (..., n, n).

    Raises ``RuntimeError`` for other shapes, and for integers.

    >>> torch.linalg.det(torch.tensor([[2.0, 1.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return _det("linalg.det", A)


@public()
def det(input: Any) -> Any:
    """As ``linalg.det``.

    >>> torch.det(torch.tensor([[3.0, 0.0], [0.0, 2.0]]))
    tensor(6.)
    """
    return _det("det", input)


def _det(name: str, x: Any) -> Any:
    check_matrices(name, x, halves=True)
    if dtypes.of(x).itemsize < 4:
        raise NotImplementedError(f"{name} is not implemented for {dtypes.of(x)!r}")
    return det_row(x)


@public(namespaces=LINALG, method=False, name="slogdet", out="exact")
def linalg_slogdet(A: Any) -> Any:
    """The sign of each determinant and the logarithm of its size, as (sign, logabsdet).

    Raises ``RuntimeError`` for other shapes and types.

    >>> torch.linalg.slogdet(torch.tensor([[1.0, 0.0], [0.0, -1.0]])).sign
    tensor(-1.)
    """
    check_matrices("linalg.slogdet", A)
    return return_types.linalg_slogdet(*slogdet_row(A))


@public(out="exact")
def slogdet(input: Any) -> Any:
    """As ``linalg.slogdet``.

    >>> torch.slogdet(torch.eye(2)).logabsdet
    tensor(0.)
    """
    check_matrices("slogdet", input)
    return return_types.slogdet(*slogdet_row(input))


@public()
def logdet(input: Any) -> Any:
    """The logarithm of each determinant; NaN where that is negative.

    Raises ``RuntimeError`` for other shapes and types.

    >>> torch.logdet(torch.eye(3))
    tensor(0.)
    """
    check_matrices("logdet", input)
    sign, size = slogdet_row(input)
    if dtypes.of(input).is_complex:
        return size + log(sign)
    return where_row(sign == -1, np.array(np.nan, dtypes.of(size).numpy), size)


# -- powers ---------------------------------------------------------------------------------------


def _power(name: str, x: Any, n: Any) -> Any:
    check_shape(name, x)
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"{name}(): n must be int, not {type(n).__name__}")
    if not n:
        eye = np.eye(x.shape[-1], dtype=dtypes.of(x).numpy)
        out = where_row(np.ones((), np.bool_), eye, x)
        return rename(out, "CopyBackwards")
    if n == 1:
        return clone_row(x, "K")
    if n < 0:
        check_matrices(name, x)
        x, n = inv_row(x), -n
    found = None
    while True:
        if n % 2:
            found = x if found is None else matmul(found, x)
        n //= 2
        if not n:
            return found
        x = matmul(x, x)


@public(namespaces=LINALG, method=False, name="matrix_power", out="exact")
def linalg_matrix_power(A: Any, n: int) -> Any:
    """The product of ``n`` times each matrix, or of its inverse for a negative ``n``.

    Raises ``linalg.LinAlgError`` where there is no inverse, ``RuntimeError`` for other shapes.

    >>> torch.linalg.matrix_power(torch.tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
    tensor([[1., 3.],
            [0., 1.]])
    """
    return _power("linalg.matrix_power", A, n)


@public(out="exact")
def matrix_power(input: Any, n: int) -> Any:
    """As ``linalg.matrix_power``.

    >>> torch.matrix_power(torch.tensor([[2.0]]), -1)
    tensor([[0.5000]])
    """
    return _power("matrix_power", input, n)


# -- several dimensions as one --------------------------------------------------------------------


@public(namespaces=LINALG, method=False, out="cast")
def tensorinv(A: Any, ind: int = 2) -> Any:
    """The inverse for ``tensordot`` over ``ind`` dimensions: the first ``ind`` of A to the others.

    Raises ``RuntimeError`` where the sizes of both parts do not multiply up to the same.

    >>> torch.linalg.tensorinv(torch.eye(4).reshape(4, 2, 2), ind=1).shape
    torch.Size([2, 2, 4])
    """
    shape = tuple(shape_of("linalg.tensorinv", A, "A"))
    if ind <= 0:
        raise RuntimeError(f"linalg.tensorinv: Expected a strictly positive ind, but got {ind}")
    rows, columns = shape[:ind], shape[ind:]
    if product(rows) != product(columns):
        raise RuntimeError(
            f"linalg.tensorinv: the sizes {describe_shape(rows)} and {describe_shape(columns)} do "
            "not multiply up to the same number"
        )
    flat = inv(reshape_row(A, (product(rows), product(columns))))
    return rename(reshape_row(flat, (*columns, *rows)), "ReshapeAliasBackward0")


@public(namespaces=LINALG, method=False, out="cast")
def tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:
    """The X of ``tensordot(A, X, X.ndim) = B``; ``dims`` of A are moved to its end first.

    Raises ``RuntimeError`` where the sizes do not match.

    >>> torch.linalg.tensorsolve(torch.eye(4).reshape(2, 2, 4), torch.ones(2, 2))
    tensor([1., 1., 1., 1.])
    """
    name = "linalg.tensorsolve"
    require_tensors(name, A, B)
    if dims is not None:
        kept = [dim for dim in range(len(A.shape)) if dim not in {d % len(A.shape) for d in dims}]
        A = A.permute(*kept, *dims)
    rank = len(B.shape)
    shape = tuple(A.shape)
    rows, columns = product(shape[:rank]), product(shape[rank:])
    if rows != columns or rows != product(B.shape):
        raise RuntimeError(
            f"{name}: Expected self to satisfy prod(A.shape[{rank}:]) == prod(A.shape[:{rank}]), "
            f"but A has shape {describe_shape(shape)} and B {describe_shape(B.shape)}"
        )
    found = solve(reshape_row(A, (rows, columns)), reshape_row(B, (rows,)))
    return reshape_row(found, shape[rank:])
