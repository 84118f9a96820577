"""How many elements there are of each kind: counts of integers, histograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index as as_index
from typing import Any

import numpy as np

from adjoint import dtypes, return_types
from adjoint.errors import describe_shape
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public
from adjoint.ops.kinds.row import Row
from adjoint.ops.kinds.rules import Fact, batch_refused, infer_refused
from adjoint.ops.reducing import shape_of

# -- bincount -------------------------------------------------------------------------------------


def _bincount(x: Any, weights: Any, minlength: int) -> Any:
    if x.ndim != 1 or (x.size and x.min() < 0):
        raise RuntimeError(
            "bincount(): the input must be a vector of non-negative integers, but has shape "
            f"{describe_shape(x.shape)}" + (f" and an element {x.min()}" if x.size else "")
        )
    if weights is None:
        return np.bincount(x, minlength=minlength).astype(np.int64, copy=False)
    wide = weights.real if weights.dtype.kind == "c" else weights
    out = np.bincount(x, wide.astype(np.float64), minlength)
    return out.astype(np.float32) if weights.dtype == np.float32 else out


bincount_row = define(
    "bincount", "counting", _bincount,
    inputs="x weights", options="minlength",
    batch=batch_refused("the size of its result depends on the values"), infer=infer_refused,
    low_precision=False,
)  # fmt: skip


@public()
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of 0, 1, 2, ... is in a vector of integers; or the sum of its ``weights``.

    Counts are int64; sums float32 if the weights are, otherwise float64. Raises ``RuntimeError``
    for negative numbers, other shapes, and weights of another shape; ``NotImplementedError`` for
    an input that is not of integers.

    >>> import adjoint as torch
    >>> torch.bincount(torch.tensor([1, 1, 3]))
    tensor([0, 2, 0, 1])
    """
    shape = shape_of("bincount", input)
    minlength = as_index(minlength)
    if minlength < 0:
        raise RuntimeError(f"bincount(): minlength must be at least 0, but got {minlength}")
    if dtypes.of(input).category != dtypes.INTEGER:
        raise NotImplementedError(
            f"bincount() is not implemented for {dtypes.of(input)!r}; the input must be of integers"
        )
    if weights is not None and tuple(shape_of("bincount", weights, "weights")) != tuple(shape):
        raise RuntimeError(
            "bincount(): weights must have the input's shape "
            f"{describe_shape(shape)}, but have {describe_shape(weights.shape)}"
        )
    return bincount_row(input, weights, minlength)


# -- histograms -----------------------------------------------------------------------------------


def _range(name: str, x: Any, low: float, high: float) -> tuple[float, float]:
    """The outer edges: those given, or those of the data where they are equal."""
    if low == high and x.size:
        low, high = x.min().item(), x.max().item()
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"{name}(): range of [{low:g}, {high:g}] is not finite")
    return (low, high) if low != high else (low - 0.5, high + 0.5)


def _histc(x: Any, bins: int, low: float, high: float) -> Any:
    low, high = _range("histc", x, low, high)
    x = x.reshape(-1)
    x = x[(x >= low) & (x <= high)]
    kind = x.dtype.type
    places = ((x - kind(low)) * (bins / kind(high - low))).astype(np.int64)
    counts = np.bincount(np.minimum(places, bins - 1), minlength=bins)
    return counts.astype(x.dtype)


