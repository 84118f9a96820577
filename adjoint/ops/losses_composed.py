"""Losses made of other operations: divergences, likelihoods, hinges and margins."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.contraction import require_tensors
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.lossy import REDUCTIONS, reduced, reduction_of
from adjoint.ops.movement import reshape_row
from adjoint.ops.reducing import infer_same_shape
from adjoint.ops.reduction import sum_all, sum_row
from adjoint.ops.selection import clamp_min, where
from adjoint.ops.transcendental import exp, log, sqrt, xlogy

# -- divergences and likelihoods ----------------------------------------------------------------


@public(namespaces=FUNCTIONAL, method=False)
def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """Kullback-Leibler divergence of log-probabilities ``input`` from probabilities ``target``.

    With ``log_target`` both are logarithms. "batchmean" divides the sum by the size of
    the first dimension. Raises ``RuntimeError`` for integers or shapes that do not broadcast.

    >>> half = torch.tensor([0.5, 0.5])
    >>> torch.nn.functional.kl_div(half.log(), half, reduction="sum")
    tensor(0.)
    """
    if reduction != "batchmean":
        reduction = reduction_of(reduction, size_average, reduce)
    require_tensors("kl_div", input, target)
    for value in (input, target):
        if dtypes.of(value).category != dtypes.FLOATING:
            raise RuntimeError(f"kl_div: {dtypes.of(value)!r} is not supported; use .float()")
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    if log_target:
        losses = exp(target) * (target - input)
    else:
        losses = xlogy(target, target) - target * input
    if reduction != "batchmean":
        return reduced(losses, reduction)
    total = sum_all(losses)
    return total / input.shape[0] if len(input.shape) else total


@public(namespaces=("", "nn.functional"), method=False)
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Minus the log-likelihood of counts under Poisson distributions of rate ``exp(input)``.

    Without ``log_input`` the rate is the input. ``full`` adds Stirling's approximation of the
    part that does not depend on it. Raises ``RuntimeError`` where the shapes do not broadcast.

    >>> torch.nn.functional.poisson_nll_loss(torch.zeros(2), torch.ones(2))
    tensor(1.)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    require_tensors("poisson_nll_loss", input, target)
    losses = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        stirling = target * log(target) - target + log(2 * math.pi * target) * 0.5
        losses = losses + where(target <= 1, zero(stirling), stirling)
    return reduced(losses, reduction)


def _raised(x: Any, low: float, what: str) -> Any:
    if what and (x < 0).any():
        raise ValueError(f"{what} has negative entry/entries")
    return np.maximum(x, x.dtype.type(low))


# A bound that the derivative does not see: PyTorch sets these outside the graph.
raised_row: Any = define(
    "raised", "elementwise", _raised, options="low what",
    x=lambda g: g, jvp=lambda x_t: x_t, infer=infer_same_shape,
)  # fmt: skip


@public(namespaces=FUNCTIONAL, method=False)
def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """Minus the log-likelihood of ``target`` under normal distributions, less its constant.

    ``input`` has the means, ``var`` the variances (at least ``eps``): one each, one for the last
    dimension, or a number. Raises ``ValueError`` for negative variances or another shape.

    >>> x = torch.zeros(2)
    >>> torch.nn.functional.gaussian_nll_loss(x, x + 1, torch.ones(2))
    tensor(0.5000)
    """
    require_tensors("gaussian_nll_loss", input, target)
    if isinstance(var, (int, float)):
        var = zero(input) + float(var)
    var = _variances(input, var)
    if dtypes.of(var).category < dtypes.FLOATING:
        raise RuntimeError(f"gaussian_nll_loss: var is {dtypes.of(var)!r}; use var.float()")
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not valid: reduction is 'mean', 'sum' or 'none'")
    if dtypes.of(var).is_complex:
        raise NotImplementedError(f"gaussian_nll_loss: a variance is real, not {dtypes.of(var)!r}")
    var = raised_row(var, eps, "var")
    difference = input - target
    losses = (log(var) + difference * difference / var) * 0.5
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced(losses, reduction)


def _variances(input: Any, var: Any) -> Any:
    x_shape, shape = tuple(input.shape), tuple(var.shape)
    if shape == x_shape:
        return var
    if shape == x_shape[:-1]:
        return reshape_row(var, (*shape, 1))
    others = [b for a, b in zip(x_shape, shape, strict=False) if a != b]
    if len(shape) == len(x_shape) and sum(others) == 1:
        return var
    raise ValueError(
        f"var is of incorrect size: {describe_shape(shape)} for an input of "
        f"{describe_shape(x_shape)}"
    )


# -- hinges -------------------------------------------------------------------------------------


@public(namespaces=("", "nn.functional"), method=False)
def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The input where ``target`` is 1, and how much it falls short of ``margin`` where it is -1.

    Raises ``RuntimeError`` where the shapes do not broadcast.

    >>> distances = torch.tensor([0.2, 0.7])
    >>> torch.nn.functional.hinge_embedding_loss(distances, torch.tensor([1.0, -1.0]))
    tensor(0.2500)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    require_tensors("hinge_embedding_loss", input, target)
    if dtypes.of(input).category < dtypes.FLOATING:
        margin = int(margin)
    short = clamp_min(margin - input, 0)
    unlike = where(target != 1, short, zero(short))
    alike = where(target != -1, input, zero(input))
    return reduced(unlike + alike, reduction)


@public(namespaces=("", "nn.functional"), method=False)
def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """How much ``target * (input1 - input2)`` falls short of ``margin``, for targets of 1 and -1.

    Raises ``RuntimeError`` unless all have as many dimensions, and shapes that broadcast.

    >>> one, two = torch.tensor([1.0]), torch.tensor([2.0])
    >>> torch.nn.functional.margin_ranking_loss(one, two, torch.tensor([1.0]))
    tensor(1.)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    require_tensors("margin_ranking_loss", input1, input2, target)
    _same_ranks("margin_ranking_loss", input1, input2, target)
    return reduced(clamp_min(-target * (input1 - input2) + float(margin), 0), reduction)


