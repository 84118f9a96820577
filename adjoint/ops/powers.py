"""Powers and roots."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.ops.casting import cast, cast_for
from adjoint.ops.inplace import in_place
from adjoint.ops.kinds.elementwise import NUMBERS, elementwise
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.row import FLOAT32, FLOAT64
from adjoint.ops.selection import bound, zero_where
from adjoint.ops.transcendental import log
from adjoint.tape.engine import rows
from adjoint.tape.tensor import Tensor


def _power(x: Any, y: Any) -> Any:
    """Powers of arrays; of integers, negative powers are rounded towards zero, as in C."""
    if x.dtype.kind not in "iu" or not np.any(y < 0):
        return np.power(x, y)
    one_or_less = np.where(x == 1, 1, np.where(x == -1, 1 - 2 * (y % 2), 0))
    return np.where(y < 0, one_or_less, np.power(x, np.maximum(y, 0))).astype(x.dtype)


def _power_of_number(x: Any, exponent: Any) -> Any:
    """Small powers by multiplication, as PyTorch has them to the bit; the rest by ``np.power``."""
    if exponent == 2:
        return np.multiply(x, x)
    if exponent == 0:
        return np.ones_like(x)
    if exponent == 1:
        return x.copy()
    if exponent == 3:
        return np.multiply(x, np.multiply(x, x))
    if x.dtype.kind in "iu":
        if exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
    elif exponent == 0.5:
        return np.sqrt(x)
    elif exponent == -0.5:
        return np.reciprocal(np.sqrt(x))
    elif exponent == -1:
        return np.reciprocal(x)
    elif exponent == -2:
        return np.reciprocal(np.multiply(x, x))
    return np.power(x, bound(exponent, x))


def _slope(g: Any, x: Any, exponent: Any) -> Any:
    if exponent == 0:
        return zero(g)
    if exponent == 1:
        return g
    return g * (pow_number_row(x, exponent - 1) * exponent)


def _slope_of_base(g: Any, x: Any, y: Any) -> Any:
    """Zero where the exponent is, though ``0 * x ** -1`` is not a number at 0."""
    return zero_where(y == 0, g * (y * x ** (y - 1)))


def _slope_of_exponent(g: Any, x: Any, y: Any, out: Any) -> Any:
    """Zero where the base is and the exponent not negative: the power is constant there."""
    return g * zero_where((x == 0) & _not_negative(y), out * log(x))


def _not_negative(y: Any) -> Any:
    """Where a number is 0 or more; of complex ones, where it is real besides."""
    if dtypes.of(y).category != dtypes.COMPLEX:
        return y >= 0
    part = rows.real(y)
    return (part >= 0) & (part == y)


def _slope_over_number(g: Any, x: Any, out: Any, base: Any) -> Any:
    if base == 0:
        return g * zero_where(_not_negative(x), out * -math.inf)
    if dtypes.of(out).category == dtypes.COMPLEX:
        return g * (out * cmath.log(base))
    return g * (out * (math.log(base) if base > 0 else math.nan))


square_row = elementwise(
    "square", np.square, promote="same", namespaces=None, node_name="PowBackward0",
    x=lambda g, x: g * (x + x),
)  # fmt: skip
pow_number_row = elementwise(
    "pow_number", _power_of_number, promote="same", options="exponent", namespaces=None,
    node_name="PowBackward0",
    x=lambda g, x, exponent: _slope(g, x, exponent),
)  # fmt: skip
pow_row = elementwise(
    "pow", _power, promote="same", supports="ifc", namespaces=None, node_name="PowBackward1",
    x=lambda g, x, y: _slope_of_base(g, x, y),
    y=lambda g, x, y, out: _slope_of_exponent(g, x, y, out), saved="y=exponent",
)  # fmt: skip
number_pow_row = elementwise(
    "number_pow", lambda x, base: _power(bound(base, x), x), promote="same", options="base",
    namespaces=None, node_name="PowBackward2",
    x=lambda g, x, out, base: _slope_over_number(g, x, out, base), saved="x=exponent",
)  # fmt: skip


def is_plain(value: Any) -> bool:
    """Whether a value is a Tensor over an array of float32 or float64."""
    if not isinstance(value, Tensor):
        return False
    kind = getattr(value._array, "dtype", None)
    return kind is FLOAT32 or kind is FLOAT64


@public(in_place=True, out="cast")
def pow(input: Any, exponent: Any) -> Any:
    """``input ** exponent``, each a tensor or one of them a number; types promote.

    Raises ``RuntimeError`` for integers to a negative power, and shapes that do not fit.

    >>> import adjoint as torch
    >>> torch.pow(torch.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    if (type(exponent) is int or type(exponent) is float) and is_plain(input):
        return square_row(input) if exponent == 2 else pow_number_row(input, exponent)
    if isinstance(exponent, NUMBERS) and hasattr(input, "dtype"):
        if isinstance(exponent, complex) or dtypes.of(input) is dtypes.bool_:
            input = cast(input, dtypes.result_type((input, exponent)))
        else:
            input = cast_for(input, exponent)
        if exponent == 2:
            return square_row(input)
        return pow_number_row(input, exponent)
    if (type(input) is int or type(input) is float) and is_plain(exponent):
        return number_pow_row(exponent, input)
    if isinstance(input, NUMBERS) and hasattr(exponent, "dtype"):
        return number_pow_row(cast(exponent, dtypes.result_type((input, exponent))), input)
    return pow_row(input, exponent)


@public(out="exact")
def float_power(input: Any, exponent: Any) -> Any:
    """``input ** exponent`` in float64, or complex128 where one is complex.

    >>> import adjoint as torch
    >>> torch.float_power(torch.tensor([1, 2, 3]), -1)
    tensor([1.0000, 0.5000, 0.3333], dtype=torch.float64)
    """
    for value in (input, exponent):
        if not isinstance(value, NUMBERS) and not hasattr(value, "dtype"):
            raise TypeError(f"float_power(): arguments must be Tensor or numbers, not {value!r}")
    complex_ = dtypes.result_type((input, exponent)).is_complex
    kind = dtypes.complex128 if complex_ else dtypes.float64
    if isinstance(exponent, NUMBERS):
        number: Any = exponent
        number = complex(number) if complex_ else float(number)
        return pow(cast(input, kind), number)
    if isinstance(input, NUMBERS):
        number = input
        return pow(complex(number) if complex_ else float(number), cast(exponent, kind))
    return pow_row(cast(input, kind), cast(exponent, kind))


@public(namespaces=())
def float_power_(input: Any, exponent: Any) -> Any:
    """In-place form of ``float_power``: ``RuntimeError`` unless the tensor has the result's type.

    >>> import adjoint as torch
    >>> torch.tensor([1.0, 2.0], dtype=torch.float64).float_power_(3)
    tensor([1., 8.], dtype=torch.float64)
    """
    kind = dtypes.of(input)
    if kind is not dtypes.float64 and kind is not dtypes.complex128:
        raise RuntimeError(
            f"float_power_: the tensor is {kind!r}, but the result is double precision"
        )
    return in_place(float_power, "float_power_")(input, exponent)


@public(in_place=True, out="cast")
def square(input: Any) -> Any:
    """Each element times itself.

    >>> import adjoint as torch
    >>> torch.square(torch.tensor([1.0, -2.0, 3.0]))
    tensor([1., 4., 9.])
    """
    return pow(input, 2)


rsqrt = elementwise(
    "rsqrt", lambda x: np.reciprocal(np.sqrt(x)),
    x=lambda g, out: g * (out * out * out * -0.5),
    doc="""One over the square root of each element; integers give the default floating type.

    >>> import adjoint as torch
    >>> torch.rsqrt(torch.tensor([4.0, 16.0]))
    tensor([0.5000, 0.2500])
    """,
)  # fmt: skip
reciprocal = elementwise(
    "reciprocal", np.reciprocal,
    x=lambda g, out: -g * (out * out),
    doc="""One over each element; integers give the default floating type.

    >>> import adjoint as torch
    >>> torch.reciprocal(torch.tensor([2.0, -4.0]))
    tensor([ 0.5000, -0.2500])
    """,
)  # fmt: skip
