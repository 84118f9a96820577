"""Activations with a parameter, in two halves, or with a random slope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adjoint import dtypes
from adjoint.array.random_engine import Generator
from adjoint.errors import describe_shape
from adjoint.lazy import LazyModule
from adjoint.ops.activation_piecewise import form, leaky_relu_of
from adjoint.ops.kinds.elementwise import elementwise
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.random import batch_distributed, define_random
from adjoint.ops.movement import reshape_row
from adjoint.ops.selection import where_row, zero_where
from adjoint.ops.slicing import slice_backward, slice_row
from adjoint.ops.transcendental import sigmoid, sigmoid_of
from adjoint.shapes import normalise_dim

if TYPE_CHECKING:
    from adjoint.array import generator as draws
else:
    draws = LazyModule("adjoint.array.generator")

BOTH = ("", *FUNCTIONAL)

rrelu_mean_row = elementwise(
    "rrelu_mean", leaky_relu_of, promote="same", options="slope", supports="f", namespaces=None,
    node_name="RreluWithNoiseBackward0",
    x=lambda g, x, slope: where_row(x > 0, g, g * slope), saved="slope=",
)  # fmt: skip
prelu_row = elementwise(
    "prelu", lambda x, weight: np.where(x > 0, x, x * weight), promote="same", supports="f",
    namespaces=None, node_name="PreluKernelBackward0",
    x=lambda g, x, weight: where_row(x > 0, g, g * weight),
    weight=lambda g, x: zero_where(x >= 0, g * x),
)  # fmt: skip


@public(namespaces=BOTH)
def prelu(input: Any, weight: Any) -> Any:
    """Each element, or ``weight`` times it if it is negative: one for all, or one a channel.

    Channels are dimension 1. Raises ``RuntimeError`` where ``weight`` has another number of
    elements, or another type.

    >>> import adjoint as torch
    >>> torch.prelu(torch.tensor([-1.0, 2.0]), torch.tensor([0.25]))
    tensor([-0.2500,  2.0000])
    """
    for name, value in (("input", input), ("weight", weight)):
        if not hasattr(value, "dtype"):
            raise TypeError(f"prelu(): argument {name!r} must be Tensor, not {value!r}")
    rank, shape = len(input.shape), tuple(weight.shape)
    if dtypes.of(weight) is not dtypes.of(input):
        raise RuntimeError(
            "prelu: Type promoting not supported. "
            f"Got {dtypes.of(input)!r} and {dtypes.of(weight)!r}"
        )
    if len(shape) > 1:
        raise RuntimeError(
            "prelu: Expected `weight` to be a scalar or 1D tensor, but got shape "
            f"{describe_shape(shape)}"
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
    """The first half along ``dim`` times the sigmoid of the second.

    Raises ``RuntimeError`` if the size is odd.

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
    noise[falling] = draws.uniform(generator, (int(falling.sum()),), np.float64, lower, upper)
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
        return form(rrelu_row, "rrelu_", inplace)(input, rrelu_noise_row(input, lower, upper))
    return form(rrelu_mean_row, "rrelu_", inplace)(input, (lower + upper) / 2)
