"""Layers that are products with a weight: ``linear`` and ``bilinear``."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.array.blas_sums import column_sums
from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import add
from adjoint.ops.contraction import (
    fold,
    matmul,
    matmul_row,
    mismatch,
    product_infer,
    require_same_type,
    swap_last,
    times,
)
from adjoint.ops.einsum import einsum_row
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import finish, rename
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Row
from adjoint.ops.kinds.rules import batch_elementwise
from adjoint.ops.movement import reshape_row
from adjoint.ops.reduction import sum_row
from adjoint.shapes import broadcast_shapes, product
from adjoint.tape.engine import fit
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray
ADD: Row = add.row  # type: ignore[attr-defined]


def _linear(bias: Any, x: Any, weight: Any) -> Any:
    flat = x if x.ndim <= 2 else fold(x)
    out = flat.dot(weight.T)
    if bias is None:
        return out if x.ndim <= 2 else out.reshape(*x.shape[:-1], weight.shape[0])
    if x.ndim <= 2:
        out += bias
        return out
    out = out.reshape(*x.shape[:-1], weight.shape[0])
    out += bias
    return out


def _input_cotangent(g: Any, weight: Any) -> Any:
    return times(g, weight) if len(g.shape) <= 2 else matmul_row(g, weight)


def _bias_cotangent(g: Any) -> Any:
    """Sums over all but the last dimension; the bias that the row takes has no other."""
    if len(g.shape) == 1:
        return g
    lines = fold(g)
    return column_sums(lines) if type(lines) is ndarray else sum_row(lines, (-2,), False)


def _jvp_linear(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    _, x, weight = primals
    bias_t, x_t, weight_t = tangents
    parts = []
    if x_t is not None:
        parts.append(linear_row(None, x_t, weight))
    if weight_t is not None:
        parts.append(linear_row(None, x, weight_t))
    if bias_t is not None:
        parts.append(fit(bias_t, tuple(out.shape), out.dtype))
    moved = parts[0]
    for part in parts[1:]:
        moved = moved + part
    return moved


def _batch_linear(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    bias, x, weight = values
    if not batched[2] and batched[1]:
        if not batched[0]:
            return linear_row(bias, x, weight)
        out = linear_row(None, x, weight)
    elif not batched[2]:
        out = linear_row(None, x, weight)
    else:
        shape = tuple(x.shape[1:] if batched[1] else x.shape)
        flat = (product(shape[:-1]), shape[-1])
        rows = reshape_row(x, (size, *flat) if batched[1] else flat)
        out = matmul_row(rows, swap_last(weight))
        out = reshape_row(out, (size, *shape[:-1], weight.shape[1]))
    if bias is None:
        return out
    sorts = [batched[1] or batched[2], batched[0]]
    return batch_elementwise(ADD, size, [out, bias], sorts, ())


def _decompose_linear(bias: Any, x: Any, weight: Any) -> Any:
    out = matmul(x, swap_last(weight))
    return out if bias is None else out + bias


# The order of the inputs, and so of the graph's edges, is that of PyTorch's addmm.
linear_row: Any = define(
    "linear", "contraction", _linear, inputs="bias x weight",
    bias=lambda g: _bias_cotangent(g),
    x=_input_cotangent,
    weight=lambda g, x: times(swap_last(fold(g)), fold(x)),
    batch=_batch_linear, decompose=_decompose_linear,
    infer=product_infer(lambda *shapes: (*shapes[-2][:-1], shapes[-1][0])),
    node_name="AddmmBackward0",
)  # fmt: skip
linear_row.row.jvp = _jvp_linear


@public(namespaces=FUNCTIONAL, method=False, out="exact")
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """``input @ weight.T + bias``: (..., k), (m, k) and (m) to (..., m).

    Raises ``RuntimeError`` where shapes or types do not match.

    >>> import adjoint as torch
    >>> torch.nn.functional.linear(torch.ones(2), torch.ones(3, 2), torch.ones(3))
    tensor([3., 3., 3.])
    """
    if isinstance(input, Tensor) and isinstance(weight, Tensor):
        x, w, b, level = input._array, weight._array, None, input._level
        if type(x) is ndarray and type(w) is ndarray and x.ndim == 2 and w.ndim == 2:
            kind = x.dtype
            plain = kind is w.dtype and (kind is FLOAT32 or kind is FLOAT64)
            if bias is not None:
                b = bias._array if isinstance(bias, Tensor) else None
                plain = (
                    plain
                    and type(b) is ndarray
                    and b.dtype is kind
                    and b.shape == w.shape[:1]
                    and bias._level == level
                )
            if plain and weight._level == level:
                try:
                    out = x.dot(w.T)
                    if b is not None:
                        out += b
                except (ValueError, RuntimeWarning, FloatingPointError):
                    return _linear_checked(input, weight, bias)
                tensor = finish(linear_row.row, out, level, (bias, input, weight))
                return rename(tensor, "MmBackward0") if b is None else tensor
    return _linear_checked(input, weight, bias)


def _linear_checked(input: Any, weight: Any, bias: Any) -> Any:
    """The general path: any ranks, any kind of value, and the errors."""
    require_same_type("linear", input, weight, *(() if bias is None else (bias,)))
    x_shape, w_shape = tuple(input.shape), tuple(weight.shape)
    if len(w_shape) == 1 and bias is None:
        return matmul(input, weight)
    if not x_shape or len(w_shape) != 2:
        raise RuntimeError(
            "linear: expected an input with dimensions and a matrix as weight, but got shapes "
            f"{describe_shape(x_shape)} and {describe_shape(w_shape)}"
        )
    if x_shape[-1] != w_shape[1]:
        raise RuntimeError(
            f"linear: an input of shape {describe_shape(x_shape)} and a weight of shape "
            f"{describe_shape(w_shape)} (outputs, inputs) do not match: {x_shape[-1]} features "
            f"are given, {w_shape[1]} expected"
        )
    shape = (*x_shape[:-1], w_shape[0])
    if bias is not None and broadcast_shapes(tuple(bias.shape), shape) != shape:
        raise RuntimeError(
            f"linear: a bias of shape {describe_shape(bias.shape)} does not fit an output of "
            f"shape {describe_shape(shape)}"
        )
    if bias is not None and tuple(bias.shape) != w_shape[:1]:
        out = linear_row(None, input, weight) + bias
        return rename(out, "AddmmBackward0") if len(x_shape) == 2 else reshape_row(out, shape)
    out = linear_row(bias, input, weight)
    if bias is None:
        names = ("", "SqueezeBackward4", "MmBackward0", "UnsafeViewBackward0")
        return rename(out, names[min(len(x_shape), 3)])
    # PyTorch multiplies matrices alone, and unfolds: the result of any other rank is a view.
    return out if len(x_shape) == 2 else reshape_row(out, shape)


@public(namespaces=("", "nn.functional"), method=False)
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """``input1 @ weight[k] @ input2 + bias[k]``: (..., i), (..., j) and (k, i, j) to (..., k).

    Raises ``RuntimeError`` where shapes or types do not match, and ``IndexError`` for a weight
    or a bias of too few dimensions.

    >>> import adjoint as torch
    >>> torch.nn.functional.bilinear(torch.ones(2), torch.ones(3), torch.ones(1, 2, 3))
    tensor([6.])
    """
    require_same_type("bilinear", input1, input2, weight, *(() if bias is None else (bias,)))
    shapes = f"{describe_shape(input1.shape)} and {describe_shape(input2.shape)}"
    if len(weight.shape) < 3 or not len(input1.shape) or not len(input2.shape):
        raise IndexError(
            f"bilinear: expected a weight of 3 dimensions, but got {describe_shape(weight.shape)} "
            f"for inputs of shapes {shapes}"
        )
    front = tuple(input1.shape[:-1])
    if front != tuple(input2.shape[:-1]):
        raise RuntimeError(f"bilinear: the inputs' batch dimensions do not match: {shapes}")
    fits = input1.shape[-1] == weight.shape[1] and input2.shape[-1] == weight.shape[2]
    if not fits or len(weight.shape) > 3:
        raise mismatch("bilinear", input1, weight, input2)
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise (RuntimeError if len(bias.shape) else IndexError)(
            f"bilinear: a bias of shape {describe_shape(bias.shape)} for {weight.shape[0]} outputs"
        )
    n, i, j, k = 1, 2, 3, 4
    halfway = einsum_row(fold(input1), weight, (n, i), (k, i, j), (n, k, j))
    out = einsum_row(halfway, fold(input2), (n, k, j), (n, j), (n, k))
    out = reshape_row(out, (*front, weight.shape[0]))
    return out if bias is None else out + bias
