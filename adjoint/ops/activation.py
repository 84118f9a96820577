"""Activations: the nonlinear functions between a network's layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.generator import Generator, uniform
from adjoint.array.special import scipy_special
from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import div, sub
from adjoint.ops.complex_parts import abs as absolute
from adjoint.ops.inplace import in_place
from adjoint.ops.kinds.elementwise import elementwise
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.random import batch_distributed, define_random
from adjoint.ops.movement import reshape_row
from adjoint.ops.selection import bound, where_row, zero_where
from adjoint.ops.slicing import slice_backward, slice_row
from adjoint.ops.special import erf
from adjoint.ops.transcendental import exp, sigmoid, sigmoid_of, tanh
from adjoint.shapes import normalise_dim

BOTH = ("", *FUNCTIONAL)


def _run(row: Callable[..., Any], name: str, inplace: bool, input: Any, *options: Any) -> Any:
    """The row, or its form that stores the result in ``input``."""
    if inplace:
        return in_place(row, name)(input, *options)
    return row(input, *options)


# -- rectified ------------------------------------------------------------------------------------


def _relu(x: Any) -> Any:
    return np.maximum(x, bound(0, x))


def _relu_slope(g: Any, out: Any) -> Any:
    return zero_where(out <= (bound(0, out) if type(out) is np.ndarray else 0), g)


relu_row = elementwise(
    "relu", _relu, promote="same", supports="if", unsupported=RuntimeError, in_place=True,
    x=lambda g, out: _relu_slope(g, out),
    doc="""Each element, or 0 if it is negative; ``RuntimeError`` for booleans.

    >>> import adjoint as torch
    >>> torch.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """,
)  # fmt: skip


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
    x=lambda g, x, low, high: where_row((x > low) & (x < high), g, zero(g)),
)  # fmt: skip


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
    return _run(hardtanh_row, "hardtanh_", inplace, input, min_val, max_val)


@public(namespaces=FUNCTIONAL, method=False)
def relu6(input: Any, inplace: bool = False) -> Any:
    """Each element brought to between 0 and 6.

    >>> import adjoint as torch
    >>> torch.nn.functional.relu6(torch.tensor([-1.0, 2.0, 7.0]))
    tensor([0., 2., 6.])
    """
    return _run(hardtanh_row, "relu6_", inplace, input, 0, 6)


def _leaky_relu(x: Any, negative_slope: float) -> Any:
    scaled = x * bound(negative_slope, x)
    if 0 < negative_slope <= 1:
        return np.maximum(x, scaled)
    return np.where(x > 0, x, scaled)


leaky_relu_row = elementwise(
    "leaky_relu", _leaky_relu, promote="same", options="negative_slope", supports="f",
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
    return _run(leaky_relu_row, "leaky_relu_", inplace, input, negative_slope)


def _threshold(x: Any, threshold: float, value: float) -> Any:
    return np.where(x <= bound(threshold, x), bound(value, x), x)


threshold_row = elementwise(
    "threshold", _threshold, promote="same", options="threshold value", supports="if",
    namespaces=None,
    x=lambda g, x, threshold: zero_where(x <= threshold, g),
)  # fmt: skip


@public(method=False, name="threshold")
def top_threshold(input: Any, threshold: float, value: float) -> Any:
    """Each element that is above ``threshold``, and ``value`` in place of the others.

    >>> import adjoint as torch
    >>> torch.threshold(torch.tensor([0.5, 2.0]), 1.0, -1.0)
    tensor([-1.,  2.])
    """
    return threshold_row(input, threshold, value)


@public(namespaces=FUNCTIONAL, method=False)
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """Each element that is above ``threshold``, and ``value`` in place of the others.

    >>> import adjoint as torch
    >>> torch.nn.functional.threshold(torch.tensor([0.5, 2.0]), 1.0, -1.0)
    tensor([-1.,  2.])
    """
    return _run(threshold_row, "threshold_", inplace, input, threshold, value)


# -- exponential ----------------------------------------------------------------------------------


def _elu(x: Any, alpha: float, scale: float) -> Any:
    below = np.expm1(np.minimum(x, bound(0, x))) * bound(alpha * scale, x)
    return np.where(x > 0, x if scale == 1 else x * bound(scale, x), below)


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
    lambda x, alpha: np.where(x > 0, x, np.expm1(np.minimum(x, 0) / alpha) * alpha),
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
    return _run(elu_row, "elu_", inplace, input, alpha, 1.0)


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
    return _run(elu_row, "selu_", inplace, input, SELU_ALPHA, SELU_SCALE)


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
    return _run(celu_row, "celu_", inplace, input, alpha)


# -- smooth ---------------------------------------------------------------------------------------

_erf = scipy_special("erf")
ROOT_HALF = math.sqrt(0.5)
INVERSE_ROOT_TAU = 1 / math.sqrt(2 * math.pi)
ROOT_2_OVER_PI = math.sqrt(2 / math.pi)
GELU_CUBIC = 0.044715


def _gelu(x: Any, approximate: str) -> Any:
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


@public(namespaces=FUNCTIONAL, method=False)
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
    return _run(silu_row, "silu_", inplace, input)


def _softplus(x: Any, beta: float, threshold: float) -> Any:
    scaled = x * bound(beta, x)
    return np.where(scaled > threshold, x, np.log1p(np.exp(scaled)) / bound(beta, x))


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


@public(namespaces=FUNCTIONAL, method=False)
def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """``log(1 + exp(beta * x)) / beta``; the element itself where ``beta * x`` is above ``threshold``.

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
    return _run(mish_row, "mish_", inplace, input)


