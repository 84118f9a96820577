"""Rounding, signs and other steps: functions that are straight between their jumps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint import dtypes, return_types
from adjoint.ops.kinds.elementwise import NUMBERS, elementwise
from adjoint.ops.kinds.formulas import missing, zero
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.selection import keep_where, zero_where
from adjoint.ops.transcendental import exp2


def _on_floats(ufunc: Any) -> Any:
    """A rounding that leaves integers as they are."""
    return lambda x: ufunc(x) if x.dtype.kind not in "iu" else x.copy()


floor = elementwise(
    "floor", _on_floats(np.floor), promote="same", out="exact", supports="if",
    x=lambda g: zero(g),
    doc="""Each element rounded down to a whole number.

    >>> import adjoint as torch
    >>> torch.floor(torch.tensor([1.5, -1.5]))
    tensor([ 1., -2.])
    """,
)  # fmt: skip
ceil = elementwise(
    "ceil", _on_floats(np.ceil), promote="same", out="exact", supports="if",
    x=lambda g: zero(g),
    doc="""Each element rounded up to a whole number.

    >>> import adjoint as torch
    >>> torch.ceil(torch.tensor([1.5, -1.5]))
    tensor([ 2., -1.])
    """,
)  # fmt: skip
trunc = elementwise(
    "trunc", _on_floats(np.trunc), promote="same", out="exact", supports="if", aliases=("fix",),
    x=lambda g: zero(g),
    doc="""Each element rounded towards zero to a whole number.

    >>> import adjoint as torch
    >>> torch.trunc(torch.tensor([1.5, -1.5]))
    tensor([ 1., -1.])
    """,
)  # fmt: skip
frac = elementwise(
    "frac", lambda x: x - np.trunc(x), promote="same", out="exact", supports="f",
    x=lambda g: g,
    doc="""What ``trunc`` takes away from each element; floating types only.

    >>> import adjoint as torch
    >>> torch.frac(torch.tensor([1.5, -1.25]))
    tensor([ 0.5000, -0.2500])
    """,
)  # fmt: skip


def _round(x: Any, decimals: int) -> Any:
    if decimals == 0:
        return np.rint(x)
    scale = x.dtype.type(10.0 ** abs(decimals))
    return np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale


round_row = elementwise(
    "round", _on_floats(np.rint), promote="same", supports="if", namespaces=None,
    x=lambda g: zero(g),
)  # fmt: skip
round_decimals_row = elementwise(
    "round_decimals", _round, promote="same", supports="f", options="decimals", namespaces=None,
    node_name="RoundBackward1",
    x=lambda g: zero(g),
)  # fmt: skip


@public(in_place=True, out="exact")
def round(input: Any, *, decimals: int | None = None) -> Any:
    """Each element rounded to ``decimals`` places after the point, halves to the even neighbour.

    Integers stay as they are; ``decimals``, which is 0 if not given, is for floating types.

    >>> import adjoint as torch
    >>> torch.round(torch.tensor([0.5, 1.5, 2.6]))
    tensor([0., 2., 3.])
    """
    return round_row(input) if decimals is None else round_decimals_row(input, int(decimals))


@public(namespaces=("special",), method=False, name="round", out="exact")
def special_round(input: Any, *, decimals: int = 0) -> Any:
    """Each element rounded to ``decimals`` places after the point; floating types only.

    >>> import adjoint as torch
    >>> torch.special.round(torch.tensor([0.14, 0.27]), decimals=1)
    tensor([0.1000, 0.3000])
    """
    return round_decimals_row(input, int(decimals))


# -- signs ----------------------------------------------------------------------------------------


def _sign(x: Any) -> Any:
    if x.dtype.kind == "f":
        return np.subtract(x > 0, x < 0, dtype=x.dtype)  # of NaN 0, where np.sign has NaN
    return np.sign(x) if x.dtype.kind != "b" else x.copy()


sign = elementwise(
    "sign", _sign, promote="same", out="exact", supports="bif",
    x=lambda g: zero(g),
    doc="""-1, 0 or 1: the sign of each element; complex ones have ``sgn``.

    >>> import adjoint as torch
    >>> torch.sign(torch.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """,
)  # fmt: skip

COPYSIGN: dict[str, Any] = {
    "x": lambda g, x, out: g * zero_where(x == 0, out / x),
    "y": lambda g: zero(g),
}
copysign_row = elementwise("copysign", np.copysign, supports="f", namespaces=None, **COPYSIGN)
copysign_number_row = elementwise(
    "copysign_number", np.copysign, supports="f", numbers="y", namespaces=None,
    node_name="CopysignBackward1", **(COPYSIGN | {"y": None}),
)  # fmt: skip


@public(in_place=True, out="cast")
def copysign(input: Any, other: Any) -> Any:
    """The sizes of ``input`` with the signs of ``other``, a tensor or a number.

    Integers give the default floating type.

    >>> import adjoint as torch
    >>> torch.copysign(torch.tensor([1.0, -2.0]), -1)
    tensor([-1., -2.])
    """
    return (copysign_number_row if isinstance(other, NUMBERS) else copysign_row)(input, other)


# -- steps ----------------------------------------------------------------------------------------

heaviside_row = elementwise(
    "heaviside", lambda x, y: np.where(x == 0, y, (x > 0).astype(x.dtype)), promote="same",
    namespaces=None, node_name="NotImplemented",
    x=missing("heaviside"),
    y=missing("heaviside"),
)  # fmt: skip


@public(in_place=True, out="exact")
def heaviside(input: Any, values: Any) -> Any:
    """0 below zero, 1 above it, and ``values`` at zero; has no derivative.

    Raises ``RuntimeError`` for tensors of different types, and for complex ones.

    >>> import adjoint as torch
    >>> torch.heaviside(torch.tensor([-1.0, 0.0, 2.0]), torch.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if hasattr(values, "dtype") and dtypes.of(values) is not dtypes.of(input):
        raise RuntimeError(
            "heaviside is not yet implemented for tensors with different dtypes: "
            f"{dtypes.of(input)!r} and {dtypes.of(values)!r}"
        )
    if any(hasattr(each, "dtype") and dtypes.of(each).is_complex for each in (input, values)):
        raise RuntimeError(
            f"heaviside is not implemented for {dtypes.of(input)!r}: complex numbers have no sign"
        )
    return heaviside_row(input, values)


nextafter = elementwise(
    "nextafter", np.nextafter, promote="same", supports="f", low_precision=False,
    x=lambda g, x, y: zero_where(x == y, g),
    y=lambda g, x, y: keep_where(x == y, g),
    doc="""The next number of its type from each element towards ``other``.

    >>> import adjoint as torch
    >>> torch.nextafter(torch.tensor(1.0), torch.tensor(2.0)) > 1
    tensor(True)
    """,
)  # fmt: skip


BFLOAT16_MAX = float.fromhex("0x1.fep127")


def _nan_to_num(x: Any, nan: float, posinf: float | None, neginf: float | None) -> Any:
    if x.dtype.kind in "biu":
        return x.copy()
    if x.dtype.kind == "c":
        parts = [_nan_to_num(part, nan, posinf, neginf) for part in (x.real, x.imag)]
        out = np.empty_like(x)
        out.real, out.imag = parts
        return out
    most = x.dtype.type(BFLOAT16_MAX) if x.dtype.kind == "V" else np.finfo(x.dtype).max
    out = np.where(x != x, x.dtype.type(nan), x)
    out = np.where(x == np.inf, most if posinf is None else x.dtype.type(posinf), out)
    return np.where(x == -np.inf, -most if neginf is None else x.dtype.type(neginf), out)


nan_to_num_row = elementwise(
    "nan_to_num", _nan_to_num, promote="same", options="nan posinf neginf", namespaces=None,
    low_precision=False,
    x=lambda g, x: zero_where((x - x) != 0, g),
)  # fmt: skip


@public(in_place=True, out="exact")
def nan_to_num(
    input: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """NaN replaced by ``nan`` (0), infinities by the largest numbers of the type or those given.

    >>> import adjoint as torch
    >>> torch.nan_to_num(torch.tensor([float("nan"), 1.0]), nan=2.0)
    tensor([2., 1.])
    """
    return nan_to_num_row(input, 0.0 if nan is None else nan, posinf, neginf)


# -- scaling --------------------------------------------------------------------------------------

deg2rad = elementwise(
    "deg2rad", lambda x: x * (math.pi / 180), supports="f", unsupported=RuntimeError,
    node_name="Deg2RadBackward0",
    x=lambda g: g * (math.pi / 180),
    doc="""Angles in degrees as radians.

    >>> import adjoint as torch
    >>> torch.deg2rad(torch.tensor([180.0, 90.0]))
    tensor([3.1416, 1.5708])
    """,
)  # fmt: skip
rad2deg = elementwise(
    "rad2deg", lambda x: x * (180 / math.pi), supports="f", unsupported=RuntimeError,
    node_name="Rad2DegBackward0",
    x=lambda g: g * (180 / math.pi),
    doc="""Angles in radians as degrees.

    >>> import adjoint as torch
    >>> torch.rad2deg(torch.tensor([0.0, 1.0]))
    tensor([ 0.0000, 57.2958])
    """,
)  # fmt: skip
ldexp_row = elementwise(
    "ldexp", lambda x, y: x * np.exp2(y), supports="fc", namespaces=None,
    x=lambda g, y: g * exp2(y),
    y=lambda g, out: g * (out * math.log(2.0)),
)  # fmt: skip


@public(out="cast")
def ldexp(input: Any, other: Any) -> Any:
    """``input * 2 ** other``; integers give the default floating type.

    Raises ``NotImplementedError`` for boolean exponents of floating numbers.

    >>> import adjoint as torch
    >>> torch.ldexp(torch.tensor([1.0, 3.0]), torch.tensor([4, -1]))
    tensor([16.0000,  1.5000])
    """
    kinds = [dtypes.of(each) for each in (input, other) if hasattr(each, "dtype")]
    if kinds[1:] == [dtypes.bool_] and kinds[0].category == dtypes.FLOATING:
        raise NotImplementedError(
            f"ldexp is not implemented for {kinds[0]!r} with exponents that are torch.bool; "
            "convert them with .int()"
        )
    return ldexp_row(input, other)


frexp_row = define(
    "frexp", "elementwise", np.frexp, outputs="mantissa exponent", differentiable=1,
    x=lambda g, exponent: ldexp_row(g[0], -exponent),
    jvp=lambda x_t, exponent: (ldexp_row(x_t, -exponent),),
    batch="elementwise",
)  # fmt: skip


@public(out="exact")
def frexp(input: Any) -> Any:
    """A mantissa between 1/2 and 1 and an exponent of each element: ``mantissa * 2 ** exponent``.

    Raises ``RuntimeError`` unless the elements are floating.

    >>> import adjoint as torch
    >>> torch.frexp(torch.tensor([6.0, 0.25])).exponent
    tensor([ 3, -1], dtype=torch.int32)
    """
    if not hasattr(input, "dtype"):
        raise TypeError(f"frexp(): argument 'input' must be Tensor, not {input!r}")
    if dtypes.of(input).category != dtypes.FLOATING:
        raise RuntimeError(f"frexp is for floating types, but the input is {dtypes.of(input)!r}")
    return return_types.frexp(*frexp_row(input))
