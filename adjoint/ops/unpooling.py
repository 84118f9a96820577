"""Max unpooling, which puts maxima back where their indices say; and pooling by power means."""

from __future__ import annotations

import math
from typing import Any

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.activation_piecewise import relu_row
from adjoint.ops.complex_parts import abs as absolute
from adjoint.ops.contraction import require_tensors
from adjoint.ops.dimensions import squeeze_row, unsqueeze_row
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.movement import reshape_row
from adjoint.ops.pooling import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    numbers_for,
    put_in_planes,
)
from adjoint.ops.powers import pow
from adjoint.ops.rounding import sign
from adjoint.ops.slicing import slice_row
from adjoint.ops.windows import Sizes
from adjoint.shapes import product
from adjoint.tape.tensor import Tensor

# -- unpooling ------------------------------------------------------------------------------------


def _sizes(
    name: str, rank: int, shape: Sizes, width: Sizes, step: Sizes, side: Sizes, wanted: Any
) -> Sizes:
    """The sizes of the planes: as asked for, if the windows allow it, or as they give them."""
    found = tuple(
        (size - 1) * each + length - 2 * room
        for size, each, length, room in zip(shape[-rank:], step, width, side, strict=True)
    )
    if wanted is None:
        return _no_negative(name, found)
    wanted = tuple(wanted)
    if len(wanted) == rank + 2:
        wanted = wanted[2:]
    if len(wanted) != rank:
        raise ValueError(
            f"{name}: output_size should be a sequence containing {rank} or {rank + 2} elements, "
            f"but it has a length of {len(wanted)}"
        )
    for dim, (size, usual, each) in enumerate(zip(wanted, found, step, strict=True)):
        if not usual - each < size < usual + each:
            raise ValueError(
                f"{name}: invalid output_size {wanted} (dim {dim} must be between "
                f"{usual - each} and {usual + each})"
            )
    return _no_negative(name, wanted)


def _no_negative(name: str, sizes: Sizes) -> Sizes:
    if min(sizes) < 0:
        raise ValueError(
            f"{name}: output_size must contain non-negative spatial dimensions, not {sizes}"
        )
    return sizes


def _check(name: str, rank: int, input: Any, indices: Any, plane: Sizes) -> None:
    shape = tuple(input.shape)
    if dtypes.of(indices) is not dtypes.int64:
        raise RuntimeError(
            f"{name}: elements in indices should be type int64 but got: {dtypes.of(indices)!r}"
        )
    if len(shape) not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"{name}: expected an input of {rank + 1} or {rank + 2} dimensions, but its shape is "
            f"{describe_shape(shape)}"
        )
    if tuple(indices.shape) != shape:
        raise RuntimeError(
            f"{name}: Expected shape of indices to be same as that of the input tensor "
            f"({describe_shape(shape)}) but got {describe_shape(indices.shape)}"
        )
    if 0 in shape[-rank - 1 :]:
        raise RuntimeError(
            f"{name}: Expected input to have non-zero size for non-batch dimensions, but got "
            f"{describe_shape(shape)}"
        )
    if dtypes.of(input).category != dtypes.FLOATING:
        raise NotImplementedError(f"{name} is not implemented for {dtypes.of(input)!r}")
    array = indices._array if isinstance(indices, Tensor) else indices
    if not isinstance(array, Value) and array.size and 0 not in plane:
        wrong = array[(array < 0) | (array >= product(plane))]
        if wrong.size:
            raise RuntimeError(
                f"{name}: Found an invalid max index: {wrong[0]} (output volumes are of size "
                f"{'x'.join(map(str, plane))})"
            )


def _unpool(
    rank: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, wanted: Any
) -> Any:
    name = f"max_unpool{rank}d"
    require_tensors(name, input, indices)
    width = numbers_for(kernel_size, rank, "kernel_size", name)
    step = width if stride is None else numbers_for(stride, rank, "stride", name)
    side = numbers_for(padding, rank, "padding", name)
    plane = _sizes(name, rank, tuple(input.shape), width, step, side, wanted)
    _check(name, rank, input, indices, plane)
    if rank == 3 and min(step) <= 0:
        raise RuntimeError(f"{name}: strides should be greater than zero, but got {step}")
    if 0 in plane:  # nothing is put anywhere, wherever the indices say
        lead = tuple(input.shape[:-rank])
        flat = reshape_row(input, (*lead, product(input.shape[-rank:])))
        out = reshape_row(slice_row(flat, -1, 0, 0, 1), (*lead, *plane))
        return rename(out, f"MaxUnpool{max(rank, 2)}DBackward0")
    if rank > 1:
        out = put_in_planes(input, indices, plane, False)
        return rename(out, f"MaxUnpool{rank}DBackward0")
    row = put_in_planes(unsqueeze_row(input, -2), unsqueeze_row(indices, -2), (1, *plane), False)
    return squeeze_row(rename(row, "MaxUnpool2DBackward0"), -2)


