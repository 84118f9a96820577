"""Adaptive pooling, whose windows follow from the size of the result; and maxima put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops import windows as kernels
from adjoint.ops.dimensions import squeeze_row, unsqueeze_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, TOP, public, publish
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact
from adjoint.ops.pooling import BOTH, check_kind, pick_from_planes, put_in_planes
from adjoint.ops.reduction import mean
from adjoint.ops.windows import Adaptive

Output = int | tuple[int | None, ...] | None

# -- rows -------------------------------------------------------------------------------------


def _max_row(rank: int) -> Callable[..., Any]:
    def infer(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> list[Fact]:
        x = inputs[0]
        shape = (*x.shape[: len(x.shape) - rank], *options[0].sizes)
        return [(shape, dtypes.of(x)), (shape, dtypes.int64)]

    return define(
        f"adaptive_max_pool{rank}d",
        "reduction",
        kernels.max_windows,
        options="windows",
        outputs="values indices",
        differentiable=1,
        x=lambda g, indices, windows: put_in_planes(g[0], indices, windows.plane, windows.overlap),
        jvp=lambda x_t, indices: (pick_from_planes(x_t, indices, rank),),
        infer=infer,
        node_name=f"AdaptiveMaxPool{rank}DBackward0",
        saved="indices=result1",
    )


def _mean_row(rank: int) -> Callable[..., Any]:
    def infer(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
        x = inputs[0]
        return (*x.shape[: len(x.shape) - rank], *options[0].sizes), dtypes.of(x)

    def infer_spread(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
        g = inputs[0]
        return (*g.shape[: len(g.shape) - rank], *options[0].plane), dtypes.of(g)

    means = define(
        f"adaptive_avg_pool{rank}d",
        "reduction",
        kernels.adaptive_mean_windows,
        options="windows",
        x=lambda g, windows: spread(g, windows),
        jvp="linear",
        infer=infer,
        node_name=f"AdaptiveAvgPool{rank}DBackward0",
    )
    spread = define(
        f"adaptive_avg_pool{rank}d_backward",
        "reduction",
        kernels.adaptive_spread_windows,
        options="windows",
        x=lambda g, windows: means(g, windows),
        jvp="linear",
        infer=infer_spread,
        node_name=f"AdaptiveAvgPool{rank}DBackwardBackward0",
    )
    return means


max_rows = {rank: _max_row(rank) for rank in (2, 3)}
mean_rows = {rank: _mean_row(rank) for rank in (2, 3)}

# -- checks -----------------------------------------------------------------------------------


def _windows(name: str, rank: int, input: Any, output_size: Any, *, full: bool) -> Adaptive:
    """The checked windows; None in ``output_size`` keeps the size.

    The planes must hold something, and with ``full`` the channels too.
    """
    check_kind(name, input, integers=False)
    shape = tuple(input.shape)
    if len(shape) not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got {describe_shape(shape)}"
        )
    if 0 in (shape[1:] if full else shape[-rank:]):
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input "
            f"has sizes {describe_shape(shape)}"
        )
    plane = shape[-rank:]
    if isinstance(output_size, int):
        output_size = (output_size,) * rank
    if output_size is None or (rank == 1 and None in output_size):
        raise TypeError(f"{name}: output_size must hold ints, but got {output_size}")
    if len(output_size) != rank:
        raise RuntimeError(f"{name}: output_size must be {rank}, but got {list(output_size)}")
    sizes = tuple(
        size if wanted is None else wanted for size, wanted in zip(plane, output_size, strict=True)
    )
    if not all(isinstance(each, int) for each in sizes):
        raise TypeError(f"{name}: output_size must hold ints or None, but got {list(output_size)}")
    if min(sizes) < 0:
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received "
            f"{list(sizes)}"
        )
    return Adaptive(plane, sizes)


def _maxima(rank: int, input: Any, output_size: Any) -> Any:
    windows = _windows(f"adaptive_max_pool{rank}d", rank, input, output_size, full=True)
    if rank > 1:
        return max_rows[rank](input, windows)
    row = Adaptive((1, *windows.plane), (1, *windows.sizes))
    return tuple(squeeze_row(each, -2) for each in max_rows[2](unsqueeze_row(input, -2), row))


def _is_one(rank: int, output_size: Any) -> bool:
    """Whether all that is asked for is one mean."""
    return output_size == 1 if isinstance(output_size, int) else output_size == (1,) * rank


def _mean_of_all(name: str, rank: int, input: Any) -> Any:
    """That mean, of inputs with any number of dimensions in front and of empty ones too."""
    check_kind(name, input, integers=False)
    return mean(input, tuple(range(-rank, 0)), True)


# -- what users call --------------------------------------------------------------------------


def _adaptive_max_pool1d(input: Any, output_size: Output) -> Any:
    """The greatest of each of ``output_size`` windows along the last dimension, and its index.

    >>> torch.adaptive_max_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    (tensor([[3., 2.]]), tensor([[1, 2]]))
    """
    values, indices = _maxima(1, input, output_size)
    return values, indices


publish("adaptive_max_pool1d", _adaptive_max_pool1d, TOP, method=False)


@public(namespaces=FUNCTIONAL, method=False)
def adaptive_max_pool1d(input: Any, output_size: Output, return_indices: bool = False) -> Any:
    """The greatest of each of ``output_size`` windows along the last dimension.

    >>> torch.nn.functional.adaptive_max_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    values, indices = _maxima(1, input, output_size)
    return (values, indices) if return_indices else values