def _same_ranks(name: str, *values: Any) -> None:
    if len({len(value.shape) for value in values}) > 1:
        raise RuntimeError(
            f"{name}: all inputs should have the same number of dimensions, but got shapes "
            + " and ".join(describe_shape(value.shape) for value in values)
        )


@public(namespaces=("", "nn.functional"), method=False)
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """One less the cosine where ``target`` is 1; how far it is above ``margin`` where it is -1.

    (N, D) with targets (N), or (D) with (). Raises ``RuntimeError`` for other shapes.

    >>> x, y = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    >>> torch.nn.functional.cosine_embedding_loss(x, y, torch.tensor([1]))
    tensor(1.)
    """
    reduction = reduction_of(reduction, size_average, reduce)
    require_tensors("cosine_embedding_loss", input1, input2, target)
    rank = len(target.shape)
    if rank > 1 or len(input1.shape) != rank + 1 or len(input2.shape) != rank + 1:
        raise RuntimeError(
            f"cosine_embedding_loss: a {rank}D target expects {rank + 1}D inputs (0D or 1D "
            f"targets are supported), but got {describe_shape(input1.shape)} and "
            f"{describe_shape(input2.shape)}"
        )
    products = sum_row(input1 * input2, (-1,), False)
    squares = [sum_row(x * x, (-1,), False) + 1e-12 for x in (input1, input2)]
    cosine = products / sqrt(squares[0] * squares[1])
    apart = 1 - cosine
    close = clamp_min(cosine - margin, 0)
    alike = where(target == 1, apart, zero(apart))
    unlike = where(target == -1, close, zero(close))
    return reduced(alike + unlike, reduction)
