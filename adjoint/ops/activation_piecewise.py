"""Activations made of straight pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.ops.inplace import in_place
from adjoint.ops.kinds.elementwise import NUMBERS, constant, elementwise
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.selection import bound, keep_where, where_row, zero_where

BOTH = ("", *FUNCTIONAL)


def form(row: Callable[..., Any], name: str, inplace: bool) -> Callable[..., Any]:
    """The row itself, or its form that stores the result in the input."""
    return in_place(row, name) if inplace else row


# -- rectified ------------------------------------------------------------------------------------


# NumPy does not vectorise a maximum with a single number, but one with an array it does: lines of
# zeros that stay in the cache take 7 µs on 65,536 elements where the number takes 19.
_LINE = 1024
_ZEROS = {np.dtype(kind): np.zeros(_LINE, kind) for kind in (np.float32, np.float64)}


def _relu(x: Any) -> Any:
    size = x.size
    zeros = _ZEROS.get(x.dtype) if size >= 4 * _LINE else None
    if zeros is None or not x.flags.c_contiguous:
        return np.maximum(x, constant(0, x.dtype))
    out = np.empty(x.shape, x.dtype)
    given, found = x.reshape(-1), out.reshape(-1)
    whole = size - size % _LINE
    np.maximum(given[:whole].reshape(-1, _LINE), zeros, out=found[:whole].reshape(-1, _LINE))
    if whole < size:
        np.maximum(given[whole:], zeros[: size - whole], out=found[whole:])
    return out


def _relu_slope(g: Any, out: Any) -> Any:
    return zero_where(out <= (constant(0, out.dtype) if type(out) is np.ndarray else 0), g)


relu_row = elementwise(
    "relu", _relu, promote="same", out="", supports="if", unsupported=RuntimeError, in_place=True,
    x=lambda g, out: _relu_slope(g, out),
    doc="""Each element, or 0 if it is negative.

    Raises ``RuntimeError`` for booleans, ``NotImplementedError`` for complex numbers.

    >>> import adjoint as torch
    >>> torch.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """,
)  # fmt: skip
relu_row.row.refusals[dtypes.COMPLEX] = NotImplementedError  # type: ignore[attr-defined]


@public(namespaces=FUNCTIONAL, method=False)
def relu(input: Any, inplace: bool = False) -> Any:
    """Each element, or 0 if it is negative; ``inplace`` stores the result in ``input``.

    >>> import adjoint as torch
    >>> torch.nn.functional.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return in_place(relu_row, "relu_")(input) if inplace else relu_row(input)


def _hardtanh(x: Any, low: float, high: float) -> Any:
    return np.minimum(np.maximum(x, bound(low, x)), bound(high, x))


hardtanh_row = elementwise(
    "hardtanh", _hardtanh, promote="same", options="low high", supports="if", namespaces=None,
    unsupported=RuntimeError,
    x=lambda g, x, low, high: keep_where((x > low) & (x < high), g),
    saved="low=min_val high=max_val",
)  # fmt: skip
hardtanh_row.row.refusals[dtypes.COMPLEX] = NotImplementedError  # type: ignore[attr-defined]