@public(namespaces=FUNCTIONAL, method=False)
def adaptive_max_pool2d(input: Any, output_size: Output, return_indices: bool = False) -> Any:
    """The greatest of each of ``output_size`` windows over each plane of (N, C, H, W).

    One number means a square, None the input's own size. Raises ``RuntimeError`` for negative
    sizes and an empty plane.

    >>> torch.nn.functional.adaptive_max_pool2d(torch.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 1)
    tensor([[[4.]]])
    """
    values, indices = _maxima(2, input, output_size)
    return (values, indices) if return_indices else values


@public(namespaces=FUNCTIONAL, method=False)
def adaptive_max_pool3d(input: Any, output_size: Output, return_indices: bool = False) -> Any:
    """The greatest of each of ``output_size`` windows over each volume of (N, C, D, H, W).

    >>> torch.nn.functional.adaptive_max_pool3d(torch.ones(1, 2, 2, 2), 1)
    tensor([[[[1.]]]])
    """
    values, indices = _maxima(3, input, output_size)
    return (values, indices) if return_indices else values


@public(namespaces=BOTH, method=False)
def adaptive_avg_pool1d(input: Any, output_size: Output) -> Any:
    """The mean of each of ``output_size`` windows along the last dimension.

    >>> torch.adaptive_avg_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    windows = _windows("adaptive_avg_pool1d", 1, input, output_size, full=False)
    row = Adaptive((1, *windows.plane), (1, *windows.sizes))
    return squeeze_row(mean_rows[2](unsqueeze_row(input, -2), row), -2)


@public(namespaces=FUNCTIONAL, method=False)
def adaptive_avg_pool2d(input: Any, output_size: Output) -> Any:
    """The mean of each of ``output_size`` windows over each plane of (N, C, H, W).

    One number means a square, None the input's own size. Raises ``RuntimeError`` for negative
    sizes and an empty plane.

    >>> torch.nn.functional.adaptive_avg_pool2d(torch.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 1)
    tensor([[[2.5000]]])
    """
    if _is_one(2, output_size):
        return _mean_of_all("adaptive_avg_pool2d", 2, input)
    return mean_rows[2](input, _windows("adaptive_avg_pool2d", 2, input, output_size, full=False))


@public(namespaces=FUNCTIONAL, method=False)
def adaptive_avg_pool3d(input: Any, output_size: Output) -> Any:
    """The mean of each of ``output_size`` windows over each volume of (N, C, D, H, W).

    >>> torch.nn.functional.adaptive_avg_pool3d(torch.ones(1, 2, 2, 2), 1)
    tensor([[[[1.]]]])
    """
    if _is_one(3, output_size):
        return _mean_of_all("adaptive_avg_pool3d", 3, input)
    return mean_rows[3](input, _windows("adaptive_avg_pool3d", 3, input, output_size, full=True))


__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
]
