"""Variance and standard deviation, alone or with the mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.sums import accurate_sum
from adjoint.ops.comparison import eq
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.reducing import (
    Dims,
    flag,
    infer_reduced,
    inner,
    numpy_spelling,
    quotient_or_zero,
    shape_of,
    spread,
)
from adjoint.ops.reduction import Dim, count_of, mean_row, sum_row
from adjoint.ops.selection import where_row
from adjoint.shapes import normalise_dims
from adjoint.tape.warning import warn

# -- values -------------------------------------------------------------------------------------


def _variance(x: Any, dims: Dims, correction: float, keepdim: bool) -> tuple[Any, Any]:
    """The variance, and the mean with its dims kept."""
    total = accurate_sum(x, dims, True)
    count = x.size // total.size if total.size else count_of(x.shape, dims)
    mean = total / count
    apart = x - mean
    if x.dtype.kind == "c":
        squares = apart.real * apart.real + apart.imag * apart.imag
    else:
        squares = apart * apart
    freedom = count - correction
    return accurate_sum(squares, dims, keepdim) / max(freedom, 0), mean


def _var(x: Any, dims: Dims, correction: float, keepdim: bool) -> Any:
    return _variance(x, dims, correction, keepdim)[0]


def _std(x: Any, dims: Dims, correction: float, keepdim: bool) -> Any:
    return np.sqrt(_variance(x, dims, correction, keepdim)[0])


def _var_mean(x: Any, dims: Dims, correction: float, keepdim: bool) -> tuple[Any, Any]:
    variance, mean = _variance(x, dims, correction, keepdim)
    return variance, mean if keepdim else mean.squeeze(dims)


def _std_mean(x: Any, dims: Dims, correction: float, keepdim: bool) -> tuple[Any, Any]:
    variance, mean = _var_mean(x, dims, correction, keepdim)
    return np.sqrt(variance), mean


# -- derivatives --------------------------------------------------------------------------------


def _beyond(g: Any, x: Any, dims: Dims, keepdim: bool) -> Any:
    """Infinity, and NaN at the mean: PyTorch's answer for a whole without degrees of freedom."""
    wide = spread(g * math.inf, x.shape, dims, keepdim)
    return where_row(eq(_apart(x, dims), 0), np.full((), math.nan, dtypes.of(x).numpy), wide)


def _scale(shape: Dims, dims: Dims, correction: float) -> float:
    freedom = count_of(shape, dims) - correction
    return 2 / freedom if freedom else math.inf


def _apart(x: Any, dims: Dims) -> Any:
    return x - mean_row(x, dims, True)


def _var_vjp(g: Any, x: Any, dims: Dims, correction: float, keepdim: bool) -> Any:
    if correction == math.inf:
        return _beyond(g, x, dims, keepdim)
    scaled = g * _scale(x.shape, dims, correction)
    return spread(scaled, x.shape, dims, keepdim) * _apart(x, dims)


def _var_jvp(x_t: Any, x: Any, dims: Dims, correction: float, keepdim: bool) -> Any:
    moved = sum_row(inner(_apart(x, dims), x_t), dims, keepdim)
    return moved * _scale(x.shape, dims, correction)


def _of_root(g: Any, out: Any) -> Any:
    """Through the root; zero where all elements are equal, as in PyTorch, not infinite."""
    return quotient_or_zero(g, out * 2)


def _std_vjp(g: Any, x: Any, out: Any, dims: Dims, correction: float, keepdim: bool) -> Any:
    return _var_vjp(_of_root(g, out), x, dims, correction, keepdim)


def _std_jvp(x_t: Any, x: Any, out: Any, dims: Dims, correction: float, keepdim: bool) -> Any:
    one = np.ones(out.shape, dtypes.of(out).numpy)
    return _var_jvp(x_t, x, dims, correction, keepdim) * _of_root(one, out)


def _mean_vjp(g: Any, shape: Dims, dims: Dims, keepdim: bool) -> Any:
    return spread(g / max(count_of(shape, dims), 1), shape, dims, keepdim)


def _pair_vjp(g: Any, width: Any, x: Any, dims: Dims, keepdim: bool) -> tuple[Any]:
    """Both outputs' gradients together; ``width`` is what came through the first, or None."""
    mean = None if g[1] is None else _mean_vjp(g[1], x.shape, dims, keepdim)
    return (width if mean is None else mean if width is None else width + mean,)


def _var_mean_vjp(
    g: Any, needs: Any, x: Any, dims: Dims, correction: float, keepdim: bool
) -> tuple[Any]:
    width = None if g[0] is None else _var_vjp(g[0], x, dims, correction, keepdim)
    return _pair_vjp(g, width, x, dims, keepdim)


