"""Views, which dissolve, and copies of what a view would show."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.expressions import sigmoid
from adjoint.compiler.lowering.base import Lowering, NotLoweredError, lowers
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation


@lowers("reshape", "reshape_alias", "unsafe_view")
def _reshape(low: Lowering, equation: Equation, x: Any) -> Look:
    return low.reshaped(x, equation.outputs[0].shape)


@lowers(
    "alias", "detach", "diagonal", "expand", "permute", "real", "select", "slice", "squeeze",
    "squeeze_all", "squeeze_several", "t", "t_vector", "transpose", "transpose_scalar", "unfold",
    "unsqueeze",
)  # fmt: skip
def _view(low: Lowering, equation: Equation, x: Any) -> Look:
    row = equation.operation
    try:
        return low.look(x).seen(lambda place: row.compute(place, *equation.options))
    except ValueError as error:
        raise NotLoweredError(str(error)) from None


@lowers("as_strided")
def _as_strided(low: Lowering, equation: Equation, x: Any) -> Look:
    buffer = low.whole(low.look(x))  # strides are those of memory in order
    found: Look = _view(low, equation, Look(buffer))
    return found


@lowers("view_again")
def _view_again(low: Lowering, equation: Equation, x: Any) -> Look:
    (path,) = equation.options
    try:
        return low.look(x).seen(lambda place: followed(place, path))
    except ValueError as error:
        raise NotLoweredError(str(error)) from None


def followed(place: Any, path: Any) -> Any:
    """A stand-in through the views of a path: rows, their options, and which of their results."""
    for row, options, number in path:
        place = row.compute(place, *options)
        if row.many_outputs:
            place = place[number]
    return place


@lowers("split", "split_with_sizes", "unbind")
def _views(low: Lowering, equation: Equation, x: Any) -> tuple[Look, ...]:
    look = low.look(x)
    places = equation.operation.compute(look.place, *equation.options)
    return tuple(Look(look.buffer, place) for place in places)


# -- copies, which are looked at where they were ------------------------------------------------


@lowers("diagonal_copy")
def _diagonal(low: Lowering, equation: Equation, x: Any) -> Look:
    return low.look(x).seen(lambda place: place.diagonal(*equation.options))


@lowers("narrow_copy")
def _narrow(low: Lowering, equation: Equation, x: Any) -> Look:
    dim, start, stop = equation.options
    return low.look(x).seen(lambda place: place[along(dim, slice(start, stop))])


@lowers("flip")
def _flip(low: Lowering, equation: Equation, x: Any) -> Look:
    (dims,) = equation.options
    parts = [slice(None)] * len(x.shape)
    for dim in dims:
        parts[dim] = slice(None, None, -1)
    return low.look(x).seen(lambda place: place[(..., *parts)])


@lowers("rot90")
def _rot90(low: Lowering, equation: Equation, x: Any) -> Look:
    return low.look(x).seen(lambda place: np.rot90(place, *equation.options))


# -- computed with parts ------------------------------------------------------------------------


@lowers("glu")
def _glu(low: Lowering, equation: Equation, x: Any) -> Look:
    out, (dim,) = equation.outputs[0], equation.options
    look, size = low.look(x), out.shape[dim]
    first, second = (
        look.seen(lambda place, part=part: place[along(dim, part)])  # type: ignore[misc]
        for part in (slice(0, size), slice(size, 2 * size))
    )
    gate = sigmoid(low.load(second, out.shape))
    return low.map(out.shape, out.kind, low.load(first, out.shape) * gate)


def along(dim: int, part: Any) -> tuple[Any, ...]:
    """NumPy's index for ``part`` of dimension ``dim``, which counts from the end."""
    return (..., part, *(slice(None),) * (-dim - 1))
