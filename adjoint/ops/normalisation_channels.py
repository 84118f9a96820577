"""Normalisation of channels, the second dimension: over the batch, in groups, or each alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import apply
from adjoint.errors import describe_shape
from adjoint.ops.contraction import require_tensors
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import finish
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import stretch
from adjoint.ops.movement import reshape_row
from adjoint.ops.normalisation import (
    check_parameter_type,
    infer_first,
    plain,
    standardised,
    standardised_moves,
    standardised_value,
    total_of,
)
from adjoint.ops.reducing import refuse_dtype, reshape
from adjoint.ops.reduction import sum_row
from adjoint.shapes import product

ndarray = np.ndarray


# -- parameters: one number for each channel, ``trailing`` dimensions from the end -----------------


def aligned(value: Any, trailing: int) -> Any:
    """A parameter (C,), or (B, 1, C) in a batch, made to broadcast along the channels."""
    return value if not trailing else reshape(value, (*value.shape, *(1,) * trailing))


def affine(normal: Any, weight: Any, bias: Any, trailing: int) -> Any:
    if weight is not None:
        normal = normal * aligned(weight, trailing)
    return normal if bias is None else normal + aligned(bias, trailing)


def to_parameter(v: Any, trailing: int) -> Any:
    """Sum over the dimensions behind the channels; the engine sums over those in front."""
    return sum_row(v, tuple(range(-trailing, 0)), False) if trailing else v


def batch_channels(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    lined_up = [stretch(values[0], size, batched[0])]
    for value, inside in zip(values[1:], batched[1:], strict=True):
        lined_up.append(reshape_row(value, (size, 1, value.shape[1])) if inside else value)
    return apply(row, tuple(lined_up), options)


def affine_vjp(
    g: Any, needs: Any, normal: Any, moves: Any, weight: Any, trailing: int
) -> tuple[Any, Any, Any]:
    """Cotangents of input, weight and bias; ``moves`` takes the first through the normalisation."""
    x_bar = weight_bar = bias_bar = None
    if needs[0]:
        x_bar = moves(g if weight is None else g * aligned(weight, trailing))
    if needs[1]:
        weight_bar = to_parameter(g * normal, trailing)
    if needs[2]:
        bias_bar = to_parameter(g, trailing)
    return x_bar, weight_bar, bias_bar


def affine_jvp(
    normal: Any, moves: Any, weight: Any, tangents: tuple[Any, ...], trailing: int, out: Any
) -> Any:
    x_t, weight_t, bias_t = tangents
    parts = []
    if x_t is not None:
        moved = moves(x_t)
        parts.append(moved if weight is None else moved * aligned(weight, trailing))
    if weight_t is not None:
        parts.append(normal * aligned(weight_t, trailing))
    return total_of(parts, None if bias_t is None else aligned(bias_t, trailing), out)


# -- groups -------------------------------------------------------------------------------------


def _grouped(x: Any, groups: int, trailing: int) -> Any:
    """Channels in groups, with all that a group has in one dimension: (..., G, all of it)."""
    shape = tuple(x.shape)
    front = shape[: len(shape) - trailing - 1]
    return reshape(x, (*front, groups, product(shape[len(front) :]) // groups))


def _group_normal(x: Any, groups: int, trailing: int, eps: float, kept: Any) -> tuple[Any, Any]:
    if type(x) is ndarray:
        return standardised(_grouped(x, groups, trailing), eps) if kept is None else kept
    return standardised_value(_grouped(x, groups, trailing), eps)


def _group_norm(
    x: Any, weight: Any, bias: Any, groups: int, trailing: int, eps: float, kept: Any
) -> Any:
    normal = _group_normal(x, groups, trailing, eps, None)[0].reshape(x.shape)
    return affine(normal, weight, bias, trailing)


def _group_moves(normal: Any, inverse: Any, groups: int, trailing: int) -> Any:
    def moves(v: Any) -> Any:
        moved = standardised_moves(_grouped(v, groups, trailing), normal, inverse)
        return reshape(moved, tuple(v.shape))

    return moves


def _group_vjp(
    g: Any, needs: Any, x: Any, weight: Any, groups: int, trailing: int, eps: float, kept: Any
) -> tuple[Any, Any, Any]:
    normal, inverse = _group_normal(x, groups, trailing, eps, kept)
    moves = _group_moves(normal, inverse, groups, trailing)
    return affine_vjp(g, needs, reshape(normal, tuple(x.shape)), moves, weight, trailing)


def _group_jvp(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    x, weight, _ = primals
    groups, trailing, eps, _ = options
    normal, inverse = _group_normal(x, groups, trailing, eps, None)
    moves = _group_moves(normal, inverse, groups, trailing)
    return affine_jvp(reshape(normal, tuple(x.shape)), moves, weight, tangents, trailing, out)


group_norm_row: Any = define(
    "group_norm", "fused", _group_norm,
    inputs="x weight bias", options="groups trailing eps kept",
    vjp=_group_vjp, batch=batch_channels, infer=infer_first,
    decompose=lambda x, weight, bias, groups, trailing, eps, kept: affine(
        reshape(standardised_value(_grouped(x, groups, trailing), eps)[0], tuple(x.shape)),
        weight, bias, trailing,
    ),
    node_name="NativeGroupNormBackward0", saved="x=input groups=group",
)  # fmt: skip
group_norm_row.row.jvp = _group_jvp


@public(method=False)
def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Each example's channels in groups, less a group's mean, over its standard deviation.

    (N, C, ...) with a ``weight`` and a ``bias`` (C) for the channels. Raises ``RuntimeError`` where
    the groups or the parameters do not fit the channels.

    >>> torch.group_norm(torch.tensor([[1.0, 3.0, 5.0, 9.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    name = "group_norm"
    require_tensors(name, input)
    shape = tuple(input.shape)
    if len(shape) < 2:
        raise IndexError(f"{name}: expected (N, C, ...), but got shape {describe_shape(shape)}")
    if num_groups <= 0:
        raise RuntimeError(f"{name}: num_groups is above 0, but got {num_groups}")
    if shape[1] % num_groups:
        raise RuntimeError(
            f"{name}: expected number of channels in input to be divisible by num_groups, but got "
            f"input of shape {describe_shape(shape)} and num_groups={num_groups}"
        )
    refuse_dtype(name, input, (dtypes.BOOL, dtypes.INTEGER, dtypes.COMPLEX), NotImplementedError)
    check_channels(name, input, weight=weight, bias=bias)
    values, trailing = (input, weight, bias), len(shape) - 2
    if plain(values):
        arrays: list[Any] = [None if value is None else value._array for value in values]
        try:
            kept = _group_normal(arrays[0], num_groups, trailing, eps, None)
            out = affine(kept[0].reshape(shape), arrays[1], arrays[2], trailing)
        except (RuntimeWarning, FloatingPointError):
            return group_norm_row(*values, num_groups, trailing, eps, None)
        if out.base is not None:
            out = out.copy()
        options = (num_groups, trailing, eps, kept)
        return finish(group_norm_row.row, out, input._level, values, options)
    return group_norm_row(*values, num_groups, trailing, eps, None)


@public(namespaces=FUNCTIONAL, method=False, name="group_norm")
def functional_group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """As ``torch.group_norm``; ``ValueError`` too where each group has a single value.

    >>> torch.nn.functional.group_norm(torch.tensor([[1.0, 3.0, 5.0, 9.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    require_tensors("group_norm", input)
    shape = tuple(input.shape)
    if len(shape) < 2:
        raise RuntimeError(
            f"group_norm: expected (N, C, ...), but got shape {describe_shape(shape)}"
        )
    if product(shape[2:]) * shape[0] * (shape[1] // num_groups) == 1:
        raise ValueError(f"group_norm: expected more than 1 value per group, but got {list(shape)}")
    return group_norm(input, num_groups, weight, bias, eps)


def check_channels(name: str, input: Any, **parameters: Any) -> None:
    count = input.shape[1] if len(input.shape) > 1 else 0
    for parameter, value in parameters.items():
        if value is None:
            continue
        require_tensors(name, value)
        if tuple(value.shape) != (count,):
            raise RuntimeError(
                f"{name}: {parameter} should contain {count} elements, one for each channel of an "
                f"input of shape {describe_shape(input.shape)}, but has shape "
                f"{describe_shape(value.shape)}"
            )
        check_parameter_type(name, input, parameter, value)
