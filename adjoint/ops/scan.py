"""Running sums, products and extremes along a dimension, and first-order recurrences.

The derivative of a running product is a linear recurrence, and that of a recurrence is one in the
other direction, so every order is right, zeros included, with nothing divided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes, return_types
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.picking import pick_row, put_row
from adjoint.ops.reducing import (
    dim_or_none,
    infer_same_shape,
    numpy_spelling,
    on_scalars,
    refuse_dtype,
    shape_of,
    size_of,
)
from adjoint.shapes import product
from adjoint.tape import engine

# -- how a running total is computed ------------------------------------------------------------


def wide(kind: np.dtype[Any]) -> Any:
    """The type that running totals are kept in, as in PyTorch: float64 for float32."""
    if kind.kind in "biu":
        return np.dtype(np.int64)
    return np.dtype(np.complex128 if kind.kind == "c" else np.float64)


def turned(x: Any, dim: int, reverse: bool) -> Any:
    """A view of ``x`` with its order along ``dim`` reversed if asked for."""
    return x[(..., slice(None, None, -1), *(slice(None),) * (-dim - 1))] if reverse else x


def _accumulate(ufunc: Any, x: Any, dim: int, reverse: bool) -> Any:
    out = turned(x, dim, reverse).astype(wide(x.dtype))
    ufunc.accumulate(out, dim, None, out)
    out = turned(out, dim, reverse)
    return out if x.dtype.kind in "biu" else out.astype(x.dtype, copy=False)


# -- recurrences --------------------------------------------------------------------------------

_IN_ORDER = 64  # longer than this, blocks are run side by side where the other dims are small


def _carry(a: Any, b: Any, dim: int, reverse: bool) -> Any:
    shape = np.broadcast_shapes(a.shape, b.shape)
    kind = np.result_type(a, b)
    a, b = (
        turned(np.broadcast_to(each, shape), dim, reverse).swapaxes(dim, 0).astype(wide(kind))
        for each in (a, b)
    )
    count, rest = len(a), a.shape[1:]
    blocks = int(count**0.5) if count > _IN_ORDER and product(rest) < 4096 else 1
    length = -(-count // blocks) if count else 0
    if blocks > 1:
        a, b = (np.concatenate([x, np.zeros((blocks * length - count, *rest))]) for x in (a, b))
    out = _carry_blocks(a.reshape(blocks, length, *rest), b.reshape(blocks, length, *rest))
    out = out.reshape(blocks * length, *rest)[:count].swapaxes(dim, 0)
    return np.ascontiguousarray(turned(out, dim, reverse), kind)


def _carry_blocks(a: Any, b: Any) -> Any:
    """All blocks side by side from zero; then each is corrected by what reaches it."""
    out = np.empty_like(b)
    state = np.zeros((len(b), *b.shape[2:]), b.dtype)
    for step in range(a.shape[1]):
        out[:, step] = state
        state = a[:, step] * state + b[:, step]
    if len(a) > 1:
        before = np.multiply.accumulate(a, axis=1)
        arriving = np.zeros_like(state[0])
        for number, last in enumerate(state):
            out[number, 0] += arriving
            out[number, 1:] += before[number, :-1] * arriving
            arriving = last + before[number, -1] * arriving
    return out


# p[0] = 0, p[i + 1] = a[i] * p[i] + b[i]: the state before each step.
carry: Callable[..., Any] = define(
    "carry", "scan", on_scalars(_carry, 2),
    inputs="a b", options="dim reverse", promote="same",
    vjp=lambda g, needs, a, out, dim, reverse: _carry_vjp(g, needs, a, out, dim, reverse),
    jvp=lambda a_t, b_t, a, out, dim, reverse: carry(a, a_t * out + b_t, dim, reverse),
    infer=infer_same_shape,
)  # fmt: skip


def _carry_vjp(g: Any, needs: Any, a: Any, out: Any, dim: int, reverse: bool) -> tuple[Any, Any]:
    back = carry(a, g, dim, not reverse)
    return (back * out if needs[0] else None), back


def _products_before(x: Any, dim: int, reverse: bool) -> Any:
    x = turned(x, dim, reverse)
    out = np.empty(x.shape, wide(x.dtype))
    lines, sources = out.swapaxes(dim, 0), x.swapaxes(dim, 0)
    lines[:1] = 1
    if len(lines) > 1:
        np.multiply.accumulate(sources[:-1], 0, out.dtype, lines[1:])
    return np.ascontiguousarray(turned(out, dim, reverse), x.dtype)


# y[0] = 1, y[i + 1] = x[i] * y[i]: the product of all elements before each.
products_before = define(
    "products_before", "scan", on_scalars(_products_before),
    options="dim reverse",
    x=lambda g, x, out, dim, reverse: carry(x, g, dim, not reverse) * out,
    jvp=lambda x_t, x, out, dim, reverse: carry(x, x_t * out, dim, reverse),
    infer=infer_same_shape,
)  # fmt: skip

# -- cumsum, cumprod ----------------------------------------------------------------------------

cumsum_row: Callable[..., Any] = define(
    "cumsum", "scan", on_scalars(lambda x, dim, reverse: _accumulate(np.add, x, dim, reverse)),
    options="dim reverse",
    x=lambda g, dim, reverse: cumsum_row(g, dim, not reverse),
    jvp="linear", infer=infer_same_shape,
)  # fmt: skip


def _cumprod_vjp(g: Any, x: Any, out: Any, dim: int) -> Any:
    if type(g) is np.ndarray and type(x) is np.ndarray and np.count_nonzero(x) == x.size:
        return cumsum_row(g * out, dim, True) / x  # a third of the time, where nothing is zero
    return (g + carry(x, g * x, dim, True)) * products_before(x, dim, False)


def _cumprod_jvp(x_t: Any, x: Any, dim: int) -> Any:
    entering = x_t * products_before(x, dim, False)
    return entering + x * carry(x, entering, dim, False)


cumprod_row = define(
    "cumprod", "scan", on_scalars(lambda x, dim: _accumulate(np.multiply, x, dim, False)),
    options="dim", x=_cumprod_vjp, jvp=_cumprod_jvp, infer=infer_same_shape,
)  # fmt: skip


def _scan(
    name: str, input: Any, dim: Any, dtype: dtypes.dtype | None, names: dict[str, Any], run: Any
) -> Any:
    if names:
        dim, _ = numpy_spelling(name, names, dim)
    dim = dim_or_none(name, dim, shape_of(name, input))
    if dtype is not None and dtypes.of(input) is not dtype:
        input = engine.rows.to_dtype(input, dtype)
    out = run(input, dim)
    if dtype is not None and dtypes.of(out) is not dtype:
        out = engine.rows.to_dtype(out, dtype)
    return out


@public(in_place=True, out="follow")
def cumsum(
    input: Any, dim: Any = ..., *,
    dtype: dtypes.dtype | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Running sum along ``dim``, of the input's shape; integers add up in int64.

    Raises ``IndexError`` for a dim that is not there.

    >>> import adjoint as torch
    >>> torch.cumsum(torch.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 3., 6.])
    """
    return _scan("cumsum", input, dim, dtype, numpy_names, lambda x, d: cumsum_row(x, d, False))


