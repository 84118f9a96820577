"""The arithmetic of updates on Tensors of any kind, as new values: see ``arrays``.

This is what batches, duals and symbols take, steps that are themselves differentiated, and the
16-bit types. Each function is one operation of PyTorch's, so that those round as often as there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.ops.arithmetic import addcdiv, addcmul, lerp
from adjoint.ops.rounding import sign as sign_row
from adjoint.ops.selection import clamp, maximum, where
from adjoint.ops.transcendental import sqrt
from adjoint.tape.tensor import Tensor

Factor = Any


def adjust(x: Any, g: Any, how: Any, out: Any) -> tuple[Any, Any]:
    """What precedes a formula: ``shrink * x``, and ``g`` or its opposite, decayed."""
    maximize, decay, shrink = how
    if shrink is not None:
        x = x * shrink
    if maximize:
        g = -g
    return x, g if decay is None else plus(g, x, decay, out)


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
    """``x + factor * y``, with the factor in the type of ``x``, as PyTorch has it."""
    if factor is None:
        return x + y
    if isinstance(factor, Tensor):
        return addcmul(x, y, factor)
    kind = dtypes.of(x._array)
    if kind.itemsize == 2:
        factor = float(np.array(factor, kind.numpy))
    return x.add(y, alpha=factor)


def plus_square(x: Any, y: Any, factor: Factor, work: Any) -> Any:
    """``x + factor * y * y``."""
    if isinstance(factor, Tensor):
        return addcmul(x, y * y, factor)
    return addcmul(x, y, y, value=1 if factor is None else factor)


def plus_quotient(x: Any, y: Any, z: Any, factor: Factor, work: Any) -> Any:
    """``x + factor * y / z``."""
    if isinstance(factor, Tensor):
        return addcmul(x, y / z, factor)
    return addcdiv(x, y, z, value=1 if factor is None else factor)


def toward(x: Any, y: Any, weight: Factor, rest: Factor, work: Any) -> Any:
    """``x`` gone to ``y`` by ``weight``, which is ``1 - rest``."""
    return lerp(x, y, weight.to(x.dtype) if isinstance(weight, Tensor) else weight)


def sum_of(x: Any, y: Any, factor: Factor, out: Any) -> Any:
    """``x + factor * y``."""
    return plus(x, y, factor, out)


def ratio(x: Any, y: Any, out: Any) -> Any:
    """``x / y``."""
    return x / y


def product(x: Any, y: Any, out: Any) -> Any:
    """``x * y``."""
    return x * y


def variance(squares: Any, mean: Any, out: Any) -> Any:
    """``squares - mean * mean``."""
    return addcmul(squares, mean, mean, value=-1)


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
    """``x`` in memory of its own."""
    return x + 0


def resized(
    size: Any, agreement: Any, shrink: Factor, grow: Factor, least: Factor, most: Factor
) -> Any:
    """``size`` grown where ``agreement`` is above 0, shrunk where it is below, within bounds."""
    size = where(agreement > 0, size * grow, where(agreement < 0, size * shrink, size))
    return clamp(size, least, most)


def unless_turned(before: Any, g: Any, agreement: Any) -> Any:
    """``g``, and 0 where ``agreement`` is below 0."""
    return where(agreement < 0, g * 0, g)
