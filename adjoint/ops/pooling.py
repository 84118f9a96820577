"""Pooling: maxima and means over windows of the last dimensions.

The dimensions before the windows' are free: a batch, channels, ``vmap``. A maximum's gradient goes
to the element that was the greatest, by the indices that PyTorch returns too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops import windows as kernels
from adjoint.ops.convolution import as_hashable
from adjoint.ops.dimensions import squeeze_row, unsqueeze_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, TOP, public
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.movement import reshape_row
from adjoint.ops.picking import pick_row, put_row
from adjoint.ops.windows import Sizes, Windows

BOTH = (*TOP, *FUNCTIONAL)

# -- rows -------------------------------------------------------------------------------------


def put_in_planes(g: Any, indices: Any, plane: Sizes, repeated: bool) -> Any:
    """Planes of zeros, with ``g`` added where ``indices`` into the flattened planes say."""
    rank = len(plane)
    if type(g) is np.ndarray and type(indices) is np.ndarray:
        lead = g.shape[: g.ndim - rank]
        flat = (prod(lead), prod(g.shape[g.ndim - rank :]))
        out = put_row(g.reshape(flat), indices.reshape(flat), -1, prod(plane), repeated)
        return out.reshape(*lead, *plane)
    lead = tuple(g.shape[: len(g.shape) - rank])
    flat = (*lead, prod(g.shape[len(lead) :]))
    out = put_row(reshape_row(g, flat), reshape_row(indices, flat), -1, prod(plane), repeated)
    return reshape_row(out, (*lead, *plane))


def pick_from_planes(x: Any, indices: Any, rank: int) -> Any:
    """The elements of the last ``rank`` dimensions that ``indices`` name, in the indices' shape."""
    lead = tuple(x.shape[: len(x.shape) - rank])
    flat = (*lead, prod(indices.shape[len(lead) :]))
    found = pick_row(
        reshape_row(x, (*lead, prod(x.shape[len(lead) :]))), reshape_row(indices, flat), -1
    )
    return reshape_row(found, tuple(indices.shape))


