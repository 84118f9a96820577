"""Convolutions of one, two and three dimensions, and their transposes.

One row serves every number of dimensions. It is bilinear in input and weight; the row for the
gradient of the input (which is the transposed convolution) and the row for the gradient of the
weight are bilinear too, and the three differentiate into each other, to any order.

Inside rows an input is (N, C, *sizes), a weight (O, C / groups, *kernel); ``padding`` holds a pair
for each dimension, before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import index as as_index
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import apply
from adjoint.errors import describe_shape
from adjoint.ops import columns
from adjoint.ops.columns import Padding, Sizes, output_sizes
from adjoint.ops.dimensions import squeeze_row, unsqueeze_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, TOP, public
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, stretch
from adjoint.ops.movement import expand_row, permute_row, reshape_row
from adjoint.ops.reduction import sum_row
from adjoint.ops.slicing import slice_row

BOTH = (*TOP, *FUNCTIONAL)

# -- rules ------------------------------------------------------------------------------------


def _plain(*values: Any) -> bool:
    """Whether all are memory to compute on as it is: not values of a transform, not halves."""
    return all(type(each) is np.ndarray and each.dtype.itemsize >= 4 for each in values)


def _pull(
    g: Any,
    needs: Sequence[bool],
    x: Any,
    w: Any,
    stride: Sizes,
    padding: Padding,
    dilation: Sizes,
    groups: int,
) -> tuple[Any, Any, Any]:
    shape = (stride, padding, dilation, groups)
    gx = gw = None
    if needs[0] and needs[1] and _plain(g, x, w):
        gx, gw = columns.both_gradients(g, x, w, *shape)
    else:
        if needs[0]:
            gx = transposed_row(g, w, None, *shape, x.shape[2:])
        if needs[1]:
            gw = weight_row(x, g, *shape, w.shape[2:])
    return gx, gw, _channel_sums(g) if needs[2] else None


def _pull_transposed(
    g: Any,
    needs: Sequence[bool],
    x: Any,
    w: Any,
    stride: Sizes,
    padding: Padding,
    dilation: Sizes,
    groups: int,
) -> tuple[Any, Any, Any]:
    shape = (stride, padding, dilation, groups)
    return (
        convolution_row(g, w, None, *shape) if needs[0] else None,
        weight_row(g, x, *shape, w.shape[2:]) if needs[1] else None,
        _channel_sums(g) if needs[2] else None,
    )


def _channel_sums(g: Any) -> Any:
    """The bias's gradient: sums over the batch and all sizes."""
    if type(g) is np.ndarray:
        # The batch first: one pass over memory with long runs, 2 to 6 times as quick.
        return np.add.reduce(np.add.reduce(g, axis=0).reshape(g.shape[1], -1), axis=1)
    rank = len(g.shape)
    return sum_row(g, (-rank, *range(2 - rank, 0)), False)


