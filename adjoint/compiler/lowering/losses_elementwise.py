"""Losses of each element of an input and a target alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from adjoint.compiler.expressions import (
    Expression,
    absolute,
    checked,
    exp,
    log,
    log1p,
    maximum,
    minimum,
    where,
)
from adjoint.compiler.lowering.base import Lowering, lowers
from adjoint.compiler.lowering.reductions import combined, floating, mean_along
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation


def _unlikely(x: Expression) -> Expression:
    """``-log(sigmoid(x))``, which loses nothing where the exponential overflows."""
    return log1p(exp(-absolute(x))) - minimum(x, 0)


def _rounded(d: Expression, width: float) -> Expression:
    """Half the square up to ``width``, and beyond it the tangent."""
    size = absolute(d)
    near = minimum(size, width)
    return (size - near * 0.5) * near


def _with_logits(x: Expression, y: Expression) -> Expression:
    return _unlikely(x) + (1 - y) * x


def _with_weights(x: Expression, y: Expression, w: Expression, heavy: Expression) -> Expression:
    return ((1 - y) * x + _unlikely(x) * ((heavy - 1) * y + 1)) * w


LOSSES: dict[str, Callable[..., Expression]] = {
    "mse_loss": lambda x, y, width: (x - y) * (x - y),
    "huber_loss": lambda x, y, width: _rounded(x - y, width),
    "smooth_l1_loss": lambda x, y, width: _rounded(x - y, width) / width,
    "soft_margin_loss": lambda x, y: log1p(exp(-y * x)),
    "binary_cross_entropy_with_logits": _with_logits,
    "binary_cross_entropy_with_logits_weighted": _with_weights,
}


class Wrong(NamedTuple):
    """An error for values that a row does not take."""

    error: type[Exception]
    what: str


def _domain(inputs: Sequence[Any]) -> tuple[int, ...]:
    return np.broadcast_shapes(*[each.shape for each in inputs if each is not None])


def reduced(low: Lowering, equation: Equation, each: Expression, domain: Sequence[int]) -> Look:
    """A loss of every element; or their sum or mean over the last dimensions, in a batch each."""
    out, (reduction, rank) = equation.outputs[0], equation.options[-2:]
    if reduction == "none":
        return low.reshaped(low.map(domain, out.kind, each), out.shape)
    axes = tuple(range(len(domain) - rank, len(domain)))
    if reduction == "mean":
        whole = mean_along(low, each, domain, axes, out.kind)
    else:
        whole = combined(low, "add", each, domain, axes, out.kind)
    return low.reshaped(whole, out.shape)


@lowers(*LOSSES)
def _loss(low: Lowering, equation: Equation, *inputs: Any) -> Look:
    kind, domain = floating(equation), _domain(inputs)
    values = [low.load(each, domain, kind) for each in inputs]
    each = LOSSES[equation.operation.name](*values, *equation.options[:-2])
    return reduced(low, equation, each, domain)


def required(
    low: Lowering, found: Look, condition: Expression, domain: Sequence[int], wrong: Wrong
) -> Look:
    """``found``, and an error after the program where a condition does not hold everywhere.

    One truth for all: a check of each element would keep loops from becoming vectors.
    """
    axes = tuple(range(len(domain)))
    truth = low.reshaped(combined(low, "and", condition, domain, axes, np.bool_), ())
    holds = low.load(truth, ())
    fine = low.map((), np.bool_, checked(holds, holds, wrong.what, wrong.error))
    shape = found.shape
    return low.map(shape, found.kind, where(low.load(fine, shape), low.load(found, shape), 0))


NOT_PROBABLE = Wrong(
    RuntimeError, "all elements of input and target should be between 0 and 1, as probabilities are"
)
# PyTorch's bound: a probability of 0 costs 100.
_FLOOR = -100.0


@lowers("binary_cross_entropy")
def _of_probabilities(low: Lowering, equation: Equation, x: Any, y: Any, weight: Any) -> Look:
    kind, domain = floating(equation), _domain((x, y, weight))
    a, b = (low.load(each, domain, kind) for each in (x, y))
    inside = (a >= 0) & (a <= 1) & (b >= 0) & (b <= 1)
    each = maximum(log1p(-a), _FLOOR) * (b - 1) - maximum(log(a), _FLOOR) * b
    if weight is not None:
        each = each * low.load(weight, domain, kind)
    return required(low, reduced(low, equation, each, domain), inside, domain, NOT_PROBABLE)


@lowers("raised")
def _raised(low: Lowering, equation: Equation, x: Any) -> Look:
    bound, what = equation.options
    look = low.look(x)
    shape = look.shape
    value = low.load(look, shape)
    found = low.map(shape, look.kind, maximum(value, bound))
    if not what:
        return found
    wrong = Wrong(ValueError, f"{what} has negative entry/entries")
    return required(low, found, ~(value < 0), shape, wrong)
