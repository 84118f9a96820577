"""Elements written, added or reduced at places that tensors of indices name.

What is written to is the base itself where nobody looks at it any more, and a copy otherwise. Where
a place occurs more than once, the last one stays, as in the rows' kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from adjoint.compiler.codegen.conversions import is_half
from adjoint.compiler.expressions import Expression, coordinate, element, number, where
from adjoint.compiler.lowering import pooling
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.lowering.halves import in_float32
from adjoint.compiler.lowering.indexing import (
    Choice,
    along_one,
    index_column,
    lifted,
    only,
    progression,
    total,
    within,
)
from adjoint.compiler.lowering.places import empty, owned, update
from adjoint.compiler.lowering.sums import note_zeros, zeros_around
from adjoint.compiler.nodes import Buffer, Look, Shape, strides_of
from adjoint.compiler.program import Equation

Made = TypeVar("Made", bound=Callable[..., Any])

# -- an index for every element -------------------------------------------------------------------


class Target:
    """A buffer written to along one dimension, at the places of an index."""

    def __init__(
        self, low: Lowering, buffer: Buffer, index: Any, dim: int | None, name: str
    ) -> None:
        look, places, dim = lifted(Look(buffer), low.look(index), dim)
        self.low, self.buffer, self.domain = low, buffer, places.shape
        self.at = along_one(
            low.load(places, self.domain), self.domain, look.strides, look.shape, dim, name
        )

    def value(self, source: Any) -> Expression:
        """What is to be written, over the domain: a number, or of the index's shape."""
        if isinstance(source, Look) and source.shape:
            source = self.low.reshaped(source, self.domain)
        return self.low.load(source, self.domain, self.buffer.kind)

    def write(self, name: str, value: Expression) -> None:
        """Write, or combine."""
        update(self.low, name, self.buffer, self.domain, self.at, value)


def base_of(low: Lowering, x: Any, *sources: Any) -> Buffer:
    """The memory of ``x`` to write to, by what looks at ``sources``."""
    seen = [low.load(each, each.shape) for each in sources if isinstance(each, Look)]
    return owned(low, x, *seen)


def target_in(
    low: Lowering, x: Any, index: Any, dim: int | None, name: str, *sources: Any
) -> Target:
    """What is written to in the memory of ``x``, by what looks at ``sources``.

    For an input all that may be wrong is found out before: it is then written to where it is.
    """
    target = Target(low, Buffer(x.shape, x.kind), index, dim, name)
    if isinstance(x, Look) and x.buffer.node is None:
        places = low.map(target.domain, np.int64, target.at)
        target.at = low.load(places, target.domain)
    target.buffer = base_of(low, x, index, *sources)
    return target


def combining(*names: str) -> Callable[[Made], Made]:
    """Make a function the rule of rows that combine elements: of halves in float32, rounded once.

    Rows that move elements are tried with halves as they are, and nobody has widened these before.
    """

    def register(rule: Made) -> Made:
        def wide(low: Lowering, equation: Equation, *inputs: Any) -> Any:
            if any(is_half(each.kind) for each in equation.outputs):
                return in_float32(low, rule, equation, inputs)
            return rule(low, equation, *inputs)

        lowers(*names)(wide)
        return rule

    return register


def scattered(low: Lowering, equation: Equation, x: Any, index: Any, source: Any) -> Look:
    """``x`` with the elements of a source written, or added, where an index says."""
    name, (dim,) = equation.operation.name, equation.options
    if 0 in index.shape:
        return low.look(x)
    target = target_in(low, x, index, dim, name, source)
    target.write("set" if name == "scatter" else "add", target.value(source))
    return Look(target.buffer)


lowers("scatter")(scattered)
combining("scatter_add")(scattered)


@lowers("scatter_value")
def _scatter_value(low: Lowering, equation: Equation, x: Any, index: Any) -> Look:
    dim, value = equation.options
    if 0 in index.shape:
        return low.look(x)
    target, kind = target_in(low, x, index, dim, "scatter"), equation.outputs[0].kind
    target.write("set", number(np.asarray(value).astype(kind).item(), kind))
    return Look(target.buffer)


@combining("gather_backward")
def _gather_backward(low: Lowering, equation: Equation, g: Any, index: Any) -> Look:
    out, (_shape, dim) = equation.outputs[0], equation.options
    buffer = empty(low, out.shape, out.kind)
    if 0 not in index.shape:
        target = Target(low, buffer, index, dim, "gather")
        target.write("add", target.value(g))
        note_zeros(low, buffer, target.domain, target.at, target.value(g))
    return Look(buffer)


@lowers("put_back")
def _put_back(low: Lowering, equation: Equation, x: Any, index: Any) -> Look:
    out, (dim, _size, repeated) = equation.outputs[0], equation.options
    domain = out.shape
    if dim is None or not domain:
        return low.reshaped(x, domain)
    found = None if repeated else pooling.put_back(low, x, index, domain)
    if found is not None:
        return found
    if index.shape[dim] == 1 and domain[dim] <= 64:  # looked for at each place, in one loop
        same = low.load(index, domain).equals(coordinate(domain, dim))
        return low.map(domain, out.kind, where(same, low.load(x, domain), 0, out.kind))
    buffer = empty(low, domain, out.kind)
    if 0 not in index.shape:
        target = Target(low, buffer, index, dim, "put_back")
        target.write("add" if repeated else "set", target.value(x))
    return Look(buffer)


