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
from adjoint.tape.tensor import wrap

ndarray = np.ndarray
min_reduce: Any = np.minimum.reduce
max_reduce: Any = np.maximum.reduce
# Up to here one ufunc that is not vectorised is quicker than five that are.
_FEW = 96


# -- of logits ----------------------------------------------------------------------------------


def _unlikely(x: Any) -> Any:
    """``-log(sigmoid(x))`` of an array, which loses nothing where the exponential overflows."""
    zero = ZERO[x.dtype]
    if x.size <= _FEW:
        return np.logaddexp(np.negative(x), zero)
    out = np.abs(x)
    np.negative(out, out)
    np.exp(out, out)
    np.log1p(out, out)
    out -= np.minimum(x, zero)
    return out


def _logits_array(x: Any, y: Any, reduction: str, rank: int) -> Any:
    out = _unlikely(x)
    rest = np.subtract(ONE[x.dtype], y)
    rest *= x
    out += rest
    return reduce_array(out, reduction, rank)


def _logits_cotangent(g: Any, x: Any, y: Any, reduction: str, rank: int) -> Any:
    if type(x) is ndarray and type(g) is ndarray:
        kind = x.dtype
        if (kind is FLOAT32 or kind is FLOAT64) and kind is y.dtype and x.shape and x.size:
            out = sigmoid_of(x)
            np.subtract(out, y, out)
            if reduction == "mean" and x.ndim == rank:
                factor = np.array(g.item() / x.size, kind)
            else:
                factor = scale(g, reduction, rank, x.shape)
            return np.multiply(out, factor, out)
    return (sigmoid(x) - y) * scale(g, reduction, rank, x.shape)


def _unlikely_value(x: Any) -> Any:
    return log1p(exp(-absolute(x))) - clamp_max(x, 0)


logits_row: Any = define(
    "binary_cross_entropy_with_logits", "loss", _logits_array,
    inputs="x y", options="reduction rank",
    x=_logits_cotangent,
    y=lambda g, x, reduction, rank: -x * scale(g, reduction, rank, x.shape),
    jvp=lambda x, y, x_t, y_t, reduction, rank: reduce_value(
        (sigmoid(x) - y) * x_t - x * y_t, reduction, rank
    ),
    infer=infer_loss, promote="same",
    decompose=lambda x, y, reduction, rank: reduce_value(
        (1 - y) * x + _unlikely_value(x), reduction, rank
    ), saved="y=target",
)  # fmt: skip

# -- of logits, weighted: the weights, of the input's shape, have no derivative -------------------


def _weighted_array(x: Any, y: Any, weight: Any, heavy: Any, reduction: str, rank: int) -> Any:
    out = (1 - y) * x + _unlikely(x) * ((heavy - 1) * y + 1)
    return reduce_array(out * weight, reduction, rank)


def _weighted_slope(x: Any, y: Any, heavy: Any) -> Any:
    return (heavy * y + (1 - y)) * sigmoid(x) - heavy * y


def _weighted_target_slope(x: Any, heavy: Any) -> Any:
    return -x - (heavy - 1) * logsigmoid_row(x)


weighted_logits_row: Any = define(
    "binary_cross_entropy_with_logits_weighted", "loss", _weighted_array,
    inputs="x y weight heavy", options="reduction rank",
    x=lambda g, x, y, weight, heavy, reduction, rank: (
        _weighted_slope(x, y, heavy) * (weight * scale(g, reduction, rank, x.shape))
    ),
    y=lambda g, x, weight, heavy, reduction, rank: (
        _weighted_target_slope(x, heavy) * (weight * scale(g, reduction, rank, x.shape))
    ),
    jvp=lambda x, y, weight, heavy, x_t, y_t, reduction, rank: reduce_value(
        weight * (_weighted_slope(x, y, heavy) * x_t + _weighted_target_slope(x, heavy) * y_t),
        reduction, rank,
    ),
    infer=infer_loss, promote="same",
    decompose=lambda x, y, weight, heavy, reduction, rank: reduce_value(
        weight * ((1 - y) * x + _unlikely_value(x) * ((heavy - 1) * y + 1)), reduction, rank
    ),
    node_name="BinaryCrossEntropyWithLogitsBackward0",
)  # fmt: skip


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
            out = _logits_array(x, target._array, *options)
        except (RuntimeWarning, FloatingPointError):
            return logits_row(input, target, *options)
        return finish(_LOGITS, out, input._level, (input, target), options)
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
    if weight is None and pos_weight is None:
        require_floating(name, input, target)
        return logits_row(input, target, reduction, len(input.shape))
    kind = dtypes.result_type((input, target))
    one = wrap(np.ones((), kind.numpy))
    weight = _fitted(name, one if weight is None else weight, input, kind)
    heavy = _fitted(name, one if pos_weight is None else pos_weight, input, kind)
    return weighted_logits_row(input, target, weight, heavy, reduction, len(input.shape))