@public(namespaces=FUNCTIONAL, method=False)
def logsigmoid(input: Any) -> Any:
    """The logarithm of the sigmoid, also where that is as good as 0.

    >>> import adjoint as torch
    >>> torch.nn.functional.logsigmoid(torch.tensor([0.0, -1000.0]))
    tensor([-6.9315e-01, -1.0000e+03])
    """
    return logsigmoid_row(input)


# -- pieced together ------------------------------------------------------------------------------

SIXTH = float(np.float32(1 / 6))  # PyTorch's slope has the precision of float32 in all types

hardsigmoid_row = elementwise(
    "hardsigmoid", lambda x: _hardtanh(x + 3, 0, 6) / 6, promote="same", supports="f",
    namespaces=None,
    x=lambda g, x: where_row((x > -3) & (x < 3), g * SIXTH, zero(g)),
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
    x=lambda g, x, lambd: where_row(_beyond(x, lambd), g, zero(g)),
)  # fmt: skip
softshrink_row = elementwise(
    "softshrink",
    lambda x, lambd: np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, x * 0)),
    promote="same", options="lambd", supports="f", namespaces=None,
    x=lambda g, x, lambd: where_row(_beyond(x, lambd), g, zero(g)),
)  # fmt: skip


@public(namespaces=FUNCTIONAL, method=False)
def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """A straight line for the sigmoid: ``x / 6 + 1 / 2``, brought to between 0 and 1.

    >>> import adjoint as torch
    >>> torch.nn.functional.hardsigmoid(torch.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    return _run(hardsigmoid_row, "hardsigmoid_", inplace, input)


@public(namespaces=FUNCTIONAL, method=False)
def hardswish(input: Any, inplace: bool = False) -> Any:
    """Each element times its ``hardsigmoid``.

    >>> import adjoint as torch
    >>> torch.nn.functional.hardswish(torch.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.0000, 0.6667, 4.0000])
    """
    return _run(hardswish_row, "hardswish_", inplace, input)


@public(namespaces=BOTH)
def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """Each element, or 0 if it is between ``-lambd`` and ``lambd``.

    >>> import adjoint as torch
    >>> torch.hardshrink(torch.tensor([-1.0, 0.3]))
    tensor([-1.,  0.])
    """
    return hardshrink_row(input, lambd)


@public(namespaces=FUNCTIONAL, method=False)
def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """Each element moved towards 0 by ``lambd``, and no further; ``RuntimeError`` if that is negative.

    >>> import adjoint as torch
    >>> torch.nn.functional.softshrink(torch.tensor([-1.0, 0.3]))
    tensor([-0.5000,  0.0000])
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}")
    return softshrink_row(input, lambd)


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


# -- with parameters, in halves, at random --------------------------------------------------------

rrelu_mean_row = elementwise(
    "rrelu_mean", _leaky_relu, promote="same", options="slope", supports="f", namespaces=None,
    node_name="RreluWithNoiseBackward0",
    x=lambda g, x, slope: where_row(x > 0, g, g * slope),
)  # fmt: skip
prelu_row = elementwise(
    "prelu", lambda x, weight: np.where(x > 0, x, x * weight), promote="same", supports="f",
    namespaces=None, node_name="PreluKernelBackward0",
    x=lambda g, x, weight: where_row(x > 0, g, g * weight),
    weight=lambda g, x: zero_where(x >= 0, g * x),
)  # fmt: skip