def _infer_histc(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Fact:
    return (options[0],), dtypes.of(inputs[0])


histc_row = define(
    "histc", "counting", _histc,
    options="bins low high", batch="loop", infer=_infer_histc,
)  # fmt: skip


def _check_floats(name: str, input: Any, halves: bool) -> None:
    kind = dtypes.of(input)
    if kind.category != dtypes.FLOATING or not (halves or kind.itemsize > 2):
        raise NotImplementedError(f"{name}() is not implemented for {kind!r}; use float32")


def _check_bins(name: str, bins: int) -> int:
    bins = as_index(bins)
    if bins <= 0:
        raise RuntimeError(f"{name}(): bins must be > 0, but got {bins}")
    return bins


@public(out="exact")
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements are in each of ``bins`` equal parts of [``min``, ``max``], in their type.

    Equal bounds stand for those of the data; elements beyond are not counted. Raises
    ``RuntimeError`` for no bins and for bounds in the wrong order or not finite,
    ``NotImplementedError`` for types that are not floating.

    >>> import adjoint as torch
    >>> torch.histc(torch.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    shape_of("histc", input)
    bins = _check_bins("histc", bins)
    _check_floats("histc", input, True)
    if min > max and math.isfinite(min) and math.isfinite(max):
        raise RuntimeError(f"histc(): max must be larger than min, but min={min} and max={max}")
    return histc_row(input, bins, float(min), float(max))


def _edges(x: Any, bins: int, low: float, high: float, given: bool) -> Any:
    """Evenly spaced, counted from both ends so that each is met exactly."""
    if not given and not x.size:
        low, high = 0.0, 1.0
    elif not given or low == high:
        low, high = _range("histogram", x if not given else x[:0], low, high)
    kind = x.dtype.type
    step = (kind(high) - kind(low)) / kind(bins)
    places = np.arange(bins + 1)
    upward = kind(low) + step * places.astype(x.dtype)
    downward = kind(high) - step * (bins - places).astype(x.dtype)
    return np.where(places < (bins + 1) // 2, upward, downward)


def _counts(x: Any, edges: Any, weight: Any, density: bool) -> Any:
    places = np.searchsorted(edges, x, "right") - 1
    places[x == edges[-1]] = len(edges) - 2
    inside = (x >= edges[0]) & (x <= edges[-1])
    parts = None if weight is None else weight.reshape(-1)[inside].astype(np.float64)
    hist = np.bincount(places[inside], parts, len(edges) - 1).astype(x.dtype)
    return hist / (np.add.reduce(hist) * np.diff(edges)) if density else hist


def _histogram(
    x: Any, weight: Any, bins: int, low: float, high: float, given: bool, density: bool
) -> tuple[Any, Any]:
    x = x.reshape(-1)
    edges = _edges(x, bins, low, high, given)
    return _counts(x, edges, weight, density), edges


def _infer_histogram(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> list[Fact]:
    kind = dtypes.of(inputs[0])
    return [((options[0],), kind), ((options[0] + 1,), kind)]


histogram_row = define(
    "histogram", "counting", _histogram,
    inputs="x weight", options="bins low high given density", outputs="hist bin_edges",
    batch="loop", infer=_infer_histogram,
)  # fmt: skip


def _infer_histogram_between(
    row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...]
) -> list[Fact]:
    kind, (count,) = dtypes.of(inputs[0]), tuple(inputs[1].shape)
    return [((count - 1,), kind), ((count,), kind)]


def _histogram_between(x: Any, edges: Any, weight: Any, density: bool) -> tuple[Any, Any]:
    return _counts(x.reshape(-1), edges, weight, density), edges.copy()


histogram_between_row = define(
    "histogram_between", "counting",
    _histogram_between,
    inputs="x edges weight", options="density", outputs="hist bin_edges",
    batch="loop", infer=_infer_histogram_between,
)  # fmt: skip


def _check_edges(input: Any, edges: Any) -> None:
    shape = tuple(edges.shape)
    if len(shape) != 1:
        raise RuntimeError(f"histogram(): bins must be a vector, not of {describe_shape(shape)}")
    if dtypes.of(edges) is not dtypes.of(input):
        raise RuntimeError(
            f"histogram(): bins are {dtypes.of(edges)!r}, but the input is {dtypes.of(input)!r}"
        )
    if shape[0] < 2:
        raise RuntimeError(f"histogram(): bins must be > 0, but {shape[0]} edges leave none")


def _check_weight(input: Any, weight: Any) -> None:
    if tuple(shape_of("histogram", weight, "weight")) != tuple(input.shape):
        raise RuntimeError(
            f"histogram(): weight must have the input's shape {describe_shape(input.shape)}, but "
            f"has {describe_shape(weight.shape)}"
        )
    if dtypes.of(weight) is not dtypes.of(input):
        raise RuntimeError(
            f"histogram(): weight is {dtypes.of(weight)!r}, but the input is {dtypes.of(input)!r}"
        )


def _bounds(range: Sequence[float] | None) -> tuple[float, float]:
    if range is None:
        return 0.0, 0.0
    if len(range) != 2:
        raise RuntimeError(f"histogram(): range has 2 elements, but got {len(range)}")
    low, high = map(float, range)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"histogram(): range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError(f"histogram(): min should not exceed max, but range={tuple(range)}")
    return low, high


@public(out="exact")
def histogram(
    input: Any, bins: Any = 100, *, range: Sequence[float] | None = None, weight: Any = None,
    density: bool = False,
) -> Any:  # fmt: skip
    """Counts, or sums of ``weight``, between edges, as (hist, bin_edges) in the input's type.

    ``bins`` is a number of equal parts of ``range`` (of the data if not given), or the edges, as a
    sorted vector. With ``density`` the integral is 1. Raises ``RuntimeError`` for no bins and for
    edges, weights and bounds that do not fit, ``NotImplementedError`` for other types than float32
    and float64.

    >>> import adjoint as torch
    >>> torch.histogram(torch.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0)).hist
    tensor([0., 2., 1., 0.])
    """
    shape_of("histogram", input)
    _check_floats("histogram", input, False)
    if weight is not None:
        _check_weight(input, weight)
    if hasattr(bins, "shape"):
        if range is not None:
            raise TypeError("histogram() got both edges and a range, which they have already")
        _check_edges(input, bins)
        return return_types.histogram(*histogram_between_row(input, bins, weight, bool(density)))
    low, high = _bounds(range)
    options = (_check_bins("histogram", bins), low, high, range is not None, bool(density))
    return return_types.histogram(*histogram_row(input, weight, *options))