def _fitted(name: str, weight: Any, input: Any, kind: dtypes.dtype) -> Any:
    """A weight in the shape of the input and in the type to compute in."""
    require_tensors(name, weight)
    shape = tuple(input.shape)
    if broadcast_shapes(tuple(weight.shape), shape) != shape:
        raise RuntimeError(
            f"{name}: a weight of shape {describe_shape(weight.shape)} does not stretch to the "
            f"input's {describe_shape(shape)}"
        )
    if dtypes.of(weight) is not kind:
        if dtypes.of(weight).is_complex or kind.is_complex:
            raise RuntimeError(
                f"{name}: a weight of {dtypes.of(weight)!r} does not go with {kind!r}"
            )
        weight = rows.to_dtype(weight, kind)
    return stretched(weight, shape)


# -- of probabilities ---------------------------------------------------------------------------


# PyTorch's bounds: a probability of 0 costs 100, and slopes stay finite.
_FLOOR = -100.0
_STEEPEST = 1e-12


def _probable_array(x: Any, y: Any, weight: Any, reduction: str, rank: int) -> Any:
    if x.size:
        for values, what in ((x, "input"), (y, "target")):
            if not (min_reduce(values, None) >= 0 and max_reduce(values, None) <= 1):
                raise RuntimeError(
                    f"all elements of {what} should be between 0 and 1, as probabilities are; "
                    "binary_cross_entropy_with_logits takes any numbers"
                )
    floor = x.dtype.type(_FLOOR)
    out = np.maximum(np.log1p(-x), floor)
    out *= y - 1
    out -= np.maximum(np.log(x), floor) * y
    if weight is not None:
        out *= weight
    return reduce_array(out, reduction, rank)


def _weigh(values: Any, weight: Any) -> Any:
    return values if weight is None else values * weight


def _probable_slope(x: Any, y: Any) -> Any:
    return (x - y) / clamp_min((1 - x) * x, _STEEPEST)


def _probable_target_slope(x: Any) -> Any:
    return log1p(-x) - log(x)  # not bounded as the loss is, in PyTorch either


probable_row: Any = define(
    "binary_cross_entropy", "loss", _probable_array,
    inputs="x y weight", options="reduction rank",
    x=lambda g, x, y, weight, reduction, rank: (
        _weigh(_probable_slope(x, y), weight) * scale(g, reduction, rank, x.shape)
    ),
    y=lambda g, x, weight, reduction, rank: (
        _weigh(_probable_target_slope(x), weight) * scale(g, reduction, rank, x.shape)
    ),
    jvp=lambda x, y, weight, x_t, y_t, reduction, rank: reduce_value(
        _weigh(_probable_slope(x, y) * x_t + _probable_target_slope(x) * y_t, weight),
        reduction, rank,
    ),
    infer=infer_loss,
    decompose=lambda x, y, weight, reduction, rank: reduce_value(
        _weigh(
            (y - 1) * clamp_min(log1p(-x), _FLOOR) - y * clamp_min(log(x), _FLOOR), weight
        ),
        reduction, rank,
    ), saved="y=target",
)  # fmt: skip


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
    if weight is not None:
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
