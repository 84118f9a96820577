"""Smooth activations: exponential below zero, or bent everywhere."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.large import LEAST, of_large
from adjoint.array.special import scipy_special
from adjoint.ops.activation_piecewise import form
from adjoint.ops.arithmetic import div, sub
from adjoint.ops.complex_parts import abs as absolute
from adjoint.ops.kinds.elementwise import elementwise
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.selection import bound, where_row
from adjoint.ops.special import erf
from adjoint.ops.transcendental import exp, real_logaddexp, sigmoid, sigmoid_of
from adjoint.ops.trigonometric import tanh

# -- exponential ----------------------------------------------------------------------------------


def _elu(x: Any, alpha: float, scale: float) -> Any:
    nothing = bound(0, x)
    below = np.expm1(np.minimum(x, nothing))
    above = np.maximum(x, nothing)
    if alpha != 1 or scale != 1:
        below = below * bound(alpha * scale, x)
    if scale != 1:
        above = above * bound(scale, x)
    return below + above  # one of them is 0


def _elu_slope(g: Any, x: Any, alpha: float, scale: float) -> Any:
    return g * where_row(x > 0, _like(x, scale), exp(_below_zero(x)) * (alpha * scale))


def _below_zero(x: Any) -> Any:
    """``x`` where it is negative: elsewhere 0, with no derivative even at 0, as in PyTorch."""
    return where_row(x < 0, x, zero(x))


def _like(x: Any, value: float) -> Any:
    """A number in the type of ``x``."""
    return np.array(value, dtypes.of(x).numpy)


elu_row = elementwise(
    "elu", _elu, promote="same", options="alpha scale", supports="f", namespaces=None,
    x=lambda g, x, alpha, scale: _elu_slope(g, x, alpha, scale),
)  # fmt: skip
celu_row = elementwise(
    "celu",
    lambda x, alpha: np.maximum(x, 0) + np.expm1(np.minimum(x, 0) / alpha) * alpha,
    promote="same", options="alpha", supports="f", namespaces=None,
    x=lambda g, x, alpha: g * where_row(
        x > 0, _like(x, 1), exp(_below_zero(x) * (1 / alpha))
    ),
)  # fmt: skip

# The fixed point of mean 0 and variance 1 (Klambauer and others, "Self-normalizing neural
# networks", 2017), to the digits that PyTorch has.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@public(namespaces=FUNCTIONAL, method=False)
def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Each element, or ``alpha * (exp(x) - 1)`` if it is negative.

    >>> import adjoint as torch
    >>> torch.nn.functional.elu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return form(elu_row, "elu_", inplace)(input, alpha, 1.0)


@public(method=False, name="selu")
def top_selu(input: Any) -> Any:
    """``elu`` scaled so that deep networks keep mean 0 and variance 1.

    >>> import adjoint as torch
    >>> torch.selu(torch.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return elu_row(input, SELU_ALPHA, SELU_SCALE)


@public(namespaces=FUNCTIONAL, method=False)
def selu(input: Any, inplace: bool = False) -> Any:
    """``elu`` scaled so that deep networks keep mean 0 and variance 1.

    >>> import adjoint as torch
    >>> torch.nn.functional.selu(torch.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return form(elu_row, "selu_", inplace)(input, SELU_ALPHA, SELU_SCALE)


@public(method=False, name="celu")
def top_celu(input: Any, alpha: float = 1.0) -> Any:
    """Each element, or ``alpha * (exp(x / alpha) - 1)`` if it is negative.

    >>> import adjoint as torch
    >>> torch.celu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return celu(input, alpha)


@public(namespaces=FUNCTIONAL, method=False)
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Each element, or ``alpha * (exp(x / alpha) - 1)`` if it is negative.

    Raises ``RuntimeError`` for ``alpha=0``.

    >>> import adjoint as torch
    >>> torch.nn.functional.celu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return form(celu_row, "celu_", inplace)(input, alpha)


# -- smooth ---------------------------------------------------------------------------------------

_erf = scipy_special("erf")
ROOT_HALF = math.sqrt(0.5)
INVERSE_ROOT_TAU = 1 / math.sqrt(2 * math.pi)
ROOT_2_OVER_PI = math.sqrt(2 / math.pi)
GELU_CUBIC = 0.044715


def _gelu(x: Any, approximate: str) -> Any:
    loop = "gelu_tanh" if approximate == "tanh" else "gelu"
    if x.size >= LEAST and (out := of_large(loop, x)) is not None:
        return out
    if approximate == "tanh":
        inner = x * ROOT_2_OVER_PI * (1 + x * x * GELU_CUBIC)
        return x * 0.5 * (1 + np.tanh(inner))
    return x * 0.5 * (1 + _erf(x * ROOT_HALF))


def _gelu_slope(x: Any, approximate: str) -> Any:
    if approximate == "tanh":
        square = x * x
        bent = tanh(x * ROOT_2_OVER_PI * (square * GELU_CUBIC + 1))
        inner = (square * (3 * GELU_CUBIC) + 1) * ROOT_2_OVER_PI
        return (bent + 1) * 0.5 + x * 0.5 * (1 - bent * bent) * inner
    return (erf(x * ROOT_HALF) + 1) * 0.5 + x * exp(x * x * -0.5) * INVERSE_ROOT_TAU


gelu_row = elementwise(
    "gelu", _gelu, promote="same", options="approximate", supports="f", namespaces=None,
    x=lambda g, x, approximate: g * _gelu_slope(x, approximate),
)  # fmt: skip


@public(namespaces=FUNCTIONAL, method=False, out="exact")
def gelu(input: Any, approximate: str = "none") -> Any:
    """Each element times the chance that a normal number is below it.

    ``approximate="tanh"`` takes that chance from a formula. Raises ``RuntimeError`` for others.

    >>> import adjoint as torch
    >>> torch.nn.functional.gelu(torch.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, not {approximate!r}")
    return gelu_row(input, approximate)


def _silu_slope(g: Any, x: Any) -> Any:
    share = sigmoid(x)
    return g * (share * (x * (1 - share) + 1))


silu_row = elementwise(
    "silu", lambda x: x * sigmoid_of(x), promote="same", supports="fc", namespaces=None,
    x=lambda g, x: _silu_slope(g, x),
)  # fmt: skip


@public(namespaces=FUNCTIONAL, method=False)
def silu(input: Any, inplace: bool = False) -> Any:
    """Each element times its sigmoid.

    >>> import adjoint as torch
    >>> torch.nn.functional.silu(torch.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    return form(silu_row, "silu_", inplace)(input)


def _softplus(x: Any, beta: float, threshold: float) -> Any:
    """``log(exp(beta * x) + exp(0)) / beta``, for which NumPy has a function."""
    scaled = x if beta == 1 else x * bound(beta, x)
    out = real_logaddexp(scaled, bound(0, x))
    if beta != 1:
        out = out / bound(beta, x)
    elif threshold >= 20 and x.dtype == np.float32:
        return out  # from 20 on the logarithm is x itself, in this precision
    return np.where(scaled > bound(threshold, x), x, out)


def _mish_slope(g: Any, x: Any) -> Any:
    bent = tanh(softplus_row(x, 1, 20))
    return g * (bent + x * (1 - bent * bent) * sigmoid(x))


softplus_row = elementwise(
    "softplus", _softplus, promote="same", options="beta threshold", supports="f",
    namespaces=None,
    x=lambda g, x, beta, threshold: where_row(
        x * beta > threshold, g, g * sigmoid(x * beta)
    ),
)  # fmt: skip
mish_row = elementwise(
    "mish", lambda x: x * np.tanh(_softplus(x, 1, 20)), promote="same", supports="f",
    namespaces=None,
    x=lambda g, x: _mish_slope(g, x),
)  # fmt: skip
logsigmoid_row = elementwise(
    "log_sigmoid", lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))), promote="same",
    supports="f", namespaces=None,
    x=lambda g, x: g * sigmoid(-x),
)  # fmt: skip


