"""Orthogonal polynomials, by the recurrence that each family has in its degree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.ops.kinds.elementwise import elementwise

# The first degree from x, and the next from x, its degree k, the last one and the one before.
First = Callable[[Any], Any]
Next = Callable[[Any, int, Any, Any], Any]


def _polynomial(first: First, following: Next, highest: int | None = None) -> Callable[..., Any]:
    """Values at ``x`` of degree ``n``, each an array: 0 for negative degrees.

    Degrees above ``highest`` are NaN in float64 (a quarter of it in float32), where the
    coefficients overflow.
    """

    def compute(x: Any, n: Any) -> Any:
        x, degrees = np.broadcast_arrays(x, np.trunc(n))
        out = np.where(degrees == 0, x.dtype.type(1), x.dtype.type(0))
        before, last = np.ones_like(x), first(x)
        top = None if highest is None else (highest if x.dtype.itemsize == 8 else highest // 4)
        most = int(np.max(degrees, initial=0, where=np.isfinite(degrees)))
        for k in range(1, (most if top is None else min(most, top)) + 1):
            out = np.where(degrees == k, last, out)
            before, last = last, following(x, k, last, before)
        if top is not None:
            out = np.where(degrees > top, x.dtype.type(np.nan), out)
        return out

    return compute


def _chebyshev(x: Any, k: int, last: Any, before: Any) -> Any:
    return 2 * x * last - before


def _shifted(first: First) -> Callable[..., Any]:
    compute = _polynomial(first, _chebyshev)
    return lambda x, n: compute(2 * x - 1, n)


for _name, _compute, _what in (
    (
        "chebyshev_polynomial_t",
        _polynomial(lambda x: x, _chebyshev),
        "Chebyshev's of the first kind",
    ),
    (
        "chebyshev_polynomial_u",
        _polynomial(lambda x: 2 * x, _chebyshev),
        "Chebyshev's of the second kind",
    ),
    (
        "chebyshev_polynomial_v",
        _polynomial(lambda x: 2 * x - 1, _chebyshev),
        "Chebyshev's of the third kind",
    ),
    (
        "chebyshev_polynomial_w",
        _polynomial(lambda x: 2 * x + 1, _chebyshev),
        "Chebyshev's of the fourth kind",
    ),
    (
        "shifted_chebyshev_polynomial_t",
        _shifted(lambda x: x),
        "Chebyshev's of the first kind at 2 x - 1",
    ),
    (
        "shifted_chebyshev_polynomial_u",
        _shifted(lambda x: 2 * x),
        "Chebyshev's of the second kind at 2 x - 1",
    ),
    (
        "shifted_chebyshev_polynomial_v",
        _shifted(lambda x: 2 * x - 1),
        "Chebyshev's of the third kind at 2 x - 1",
    ),
    (
        "shifted_chebyshev_polynomial_w",
        _shifted(lambda x: 2 * x + 1),
        "Chebyshev's of the fourth kind at 2 x - 1",
    ),
    (
        "hermite_polynomial_h",
        _polynomial(lambda x: 2 * x, lambda x, k, last, before: 2 * (x * last - k * before), 512),
        "Hermite's, as physicists have them",
    ),
    (
        "hermite_polynomial_he",
        _polynomial(lambda x: x, lambda x, k, last, before: x * last - k * before, 512),
        "Hermite's, as statisticians have them",
    ),
    (
        "laguerre_polynomial_l",
        _polynomial(
            lambda x: 1 - x,
            lambda x, k, last, before: ((2 * k + 1 - x) * last - k * before) / (k + 1),
        ),
        "Laguerre's",
    ),
    (
        "legendre_polynomial_p",
        _polynomial(
            lambda x: x, lambda x, k, last, before: ((2 * k + 1) * x * last - k * before) / (k + 1)
        ),
        "Legendre's",
    ),
):
    elementwise(
        _name, _compute, supports="f", numbers="x y", namespaces=("special",), method=False,
        in_place=False, x=None, y=None,
        doc=f"The polynomial of degree ``other``, {_what}; has no derivative here, as in PyTorch.",
    )  # fmt: skip
