"""Bessel functions, modified and spherical ones, and Airy's; SciPy computes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.special import scipy_special
from adjoint.ops.complex_parts import sgn
from adjoint.ops.kinds.elementwise import elementwise
from adjoint.ops.selection import where_row

SPECIAL = ("special",)
BOTH = ("", *SPECIAL)


def _half_at_zero(x: Any, slope: Callable[[Any], Any]) -> Any:
    """The slope at ``x``, told how to divide; where that is by 0, one half."""
    kind = dtypes.of(x).numpy
    nonzero = where_row(x == 0, np.array(1, kind), x)
    return where_row(x == 0, np.array(0.5, kind), slope(nonzero))


i0 = elementwise(
    "i0", scipy_special("i0"), supports="f", namespaces=BOTH,
    x=lambda g, x: g * i1(x),
    doc="""The modified Bessel function of the first kind, of order 0.

    >>> import adjoint as torch
    >>> torch.i0(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """,
)  # fmt: skip
i0e = elementwise(
    "i0e", scipy_special("i0e"), supports="f", namespaces=SPECIAL, method=False,
    in_place=False, node_name="SpecialI0EBackward0",
    x=lambda g, x, out: g * (i1e(x) - sgn(x) * out),
    doc="""``i0(x) * exp(-abs(x))``.

    >>> import adjoint as torch
    >>> torch.special.i0e(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.4658])
    """,
)  # fmt: skip
i1: Callable[..., Any] = elementwise(
    "i1", scipy_special("i1"), supports="f", namespaces=SPECIAL, method=False,
    in_place=False, node_name="SpecialI1Backward0",
    x=lambda g, x, out: g * _half_at_zero(x, lambda nonzero: i0(x) - out / nonzero),
    doc="""The modified Bessel function of the first kind, of order 1.

    >>> import adjoint as torch
    >>> torch.special.i1(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5652])
    """,
)  # fmt: skip
i1e: Callable[..., Any] = elementwise(
    "i1e", scipy_special("i1e"), supports="f", namespaces=SPECIAL, method=False,
    in_place=False, node_name="SpecialI1EBackward0",
    x=lambda g, x, out: g * _half_at_zero(
        x, lambda nonzero: i0e(x) - out * (sgn(x) + 1 / nonzero)
    ),
    doc="""``i1(x) * exp(-abs(x))``.

    >>> import adjoint as torch
    >>> torch.special.i1e(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2079])
    """,
)  # fmt: skip


def _spherical_j0(x: Any) -> Any:
    out = np.where(x == 0, x.dtype.type(1), np.sin(x) / x)
    return np.where(np.isinf(x), x.dtype.type(0), out)


def _airy_ai(x: Any) -> Any:
    return _airy(x)[0]


_airy = scipy_special("airy")

for _name, _compute, _what in (
    ("airy_ai", _airy_ai, "Airy's function Ai"),
    ("bessel_j0", scipy_special("j0"), "The Bessel function of the first kind, of order 0"),
    ("bessel_j1", scipy_special("j1"), "The Bessel function of the first kind, of order 1"),
    ("bessel_y0", scipy_special("y0"), "The Bessel function of the second kind, of order 0"),
    ("bessel_y1", scipy_special("y1"), "The Bessel function of the second kind, of order 1"),
    ("modified_bessel_i0", scipy_special("i0"), "The modified Bessel function I of order 0"),
    ("modified_bessel_i1", scipy_special("i1"), "The modified Bessel function I of order 1"),
    ("modified_bessel_k0", scipy_special("k0"), "The modified Bessel function K of order 0"),
    ("modified_bessel_k1", scipy_special("k1"), "The modified Bessel function K of order 1"),
    ("scaled_modified_bessel_k0", scipy_special("k0e"), "``exp(x) * modified_bessel_k0(x)``"),
    ("scaled_modified_bessel_k1", scipy_special("k1e"), "``exp(x) * modified_bessel_k1(x)``"),
    ("spherical_bessel_j0", _spherical_j0, "``sin(x) / x``, and 1 at 0"),
):
    elementwise(
        _name, _compute, supports="f", namespaces=SPECIAL, method=False, in_place=False, x=None,
        doc=f"{_what}; has no derivative here, as in PyTorch.",
    )  # fmt: skip
