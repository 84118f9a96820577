"""Softmax, its logarithm, and their rules."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.blas_sums import row_sums
from adjoint.ops.contraction import require_tensors
from adjoint.ops.extremes import amax_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import finish
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Row
from adjoint.ops.movement import clone_row
from adjoint.ops.reducing import infer_same_shape, refuse_dtype
from adjoint.ops.reduction import sum_row
from adjoint.ops.transcendental import exp, log
from adjoint.shapes import normalise_dim
from adjoint.tape.engine import rows
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray
add_reduce: Any = np.add.reduce
max_reduce: Any = np.maximum.reduce


# -- on plain arrays: the options say dim None for a 0-d tensor ----------------------------------


def softmax_array(x: Any, dim: int | None, out: Any = None) -> Any:
    """Exponentials, less the largest so that none overflows, divided by their sum.

    ``out`` may be given, also ``x`` itself.
    """
    if dim is None:
        return x - x + 1  # NaN stays, infinities make it
    if not x.shape[dim]:
        return x.copy()
    out = np.subtract(x, max_reduce(x, dim, None, None, True), out)
    np.exp(out, out)
    out /= row_sums(out) if dim == -1 else add_reduce(out, dim, None, None, True)
    return out


def log_softmax_array(x: Any, dim: int | None) -> Any:
    """The logarithm of the above, without going through numbers that underflow."""
    if dim is None:
        return x - x
    out = x - max_reduce(x, dim, None, None, True) if x.shape[dim] else x.copy()
    powers = np.exp(out)
    total = row_sums(powers) if dim == -1 else add_reduce(powers, dim, None, None, True)
    out -= np.log(total, total)
    return out


def safe_softmax_array(x: Any, dim: int, out: Any = None) -> Any:
    """As softmax, but zeros where all are minus infinity: nothing to choose from."""
    if not x.shape[dim]:
        return x.copy()
    highest = max_reduce(x, dim, None, None, True)
    out = np.subtract(x, np.where(np.isneginf(highest), 0, highest), out)
    np.exp(out, out)
    total = row_sums(out) if dim == -1 else add_reduce(out, dim, None, None, True)
    out /= np.where(total == 0, 1, total)
    return out


def _softmax_push(g: Any, out: Any, dim: int | None) -> Any:
    """The Jacobian, which is symmetric, times a cotangent or a tangent."""
    if dim is None:
        return g * (out - out)
    if type(g) is ndarray and type(out) is ndarray and g.dtype is out.dtype:
        if dim == -1 and (g.dtype is FLOAT32 or g.dtype is FLOAT64):
            moved = g - np.vecdot(g, out)[..., None]
        else:
            moved = g * out
            np.subtract(g, add_reduce(moved, dim, None, None, True), moved)
        moved *= out
        return moved
    return out * (g - sum_row(g * out, (dim,), True))


def _log_softmax_pull(g: Any, out: Any, dim: int | None) -> Any:
    if dim is None:
        return g * (out - out)
    if type(g) is ndarray and type(out) is ndarray and g.dtype is out.dtype:
        moved = np.exp(out)
        moved *= row_sums(g) if dim == -1 else add_reduce(g, dim, None, None, True)
        return np.subtract(g, moved, moved)
    return g - exp(out) * sum_row(g, (dim,), True)


def _log_softmax_push(x_t: Any, out: Any, dim: int | None) -> Any:
    if dim is None:
        return x_t * (out - out)
    return x_t - sum_row(exp(out) * x_t, (dim,), True)


# -- rows ---------------------------------------------------------------------------------------


def _decompose_softmax(x: Any, dim: int | None) -> Any:
    if dim is None or not x.shape[dim]:
        return softmax_row(x, dim)
    powers = exp(x - amax_row(x, (dim,), True))
    return powers / sum_row(powers, (dim,), True)


def _decompose_log_softmax(x: Any, dim: int | None) -> Any:
    if dim is None or not x.shape[dim]:
        return log_softmax_row(x, dim)
    lowered = x - amax_row(x, (dim,), True)
    return lowered - log(sum_row(exp(lowered), (dim,), True))


softmax_row: Any = define(
    "softmax", "fused", softmax_array, options="dim",
    x=_softmax_push, jvp=lambda x_t, out, dim: _softmax_push(x_t, out, dim),
    infer=infer_same_shape, decompose=_decompose_softmax,
)  # fmt: skip
log_softmax_row: Any = define(
    "log_softmax", "fused", log_softmax_array, options="dim",
    x=_log_softmax_pull, jvp=_log_softmax_push,
    infer=infer_same_shape, decompose=_decompose_log_softmax,
)  # fmt: skip
# The same for logits that a mask may have left nothing of: weights of attention.
safe_softmax_row: Any = define(
    "safe_softmax", "fused", safe_softmax_array, options="dim",
    x=_softmax_push, jvp=lambda x_t, out, dim: _softmax_push(x_t, out, dim),
    infer=infer_same_shape,
)  # fmt: skip

# -- what users call ----------------------------------------------------------------------------


def _apply(row: Row, input: Any, dim: Any, dtype: dtypes.dtype | None) -> Any:
    if dtype is not None:
        if not isinstance(dtype, dtypes.dtype):
            raise TypeError(f"{row.name}(): dtype is a torch.dtype, not {type(dtype).__name__}")
        require_tensors(row.name, input)
        if dtypes.of(input) is not dtype:
            input = rows.to_dtype(input, dtype)
        return _apply(row, input, dim, None)
    if isinstance(input, Tensor):
        x = input._array
        if type(x) is ndarray and (x.dtype is FLOAT32 or x.dtype is FLOAT64) and type(dim) is int:
            rank = x.ndim
            if -rank <= dim < rank:
                dim = dim if dim < 0 else dim - rank
                try:
                    out = row.compute(x, dim)
                except (RuntimeWarning, FloatingPointError):
                    return row((input,), (dim,))
                return finish(row, out, input._level, (input,), (dim,))
    return _apply_checked(row, input, dim)


NOT_FLOATING = (dtypes.BOOL, dtypes.INTEGER, dtypes.COMPLEX)


def _apply_checked(row: Row, input: Any, dim: Any) -> Any:
    """The general path: any kind of value, and the errors."""
    require_tensors(row.name, input)
    rank = len(input.shape)
    dim = normalise_dim(dim, rank)
    if dtypes.of(input).category != dtypes.FLOATING:
        if 0 in input.shape:  # there is nothing to compute of nothing, whatever its type
            return clone_row(input, "C")
        refuse_dtype(row.name, input, NOT_FLOATING, NotImplementedError)
    return row((input,), (dim if rank else None,))


@public(namespaces=("", "special"), out="exact")
def softmax(input: Any, dim: int, dtype: dtypes.dtype | None = None) -> Any:
    """Exponentials along ``dim``, divided by their sum; ``dtype`` converts the input first.

    Raises ``IndexError`` for a dim there is not, and ``NotImplementedError`` for integers.

    >>> torch.softmax(torch.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _apply(softmax_row.row, input, dim, dtype)


@public(namespaces=("", "special"), out="exact")
def log_softmax(input: Any, dim: int, dtype: dtypes.dtype | None = None) -> Any:
    """The logarithm of ``softmax``, exact also where that underflows.

    Raises ``IndexError`` for a dim there is not, and ``NotImplementedError`` for integers.

    >>> torch.log_softmax(torch.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    return _apply(log_softmax_row.row, input, dim, dtype)


def _implicit_dim(name: str, input: Any, dim: int | None) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=3,
    )
    return 0 if len(input.shape) in (0, 1, 3) else 1


@public(namespaces=FUNCTIONAL, method=False, name="softmax")
def functional_softmax(
    input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None
) -> Any:
    """As ``torch.softmax``.

    >>> torch.nn.functional.softmax(torch.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _apply(softmax_row.row, input, _implicit_dim("softmax", input, dim), dtype)


@public(namespaces=FUNCTIONAL, method=False, name="log_softmax")
def functional_log_softmax(
    input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None
) -> Any:
    """As ``torch.log_softmax``.

    >>> torch.nn.functional.log_softmax(torch.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    return _apply(log_softmax_row.row, input, _implicit_dim("log_softmax", input, dim), dtype)


@public(namespaces=FUNCTIONAL, method=False)
def softmin(
    input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None
) -> Any:
    """``softmax`` of the negated input.

    >>> torch.nn.functional.softmin(torch.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _apply(softmax_row.row, -input, _implicit_dim("softmin", input, dim), dtype)
