"""Initial values of parameters: for the same seed those of PyTorch.

Every function fills a tensor in place, records nothing, and returns the tensor.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.errors import describe_shape
from adjoint.ops.kinds.public import namespace
from adjoint.tape.modes import no_grad

Generator = Any
_GAINS: dict[str, Callable[[float], float]] = {
    **{
        name: lambda _: 1.0
        for name in (
            "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
            "conv_transpose3d", "sigmoid",
        )
    },
    "tanh": lambda _: 5 / 3,
    "relu": lambda _: math.sqrt(2.0),
    "leaky_relu": lambda slope: math.sqrt(2.0 / (1 + slope * slope)),
    "selu": lambda _: 3 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights before a nonlinearity keep the size of what goes through.

    ``param`` is leaky relu's slope (0.01 by default). Raises ``ValueError`` for an unknown name.

    >>> torch.nn.init.calculate_gain("relu") ** 2
    2.0000000000000004
    """
    if nonlinearity not in _GAINS:
        raise ValueError(
            f"Unsupported nonlinearity {nonlinearity!r}; there are {', '.join(_GAINS)}"
        )
    slope = 0.01 if param is None else param
    if isinstance(slope, bool) or not isinstance(slope, (int, float)):
        raise ValueError(f"negative_slope {param!r} not a valid number")
    return _GAINS[nonlinearity](slope)


# -- one distribution -------------------------------------------------------------------------


