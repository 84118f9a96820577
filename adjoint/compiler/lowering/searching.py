"""Places in sorted sequences, by halving: as many steps for every value, without branches."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.expressions import (
    Expression,
    checked,
    coordinate,
    element,
    is_nan,
    number,
    where,
)
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, can_loop, lowers
from adjoint.compiler.lowering.indexing import total
from adjoint.compiler.lowering.places import empty, update
from adjoint.compiler.nodes import Buffer, Look, strides_of
from adjoint.compiler.program import Equation


def halving(
    buffer: Buffer, size: int, start: Expression, wanted: Expression, right: bool
) -> Expression:
    """Before how many of ``size`` sorted elements from ``start`` on a value belongs: from 0 on.

    On the ``right`` it comes after those that are equal to it.
    """
    found, step = number(0, "i8"), 1 << (size.bit_length() - 1)
    while step:
        # The element that decides is read in range; what is beyond the end decides nothing.
        tried = found + step
        inside = tried <= size
        here = element(buffer, start + where(inside, tried - 1, 0)).to(wanted.kind)
        goes = ~precedes(wanted, here) if right else precedes(here, wanted)
        found = where(inside & goes, tried, found)
        step >>= 1
    return found


def precedes(x: Expression, y: Expression) -> Expression:
    """Whether ``x`` is sorted before ``y``: a NaN is after all numbers."""
    if x.kind.kind != "f":
        return x < y
    return (x < y) | (y.differs(y) & x.equals(x))


@lowers("searchsorted")
def _search(low: Lowering, equation: Equation, x: Any, values: Any) -> Look:
    out, (right, _kind) = equation.outputs[0], equation.options
    domain, look = out.shape, Look(low.whole(low.look(x)))
    size = look.shape[-1]
    kind = np.promote_types(look.kind, values.kind)
    if not can_loop(kind):
        raise NotLoweredError(f"loops do not compare {kind}")
    if not size or 0 in domain:
        return low.map(domain, out.kind, 0)
    steps = strides_of(look.shape)[:-1]
    line = total([(coordinate(domain, axis), step) for axis, step in enumerate(steps)])
    found = halving(look.buffer, size, line, low.load(values, domain, kind), right)
    return low.map(domain, out.kind, found.to(out.kind))


@lowers("bags_of")
def _bags(low: Lowering, equation: Equation, offsets: Any) -> Look:
    """The bag of each place, from where bags begin."""
    out, (count, last) = equation.outputs[0], equation.options
    given = Look(low.whole(low.look(offsets)))
    domain, size = given.shape, given.shape[0]
    if not size:
        return low.map(out.shape, out.kind, -1)
    place, begin = coordinate(domain, 0), low.load(given, domain, "i8")
    before = element(given.buffer, where(place > 0, place - 1, 0)).to("i8")
    name = "embedding_bag: offsets"
    begin = checked(begin, (place > 0) | begin.equals(0), f"{name}[0] has to be 0", RuntimeError)
    begin = checked(
        begin, (place < size - 1) | (begin <= count),
        f"{name}[-1] can not be greater than input's length {count}", RuntimeError,
    )  # fmt: skip
    begin = checked(begin, begin >= before, f"{name} cannot decrease", RuntimeError)
    starts = low.map(domain, np.int64, begin)
    size -= bool(last)
    if not size or not count:
        # The offsets are looked at all the same, as they must be right.
        worth = low.reduce("max", low.load(starts, domain), domain, (0,), np.int64)
        return low.map(out.shape, out.kind, low.load(worth, out.shape) * 0 - 1)
    where_in = halving(starts.buffer, size, number(0, "i8"), coordinate(out.shape, 0), True)
    return low.map(out.shape, out.kind, where_in - 1)


@lowers("bag_winners")
def _winners(
    low: Lowering, equation: Equation, x: Any, bags: Any, counted: Any
) -> tuple[Look, ...]:
    """Where the greatest element of each bag and column is, the first of several; if there is one.

    Places that do not count are in a bag behind the last.
    """
    places, filled = equation.outputs
    count, width = places.shape
    domain = (rows, _) = x.shape
    if 0 in domain or not count:
        return low.map(places.shape, np.int64, 0), low.map(filled.shape, np.bool_, 0)
    kind = low.look(x).kind
    if kind.kind != "f":
        raise NotLoweredError(f"what is less than all of {kind}")
    here = low.load(column_of(low, bags), domain)
    own = low.load(column_of(low, counted), domain) & (here >= 0) & (here < count)
    line = where(own, here, count) * width
    at = line + coordinate(domain, 1)
    value = low.load(x, domain)
    shape = (count + 1, width)
    greatest = empty(low, shape, kind, -np.inf)
    update(low, "max", greatest, domain, at, value)
    top = element(greatest, at)
    reached = value.equals(top) | is_nan(value)
    first = empty(low, shape, np.int64, rows)
    update(low, "min", first, domain, at, where(reached, coordinate(domain, 0), rows))
    found = Look(first).seen(lambda place: place[:count])
    place = low.load(found, places.shape)
    there = low.load(found.seen(lambda place: place[:, :1]), filled.shape) < rows
    return (
        low.map(places.shape, np.int64, where(place < rows, place, 0)),
        low.map(filled.shape, np.bool_, there),
    )


def column_of(low: Lowering, vector: Any) -> Look:
    """A vector as a column."""
    return low.look(vector).seen(lambda place: place[:, None])
