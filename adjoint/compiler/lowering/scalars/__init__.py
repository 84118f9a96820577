"""Elementwise rows as scalar expressions, a line each; the files are those of ``adjoint.ops``.

A function gets the elements in the type that the row computes in, and the row's options. It does
what the row's ``compute`` does to arrays, in the same order where that shows: NaN, infinities, the
signs of zeros, and integers that run over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint.compiler.lowering.scalars import (
    activation,
    arithmetic,
    bitwise,
    comparison,
    division,
    polynomials,
    powers,
    rounding,
    selection,
    special,
    transcendental,
)

SCALARS: dict[str, Callable[..., Any]] = {
    **activation.SCALARS,
    **arithmetic.SCALARS,
    **bitwise.SCALARS,
    **comparison.SCALARS,
    **division.SCALARS,
    **polynomials.SCALARS,
    **powers.SCALARS,
    **rounding.SCALARS,
    **selection.SCALARS,
    **special.SCALARS,
    **transcendental.SCALARS,
}

__all__ = ["SCALARS"]