def _infer_max(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> list[Fact]:
    x, windows = inputs[0], options[0]
    shape = (*x.shape[: len(x.shape) - len(windows.sizes)], *windows.sizes)
    return [(shape, dtypes.of(x)), (shape, dtypes.int64)]


def _max_row(rank: int) -> Callable[..., Any]:
    return define(
        f"max_pool{rank}d_with_indices",
        "reduction",
        kernels.max_windows,
        options="windows",
        outputs="values indices",
        differentiable=1,
        x=lambda g, indices, x_shape, windows: put_in_planes(
            g[0], indices, tuple(x_shape[-rank:]), windows.overlap
        ),
        jvp=lambda x_t, indices: (pick_from_planes(x_t, indices, rank),),
        infer=_infer_max,
        node_name=f"MaxPool{rank}DWithIndicesBackward0",
        saved="indices=result1 x_shape=",
    )


def _mean_rows(rank: int) -> Callable[..., Any]:
    """The row of means, and that of its transpose."""

    def sizes_of(x_shape: Sizes) -> Sizes:
        return tuple(x_shape[-rank:])

    def infer(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
        x = inputs[0]
        return (*x.shape[: len(x.shape) - rank], *options[0].sizes), dtypes.of(x)

    def infer_back(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
        g = inputs[0]
        return (*g.shape[: len(g.shape) - rank], *options[1]), dtypes.of(g)

    means = define(
        f"avg_pool{rank}d",
        "reduction",
        kernels.mean_windows,
        options="windows count_include_pad divisor",
        x=lambda g, x_shape, windows, count_include_pad, divisor: spread(
            g, windows, sizes_of(x_shape), count_include_pad, divisor
        ),
        jvp="linear",
        infer=infer,
        node_name=f"AvgPool{rank}DBackward0",
        saved="divisor=divisor_override x_shape=",
    )
    spread = define(
        f"avg_pool{rank}d_backward",
        "reduction",
        kernels.spread_windows,
        options="windows plane count_include_pad divisor",
        x=lambda g, windows, count_include_pad, divisor: means(
            g, windows, count_include_pad, divisor
        ),
        jvp="linear",
        infer=infer_back,
        node_name=f"AvgPool{rank}DBackwardBackward0",
    )
    return means


max_rows = {rank: _max_row(rank) for rank in (2, 3)}
mean_rows = {rank: _mean_rows(rank) for rank in (2, 3)}

# -- checks -----------------------------------------------------------------------------------


def numbers_for(value: Any, rank: int, name: str, function: str) -> Sizes:
    """One int for each dimension from one, or from as many."""
    if isinstance(value, int):
        return (value,) * rank
    if isinstance(value, (tuple, list)) and all(isinstance(each, int) for each in value):
        if len(value) in (1, rank):
            return tuple(value) * (rank if len(value) == 1 else 1)
        raise RuntimeError(
            f"{function}: {name} must be an int or {rank} of them, but got {list(value)}"
        )
    raise TypeError(f"{function}: {name} must be an int or a tuple of ints, but got {value!r}")


def check_planes(name: str, rank: int, shape: Sizes) -> None:
    """Raise ``RuntimeError`` unless a shape is (N, C, *sizes) or (C, *sizes), N alone empty."""
    if len(shape) not in (rank + 1, rank + 2) or 0 in shape[-rank - 1 :]:
        raise RuntimeError(
            f"{name}: Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with optional 0 dim "
            f"batch size for input, but got: {describe_shape(shape)}"
        )


def check_kind(name: str, input: Any, integers: bool) -> None:
    """Raise ``TypeError`` for what is no tensor, ``NotImplementedError`` for types not pooled."""
    if not hasattr(input, "dtype"):
        raise TypeError(f"{name}: input must be a Tensor, not {type(input).__name__}")
    kind = dtypes.of(input)
    if kind.category != dtypes.FLOATING and not (integers and kind.category == dtypes.INTEGER):
        raise NotImplementedError(f"{name} is not implemented for {kind!r}")


@lru_cache(maxsize=1024)
def _windows(
    name: str,
    rank: int,
    shape: Sizes,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> Windows:
    """The checked windows; kept, as every call of a layer asks for the same."""
    if name == "avg_pool2d" and len(shape) < rank + 1:
        raise IndexError(f"{name}: {describe_shape(shape)} has no dimension -3")
    check_planes(name, rank, shape)
    width = numbers_for(kernel, rank, "kernel_size", name)
    if name == "avg_pool3d" and any(map(int.__lt__, shape[-rank:], width)):
        raise RuntimeError(f"{name}: input {describe_shape(shape)} too small for kernel {width}")
    step = width if stride in (None, ()) else numbers_for(stride, rank, "stride", name)
    side = numbers_for(padding, rank, "padding", name)
    gap = numbers_for(dilation, rank, "dilation", name)
    for what, values in (("kernel_size", width), ("stride", step), ("dilation", gap)):
        if min(values) <= 0:
            raise RuntimeError(f"{name}: {what} should be greater than zero, but got {values}")
    for each, length, space in zip(side, width, gap, strict=True):
        if not 0 <= each <= (space * (length - 1) + 1) // 2:
            raise RuntimeError(
                f"{name}: pad should be at most half of effective kernel size and not negative, "
                f"but got pad={side}, kernel_size={width} and dilation={gap}"
            )
    sizes = tuple(map(_count, shape[-rank:], width, step, side, gap, (ceil_mode,) * rank))
    if min(sizes) <= 0:
        raise RuntimeError(
            f"{name}: Given input size {describe_shape(shape)} and kernel_size {width}, the "
            f"output would have the sizes {sizes}: Output size is too small"
        )
    return Windows(width, step, side, gap, sizes)


def _count(size: int, width: int, step: int, side: int, gap: int, ceil_mode: bool) -> int:
    """How many windows there are: with ``ceil_mode``, also one that begins inside and ends out."""
    room = size + 2 * side - gap * (width - 1) - 1
    count = (room + (step - 1 if ceil_mode else 0)) // step + 1
    return count - 1 if ceil_mode and (count - 1) * step >= size + side else count


# -- maxima -----------------------------------------------------------------------------------


def _max_pool(
    rank: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    integers: bool = True,
) -> Any:
    """Values and indices; one dimension is pooled as a row of two."""
    name = f"max_pool{rank}d"
    check_kind(name, input, integers)
    shape = tuple(input.shape)
    geometry = map(as_hashable, (kernel_size, stride, padding, dilation))
    windows = _windows(name, rank, shape, *geometry, bool(ceil_mode))
    if rank > 1:
        return max_rows[rank](input, windows)
    out = max_rows[2](unsqueeze_row(input, -2), in_a_row(windows))
    return tuple(squeeze_row(each, -2) for each in out)


def in_a_row(windows: Windows) -> Windows:
    """Windows of one dimension as those of a plane one high."""
    (width,), (step,), (side,), (gap,), (count,) = windows
    return Windows((1, width), (1, step), (0, side), (1, gap), (1, count))


@public(namespaces=BOTH, method=False)
def max_pool1d(
    input: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    dilation: int | Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The greatest of each window along the last dimension; see ``max_pool2d``.

    >>> torch.max_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    geometry = (kernel_size, stride, padding, dilation, ceil_mode)
    values, indices = _max_pool(1, input, *geometry, integers=False)
    return (values, indices) if return_indices else values


@public(namespaces=BOTH, method=False)
def max_pool2d(
    input: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    dilation: int | Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The greatest of each window of (N, C, H, W) or (C, H, W), whose stride is the kernel's size.

    ``ceil_mode`` adds a window that ends outside; ``return_indices`` gives also where in the
    flattened plane each maximum stands. Raises ``RuntimeError`` for sizes that leave nothing.

    >>> torch.nn.functional.max_pool2d(torch.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
    tensor([[[4.]]])
    """
    values, indices = _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode)
    return (values, indices) if return_indices else values


@public(namespaces=BOTH, method=False)
def max_pool3d(
    input: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    dilation: int | Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The greatest of each window of (N, C, D, H, W) or (C, D, H, W); see ``max_pool2d``.

    >>> torch.max_pool3d(torch.ones(1, 2, 2, 2), 2)
    tensor([[[[1.]]]])
    """
    values, indices = _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode)
    return (values, indices) if return_indices else values


# -- means ------------------------------------------------------------------------------------


def _avg_pool(
    rank: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None,
) -> Any:
    name = f"avg_pool{rank}d"
    check_kind(name, input, integers=True)
    if divisor == 0:
        raise RuntimeError(f"{name}: divisor must be not zero")
    shape = tuple(input.shape)
    geometry = map(as_hashable, (kernel_size, stride, padding, 1))
    windows = _windows(name, rank, shape, *geometry, bool(ceil_mode))
    if rank > 1:
        return mean_rows[rank](input, windows, bool(count_include_pad), divisor)
    row = unsqueeze_row(input, -2)
    return squeeze_row(mean_rows[2](row, in_a_row(windows), bool(count_include_pad), divisor), -2)


@public(namespaces=BOTH, method=False)
def avg_pool1d(
    input: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window along the last dimension; see ``avg_pool2d``.

    >>> torch.avg_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    geometry = (kernel_size, stride, padding, ceil_mode)
    return _avg_pool(1, input, *geometry, count_include_pad, None)


@public(namespaces=FUNCTIONAL, method=False, out="exact")
def avg_pool2d(
    input: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of (N, C, H, W) or (C, H, W), whose stride is the kernel's size.

    ``count_include_pad`` counts the zeros around as elements; ``divisor_override`` is what sums are
    divided by instead of their number. Raises ``RuntimeError`` for sizes that leave nothing.

    >>> torch.nn.functional.avg_pool2d(torch.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
    tensor([[[2.5000]]])
    """
    geometry = (kernel_size, stride, padding, ceil_mode)
    return _avg_pool(2, input, *geometry, count_include_pad, divisor_override)


@public(namespaces=FUNCTIONAL, method=False, out="exact")
def avg_pool3d(
    input: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W); see ``avg_pool2d``.

    >>> torch.nn.functional.avg_pool3d(torch.ones(1, 2, 2, 2), 2)
    tensor([[[[1.]]]])
    """
    geometry = (kernel_size, stride, padding, ceil_mode)
    return _avg_pool(3, input, *geometry, count_include_pad, divisor_override)


__all__ = [
    "BOTH",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "check_kind",
    "check_planes",
    "in_a_row",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "numbers_for",
    "pick_from_planes",
    "put_in_planes",
]