@public(namespaces=FUNCTIONAL, method=False)
def max_unpool1d(
    input: Any,
    indices: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    output_size: Any = None,
) -> Any:
    """The maxima of ``max_pool1d`` back where they were, and zeros; see ``max_unpool2d``.

    >>> x = torch.tensor([[1.0, 3.0, 2.0, 0.0]])
    >>> values, indices = torch.max_pool1d(x, 2, return_indices=True)
    >>> torch.nn.functional.max_unpool1d(values, indices, 2)
    tensor([[0., 3., 2., 0.]])
    """
    return _unpool(1, input, indices, kernel_size, stride, padding, output_size)


@public(namespaces=FUNCTIONAL, method=False)
def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    output_size: Any = None,
) -> Any:
    """The maxima of ``max_pool2d`` (N, C, H, W) back where their indices say, and zeros.

    ``output_size`` settles what pooling left open. Raises ``ValueError`` for a size that the
    windows do not give, ``RuntimeError`` for an index outside of the plane and for other shapes.

    >>> x = torch.tensor([[[1.0, 2.0], [4.0, 3.0]]])
    >>> values, indices = torch.nn.functional.max_pool2d(x, 2, return_indices=True)
    >>> torch.nn.functional.max_unpool2d(values, indices, 2)
    tensor([[[0., 0.],
             [4., 0.]]])
    """
    return _unpool(2, input, indices, kernel_size, stride, padding, output_size)


@public(namespaces=FUNCTIONAL, method=False)
def max_unpool3d(
    input: Any,
    indices: Any,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    padding: int | Sizes = 0,
    output_size: Any = None,
) -> Any:
    """The maxima of ``max_pool3d`` back where they were, and zeros; see ``max_unpool2d``.

    >>> values, indices = torch.max_pool3d(torch.ones(1, 2, 2, 2), 2, return_indices=True)
    >>> torch.nn.functional.max_unpool3d(values, indices, 2).sum()
    tensor(1.)
    """
    return _unpool(3, input, indices, kernel_size, stride, padding, output_size)


# -- power means ----------------------------------------------------------------------------------

_MAXIMA = {1: max_pool1d, 2: max_pool2d, 3: max_pool3d}
_MEANS = {1: avg_pool1d, 2: avg_pool2d, 3: avg_pool3d}


def _power_pool(
    rank: int, input: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool
) -> Any:
    name = f"lp_pool{rank}d"
    require_tensors(name, input)
    if norm_type == math.inf:
        return _MAXIMA[rank](absolute(input), kernel_size, stride, 0, 1, ceil_mode)
    width = numbers_for(kernel_size, rank, "kernel_size", name)
    powers = pow(input, norm_type)
    means: Any = _MEANS[rank](powers, kernel_size, stride, 0, ceil_mode)
    sums = sign(means) * relu_row(absolute(means)) * product(width)
    return pow(sums, 1.0 / norm_type)


@public(namespaces=FUNCTIONAL, method=False)
def lp_pool1d(
    input: Any,
    norm_type: float,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    ceil_mode: bool = False,
) -> Any:
    """Of each window along the last dimension the root of the sum of powers; see ``lp_pool2d``.

    >>> torch.nn.functional.lp_pool1d(torch.tensor([[3.0, 4.0, 0.0, 1.0]]), 2, 2)
    tensor([[5., 1.]])
    """
    return _power_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


@public(namespaces=FUNCTIONAL, method=False)
def lp_pool2d(
    input: Any,
    norm_type: float,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    ceil_mode: bool = False,
) -> Any:
    """The ``norm_type``-th root of the sum of powers of each window of (N, C, H, W).

    ``inf`` takes the greatest size. An odd power of negative numbers has no root: NaN. Raises
    ``RuntimeError`` for sizes that leave nothing, ``ZeroDivisionError`` for the power 0.

    >>> torch.nn.functional.lp_pool2d(torch.tensor([[[3.0, 0.0], [0.0, 4.0]]]), 2, 2)
    tensor([[[5.]]])
    """
    return _power_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


@public(namespaces=FUNCTIONAL, method=False)
def lp_pool3d(
    input: Any,
    norm_type: float,
    kernel_size: int | Sizes,
    stride: int | Sizes | None = None,
    ceil_mode: bool = False,
) -> Any:
    """The root of the sum of powers of each window of (N, C, D, H, W); see ``lp_pool2d``.

    >>> torch.nn.functional.lp_pool3d(torch.ones(1, 2, 2, 2), 3, 2)
    tensor([[[[2.]]]])
    """
    return _power_pool(3, input, norm_type, kernel_size, stride, ceil_mode)
