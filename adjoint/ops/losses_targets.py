"""``nll_loss`` and ``cross_entropy`` as users call them: their shapes, targets and errors."""

from __future__ import annotations

from typing import Any

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.contraction import require_tensors
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.losses_classes import (
    cross_entropy_row,
    nll_row,
    plain_pair,
    quick_cross_entropy,
    quick_nll,
)
from adjoint.ops.lossy import REDUCTIONS, reduction_of, refuse_gradient
from adjoint.ops.movement import permute_row, reshape_row
from adjoint.ops.reducing import refuse_dtype
from adjoint.ops.reduction import sum_all, sum_row
from adjoint.ops.selection import where_row
from adjoint.ops.softmax import log_softmax_row
from adjoint.shapes import product

Shape = tuple[int, ...]


@public(namespaces=FUNCTIONAL, method=False)
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Minus the log-probability of each target class: (N, C, ...) and (N, ...), or (C) and ().

    ``weight`` has a number for each class; targets of ``ignore_index`` do not count. Raises
    ``IndexError`` for a class there is not, ``ValueError`` or ``RuntimeError`` for other shapes,
    ``NotImplementedError`` for scores that are not floating.

    >>> scores = torch.tensor([[-1.0, -2.0], [-3.0, -4.0]])
    >>> torch.nn.functional.nll_loss(scores, torch.tensor([0, 1]))
    tensor(2.5000)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if weight is None and plain_pair(input, target):
        return quick_nll(input, target, ignore_index, reduction)
    _check("nll_loss", input, target, weight)
    if dtypes.of(input).category != dtypes.FLOATING:
        raise NotImplementedError(
            f"nll_loss is not implemented for {dtypes.of(input)!r}; convert with .float()"
        )
    scores, classes, shape = _folded(input, target)
    out = nll_row(scores, classes, weight, scores.shape[-1], ignore_index, reduction)
    return _unfolded(out, shape, len(input.shape), reduction)


@public(namespaces=FUNCTIONAL, method=False)
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Cross entropy of ``softmax(input)`` and classes: (N, C, ...) and (N, ...), or (C) and ().

    Targets of the input's own shape and floating type are probabilities of the classes.
    ``weight`` has a number for each class, ``label_smoothing`` is the part of the target that is
    spread over all classes. Raises ``IndexError`` for a class there is not, ``ValueError`` or
    ``RuntimeError`` for other shapes.

    >>> torch.nn.functional.cross_entropy(torch.zeros(1, 4), torch.tensor([2]))
    tensor(1.3863)
    """
    if size_average is not None or reduce is not None or reduction not in REDUCTIONS:
        reduction = reduction_of(reduction, size_average, reduce)
    if weight is None and not label_smoothing and plain_pair(input, target):
        return quick_cross_entropy(input, target, ignore_index, reduction)
    if label_smoothing > 1:
        raise RuntimeError(
            f"label_smoothing must be between 0.0 and 1.0, but got {label_smoothing}"
        )
    require_tensors("cross_entropy", input, target)
    if tuple(input.shape) == tuple(target.shape):
        return _of_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    refuse_dtype(
        "cross_entropy", input, (dtypes.BOOL, dtypes.INTEGER, dtypes.COMPLEX), NotImplementedError
    )
    _check("cross_entropy", input, target, weight)
    scores, classes, shape = _folded(input, target)
    if label_smoothing > 0:
        out = _smoothed(scores, classes, weight, ignore_index, reduction, label_smoothing)
        if reduction != "none" or len(input.shape) == 2:
            return out
        return rename(reshape_row(out, shape), "AddBackward0")
    options = (scores.shape[-1], ignore_index, reduction)
    out = cross_entropy_row(scores, classes, weight, *options, None)
    return _unfolded(out, shape, len(input.shape), reduction)


# -- checks and shapes --------------------------------------------------------------------------


def _check(name: str, input: Any, target: Any, weight: Any) -> None:
    require_tensors(name, input, target)
    x_shape, y_shape = tuple(input.shape), tuple(target.shape)
    if not x_shape:
        raise ValueError(f"{name}: expected an input of 1 or more dimensions (got 0)")
    if len(x_shape) == 1:
        fits: bool = y_shape in ((), (1,))
    else:
        fits = y_shape == (x_shape[0], *x_shape[2:])
    if len(x_shape) == 1:
        _check_classes(name, target)
    if not fits:
        wanted = describe_shape((x_shape[0], *x_shape[2:]) if len(x_shape) > 1 else ())
        other_batch = len(x_shape) > 1 and x_shape[0] != (y_shape[0] if y_shape else 0)
        other_batch = other_batch or len(x_shape) == len(y_shape) == 1
        raise (ValueError if other_batch else RuntimeError)(
            f"{name}: expected a target of shape {wanted} for an input of shape "
            f"{describe_shape(x_shape)} (classes in dim {min(1, len(x_shape) - 1)}), but got "
            f"{describe_shape(y_shape)}"
        )
    _check_classes(name, target)
    if weight is not None:
        _check_weight(name, input, weight)


def _check_classes(name: str, target: Any) -> None:
    kind = dtypes.of(target)
    if kind is not dtypes.int64 and kind is not dtypes.uint8:
        raise RuntimeError(
            f"{name}: expected target dtype to be Long or Byte, but got {kind!r}; classes are "
            "integers (target.long()), probabilities have the input's shape"
        )


def _check_weight(name: str, input: Any, weight: Any, mixed: bool = False) -> None:
    require_tensors(name, weight)
    refuse_gradient(name, weight=weight)
    count = input.shape[min(1, len(input.shape) - 1)]
    if tuple(weight.shape) != (count,):
        raise RuntimeError(
            f"{name}: weight has a number for each of {count} classes, but its shape is "
            f"{describe_shape(weight.shape)}"
        )
    if not mixed and dtypes.of(weight) is not dtypes.of(input):
        raise RuntimeError(
            f"{name}: expected a weight of {dtypes.of(input)!r} but found {dtypes.of(weight)!r}"
        )


def _folded(input: Any, target: Any) -> tuple[Any, Any, Shape]:
    """Scores (M, C), classes (M), and the shape to give back to M losses."""
    shape = tuple(input.shape)
    if len(shape) == 2:
        return input, target, tuple(target.shape)
    if len(shape) == 1:
        return reshape_row(input, (1, *shape)), reshape_row(target, (1,)), ()
    rank = len(shape)
    scores = permute_row(input, (-rank, *range(2 - rank, 0), 1 - rank))
    count = product(target.shape)
    scores = reshape_row(scores, (count, shape[1]))
    return scores, reshape_row(target, (count,)), tuple(target.shape)


def _unfolded(out: Any, shape: Shape, rank: int, reduction: str) -> Any:
    """The result in the shape that the target had, from a node of PyTorch's name."""
    if rank == 2:
        return out
    if reduction == "none":
        out = reshape_row(out, shape)
        names = {1: "NllLossBackward0", 4: "NllLoss2DBackward0"}
        return rename(out, names[rank]) if rank in names else out
    return out if rank == 1 else rename(out, "NllLoss2DBackward0")


