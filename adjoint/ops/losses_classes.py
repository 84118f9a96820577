"""Losses of one class out of several: negative log likelihood and cross entropy.

The rows take scores (..., M, C) with targets (..., M): a class for each of M examples. What users
give in other shapes is folded into that first.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.blas_sums import row_totals, total
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.quick import finish
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.reducing import add_reduce
from adjoint.ops.reduction import sum_row
from adjoint.ops.softmax import log_softmax_row, softmax_array, softmax_row
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray
INT64 = np.dtype("int64")
max_reduce: Any = np.maximum.reduce


@lru_cache(maxsize=64)
def _numbers(count: int) -> Any:
    numbers = np.arange(count)
    numbers.flags.writeable = False
    return numbers


def _classes(target: Any, count: int, ignore_index: int) -> tuple[Any, Any]:
    """Targets as int64 within [0, count), and where they are to be ignored (None for nowhere)."""
    if target.dtype is not INT64:
        target = target.astype(INT64)
    if not target.size:
        return target, None
    # Negative numbers are large ones without a sign: one comparison finds both ends.
    if max_reduce(target.view(np.uint64), None) < count and not 0 <= ignore_index < count:
        return target, None
    ignored = target == ignore_index
    wrong = ((target < 0) | (target >= count)) & ~ignored
    if wrong.any():
        raise IndexError(
            f"Target {target[wrong][0]} is out of bounds: there are {count} classes, and "
            f"ignore_index is {ignore_index}"
        )
    return np.where(ignored, 0, target), ignored


def _shares(target: Any, ignored: Any, weight: Any, kind: Any) -> Any:
    """What each example counts for: the weight of its class, 0 if ignored; None for 1 each."""
    if weight is None:
        return None if ignored is None else (~ignored).astype(kind)
    if weight.ndim == 1:
        shares = weight[target]
    else:
        shares = np.take_along_axis(
            np.broadcast_to(weight, (*target.shape[:-1], weight.shape[-1])), target, -1
        )
    if ignored is not None:
        shares = np.where(ignored, 0, shares)
    return shares


def _pick(x: Any, target: Any) -> Any:
    """The score of each example's class."""
    if x.ndim == 2:
        return x[_numbers(len(target)), target]
    return np.take_along_axis(x, target[..., None], -1)[..., 0]


def _place(values: Any, target: Any, count: int) -> Any:
    """Zeros, but for the values at each example's class."""
    out = np.zeros((*target.shape, count), values.dtype)
    if out.ndim == 2:
        out[_numbers(len(target)), target] = values
    else:
        np.put_along_axis(out, target[..., None], values[..., None], -1)
    return out


# -- negative log likelihood: linear in the scores, with its transpose ----------------------------


def _nll(x: Any, target: Any, weight: Any, count: int, ignore_index: int, reduction: str) -> Any:
    target, ignored = _classes(target, count, ignore_index)
    shares = _shares(target, ignored, weight, x.dtype)
    return _reduce(np.negative(_pick(x, target)), shares, ignored, reduction)


def _reduce(losses: Any, shares: Any, ignored: Any, reduction: str) -> Any:
    if shares is not None:
        losses = losses * shares
    if ignored is not None:
        losses = np.where(ignored, losses.dtype.type(0), losses)
    if reduction == "none":
        return losses
    whole = total(losses) if losses.ndim == 1 else add_reduce(losses, -1)
    if reduction == "sum":
        return whole
    return whole / (losses.shape[-1] if shares is None else add_reduce(shares, -1))


def _nll_spread(
    g: Any, target: Any, weight: Any, count: int, ignore_index: int, reduction: str
) -> Any:
    target, ignored = _classes(target, count, ignore_index)
    if weight is None and ignored is None and not g.shape and target.ndim == 1:
        out = np.zeros((len(target), count), g.dtype)
        each = g.item() / (len(target) or 1) if reduction == "mean" else g.item()
        out[_numbers(len(target)), target] = -each
        return out
    shares = _shares(target, ignored, weight, g.dtype)
    return _place(np.negative(_each(g, target, shares, ignored, reduction)), target, count)


def _each(g: Any, target: Any, shares: Any, ignored: Any, reduction: str) -> Any:
    """The cotangent of each example's score, but for its sign."""
    if reduction != "none":
        g = g[..., None]
    if reduction == "mean":
        if shares is None:
            g = g / (target.shape[-1] or 1)
        else:
            g = g / add_reduce(shares, -1, None, None, True)
    if shares is None:
        return np.repeat(g, target.shape[-1], -1) if g.shape[-1:] == (1,) else g
    each = g * shares
    return each if ignored is None else np.where(ignored, each.dtype.type(0), each)


def _nll_cotangent(
    g: Any, target: Any, weight: Any, count: int, ignore_index: int, reduction: str
) -> Any:
    if (
        type(g) is ndarray
        and type(target) is ndarray
        and (g.dtype is FLOAT32 or g.dtype is FLOAT64)
    ):
        return _nll_spread(g, target, weight, count, ignore_index, reduction)
    return nll_spread(g, target, weight, count, ignore_index, reduction)


def plain_pair(input: Any, target: Any) -> bool:
    """Whether scores and classes are Tensors on memory, a matrix of floats and a row of int64."""
    if not isinstance(input, Tensor) or not isinstance(target, Tensor):
        return False
    x, y = input._array, target._array
    if type(x) is not ndarray or type(y) is not ndarray or input._level != target._level:
        return False
    kind = x.dtype
    if kind is not FLOAT32 and kind is not FLOAT64:
        return False
    return x.ndim == 2 and y.dtype is INT64 and y.shape == x.shape[:1]