@public(namespaces=FUNCTIONAL, method=False)
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """Each element brought to between ``min_val`` and ``max_val``; ``ValueError`` if they cross.

    >>> import adjoint as torch
    >>> torch.nn.functional.hardtanh(torch.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if dtypes.of(input) is dtypes.uint8 and min(min_val, max_val) < 0:
        raise RuntimeError(
            f"cannot do hardtanh on an unsigned type with negative limits {min_val} and {max_val}"
        )
    if min_val > max_val:
        raise ValueError(f"min_val={min_val} cannot be greater than max_val={max_val}")
    return form(hardtanh_row, "hardtanh_", inplace)(input, min_val, max_val)


@public(namespaces=FUNCTIONAL, method=False)
def relu6(input: Any, inplace: bool = False) -> Any:
    """Each element brought to between 0 and 6.

    >>> import adjoint as torch
    >>> torch.nn.functional.relu6(torch.tensor([-1.0, 2.0, 7.0]))
    tensor([0., 2., 6.])
    """
    return form(hardtanh_row, "relu6_", inplace)(input, 0, 6)


def leaky_relu_of(x: Any, negative_slope: float) -> Any:
    scaled = x * bound(negative_slope, x)
    if 0 < negative_slope <= 1:
        return np.maximum(x, scaled)
    return np.where(x > 0, x, scaled)


leaky_relu_row = elementwise(
    "leaky_relu", leaky_relu_of, promote="same", options="negative_slope", supports="f",
    namespaces=None,
    x=lambda g, x, negative_slope: where_row(x > 0, g, g * negative_slope),
)  # fmt: skip


@public(namespaces=FUNCTIONAL, method=False)
def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """Each element, or ``negative_slope`` times it if it is negative.

    >>> import adjoint as torch
    >>> torch.nn.functional.leaky_relu(torch.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    return form(leaky_relu_row, "leaky_relu_", inplace)(input, negative_slope)


def _threshold(x: Any, threshold: float, value: float) -> Any:
    return np.where(x <= bound(threshold, x), bound(value, x), x)


threshold_row = elementwise(
    "threshold", _threshold, promote="same", options="threshold value", supports="if",
    namespaces=None,
    x=lambda g, x, threshold: zero_where(x <= threshold, g),
)  # fmt: skip


def _check_numbers(name: str, **options: Any) -> None:
    for option, value in options.items():
        if not isinstance(value, NUMBERS):
            raise TypeError(f"{name}(): argument {option!r} must be Number, not {value!r}")


@public(method=False, name="threshold", out="cast")
def top_threshold(input: Any, threshold: float, value: float) -> Any:
    """Each element that is above ``threshold``, and ``value`` in place of the others.

    >>> import adjoint as torch
    >>> torch.threshold(torch.tensor([0.5, 2.0]), 1.0, -1.0)
    tensor([-1.,  2.])
    """
    _check_numbers("threshold", threshold=threshold, value=value)
    return threshold_row(input, threshold, value)


@public(namespaces=FUNCTIONAL, method=False)
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """Each element that is above ``threshold``, and ``value`` in place of the others.

    >>> import adjoint as torch
    >>> torch.nn.functional.threshold(torch.tensor([0.5, 2.0]), 1.0, -1.0)
    tensor([-1.,  2.])
    """
    _check_numbers("threshold", threshold=threshold, value=value)
    return form(threshold_row, "threshold_", inplace)(input, threshold, value)


# -- pieced together ------------------------------------------------------------------------------

SIXTH = float(np.float32(1 / 6))  # PyTorch's slope has the precision of float32 in all types

hardsigmoid_row = elementwise(
    "hardsigmoid", lambda x: _hardtanh(x + 3, 0, 6) / 6, promote="same", supports="f",
    namespaces=None,
    x=lambda g, x: keep_where((x > -3) & (x < 3), g * SIXTH),
)  # fmt: skip
hardswish_row = elementwise(
    "hardswish", lambda x: x * _hardtanh(x + 3, 0, 6) / 6, promote="same", supports="f",
    namespaces=None,
    x=lambda g, x: zero_where(x <= -3, where_row(x >= 3, g, g * (x * (1 / 3) + 0.5))),
)  # fmt: skip


def _beyond(x: Any, size: float) -> Any:
    return (x > size) | (x < -size)


hardshrink_row = elementwise(
    "hardshrink", lambda x, lambd: np.where((x >= -lambd) & (x <= lambd), x.dtype.type(0), x),
    promote="same", options="lambd", supports="f", namespaces=None,
    x=lambda g, x, lambd: keep_where(_beyond(x, lambd), g),
)  # fmt: skip
softshrink_row = elementwise(
    "softshrink",
    lambda x, lambd: np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, x * 0)),
    promote="same", options="lambd", supports="f", namespaces=None,
    x=lambda g, x, lambd: keep_where(_beyond(x, lambd), g),
)  # fmt: skip


@public(namespaces=FUNCTIONAL, method=False)
def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """A straight line for the sigmoid: ``x / 6 + 1 / 2``, brought to between 0 and 1.

    >>> import adjoint as torch
    >>> torch.nn.functional.hardsigmoid(torch.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    return form(hardsigmoid_row, "hardsigmoid_", inplace)(input)


@public(namespaces=FUNCTIONAL, method=False)
def hardswish(input: Any, inplace: bool = False) -> Any:
    """Each element times its ``hardsigmoid``.

    >>> import adjoint as torch
    >>> torch.nn.functional.hardswish(torch.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.0000, 0.6667, 4.0000])
    """
    return form(hardswish_row, "hardswish_", inplace)(input)


@public(namespaces=BOTH, out="exact")
def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """Each element, or 0 if it is between ``-lambd`` and ``lambd``.

    >>> import adjoint as torch
    >>> torch.hardshrink(torch.tensor([-1.0, 0.3]))
    tensor([-1.,  0.])
    """
    return hardshrink_row(input, lambd)


@public(namespaces=FUNCTIONAL, method=False, out="exact")
def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """Each element moved towards 0 by ``lambd``, and no further.

    Raises ``RuntimeError`` if ``lambd`` is negative.

    >>> import adjoint as torch
    >>> torch.nn.functional.softshrink(torch.tensor([-1.0, 0.3]))
    tensor([-0.5000,  0.0000])
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}")
    return softshrink_row(input, lambd)
