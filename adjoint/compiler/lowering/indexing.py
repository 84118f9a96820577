"""Elements chosen by tensors of indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.compiler.expressions import Expression, checked, coordinate, element, number, where
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.nodes import Look, strides_of
from adjoint.compiler.program import Equation

OUT_OF_RANGE = "index out of range in {}: a size is {}"


def within(index: Expression, size: int, name: str) -> Expression:
    """An index that must be one of ``size`` places."""
    return checked(index, (index >= 0) & (index < size), OUT_OF_RANGE.format(name, size))


def picked(
    low: Lowering, x: Any, index: Expression, domain: Sequence[int], dim: int, name: str
) -> Expression:
    """The element of ``x`` at a place of ``domain`` whose ``dim`` is replaced by ``index``."""
    look = low.look(x)
    buffer = low.whole(look)
    steps = strides_of(buffer.shape)
    place = within(index, buffer.shape[dim], name) * steps[dim]
    for axis, step in enumerate(steps):
        if axis != dim % len(steps) and step:
            place = place + coordinate(domain, axis) * step
    return element(buffer, place)


@lowers("pick", "gather")
def _pick(low: Lowering, equation: Equation, x: Any, index: Any) -> Look:
    row, out = equation.operation, equation.outputs[0]
    dim = equation.options[0]
    domain = out.shape
    if not domain:
        raise NotLoweredError("there are no dimensions")
    places = low.load(index, domain)
    return low.map(domain, out.kind, picked(low, x, places, domain, dim % len(domain), row.name))


@lowers("put_back")
def _put_back(low: Lowering, equation: Equation, x: Any, index: Any) -> Look:
    out = equation.outputs[0]
    dim, _size, repeated = equation.options
    look = low.look(index)
    if repeated or not out.shape or look.shape[dim] != 1:
        raise NotLoweredError("several elements may go to one place")
    domain = out.shape
    here = coordinate(domain, dim)
    same = low.load(index, domain).equals(here)
    return low.map(domain, out.kind, where(same, low.load(x, domain), 0, out.kind))


@lowers("embedding", "index_select")
def _rows(low: Lowering, equation: Equation, *inputs: Any) -> Look:
    raise NotLoweredError("not yet")


# -- losses of classes --------------------------------------------------------------------------


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
    from adjoint.compiler.lowering.reductions import shifted_logarithms

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
