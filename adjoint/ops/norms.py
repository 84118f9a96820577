"""Norms of vectors of any shape, and the distance between two tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.sums import accurate_sum
from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import sub
from adjoint.ops.casting import to_dtype
from adjoint.ops.comparison import eq, gt
from adjoint.ops.complex_parts import abs, sgn
from adjoint.ops.extremes import largest, shares, smallest
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, batch_elementwise, infer_elementwise
from adjoint.ops.nuclear import nuclear_norm
from adjoint.ops.powers import pow_number_row
from adjoint.ops.reducing import (
    Dims,
    flag,
    infer_reduced,
    inner,
    keep_dims,
    numpy_spelling,
    quotient_or_zero,
    refuse_dtype,
    shape_of,
)
from adjoint.ops.reduction import sum_row
from adjoint.ops.selection import where_row, zero_where
from adjoint.shapes import broadcast_shapes, normalise_dim, normalise_dims

# -- values -------------------------------------------------------------------------------------


def _vector_norm(x: Any, order: float, dims: Dims, keepdim: bool) -> Any:
    if order == 2:
        squares = x.real * x.real + x.imag * x.imag if x.dtype.kind == "c" else x * x
        return np.sqrt(accurate_sum(squares, dims, keepdim))
    sizes = np.abs(x)
    if order == math.inf:
        return largest(sizes, dims, None, None, keepdim)
    if order == -math.inf:
        return smallest(sizes, dims, None, None, keepdim)
    if order == 0:
        return accurate_sum((sizes != 0).astype(sizes.dtype), dims, keepdim)
    if order == 1:
        return accurate_sum(sizes, dims, keepdim)
    with np.errstate(divide="ignore"):  # a negative power of zero
        return accurate_sum(sizes**order, dims, keepdim) ** (1 / order)


# -- derivatives --------------------------------------------------------------------------------


def _vjp(g: Any, x: Any, out: Any, order: float, dims: Dims, keepdim: bool) -> Any:
    """Zero where the norm has a corner at zero; ``g`` has the shape of ``out``."""
    g = keep_dims(g, x.shape, dims, keepdim)
    if order == 0:
        return None
    if order == 1:
        return sgn(x) * g
    if math.isinf(order):
        return sgn(x) * (shares(abs(x), out, dims, keepdim, True) * g)
    out = keep_dims(out, x.shape, dims, keepdim)
    if order == 2:
        return g * quotient_or_zero(x, out)
    sizes = abs(x)
    if order < 1:
        steep = zero_where(eq(x, 0), pow_number_row(sizes, order - 1))
        return sgn(x) * steep * (g * pow_number_row(out, 1 - order))
    scale = quotient_or_zero(g, pow_number_row(out, order - 1))
    if order < 2:
        return sgn(x) * pow_number_row(sizes, order - 1) * scale
    return x * pow_number_row(sizes, order - 2) * scale


def _jvp(x_t: Any, x: Any, out: Any, order: float, dims: Dims, keepdim: bool) -> Any:
    one = np.ones(out.shape, dtypes.of(out).numpy)
    direction = _vjp(one, x, out, order, dims, keepdim)
    return None if direction is None else sum_row(inner(direction, x_t), dims, keepdim)


vector_norm_row = define(
    "vector_norm", "reduction", _vector_norm,
    options="order dims keepdim", x=_vjp, jvp=_jvp,
    infer=infer_reduced, conjugate=False, node_name="LinalgVectorNormBackward0",
)  # fmt: skip

# -- the public functions -----------------------------------------------------------------------


def _order(name: str, order: Any) -> float:
    if not isinstance(order, (bool, int, float)):
        if isinstance(order, complex):
            raise RuntimeError(f"{name}(): the order is {order}, but must be a real number")
        raise TypeError(f"{name}(): the order must be a number, not {type(order).__name__}")
    return float(order)


def _check(name: str, input: Any, order: float, dims: Dims, given: Any) -> None:
    kind = dtypes.of(input)
    if kind.category < dtypes.FLOATING:
        raise RuntimeError(
            f"{name}(): expected a floating-point or complex input, but it is {kind!r}; convert it "
            "first, as in x.float()"
        )
    if order < 0 or order == math.inf:
        empty = [dim for dim in dims if input.shape[dim] == 0]
        if empty:
            what = "is empty" if given is None else f"is empty in dim {empty[0] + len(input.shape)}"
            raise RuntimeError(
                f"{name}(): cannot compute the {order:g} norm, because the input of shape "
                f"{describe_shape(input.shape)} {what} and the norm of nothing is not defined"
            )


def _in_kind(name: str, input: Any, kind: dtypes.dtype | None) -> Any:
    if kind is None:
        return input
    present = dtypes.of(input)
    if kind.category < dtypes.FLOATING or kind.is_complex != present.is_complex:
        raise RuntimeError(
            f"{name}(): dtype={kind!r} cannot hold the input, which is {present!r}; both must be "
            "floating-point, or both complex"
        )
    if dtypes.promote_types(present, kind) is not kind:
        raise RuntimeError(f"{name}(): dtype={kind!r} is narrower than the input's {present!r}")
    return input if present is kind else to_dtype(input, kind)


@public(namespaces=("linalg",), method=False, out="exact")
def vector_norm(
    x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, *,
    dtype: dtypes.dtype | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Norm of all elements as one vector, or of vectors along ``dim`` (an int or several).

    ``ord`` is any number: 0 counts the elements that are not zero, ``inf`` takes the largest size.
    The gradient at a corner is zero. Raises ``RuntimeError`` for integers, for a narrower
    ``dtype``, and for the ``inf`` and negative norms of nothing.

    >>> import adjoint as torch
    >>> torch.linalg.vector_norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if numpy_names:
        dim, keepdim = numpy_spelling("linalg.vector_norm", numpy_names, dim, keepdim)
    dims = normalise_dims(dim, len(shape_of("linalg.vector_norm", x)))
    order = _order("linalg.vector_norm", ord)
    _check("linalg.vector_norm", x, order, dims, dim)
    x = _in_kind("linalg.vector_norm", x, dtype)
    return vector_norm_row(x, order, dims, flag("linalg.vector_norm", keepdim))


@public(out="exact")
def norm(
    input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False,
    dtype: dtypes.dtype | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Norm of all elements as one vector, or along ``dim``: of order ``p``, "fro" being 2.

    "nuc" is the sum of a matrix's singular values. Raises ``RuntimeError`` as
    ``linalg.vector_norm``, and for other words.

    >>> import adjoint as torch
    >>> torch.norm(torch.tensor([[3.0, 0.0], [4.0, 1.0]]), dim=0)
    tensor([5., 1.])
    """
    if numpy_names:
        dim, keepdim = numpy_spelling("norm", numpy_names, dim, keepdim)
    rank = len(shape_of("norm", input))
    if p == "nuc":
        return nuclear_norm(_in_kind("norm", input, dtype), dim, flag("norm", keepdim))
    dims = normalise_dims(dim, rank)
    if isinstance(p, str):
        _check_word(p, dim)
    order = 2.0 if p is None or isinstance(p, str) else _order("norm", p)
    _check("norm", input, order, dims, dim)
    return vector_norm_row(_in_kind("norm", input, dtype), order, dims, flag("norm", keepdim))


