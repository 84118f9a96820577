"""Rounding, signs and other steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.compiler.codegen.conversions import is_half
from adjoint.compiler.expressions import (
    Expression,
    absolute,
    bits,
    ceil,
    copysign,
    exp2,
    floor,
    from_bits,
    is_nan,
    rint,
    shift_right,
    truncate,
    where,
)


def _round(x: Expression, decimals: int) -> Expression:
    if decimals == 0:
        return rint(x)
    scale = 10.0 ** abs(decimals)
    return rint(x * scale) / scale if decimals > 0 else rint(x / scale) * scale


def sign(x: Expression) -> Expression:
    """-1, 0 or 1; 0 of a NaN."""
    if x.kind.kind in "bu":
        return x if x.kind.kind == "b" else (x > 0).to(x.kind)
    return (x > 0).to(x.kind) - (x < 0).to(x.kind)


def next_after(x: Expression, y: Expression) -> Expression:
    """The next number towards ``y``: numbers of one sign are in the order of their bits."""
    a, b = (each.to(np.float32) if is_half(each.kind) else each for each in (x, y))
    place, lowest = bits(x), -1 << (8 * x.kind.itemsize - 1)
    grows = (b > a).equals(a > 0)
    moved = from_bits(where(grows, place + 1, place - 1), x.kind)
    least = from_bits((bits(y) & lowest) | 1, x.kind)
    stepped = where(a.equals(b), y, where(a.equals(0), least, moved))
    return where(is_nan(a), x, where(is_nan(b), y, stepped))


def without_nan(
    x: Expression, most: float, nan: float, posinf: float | None, neginf: float | None
) -> Expression:
    """Numbers for NaN and the infinities, for these the largest of the type by default."""
    found = where(is_nan(x), nan, x, x.kind)
    found = where(x.equals(math.inf), most if posinf is None else posinf, found, x.kind)
    return where(x.equals(-math.inf), -most if neginf is None else neginf, found, x.kind)


def mantissa_and_exponent(x: Expression) -> tuple[Expression, Expression]:
    """A number between 1/2 and 1, and the power of two to multiply it with; 0 for what has none."""
    limits = np.finfo(x.kind)
    places, bias = limits.nmant, limits.maxexp - 2
    field = ((1 << limits.nexp) - 1) << places
    small = absolute(x) < float(limits.tiny)
    memory = bits(where(small, x * 2.0 ** (places + 1), x))
    power = shift_right(memory & field, places) - bias
    power = where(small, power - (places + 1), power)
    strange = x.equals(0) | ~(absolute(x) < math.inf)
    found = from_bits((memory & ~field) | (bias << places), x.kind)
    return where(strange, x, found), where(strange, 0, power)


SCALARS: dict[str, Any] = {
    "floor": floor,
    "ceil": ceil,
    "trunc": truncate,
    "frac": lambda x: x - truncate(x),
    "round": rint,
    "round_decimals": _round,
    "sign": sign,
    "sgn": sign,
    "copysign": copysign,
    "copysign_number": copysign,
    "heaviside": lambda x, y: where(x.equals(0), y, (x > 0).to(x.kind)),
    "deg2rad": lambda x: x * (math.pi / 180),
    "rad2deg": lambda x: x * (180 / math.pi),
    "ldexp": lambda x, y: x * exp2(y),
    "angle": lambda x: where(x < 0, math.pi, where(is_nan(x), x, 0), x.kind),
}