def _jvp(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    (x, w, _), (x_t, w_t, b_t) = primals, tangents
    moved = None
    if x_t is not None:
        moved = apply(row, (x_t, w, b_t), options)
        b_t = None
    if w_t is not None:
        part = apply(row, (x, w_t, b_t), options)
        return part if moved is None else moved + part
    return moved if moved is not None else expand_row(_per_channel(b_t, len(out.shape)), out.shape)


def _per_channel(b: Any, rank: int) -> Any:
    return reshape_row(b, (*b.shape[:-1], b.shape[-1], *(1,) * (rank - 2)))


def _into_dim(x: Any, dim: int) -> Any:
    """Join the batch axis, which is the first, to the dimension that is ``dim`` without it."""
    rank = len(x.shape)
    order = [place - rank for place in (*range(1, dim + 1), 0, *range(dim + 1, rank))]
    shape = (*x.shape[1 : dim + 1], x.shape[0] * x.shape[dim + 1], *x.shape[dim + 2 :])
    return reshape_row(x if dim == 0 else permute_row(x, tuple(order)), shape)


def _out_of_dim(x: Any, dim: int, size: int) -> Any:
    """The opposite of ``_into_dim``."""
    shape = (*x.shape[:dim], size, x.shape[dim] // size, *x.shape[dim + 1 :])
    x = reshape_row(x, shape)
    if dim == 0:
        return x
    rank = len(shape)
    order = (dim, *range(dim), *range(dim + 1, rank))
    return permute_row(x, tuple(place - rank for place in order))


def _batch(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    """Many inputs are one longer batch; many weights are more groups."""
    x, w, b = values
    if batched[1]:
        x = _into_dim(stretch(x, size, batched[0]), 1)
        wide = (*options[:3], options[3] * size, *options[4:])
        out = apply(row, (x, _into_dim(w, 0), None), wide)
        out = _out_of_dim(out, 1, size)
    elif batched[0]:
        inside = None if batched[2] else b
        out = _out_of_dim(apply(row, (_into_dim(x, 0), w, inside), options), 0, size)
        b = b if batched[2] else None
    else:
        out = apply(row, (x, w, None), options)
        out = expand_row(out, (size, *out.shape))
    if b is None:
        return out
    return out + _per_channel(reshape_row(b, (-1, 1, b.shape[-1])), len(out.shape) - 1)


def _batch_weight(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    x, g = (
        _into_dim(stretch(each, size, inside), 1)
        for each, inside in zip(values, batched, strict=True)
    )
    out = apply(row, (x, g), (*options[:3], options[3] * size, *options[4:]))
    return _out_of_dim(out, 0, size)


def _infer(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    x, w = inputs[:2]
    sizes = output_sizes(x.shape[2:], w.shape[2:], *options[:3])
    return (x.shape[0], w.shape[0], *sizes), dtypes.of(x)


def _infer_transposed(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    x, w = inputs[:2]
    return (x.shape[0], w.shape[1] * options[3], *options[4]), dtypes.of(x)


def _infer_weight(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    x, g = inputs
    return (g.shape[1], x.shape[1] // options[3], *options[4]), dtypes.of(x)


# -- rows -------------------------------------------------------------------------------------

convolution_row = define(
    "convolution", "contraction", columns.convolve,
    inputs="x w b", options="stride padding dilation groups",
    vjp=_pull, batch=_batch, infer=_infer, saved="x=input w=weight",
)  # fmt: skip
transposed_row = define(
    "convolution_transposed", "contraction", columns.convolve_transposed,
    inputs="x w b", options="stride padding dilation groups sizes",
    vjp=_pull_transposed, batch=_batch, infer=_infer_transposed,
    node_name="ConvolutionBackward0", saved="x=input w=weight",
)  # fmt: skip
weight_row = define(
    "convolution_weight", "contraction", columns.weight_gradient,
    inputs="x g", options="stride padding dilation groups kernel",
    vjp=lambda h, needs, x, g, stride, padding, dilation, groups: (
        transposed_row(g, h, None, stride, padding, dilation, groups, x.shape[2:])
        if needs[0] else None,
        convolution_row(x, h, None, stride, padding, dilation, groups) if needs[1] else None,
    ),
    jvp="multilinear", batch=_batch_weight, infer=_infer_weight,
    node_name="ConvolutionBackwardBackward0",
)  # fmt: skip
# Bilinear, and linear in the bias alone: no named kind of jvp.
convolution_row.row.jvp = transposed_row.row.jvp = _jvp  # type: ignore[attr-defined]


# -- what users call: checks ------------------------------------------------------------------


def per_dimension(value: Any, rank: int, name: str) -> Sizes:
    """One int for each of ``rank`` dimensions from one, or from as many; ``RuntimeError`` else."""
    if isinstance(value, int):
        return (value,) * rank
    if isinstance(value, (tuple, list)):
        if len(value) == 1:
            value = tuple(value) * rank
        if len(value) == rank:
            return tuple(as_index(each) for each in value)
        raise RuntimeError(
            f"expected {name} to be a single integer or a list of {rank}, one for each dimension, "
            f"but got {name}={list(value)}"
        )
    raise TypeError(f"{name} must be an int or a tuple of ints, not {type(value).__name__}")


def as_hashable(value: Any) -> Any:
    """Lists as tuples, for the cache of checked shapes."""
    return tuple(value) if type(value) is list else value


@lru_cache(maxsize=1024)
def _options(
    x_shape: Sizes,
    w_shape: Sizes,
    b_shape: Sizes | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> tuple[Sizes, Padding, Sizes, int]:
    """The row's options; 0.5 microseconds where the same shapes were checked before."""
    rank = len(w_shape) - 2
    step, gap = per_dimension(stride, rank, "stride"), per_dimension(dilation, rank, "dilation")
    require_positive(step, gap, groups)
    sides = _sides(padding, step, gap, w_shape[2:], rank)
    weight = describe_shape(w_shape)
    if w_shape[0] == 0 or w_shape[0] % groups:
        raise RuntimeError(
            f"a weight of size {weight} has {w_shape[0]} output channels, which must be a positive "
            f"multiple of groups={groups}"
        )
    if x_shape[1] != w_shape[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {weight}, expected input of size "
            f"{describe_shape(x_shape)} to have {w_shape[1] * groups} channels, but got "
            f"{x_shape[1]} channels instead"
        )
    check_bias(b_shape, w_shape, w_shape[0])
    if 0 in x_shape[2:] and 0 not in x_shape[:2]:
        raise RuntimeError(
            "only a batch or the channels may be empty, but the input has shape "
            f"{describe_shape(x_shape)}"
        )
    for size, width, (low, high), space in zip(x_shape[2:], w_shape[2:], sides, gap, strict=True):
        if size + low + high < space * (width - 1) + 1:
            raise RuntimeError(
                f"the kernel of {weight} with dilation {list(gap)} can't be greater than the input "
                f"of {describe_shape(x_shape)} with padding {list(map(list, sides))}"
            )
    return step, sides, gap, groups


def require_positive(stride: Sizes, dilation: Sizes, groups: int) -> None:
    """Raise ``RuntimeError`` unless all are positive."""
    for name, values in (("groups", (groups,)), ("stride", stride), ("dilation", dilation)):
        if min(values, default=1) <= 0:
            raise RuntimeError(f"non-positive {name} is not supported, but got {list(values)}")


def check_bias(b_shape: Sizes | None, w_shape: Sizes, channels: int) -> None:
    """Raise ``RuntimeError`` unless the bias has one number for each output channel."""
    if b_shape is not None and b_shape != (channels,):
        raise RuntimeError(
            f"Given weight of size {describe_shape(w_shape)}, expected bias to be 1-dimensional "
            f"with {channels} elements, but got bias of size {describe_shape(b_shape)} instead"
        )


def _sides(padding: Any, stride: Sizes, dilation: Sizes, kernel: Sizes, rank: int) -> Padding:
    if not isinstance(padding, str):
        widths = per_dimension(padding, rank, "padding")
        if min(widths, default=0) < 0:
            raise RuntimeError(f"negative padding is not supported, but got {list(widths)}")
        return tuple((width, width) for width in widths)
    if padding == "valid":
        return ((0, 0),) * rank
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: {padding!r}; it may be 'same' or 'valid'")
    if max(stride, default=1) > 1:
        raise RuntimeError(
            f"padding='same' is not supported for strided convolutions (stride {list(stride)})"
        )
    total = [gap * (width - 1) for gap, width in zip(dilation, kernel, strict=True)]
    return tuple((each // 2, each - each // 2) for each in total)


def check_inputs(name: str, rank: int, input: Any, weight: Any, bias: Any) -> None:
    """Numbers of dimensions and element types."""
    for what, value in (("input", input), ("weight", weight)):
        if not hasattr(value, "dtype"):
            raise TypeError(f"{name}: {what} must be a Tensor, not {type(value).__name__}")
    if len(input.shape) not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {name}, but got "
            f"input of size: {describe_shape(input.shape)}"
        )
    if len(weight.shape) != rank + 2:
        raise RuntimeError(
            f"{name} expects a weight of {rank + 2} dimensions, but got "
            f"{describe_shape(weight.shape)}"
        )
    kind = dtypes.of(input)
    if kind is dtypes.bool_ and 0 not in input.shape:
        raise NotImplementedError(f"{name} is not implemented for booleans; convert them first")
    for what, value in (("weight", weight), ("bias", bias)):
        if value is not None and dtypes.of(value) is not kind:
            raise RuntimeError(
                f"Input type ({kind!r}) and {what} type ({dtypes.of(value)!r}) should be the same"
            )


def _convolve(
    name: str,
    rank: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Any:
    check_inputs(name, rank, input, weight, bias)
    alone = len(input.shape) == rank + 1
    if alone:
        input = unsqueeze_row(input, -rank - 2)
    options = _options(
        tuple(input.shape),
        tuple(weight.shape),
        None if bias is None else tuple(bias.shape),
        as_hashable(stride),
        as_hashable(padding),
        as_hashable(dilation),
        groups,
    )
    if input.shape[1] == 0:  # as in PyTorch: no channels in, none out
        weight = slice_row(weight, -rank - 2, 0, 0, 1)
        bias = None if bias is None else slice_row(bias, -1, 0, 0, 1)
    out = convolution_row(input, weight, bias, *options)
    return squeeze_row(out, -rank - 2) if alone else out


# -- what users call --------------------------------------------------------------------------


@public(namespaces=BOTH, method=False)
def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes | str = 0,
    dilation: int | Sizes = 1,
    groups: int = 1,
) -> Any:
    """Cross-correlate (N, C, length) with a weight (O, C / groups, width); see ``conv2d``.

    >>> torch.conv1d(torch.tensor([[[1.0, 2.0, 4.0]]]), torch.tensor([[[-1.0, 1.0]]]))
    tensor([[[1., 2.]]])
    """
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@public(namespaces=BOTH, method=False)
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes | str = 0,
    dilation: int | Sizes = 1,
    groups: int = 1,
) -> Any:
    """Cross-correlate images (N, C, H, W) with a weight (O, C / groups, height, width).

    A single image (C, H, W) gives a single result. ``padding`` is zeros on both sides, "same"
    (as many as keep the size) or "valid" (none). Raises ``RuntimeError`` for shapes or element
    types that do not fit together.

    >>> torch.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@public(namespaces=BOTH, method=False)
def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sizes = 1,
    padding: int | Sizes | str = 0,
    dilation: int | Sizes = 1,
    groups: int = 1,
) -> Any:
    """Cross-correlate (N, C, D, H, W) with (O, C / groups, depth, height, width); see ``conv2d``.

    >>> torch.conv3d(torch.ones(1, 1, 2, 2, 2), torch.ones(1, 1, 2, 2, 2)).item()
    8.0
    """
    return _convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


__all__ = [
    "BOTH",
    "as_hashable",
    "check_bias",
    "check_inputs",
    "conv1d",
    "conv2d",
    "conv3d",
    "convolution_row",
    "per_dimension",
    "require_positive",
    "transposed_row",
    "weight_row",
]
