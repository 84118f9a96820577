"""Transposed convolutions: what users call. Their row stands beside the convolution's."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from adjoint.errors import describe_shape
from adjoint.ops.columns import Padding, Sizes
from adjoint.ops.convolution import (
    BOTH,
    as_hashable,
    check_bias,
    check_inputs,
    per_dimension,
    require_positive,
    transposed_row,
)
from adjoint.ops.dimensions import squeeze_row, unsqueeze_row
from adjoint.ops.kinds.public import public


@lru_cache(maxsize=1024)
def _options(
    x_shape: Sizes,
    w_shape: Sizes,
    b_shape: Sizes | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> tuple[Sizes, Padding, Sizes, int, Sizes]:
    rank = len(w_shape) - 2
    step, gap = per_dimension(stride, rank, "stride"), per_dimension(dilation, rank, "dilation")
    require_positive(step, gap, groups)
    widths = per_dimension(padding, rank, "padding")
    more = per_dimension(output_padding, rank, "output_padding")
    if min((*widths, *more), default=0) < 0:
        raise RuntimeError(f"negative padding is not supported, but got {list(widths + more)}")
    if not w_shape[0] or x_shape[1] != w_shape[0] or w_shape[0] % groups:
        raise RuntimeError(
            f"Given transposed=1 and groups={groups}, weight of size {describe_shape(w_shape)}, "
            f"expected input of size {describe_shape(x_shape)} to have {w_shape[0]} channels, a "
            f"multiple of groups, but got {x_shape[1]} channels instead"
        )
    check_bias(b_shape, w_shape, w_shape[1] * groups)
    if any(add >= max(a, b) for add, a, b in zip(more, step, gap, strict=True)):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got "
            f"output_padding {list(more)}, stride {list(step)}, dilation {list(gap)}"
        )
    sizes = tuple(
        (size - 1) * each - 2 * width + space * (length - 1) + add + 1
        for size, each, width, space, length, add in zip(
            x_shape[2:], step, widths, gap, w_shape[2:], more, strict=True
        )
    )
    if min(sizes) < 0 or 0 in x_shape[2:]:
        raise RuntimeError(
            f"an input of size {describe_shape(x_shape)} gives the sizes {list(sizes)} per "
            "channel, which is too small: the padding is taken off the result"
        )
    # What is added behind is taken off the padding there: the forward convolution of these sizes
    # with that padding then gives back exactly the input's.
    sides = tuple((width, width - add) for width, add in zip(widths, more, strict=True))
    return step, sides, gap, groups, sizes


def _transpose(
    name: str, rank: int, input: Any, weight: Any, bias: Any, geometry: tuple[Any, ...]
) -> Any:
    check_inputs(name, rank, input, weight, bias)
    alone = len(input.shape) == rank + 1
    if alone:
        input = unsqueeze_row(input, -rank - 2)
    shapes = tuple(input.shape), tuple(weight.shape), None if bias is None else tuple(bias.shape)
    out = transposed_row(input, weight, bias, *_options(*shapes, *map(as_hashable, geometry)))
    return squeeze_row(out, -rank - 2) if alone else out


@public(namespaces=BOTH, method=False)
def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes = 0,
    output_padding: int | Sizes = 0,
    groups: int = 1,
    dilation: int | Sizes = 1,
) -> Any:
    """The transpose of ``conv1d``: (N, C, length) with (C, O / groups, width); see the 2d form.

    >>> torch.conv_transpose1d(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1.0, 10.0]]]))
    tensor([[[ 1., 12., 20.]]])
    """
    geometry = (stride, padding, output_padding, groups, dilation)
    return _transpose("conv_transpose1d", 1, input, weight, bias, geometry)


@public(namespaces=BOTH, method=False)
def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes = 0,
    output_padding: int | Sizes = 0,
    groups: int = 1,
    dilation: int | Sizes = 1,
) -> Any:
    """The transpose of ``conv2d``: each number of (N, C, H, W) spreads the kernel it meets.

    The weight is (C, O / groups, height, width). ``padding`` is taken off the result, on both
    sides, and ``output_padding`` added behind. Raises ``RuntimeError`` for what does not fit.

    >>> torch.conv_transpose2d(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    geometry = (stride, padding, output_padding, groups, dilation)
    return _transpose("conv_transpose2d", 2, input, weight, bias, geometry)


@public(namespaces=BOTH, method=False)
def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes = 0,
    output_padding: int | Sizes = 0,
    groups: int = 1,
    dilation: int | Sizes = 1,
) -> Any:
    """The transpose of ``conv3d``: (N, C, D, H, W) with (C, O / groups, depth, height, width).

    >>> torch.conv_transpose3d(torch.ones(1, 1, 1, 1, 1), torch.ones(1, 1, 2, 2, 2)).shape
    torch.Size([1, 1, 2, 2, 2])
    """
    geometry = (stride, padding, output_padding, groups, dilation)
    return _transpose("conv_transpose3d", 3, input, weight, bias, geometry)


__all__ = ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]
