"""Trigonometric and hyperbolic functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.large import loop_if_large
from adjoint.ops.kinds.elementwise import elementwise
from adjoint.ops.kinds.public import publish
from adjoint.ops.selection import where_row, zero_where
from adjoint.ops.transcendental import sqrt

# -- trigonometric --------------------------------------------------------------------------------

sin = elementwise(
    "sin", loop_if_large("sin", np.sin),
    x=lambda g, x: g * cos(x),
    doc="""The sine of each element, in radians.

    >>> import adjoint as torch
    >>> torch.sin(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """,
)  # fmt: skip
cos: Callable[..., Any] = elementwise(
    "cos", loop_if_large("cos", np.cos),
    x=lambda g, x: g * -sin(x),
    doc="""The cosine of each element, in radians.

    >>> import adjoint as torch
    >>> torch.cos(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """,
)  # fmt: skip
tan = elementwise(
    "tan", np.tan,
    x=lambda g, out: g * (out * out + 1),
    doc="""The tangent of each element, in radians.

    >>> import adjoint as torch
    >>> torch.tan(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """,
)  # fmt: skip
asin = elementwise(
    "asin", np.arcsin, aliases=("arcsin",),
    x=lambda g, x: g / sqrt(1 - x * x),
    doc="""The angle, in radians, whose sine each element is; NaN beyond -1 and 1.

    >>> import adjoint as torch
    >>> torch.asin(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """,
)  # fmt: skip
acos = elementwise(
    "acos", np.arccos, aliases=("arccos",),
    x=lambda g, x: -g / sqrt(1 - x * x),
    doc="""The angle, in radians, whose cosine each element is; NaN beyond -1 and 1.

    >>> import adjoint as torch
    >>> torch.acos(torch.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """,
)  # fmt: skip
atan = elementwise(
    "atan", np.arctan, aliases=("arctan",),
    x=lambda g, x: g / (x * x + 1),
    doc="""The angle, in radians, whose tangent each element is.

    >>> import adjoint as torch
    >>> torch.atan(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """,
)  # fmt: skip


def _over_square(g: Any, x: Any, y: Any) -> Any:
    """``g / (x ** 2 + y ** 2)``, and 0 at the origin, where the angle jumps."""
    square = x * x + y * y
    origin = square == 0
    one = np.array(1, dtypes.of(square).numpy)
    return zero_where(origin, g / where_row(origin, one, square))


atan2 = elementwise(
    "atan2", np.arctan2, supports="f", aliases=("arctan2",),
    x=lambda g, x, y: _over_square(g, x, y) * y,
    y=lambda g, x, y: -(_over_square(g, x, y) * x),
    doc="""The angle, in radians, of the points (``other``, ``input``) seen from the origin.

    >>> import adjoint as torch
    >>> torch.atan2(torch.tensor([1.0, 0.0]), torch.tensor([1.0, -1.0]))
    tensor([0.7854, 3.1416])
    """,
)  # fmt: skip
hypot = elementwise(
    "hypot", np.hypot, promote="same", supports="f",
    x=lambda g, x, out: g * (x / out),
    y=lambda g, y, out: g * (y / out),
    doc="""``sqrt(x ** 2 + y ** 2)``, without overflow on the way.

    >>> import adjoint as torch
    >>> torch.hypot(torch.tensor([3.0, 5.0]), torch.tensor([4.0, 12.0]))
    tensor([ 5., 13.])
    """,
)  # fmt: skip


def _sinc(x: Any) -> Any:
    angle = x * math.pi
    return np.where(x == 0, x.dtype.type(1), np.sin(angle) / angle)


def _sinc_slope(g: Any, x: Any) -> Any:
    angle = x * math.pi
    return g * zero_where(x == 0, (angle * cos(angle) - sin(angle)) / (angle * x))


sinc = elementwise(
    "sinc", _sinc,
    x=lambda g, x: _sinc_slope(g, x),
    doc="""``sin(pi * x) / (pi * x)``, and 1 at 0.

    >>> import adjoint as torch
    >>> torch.sinc(torch.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """,
)  # fmt: skip

# -- hyperbolic -----------------------------------------------------------------------------------

sinh = elementwise(
    "sinh", np.sinh,
    x=lambda g, x: g * cosh(x),
    doc="""The hyperbolic sine of each element.

    >>> import adjoint as torch
    >>> torch.sinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """,
)  # fmt: skip
cosh: Callable[..., Any] = elementwise(
    "cosh", np.cosh,
    x=lambda g, x: g * sinh(x),
    doc="""The hyperbolic cosine of each element.

    >>> import adjoint as torch
    >>> torch.cosh(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """,
)  # fmt: skip
tanh = elementwise(
    "tanh", np.tanh,
    x=lambda g, out: g * (1 - out * out),
    doc="""The hyperbolic tangent of each element.

    >>> import adjoint as torch
    >>> torch.tanh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """,
)  # fmt: skip
asinh = elementwise(
    "asinh", np.arcsinh, aliases=("arcsinh",),
    x=lambda g, x: g / sqrt(x * x + 1),
    doc="""The number whose hyperbolic sine each element is.

    >>> import adjoint as torch
    >>> torch.asinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """,
)  # fmt: skip


def _acosh_root(x: Any) -> Any:
    """``sqrt(x ** 2 - 1)``, on the branch that complex numbers need."""
    if dtypes.of(x).category == dtypes.COMPLEX:
        return sqrt(x - 1) * sqrt(x + 1)
    return sqrt(x * x - 1)


acosh = elementwise(
    "acosh", np.arccosh, aliases=("arccosh",),
    x=lambda g, x: g / _acosh_root(x),
    doc="""The number whose hyperbolic cosine each element is; NaN below 1.

    >>> import adjoint as torch
    >>> torch.acosh(torch.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """,
)  # fmt: skip
atanh = elementwise(
    "atanh", np.arctanh, aliases=("arctanh",),
    x=lambda g, x: g / (1 - x * x),
    doc="""The number whose hyperbolic tangent each element is; NaN beyond -1 and 1.

    >>> import adjoint as torch
    >>> torch.atanh(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """,
)  # fmt: skip

publish("sinc", sinc, ("special",), method=False)
publish("tanh", tanh, ("nn.functional",), method=False)
