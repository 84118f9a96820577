"""Channels into pixels and back: dimensions split, exchanged and joined."""

from __future__ import annotations

from typing import Any

from adjoint.errors import describe_shape
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.movement import clone_row, permute_row, reshape_row, unsafe_view_row
from adjoint.ops.reducing import shape_of

BOTH = ("", *FUNCTIONAL)


def _factor(name: str, what: str, factor: Any, input: Any) -> tuple[int, ...]:
    shape = tuple(shape_of(name, input))
    if isinstance(factor, bool) or not isinstance(factor, int):
        raise TypeError(f"{name}(): {what} must be int, not {type(factor).__name__}")
    if len(shape) < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but its shape is "
            f"{describe_shape(shape)}"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {what}, but got {factor}")
    return shape


def _joined(moved: Any, shape: tuple[int, ...], name: str) -> Any:
    """A copy in another shape, from a node of PyTorch's name; never a view."""
    return rename(unsafe_view_row(clone_row(moved, "C"), shape), name)


@public(namespaces=BOTH, method=False)
def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Groups of r * r channels as r by r pixels: (..., C * r * r, H, W) to (..., C, H * r, W * r).

    Raises ``RuntimeError`` where the channels are no such groups, or there are fewer dimensions.

    >>> torch.pixel_shuffle(torch.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    r = upscale_factor
    *lead, channels, height, width = _factor("pixel_shuffle", "upscale_factor", r, input)
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={channels} is not divisible by {r * r}"
        )
    front = tuple(range(-len(lead) - 5, -5))
    parts = reshape_row(input, (*lead, channels // (r * r), r, r, height, width))
    moved = permute_row(parts, (*front, -5, -2, -4, -1, -3))
    shape = (*lead, channels // (r * r), height * r, width * r)
    return _joined(moved, shape, "PixelShuffleBackward0")


@public(namespaces=BOTH, method=False)
def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Squares of r by r pixels as channels: (..., C, H * r, W * r) to (..., C * r * r, H, W).

    Raises ``RuntimeError`` where the pixels are no such squares, or there are fewer dimensions.

    >>> torch.pixel_unshuffle(torch.arange(4.0).reshape(1, 2, 2), 2).shape
    torch.Size([4, 1, 1])
    """
    r = downscale_factor
    *lead, channels, height, width = _factor("pixel_unshuffle", "downscale_factor", r, input)
    for what, size, place in (("height", height, -2), ("width", width, -1)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {what} to be divisible by downscale_factor, but "
                f"input.size({place})={size} is not divisible by {r}"
            )
    if 0 in input.shape:  # in PyTorch, no pixels keep their shape
        return rename(clone_row(input, "C"), "PixelUnshuffleBackward0")
    front = tuple(range(-len(lead) - 5, -5))
    parts = reshape_row(input, (*lead, channels, height // r, r, width // r, r))
    moved = permute_row(parts, (*front, -5, -3, -1, -4, -2))
    shape = (*lead, channels * r * r, height // r, width // r)
    return _joined(moved, shape, "PixelUnshuffleBackward0")


@public(namespaces=BOTH, method=False)
def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels of (N, C, ...) in another order: one of each of ``groups`` groups in turn.

    Raises ``RuntimeError`` where the groups do not divide the channels, or for fewer dimensions.

    >>> torch.channel_shuffle(torch.arange(4.0).reshape(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    examples, channels, *rest = _factor("channel_shuffle", "groups", groups, input)
    if channels % groups:
        raise RuntimeError(
            f"channel_shuffle: Number of channels must be divisible by groups. Got {channels} "
            f"channels and {groups} groups."
        )
    parts = reshape_row(input, (examples, groups, channels // groups, *rest))
    rank = len(rest) + 3
    moved = permute_row(parts, (-rank, 2 - rank, 1 - rank, *range(3 - rank, 0)))
    return _joined(moved, (examples, channels, *rest), "ChannelShuffleBackward0")