@public(namespaces=BOTH)
def prelu(input: Any, weight: Any) -> Any:
    """Each element, or ``weight`` times it if it is negative: one for all, or one a channel (dim 1).

    Raises ``RuntimeError`` where ``weight`` has another number of elements, or another type.

    >>> import adjoint as torch
    >>> torch.prelu(torch.tensor([-1.0, 2.0]), torch.tensor([0.25]))
    tensor([-0.2500,  2.0000])
    """
    rank, shape = len(input.shape), tuple(weight.shape)
    if dtypes.of(weight) is not dtypes.of(input):
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {dtypes.of(input)!r} and {dtypes.of(weight)!r}"
        )
    if len(shape) > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got shape {describe_shape(shape)}"
        )
    if shape and shape[0] != 1:
        channels = input.shape[1] if rank > 1 else 1
        if not rank:
            raise RuntimeError("Not allow zero-dim input tensor.")
        if channels != shape[0]:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found {shape[0]} "
                f"parameters and {channels} channels in shape {describe_shape(input.shape)}"
            )
    if shape and rank != 1:
        weight = reshape_row(weight, (shape[0], *(1,) * (rank - 2)) if rank else ())
    return prelu_row(input, weight)


def _glu(x: Any, dim: int) -> Any:
    first, second = np.split(x, 2, axis=dim)
    return first * sigmoid_of(second)


def _halves(x: Any, dim: int) -> tuple[Any, Any]:
    size = x.shape[dim]
    return slice_row(x, dim, 0, size // 2, 1), slice_row(x, dim, size // 2, size, 1)


def _glu_slope(g: Any, x: Any, dim: int) -> Any:
    first, second = _halves(x, dim)
    share, shape, size = sigmoid(second), tuple(x.shape), x.shape[dim]
    left = slice_backward(g * share, shape, dim, 0, size // 2, 1)
    right = g * first * (share * (1 - share))
    return left + slice_backward(right, shape, dim, size // 2, size, 1)


def _glu_moves(x: Any, x_t: Any, dim: int) -> Any:
    (first, second), (first_t, second_t) = _halves(x, dim), _halves(x_t, dim)
    share = sigmoid(second)
    return first_t * share + first * (share * (1 - share)) * second_t


glu_row = define(
    "glu", "movement", _glu, options="dim",
    x=lambda g, x, dim: _glu_slope(g, x, dim),
    jvp=_glu_moves,
)  # fmt: skip


@public(namespaces=FUNCTIONAL, method=False)
def glu(input: Any, dim: int = -1) -> Any:
    """The first half along ``dim`` times the sigmoid of the second; ``RuntimeError`` if the size is odd.

    >>> import adjoint as torch
    >>> torch.nn.functional.glu(torch.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """
    if dtypes.of(input).category != dtypes.FLOATING:
        raise NotImplementedError(f"glu is not implemented for {dtypes.of(input).name}")
    if not len(input.shape):
        raise RuntimeError("glu does not support 0-dimensional tensors")
    place = normalise_dim(dim, len(input.shape))
    if input.shape[place] % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {dim} is size {input.shape[place]}"
        )
    return glu_row(input, place)


rrelu_row = elementwise(
    "rrelu", np.multiply, promote="same", supports="f", namespaces=None,
    node_name="RreluWithNoiseBackward0",
    x=lambda g, noise: g * noise,
    noise=lambda g, x: g * x,
)  # fmt: skip


def _noise(x: Any, _: Any, lower: float, upper: float, generator: Generator) -> Any:
    """A random slope for each element that is not positive, drawn in PyTorch's order, and 1s."""
    noise = np.ones_like(x)
    falling = x <= 0
    noise[falling] = uniform(generator, (int(falling.sum()),), np.float64, lower, upper)
    return noise


rrelu_noise_row = define_random(
    "rrelu_noise", _noise, inputs="x", options="lower upper", batch=batch_distributed,
    infer=lambda row, inputs, options: (tuple(inputs[0].shape), dtypes.of(inputs[0])),
)  # fmt: skip


@public(namespaces=BOTH, method=False)
def rrelu(
    input: Any,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Any:
    """Each element, or if it is negative a slope times it: a random one in training, else the mean.

    Raises ``RuntimeError`` where ``lower`` is above ``upper``.

    >>> import adjoint as torch
    >>> torch.nn.functional.rrelu(torch.tensor([-1.0, 2.0]), 0.2, 0.4)
    tensor([-0.3000,  2.0000])
    """
    if lower > upper:
        raise RuntimeError(f"lower={lower} is above upper={upper}: the slopes are between them")
    if training:
        return _run(rrelu_row, "rrelu_", inplace, input, rrelu_noise_row(input, lower, upper))
    return _run(rrelu_mean_row, "rrelu_", inplace, input, (lower + upper) / 2)
