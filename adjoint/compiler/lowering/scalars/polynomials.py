"""Orthogonal polynomials of a degree that is a constant, by the recurrences in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from adjoint.compiler.expressions import Expression, number
from adjoint.compiler.lowering.base import NotLoweredError

LONGEST = 32  # degrees that are written out


def _polynomial(
    first: Callable[[Expression], Expression], following: Callable[..., Expression]
) -> Callable[..., Expression]:
    """The value of degree ``n``: from the first degree, and the next from the two before."""

    def compute(x: Expression, n: Expression) -> Expression:
        degree = n.number
        if degree is None or not math.isfinite(degree) or degree > LONGEST:
            raise NotLoweredError(f"its degree is not a constant up to {LONGEST}")
        if degree < 1:
            return number(1 if degree > -1 else 0, x.kind)
        before, last = number(1, x.kind), first(x)
        for k in range(1, math.trunc(degree)):
            before, last = last, following(x, k, last, before)
        return last

    return compute


def _chebyshev(x: Expression, _: int, last: Expression, before: Expression) -> Expression:
    return 2 * x * last - before


def _shifted(first: Callable[[Expression], Expression]) -> Callable[..., Expression]:
    compute = _polynomial(first, _chebyshev)
    return lambda x, n: compute(2 * x - 1, n)


SCALARS: dict[str, Any] = {
    "chebyshev_polynomial_t": _polynomial(lambda x: x, _chebyshev),
    "chebyshev_polynomial_u": _polynomial(lambda x: 2 * x, _chebyshev),
    "chebyshev_polynomial_v": _polynomial(lambda x: 2 * x - 1, _chebyshev),
    "chebyshev_polynomial_w": _polynomial(lambda x: 2 * x + 1, _chebyshev),
    "shifted_chebyshev_polynomial_t": _shifted(lambda x: x),
    "shifted_chebyshev_polynomial_u": _shifted(lambda x: 2 * x),
    "shifted_chebyshev_polynomial_v": _shifted(lambda x: 2 * x - 1),
    "shifted_chebyshev_polynomial_w": _shifted(lambda x: 2 * x + 1),
    "hermite_polynomial_h": _polynomial(
        lambda x: 2 * x, lambda x, k, last, before: 2 * (x * last - k * before)
    ),
    "hermite_polynomial_he": _polynomial(
        lambda x: x, lambda x, k, last, before: x * last - k * before
    ),
    "laguerre_polynomial_l": _polynomial(
        lambda x: 1 - x,
        lambda x, k, last, before: ((2 * k + 1 - x) * last - k * before) / (k + 1),
    ),
    "legendre_polynomial_p": _polynomial(
        lambda x: x, lambda x, k, last, before: ((2 * k + 1) * x * last - k * before) / (k + 1)
    ),
}