@no_grad()
def uniform_(
    tensor: Any, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Any:
    """Fill with uniform numbers from [a, b).

    >>> bool((torch.nn.init.uniform_(torch.empty(3), 1.0, 2.0) >= 1).all())
    True
    """
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(
    tensor: Any, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Any:
    """Fill with normal numbers of a mean and standard deviation.

    >>> torch.nn.init.normal_(torch.empty(2), mean=5.0, std=0.0)
    tensor([5., 5.])
    """
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(
    tensor: Any,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Any:
    """Fill with normal numbers, drawn anew where they are outside [a, b].

    Warns if the mean is more than two standard deviations outside.

    >>> bool((torch.nn.init.trunc_normal_(torch.empty(9)).abs() <= 2).all())
    True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            f"trunc_normal_: the mean {mean} is more than 2 std ({std}) from [{a}, {b}], so the "
            "distribution of the values may be incorrect",
            stacklevel=2,
        )
    if _share_below((b - mean) / std) - _share_below((a - mean) / std) > 0.3:
        _reject_outside(tensor, mean, std, a, b, generator)
    else:
        _reject_unlikely(tensor, mean, std, a, b, generator)
    return tensor


def _share_below(x: float) -> float:
    """The cumulated normal distribution."""
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _reject_outside(
    tensor: Any, mean: float, std: float, a: float, b: float, generator: Generator
) -> None:
    """Normal numbers, all drawn again until none is outside; those inside are kept."""
    tensor.normal_(mean, std, generator=generator)
    values = tensor._array
    low, high = values.dtype.type(a), values.dtype.type(b)
    while (outside := (values < low) | (values > high)).any():
        again = tensor.new_empty(tensor.shape).normal_(mean, std, generator=generator)
        np.copyto(values, again._array, where=outside)


def _reject_unlikely(
    tensor: Any, mean: float, std: float, a: float, b: float, generator: Generator
) -> None:
    """Uniform numbers between far bounds, each kept with its density's share of the highest."""
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    values = tensor._array
    pending = np.ones(values.shape, np.bool_)
    drawn, limit = tensor.new_empty(tensor.shape), tensor.new_empty(tensor.shape)
    while pending.any():
        candidates = drawn.uniform_(a, b, generator=generator)._array
        np.copyto(values, candidates, where=pending)
        density = ((candidates - mean) / std) ** 2 * -0.5 - peak
        pending &= np.log(limit.uniform_(generator=generator)._array) > density


@no_grad()
def constant_(tensor: Any, val: float) -> Any:
    """Fill with one value.

    >>> torch.nn.init.constant_(torch.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    return tensor.fill_(val)


@no_grad()
def ones_(tensor: Any) -> Any:
    """Fill with ones."""
    return tensor.fill_(1.0)


@no_grad()
def zeros_(tensor: Any) -> Any:
    """Fill with zeros."""
    return tensor.zero_()


# -- structure --------------------------------------------------------------------------------


def _require_rank(name: str, tensor: Any, low: int, high: int | None = None) -> None:
    rank = len(tensor.shape)
    if rank < low or (high is not None and rank > high):
        wanted = f"{low}" if high == low else f"{low} to {high}" if high else f"{low} or more"
        raise ValueError(
            f"{name}: only tensors with {wanted} dimensions are supported, but this one has shape "
            f"{describe_shape(tensor.shape)}"
        )


@no_grad()
def eye_(tensor: Any) -> Any:
    """Fill a matrix with ones on the diagonal, zeros elsewhere; ``ValueError`` for other ranks.

    >>> torch.nn.init.eye_(torch.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    _require_rank("eye_", tensor, 2, 2)
    tensor.zero_()
    for place in range(min(tensor.shape)):
        tensor[place, place] = 1
    return tensor


@no_grad()
def dirac_(tensor: Any, groups: int = 1) -> Any:
    """Fill a convolution's weight (3 to 5 dims) so that it hands channels through unchanged.

    Raises ``ValueError`` for other ranks, and unless ``groups`` divides the output channels.

    >>> torch.nn.init.dirac_(torch.empty(1, 1, 3))
    tensor([[[0., 1., 0.]]])
    """
    _require_rank("dirac_", tensor, 3, 5)
    outputs, inputs, *kernel = tensor.shape
    if outputs % groups:
        raise ValueError(f"dirac_: {outputs} output channels are not divisible by groups={groups}")
    tensor.zero_()
    middle = tuple(size // 2 for size in kernel)
    each = outputs // groups
    for group in range(groups):
        for channel in range(min(each, inputs)):
            tensor[(group * each + channel, channel, *middle)] = 1
    return tensor


@no_grad()
def orthogonal_(tensor: Any, gain: float = 1, generator: Generator | None = None) -> Any:
    """Fill with a matrix, of the first dim by all others, whose rows or columns are orthonormal.

    Raises ``ValueError`` for fewer than two dims. The matrix comes from a QR decomposition, whose
    last digits depend on the linear algebra library.

    >>> w = torch.nn.init.orthogonal_(torch.empty(2, 3))
    >>> torch.allclose(w @ w.T, torch.eye(2), atol=1e-6)
    True
    """
    _require_rank("orthogonal_", tensor, 2)
    if 0 in tensor.shape:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    flat = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)._array
    q, r = np.linalg.qr(flat.T if rows < columns else flat)
    q = q * np.sign(np.diagonal(r))  # the one whose R has a positive diagonal: all equally likely
    tensor._array[...] = (q.T if rows < columns else q).reshape(tensor.shape)
    return tensor.mul_(gain)


@no_grad()
def sparse_(
    tensor: Any, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Any:
    """Fill a matrix with normal numbers, and a share ``sparsity`` of each column with zeros.

    Raises ``ValueError`` for other ranks.

    >>> int((torch.nn.init.sparse_(torch.empty(10, 2), 0.3) == 0).sum())
    6
    """
    _require_rank("sparse_", tensor, 2, 2)
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    permutation = namespace("")["randperm"]
    for column in range(columns):
        # PyTorch draws the order from the default generator, whatever is given.
        tensor[permutation(rows)[:zeros], column] = 0
    return tensor


# -- by the number of connections -------------------------------------------------------------


def _fans(tensor: Any) -> tuple[int, int]:
    """How many inputs and outputs each number of a layer is connected to."""
    _require_rank("fan in and fan out", tensor, 2)
    shape = tensor.shape
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


_calculate_fan_in_and_fan_out = _fans


def _fan(tensor: Any, mode: str) -> int:
    modes = ("fan_in", "fan_out")
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {list(modes)}")
    return _fans(tensor)[modes.index(mode.lower())]


@no_grad()
def xavier_uniform_(tensor: Any, gain: float = 1.0, generator: Generator | None = None) -> Any:
    """Fill with uniform numbers whose variance is ``gain**2 * 2 / (fan_in + fan_out)``.

    Source: X. Glorot and Y. Bengio (2010). Raises ``ValueError`` for fewer than two dims.

    >>> float(torch.nn.init.xavier_uniform_(torch.empty(3, 3)).abs().max()) <= 1
    True
    """
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / float(sum(_fans(tensor))))
    return tensor.uniform_(-bound, bound, generator=generator)


@no_grad()
def xavier_normal_(tensor: Any, gain: float = 1.0, generator: Generator | None = None) -> Any:
    """Fill with normal numbers whose variance is ``gain**2 * 2 / (fan_in + fan_out)``.

    Source: X. Glorot and Y. Bengio (2010). Raises ``ValueError`` for fewer than two dims.
    """
    std = gain * math.sqrt(2.0 / float(sum(_fans(tensor))))
    return tensor.normal_(0.0, std, generator=generator)


@no_grad()
def kaiming_uniform_(
    tensor: Any,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Any:
    """Fill with uniform numbers of variance ``gain**2 / fan``, the gain being a nonlinearity's.

    ``a`` is leaky relu's slope, ``mode`` "fan_in" or "fan_out". Source: K. He et al. (2015).
    Raises ``ValueError`` for fewer than two dims and unknown names.

    >>> float(torch.nn.init.kaiming_uniform_(torch.empty(4, 6)).abs().max()) <= 1
    True
    """
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    gain = calculate_gain(nonlinearity, a)
    bound = math.sqrt(3.0) * (gain / math.sqrt(_fan(tensor, mode)))
    return tensor.uniform_(-bound, bound, generator=generator)


@no_grad()
def kaiming_normal_(
    tensor: Any,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Any:
    """Fill with normal numbers of variance ``gain**2 / fan``; see ``kaiming_uniform_``."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    gain = calculate_gain(nonlinearity, a)
    return tensor.normal_(0, gain / math.sqrt(_fan(tensor, mode)), generator=generator)


__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]
