"""Quantiles: values at given parts of the sorted order, between two elements where need be."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.arithmetic import lerp_row, mul, sub
from adjoint.ops.casting import to_dtype
from adjoint.ops.comparison import isnan, logical_not
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.movement import permute_row
from adjoint.ops.picking import pick_row
from adjoint.ops.reducing import Dims, dim_or_none, flag, numpy_spelling, reshape, shape_of
from adjoint.ops.reduction import any_row, sum_row
from adjoint.ops.rounding import ceil, floor, round_row
from adjoint.ops.selection import clamp_min, where_row
from adjoint.ops.sorting import sort_row
from adjoint.shapes import product, reduced_shape
from adjoint.tape.tensor import Tensor

ROUNDINGS = {"lower": floor, "higher": ceil, "nearest": round_row}
INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")

# -- arguments ------------------------------------------------------------------------------------


def _checked(name: str, input: Any, q: Any, interpolation: str) -> Any:
    """``q`` as a vector in the input's type."""
    shape, kind = shape_of(name, input), dtypes.of(input)
    if 0 in shape:
        raise RuntimeError(f"{name}(): the input is empty, of shape {describe_shape(shape)}")
    if kind is not dtypes.float32 and kind is not dtypes.float64:
        raise RuntimeError(f"{name}(): the input must be float32 or float64, but it is {kind!r}")
    if interpolation not in INTERPOLATIONS:
        raise RuntimeError(
            f"{name}(): interpolation must be one of {', '.join(INTERPOLATIONS)}, "
            f"but got {interpolation!r}"
        )
    if not isinstance(q, (Value, np.ndarray)):
        return _checked_number(name, q, kind)
    if len(q.shape) > 1:
        raise RuntimeError(f"{name}(): q is a number or a vector, not of {describe_shape(q.shape)}")
    if dtypes.of(q) is not kind:
        raise RuntimeError(f"{name}(): q is {dtypes.of(q)!r}, but the input is {kind!r}")
    values = q._array if isinstance(q, Tensor) else q
    if isinstance(values, np.ndarray) and not ((values >= 0) & (values <= 1)).all():
        raise RuntimeError(f"{name}(): q must be in the range [0, 1], but some values are not")
    return q if q.shape else reshape(q, (1,))


def _checked_number(name: str, q: Any, kind: dtypes.dtype) -> Any:
    if isinstance(q, (bool, str)) or not isinstance(q, (int, float)):
        raise TypeError(f"{name}(): q must be a number or a Tensor, not {type(q).__name__}")
    if not 0 <= q <= 1:
        raise RuntimeError(f"{name}(): q must be in the range [0, 1], but got {q}")
    return np.full(1, q, kind.numpy)


# -- ranks ----------------------------------------------------------------------------------------


def _ranks(lines: Any, q: Any, skip_nan: bool) -> Any:
    """Where in each sorted line the quantiles are, counting from 0: (..., number of quantiles)."""
    missing = isnan(lines)
    if skip_nan:
        present = sum_row(logical_not(missing), (-1,), True)
        return mul(clamp_min(sub(to_dtype(present, dtypes.of(lines)), 1), 0), q)
    # NaN is sorted to the end: there it is found, whatever the quantile.
    last = lines.shape[-1] - 1
    spoiled = any_row(missing, (-1,), True)
    return where_row(spoiled, np.full((), last, dtypes.of(lines).numpy), mul(q, last))


def _at(lines: Any, ranks: Any) -> Any:
    return pick_row(lines, to_dtype(ranks, dtypes.int64), -1)


def _between(lines: Any, ranks: Any, interpolation: str) -> Any:
    if interpolation in ROUNDINGS:
        return _at(lines, ROUNDINGS[interpolation](ranks))
    below = floor(ranks)
    if interpolation == "midpoint":
        weight: Any = np.full((), 0.5, dtypes.of(lines).numpy)
    else:
        weight = sub(ranks, below)
    return lerp_row(_at(lines, below), _at(lines, ceil(ranks)), weight)


def _quantile(
    name: str, input: Any, q: Any, dim: Any, keepdim: bool, interpolation: str,
    names: dict[str, Any], skip_nan: bool,
) -> Any:  # fmt: skip
    if names:
        dim, keepdim = numpy_spelling(name, names, dim, keepdim)
    quantiles = _checked(name, input, q, interpolation)
    shape: Dims = tuple(input.shape)
    rank = len(shape)
    place = None if dim is None else dim_or_none(name, dim, shape)
    if place is None:
        dims: Dims = tuple(range(-rank, 0))
        lines = reshape(input, (product(shape),))
    else:
        dims = (place,)
        others = tuple(each for each in range(-rank, 0) if each != place)
        lines = input if place == -1 else permute_row(input, (*others, place))
    lines = sort_row(lines, -1, False)[0]
    out = _between(lines, _ranks(lines, quantiles, skip_nan), interpolation)
    if len(out.shape) > 1:
        out = permute_row(out, (-1, *range(-len(out.shape), -1)))
    one_by_one = isinstance(q, (Value, np.ndarray)) and len(q.shape) == 1
    front = (quantiles.shape[0],) if one_by_one else ()
    return rename(
        reshape(out, (*front, *reduced_shape(shape, dims, flag(name, keepdim)))), "SqueezeBackward4"
    )


@public(out="exact")
def quantile(
    input: Any, q: Any, dim: Any = None, keepdim: bool = False, *,
    interpolation: str = "linear", **numpy_names: Any,
) -> Any:  # fmt: skip
    """The ``q``-th quantiles of all elements, or along ``dim``; NaN where there is one.

    ``q`` in [0, 1] is a number or a vector, whose dim comes first. ``interpolation`` between
    neighbours is "linear", "lower", "higher", "midpoint" or "nearest". Raises ``RuntimeError`` for
    an empty input, another type than float32 and float64, and a ``q`` out of range.

    >>> import adjoint as torch
    >>> torch.quantile(torch.tensor([1.0, 2.0, 4.0]), 0.75)
    tensor(3.)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, numpy_names, False)


@public(out="exact")
def nanquantile(
    input: Any, q: Any, dim: Any = None, keepdim: bool = False, *,
    interpolation: str = "linear", **numpy_names: Any,
) -> Any:  # fmt: skip
    """The ``q``-th quantiles of the elements that are not NaN, of all or along ``dim``.

    Arguments and errors are those of ``quantile``; NaN where every element is.

    >>> import adjoint as torch
    >>> torch.nanquantile(torch.tensor([1.0, float("nan"), 3.0]), 0.5)
    tensor(2.)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, numpy_names, True)
