"""Padding: elements put around a tensor, constant or its own again."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index as as_index
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.rules import batch_prefixed
from adjoint.ops.scalars import cast_number
from adjoint.ops.slicing import along

Pads = tuple[tuple[int, int], ...]  # before and after each dimension, from the last one on

# -- a constant ---------------------------------------------------------------------------------


def _cut(x: Any, pads: Pads) -> Any:
    """``x`` without what negative padding takes away."""
    for number, (before, after) in enumerate(pads):
        if before < 0 or after < 0:
            dim = -number - 1
            stop = x.shape[dim] + min(after, 0)
            x = x[along(dim, slice(max(-before, 0), stop))]
    return x


def _pad(x: Any, pads: Pads, value: Any) -> Any:
    shape = list(x.shape)
    inside: list[Any] = [slice(None)] * x.ndim
    for number, (before, after) in enumerate(pads):
        dim = -number - 1
        shape[dim] += before + after
        first = max(before, 0)
        inside[dim] = slice(first, first + x.shape[dim] + min(before, 0) + min(after, 0))
    out = np.full(shape, value, x.dtype)
    out[tuple(inside)] = _cut(x, pads)
    return out


constant_pad_row = define(
    "constant_pad_nd", "movement", _pad, options="pads value",
    x=lambda g, pads: constant_pad_row(g, tuple((-a, -b) for a, b in pads), 0),
    jvp=lambda x_t, pads: constant_pad_row(x_t, pads, 0), low_precision=False, conjugate=False,
)  # fmt: skip

# -- the tensor's own elements ------------------------------------------------------------------


def _sources(size: int, before: int, after: int, mode: str) -> Any:
    """For each place of the padded dimension the place that its element comes from."""
    places = np.arange(-before, size + after)
    if mode == "reflect":
        places = np.abs(places)
        return np.where(places >= size, 2 * (size - 1) - places, places)
    return places.clip(0, size - 1) if mode == "replicate" else places % size


def _pad_own(x: Any, pads: Pads, mode: str) -> Any:
    for number, (before, after) in enumerate(pads):
        if before or after:
            dim = -number - 1
            x = x.take(_sources(x.shape[dim], before, after, mode), axis=dim)
    return x


def _pad_own_backward(g: Any, shape: tuple[int, ...], pads: Pads, mode: str) -> Any:
    for number, (before, after) in reversed(tuple(enumerate(pads))):
        if before or after:
            dim = -number - 1
            g = _fold(g, dim, shape[dim], before, after, mode)
    return g


def _fold(g: Any, dim: int, size: int, before: int, after: int, mode: str) -> Any:
    """Add what lies in the padding along one dimension to where it came from."""
    sources = _sources(size, before, after, mode)
    length = g.shape[dim]
    first = min(max(before, 0), length)
    last = max(first, length - max(after, 0))
    out = np.zeros((*g.shape[:dim], size, *g.shape[g.ndim + dim + 1 :]), g.dtype)
    if last > first:
        inside = slice(sources[first], sources[first] + last - first)
        out[along(dim, inside)] = g[along(dim, slice(first, last))]
    for part in (slice(0, first), slice(last, length)):
        if part.start == part.stop:
            continue
        edge, places = g[along(dim, part)], sources[part]
        if mode == "replicate":
            out[along(dim, places[0])] += edge.sum(axis=dim)
        else:
            out[along(dim, places)] += edge  # no place twice
    return out


def _row(name: str, mode: str, node_name: str) -> Any:
    return define(
        name, "movement", lambda x, pads: _pad_own(x, pads, mode), options="pads",
        x=lambda g, x_shape, pads: pad_backward(g, x_shape, pads, mode),
        jvp="linear", low_precision=False, conjugate=False, node_name=node_name, saved="x_shape=",
    )  # fmt: skip


OWN = {
    (mode, count): _row(f"{kind}_pad{count}d", mode, node_name.format(count))
    for mode, kind, node_name in (
        ("reflect", "reflection", "ReflectionPad{}DBackward0"),
        ("replicate", "replication", "ReplicationPad{}DBackward0"),
        ("circular", "circular", "CopySlices"),  # PyTorch writes the pieces into new memory
    )
    for count in (1, 2, 3)
}
pad_backward = define(
    "pad_backward", "movement", _pad_own_backward, inputs="g", options="shape pads mode",
    g=lambda g, pads, mode: OWN[mode, len(pads)](g, pads),
    jvp="linear", batch=batch_prefixed("shape"), conjugate=False,
)  # fmt: skip

# -- functions ----------------------------------------------------------------------------------


def _read_pads(input: Any, pad: Sequence[int]) -> Pads:
    if not isinstance(pad, (tuple, list)):
        raise TypeError(f"pad(): argument 'pad' must be tuple of ints, not {type(pad).__name__}")
    sizes = [as_index(each) for each in pad]
    if len(sizes) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, but got {sizes}")
    if len(sizes) > 2 * len(input.shape):
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"{sizes} for an input of shape {describe_shape(input.shape)}"
        )
    return tuple(zip(sizes[::2], sizes[1::2], strict=True))


@public(method=False)
def constant_pad_nd(input: Any, pad: Sequence[int], value: Any = 0) -> Any:
    """``input`` with ``value`` before and after the last dimensions; negative sizes cut off.

    ``pad`` has two sizes for each dimension, from the last one on. Raises ``RuntimeError`` for an
    odd number of sizes, too many, or where nothing would be left to cut.

    >>> import adjoint as torch
    >>> torch.constant_pad_nd(torch.tensor([1, 2]), (1, 2))
    tensor([0, 1, 2, 0, 0])
    """
    pads = _read_pads(input, pad)
    for number, (before, after) in enumerate(pads):
        size = input.shape[-number - 1]
        kept = size + min(before, 0) + min(after, 0)
        if kept < 0 or size + before + after < 0:
            raise RuntimeError(
                f"pad: the padding ({before}, {after}) cuts off more than there is in dimension "
                f"{len(input.shape) - number - 1} of shape {describe_shape(input.shape)}"
            )
    number = cast_number(value, dtypes.of(input), "pad")
    return constant_pad_row(input, pads, number)


@public(namespaces=FUNCTIONAL, method=False)
def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """``input`` padded in its last dimensions, two sizes for each, from the last one on.

    ``mode`` is "constant" (with ``value``), "reflect", "replicate" or "circular". Raises
    ``NotImplementedError`` for another mode or number of dimensions, ``RuntimeError`` for sizes
    that do not fit.

    >>> import adjoint as torch
    >>> torch.nn.functional.pad(torch.tensor([[1, 2, 3]]), (1, 1), mode="reflect")
    tensor([[2, 1, 2, 3, 2]])
    """
    if not isinstance(mode, str):
        raise TypeError(f"pad(): argument 'mode' must be str, not {type(mode).__name__}")
    if isinstance(value, complex):
        raise TypeError("pad(): argument 'value' must be float, not complex")
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if value:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    pads = _read_pads(input, pad)
    count = len(pads)
    if not 1 <= count <= 3 or len(input.shape) not in (count + 1, count + 2):
        raise NotImplementedError(
            f"padding of {count} dimensions with mode {mode!r} is for tensors of {count + 1} or "
            f"{count + 2} dimensions, not of shape {describe_shape(input.shape)}"
        )
    _check_own(input, pads, mode)
    if mode == "circular" and min(map(min, pads)) < 0:  # what is cut off is not seen again
        input = constant_pad_nd(input, [min(each, 0) for pair in pads for each in pair])
        pads = tuple((max(before, 0), max(after, 0)) for before, after in pads)
    return OWN[mode, count](input, pads)


_LIMITS = {
    "reflect": "Padding size should be less than the corresponding input dimension",
    "circular": "Padding value causes wrapping around more than once",
    "replicate": "Expected dimensions that are not empty",
}


def _check_own(input: Any, pads: Pads, mode: str) -> None:
    if mode != "circular" and dtypes.of(input) is dtypes.bool_:
        raise NotImplementedError(f"padding with mode {mode!r} is not implemented for booleans")
    if mode != "circular" and 0 in input.shape[len(input.shape) - len(pads) - 1 :]:
        raise RuntimeError(
            f"padding with mode {mode!r}: only the batch may be empty, but the shape is "
            f"{describe_shape(input.shape)}"
        )
    for number, (before, after) in enumerate(pads):
        size = input.shape[-number - 1]
        limit = {"reflect": size - 1, "circular": size}.get(mode, max(before, after))
        if not size or max(before, after) > limit or size + before + after < 0:
            raise RuntimeError(
                f"{_LIMITS[mode]}: padding ({before}, {after}) of dimension "
                f"{len(input.shape) - number - 1} of shape {describe_shape(input.shape)}"
            )
