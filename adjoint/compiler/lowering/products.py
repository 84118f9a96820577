"""Matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.compiler.expressions import number
from adjoint.compiler.lowering.base import Lowering, lowers
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation


def factor(low: Lowering, value: Any, kind: Any) -> Look:
    """A factor in memory, in the type of the product."""
    look = low.look(value)
    if look.kind == kind:
        return look
    return low.map(look.shape, kind, low.load(look, look.shape, kind))


def multiplied(low: Lowering, x: Look, y: Look, kind: Any, start: Look | None = None) -> Look:
    """The matrix product of two looks with the same sizes in front, plus the ``start``."""
    shape = (*x.shape[:-1], y.shape[-1])
    if 0 in shape or not x.shape[-1]:
        body = number(0, kind) if start is None else low.load(start, shape)
        return low.map(shape, kind, body)
    if kind.kind == "b":
        return any_of_both(low, x, y, start)
    if start is None:
        return low.product(x, y, kind)
    start = start.stretched(shape)
    steps = start.strides[-2:] if shape[-1] == 1 else start.strides[-1:]
    if start.kind == kind and set(steps) <= {0, 1}:
        return low.product(x, y, kind, start)
    found = low.product(x, y, kind)
    return low.map(shape, kind, low.load(found, shape) + low.load(start, shape, kind))


def any_of_both(low: Lowering, x: Look, y: Look, start: Look | None) -> Look:
    """The product of truth values: whether both are true anywhere along the inner dimension."""
    *front, rows, inner = x.shape
    domain = (*front, rows, y.shape[-1], inner)
    left = x.seen(lambda place: place[..., None, :])
    right = y.seen(lambda place: place.swapaxes(-1, -2)[..., None, :, :])
    body = low.load(left, domain) & low.load(right, domain)
    found = low.reduce("or", body, domain, (len(domain) - 1,), x.kind)
    found = low.reshaped(found, domain[:-1])
    if start is None:
        return found
    shape = found.shape
    return low.map(shape, x.kind, low.load(found, shape) | low.load(start, shape, x.kind))


def pair(low: Lowering, equation: Equation, x: Any, y: Any) -> tuple[Look, Look]:
    """Both factors."""
    kind = equation.outputs[0].kind
    return factor(low, x, kind), factor(low, y, kind)


@lowers("mm", "bmm")
def _mm(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    return multiplied(low, *pair(low, equation, x, y), equation.outputs[0].kind)


@lowers("matmul")
def _matmul(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    out = equation.outputs[0]
    x, y = pair(low, equation, x, y)
    front = out.shape[:-2]
    x = x.stretched((*front, *x.shape[-2:]))
    y = y.stretched((*front, *y.shape[-2:]))
    return multiplied(low, x, y, out.kind)


@lowers("vecmat")
def _vecmat(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    out = equation.outputs[0]
    x, y = pair(low, equation, x, y)
    found = multiplied(low, x.seen(lambda place: place[None]), y, out.kind)
    return low.reshaped(found, out.shape)


def times_vector(low: Lowering, x: Look, y: Look, kind: Any, start: Look | None = None) -> Look:
    """The product of a matrix and a vector, plus the ``start``."""
    if start is not None:
        start = start.stretched((x.shape[0],)).seen(lambda place: place[:, None])
    found = multiplied(low, x, y.seen(lambda place: place[:, None]), kind, start)
    return low.reshaped(found, (x.shape[0],))


@lowers("mv")
def _mv(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    return times_vector(low, *pair(low, equation, x, y), equation.outputs[0].kind)


@lowers("dot", "vdot")
def _dot(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    out = equation.outputs[0]
    look = low.look(x)
    a, b = low.load(look, look.shape, out.kind), low.load(y, look.shape, out.kind)
    truth = out.kind.kind == "b"
    body = a & b if truth else a * b
    found = low.reduce("or" if truth else "add", body, look.shape, (0,), out.kind)
    return low.reshaped(found, out.shape)


@lowers("linear")
def _linear(low: Lowering, equation: Equation, b: Any, x: Any, w: Any) -> Look:
    out = equation.outputs[0]
    x, w = pair(low, equation, x, w)
    flat = low.reshaped(x, (size_of(x.shape[:-1]), x.shape[-1]))
    start = None if b is None else low.look(b)
    found = multiplied(low, flat, w.seen(lambda place: place.T), out.kind, start)
    return low.reshaped(found, out.shape)


def size_of(shape: Sequence[int]) -> int:
    """How many elements."""
    count = 1
    for size in shape:
        count *= size
    return count


# -- labelled products --------------------------------------------------------------------------


@lowers("einsum")
def _einsum(low: Lowering, equation: Equation, x: Any, y: Any) -> Look:
    return labelled(low, *pair(low, equation, x, y), equation.options, equation.outputs[0].kind)


def labelled(low: Lowering, x: Look, y: Look, labels: Any, kind: Any) -> Look:
    """The sum of products over the labels of both that the result lacks."""
    x_labels, y_labels, out_labels = labels
    sizes = dict(zip((*x_labels, *y_labels), (*x.shape, *y.shape), strict=True))
    batch = [each for each in x_labels if each in y_labels and each in out_labels]
    summed = [each for each in x_labels if each in y_labels and each not in out_labels]
    left = [each for each in x_labels if each not in y_labels]
    right = [each for each in y_labels if each not in x_labels]
    made = batch + left + right
    shape = tuple(sizes[each] for each in made)

    def ordered(look: Look, own: Sequence[int], wanted: Sequence[int]) -> Look:
        return look.seen(lambda place: place.transpose([own.index(each) for each in wanted]))

    def spread(look: Look, own: Sequence[int]) -> Look:
        kept = [each for each in made + summed if each in own]
        gaps = tuple(slice(None) if each in own else None for each in made + summed)
        return ordered(look, own, kept).seen(lambda place: place[gaps])

    if not (left and right and summed):
        domain = (*shape, *(sizes[each] for each in summed))
        a, b = low.load(spread(x, x_labels), domain), low.load(spread(y, y_labels), domain)
        truth = kind.kind == "b"
        body = a & b if truth else a * b
        if summed:
            axes = range(len(shape), len(domain))
            added = low.reduce("or" if truth else "add", body, domain, axes, kind)
            found = low.reshaped(added, shape)
        else:
            found = low.map(shape, kind, body)
    else:
        front, rows, inner, columns = (
            tuple(sizes[each] for each in group) for group in (batch, left, summed, right)
        )
        x = ordered(x, x_labels, batch + left + summed)
        y = ordered(y, y_labels, batch + summed + right)
        x = low.reshaped(x, (*front, size_of(rows), size_of(inner)))
        y = low.reshaped(y, (*front, size_of(inner), size_of(columns)))
        found = low.reshaped(multiplied(low, x, y, kind), shape)
    return found.seen(lambda place: place.transpose([made.index(each) for each in out_labels]))


# -- products added to something ------------------------------------------------------------------


@lowers("addmm", "baddbmm", "addmv", "addr", "addbmm")
def _added(low: Lowering, equation: Equation, input: Any, x: Any, y: Any) -> Look:
    name, out = equation.operation.name, equation.outputs[0]
    beta, alpha = equation.options
    x, y = pair(low, equation, x, y)
    begin = None if beta == 0 else low.look(input)
    direct = begin is not None and begin.kind == out.kind and alpha == beta == 1
    start = begin.stretched(out.shape) if direct and begin is not None else None
    if name in ("addmm", "baddbmm"):
        found = multiplied(low, x, y, out.kind, start)
    elif name == "addmv":
        found = times_vector(low, x, y, out.kind, start)
    else:
        labels = ((1,), (2,), (1, 2)) if name == "addr" else ((1, 2, 3), (1, 3, 4), (2, 4))
        found, start = labelled(low, x, y, labels, out.kind), None
    if start is not None or (beta == 0 and alpha == 1):
        return found
    truth = out.kind.kind == "b"

    def scaled(value: Any, by: Any) -> Any:
        if by == 1:
            return value
        by = np.asarray(by).astype(out.kind).item()
        return value & by if truth else value * by

    body = scaled(low.load(found, out.shape), alpha)
    if begin is not None:
        more = scaled(low.load(begin, out.shape, out.kind), beta)
        body = body | more if truth else body + more
    return low.map(out.shape, out.kind, body)
