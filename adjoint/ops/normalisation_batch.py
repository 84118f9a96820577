"""Normalisation of channels over the batch, by its own statistics or by those kept from others."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.sums import accurate_sum
from adjoint.errors import describe_shape
from adjoint.ops.contraction import require_tensors
from adjoint.ops.inplace import overwrite
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import finish
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Row
from adjoint.ops.lossy import refuse_gradient
from adjoint.ops.movement import clone, expand_row, reshape_row
from adjoint.ops.normalisation import infer_first, plain
from adjoint.ops.normalisation_channels import (
    affine,
    affine_jvp,
    affine_vjp,
    aligned,
    batch_channels,
    check_channels,
)
from adjoint.ops.powers import rsqrt
from adjoint.ops.reducing import add_reduce, refuse_dtype
from adjoint.ops.reduction import mean_row
from adjoint.shapes import product
from adjoint.tape.engine import rows
from adjoint.tape.modes import no_grad
from adjoint.tape.tensor import wrap

ndarray = np.ndarray

# -- by the batch's own statistics --------------------------------------------------------------


def _average(v: Any, trailing: int) -> Any:
    """Mean of each channel, over dimensions that stay."""
    shape = tuple(v.shape)
    if type(v) is ndarray and (v.dtype is FLOAT32 or v.dtype is FLOAT64):
        front = shape[: len(shape) - trailing - 2]
        lines = v
        if trailing:
            lines = add_reduce(v.reshape((*front, *shape[len(front) : len(front) + 2], -1)), -1)
        total = accurate_sum(lines, (-2,), True)
        total /= v.size // total.size
        return total.reshape((*total.shape, *(1,) * trailing))
    return mean_row(v, (-trailing - 2, *range(-trailing, 0)), True)


def _statistics(x: Any, trailing: int) -> tuple[Any, Any, Any]:
    """Mean and (biased) variance of each channel, and the input less the mean."""
    mean = _average(x, trailing)
    centred = x - mean
    return mean, _average(centred * centred, trailing), centred


def _batch_normal(x: Any, trailing: int, eps: float, kept: Any) -> tuple[Any, Any]:
    if kept is not None and type(x) is ndarray:
        found: tuple[Any, Any] = kept
        return found
    _, variance, centred = _statistics(x, trailing)
    inverse = rsqrt(variance + eps)
    return centred * inverse, inverse


def _batch_norm(x: Any, weight: Any, bias: Any, trailing: int, eps: float, kept: Any) -> Any:
    return affine(_batch_normal(x, trailing, eps, None)[0], weight, bias, trailing)


def _batch_moves(normal: Any, inverse: Any, trailing: int) -> Any:
    def moves(v: Any) -> Any:
        along = normal * _average(v * normal, trailing)
        return inverse * (v - _average(v, trailing) - along)

    return moves


def _batch_vjp(
    g: Any, needs: Any, x: Any, weight: Any, trailing: int, eps: float, kept: Any
) -> tuple[Any, Any, Any]:
    normal, inverse = _batch_normal(x, trailing, eps, kept)
    moves = _batch_moves(normal, inverse, trailing)
    return affine_vjp(g, needs, normal, moves, weight, trailing)


def _batch_jvp(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    x, weight, _ = primals
    trailing, eps, _ = options
    normal, inverse = _batch_normal(x, trailing, eps, None)
    moves = _batch_moves(normal, inverse, trailing)
    return affine_jvp(normal, moves, weight, tangents, trailing, out)


batch_norm_row: Any = define(
    "batch_norm", "fused", _batch_norm, inputs="x weight bias", options="trailing eps kept",
    vjp=_batch_vjp, batch=batch_channels, infer=infer_first,
    decompose=lambda x, weight, bias, trailing, eps, kept: affine(
        _batch_normal(x, trailing, eps, None)[0], weight, bias, trailing
    ),
    node_name="NativeBatchNormBackward0", saved="x=input",
)  # fmt: skip
batch_norm_row.row.jvp = _batch_jvp


# -- by statistics that are given ---------------------------------------------------------------


def _given_norm(
    x: Any, mean: Any, variance: Any, weight: Any, bias: Any, trailing: int, eps: float
) -> Any:
    factor = 1 / np.sqrt(variance + eps)
    if weight is not None:
        factor = factor * weight
    out = x * aligned(factor, trailing)
    shift = -mean * factor if bias is None else bias - mean * factor
    out += aligned(shift, trailing)
    return out


def _given_value(x: Any, mean: Any, variance: Any, trailing: int, eps: float) -> tuple[Any, Any]:
    inverse = aligned(rsqrt(variance + eps), trailing)
    return (x - aligned(mean, trailing)) * inverse, inverse


def _given_vjp(
    g: Any, needs: Any, x: Any, mean: Any, variance: Any, weight: Any, trailing: int, eps: float
) -> tuple[Any, ...]:
    normal, inverse = _given_value(x, mean, variance, trailing, eps)
    needs = (needs[0], needs[3], needs[4])
    x_bar, weight_bar, bias_bar = affine_vjp(
        g, needs, normal, lambda v: v * inverse, weight, trailing
    )
    return x_bar, None, None, weight_bar, bias_bar


def _given_jvp(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    x, mean, variance, weight, _ = primals
    x_t, mean_t, variance_t, weight_t, bias_t = tangents
    if mean_t is not None or variance_t is not None:
        raise RuntimeError("batch_norm is not differentiable with respect to running statistics")
    trailing, eps = options
    normal, inverse = _given_value(x, mean, variance, trailing, eps)
    moved = (x_t, weight_t, bias_t)
    return affine_jvp(normal, lambda v: v * inverse, weight, moved, trailing, out)


given_norm_row: Any = define(
    "batch_norm_given", "fused", _given_norm,
    inputs="x mean variance weight bias", options="trailing eps",
    vjp=_given_vjp, batch=batch_channels, infer=infer_first,
    decompose=lambda x, mean, variance, weight, bias, trailing, eps: affine(
        _given_value(x, mean, variance, trailing, eps)[0], weight, bias, trailing
    ),
    node_name="NativeBatchNormBackward0", saved="x=input mean=running_mean variance=running_var",
)  # fmt: skip
given_norm_row.row.jvp = _given_jvp


# -- what users call ----------------------------------------------------------------------------


@public(namespaces=("nn.functional",), method=False)
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Channels, the second dimension, less their mean, over their standard deviation.

    In ``training`` these are the batch's, and the running ones, where given, move a part
    ``momentum`` of the way to them; otherwise they are the running ones. ``weight`` and ``bias``
    (C) follow. Raises ``RuntimeError`` for other shapes and types, ``ValueError`` for a batch of
    one element.

    >>> torch.nn.functional.batch_norm(torch.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    name = "batch_norm"
    require_tensors(name, input)
    shape = tuple(input.shape)
    if training and _count(shape) == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, got input size "
            f"{describe_shape(shape)}"
        )
    refuse_dtype(name, input, (dtypes.BOOL, dtypes.INTEGER, dtypes.COMPLEX), NotImplementedError)
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    if 0 in shape:
        return _of_nothing(input, weight, bias)
    if not training:
        running_mean, running_var = _fractional(input, running_mean, running_var)
    check_channels(
        name, input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    refuse_gradient(name, running_mean=running_mean, running_var=running_var)
    if not training and (running_mean is None or running_var is None):
        missing = "running_mean" if running_mean is None else "running_var"
        raise RuntimeError(f"{name}: {missing} must be defined in evaluation mode")
    trailing = len(shape) - 2
    if not training:
        return given_norm_row(input, running_mean, running_var, weight, bias, trailing, eps)
    out, mean, variance = _by_the_batch((input, weight, bias), trailing, eps)
    if running_mean is not None:
        _move(running_mean, mean, momentum)
    if running_var is not None:
        count = _count(shape)
        _move(running_var, variance * (count / (count - 1)), momentum)
    return out


def _fractional(input: Any, *statistics: Any) -> list[Any]:
    """Statistics given as int64 or booleans, which PyTorch takes, in the type of the input."""
    kind = dtypes.of(input)
    return [
        rows.to_dtype(value, kind)
        if hasattr(value, "dtype") and dtypes.of(value) in (dtypes.bool_, dtypes.int64)
        else value
        for value in statistics
    ]


def _of_nothing(input: Any, weight: Any, bias: Any) -> Any:
    """Of no elements PyTorch checks nothing, and what is recorded is a copy."""
    out = clone(input)
    if weight is not None:
        out = out * weight[0]
    return out if bias is None else out + bias[0]


def _count(shape: tuple[int, ...]) -> int:
    if len(shape) < 2:
        raise IndexError(f"batch_norm: expected (N, C, ...), but got shape {describe_shape(shape)}")
    return shape[0] * product(shape[2:])


def _by_the_batch(values: tuple[Any, ...], trailing: int, eps: float) -> tuple[Any, Any, Any]:
    """The result, with mean and variance of the channels."""
    input = values[0]
    if not plain(values):
        out = batch_norm_row(*values, trailing, eps, None)
        with no_grad():
            mean, variance, _ = _statistics(input, trailing)
        return out, mean, variance
    arrays = [None if value is None else value._array for value in values]
    with np.errstate(all="ignore"):
        mean, variance, normal = _statistics(arrays[0], trailing)
        inverse = 1 / np.sqrt(variance + eps)
        normal *= inverse
        out = affine(normal, arrays[1], arrays[2], trailing)
    if out is normal:
        out = normal.copy()
    options = (trailing, eps, (normal, inverse))
    level = input._level
    tensor = finish(batch_norm_row.row, out, level, values, options)
    return tensor, wrap(mean, level), wrap(variance, level)


def _move(running: Any, found: Any, momentum: float) -> None:
    """Let running statistics go a part of the way to those found, in place."""
    with no_grad():
        found = reshape_row(found, tuple(running.shape))
        moved = running * (1 - momentum) + found * momentum
        overwrite(running, moved)


@public(namespaces=("nn.functional",), method=False)
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of each example, (N, C, ...), less its mean, over its standard deviation.

    Without ``use_input_stats`` the running statistics (C) are used; with it they are moved. Raises
    ``ValueError`` for channels of one element, ``RuntimeError`` for other shapes and types.

    >>> torch.nn.functional.instance_norm(torch.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    require_tensors("instance_norm", input)
    shape = tuple(input.shape)
    if use_input_stats and product(shape[2:]) == 1:
        raise ValueError(
            "Expected more than 1 spatial element when training, got input size "
            f"{describe_shape(shape)}"
        )
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    size, channels = shape[:2]
    if not use_input_stats:
        running_mean, running_var = _fractional(input, running_mean, running_var)
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight}
    check_channels("instance_norm", input, **given, bias=bias)
    repeated = [_repeat(value, size) for value in (running_mean, running_var, weight, bias)]
    flat = reshape_row(input, (1, size * channels, *shape[2:]))
    mean, variance, scale, shift = repeated
    out = batch_norm(flat, mean, variance, scale, shift, use_input_stats, momentum, eps)
    if use_input_stats:
        for running, found in zip((running_mean, running_var), repeated, strict=False):
            if running is not None:
                with no_grad():
                    overwrite(running, mean_row(reshape_row(found, (size, channels)), (-2,), False))
    return reshape_row(out, shape)


def _repeat(value: Any, size: int) -> Any:
    """A parameter (C) for each of so many examples, (N * C)."""
    if value is None:
        return None
    spread = expand_row(value, (size, *value.shape))
    return reshape_row(spread, (size * value.shape[0], *value.shape[1:]))