@public(namespaces=FUNCTIONAL, method=False, out="exact")
def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """``log(1 + exp(beta * x)) / beta``, a smooth ``relu``.

    Where ``beta * x`` is above ``threshold``, the element itself.

    >>> import adjoint as torch
    >>> torch.nn.functional.softplus(torch.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """
    return softplus_row(input, beta, threshold)


@public(namespaces=FUNCTIONAL, method=False)
def mish(input: Any, inplace: bool = False) -> Any:
    """Each element times the hyperbolic tangent of its softplus.

    >>> import adjoint as torch
    >>> torch.nn.functional.mish(torch.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    return form(mish_row, "mish_", inplace)(input)


@public(namespaces=FUNCTIONAL, method=False, out="exact")
def logsigmoid(input: Any) -> Any:
    """The logarithm of the sigmoid, also where that is as good as 0.

    >>> import adjoint as torch
    >>> torch.nn.functional.logsigmoid(torch.tensor([0.0, -1000.0]))
    tensor([-6.9315e-01, -1.0000e+03])
    """
    return logsigmoid_row(input)


@public(namespaces=FUNCTIONAL, method=False)
def tanhshrink(input: Any) -> Any:
    """Each element less its hyperbolic tangent.

    >>> import adjoint as torch
    >>> torch.nn.functional.tanhshrink(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """
    return sub(input, tanh(input))


@public(namespaces=FUNCTIONAL, method=False)
def softsign(input: Any) -> Any:
    """``x / (1 + abs(x))``.

    >>> import adjoint as torch
    >>> torch.nn.functional.softsign(torch.tensor([-3.0, 1.0]))
    tensor([-0.7500,  0.5000])
    """
    return div(input, absolute(input) + 1)
