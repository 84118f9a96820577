"""Losses, of every element or of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.compiler.expressions import (
    Expression,
    absolute,
    coordinate,
    element,
    exp,
    log1p,
    maximum,
    number,
    where,
)
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.lowering.indexing import within
from adjoint.compiler.lowering.reductions import count_along, shifted_logarithms
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation


def reduced_loss(low: Lowering, equation: Equation, each: Any, shape: Sequence[int]) -> Look:
    """A loss of every element, summed or averaged as the first option says."""
    out, reduction = equation.outputs[0], equation.options[0]
    if reduction == "none":
        return low.map(shape, out.kind, each)
    axes = range(len(shape))
    if reduction == "mean":
        each = each * (1 / max(count_along(shape, axes), 1))
    return low.reshaped(low.reduce("add", each, shape, axes, out.kind), out.shape)


@lowers("binary_cross_entropy_with_logits")
def _with_logits(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    look = low.look(x)
    a, b = (low.load(each, look.shape, look.kind) for each in (look, y))
    each = maximum(a, 0) - a * b + log1p(exp(-absolute(a)))
    return reduced_loss(low, equation, each, look.shape)


def class_weights(
    low: Lowering, target: Any, weight: Any, classes: int, ignore: int, domain: Sequence[int]
) -> tuple[Expression, Expression]:
    """For each target: its class, 0 where it is ignored; and its weight, 0 where it is ignored."""
    wanted = low.load(target, domain)
    kept = wanted.differs(ignore)
    place = within(where(kept, wanted, 0), classes, "target")
    if weight is None:
        share = where(kept, 1, 0, "f4")
    else:
        buffer = low.whole(low.look(weight))
        share = where(kept, element(buffer, place), 0)
    return place, share


@lowers("nll_loss")
def _nll_loss(low: Lowering, equation: Equation, x: Any, target: Any, weight: Any) -> Any:
    return _nll(low, equation, low.look(x), target, weight, *equation.options[:3])


@lowers("cross_entropy")
def _cross_entropy(low: Lowering, equation: Equation, x: Any, target: Any, weight: Any) -> Any:
    look = low.look(x)
    dim = 1 if len(look.shape) > 1 else 0
    classes, ignore, reduction = equation.options[:3]
    if len(equation.options) > 3 and equation.options[3]:
        raise NotLoweredError("label smoothing")
    scores = shifted_logarithms(low, look, dim, equation.outputs[0].kind)
    return _nll(low, equation, scores, target, weight, classes, ignore, reduction)


def _nll(
    low: Lowering,
    equation: Equation,
    x: Look,
    target: Any,
    weight: Any,
    classes: int,
    ignore: int,
    reduction: str,
) -> Any:
    out = equation.outputs[0]
    kind = out.kind
    if len(x.shape) != 2:
        raise NotLoweredError("only (N, C) scores")
    domain = (x.shape[0],)
    place, share = class_weights(low, target, weight, classes, ignore, domain)
    buffer = low.whole(x)
    at = coordinate(domain, 0) * classes + place
    each = -element(buffer, at) * share.to(kind)
    if reduction == "none":
        return low.map(domain, kind, each)
    total = low.reduce("add", each, domain, (0,), kind)
    if reduction == "mean":
        count = low.reduce("add", share.to(kind), domain, (0,), kind)
        total = low.map((1,), kind, low.load(total, (1,)) / low.load(count, (1,)))
    return low.reshaped(total, out.shape)


@lowers("nll_loss_backward")
def _nll_backward(low: Lowering, equation: Equation, g: Any, target: Any, weight: Any) -> Look:
    out = equation.outputs[0]
    _classes, ignore, reduction = equation.options[:3]
    domain, kind = out.shape, out.kind
    if len(domain) != 2:
        raise NotLoweredError("only (N, C) scores")
    column = low.look(target).seen(lambda place: place[:, None])
    wanted = low.load(column, domain)
    kept = wanted.differs(ignore)
    if weight is None:
        share: Any = number(1, kind)
    else:
        share = element(low.whole(low.look(weight)), where(kept, wanted, 0)).to(kind)
    here = kept & wanted.equals(coordinate(domain, 1))
    if reduction == "none":
        scale = low.load(low.look(g).seen(lambda place: place[:, None]), domain, kind)
    else:
        scale = low.load(g, domain, kind)
    if reduction == "mean":
        counted = where(low.load(target, domain[:1]).differs(ignore), 1, 0, kind)
        if weight is not None:
            raise NotLoweredError("weighted mean")
        count = low.reduce("add", counted, domain[:1], (0,), kind)
        scale = scale / low.load(count, domain)
    return low.map(domain, kind, where(here, -scale * share, 0))
