"""Dropout: elements or whole channels set to 0 at random, with PyTorch's numbers for a seed."""

from __future__ import annotations

import math
import warnings
from typing import Any

from adjoint import dtypes
from adjoint.array import generator as draws
from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import add, mul
from adjoint.ops.contraction import require_tensors
from adjoint.ops.dimensions import squeeze, unsqueeze
from adjoint.ops.inplace import in_place
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.random import batch_like, define_random
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.likes import empty_like_array
from adjoint.shapes import product

# What SELU tends to for large negative inputs: alpha dropout's "nothing".
_ALPHA = 1.7580993408473766

add_in_place = in_place(add, "add_")
mul_in_place = in_place(mul, "mul_")


# -- the noise ----------------------------------------------------------------------------------


def _noise_shape(shape: tuple[int, ...], trailing: int) -> tuple[int, ...]:
    return (*shape[: len(shape) - trailing], *(1,) * trailing)


def _noise(x: Any, _: Any, keep: float, trailing: int, source: Any) -> Any:
    """Ones with probability ``keep``, one number for all that is in the last dimensions."""
    values = draws.bernoulli_scalar(source, _noise_shape(x.shape, trailing), keep, x.dtype)
    if trailing or x.flags.c_contiguous:
        return values
    out = empty_like_array(x, dtypes.of(values))  # numbers go along the memory, as in PyTorch
    draws.store(out, values)
    return out


