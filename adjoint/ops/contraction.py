"""Products that sum: matrices, vectors, and batches of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import mul
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import finish, rename
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.movement import permute_row, reshape_row
from adjoint.ops.reduction import sum_row
from adjoint.shapes import broadcast_shapes, product
from adjoint.tape.engine import rows
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray
Batched = list[bool]


# -- helpers for formulas -----------------------------------------------------------------------


def swap_last(x: Any) -> Any:
    """The last two dimensions exchanged: the transpose of each matrix."""
    if type(x) is ndarray:
        return x.swapaxes(-1, -2)
    rank = len(x.shape)
    return permute_row(x, (*range(-rank, -2), -1, -2))


def times(x: Any, y: Any) -> Any:
    """Product of vectors and matrices whose shapes are known to fit: on plain arrays, one call."""
    if type(x) is ndarray and type(y) is ndarray and x.dtype is y.dtype:
        kind = x.dtype
        if kind is FLOAT32 or kind is FLOAT64:
            return x.dot(y)
    return PLAIN[len(x.shape), len(y.shape)]((x, y))


def outer_of(x: Any, y: Any) -> Any:
    """Each element of a vector times each of another."""
    if type(x) is ndarray and type(y) is ndarray:
        if x.dtype is y.dtype and (x.dtype is FLOAT32 or x.dtype is FLOAT64):
            return x[:, None].dot(y[None])  # 0.5 µs, where stretching takes 0.9
        return x[:, None] * y
    return mul(reshape_row(x, (x.shape[0], 1)), y)


def fold(x: Any) -> Any:
    """All dimensions but the last as one: the rows of a stack of matrices, one below the other."""
    shape = x.shape
    if len(shape) == 2:
        return x
    flat = (product(shape[:-1]), shape[-1])
    return x.reshape(flat) if type(x) is ndarray else reshape_row(x, flat)


def product_infer(shape: Callable[..., tuple[int, ...]]) -> Callable[..., Fact]:
    """Inference for a product: the shape from those of the tensors, the type of the first."""

    def infer(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
        shapes = [tuple(each.shape) for each in inputs if each is not None]
        return shape(*shapes), dtypes.of(next(each for each in inputs if each is not None))

    return infer


# -- batching: a product of batches is another product, and what is not batched stays as it is --


def batch_matrices(
    row: Row, size: int, values: list[Any], batched: Batched, options: tuple[Any, ...]
) -> Any:
    """Line up the dimensions in front of the matrices behind the batch axis."""
    rank = max(len(x.shape) - inside for x, inside in zip(values, batched, strict=True))
    aligned = []
    for x, inside in zip(values, batched, strict=True):
        missing = rank + 1 - len(x.shape)
        if inside and missing:
            x = reshape_row(x, (size, *(1,) * missing, *x.shape[1:]))
        aligned.append(x)
    return matmul_row(*aligned)


def _batch_mv(
    row: Row, size: int, values: list[Any], batched: Batched, options: tuple[Any, ...]
) -> Any:
    x, y = values
    if not batched[0]:
        return mm_row(y, swap_last(x))
    if not batched[1]:
        return reshape_row(mv_row(fold(x), y), x.shape[:-1])
    return reshape_row(matmul_row(x, reshape_row(y, (*y.shape, 1))), x.shape[:-1])


def _batch_vecmat(
    row: Row, size: int, values: list[Any], batched: Batched, options: tuple[Any, ...]
) -> Any:
    x, y = values
    if not batched[1]:
        return mm_row(x, y)
    rows = reshape_row(x, (*x.shape[:-1], 1, x.shape[-1]))
    return reshape_row(matmul_row(rows, y), (size, y.shape[-1]))


def _batch_dot(
    row: Row, size: int, values: list[Any], batched: Batched, options: tuple[Any, ...]
) -> Any:
    x, y = values
    if row.name == "vdot":
        x = rows.conj(x)
    if all(batched):
        return sum_row(mul(x, y), (-1,), False)
    return mv_row(x, y) if batched[0] else mv_row(y, x)


# -- rows ---------------------------------------------------------------------------------------

dot_row: Any = define(
    "dot", "contraction", np.dot, inputs="x y", jvp="multilinear",
    batch=_batch_dot, infer=product_infer(lambda x, y: ()),
    x=lambda g, y: g * y, y=lambda g, x: g * x, saved="y=tensor",
)  # fmt: skip
vdot_row: Any = define(
    "vdot", "contraction", np.vdot, inputs="x y", jvp="multilinear", conjugate=False,
    batch=_batch_dot, infer=product_infer(lambda x, y: ()),
    x=lambda g, y: rows.conj(g) * y, y=lambda g, x: g * x,
)  # fmt: skip
mv_row: Any = define(
    "mv", "contraction", np.dot, inputs="x y", jvp="multilinear",
    batch=_batch_mv, infer=product_infer(lambda x, y: x[:1]),
    x=lambda g, y: outer_of(g, y), y=lambda g, x: times(g, x), saved="y=vec",
)  # fmt: skip
# PyTorch makes a matrix of the vector and squeezes the product: hence the name of the node.
vecmat_row: Any = define(
    "vecmat", "contraction", np.dot, inputs="x y", jvp="multilinear",
    batch=_batch_vecmat, infer=product_infer(lambda x, y: y[1:]),
    x=lambda g, y: times(y, g), y=lambda g, x: outer_of(x, g), node_name="SqueezeBackward4",
)  # fmt: skip
mm_row: Any = define(
    "mm", "contraction", np.dot, inputs="x y", jvp="multilinear",
    batch=batch_matrices, infer=product_infer(lambda x, y: (x[0], y[1])),
    x=lambda g, y: times(g, swap_last(y)), y=lambda g, x: times(swap_last(x), g), saved="y=mat2",
)  # fmt: skip
bmm_row: Any = define(
    "bmm", "contraction", np.matmul, inputs="x y", jvp="multilinear",
    batch=batch_matrices, infer=product_infer(lambda x, y: (*x[:2], y[2])),
    x=lambda g, y: bmm_row(g, swap_last(y)), y=lambda g, x: bmm_row(swap_last(x), g),
    saved="y=mat2",
)  # fmt: skip


def _matmul_arrays(x: Any, y: Any) -> Any:
    if x.shape[-1] == 1 and y.ndim > 2:  # outer products, at a quarter of the cost
        return x * y
    if y.ndim == 2 and x.ndim > 2:
        return fold(x).dot(y).reshape(*x.shape[:-1], y.shape[1])
    return np.matmul(x, y)


def _matmul_shape(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, ...]:
    return (*broadcast_shapes(x[:-2], y[:-2]), x[-2], y[-1])


def _left(g: Any, y: Any, x_shape: tuple[int, ...]) -> Any:
    """Cotangent of the left factor; of one matrix for many, without a product for each."""
    if len(x_shape) > 2 or len(y.shape) == 2:
        return matmul_row(g, swap_last(y))
    rank = len(y.shape)
    front = permute_row(g, (-2, *range(-rank, -2), -1))
    rows = reshape_row(front, (x_shape[0], product(y.shape[:-2]) * y.shape[-1]))
    return times(rows, fold(swap_last(y)))


def _right(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    if len(y_shape) == 2 and len(x.shape) > 2:
        return times(swap_last(fold(x)), fold(g))
    return matmul_row(swap_last(x), g)


# Matrices with any dimensions in front, which broadcast.
matmul_row: Any = define(
    "matmul", "contraction", _matmul_arrays, inputs="x y", jvp="multilinear",
    batch=batch_matrices, infer=product_infer(_matmul_shape),
    x=_left, y=_right, node_name="UnsafeViewBackward0",
)  # fmt: skip

PLAIN: dict[tuple[int, int], Row] = {
    (1, 1): dot_row.row,
    (1, 2): vecmat_row.row,
    (2, 1): mv_row.row,
    (2, 2): mm_row.row,
}


# -- checks -------------------------------------------------------------------------------------


def require_tensors(name: str, *values: Any) -> None:
    """Raise ``TypeError`` unless all are tensors or arrays."""
    for place, value in enumerate(values, 1):
        if not isinstance(value, (Value, ndarray)):
            raise TypeError(
                f"{name}(): argument {place} must be a Tensor, not {type(value).__name__}"
            )


def require_same_type(name: str, *values: Any) -> None:
    """Products do not promote: raise ``RuntimeError`` for a mixture of types, or for booleans."""
    require_tensors(name, *values)
    kinds = [dtypes.of(value) for value in values]
    if any(kind is not kinds[0] for kind in kinds):
        raise RuntimeError(
            f"{name}: the tensors must have the same dtype, but got "
            + " and ".join(kind.name for kind in kinds)
            + "; convert one of them, as in x.to(y.dtype)"
        )
    if kinds[0].category == dtypes.BOOL and (name == "dot" or all(map(_has_elements, values))):
        raise NotImplementedError(f"{name} is not implemented for bool; convert with x.int()")


def _has_elements(value: Any) -> bool:
    return 0 not in value.shape


def require_ranks(name: str, wanted: str, ranks: tuple[int, ...], *values: Any) -> None:
    """Raise ``RuntimeError`` unless the values have these numbers of dimensions."""
    if tuple([getattr(value, "ndim", -1) for value in values]) != ranks:
        require_tensors(name, *values)
        raise RuntimeError(
            f"{name}: expected {wanted}, but got shapes "
            + " and ".join(describe_shape(value.shape) for value in values)
        )


def mismatch(name: str, *values: Any) -> RuntimeError:
    """The error for shapes whose product does not exist."""
    return RuntimeError(
        f"{name}: shapes "
        + " and ".join(describe_shape(value.shape) for value in values)
        + " cannot be multiplied: the summed sizes must match (the last dimension of the first "
        "with the last but one, or the only one, of the second)"
    )


# -- what users call ----------------------------------------------------------------------------


@public(out="exact")
def matmul(input: Any, other: Any) -> Any:
    """Product of vectors, matrices or stacks of matrices, whose dimensions in front broadcast.

    (k) is a row on the left and a column on the right. Raises ``RuntimeError`` where shapes or
    types do not match, or for a 0-d tensor.

    >>> import adjoint as torch
    >>> torch.matmul(torch.ones(2, 3), torch.ones(3))
    tensor([3., 3.])
    """
    if isinstance(input, Tensor) and isinstance(other, Tensor):
        x, y = input._array, other._array
        if type(x) is ndarray and type(y) is ndarray and input._level == other._level:
            kind = x.dtype
            if kind is y.dtype and (kind is FLOAT32 or kind is FLOAT64):
                row = PLAIN.get((x.ndim, y.ndim))
                if row is not None:
                    try:
                        out = x.dot(y)
                    except ValueError:
                        raise mismatch("matmul", input, other) from None
                    except (RuntimeWarning, FloatingPointError):  # where these are errors
                        return _matmul(input, other)
                    return finish(row, out, input._level, (input, other))
    return _matmul(input, other)


def _matmul(input: Any, other: Any) -> Any:
    """The general path: any ranks, any kind of value."""
    require_tensors("matmul", input, other)
    x_shape, y_shape = tuple(input.shape), tuple(other.shape)
    require_same_type("dot" if len(x_shape) == len(y_shape) == 1 else "matmul", input, other)
    if not x_shape or not y_shape:
        raise RuntimeError(
            "both arguments to matmul need to be at least 1D, but they are "
            f"{len(x_shape)}D and {len(y_shape)}D"
        )
    if x_shape[-1] != y_shape[-2 if len(y_shape) > 1 else 0]:
        raise mismatch("matmul", input, other)
    row = PLAIN.get((len(x_shape), len(y_shape)))
    if row is not None:
        return row((input, other))
    if len(y_shape) == 1:
        out = reshape_row(mv_row(fold(input), other), x_shape[:-1])
        return rename(out, "UnsafeViewBackward0")
    if len(x_shape) == 1:
        out = matmul_row(reshape_row(input, (1, *x_shape)), other)
        out = reshape_row(out, (*y_shape[:-2], y_shape[-1]))
        return rename(out, "UnsafeViewBackward0")
    broadcast_shapes(x_shape[:-2], y_shape[:-2])
    out = matmul_row(input, other)
    return rename(out, "CloneBackward0") if len(x_shape) == 2 else out


@public(out="exact")
def mm(input: Any, mat2: Any) -> Any:
    """Product of two matrices, (n, k) and (k, m) to (n, m); ``RuntimeError`` for other shapes.

    >>> import adjoint as torch
    >>> torch.mm(torch.ones(1, 2), torch.ones(2, 2))
    tensor([[2., 2.]])
    """
    require_ranks("mm", "two matrices", (2, 2), input, mat2)
    return matmul(input, mat2)


@public(out="exact")
def bmm(input: Any, mat2: Any) -> Any:
    """Products of matrices pair by pair, (b, n, k) and (b, k, m) to (b, n, m).

    Raises ``RuntimeError`` for other shapes.

    >>> import adjoint as torch
    >>> torch.bmm(torch.ones(2, 1, 3), torch.ones(2, 3, 1)).shape
    torch.Size([2, 1, 1])
    """
    require_ranks("bmm", "two stacks of matrices", (3, 3), input, mat2)
    require_same_type("bmm", input, mat2)
    if input.shape[0] != mat2.shape[0] or input.shape[2] != mat2.shape[1]:
        raise mismatch("bmm", input, mat2)
    return bmm_row(input, mat2)


@public(out="exact")
def mv(input: Any, vec: Any) -> Any:
    """Product of a matrix and a vector, (n, k) and (k) to (n); ``RuntimeError`` for other shapes.

    >>> import adjoint as torch
    >>> torch.mv(torch.ones(2, 3), torch.ones(3))
    tensor([3., 3.])
    """
    require_ranks("mv", "a matrix and a vector", (2, 1), input, vec)
    return matmul(input, vec)


@public(out="exact")
def dot(input: Any, tensor: Any) -> Any:
    """Sum of the products of two vectors' elements; ``RuntimeError`` for other shapes.

    >>> import adjoint as torch
    >>> torch.dot(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor(11.)
    """
    require_ranks("dot", "two vectors", (1, 1), input, tensor)
    return matmul(input, tensor)


@public(out="exact")
def vdot(input: Any, other: Any) -> Any:
    """As ``dot``, with the first vector conjugated where it is complex.

    >>> import adjoint as torch
    >>> torch.vdot(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor(11.)
    """
    require_ranks("vdot", "two vectors", (1, 1), input, other)
    require_same_type("vdot", input, other)
    if input.shape != other.shape:
        raise mismatch("vdot", input, other)
    return vdot_row(input, other)
