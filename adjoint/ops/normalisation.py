"""Normalisation of each example alone: over the last dimensions, or over groups of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.blas_sums import row_sums
from adjoint.array.value import apply
from adjoint.errors import describe_shape
from adjoint.ops.contraction import require_tensors
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import finish
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Row
from adjoint.ops.kinds.rules import Fact, stretch
from adjoint.ops.movement import reshape_row
from adjoint.ops.powers import rsqrt
from adjoint.ops.reducing import refuse_dtype, reshape
from adjoint.ops.reduction import mean_row, sum_row
from adjoint.shapes import product
from adjoint.tape.engine import fit, rows
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray
Shape = tuple[int, ...]
PLACES = ("", "nn.functional")


# -- standardising over the last dimension ------------------------------------------------------


def standardised(x: Any, eps: float) -> tuple[Any, Any]:
    """Elements less their mean, over their standard deviation; and the inverse of that: arrays."""
    count = x.shape[-1] or 1
    out = x - row_sums(x) / count
    inverse = np.vecdot(out, out)[..., None]
    inverse /= count
    inverse += eps
    np.sqrt(inverse, inverse)
    np.reciprocal(inverse, inverse)
    out *= inverse
    return out, inverse


def standardised_value(x: Any, eps: float) -> tuple[Any, Any]:
    """The same, on values of any kind."""
    if not x.shape[-1]:
        return x, rsqrt(sum_row(x, (-1,), True) + eps)
    centred = x - mean_row(x, (-1,), True)
    inverse = rsqrt(mean_row(centred * centred, (-1,), True) + eps)
    return centred * inverse, inverse


def average(v: Any) -> Any:
    """Mean over the last dimension, which stays."""
    if type(v) is ndarray and (v.dtype is FLOAT32 or v.dtype is FLOAT64):
        return row_sums(v) / (v.shape[-1] or 1)
    return mean_row(v, (-1,), True) if v.shape[-1] else sum_row(v, (-1,), True)


def standardised_moves(v: Any, normal: Any, inverse: Any) -> Any:
    """The Jacobian of ``standardised``, which is symmetric, times a cotangent or a tangent."""
    if type(v) is ndarray and type(normal) is ndarray and v.dtype is normal.dtype:
        along = np.vecdot(v, normal)[..., None]
        along /= -(v.shape[-1] or 1)
        out = normal * along
        out += v
        out -= average(v)
        out *= inverse
        return out
    return inverse * (v - average(v) - normal * average(v * normal))


def folded(x: Any, rank: int) -> Any:
    """The last ``rank`` dimensions as one."""
    if rank == 1 or x is None:
        return x
    return reshape(x, (*x.shape[:-rank], product(x.shape[-rank:])))


def infer_first(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    """Shape and type of the first input."""
    return tuple(inputs[0].shape), dtypes.of(inputs[0])


# -- layer norm ---------------------------------------------------------------------------------


def _layer_norm_parts(
    x: Any, weight: Any, bias: Any, rank: int, eps: float
) -> tuple[Any, tuple[Any, Any]]:
    normal, inverse = standardised(folded(x, rank), eps)
    weight, bias = folded(weight, rank), folded(bias, rank)
    if weight is None:
        out = normal.copy() if bias is None else normal + bias
    else:
        out = normal * weight
        if bias is not None:
            out += bias
    return out.reshape(x.shape), (normal, inverse)


def _layer_norm(x: Any, weight: Any, bias: Any, rank: int, eps: float, kept: Any) -> Any:
    return _layer_norm_parts(x, weight, bias, rank, eps)[0]


def _normal(x: Any, rank: int, eps: float, kept: Any) -> tuple[Any, Any]:
    flat = folded(x, rank)
    if type(x) is ndarray:
        return standardised(flat, eps) if kept is None else kept
    return standardised_value(flat, eps)


def _layer_norm_vjp(
    g: Any, needs: Any, x: Any, weight: Any, rank: int, eps: float, kept: Any
) -> tuple[Any, ...]:
    normal, inverse = _normal(x, rank, eps, kept)
    x_bar = weight_bar = None
    if needs[0]:
        x_bar = folded(g if weight is None else g * weight, rank)
        x_bar = reshape(standardised_moves(x_bar, normal, inverse), tuple(x.shape))
    if needs[1]:
        weight_bar = g * reshape(normal, tuple(x.shape))
    return x_bar, weight_bar, g if needs[2] else None


def _layer_norm_jvp(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    x, weight, _ = primals
    x_t, weight_t, bias_t = tangents
    rank, eps, _ = options
    normal, inverse = _normal(x, rank, eps, None)
    parts = []
    if x_t is not None:
        moved = reshape(standardised_moves(folded(x_t, rank), normal, inverse), tuple(x.shape))
        parts.append(moved if weight is None else moved * weight)
    if weight_t is not None:
        parts.append(reshape(normal, tuple(x.shape)) * weight_t)
    return total_of(parts, bias_t, out)


def total_of(parts: list[Any], bias_t: Any, out: Any) -> Any:
    """The sum of parts of a tangent, and of a bias's, in the shape of the result."""
    if bias_t is not None:
        parts = [*parts, bias_t]
    moved = parts[0]
    for part in parts[1:]:
        moved = moved + part
    return fit(moved, tuple(out.shape), out.dtype)


