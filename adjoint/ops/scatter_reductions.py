"""Elements sent to places along a dimension, and reduced where several arrive: one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.accumulate import add_at
from adjoint.ops.index_rows import infer_as_first
from adjoint.ops.kinds.general import define
from adjoint.ops.scatter_rows import (
    gather_row,
    lift,
    places,
    scatter_add_row,
    scatter_value_row,
)
from adjoint.ops.selection import where_row

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")
_AT = {"prod": np.multiply.at, "amax": np.maximum.at, "amin": np.minimum.at}


def _start(reduce: str, kind: np.dtype[Any]) -> Any:
    """What changes nothing: the place's value where ``input`` does not take part."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    if kind.kind in "biu":
        limits = np.iinfo(np.uint8 if kind.kind == "b" else kind)
        least, most = (0, 1) if kind.kind == "b" else (limits.min, limits.max)
        return least if reduce == "amax" else most
    return -np.inf if reduce == "amax" else np.inf


def _scatter_reduce(
    x: Any, index: Any, source: Any, dim: int | None, reduce: str, include_self: bool
) -> Any:
    out = np.array(x, order="C")
    if not index.size:
        return out
    lifted, index, dim = lift(out, index, dim)
    flat = lifted.reshape(-1)
    where = places(index, lifted.shape, dim).reshape(-1)
    values = source.reshape(-1)
    if not include_self:
        flat[where] = _start(reduce, x.dtype)
    if reduce in ("sum", "mean"):
        if x.dtype.kind == "b":
            np.logical_or.at(flat, where, values)
        else:
            add_at(flat, where, values)
    else:
        _AT[reduce](flat, where, values)
    if reduce == "mean":
        counts = np.full(flat.shape, 1 if include_self else 0)
        np.add.at(counts, where, 1)
        counts[counts == 0] = 1
        out = _divide(out, counts.reshape(out.shape))
    return out


def _divide(total: Any, counts: Any) -> Any:
    if total.dtype.kind in "biu":
        return (total // counts).astype(total.dtype)
    return (total / counts).astype(total.dtype)


def _vjp(
    g: Any, needs: Sequence[bool], x: Any, index: Any, source: Any, out: Any, dim: int,
    reduce: str, include_self: bool,
) -> list[Any]:  # fmt: skip
    rule = {"sum": _of_sum, "mean": _of_mean, "prod": _of_product}.get(reduce, _of_extreme)
    to_x, to_source = rule(g, x, index, source, out, dim, include_self)
    if not include_self:
        to_x = scatter_value_row(to_x, index, dim, 0)
    return [to_x if needs[0] else None, None, to_source if needs[2] else None]


def _zeros(x: Any) -> Any:
    return np.zeros(x.shape, dtypes.of(x).numpy)


def _ones(x: Any) -> Any:
    return np.ones(x.shape, dtypes.of(x).numpy)


def _of_sum(
    g: Any, x: Any, index: Any, source: Any, out: Any, dim: int, include_self: bool
) -> tuple[Any, Any]:
    return g, gather_row(g, index, dim)


def _of_mean(
    g: Any, x: Any, index: Any, source: Any, out: Any, dim: int, include_self: bool
) -> tuple[Any, Any]:
    start = _ones(x) if include_self else _zeros(x)
    counts = scatter_add_row(start, index, _ones(source), dim)
    share = g / where_row(counts == 0, _ones(x), counts)
    return share, gather_row(share, index, dim)


def _of_product(
    g: Any, x: Any, index: Any, source: Any, out: Any, dim: int, include_self: bool
) -> tuple[Any, Any]:
    # Each factor's derivative is the product of the others, also where a factor is zero.
    others = where_row(x == 0, _ones(x), x)
    to_x = g * scatter_reduce_row(others, index, source, dim, "prod", include_self) / others
    zeros = where_row(source == 0, _ones(source), _zeros(source))
    count = gather_row(scatter_add_row(_zeros(x), index, zeros, dim), index, dim)
    alone = (source == 0) & (count == 1)
    without = scatter_reduce_row(
        x, index, where_row(alone, _ones(source), source), dim, "prod", include_self
    )
    shared = gather_row(g * out, index, dim) / where_row(source == 0, _ones(source), source)
    return to_x, where_row(alone, gather_row(g * without, index, dim), shared)


def _of_extreme(
    g: Any, x: Any, index: Any, source: Any, out: Any, dim: int, include_self: bool
) -> tuple[Any, Any]:
    # All that reach the extreme share the gradient evenly.
    from_x = where_row(x == out, _ones(x), _zeros(x))
    from_source = where_row(source == gather_row(out, index, dim), _ones(source), _zeros(source))
    share = g / scatter_add_row(from_x, index, from_source, dim)
    return from_x * share, from_source * gather_row(share, index, dim)


scatter_reduce_row = define(
    "scatter_reduce", "indexing", _scatter_reduce, inputs="x index source",
    options="dim reduce include_self", vjp=_vjp, infer=infer_as_first, saved="source=src",
)  # fmt: skip
