"""What masks choose, where the shape of it is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.expressions import checked, element, where
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.lowering.indexing import Choice
from adjoint.compiler.lowering.places import empty, update
from adjoint.compiler.lowering.scans import Running
from adjoint.compiler.nodes import Look, strides_of
from adjoint.compiler.program import Equation, Literal

INT64 = np.dtype(np.int64)


@lowers("masked_fill", "masked_fill_tensor", "mask_put")
def _masked_fill(low: Lowering, equation: Equation, x: Any, mask: Any, value: Any) -> Look:
    out = equation.outputs[0]
    chosen = where(
        low.load(mask, out.shape),
        low.load(value, out.shape, out.kind),
        low.load(x, out.shape, out.kind),
        out.kind,
    )
    return low.map(out.shape, out.kind, chosen)


# -- elements in order, where a mask is true ------------------------------------------------------


def counted(low: Lowering, mask: Any) -> tuple[Look, Look]:
    """A mask as a vector, and for each of its places how many before it are true."""
    flat = low.reshaped(mask, (int(np.prod(mask.shape)),))
    run = Running(flat.shape, -1)
    before = run.state(INT64, 0)
    true = low.load(flat, flat.shape, INT64)
    return flat, run.made(low, [before + true], (before, INT64))[0]


@lowers("masked_scatter")
def _masked_scatter(low: Lowering, equation: Equation, x: Any, mask: Any, source: Any) -> Look:
    out = equation.outputs[0]
    size = int(np.prod(source.shape))
    if 0 in out.shape or not size:
        raise NotLoweredError("there is nothing to choose from")
    flat, before = counted(low, mask)
    domain = flat.shape
    true, place = low.load(flat, domain), low.load(before, domain)
    text = (
        f"masked_scatter: the mask has more places that are true than source has elements, {size}"
    )
    place = checked(where(true, place, 0), ~true | (place < size), text, RuntimeError)
    chosen = element(low.whole(low.look(source)), place)
    present = low.load(low.reshaped(x, domain), domain)
    return low.reshaped(low.map(domain, out.kind, where(true, chosen, present)), out.shape)


@lowers("masked_scatter_backward")
def _masked_scatter_backward(low: Lowering, equation: Equation, g: Any, mask: Any) -> Look:
    out = equation.outputs[0]
    size = int(np.prod(out.shape))
    if 0 in out.shape or 0 in mask.shape:
        return low.map(out.shape, out.kind, 0)
    flat, before = counted(low, mask)
    domain = flat.shape
    buffer = empty(low, (size + 1,), out.kind)  # with a place for all that goes nowhere
    place = low.load(before, domain)
    at = where(low.load(flat, domain) & (place < size), place, size)
    update(low, "set", buffer, domain, at, low.load(low.reshaped(g, domain), domain))
    return low.reshaped(Look(buffer).seen(lambda a: a[:size]), out.shape)


# -- masks that are constants of the program ------------------------------------------------------


def places_of(low: Lowering, shape: tuple[int, ...], mask: Any, after: int) -> Choice:
    """What a mask that is known chooses; ``after`` dimensions stand behind those of it."""
    if not isinstance(mask, Literal):
        raise NotLoweredError("how many places a mask has is not known")
    rank = len(mask.shape)
    index = np.flatnonzero(mask.value)[None]
    dims = tuple(range(-rank - after, -after))
    return Choice(low, shape, Literal(index, INT64), dims, after)


@lowers("index_mask", "masked_select")
def _masked(low: Lowering, equation: Equation, x: Any, mask: Any) -> Look:
    out, (after,) = equation.outputs[0], equation.options
    if 0 in out.shape:
        return low.map(out.shape, out.kind, 0)
    if not mask.shape:
        return low.reshaped(x, out.shape)
    look = Look(low.whole(low.look(x)))
    choice = places_of(low, look.shape, mask, after)
    return low.map(out.shape, out.kind, element(look.buffer, choice.at(look.strides, 0, "mask")))


@lowers("mask_backward")
def _mask_backward(low: Lowering, equation: Equation, g: Any, mask: Any) -> Look:
    out, (shape, after) = equation.outputs[0], equation.options
    if 0 in g.shape:
        return low.map(out.shape, out.kind, 0)
    if not mask.shape:
        return low.reshaped(g, out.shape)
    choice = places_of(low, shape, mask, after)
    buffer = empty(low, out.shape, out.kind)
    at = choice.at(strides_of(shape), 0, "mask")
    update(low, "set", buffer, choice.domain, at, low.load(g, choice.domain))
    return Look(buffer)
