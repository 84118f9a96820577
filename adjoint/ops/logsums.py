"""Logarithms of sums of exponentials, at once and running, without overflow on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.sums import accurate_sum
from adjoint.ops.complex_parts import real
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.reducing import (
    Dims,
    dim_or_none,
    flag,
    infer_reduced,
    infer_same_shape,
    keep_dims,
    numpy_spelling,
    on_scalars,
    refuse_dtype,
    shape_of,
    spread,
)
from adjoint.ops.reduction import sum_row
from adjoint.ops.scan import carry
from adjoint.ops.selection import zero_where
from adjoint.ops.transcendental import exp, log_add
from adjoint.shapes import normalise_dims, reduced_shape

# -- logsumexp ----------------------------------------------------------------------------------


def _logsumexp(x: Any, dims: Dims, keepdim: bool) -> Any:
    parts = x.real if x.dtype.kind == "c" else x
    top = np.maximum.reduce(parts, axis=dims, keepdims=True, initial=-np.inf)
    if not np.isfinite(top).all():
        # Infinities would meet as inf - inf: they come out of the sum themselves.
        top = np.where(np.isinf(top), 0, top).astype(top.dtype, copy=False)
    out = np.log(accurate_sum(np.exp(x - top), dims, True)) + top
    return out if keepdim else out.reshape(reduced_shape(x.shape, dims, False))


def _logsumexp_vjp(g: Any, x: Any, out: Any, dims: Dims, keepdim: bool) -> Any:
    return spread(g, x.shape, dims, keepdim) * exp(x - keep_dims(out, x.shape, dims, keepdim))


def _logsumexp_jvp(x_t: Any, x: Any, out: Any, dims: Dims, keepdim: bool) -> Any:
    return sum_row(x_t * exp(x - keep_dims(out, x.shape, dims, keepdim)), dims, keepdim)


logsumexp_row = define(
    "logsumexp", "reduction", _logsumexp,
    options="dims keepdim", promote="float", x=_logsumexp_vjp, jvp=_logsumexp_jvp,
    infer=infer_reduced,
)  # fmt: skip


@public(namespaces=("", "special"), out="cast")
def logsumexp(input: Any, dim: Any = ..., keepdim: bool = False, **numpy_names: Any) -> Any:
    """``log(sum(exp(input)))`` along ``dim``, an int or several, without overflow on the way.

    Integers give the default floating type. Raises ``IndexError`` for a dim that is not there.

    >>> import adjoint as torch
    >>> torch.logsumexp(torch.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    if numpy_names:
        dim, keepdim = numpy_spelling("logsumexp", numpy_names, dim, keepdim)
    if dim is ...:
        raise TypeError("logsumexp() missing 1 required argument: 'dim'")
    if dim is None:
        raise TypeError(
            "logsumexp(): dim must be an int or several; name all of them for the whole"
        )
    dims = normalise_dims(dim, len(shape_of("logsumexp", input)))
    return logsumexp_row(input, dims, flag("logsumexp", keepdim))


# -- logcumsumexp -------------------------------------------------------------------------------


def _logcumsumexp(x: Any, dim: int) -> Any:
    if x.dtype.kind != "c":
        wide = np.logaddexp.accumulate(x, dim, np.float64)
        return wide.astype(x.dtype, copy=False)
    out = x.copy()
    out.imag[out.real == -np.inf] = 0
    lines = out.swapaxes(dim, 0)
    for place in range(1, len(lines)):
        lines[place] = log_add(lines[place - 1], lines[place])
    return out


def _shares_of_running(x: Any, out: Any) -> Any:
    """What each element is of the sum that ends with it."""
    return exp(x - out)


def _logcumsumexp_vjp(g: Any, x: Any, out: Any, dim: int) -> Any:
    # What reaches out[i] is c[i] = g[i] + (1 - share[i + 1]) * c[i + 1]: no factor is above 1.
    share = _shares_of_running(x, out)
    rest = 1 - share
    return share * (g + carry(rest, rest * g, dim, True))


def _logcumsumexp_jvp(x_t: Any, x: Any, out: Any, dim: int) -> Any:
    nothing = real(x) == -np.inf
    share = zero_where(nothing, _shares_of_running(x, out))
    rest = 1 - share
    entering = share * x_t
    return entering + rest * carry(rest, entering, dim, False)


logcumsumexp_row = define(
    "logcumsumexp", "scan", on_scalars(_logcumsumexp),
    options="dim", x=_logcumsumexp_vjp, jvp=_logcumsumexp_jvp, infer=infer_same_shape,
)  # fmt: skip


@public(out="exact")
def logcumsumexp(input: Any, dim: Any = ..., **numpy_names: Any) -> Any:
    """Running ``log(sum(exp(input)))`` along ``dim``, of the input's shape.

    Raises ``IndexError`` for a dim that is not there, ``NotImplementedError`` for integers.

    >>> import adjoint as torch
    >>> torch.logcumsumexp(torch.tensor([0.0, 0.0, 0.0]), dim=0)
    tensor([0.0000, 0.6931, 1.0986])
    """
    if numpy_names:
        dim, _ = numpy_spelling("logcumsumexp", numpy_names, dim)
    place = dim_or_none("logcumsumexp", dim, shape_of("logcumsumexp", input))
    refuse_dtype("logcumsumexp", input, (dtypes.BOOL, dtypes.INTEGER), NotImplementedError)
    return logcumsumexp_row(input, place)