def batch_parameters(
    row: Row, size: int, values: list[Any], batched: list[bool], options: tuple[Any, ...]
) -> Any:
    """Batching for rows whose parameters have fewer dimensions than the first input."""
    x = stretch(values[0], size, batched[0])
    lined_up = [x]
    for value, inside in zip(values[1:], batched[1:], strict=True):
        if inside:
            missing = len(x.shape) - len(value.shape)
            value = reshape_row(value, (size, *(1,) * missing, *value.shape[1:]))
        lined_up.append(value)
    return apply(row, tuple(lined_up), options)


# ``kept`` is what the forward pass has made on plain tensors, for a backward pass on them; a
# recorded pass and the transforms compute with the input.
layer_norm_row: Any = define(
    "layer_norm", "fused", _layer_norm, inputs="x weight bias", options="rank eps kept",
    vjp=_layer_norm_vjp, batch=batch_parameters, infer=infer_first,
    decompose=lambda x, weight, bias, rank, eps, kept: _affine(
        reshape(standardised_value(folded(x, rank), eps)[0], tuple(x.shape)), weight, bias
    ),
    node_name="NativeLayerNormBackward0", saved="x=input eps=",
)  # fmt: skip
layer_norm_row.row.jvp = _layer_norm_jvp


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    if weight is not None:
        x = x * weight
    return x if bias is None else x + bias


