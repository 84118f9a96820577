"""Cross entropies between two outcomes: of probabilities, and of their logits."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.activation import logsigmoid_row
from adjoint.ops.complex_parts import abs as absolute
from adjoint.ops.contraction import require_tensors
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import finish
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Row
from adjoint.ops.lossy import (
    ONE,
    REDUCTIONS,
    ZERO,
    infer_loss,
    plain_pair,
    reduce_array,
    reduce_value,
    reduced,
    reduction_of,
    refuse_gradient,
    require_floating,
    scale,
    stretched,
)
from adjoint.ops.reduction import sum
from adjoint.ops.selection import clamp_max, clamp_min
from adjoint.ops.transcendental import exp, log, log1p, sigmoid, sigmoid_of
from adjoint.shapes import broadcast_shapes
from adjoint.tape.engine import rows

ndarray = np.ndarray
min_reduce: Any = np.minimum.reduce
max_reduce: Any = np.maximum.reduce
# Up to here one ufunc that is not vectorised is quicker than five that are.
_FEW = 96


# -- of logits ----------------------------------------------------------------------------------


def _logits_array(
    x: Any, y: Any, weight: Any, pos_weight: Any, reduction: str, rank: int
) -> Any:
    """``(1 - y) x + log(1 + exp(-x))``, which loses nothing where the exponential would overflow."""
    kind = x.dtype
    if x.size <= _FEW:
        out = np.logaddexp(np.negative(x), ZERO[kind])
    else:
        out = np.abs(x)
        np.negative(out, out)
        np.exp(out, out)
        np.log1p(out, out)
        out -= np.minimum(x, ZERO[kind])
    if pos_weight is not None:
        out *= (pos_weight - 1) * y + 1
    rest = np.subtract(ONE[kind], y)
    rest *= x
    out += rest
    if weight is not None:
        out *= weight
    return reduce_array(out, reduction, rank)


def _logits_slope(x: Any, y: Any, pos_weight: Any) -> Any:
    plain = type(x) is ndarray and (x.dtype is FLOAT32 or x.dtype is FLOAT64)
    likely = sigmoid_of(x) if plain else sigmoid(x)
    if pos_weight is None:
        return likely - y
    heavy = pos_weight * y
    return (heavy + (1 - y)) * likely - heavy


def _logits_target_slope(x: Any, pos_weight: Any) -> Any:
    return -x if pos_weight is None else -x - (pos_weight - 1) * logsigmoid_row(x)


def _logits_vjp(
    g: Any, needs: Any, x: Any, y: Any, weight: Any, pos_weight: Any, reduction: str, rank: int
) -> tuple[Any, ...]:
    factor = scale(g, reduction, rank, x.shape)
    if weight is not None:
        factor = weight * factor
    x_slope = _logits_slope(x, y, pos_weight) * factor if needs[0] else None
    y_slope = _logits_target_slope(x, pos_weight) * factor if needs[1] else None
    return x_slope, y_slope, None, None


def _logits_jvp(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    x, y, weight, pos_weight = primals
    slopes = (_logits_slope(x, y, pos_weight), _logits_target_slope(x, pos_weight))
    return _push(row, slopes, tangents, weight, options)


def _push(row: Row, slopes: Any, tangents: tuple[Any, ...], weight: Any, options: Any) -> Any:
    """Forward mode of a weighted loss from its slopes in input and target."""
    if any(each is not None for each in tangents[2:]):
        raise RuntimeError(f"{row.name} is not differentiable with respect to its weights")
    parts = [slope * t for slope, t in zip(slopes, tangents, strict=False) if t is not None]
    moved = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    return reduce_value(moved if weight is None else moved * weight, *options)


def _logits_decomposed(
    x: Any, y: Any, weight: Any, pos_weight: Any, reduction: str, rank: int
) -> Any:
    unlikely = log1p(exp(-absolute(x))) - clamp_max(x, 0)
    if pos_weight is not None:
        unlikely = unlikely * ((pos_weight - 1) * y + 1)
    out = (1 - y) * x + unlikely
    return reduce_value(out if weight is None else out * weight, reduction, rank)


logits_row: Any = define(
    "binary_cross_entropy_with_logits", "loss", _logits_array,
    inputs="x y weight pos_weight", options="reduction rank",
    vjp=_logits_vjp, infer=infer_loss, promote="same", decompose=_logits_decomposed,
)  # fmt: skip
logits_row.row.jvp = _logits_jvp


@public(namespaces=FUNCTIONAL, method=False)
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """Cross entropy of probabilities ``target`` and ``sigmoid(input)``, element by element.

    ``weight`` multiplies the losses and ``pos_weight`` their part that has the target as factor;
    both stretch to the input's shape. Raises ``ValueError`` for a target of another shape.

    >>> torch.nn.functional.binary_cross_entropy_with_logits(torch.zeros(2), torch.ones(2))
    tensor(0.6931)
    """
    if size_average is not None or reduce is not None or reduction not in REDUCTIONS:
        reduction = reduction_of(reduction, size_average, reduce)
    if weight is None and pos_weight is None and plain_pair(input, target):
        x = input._array
        options = (reduction, x.ndim)
        try:
            out = _logits_array(x, target._array, None, None, *options)
        except (RuntimeWarning, FloatingPointError):
            return logits_row(input, target, None, None, *options)
        return finish(_LOGITS, out, input._level, (input, target, None, None), options)
    return _logits_checked(input, target, weight, pos_weight, reduction)


_LOGITS: Row = logits_row.row


def _logits_checked(input: Any, target: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    """The general path: weights, any kind of value, and the errors."""
    name = "binary_cross_entropy_with_logits"
    require_tensors(name, input, target)
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"Target size ({describe_shape(target.shape)}) must be the same as input size "
            f"({describe_shape(input.shape)})"
        )
    require_floating(name, input)
    if dtypes.of(target).category < dtypes.FLOATING:
        raise RuntimeError(f"{name}: the target is {dtypes.of(target)!r}; convert with .float()")
    refuse_gradient(name, weight=weight, pos_weight=pos_weight)
    kind = dtypes.result_type((input, target))
    weight = _fitted(name, weight, input, kind)
    pos_weight = _fitted(name, pos_weight, input, kind)
    return logits_row(input, target, weight, pos_weight, reduction, len(input.shape))


def _fitted(name: str, weight: Any, input: Any, kind: dtypes.dtype) -> Any:
    """A weight in the shape of the input and in the type to compute in."""
    if weight is None:
        return None
    require_tensors(name, weight)
    shape = tuple(input.shape)
    if broadcast_shapes(tuple(weight.shape), shape) != shape:
        raise RuntimeError(
            f"{name}: a weight of shape {describe_shape(weight.shape)} does not stretch to the "
            f"input's {describe_shape(shape)}"
        )
    if dtypes.of(weight) is not kind:
        weight = rows.to_dtype(weight, kind)
    return stretched(weight, shape)


# -- of probabilities ---------------------------------------------------------------------------


def _probable_array(x: Any, y: Any, weight: Any, reduction: str, rank: int) -> Any:
    if x.size:
        for values, what in ((x, "input"), (y, "target")):
            if not (min_reduce(values, None) >= 0 and max_reduce(values, None) <= 1):
                raise RuntimeError(
                    f"all elements of {what} should be between 0 and 1, as probabilities are; "
                    "binary_cross_entropy_with_logits takes any numbers"
                )
    floor = x.dtype.type(_FLOOR)
    out = np.log1p(-x)
    out = np.maximum(out, floor)
    out *= y - 1
    out -= np.maximum(np.log(x), floor) * y
    if weight is not None:
        out *= weight
    return reduce_array(out, reduction, rank)


# PyTorch's bounds: a probability of 0 costs 100, and slopes stay finite.
_FLOOR = -100.0
_STEEPEST = 1e-12


def _probable_slope(x: Any, y: Any) -> Any:
    return (x - y) / clamp_min((1 - x) * x, _STEEPEST)


def _probable_target_slope(x: Any) -> Any:
    return log1p(-x) - log(x)  # not bounded as the loss is, in PyTorch either


def _probable_vjp(
    g: Any, needs: Any, x: Any, y: Any, weight: Any, reduction: str, rank: int
) -> tuple[Any, ...]:
    factor = scale(g, reduction, rank, x.shape)
    if weight is not None:
        factor = weight * factor
    x_slope = _probable_slope(x, y) * factor if needs[0] else None
    y_slope = _probable_target_slope(x) * factor if needs[1] else None
    return x_slope, y_slope, None


def _probable_jvp(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    x, y, weight = primals
    slopes = (_probable_slope(x, y), _probable_target_slope(x))
    return _push(row, slopes, tangents, weight, options)


def _probable_decomposed(x: Any, y: Any, weight: Any, reduction: str, rank: int) -> Any:
    out = (y - 1) * clamp_min(log1p(-x), _FLOOR) - y * clamp_min(log(x), _FLOOR)
    return reduce_value(out if weight is None else out * weight, reduction, rank)


probable_row: Any = define(
    "binary_cross_entropy", "loss", _probable_array,
    inputs="x y weight", options="reduction rank",
    vjp=_probable_vjp, infer=infer_loss, decompose=_probable_decomposed,
)  # fmt: skip
probable_row.row.jvp = _probable_jvp


@public(namespaces=FUNCTIONAL, method=False)
def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Cross entropy of probabilities ``target`` and ``input``, element by element.

    Logarithms stop at -100. Raises ``ValueError`` for a target of another shape, and
    ``RuntimeError`` for elements outside [0, 1] or a mixture of types.

    >>> torch.nn.functional.binary_cross_entropy(torch.tensor([0.5]), torch.tensor([1.0]))
    tensor(0.6931)
    """
    name = "binary_cross_entropy"
    reduction = reduction_of(reduction, size_average, reduce)
    require_tensors(name, input, target)
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"Using a target size ({describe_shape(target.shape)}) that is different to the input "
            f"size ({describe_shape(input.shape)}) is deprecated. Please ensure they have the same "
            "size."
        )
    kind = dtypes.of(input)
    if kind is not dtypes.of(target):
        raise RuntimeError(f"Found dtype {dtypes.of(target)!r} but expected {kind!r}")
    require_floating(name, input)
    refuse_gradient(name, weight=weight)
    weight = _fitted(name, weight, input, kind)
    return probable_row(input, target, weight, reduction, len(input.shape))


# -- several labels at once ---------------------------------------------------------------------


@public(namespaces=FUNCTIONAL, method=False)
def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Mean over the last dimension of the cross entropies of ``target`` and ``sigmoid(input)``.

    Raises ``RuntimeError`` where the shapes do not broadcast.

    >>> labels = torch.tensor([[1.0, 0.0]])
    >>> torch.nn.functional.multilabel_soft_margin_loss(torch.zeros(1, 2), labels)
    tensor(0.6931)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    require_tensors("multilabel_soft_margin_loss", input, target)
    losses = -(target * logsigmoid_row(input) + (1 - target) * logsigmoid_row(-input))
    if weight is not None:
        losses = losses * weight
    losses = sum(losses, -1) / input.shape[-1]
    return reduced(losses, reduction)
