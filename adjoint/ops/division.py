"""Quotients, rounded or not, and remainders."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.array.large import loop_for_two
from adjoint.ops.arithmetic import div
from adjoint.ops.kinds.elementwise import NUMBERS, elementwise
from adjoint.ops.kinds.formulas import missing, zero
from adjoint.ops.kinds.out import given_out
from adjoint.ops.kinds.public import public

_quotient = loop_for_two("floor_divide", np.floor_divide)
_modulo = loop_for_two("remainder", np.remainder)
_left = loop_for_two("fmod", np.fmod)


def _refuse_zero(y: Any) -> None:
    if y.dtype.kind in "iu" and not np.logical_and.reduce(y, axis=None):
        raise RuntimeError("ZeroDivisionError: an integer was divided by zero")


def _floor_divide(x: Any, y: Any) -> Any:
    _refuse_zero(y)
    return _quotient(x, y)


def _truncate_divide(x: Any, y: Any) -> Any:
    if y.dtype.kind not in "iu":
        return np.trunc(np.true_divide(x, y))
    _refuse_zero(y)
    down = np.floor_divide(x, y)
    return down + ((down * y != x) & ((x < 0) != (y < 0)))


def _remainder(x: Any, y: Any) -> Any:
    _refuse_zero(y)
    return _modulo(x, y)


def _fmod(x: Any, y: Any) -> Any:
    _refuse_zero(y)
    return _left(x, y)


div_floor_row = elementwise(
    "div_floor", _floor_divide, promote="same", numbers="x y", supports="if", namespaces=None,
    node_name="DivBackward2",
    x=lambda g: zero(g),
    y=lambda g: zero(g),
)  # fmt: skip
div_trunc_row = elementwise(
    "div_trunc", _truncate_divide, promote="same", numbers="x y", supports="if", namespaces=None,
    node_name="DivBackward2",
    x=lambda g: zero(g),
    y=lambda g: zero(g),
)  # fmt: skip
floor_divide = elementwise(
    "floor_divide", _floor_divide, promote="same", numbers="x y", supports="if",
    node_name="NotImplemented",
    x=missing("floor_divide"),
    y=missing("floor_divide"),
    doc="""The quotient rounded down to a whole number, of the type the operands have together.

    Raises ``RuntimeError`` for an integer divided by zero; has no derivative.

    >>> import adjoint as torch
    >>> torch.floor_divide(torch.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """,
)  # fmt: skip


@public(in_place=True, name="div", aliases=("divide",), out="cast")
def div_function(
    input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None
) -> Any:
    """``input / other``: of integers too, the default floating type.

    With ``rounding_mode`` "trunc" or "floor" the quotient is rounded to a whole number, and
    integers stay integers. Raises ``RuntimeError`` for another mode, for shapes that do not fit,
    and for integers rounded after division by zero.

    >>> import adjoint as torch
    >>> (
    ...     torch.div(torch.tensor([7, -7]), 2),
    ...     torch.div(torch.tensor([7, -7]), 2, rounding_mode="floor"),
    ... )
    (tensor([ 3.5000, -3.5000]), tensor([ 3, -4]))
    """
    if out is not None:
        return given_out(div_function, out, input, other, rounding_mode=rounding_mode)
    if rounding_mode is None:
        return div(input, other)
    if rounding_mode == "floor":
        return div_floor_row(input, other)
    if rounding_mode == "trunc":
        return div_trunc_row(input, other)
    raise RuntimeError(f"div: rounding_mode is None, 'trunc' or 'floor', but got {rounding_mode!r}")


@public(in_place=True, out="cast")
def true_divide(input: Any, other: Any) -> Any:
    """``input / other``: of integers too, the default floating type.

    >>> import adjoint as torch
    >>> torch.true_divide(torch.tensor([7, -7]), 2)
    tensor([ 3.5000, -3.5000])
    """
    return div(input, other)


# -- remainders -----------------------------------------------------------------------------------

remainder_row = elementwise(
    "remainder", _remainder, promote="same", numbers="y", supports="if", namespaces=None,
    node_name="RemainderBackward1",
    x=lambda g: g,
    y=lambda g, x, y: -g * div_floor_row(x, y),
)  # fmt: skip
remainder_number_row = elementwise(
    "remainder_number", _remainder, promote="same", numbers="y", supports="if", namespaces=None,
    node_name="RemainderBackward0",
    x=lambda g: g,
    y=None,
)  # fmt: skip
number_remainder_row = elementwise(
    "number_remainder", _remainder, promote="same", numbers="x", supports="if", namespaces=None,
    node_name="NotImplemented",
    x=None,
    y=missing("remainder of a number by a tensor"),
)  # fmt: skip
fmod_row = elementwise(
    "fmod", _fmod, promote="same", numbers="y", supports="if", namespaces=None,
    node_name="FmodBackward1",
    x=lambda g: g,
    y=lambda g, x, y: -g * div_trunc_row(x, y),
)  # fmt: skip
fmod_number_row = elementwise(
    "fmod_number", _fmod, promote="same", numbers="y", supports="if", namespaces=None,
    node_name="FmodBackward0",
    x=lambda g: g,
    y=None,
)  # fmt: skip


@public(in_place=True, out="cast")
def remainder(input: Any, other: Any) -> Any:
    """What is left of ``input`` after whole ``other``s, with the sign of ``other``, as ``%``.

    Raises ``RuntimeError`` for an integer divided by zero.

    >>> import adjoint as torch
    >>> torch.remainder(torch.tensor([7.0, -7.0]), 3)
    tensor([1., 2.])
    """
    if isinstance(other, NUMBERS):
        return remainder_number_row(input, other)
    return (number_remainder_row if isinstance(input, NUMBERS) else remainder_row)(input, other)


@public(in_place=True, out="cast")
def fmod(input: Any, other: Any) -> Any:
    """What is left of ``input`` after whole ``other``s, with the sign of ``input``.

    Raises ``RuntimeError`` for an integer divided by zero.

    >>> import adjoint as torch
    >>> torch.fmod(torch.tensor([7.0, -7.0]), 3)
    tensor([ 1., -1.])
    """
    return (fmod_number_row if isinstance(other, NUMBERS) else fmod_row)(input, other)