def _std_mean_vjp(
    g: Any, needs: Any, x: Any, std: Any, dims: Dims, correction: float, keepdim: bool
) -> tuple[Any]:
    width = None if g[0] is None else _std_vjp(g[0], x, std, dims, correction, keepdim)
    return _pair_vjp(g, width, x, dims, keepdim)


OPTIONS = "dims correction keepdim"
var_row = define(
    "var", "reduction", _var,
    options=OPTIONS, x=_var_vjp, jvp=_var_jvp, infer=infer_reduced, conjugate=False,
)  # fmt: skip
std_row = define(
    "std", "reduction", _std,
    options=OPTIONS, x=_std_vjp, jvp=_std_jvp, infer=infer_reduced, conjugate=False,
)  # fmt: skip
var_mean_row = define(
    "var_mean", "reduction", _var_mean,
    options=OPTIONS, outputs="var mean", vjp=_var_mean_vjp,
    jvp=lambda x_t, x, dims, correction, keepdim: (
        _var_jvp(x_t, x, dims, correction, keepdim),
        mean_row(x_t, dims, keepdim),
    ),
    infer=infer_reduced, conjugate=False,
)  # fmt: skip
std_mean_row = define(
    "std_mean", "reduction", _std_mean,
    options=OPTIONS, outputs="std mean", vjp=_std_mean_vjp,
    jvp=lambda x_t, x, std, dims, correction, keepdim: (
        _std_jvp(x_t, x, std, dims, correction, keepdim),
        mean_row(x_t, dims, keepdim),
    ),
    infer=infer_reduced, conjugate=False, saved="std=result0",
)  # fmt: skip

# -- the public functions -----------------------------------------------------------------------


def _spread_of(
    name: str, row: Any, input: Any, dim: Any, unbiased: Any, keepdim: Any, correction: Any,
    names: dict[str, Any],
) -> Any:  # fmt: skip
    if names:
        dim, keepdim = numpy_spelling(name, names, dim, keepdim)
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None:
        if not isinstance(unbiased, bool):
            raise TypeError(f"{name}(): unbiased must be a bool, not {type(unbiased).__name__}")
        if correction is not None:
            raise TypeError(f"{name}() got both unbiased and correction; unbiased=False is 0")
    shape = shape_of(name, input)
    dims = normalise_dims(dim, len(shape))
    if dtypes.of(input).category < dtypes.FLOATING:
        raise RuntimeError(
            f"{name}(): only floating-point and complex inputs have one, but this is "
            f"{dtypes.of(input)!r}; convert it first, as in x.float()"
        )
    if correction is None:
        correction = 0 if unbiased is False else 1
    used = correction
    if count_of(shape, dims) <= correction:
        if dim is None:
            used = math.inf  # which formula the gradient has; the value is the same
        warn(
            f"{name}(): degrees of freedom is <= 0: {count_of(shape, dims)} elements with a "
            f"correction of {correction} give NaN or infinity"
        )
    return row(input, dims, used, flag(name, keepdim))


@public(out="cast")
def var(
    input: Any, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Variance of all elements, or along ``dim``: squares' sum over the count less ``correction``.

    ``correction`` is 1, or 0 with ``unbiased=False``. Raises ``RuntimeError`` for integers,
    ``IndexError`` for a dim that is not there.

    >>> import adjoint as torch
    >>> torch.var(torch.tensor([1.0, 2.0, 4.0]))
    tensor(2.3333)
    """
    return _spread_of("var", var_row, input, dim, unbiased, keepdim, correction, numpy_names)


@public(out="cast")
def std(
    input: Any, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Standard deviation of all elements, or along ``dim``: the root of ``var``.

    Its gradient is zero where all elements are equal. Raises as ``var``.

    >>> import adjoint as torch
    >>> torch.std(torch.tensor([1.0, 2.0, 4.0]), correction=0)
    tensor(1.2472)
    """
    return _spread_of("std", std_row, input, dim, unbiased, keepdim, correction, numpy_names)


@public(method=False)
def var_mean(
    input: Any, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Variance and mean, of all elements or along ``dim``, as a pair. Raises as ``var``.

    >>> import adjoint as torch
    >>> torch.var_mean(torch.tensor([1.0, 2.0, 4.0]))
    (tensor(2.3333), tensor(2.3333))
    """
    return _spread_of(
        "var_mean", var_mean_row, input, dim, unbiased, keepdim, correction, numpy_names
    )


@public(method=False)
def std_mean(
    input: Any, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None, **numpy_names: Any,
) -> Any:  # fmt: skip
    """Standard deviation and mean, of all elements or along ``dim``, as a pair. Raises as ``var``.

    >>> import adjoint as torch
    >>> torch.std_mean(torch.tensor([1.0, 2.0, 4.0]), correction=0)
    (tensor(1.2472), tensor(2.3333))
    """
    return _spread_of(
        "std_mean", std_mean_row, input, dim, unbiased, keepdim, correction, numpy_names
    )