@public(in_place=True, out="follow")
def cumprod(
    input: Any, dim: Any = ..., *,
    dtype: dtypes.dtype | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Running product along ``dim``, of the input's shape; integers are multiplied in int64.

    Raises ``IndexError`` for a dim that is not there.

    >>> import adjoint as torch
    >>> torch.cumprod(torch.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 2., 6.])
    """
    return _scan("cumprod", input, dim, dtype, numpy_names, cumprod_row)


# -- cummax, cummin -----------------------------------------------------------------------------


def _running_extreme(ufunc: Any) -> Any:
    def compute(x: Any, dim: int) -> tuple[Any, Any]:
        values = ufunc.accumulate(x, dim)
        places = np.arange(x.shape[dim]).reshape((-1,) + (1,) * (-dim - 1))
        # The latest of equal ones is named, and of NaNs too, as in PyTorch.
        reached = (x == values) | (x != x)
        return values, np.maximum.accumulate(np.where(reached, places, 0), dim)

    return compute


def _running_vjp(g: Any, x_shape: Any, indices: Any, dim: int) -> Any:
    return put_row(g[0], indices, dim, size_of(x_shape, dim), True)


cummax_row = define(
    "cummax", "scan", on_scalars(_running_extreme(np.maximum)),
    options="dim", outputs="values indices", differentiable=1,
    x=_running_vjp, jvp=lambda x_t, indices, dim: (pick_row(x_t, indices, dim),),
    infer=infer_same_shape, saved="x_shape=",
)  # fmt: skip
cummin_row = define(
    "cummin", "scan", on_scalars(_running_extreme(np.minimum)),
    options="dim", outputs="values indices", differentiable=1,
    x=_running_vjp, jvp=lambda x_t, indices, dim: (pick_row(x_t, indices, dim),),
    infer=infer_same_shape, saved="x_shape=",
)  # fmt: skip


def _extremes(
    name: str, input: Any, dim: Any, names: dict[str, Any], row: Any, results: Any
) -> Any:
    if names:
        dim, _ = numpy_spelling(name, names, dim)
    dim = dim_or_none(name, dim, shape_of(name, input))
    refuse_dtype(name, input, (dtypes.COMPLEX,), NotImplementedError)
    return results(*row(input, dim))


@public(out="exact")
def cummax(input: Any, dim: Any = ..., **numpy_names: Any) -> Any:
    """Running maximum along ``dim`` as (values, indices); of equal ones the latest is named.

    Raises ``IndexError`` for a dim that is not there, ``NotImplementedError`` for complex input.

    >>> import adjoint as torch
    >>> torch.cummax(torch.tensor([1.0, 3.0, 2.0]), dim=0).values
    tensor([1., 3., 3.])
    """
    return _extremes("cummax", input, dim, numpy_names, cummax_row, return_types.cummax)


@public(out="exact")
def cummin(input: Any, dim: Any = ..., **numpy_names: Any) -> Any:
    """Running minimum along ``dim`` as (values, indices); of equal ones the latest is named.

    Raises ``IndexError`` for a dim that is not there, ``NotImplementedError`` for complex input.

    >>> import adjoint as torch
    >>> torch.cummin(torch.tensor([3.0, 1.0, 2.0]), dim=0).indices
    tensor([0, 1, 1])
    """
    return _extremes("cummin", input, dim, numpy_names, cummin_row, return_types.cummin)
