"""Losses that ask for a margin between the scores of classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.activation_piecewise import relu_row
from adjoint.ops.contraction import require_tensors
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.lossy import reduction_of, refuse_gradient
from adjoint.ops.movement import reshape_row
from adjoint.ops.picking import pick_row
from adjoint.ops.reduction import sum_row
from adjoint.ops.selection import zero_where

# -- where the targets are ------------------------------------------------------------------------


def _classes(target: Any, count: int) -> Any:
    """Where each example's class is, (..., N) to (..., N, count); checked where it is data."""
    if target.size and not ((target >= 0) & (target < count)).all():
        raise RuntimeError(f"multi_margin_loss: target out of range: there are {count} classes")
    return target[..., None] == np.arange(count)


def _infer_classes(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return (*inputs[0].shape, options[0]), dtypes.bool_


def _listed(target: Any) -> tuple[Any, Any, Any]:
    """Lists of classes that end at -1: the classes (0 after the end), the end, who is a class."""
    count = target.shape[-1]
    if target.size and not ((target >= -1) & (target < count)).all():
        raise RuntimeError(
            f"multilabel_margin_loss: target out of range: there are {count} classes, and -1 ends "
            "their list"
        )
    ended = np.logical_or.accumulate(target < 0, -1)
    classes = np.where(ended, 0, target)
    chosen = (classes[..., None] == np.arange(count)) & ~ended[..., None]
    return classes, ended, chosen.any(-2)


def _infer_listed(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> list[Fact]:
    shape = tuple(inputs[0].shape)
    return [(shape, dtypes.int64), (shape, dtypes.bool_), (shape, dtypes.bool_)]


class_mask_row = define(
    "class_mask", "indexing", _classes, options="count", infer=_infer_classes, low_precision=False
)
class_list_row = define(
    "class_list", "indexing", _listed, outputs="classes ended chosen", infer=_infer_listed,
    low_precision=False,
)  # fmt: skip

# -- checks and sums ------------------------------------------------------------------------------


def _check(name: str, input: Any, target: Any) -> None:
    require_tensors(name, input, target)
    shape = tuple(input.shape)
    if len(shape) > 2 or 0 in shape[-1:]:
        raise RuntimeError(
            f"{name}: Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{describe_shape(shape)}"
        )
    kind = dtypes.of(input)
    if kind is not dtypes.float32 and kind is not dtypes.float64:
        raise NotImplementedError(f"{name} is not implemented for {kind!r}; convert with .float()")
    if dtypes.of(target) is not dtypes.int64:
        raise RuntimeError(f"{name}: expected target type Long but found {dtypes.of(target)!r}")


def _total(name: str, losses: Any, reduction: str) -> Any:
    """The reduction of the losses of N examples, from a node of PyTorch's name."""
    if reduction != "none":
        count = losses.shape[-1]
        losses = sum_row(losses, (-1,), False)
        if reduction == "mean":
            losses = losses / (count or 1)  # PyTorch's mean of none is 0
    return rename(losses, name)


@public(namespaces=FUNCTIONAL, method=False)
def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """How far other classes' scores come within ``margin`` of the target's, over all classes.

    ``input`` is (N, C) with targets (N), or (C) with one; the distances are raised to ``p``, 1 or
    2, and ``weight`` has a number for each class. Raises ``ValueError`` for another ``p``, and
    ``RuntimeError`` for other shapes and for a class there is not.

    >>> scores = torch.tensor([[0.0, 3.0, 0.5]])
    >>> torch.nn.functional.multi_margin_loss(scores, torch.tensor([0]))
    tensor(1.8333)
    """
    name = "multi_margin_loss"
    reduction = reduction_of(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"{name}: only p == 1 and p == 2 supported, but got {p}")
    _check(name, input, target)
    shape = tuple(input.shape)
    count, examples = (shape[-1] if shape else 1), (shape[0] if len(shape) == 2 else 1)
    if target.numel() != examples or len(target.shape) > 1:
        raise RuntimeError(
            f"{name}: target tensor should be 1-D with size {examples} for an input of shape "
            f"{describe_shape(shape)}, but its shape is {describe_shape(target.shape)}"
        )
    if weight is not None:
        require_tensors(name, weight)
        refuse_gradient(name, weight=weight)
        if tuple(weight.shape) != (count,):
            raise RuntimeError(
                f"{name}: inconsistent weight size, expected {count} but got "
                f"{describe_shape(weight.shape)}"
            )
        if dtypes.of(weight) is not dtypes.of(input):
            raise RuntimeError(
                f"{name}: expected a weight of {dtypes.of(input)!r} but found {dtypes.of(weight)!r}"
            )
    scores = reshape_row(input, (examples, count))
    classes = reshape_row(target, (examples,))
    own = class_mask_row(classes, count)
    index = reshape_row(classes, (examples, 1))
    short = zero_where(own, relu_row(scores - pick_row(scores, index, -1) + margin))
    if p == 2:
        short = short * short
    if weight is not None:
        short = short * reshape_row(pick_row(weight, classes, -1), (examples, 1))
    losses = sum_row(short, (-1,), False) / count
    if len(shape) < 2 and reduction == "none" and not target.shape:
        return rename(reshape_row(losses, ()), "MultiMarginLossBackward0")
    return _total("MultiMarginLossBackward0", losses, reduction)


@public(namespaces=FUNCTIONAL, method=False)
def multilabel_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """How far scores of other classes come within 1 of those of the target classes, over classes.

    ``input`` is (N, C) or (C), and ``target`` of the same shape lists classes, up to the first -1.
    Raises ``RuntimeError`` for other shapes, and for a class there is not.

    >>> scores = torch.tensor([[0.1, 0.2, 0.4, 0.8]])
    >>> classes = torch.tensor([[3, 0, -1, 1]])
    >>> torch.nn.functional.multilabel_margin_loss(scores, classes)
    tensor(0.8500)
    """
    name = "multilabel_margin_loss"
    reduction = reduction_of(reduction, size_average, reduce)
    _check(name, input, target)
    shape = tuple(input.shape)
    if tuple(target.shape) != shape and not (not shape and tuple(target.shape) == (1,)):
        raise RuntimeError(
            f"{name}: inconsistent target size: {describe_shape(target.shape)} for input of size "
            f"{describe_shape(shape)}"
        )
    count, examples = (shape[-1] if shape else 1), (shape[0] if len(shape) == 2 else 1)
    scores = reshape_row(input, (examples, count))
    classes, ended, chosen = class_list_row(reshape_row(target, (examples, count)))
    wanted = reshape_row(pick_row(scores, classes, -1), (examples, count, 1))
    # From each listed class (a row) to each that is not one (a column).
    short = relu_row(reshape_row(scores, (examples, 1, count)) - wanted + 1)
    short = zero_where(reshape_row(ended, (examples, count, 1)), short)
    short = zero_where(reshape_row(chosen, (examples, 1, count)), short)
    losses = sum_row(short, (-2, -1), False) / count
    if len(shape) < 2 and reduction == "none":
        losses = reshape_row(losses, ())
        return rename(losses, "MultilabelMarginLossBackward0")
    return _total("MultilabelMarginLossBackward0", losses, reduction)
