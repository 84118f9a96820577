"""Covariance and correlation of variables, each a row of observations."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import div, mul, sub
from adjoint.ops.casting import conj
from adjoint.ops.complex_parts import complex, imag, real
from adjoint.ops.contraction import mm_row, swap_last
from adjoint.ops.dimensions import squeeze
from adjoint.ops.kinds.public import public
from adjoint.ops.reducing import Dims, refuse_dtype, reshape, shape_of
from adjoint.ops.reduction import sum_all, sum_row
from adjoint.ops.selection import clamp
from adjoint.ops.slicing import slice_row
from adjoint.ops.transcendental import sqrt
from adjoint.shapes import product
from adjoint.tape.tensor import Tensor


def _matrix(name: str, input: Any) -> Any:
    shape = shape_of(name, input)
    if len(shape) > 2:
        raise RuntimeError(
            f"{name}(): expected an input of two or fewer dimensions, variables by observations, "
            f"but got shape {describe_shape(shape)}"
        )
    refuse_dtype(name, input, (dtypes.BOOL,), RuntimeError)
    return input if len(shape) == 2 else reshape(input, (1, product(shape)))


def _checked_weights(name: str, weights: Any, count: int, integral: bool) -> Any:
    shape: Dims = shape_of("cov", weights, name)
    if len(shape) > 1 or product(shape) != count:
        raise RuntimeError(
            f"cov(): {name} needs one number for each of the {count} observations, but its shape "
            f"is {describe_shape(shape)}"
        )
    kind = dtypes.of(weights)
    if (kind.category == dtypes.INTEGER) != integral or kind.category in (
        dtypes.BOOL,
        dtypes.COMPLEX,
    ):
        wanted = "integral" if integral else "floating-point"
        raise RuntimeError(f"cov(): {name} must be {wanted}, but it is {kind!r}")
    values = _known(weights)
    if values is not None and (values < 0).any():
        raise RuntimeError(f"cov(): {name} cannot be negative, but its least is {values.min()}")
    return weights


def _known(value: Any) -> Any:
    """The memory of a value, None where a transform hides it."""
    array = value._array if isinstance(value, Tensor) else value
    return array if isinstance(array, np.ndarray) else None


def _freedom(total: Any, weights: Any, aweights: Any, correction: int) -> Any:
    """What the products' sum is divided by, at least 0: a number, or a value with weights."""
    if weights is None:
        freedom = total - correction
        below = freedom <= 0
    else:
        lost: Any = correction
        if aweights is not None and correction != 0:
            lost = div(mul(sum_all(mul(weights, aweights)), correction), total)
        freedom = sub(total, lost)
        values = _known(freedom)
        if values is not None and _known(total) == 0:
            raise RuntimeError("cov(): the weights sum to zero, so there is no mean")
        below = values is not None and bool(values <= 0)
        freedom = clamp(freedom, 0)
    if below:
        warnings.warn(
            "cov(): degrees of freedom is <= 0: too few observations for a correction of "
            f"{correction} give NaN or infinity",
            UserWarning,
            stacklevel=3,
        )
    return max(freedom, 0) if weights is None else freedom


@public()
def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """Covariance matrix of variables, the rows of ``input`` (one, if it is a vector).

    ``fweights`` says how often each observation was made, ``aweights`` how much it counts. Raises
    ``RuntimeError`` for more than two dimensions, booleans, and weights that do not fit.

    >>> import adjoint as torch
    >>> torch.cov(torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    x = _matrix("cov", input)
    count = x.shape[1]
    weights = None
    if fweights is not None:
        weights = _checked_weights("fweights", fweights, count, True)
    if aweights is not None:
        aweights = _checked_weights("aweights", aweights, count, False)
        weights = aweights if weights is None else mul(weights, aweights)
    total = count if weights is None else sum_all(weights)
    freedom = _freedom(total, weights, aweights, correction)
    mean = div(sum_row(x if weights is None else mul(x, weights), (-1,), True), total)
    apart = sub(x, mean)
    other = apart if weights is None else mul(apart, weights)
    if dtypes.of(other).is_complex:
        other = conj(other)
    return squeeze(div(mm_row(apart, swap_last(other)), freedom))


@public()
def corrcoef(input: Any) -> Any:
    """Correlation matrix of variables, the rows of ``input`` (one, if it is a vector).

    Raises ``RuntimeError`` for more than two dimensions and for booleans.

    >>> import adjoint as torch
    >>> torch.corrcoef(torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    _matrix("corrcoef", input)
    covariance = cov(input)
    if not covariance.shape:
        return div(covariance, covariance)
    count = covariance.shape[0]
    variances = slice_row(reshape(covariance, (count * count,)), -1, 0, count * count, count + 1)
    deviations = sqrt(real(variances))
    out = div(div(covariance, reshape(deviations, (count, 1))), reshape(deviations, (1, count)))
    if dtypes.of(out).is_complex:
        return complex(clamp(real(out), -1, 1), clamp(imag(out), -1, 1))
    return clamp(out, -1, 1)
