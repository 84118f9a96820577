"""The arithmetic of updates on symbols: what ``adjoint.optim.arrays`` does, in the same order.

Every function returns a new symbol; factors are symbols without dimensions, in the parameter's
type, which is what they are on plain memory too, so results round alike.
"""

from __future__ import annotations

from typing import Any

from adjoint.ops.rounding import sign as sign_row
from adjoint.ops.selection import maximum, minimum, where
from adjoint.ops.transcendental import sqrt

Factor = Any


def adjust(x: Any, g: Any, how: Any, out: Any) -> tuple[Any, Any]:
    """What precedes a formula: ``shrink * x``, and ``g`` or its opposite, decayed."""
    maximize, decay, shrink = how
    if shrink is not None:
        x = x * shrink
    if decay is None:
        return x, -g if maximize else g
    decayed = x * decay
    return x, decayed - g if maximize else decayed + g


def scale(x: Any, factor: Factor) -> Any:
    """``factor * x``."""
    return x * factor


def shift(x: Any, number: Factor) -> Any:
    """``x + number``."""
    return x + number


def over(x: Any, number: Factor) -> Any:
    """``x / number``."""
    return x / number


def plus(x: Any, y: Any, factor: Factor, work: Any) -> Any:
    """``x + factor * y``."""
    return x + (y if factor is None else y * factor)


def plus_square(x: Any, y: Any, factor: Factor, work: Any) -> Any:
    """``x + factor * y * y``."""
    return x + (y if factor is None else y * factor) * y


def plus_quotient(x: Any, y: Any, z: Any, factor: Factor, work: Any) -> Any:
    """``x + factor * y / z``."""
    return x + (y if factor is None else y * factor) / z


def toward(x: Any, y: Any, weight: Factor, rest: Factor, work: Any) -> Any:
    """``x`` gone to ``y`` by ``weight``; or by ``1 - rest``, where that is the greater part."""
    if rest is None:
        return x + (y - x) * weight
    return y - (y - x) * rest


def sum_of(x: Any, y: Any, factor: Factor, out: Any) -> Any:
    """``x + factor * y``."""
    return x + y * factor


def ratio(x: Any, y: Any, out: Any) -> Any:
    """``x / y``."""
    return x / y


def product(x: Any, y: Any, out: Any) -> Any:
    """``x * y``."""
    return x * y


def variance(squares: Any, mean: Any, out: Any) -> Any:
    """``squares - mean * mean``."""
    return squares - mean * mean


def root_above(x: Any, number: Factor, out: Any) -> Any:
    """The square root of ``x + number``."""
    return sqrt(x + number)


def root(x: Any, out: Any) -> Any:
    """The square root."""
    return sqrt(x)


def larger(x: Any, y: Any) -> Any:
    """The larger of ``x`` and ``y``."""
    return maximum(x, y)


def magnitude_above(x: Any, number: Factor, out: Any) -> Any:
    """The absolute value of ``x``, and ``number``."""
    return abs(x) + number


def sign(x: Any, out: Any) -> Any:
    """-1, 0 or 1."""
    return sign_row(x)


def difference(x: Any, y: Any) -> Any:
    """``x - y``."""
    return x - y


def copy_of(x: Any, out: Any) -> Any:
    """``x`` in memory of its own, which every result has."""
    return x


def resized(
    size: Any, agreement: Any, shrink: Factor, grow: Factor, least: Factor, most: Factor
) -> Any:
    """``size`` grown where ``agreement`` is above 0, shrunk where it is below, within bounds."""
    size = where(agreement > 0, size * grow, size)
    size = where(agreement < 0, size * shrink, size)
    return minimum(maximum(size, least), most)


def unless_turned(before: Any, g: Any, agreement: Any) -> Any:
    """``g``, and 0 where ``agreement`` is below 0."""
    return where(agreement < 0, g * 0, g)