@public(namespaces=PLACES, method=False)
def layer_norm(
    input: Any,
    normalized_shape: Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
    """Elements less their mean, over their standard deviation, times ``weight``, plus ``bias``.

    Mean and (biased) variance are those of the last dimensions, whose sizes are
    ``normalized_shape``; ``eps`` is added to the variance. Raises ``RuntimeError`` for other
    shapes, ``NotImplementedError`` for integers.

    >>> torch.layer_norm(torch.tensor([1.0, 3.0]), (2,))
    tensor([-1.0000,  1.0000])
    """
    values = (input, weight, bias)
    if input is not None and plain(values) and isinstance(normalized_shape, (tuple, list)):
        rank = len(normalized_shape)
        arrays: list[Any] = [None if value is None else value._array for value in values]
        if (
            rank
            and arrays[0].shape[-rank:] == tuple(normalized_shape)
            and all(each is None or each.shape == tuple(normalized_shape) for each in arrays[1:])
        ):
            try:
                out, kept = _layer_norm_parts(arrays[0], arrays[1], arrays[2], rank, eps)
            except (RuntimeWarning, FloatingPointError):
                return layer_norm_row(*values, rank, eps, None)
            return finish(layer_norm_row.row, out, input._level, values, (rank, eps, kept))
    shape = _check_shapes("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    for name, value in (("weight", weight), ("bias", bias)):
        check_parameter_type("layer_norm", input, name, value)
    return layer_norm_row(*values, len(shape), eps, None)


def plain(values: tuple[Any, ...]) -> bool:
    """Whether all that are not None are Tensors on memory, of one level and full-precision type."""
    level = kind = None
    for value in values:
        if value is None:
            continue
        if not isinstance(value, Tensor):
            return False
        array = value._array
        if type(array) is not ndarray:
            return False
        if kind is None:
            level, kind = value._level, array.dtype
            if kind is not FLOAT32 and kind is not FLOAT64:
                return False
        elif array.dtype is not kind or value._level != level:
            return False
    return True


def _check_shapes(
    name: str, input: Any, normalized_shape: Any, takes_complex: bool = False, **parameters: Any
) -> Shape:
    """The normalised shape as a tuple; ``RuntimeError`` where the input or a parameter differs."""
    require_tensors(name, input, *(each for each in parameters.values() if each is not None))
    refused = (dtypes.BOOL, dtypes.INTEGER) if takes_complex else NOT_REAL
    refuse_dtype(name, input, refused, NotImplementedError)
    if not isinstance(normalized_shape, (tuple, list)):
        raise TypeError(
            f"{name}(): normalized_shape must be a tuple of ints, not "
            f"{type(normalized_shape).__name__}"
        )
    shape = tuple(normalized_shape)
    if not shape:
        raise RuntimeError(f"{name}: normalized_shape needs at least one dimension, but got []")
    if tuple(input.shape[-len(shape) :]) != shape:
        raise RuntimeError(
            f"Given normalized_shape={describe_shape(shape)}, expected input with shape "
            f"[*, {describe_shape(shape)[1:]}, but got input of size {describe_shape(input.shape)}"
        )
    for parameter, value in parameters.items():
        if value is not None and tuple(value.shape) != shape:
            raise RuntimeError(
                f"Expected {parameter} to be of same shape as normalized_shape, but got "
                f"{parameter} of shape {describe_shape(value.shape)} and normalized_shape = "
                f"{describe_shape(shape)}"
            )
    return shape


def check_parameter_type(name: str, input: Any, parameter: str, value: Any) -> None:
    """Raise ``RuntimeError`` for a parameter of another type, but float32 beside a half input."""
    if value is None:
        return
    kind, found = dtypes.of(input), dtypes.of(value)
    if found is not kind and not (found is dtypes.float32 and kind.itemsize == 2):
        raise RuntimeError(
            f"{name}: mixed dtype: the input is {kind!r}, and {parameter} {found!r}; convert one"
        )


# -- root mean square ---------------------------------------------------------------------------


def _rms_parts(x: Any, weight: Any, rank: int, eps: float) -> tuple[Any, tuple[Any, Any]]:
    flat = folded(x, rank)
    inverse = np.vecdot(flat, flat)[..., None]
    inverse /= flat.shape[-1] or 1
    inverse += eps
    np.sqrt(inverse, inverse)
    np.reciprocal(inverse, inverse)
    normal = flat * inverse
    out = normal.copy() if weight is None else normal * folded(weight, rank)
    return out.reshape(x.shape), (normal, inverse)


def _rms_norm(x: Any, weight: Any, rank: int, eps: float, kept: Any) -> Any:
    return _rms_parts(x, weight, rank, eps)[0]


def _rms_value(x: Any, eps: float) -> tuple[Any, Any]:
    inverse = rsqrt(average(x * x) + eps)
    return x * inverse, inverse


def _rms_normal(x: Any, rank: int, eps: float, kept: Any) -> tuple[Any, Any]:
    return _rms_value(folded(x, rank), eps) if kept is None or type(x) is not ndarray else kept


def _rms_moves(v: Any, normal: Any, inverse: Any) -> Any:
    return inverse * (v - normal * average(v * normal))


def _rms_vjp(
    g: Any, needs: Any, x: Any, weight: Any, rank: int, eps: float, kept: Any
) -> tuple[Any, Any]:
    normal, inverse = _rms_normal(x, rank, eps, kept)
    x_bar = weight_bar = None
    if needs[0]:
        x_bar = folded(g if weight is None else g * weight, rank)
        x_bar = reshape(_rms_moves(x_bar, normal, inverse), tuple(x.shape))
    if needs[1]:
        weight_bar = g * reshape(normal, tuple(x.shape))
    return x_bar, weight_bar


def _rms_jvp(
    row: Row, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any, options: Any
) -> Any:
    x, weight = primals
    x_t, weight_t = tangents
    rank, eps, _ = options
    normal, inverse = _rms_value(folded(x, rank), eps)
    parts = []
    if x_t is not None:
        moved = reshape(_rms_moves(folded(x_t, rank), normal, inverse), tuple(x.shape))
        parts.append(moved if weight is None else moved * weight)
    if weight_t is not None:
        parts.append(reshape(normal, tuple(x.shape)) * weight_t)
    return total_of(parts, None, out)


rms_norm_row: Any = define(
    "rms_norm", "fused", _rms_norm, inputs="x weight", options="rank eps kept",
    vjp=_rms_vjp, batch=batch_parameters, infer=infer_first,
    decompose=lambda x, weight, rank, eps, kept: _affine(
        reshape(_rms_value(folded(x, rank), eps)[0], tuple(x.shape)), weight, None
    ),
    node_name="MulBackward0", saved="weight=other eps=",
)  # fmt: skip
rms_norm_row.row.jvp = _rms_jvp


@public(namespaces=PLACES, method=False)
def rms_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None
) -> Any:
    """Elements over the root of their mean square, times ``weight``.

    The mean is that of the last dimensions, whose sizes are ``normalized_shape``; ``eps``, which is
    the type's smallest step by default, is added to it. Raises ``RuntimeError`` for other shapes,
    ``NotImplementedError`` for integers.

    >>> torch.rms_norm(torch.tensor([3.0, -3.0]), (2,))
    tensor([ 1., -1.])
    """
    numbers = dtypes.of(input)
    shape = _check_shapes("rms_norm", input, normalized_shape, takes_complex=True, weight=weight)
    rank = len(shape)
    if numbers.is_complex:
        eps = _STEP[numbers.to_real().name] if eps is None else eps
        dims = tuple(range(-rank, 0))
        normal = input * rsqrt(mean_row(input * input, dims, True) + eps)
        return normal if weight is None else normal * weight
    if eps is None:
        eps = _STEP[numbers.name]
    if plain((input, weight)):
        try:
            out, kept = _rms_parts(
                input._array, None if weight is None else weight._array, rank, eps
            )
        except (RuntimeWarning, FloatingPointError):
            return rms_norm_row(input, weight, rank, eps, None)
        return finish(rms_norm_row.row, out, input._level, (input, weight), (rank, eps, kept))
    if weight is not None and dtypes.of(weight) is not dtypes.of(input):
        weight = rows.to_dtype(weight, dtypes.of(input))
    return rms_norm_row(input, weight, rank, eps, None)


NOT_REAL = (dtypes.BOOL, dtypes.INTEGER, dtypes.COMPLEX)
_STEP = {
    "float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52,
}  # fmt: skip
