"""The arithmetic of updates on NumPy arrays, in place.

Every function writes its result into an array that is there already, its first argument or one
from the workspace, and returns it. ``values`` has the same functions for everything else, which
return new values; so a formula takes what they return, and is written once for both.

Factors are arrays without dimensions, which NumPy takes in half the time of a Python number; a
factor that is None is 1, and costs nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

add = np.add
subtract = np.subtract
multiply = np.multiply
divide = np.divide

Array = Any
Factor = Any


def adjust(x: Array, g: Array, how: Any, out: Array) -> tuple[Array, Array]:
    """What precedes a formula: ``x`` becomes ``shrink * x``, and ``g`` its opposite or decayed."""
    maximize, decay, shrink = how
    if shrink is not None:
        multiply(x, shrink, x)
    if decay is None:
        return x, np.negative(g, out) if maximize else g
    multiply(x, decay, out)
    return x, subtract(out, g, out) if maximize else add(out, g, out)


def scale(x: Array, factor: Factor) -> Array:
    """``x`` becomes ``factor * x``."""
    return multiply(x, factor, x)


def shift(x: Array, number: Factor) -> Array:
    """``x`` becomes ``x + number``."""
    return add(x, number, x)


def over(x: Array, number: Factor) -> Array:
    """``x`` becomes ``x / number``."""
    return divide(x, number, x)


def plus(x: Array, y: Array, factor: Factor, work: Array) -> Array:
    """``x`` becomes ``x + factor * y``."""
    if factor is None:
        return add(x, y, x)
    multiply(y, factor, work)
    return add(x, work, x)


def plus_square(x: Array, y: Array, factor: Factor, work: Array) -> Array:
    """``x`` becomes ``x + factor * y * y``."""
    if factor is None:
        multiply(y, y, work)
    else:
        multiply(y, factor, work)
        multiply(work, y, work)
    return add(x, work, x)


def plus_quotient(x: Array, y: Array, z: Array, factor: Factor, work: Array) -> Array:
    """``x`` becomes ``x + factor * y / z``."""
    if factor is None:
        divide(y, z, work)
    else:
        multiply(y, factor, work)
        divide(work, z, work)
    return add(x, work, x)


def toward(x: Array, y: Array, weight: Factor, rest: Factor, work: Array) -> Array:
    """``x`` goes to ``y`` by ``weight``; or by ``1 - rest``, where that is the greater part."""
    if rest is None:
        subtract(y, x, work)
        multiply(work, weight, work)
        return add(x, work, x)
    subtract(y, x, x)
    multiply(x, rest, x)
    return subtract(y, x, x)


def sum_of(x: Array, y: Array, factor: Factor, out: Array) -> Array:
    """``x + factor * y``, in ``out``, which is neither of them."""
    multiply(y, factor, out)
    return add(x, out, out)


def ratio(x: Array, y: Array, out: Array) -> Array:
    """``x / y``, in ``out``, which may be one of them."""
    return divide(x, y, out)


def product(x: Array, y: Array, out: Array) -> Array:
    """``x * y``, in ``out``, which may be one of them."""
    return multiply(x, y, out)


def variance(squares: Array, mean: Array, out: Array) -> Array:
    """``squares - mean * mean``, in ``out``."""
    multiply(mean, mean, out)
    return subtract(squares, out, out)


def root_above(x: Array, number: Factor, out: Array) -> Array:
    """The square root of ``x + number``, in ``out``."""
    add(x, number, out)
    return np.sqrt(out, out)


def root(x: Array, out: Array) -> Array:
    """The square root, in ``out``."""
    return np.sqrt(x, out)


def larger(x: Array, y: Array) -> Array:
    """``x`` becomes the larger of ``x`` and ``y``."""
    return np.maximum(x, y, out=x)


def magnitude_above(x: Array, number: Factor, out: Array) -> Array:
    """The absolute value of ``x``, and ``number``, in ``out``."""
    np.absolute(x, out)
    return add(out, number, out)


def sign(x: Array, out: Array) -> Array:
    """-1, 0 or 1, in ``out``."""
    return np.sign(x, out)


def difference(x: Array, y: Array) -> Array:
    """``x`` becomes ``x - y``."""
    return subtract(x, y, x)


def copy_of(x: Array, out: Array) -> Array:
    """``x``, in ``out``."""
    np.copyto(out, x)
    return out


def resized(
    size: Array, agreement: Array, shrink: Factor, grow: Factor, least: Factor, most: Factor
) -> Array:
    """``size`` grows where ``agreement`` is above 0, shrinks where it is below, within bounds."""
    multiply(size, grow, size, where=agreement > 0)
    multiply(size, shrink, size, where=agreement < 0)
    return np.clip(size, least, most, size)


def unless_turned(before: Array, g: Array, agreement: Array) -> Array:
    """``before`` becomes ``g``, and 0 where ``agreement`` is below 0."""
    np.copyto(before, g)
    np.copyto(before, 0, where=agreement < 0)
    return before
