"""Losses of classes: negative log likelihood, cross entropy, and what their gradients need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adjoint.compiler.expressions import Expression, coordinate, element, log, number, where
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.lowering.indexing import within
from adjoint.compiler.lowering.reductions import combined, floating
from adjoint.compiler.lowering.softmax import powers
from adjoint.compiler.nodes import Look, strides_of
from adjoint.compiler.program import Equation

INT64 = np.dtype(np.int64)


class Targets(NamedTuple):
    """For each example, as expressions over the examples: what its target says."""

    place: Expression  # its class, 0 where it is ignored
    kept: Expression  # whether it is not ignored
    share: Expression | None  # the weight of its class, None for 1


def targets(
    low: Lowering, equation: Equation, target: Any, weight: Any, domain: Sequence[int]
) -> Targets:
    """Targets (..., M), which broadcast to ``domain``; weights (C), or (..., C) in a batch."""
    classes, ignored = equation.options[:2]
    wanted = low.load(target, domain, INT64)
    kept = wanted.differs(ignored)
    place = within(where(kept, wanted, 0), classes, "the classes")
    if weight is None:
        return Targets(place, kept, None)
    look = low.look(weight)
    if len(look.shape) > 1:  # of each example of a batch, for all its targets
        look = look.seen(lambda place: place[..., None, :])
    return Targets(place, kept, at_class(low, look, place, domain))


def at_class(low: Lowering, x: Look, place: Expression, domain: Sequence[int]) -> Expression:
    """The element of ``x`` (..., C) at a place of ``domain`` whose last coordinate is ``place``."""
    shape = (*domain, x.shape[-1])
    if len(x.shape) > 1 and x.shape != shape:
        x = x.stretched(shape)
    buffer = low.whole(x)
    steps = strides_of(buffer.shape)
    for axis, step in enumerate(steps[:-1]):
        if step:
            place = place + coordinate(domain, axis) * step
    return element(buffer, place)


def total_share(low: Lowering, found: Targets, domain: Sequence[int], kind: Any) -> Look:
    """What all examples along the last axis count for together."""
    each = where(found.kept, 1 if found.share is None else found.share.to(kind), 0, kind)
    return combined(low, "add", each, domain, (len(domain) - 1,), kind)


@lowers("nll_loss")
def _nll_loss(low: Lowering, equation: Equation, x: Any, target: Any, weight: Any) -> Look:
    kind = floating(equation)
    domain = low.look(target).shape
    found = targets(low, equation, target, weight, domain)
    losses = -at_class(low, low.look(x), found.place, domain).to(kind)
    return reduced(low, equation, losses, found, domain)


@lowers("cross_entropy")
def _cross_entropy(low: Lowering, equation: Equation, x: Any, target: Any, weight: Any) -> Look:
    kind = floating(equation)
    look = low.look(x)
    domain = look.shape[:-1]
    if low.look(target).shape != domain:
        raise NotLoweredError("scores and targets of different shapes")
    found = targets(low, equation, target, weight, domain)
    if not look.shape[-1]:
        raise NotLoweredError("there are no classes")
    top, _, total = powers(low, look, len(domain), kind)
    highest, sums = (
        low.load(each.seen(lambda place: place[..., 0]), domain, kind) for each in (top, total)
    )
    score = at_class(low, look, found.place, domain).to(kind)
    losses = log(sums) - (score - highest)
    return reduced(low, equation, losses, found, domain)


def reduced(
    low: Lowering,
    equation: Equation,
    losses: Expression,
    found: Targets,
    domain: Sequence[int],
) -> Look:
    """Losses weighed, without those that are ignored, summed or averaged along the last axis."""
    out, reduction = equation.outputs[0], equation.options[2]
    kind = out.kind
    if found.share is not None:
        losses = losses * found.share.to(kind)
    losses = where(found.kept, losses, 0, kind)
    if reduction == "none":
        return low.map(domain, kind, losses)
    if not domain:
        raise NotLoweredError("there is no dimension of examples")
    whole = combined(low, "add", losses, domain, (len(domain) - 1,), kind)
    if reduction == "mean":
        count = total_share(low, found, domain, kind)
        shape = whole.shape
        whole = low.map(shape, kind, low.load(whole, shape) / low.load(count, shape))
    return low.reshaped(whole, out.shape)


@lowers("nll_loss_backward")
def _nll_backward(low: Lowering, equation: Equation, g: Any, target: Any, weight: Any) -> Look:
    out, reduction = equation.outputs[0], equation.options[2]
    kind, domain = floating(equation), out.shape
    examples = domain[:-1]
    found = targets(low, equation, target, weight, examples)
    scale = low.look(g)
    if reduction != "none":
        scale = scale.seen(lambda place: place[..., None])
    each = low.load(scale, examples, kind)
    if reduction == "mean" and examples[-1]:
        count = total_share(low, found, examples, kind)
        each = each / low.load(count, examples)
    if found.share is not None:
        each = each * found.share.to(kind)
    # Made for each example, so that what runs over its classes is a comparison and a choice.
    columns = [
        low.map(examples, INT64, found.place),
        low.map(examples, kind, -where(found.kept, each, 0, kind)),
    ]
    place, value = (low.load(each.seen(lambda place: place[..., None]), domain) for each in columns)
    here = coordinate(domain, -1).equals(place)
    return low.map(domain, kind, where(here, value, number(0, kind)))