def _check_word(p: str, dim: Any) -> None:
    if p != "fro":
        raise RuntimeError(f'norm(): p is a number, "fro" or "nuc", not {p!r}')
    if isinstance(dim, (tuple, list)) and len(dim) > 2:
        raise RuntimeError(
            f'norm(): p="fro" is the norm of a matrix, which has 2 dims, but dim={tuple(dim)}; '
            "p=2 takes any number of them"
        )


# -- dist ---------------------------------------------------------------------------------------


def _dist_batch(row: Row, size: int, values: list[Any], batched: list[bool], options: Any) -> Any:
    apart = batch_elementwise(sub.row, size, values, batched, ())  # type: ignore[attr-defined]
    return vector_norm_row(apart, options[0], tuple(range(1 - len(apart.shape), 0)), False)


def _dist_vjp(g: Any, needs: Any, x: Any, y: Any, out: Any, order: float) -> tuple[Any, Any]:
    apart = x - y
    back = _vjp(g, apart, out, order, normalise_dims(None, len(apart.shape)), False)
    return back, -back if needs[1] and back is not None else None


def _dist_jvp(x_t: Any, y_t: Any, x: Any, y: Any, out: Any, order: float) -> Any:
    apart = x - y
    return _jvp(x_t - y_t, apart, out, order, normalise_dims(None, len(apart.shape)), False)


def _infer_dist(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    _, kind = infer_elementwise(sub.row, inputs, ())  # type: ignore[attr-defined]
    return (), kind.to_real()


def _norm_of_all(x: Any, order: float) -> Any:
    return _vector_norm(x, order, normalise_dims(None, x.ndim), False)


dist_row = define(
    "dist", "reduction",
    lambda x, y, order: _norm_of_all(x - y, order),
    inputs="x y", options="order", vjp=_dist_vjp, jvp=_dist_jvp,
    batch=_dist_batch, infer=_infer_dist, promote="same", conjugate=False, saved="order=p",
)  # fmt: skip


def _category(value: Any) -> int:
    return dtypes.of(value).category


@public()
def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The norm of order ``p`` of ``input - other``, whose shapes broadcast.

    Raises ``RuntimeError`` for integers and for shapes that do not broadcast.

    >>> import adjoint as torch
    >>> torch.dist(torch.tensor([1.0, 2.0]), torch.tensor([4.0, 6.0]))
    tensor(5.)
    """
    shape = broadcast_shapes(shape_of("dist", input), shape_of("dist", other, "other"))
    order = _order("dist", p)
    low, high = sorted((input, other), key=_category)
    refuse_dtype("dist", low, (dtypes.BOOL,), RuntimeError)
    _check("dist", high, order, (), None)
    if 0 in shape and (order < 0 or order == math.inf):
        raise RuntimeError(
            f"dist(): cannot compute the {order:g} norm of the difference, because it is empty: "
            f"its shape is {describe_shape(shape)}"
        )
    return dist_row(input, other, order)


# -- renorm -------------------------------------------------------------------------------------


@public(in_place=True, out="exact")
def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """The slices along ``dim``, each scaled down to a norm of order ``p`` of at most ``maxnorm``.

    Raises ``RuntimeError`` below 2 dimensions, for an order or a norm that is negative, and for
    integers.

    >>> import adjoint as torch
    >>> torch.renorm(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    shape = shape_of("renorm", input)
    order = _order("renorm", p)
    if order <= 0:
        raise RuntimeError(f"renorm: the order must be positive, but p is {p}")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if len(shape) < 2:
        raise RuntimeError(
            f"renorm: input needs at least 2 dimensions, but its shape is {describe_shape(shape)}"
        )
    kept = normalise_dim(dim, len(shape))
    _check("renorm", input, order, (), None)
    others = tuple(place for place in range(-len(shape), 0) if place != kept)
    lengths = vector_norm_row(input, order, others, True)
    longer = gt(lengths, maxnorm)
    out = where_row(longer, input * (maxnorm / (lengths + 1e-7)), input)
    return rename(out, "RenormBackward0")