def quick_nll(input: Any, target: Any, ignore_index: int, reduction: str) -> Any:
    """The row on a plain pair, without weights."""
    x = input._array
    options = (x.shape[1], ignore_index, reduction)
    try:
        out = _nll(x, target._array, None, *options)
    except (RuntimeWarning, FloatingPointError):
        return nll_row(input, target, None, *options)
    return finish(nll_row.row, out, input._level, (input, target, None), options)


def _infer_nll(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    shape = tuple(inputs[1].shape)
    return shape if options[2] == "none" else shape[:-1], dtypes.of(inputs[0])


def _infer_spread(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return (*inputs[1].shape, options[0]), dtypes.of(inputs[0])


NLL: dict[str, Any] = {
    "inputs": "x target weight",
    "options": "count ignore_index reduction",
    "jvp": "linear",
}
nll_row: Any = define(
    "nll_loss", "loss", _nll, infer=_infer_nll,
    x=lambda g, target, weight, count, ignore_index, reduction: _nll_cotangent(
        g, target, weight, count, ignore_index, reduction
    ),
    **NLL,
)  # fmt: skip
nll_spread: Any = define(
    "nll_loss_backward", "loss", _nll_spread, infer=_infer_spread,
    x=lambda g, target, weight, count, ignore_index, reduction: nll_row(
        g, target, weight, count, ignore_index, reduction
    ),
    **NLL,
)  # fmt: skip


# -- cross entropy: that of the logarithm of softmax --------------------------------------------


def _cross_entropy(
    x: Any, target: Any, weight: Any, count: int, ignore_index: int, reduction: str, kept: Any
) -> Any:
    return _cross_entropy_parts(x, target, weight, count, ignore_index, reduction)[0]


def _cross_entropy_parts(
    x: Any, target: Any, weight: Any, count: int, ignore_index: int, reduction: str
) -> tuple[Any, Any]:
    """The loss, and what came up: exponentials, their sums, and targets that all count for 1."""
    target, ignored = _classes(target, count, ignore_index)
    if not x.size:
        return _reduce(_pick(x, target), None, None, reduction), (x, x, None)
    lowered = x - max_reduce(x, -1, None, None, True)
    losses = _pick(lowered, target)
    powers = np.exp(lowered, lowered)
    sums = row_totals(powers)
    np.subtract(np.log(sums), losses, losses)
    if weight is None and ignored is None and x.ndim == 2:
        return _reduce(losses, None, None, reduction), (powers, sums, target)
    shares = _shares(target, ignored, weight, x.dtype)
    return _reduce(losses, shares, ignored, reduction), (powers, sums, None)


def _cross_entropy_cotangent(
    g: Any,
    x: Any,
    target: Any,
    weight: Any,
    count: int,
    ignore_index: int,
    reduction: str,
    kept: Any,
) -> Any:
    if kept is not None and reduction != "none" and type(x) is ndarray and type(g) is ndarray:
        powers, sums, places = kept
        if places is not None and not g.shape:
            factor = np.array(g.item() / (len(places) if reduction == "mean" else 1), g.dtype)
            out = powers * (factor / sums)[:, None]
            out[_numbers(len(places)), places] -= factor
            return out
    if type(x) is ndarray and type(g) is ndarray and type(target) is ndarray and x.size:
        target, ignored = _classes(target, count, ignore_index)
        shares = _shares(target, ignored, weight, x.dtype)
        each = _each(g, target, shares, ignored, reduction)
        likely = softmax_array(x, -1) if kept is None else kept[0] / kept[1][..., None]
        out = likely * each[..., None]
        if out.ndim == 2:
            out[_numbers(len(target)), target] -= each
        else:
            out += _place(-each, target, count)
        return out
    spread = nll_spread(g, target, weight, count, ignore_index, reduction)
    return spread - softmax_row(x, -1) * sum_row(spread, (-1,), True)


def _cross_entropy_push(
    x: Any, x_t: Any, target: Any, weight: Any, count: int, ignore_index: int, reduction: str
) -> Any:
    moved = x_t - sum_row(softmax_row(x, -1) * x_t, (-1,), True)
    return nll_row(moved, target, weight, count, ignore_index, reduction)


# ``kept`` is what the forward pass has made besides, for a backward pass on plain arrays; a
# recorded pass and the transforms compute with the input.
cross_entropy_row: Any = define(
    "cross_entropy", "loss", _cross_entropy,
    inputs="x target weight", options="count ignore_index reduction kept",
    x=_cross_entropy_cotangent, jvp=_cross_entropy_push, infer=_infer_nll,
    decompose=lambda x, target, weight, count, ignore_index, reduction, kept: nll_row(
        log_softmax_row(x, -1), target, weight, count, ignore_index, reduction
    ),
    node_name="NllLossBackward0",
)  # fmt: skip


def quick_cross_entropy(input: Any, target: Any, ignore_index: int, reduction: str) -> Any:
    """The row on a plain pair, without weights; it keeps what the backward pass needs."""
    x = input._array
    options = (x.shape[1], ignore_index, reduction)
    try:
        out, kept = _cross_entropy_parts(x, target._array, None, *options)
    except (RuntimeWarning, FloatingPointError):
        return cross_entropy_row(input, target, None, *options, None)
    row = cross_entropy_row.row
    return finish(row, out, input._level, (input, target, None), (*options, kept))