# -- reduced --------------------------------------------------------------------------------------

COMBINED = {"sum": "add", "mean": "add", "prod": "mul", "amax": "max", "amin": "min"}


def start_of(reduce: str, kind: np.dtype[Any]) -> Any:
    """What a place begins with where the base does not take part."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if kind.kind == "f":
        return -np.inf if reduce == "amax" else np.inf
    if kind.kind == "b":
        return reduce == "amin"
    limits = np.iinfo(kind)
    return limits.min if reduce == "amax" else limits.max


@combining("scatter_reduce")
def _scatter_reduce(low: Lowering, equation: Equation, x: Any, index: Any, source: Any) -> Look:
    dim, reduce, include_self = equation.options
    out = equation.outputs[0]
    kind = out.kind
    if is_half(kind):
        raise NotLoweredError(f"nothing is combined in {kind}")  # but in float32
    if reduce == "mean" and kind.kind != "f":
        raise NotLoweredError("means of integers")
    if 0 in index.shape:
        return low.look(x)
    target = target_in(low, x, index, dim, "scatter_reduce", source)
    buffer = target.buffer
    if not include_self:
        target.write("set", number(start_of(reduce, kind), kind))
    target.write(COMBINED[reduce], target.value(source))
    if reduce != "mean":
        return Look(buffer)
    counts = empty(low, out.shape, np.int64, int(include_self))
    Target(low, counts, index, dim, "scatter_reduce").write("add", number(1, np.int64))
    count = low.load(Look(counts), out.shape)
    count = where(count.equals(0), 1, count).to(kind)
    return low.map(out.shape, kind, low.load(Look(buffer), out.shape) / count)


# -- an index for slices, or several --------------------------------------------------------------


def put(low: Lowering, equation: Equation, x: Any, index: Any, source: Any) -> Look:
    """``x`` with a source written, or added, where several indices say."""
    row, (dims, place, accumulate) = equation.operation, equation.options
    if 0 in index.shape[1:] or 0 in x.shape:
        if 0 not in index.shape:
            raise NotLoweredError("there is nothing to write to")
        return low.look(x)
    if not dims:
        out = equation.outputs[0]
        value = low.load(source, out.shape, out.kind)
        present = low.load(x, out.shape)
        if accumulate:
            value = present | value if out.kind.kind == "b" else present + value
        return low.map(out.shape, out.kind, only(low, index, row.name, value))
    # All that may be wrong is found out first: an input is then written to where it is.
    choice = Choice(low, x.shape, index, dims, place)
    at = choice.at(strides_of(x.shape), 0, row.name, apart=True)
    buffer = base_of(low, x, index, source)
    value = low.load(source, choice.domain, buffer.kind)
    update(low, "add" if accumulate else "set", buffer, choice.domain, at, value)
    return Look(buffer)


lowers("index_copy", "index_fill", "index_fill_tensor")(put)
combining("index_put", "index_add", "put")(put)


@combining("index_backward")
def _index_backward(low: Lowering, equation: Equation, g: Any, index: Any) -> Look:
    out, (shape, dims, place) = equation.outputs[0], equation.options
    if not dims:
        return low.reshaped(g, shape) if 0 not in index.shape else low.map(shape, out.kind, 0)
    buffer = empty(low, shape, out.kind)
    if 0 not in g.shape:
        choice = Choice(low, shape, index, dims, place)
        at = choice.at(strides_of(shape), 0, "index")
        value = low.load(g, choice.domain)
        update(low, "add", buffer, choice.domain, at, value)
        note_zeros(low, buffer, choice.domain, at, value)
    return Look(buffer)


@lowers("embedding_backward")
def _embedding_backward(low: Lowering, equation: Equation, g: Any, index: Any) -> Look:
    out, (count, padding, by_frequency) = equation.outputs[0], equation.options
    known = progression(index, count)
    if known is not None and known.step == 1 and padding < 0 and not by_frequency:
        lines = low.reshaped(g, (*out.shape[:-2], known.stop - known.start, out.shape[-1]))
        return zeros_around(low, out, lines, len(out.shape) - 2, known.start, known.stop)
    buffer = empty(low, out.shape, out.kind)
    domain = g.shape
    if 0 in domain:
        return Look(buffer)
    front, width = len(out.shape) - 2, len(domain) - 1
    rows = index_column(low, index)
    chosen = within(low.load(rows, domain), count, "embedding")
    steps = strides_of(out.shape)
    parts = [(coordinate(domain, axis), steps[axis]) for axis in range(front)]
    parts += [(chosen, steps[-2]), (coordinate(domain, width), steps[-1])]
    value = low.load(g, domain)
    if by_frequency:
        value = value * (number(1, out.kind) / _frequency(low, index, count, domain).to(out.kind))
    if padding >= 0:
        value = where(low.load(rows, domain).equals(padding), 0, value)
    update(low, "add", buffer, domain, total(parts), value)
    note_zeros(low, buffer, domain, total(parts), value)
    return Look(buffer)


def _frequency(low: Lowering, index: Any, count: int, domain: Shape) -> Expression:
    """How often the index of each row occurs."""
    shape = index.shape
    counts = empty(low, (count,), np.int64)
    each = within(low.load(index, shape), count, "embedding")
    update(low, "add", counts, shape, each, number(1, np.int64))
    found = low.map(shape, np.int64, element(counts, each))
    return low.load(index_column(low, found), domain)