def _infer_noise(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return _noise_shape(tuple(inputs[0].shape), options[1]), dtypes.of(inputs[0])


noise_row = define_random(
    "dropout_noise", _noise, inputs="x", options="keep trailing", batch=batch_like,
    infer=_infer_noise,
)  # fmt: skip


# -- what is dropped ----------------------------------------------------------------------------


def _dropped(
    name: str, input: Any, p: float, train: bool, trailing: int, alpha: bool, inplace: bool
) -> Any:
    """The input with noise, or itself where there is nothing to do.

    ``trailing`` dimensions share a number; it is negative where the channels are missing.
    """
    require_tensors(name, input)
    if not isinstance(train, bool):
        raise TypeError(f"{name}(): whether it is training is a bool, not {type(train).__name__}")
    if p == 0 or not train or not product(input.shape):
        return input
    multiply = mul_in_place if inplace else mul
    if p == 1:
        return multiply(input, zero(input))
    if trailing < 0:
        raise RuntimeError(
            f"{name}: expected (N, C, ...), at least 2 dimensions, but got shape "
            f"{describe_shape(input.shape)}"
        )
    if dtypes.of(input).category < dtypes.FLOATING:
        raise RuntimeError(f"{name}: the noise is not {dtypes.of(input)!r}; use input.float()")
    keep = 1.0 - p
    noise = noise_row(input, keep, trailing)
    if not alpha:
        return multiply(input, noise / keep)
    scale = 1.0 / math.sqrt((_ALPHA * _ALPHA * p + 1) * keep)
    shift = (noise - 1) * (_ALPHA * scale) + _ALPHA * scale * p
    return (add_in_place if inplace else add)(multiply(input, noise * scale), shift)


def _channels(name: str, input: Any) -> int:
    """How many dimensions stand behind the channels, (N, C, ...); negative if there are none."""
    require_tensors(name, input)
    return len(input.shape) - 2


def _check(p: float, error: type[Exception]) -> None:
    if not 0.0 <= p <= 1.0:
        raise error(f"dropout probability has to be between 0 and 1, but got {p}")


# -- torch.* ------------------------------------------------------------------------------------


@public(method=False)
def dropout(input: Any, p: float, train: bool) -> Any:
    """Set elements to 0 with probability ``p`` and divide the rest by ``1 - p``, if ``train``.

    Raises ``RuntimeError`` for a ``p`` outside [0, 1], or integers.

    >>> _ = torch.manual_seed(0)
    >>> torch.dropout(torch.ones(4), 0.5, train=True)
    tensor([0., 0., 2., 0.])
    """
    _check(p, RuntimeError)
    return _dropped("dropout", input, p, train, 0, False, False)


@public(method=False)
def dropout_(input: Any, p: float, train: bool) -> Any:
    """In-place form of ``dropout``.

    >>> torch.dropout_(torch.ones(2), 0.5, train=False)
    tensor([1., 1.])
    """
    _check(p, RuntimeError)
    return _dropped("dropout_", input, p, train, 0, False, True)


@public(method=False)
def feature_dropout(input: Any, p: float, train: bool) -> Any:
    """Set whole channels, (N, C, ...), to 0 with probability ``p``, and divide the rest.

    Raises ``RuntimeError`` for a ``p`` outside [0, 1], integers, or fewer than 2 dimensions.

    >>> torch.feature_dropout(torch.ones(1, 2), 0.5, train=False)
    tensor([[1., 1.]])
    """
    _check(p, RuntimeError)
    trailing = _channels("feature_dropout", input)
    return _dropped("feature_dropout", input, p, train, trailing, False, False)


@public(method=False)
def feature_dropout_(input: Any, p: float, train: bool) -> Any:
    """In-place form of ``feature_dropout``.

    >>> torch.feature_dropout_(torch.ones(1, 2), 0.5, train=False)
    tensor([[1., 1.]])
    """
    _check(p, RuntimeError)
    trailing = _channels("feature_dropout_", input)
    return _dropped("feature_dropout_", input, p, train, trailing, False, True)


@public(method=False)
def alpha_dropout(input: Any, p: float, train: bool) -> Any:
    """Dropout that keeps mean and variance of standard normal inputs, for SELU networks.

    Raises ``RuntimeError`` for a ``p`` outside [0, 1], or integers.

    >>> torch.alpha_dropout(torch.ones(2), 0.5, train=False)
    tensor([1., 1.])
    """
    _check(p, RuntimeError)
    return _dropped("alpha_dropout", input, p, train, 0, True, False)


@public(method=False)
def alpha_dropout_(input: Any, p: float, train: bool) -> Any:
    """In-place form of ``alpha_dropout``.

    >>> torch.alpha_dropout_(torch.ones(2), 0.5, train=False)
    tensor([1., 1.])
    """
    _check(p, RuntimeError)
    return _dropped("alpha_dropout_", input, p, train, 0, True, True)


@public(method=False)
def feature_alpha_dropout(input: Any, p: float, train: bool) -> Any:
    """``alpha_dropout`` of whole channels, (N, C, ...).

    Raises ``RuntimeError`` for a ``p`` outside [0, 1], integers, or fewer than 2 dimensions.

    >>> torch.feature_alpha_dropout(torch.ones(1, 2), 0.5, train=False)
    tensor([[1., 1.]])
    """
    _check(p, RuntimeError)
    trailing = _channels("feature_alpha_dropout", input)
    return _dropped("feature_alpha_dropout", input, p, train, trailing, True, False)


@public(method=False)
def feature_alpha_dropout_(input: Any, p: float, train: bool) -> Any:
    """In-place form of ``feature_alpha_dropout``.

    >>> torch.feature_alpha_dropout_(torch.ones(1, 2), 0.5, train=False)
    tensor([[1., 1.]])
    """
    _check(p, RuntimeError)
    trailing = _channels("feature_alpha_dropout_", input)
    return _dropped("feature_alpha_dropout_", input, p, train, trailing, True, True)


# -- nn.functional ------------------------------------------------------------------------------


@public(namespaces=FUNCTIONAL, method=False, name="dropout")
def functional_dropout(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Any:
    """As ``torch.dropout``; ``ValueError`` for a ``p`` outside [0, 1].

    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.dropout(torch.ones(4))
    tensor([0., 0., 2., 0.])
    """
    _check(p, ValueError)
    return _dropped("dropout", input, p, training, 0, False, inplace)


@public(namespaces=FUNCTIONAL, method=False, name="alpha_dropout")
def functional_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """As ``torch.alpha_dropout``; ``ValueError`` for a ``p`` outside [0, 1].

    >>> torch.nn.functional.alpha_dropout(torch.ones(2))
    tensor([1., 1.])
    """
    _check(p, ValueError)
    return _dropped("alpha_dropout", input, p, training, 0, True, inplace)


@public(namespaces=FUNCTIONAL, method=False, name="feature_alpha_dropout")
def functional_feature_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """As ``torch.feature_alpha_dropout``; ``ValueError`` for a ``p`` outside [0, 1].

    >>> torch.nn.functional.feature_alpha_dropout(torch.ones(1, 2))
    tensor([[1., 1.]])
    """
    _check(p, ValueError)
    trailing = _channels("feature_alpha_dropout", input)
    return _dropped("feature_alpha_dropout", input, p, training, trailing, True, inplace)


def _dropped_channels(
    name: str, input: Any, p: float, training: bool, inplace: bool, batched: int | None
) -> Any:
    """Channels dropped of a batch of ``batched`` dimensions, or of anything else as one example."""
    _check(p, ValueError)
    require_tensors(name, input)
    whole = batched is None or len(input.shape) == batched
    x = input if whole else unsqueeze(input, 0)
    out = _dropped(name, x, p, training, _channels(name, x), False, inplace)
    return out if whole else squeeze(out, 0)


@public(namespaces=FUNCTIONAL, method=False)
def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Set whole channels of (N, C, L) or (C, L) to 0 at random; see ``feature_dropout``.

    >>> torch.nn.functional.dropout1d(torch.ones(1, 2), training=False)
    tensor([[1., 1.]])
    """
    _check(p, ValueError)
    if len(input.shape) not in (2, 3):
        raise RuntimeError(
            f"dropout1d: expected (N, C, L) or (C, L), but got shape {describe_shape(input.shape)}"
        )
    return _dropped_channels("dropout1d", input, p, training, inplace, 3)


@public(namespaces=FUNCTIONAL, method=False)
def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Set whole channels of (N, C, H, W) to 0 at random; see ``feature_dropout``.

    Other numbers of dimensions are taken as (N, C, ...), with a warning.

    >>> torch.nn.functional.dropout2d(torch.ones(1, 2, 1, 1), training=False).shape
    torch.Size([1, 2, 1, 1])
    """
    if len(input.shape) not in (3, 4):
        warnings.warn(
            f"dropout2d: Received a {len(input.shape)}-D input to dropout2d, which is deprecated "
            "and will result in an error in a future release.",
            stacklevel=2,
        )
    return _dropped_channels("dropout2d", input, p, training, inplace, None)


@public(namespaces=FUNCTIONAL, method=False)
def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Set whole channels of (N, C, D, H, W), or without N, to 0 at random; see ``feature_dropout``.

    >>> torch.nn.functional.dropout3d(torch.ones(1, 1, 1, 1), training=False).shape
    torch.Size([1, 1, 1, 1])
    """
    if len(input.shape) not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {len(input.shape)}-D input to dropout3d, which is deprecated "
            "and will result in an error in a future release.",
            stacklevel=2,
        )
    return _dropped_channels("dropout3d", input, p, training, inplace, 5)
