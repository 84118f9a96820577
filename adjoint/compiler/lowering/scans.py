"""Running sums, products and extremes along a dimension, and first-order recurrences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.compiler.codegen.combining import start_of
from adjoint.compiler.codegen.scalars import has_code
from adjoint.compiler.expressions import (
    Expression,
    absolute,
    coordinate,
    exp,
    is_nan,
    log1p,
    maximum,
    minimum,
    where,
)
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, can_loop, lowers
from adjoint.compiler.nodes import Buffer, Look, Scalar, Scan
from adjoint.compiler.program import Equation

DOUBLE, INT64 = np.dtype(np.float64), np.dtype(np.int64)


class Running:
    """A scan along one axis of a domain, being written down."""

    def __init__(self, domain: Sequence[int], dim: int, reverse: bool = False) -> None:
        self.domain = tuple(domain)
        self.axis = dim % len(self.domain)
        self.reverse = reverse
        self.states: list[tuple[np.dtype[Any], Any]] = []

    def state(self, kind: Any, start: Any) -> Expression:
        """A value that is carried along: what it is before a place."""
        self.states.append((np.dtype(kind), start))
        return Expression(Scalar("state", kind, value=len(self.states) - 1))

    def made(
        self, low: Lowering, following: Sequence[Expression], *results: tuple[Expression, Any]
    ) -> tuple[Look, ...]:
        """The scan, whose states are ``following`` after a place; its results, with their types."""
        kinds = [kind for kind, _ in self.states]
        after = [each.to(kind).scalar for each, kind in zip(following, kinds, strict=True)]
        bodies = [each.to(kind).scalar for each, kind in results]
        for body in (*after, *bodies):
            for each in body.walk():
                if each.name != "state" and not has_code(each):
                    raise NotLoweredError(f"the library has no {each.name} of {each.kind}")
        buffers = tuple(Buffer(self.domain, kind) for _, kind in results)
        low.add(
            Scan(buffers, self.axis, self.reverse, tuple(self.states), tuple(after), tuple(bodies))
        )
        return tuple(map(Look, buffers))


def wide(kind: np.dtype[Any]) -> np.dtype[Any]:
    """The type that running totals are kept in: float64 for float32."""
    if not can_loop(kind):
        raise NotLoweredError(f"loops do not compute with {kind}")
    return DOUBLE if kind.kind == "f" else INT64


def alone(low: Lowering, equation: Equation, value: Any) -> Look:
    """The result for a number, which has no dimension to run along."""
    out = equation.outputs[0]
    return low.map((), out.kind, low.load(value, (), out.kind))


@lowers("cumsum", "cumprod")
def _totals(low: Lowering, equation: Equation, x: Any) -> Look:
    out, (dim, *reverse) = equation.outputs[0], equation.options
    if dim is None:
        return alone(low, equation, x)
    running = Running(out.shape, dim, *reverse)
    kind = wide(out.kind)
    value = low.load(low.look(x), out.shape, kind)
    if equation.operation.name == "cumsum":  # a zero that leaves also the sign of zeros alone
        after = running.state(kind, -0.0 if kind == DOUBLE else 0) + value
    else:
        after = running.state(kind, 1) * value
    return running.made(low, (after,), (after, out.kind))[0]


@lowers("products_before")
def _products_before(low: Lowering, equation: Equation, x: Any) -> Look:
    out, (dim, reverse) = equation.outputs[0], equation.options
    if dim is None:
        return low.map((), out.kind, 1)
    running = Running(out.shape, dim, reverse)
    kind = wide(out.kind)
    before = running.state(kind, 1)
    after = before * low.load(low.look(x), out.shape, kind)
    return running.made(low, (after,), (before, out.kind))[0]


@lowers("carry")
def _carry(low: Lowering, equation: Equation, a: Any, b: Any) -> Look:
    out, (dim, reverse) = equation.outputs[0], equation.options
    if dim is None:
        return low.map((), out.kind, 0)
    running = Running(out.shape, dim, reverse)
    kind = wide(out.kind)
    before = running.state(kind, 0)
    factor, term = (low.load(low.look(each), out.shape, kind) for each in (a, b))
    return running.made(low, (factor * before + term,), (before, out.kind))[0]


@lowers("cummax", "cummin")
def _extremes(low: Lowering, equation: Equation, x: Any) -> tuple[Look, ...]:
    dim, look = equation.options[0], low.look(x)
    kind = look.kind
    if dim is None:
        return alone(low, equation, look), low.map((), INT64, 0)
    if not can_loop(kind):
        raise NotLoweredError(f"loops do not compute with {kind}")
    running = Running(look.shape, dim)
    value = low.load(look, look.shape)
    largest = equation.operation.name == "cummax"
    best = running.state(kind, start_of("max" if largest else "min", kind))
    place = running.state(INT64, 0)
    best = (maximum if largest else minimum)(best, value)
    reached = best.equals(value)
    if kind.kind == "f":
        reached = reached | is_nan(value)
    place = where(reached, coordinate(look.shape, running.axis), place)
    return running.made(low, (best, place), (best, kind), (place, INT64))


@lowers("logcumsumexp")
def _log_totals(low: Lowering, equation: Equation, x: Any) -> Look:
    out, dim = equation.outputs[0], equation.options[0]
    if dim is None:
        return alone(low, equation, x)
    running = Running(out.shape, dim)
    before = running.state(DOUBLE, -math.inf)
    value = low.load(low.look(x), out.shape, DOUBLE)
    # Equal infinities have no difference.
    apart = where(before.equals(value), 0, absolute(before - value), DOUBLE)
    after = maximum(before, value) + log1p(exp(-apart))
    return running.made(low, (after,), (after, out.kind))[0]