# -- smoothed and mixed targets -----------------------------------------------------------------


def _smoothed(
    scores: Any, classes: Any, weight: Any, ignore_index: int, reduction: str, amount: float
) -> Any:
    """Part of the target on its class, part spread over all."""
    logs = log_softmax_row(scores, -1)
    count = scores.shape[-1]
    options = (count, ignore_index)
    chosen = nll_row(logs, classes, weight, *options, reduction)
    every = -sum_row(logs if weight is None else logs * weight, (-1,), False)
    ignored = classes == ignore_index
    every = where_row(ignored, zero(every), every)
    if reduction != "none":
        every = sum_all(every)
    if reduction == "mean":
        every = every / nll_row(zero(logs) - 1.0, classes, weight, *options, "sum")
    return chosen * (1 - amount) + every * (amount / count)


def _of_probabilities(
    input: Any, target: Any, weight: Any, ignore_index: int, reduction: str, amount: float
) -> Any:
    name = "cross_entropy"
    refuse_dtype(name, input, (dtypes.COMPLEX,), NotImplementedError)
    if dtypes.of(target).category != dtypes.FLOATING or not len(input.shape):
        raise RuntimeError(
            f"{name}: expected floating point type for target with class probabilities, got "
            f"{dtypes.of(target)!r}; a target of classes has no dimension for them"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    dim = 1 if len(input.shape) > 1 else 0
    dim -= len(input.shape)
    count = input.shape[dim]
    if amount > 0:
        target = target * (1 - amount) + amount / count
    products = log_softmax_row(input, dim) * target
    if weight is not None:
        _check_weight(name, input, weight, mixed=True)
        products = products * reshape_row(weight, (count, *(1,) * (-dim - 1)))
    if reduction == "none":
        return -sum_row(products, (dim,), False)
    total = -sum_all(products)
    if reduction == "sum":
        return total
    examples = product(input.shape) // count if count else 0
    return rename(total / examples, "DivBackward1")
