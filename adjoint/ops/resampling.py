"""Images in other sizes: the nearest pixel, lines and cubic curves between pixels, means.

Each spatial dimension is resampled on its own, from a few neighbours with weights.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.errors import describe_shape
from adjoint.ops.casting import cast
from adjoint.ops.contraction import require_tensors
from adjoint.ops.index_functions import index_select
from adjoint.ops.kinds.public import FUNCTIONAL, public
from adjoint.ops.kinds.quick import rename
from adjoint.ops.pooling_adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
)
from adjoint.ops.rounding import floor
from adjoint.ops.selection import clamp
from adjoint.tape.tensor import wrap
from adjoint.tape.warning import warn

NAME = "interpolate"
LINES = {"linear": 3, "bilinear": 4, "trilinear": 5, "bicubic": 4}
NODES = {
    "nearest": "Nearest", "nearest-exact": "NearestExact", "linear": "Linear",
    "bilinear": "Bilinear", "trilinear": "Trilinear", "bicubic": "Bicubic",
}  # fmt: skip
_MEANS = {3: adaptive_avg_pool1d, 4: adaptive_avg_pool2d, 5: adaptive_avg_pool3d}
CUBIC = -0.75  # the slope that PyTorch's cubic curves have

# -- neighbours and weights, along one dimension --------------------------------------------------


def _ratio(size: int, wanted: int, factor: float | None, align: bool, kind: Any) -> Any:
    """How far apart in the old pixels the new ones are."""
    if align:
        return kind.type(size - 1) / kind.type(wanted - 1) if wanted > 1 else kind.type(0)
    if factor is not None:
        return kind.type(1.0 / factor)
    return kind.type(size) / kind.type(wanted)


def _nearest(size: int, wanted: int, factor: float | None, exact: bool) -> Any:
    kind = np.dtype(np.float32)
    ratio = _ratio(size, wanted, factor, False, kind)
    places = np.arange(wanted, dtype=kind)
    if exact:
        places = places + kind.type(0.5)
    return np.minimum(np.floor(places * ratio).astype(np.int64), size - 1)


def _centres(size: int, wanted: int, factor: float | None, align: bool, kind: Any) -> Any:
    ratio = _ratio(size, wanted, factor, align, kind)
    places = np.arange(wanted, dtype=kind)
    half = kind.type(0.5)
    return places * ratio if align else ratio * (places + half) - half


def _line(size: int, wanted: int, factor: float | None, align: bool, kind: Any) -> list[Any]:
    """Two neighbours, each with its weight."""
    centres = np.maximum(_centres(size, wanted, factor, align, kind), 0)
    first = np.minimum(centres.astype(np.int64), size - 1)
    part = np.clip(centres - first, 0, 1).astype(kind)
    return [(first, 1 - part), (np.minimum(first + 1, size - 1), part)]


def _curve(size: int, wanted: int, factor: float | None, align: bool, kind: Any) -> list[Any]:
    """Four neighbours, each with its weight: R. Keys, "Cubic convolution interpolation" (1981)."""
    centres = _centres(size, wanted, factor, align, kind)
    first = np.floor(centres)
    part = (centres - first).astype(kind)

    def near(t: Any) -> Any:
        return ((CUBIC + 2) * t - (CUBIC + 3)) * t * t + 1

    def far(t: Any) -> Any:
        return ((CUBIC * t - 5 * CUBIC) * t + 8 * CUBIC) * t - 4 * CUBIC

    weights = (far(part + 1), near(part), near(1 - part), far(2 - part))
    start = first.astype(np.int64) - 1
    return [
        (np.clip(start + step, 0, size - 1), weight.astype(kind))
        for step, weight in enumerate(weights)
    ]


# -- arguments ------------------------------------------------------------------------------------


def _each(name: str, value: Any, spatial: tuple[int, ...]) -> tuple[Any, ...]:
    if not isinstance(value, (tuple, list)):
        return (value,) * len(spatial)
    if len(value) != len(spatial):
        raise ValueError(
            f"{NAME}: Input and {name} must have the same number of spatial dimensions, but got "
            f"spatial dimensions {list(spatial)} and {name} {tuple(value)}"
        )
    return tuple(value)


def _wanted(spatial: tuple[int, ...], size: Any, factor: Any, recompute: Any) -> tuple[Any, Any]:
    """The new sizes, and the factors to resample by (None where the sizes say them)."""
    if (size is None) == (factor is None):
        which = "only one of" if size is not None else "either"
        raise ValueError(f"{NAME}: {which} size or scale_factor should be defined")
    nothing = (None,) * len(spatial)
    if size is not None:
        if recompute:
            raise ValueError(f"{NAME}: recompute_scale_factor is not meaningful with a size")
        return _each("size", size, spatial), nothing
    factors = _each("scale_factor", factor, spatial)
    sizes = tuple(
        math.floor(float(old) * float(each)) for old, each in zip(spatial, factors, strict=True)
    )
    return sizes, nothing if recompute else factors


def _check_mode(input: Any, mode: str, align_corners: Any, antialias: bool) -> None:
    rank = len(input.shape)
    if align_corners is not None and mode not in LINES:
        raise ValueError(
            f"{NAME}: align_corners can only be set with the modes {', '.join(LINES)}, not {mode}"
        )
    if antialias:
        raise NotImplementedError(f"{NAME}: antialias=True is not here; blur the input before")
    if rank not in _MEANS or mode not in (*NODES, "area"):
        raise NotImplementedError(
            f"{NAME}: only 3D, 4D and 5D inputs (got {rank}D) and the modes {', '.join(NODES)} "
            f"and area (got {mode}) are supported"
        )
    if mode in LINES and rank != LINES[mode]:
        raise NotImplementedError(
            f"{NAME}: Got {rank}D input, but {mode} mode needs {LINES[mode]}D input"
        )


# -- what users call ------------------------------------------------------------------------------


@public(namespaces=FUNCTIONAL, method=False)
def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """(N, C, ...) in other spatial sizes: ``size``, or ``scale_factor`` times what they are.

    ``mode`` is "nearest", "nearest-exact", "linear" (3D), "bilinear" or "bicubic" (4D), "trilinear"
    (5D) or "area". With ``align_corners`` the corners' centres stay where they are. Raises
    ``ValueError`` for sizes that do not fit, ``NotImplementedError`` for other modes and shapes,
    and for ``antialias``.

    >>> x = torch.tensor([[[1.0, 3.0]]])
    >>> torch.nn.functional.interpolate(x, size=3, mode="linear", align_corners=True)
    tensor([[[1., 2., 3.]]])
    """
    require_tensors(NAME, input)
    _check_mode(input, mode, align_corners, antialias)
    shape = tuple(input.shape)
    spatial = shape[2:]
    sizes, factors = _wanted(spatial, size, scale_factor, recompute_scale_factor)
    if mode == "area":
        return _MEANS[len(shape)](input, sizes)
    if min(*sizes, *spatial) <= 0 or not shape[1]:
        raise RuntimeError(
            f"{NAME}: Input and output sizes should be greater than 0, but got input "
            f"{describe_shape(shape)} and output sizes {list(sizes)}"
        )
    kind = dtypes.of(input)
    pixels = kind is dtypes.uint8 and mode not in ("linear", "trilinear")
    if kind.category != dtypes.FLOATING and not pixels:
        raise NotImplementedError(f"{NAME}: {mode} is not implemented for {kind!r}")
    out = input
    # Bytes are rounded after each dimension, the width first.
    places = range(len(spatial)) if not pixels else reversed(range(len(spatial)))
    for place in places:
        old, new, factor, dim = spatial[place], sizes[place], factors[place], place - len(spatial)
        if mode not in LINES:
            index = _nearest(old, new, factor, mode == "nearest-exact")
            out = index_select(out, dim, wrap(index))
            continue
        compute = np.dtype(np.float64 if kind is dtypes.float64 else np.float32)
        taps = (_curve if mode == "bicubic" else _line)(
            old, new, factor, bool(align_corners), compute
        )
        out = _weighted_bytes(out, dim, taps) if pixels else _weighted(out, dim, taps, kind)
    return rename(out, f"Upsample{NODES[mode]}{len(spatial)}DBackward0")


def _weighted_bytes(x: Any, dim: int, taps: list[Any]) -> Any:
    total = _weighted(cast(x, dtypes.float32), dim, taps, dtypes.float32)
    return cast(clamp(floor(total + 0.5), 0, 255), dtypes.uint8)


def _weighted(x: Any, dim: int, taps: list[Any], kind: dtypes.dtype) -> Any:
    total = None
    for index, weight in taps:
        weight = weight.astype(kind.numpy).reshape(-1, *(1,) * (-dim - 1))
        part = index_select(x, dim, wrap(index)) * weight
        total = part if total is None else total + part
    return total


@public(namespaces=FUNCTIONAL, method=False)
def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:  # fmt: skip
    """``interpolate`` by its old name.

    >>> import warnings
    >>> warnings.simplefilter("ignore")
    >>> torch.nn.functional.upsample(torch.tensor([[[1.0, 3.0]]]), 4)
    tensor([[[1., 1., 3., 3.]]])
    """
    warn("upsample is deprecated: call interpolate instead")
    return interpolate(input, size, scale_factor, mode, align_corners)


@public(namespaces=FUNCTIONAL, method=False)
def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """``interpolate`` to the nearest pixel, by its old name.

    >>> import warnings
    >>> warnings.simplefilter("ignore")
    >>> torch.nn.functional.upsample_nearest(torch.tensor([[[1.0, 3.0]]]), 4)
    tensor([[[1., 1., 3., 3.]]])
    """
    warn("upsample_nearest is deprecated: call interpolate instead")
    return interpolate(input, size, scale_factor, "nearest")


@public(namespaces=FUNCTIONAL, method=False)
def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """``interpolate`` with ``mode="bilinear"`` and corners aligned, by its old name.

    >>> import warnings
    >>> warnings.simplefilter("ignore")
    >>> torch.nn.functional.upsample_bilinear(torch.tensor([[[[1.0, 3.0]]]]), (1, 3))
    tensor([[[[1., 2., 3.]]]])
    """
    warn("upsample_bilinear is deprecated: call interpolate instead")
    return interpolate(input, size, scale_factor, "bilinear", True)
