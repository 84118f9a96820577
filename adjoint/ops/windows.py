"""Pooling of plain arrays: maxima and sums over windows of the last dimensions, one at a time.

A window is a product of ranges, so its maximum is that of the maxima along each of its rows, and
its sum likewise: for a kernel of k by k that takes 2 k passes over ever fewer numbers, not k * k.
"A plane" is what windows move over, of whatever number of dimensions.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from adjoint.ops.columns import Padding, batch_first, batch_last
from adjoint.ops.windows_pairs import applies, max_pairs

if TYPE_CHECKING:  # 1 ms, and for nothing
    from numpy.typing import NDArray

    Array = NDArray[Any]

Sizes = tuple[int, ...]
Index = tuple[Any, ...]


class Windows(NamedTuple):
    """Windows at even distances, for each of the last dimensions."""

    kernel: Sizes
    stride: Sizes
    padding: Sizes
    dilation: Sizes
    sizes: Sizes  # how many there are

    @property
    def overlap(self) -> bool:
        """Whether an element may be in two windows."""
        return any(
            gap * (width - 1) >= step
            for width, step, gap in zip(self.kernel, self.stride, self.dilation, strict=True)
        )

    def parts(self, axis: int) -> list[Index]:
        """For each place in a window along ``axis``: that element of every window, padded."""
        step, gap = self.stride[axis], self.dilation[axis]
        span = step * (self.sizes[axis] - 1) + 1
        return [
            along(axis, slice(place * gap, place * gap + span, step))
            for place in range(self.kernel[axis])
        ]

    def around(self, plane: Sizes) -> Padding:
        """The padding on both sides: what is asked for, and as far as the windows reach."""
        sides = []
        for axis in range(-len(plane), 0):
            low = self.padding[axis]
            reach = self.stride[axis] * (self.sizes[axis] - 1) + 1
            reach += self.dilation[axis] * (self.kernel[axis] - 1)
            sides.append((low, max(reach - low - plane[axis], 0)))
        return tuple(sides)

    def coordinates(self, axis: int, place: Array) -> Array:
        """Where in the plane the ``place`` of each window is."""
        start, first = _starts(self, axis)
        if not self.padding[axis]:
            return start + place * np.int64(self.dilation[axis])
        # Where all that a window sees is -inf, the padding must not be chosen.
        return np.maximum(start + place * np.int64(self.dilation[axis]), first)


class Adaptive(NamedTuple):
    """As many windows as asked for, as even as can be: they may differ in size, and overlap."""

    plane: Sizes
    sizes: Sizes

    @property
    def overlap(self) -> bool:
        """Whether an element may be in two windows."""
        return any(
            count > 0 and size % count for size, count in zip(self.plane, self.sizes, strict=True)
        )

    def ranges(self, axis: int) -> list[tuple[int, int]]:
        """Begin and end of each window along ``axis``."""
        size, count = self.plane[axis], self.sizes[axis]
        return [(at * size // count, -(-(at + 1) * size // count)) for at in range(count)]

    def _places(self, axis: int) -> tuple[Array, Array]:
        bounds = np.array(self.ranges(axis), np.int64).reshape(-1, 2)
        return bounds[:, 0], bounds[:, 1] - 1

    def parts(self, axis: int) -> list[Index]:
        """As of ``Windows``; a window narrower than the others repeats its last element."""
        first, last = self._places(axis)
        width = int((last - first).max(initial=0)) + 1
        return [along(axis, np.minimum(first + place, last)) for place in range(width)]

    def around(self, plane: Sizes) -> Padding:
        """No padding."""
        return ((0, 0),) * len(plane)

    def coordinates(self, axis: int, place: Array) -> Array:
        """Where in the plane the ``place`` of each window is."""
        shape = (-1, *(1,) * -axis)
        first, last = (each.reshape(shape) for each in self._places(axis))
        out: Array = np.minimum(first + place, last)
        return out


def along(axis: int, part: Any) -> Index:
    """The index that takes ``part`` of a dimension counted from the end."""
    return (..., part, *(slice(None),) * (-axis - 1))


@lru_cache(maxsize=1024)
def _parts(windows: Windows | Adaptive) -> tuple[tuple[Index, ...], ...]:
    """The parts along each axis, the last first, where the planes come behind."""
    rank = len(windows.sizes)
    return tuple(
        tuple((*part, slice(None)) for part in windows.parts(axis))
        for axis in range(-1, -rank - 1, -1)
    )


@lru_cache(maxsize=256)
def _starts(windows: Windows, axis: int) -> tuple[Array, Array]:
    """Where the windows begin along ``axis``, and the first place of each that is not padding."""
    start = np.arange(windows.sizes[axis]) * windows.stride[axis] - windows.padding[axis]
    gap = windows.dilation[axis]
    first = np.where(start < 0, start + -(start // gap) * gap, start)
    shape = (-1, *(1,) * -axis)  # the planes come last
    return start.reshape(shape), first.reshape(shape)


# -- planes last ------------------------------------------------------------------------------

# Numbers of a piece that is worked on at once: with its temporaries it stays in the cache.
_PIECE = 1 << 18


@lru_cache(maxsize=256)
def _pieces(shape: Sizes) -> tuple[slice, ...]:
    """Parts of the planes, of (planes, *plane)."""
    step = max(16, _PIECE // max(prod(shape[1:]), 1))
    return tuple(slice(begin, begin + step) for begin in range(0, shape[0], step))


def _flat(x: Array, rank: int) -> Array:
    """All dimensions before the plane as one."""
    lead = x.shape[: x.ndim - rank]
    out: Array = x.reshape(prod(lead), *x.shape[x.ndim - rank :])
    return out


def _planes_last(x: Array, windows: Windows | Adaptive, around: Any) -> Array:
    """(planes, *plane) as (*plane, planes), padded as far as the windows reach.

    Steps through a plane then leave runs of neighbours: 3 times as quick on 8x8.
    """
    # One plane's first dimension stands in the place of the channels, which are not padded.
    padding = _around(windows, x.shape[1:])
    if padding is None:
        return batch_last(x, ((0, 0),) * (x.ndim - 2))
    out: Array = batch_last(x[:, None], padding, around)[0]
    return out


@lru_cache(maxsize=256)
def _around(windows: Windows | Adaptive, plane: Sizes) -> Padding | None:
    """The padding of a plane, None if there is none."""
    padding = windows.around(plane)
    return padding if any(low or high for low, high in padding) else None


def _planes_first(z: Array, out: Array) -> None:
    """Copy (*sizes, planes) into (planes, *sizes)."""
    batch_first(z if z.flags.c_contiguous else np.ascontiguousarray(z), out)


# -- maxima -----------------------------------------------------------------------------------


def max_windows(x: Array, windows: Windows | Adaptive) -> tuple[Array, Array]:
    """The greatest element of each window, and where it stands in its plane.

    Of equal ones it is the first, in the order of memory; a NaN is greater than all, and of
    several the last counts, as in PyTorch.
    """
    rank = len(windows.sizes)
    planes = _flat(x, rank)
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    values = np.empty((len(planes), *windows.sizes), x.dtype)
    indices = np.empty(values.shape, np.int64)
    shape = (*x.shape[: x.ndim - rank], *windows.sizes)
    if (
        isinstance(windows, Windows)
        and rank == 2
        and applies(windows, planes)
        and max_pairs(planes, windows.sizes, values, indices)
    ):
        return values.reshape(shape), indices.reshape(shape)
    for part in _pieces(planes.shape):
        z = _planes_last(planes[part], windows, lowest)
        greatest, places = _scan(z, windows, careful=False)
        if (
            x.dtype.kind == "f"
            and greatest.size
            and np.isnan(np.maximum.reduce(greatest, axis=None))
        ):
            greatest, places = _scan(z, windows, careful=True)
        _planes_first(greatest, values[part])
        _planes_first(_in_plane(places, windows, planes.shape[1:]), indices[part])
    return values.reshape(shape), indices.reshape(shape)


def _scan(z: Array, windows: Windows | Adaptive, careful: bool) -> tuple[Array, list[Array]]:
    """The maxima, and the places in the window: an array of small integers for each dimension.

    Choices are sums and products of 0 and 1, as a branch that cannot be foretold costs 20 times
    as much.
    """
    values: Array = z
    found: list[Array] = []
    for parts in _parts(windows):
        source = values
        values = source[parts[0]]
        chosen = [each[parts[0]] for each in found]
        place: Array | None = None
        for number, part in enumerate(parts[1:], 1):
            other = source[part]
            greater = np.greater(other, values)
            if careful:
                greater |= other != other
            values = np.maximum(values, other)
            for at, each in enumerate(found):
                difference = each[part] - chosen[at]
                difference *= greater
                chosen[at] = chosen[at] + difference
            if place is None:
                place = greater.view(np.int8) if len(parts) < 128 else greater.astype(np.int32)
            else:
                np.maximum(place, greater * place.dtype.type(number), out=place)
        if place is None:
            place = np.zeros(values.shape, np.int8)
        found = [place, *chosen]
    return values, found


def _in_plane(places: list[Array], windows: Windows | Adaptive, plane: Sizes) -> Array:
    """Indices into the flattened plane."""
    if isinstance(windows, Windows) and not any(windows.padding):
        origins, steps, small = _origins(windows, plane)
        total: Any = origins
        for place, step in zip(places, steps, strict=True):
            total = total + (place if step == 1 else np.multiply(place, step, dtype=small))
        return total  # type: ignore[no-any-return]
    total, step = np.zeros((), np.int64), 1
    for axis in range(-1, -len(plane) - 1, -1):
        total = total + windows.coordinates(axis, places[axis]) * step
        step *= plane[axis]
    return total  # type: ignore[no-any-return]


def _steps(plane: Sizes) -> list[int]:
    """How far apart neighbours along each dimension are in the plane's memory."""
    return [prod(plane[at + 1 :]) for at in range(len(plane))]


@lru_cache(maxsize=256)
def _origins(windows: Windows, plane: Sizes) -> tuple[Array, tuple[int, ...], Any]:
    """Of windows without padding: the indices of their first elements, and what a place is worth.

    Also the smallest type that holds all indices: sums in it are quicker than in int64.
    """
    small = np.int16 if prod(plane) < 1 << 15 else np.int32 if prod(plane) < 1 << 31 else np.int64
    total: Array = np.zeros((), np.int64)
    for axis, step in zip(range(-len(plane), 0), _steps(plane), strict=True):
        total = total + _starts(windows, axis)[0] * step
    steps = (step * gap for step, gap in zip(_steps(plane), windows.dilation, strict=True))
    return total.astype(small), tuple(steps), small


# -- means ------------------------------------------------------------------------------------


def mean_windows(x: Array, windows: Windows, count_include_pad: bool, divisor: int | None) -> Array:
    """The sum over each window, divided by its number of elements or by ``divisor``."""
    rank = len(windows.sizes)
    planes = _flat(x, rank)
    out = np.empty((len(planes), *windows.sizes), x.dtype)
    for piece in _pieces(planes.shape):
        total = _planes_last(planes[piece], windows, 0)
        for parts in _parts(windows):
            source, total = total, total[parts[0]]
            for number, part in enumerate(parts[1:]):
                total = np.add(total, source[part], out=total if number else None)
        _planes_first(total, out[piece])
    out = out.reshape(*x.shape[: x.ndim - rank], *windows.sizes)
    by = divisors(windows, x.shape[-rank:], count_include_pad, divisor)
    if x.dtype.kind in "iu":
        return np.trunc(out / by).astype(x.dtype)
    out /= by.astype(x.dtype)
    return out


def spread_windows(
    g: Array, windows: Windows, plane: Sizes, count_include_pad: bool, divisor: int | None
) -> Array:
    """The transpose of ``mean_windows``: each number divided evenly over its window."""
    rank = len(plane)
    planes = _flat(g / divisors(windows, plane, count_include_pad, divisor).astype(g.dtype), rank)
    out = np.empty((len(planes), *plane), g.dtype)
    for piece in _pieces(out.shape):
        part = batch_last(planes[piece][:, None], ((0, 0),) * rank)[0]
        for axis, parts in zip(range(-1, -rank - 1, -1), _parts(windows), strict=True):
            low, size = windows.padding[axis], plane[axis]
            shape = list(part.shape)
            shape[axis - 1] = max(low + size, parts[-1][1].stop)
            total = np.zeros(shape, g.dtype)
            for index in parts:
                total[index] += part
            part = total[(*along(axis, slice(low, low + size)), slice(None))]
        _planes_first(part, out[piece])
    return out.reshape(*g.shape[: g.ndim - rank], *plane)


@lru_cache(maxsize=256)
def divisors(windows: Windows, plane: Sizes, count_include_pad: bool, divisor: int | None) -> Array:
    """What the sum over each window is divided by, in a shape that broadcasts."""
    if divisor is not None:
        return np.array(divisor)
    total = np.ones((), np.int64)
    for axis in range(-len(plane), 0):
        width, low, size = windows.kernel[axis], windows.padding[axis], plane[axis]
        start = np.arange(windows.sizes[axis]) * windows.stride[axis] - low
        stop = np.minimum(start + width, size + low)
        if not count_include_pad:
            start, stop = np.maximum(start, 0), np.minimum(stop, size)
        total = total * (stop - start).reshape(-1, *(1,) * (-axis - 1))
    return total


def adaptive_mean_windows(x: Array, windows: Adaptive) -> Array:
    """The mean of each adaptive window: of its rows first, which are then of equal weight."""
    for axis in range(-1, -len(windows.sizes) - 1, -1):
        means = [
            np.add.reduce(x[along(axis, slice(start, stop))], axis=axis) / (stop - start)
            for start, stop in windows.ranges(axis)
        ]
        shape = list(x.shape)
        shape[axis] = len(means)
        out = np.empty(shape, x.dtype)
        for place, mean in enumerate(means):
            out[along(axis, place)] = mean
        x = out
    return x


def adaptive_spread_windows(g: Array, windows: Adaptive) -> Array:
    """The transpose of ``adaptive_mean_windows``."""
    for axis in range(-1, -len(windows.sizes) - 1, -1):
        shape = list(g.shape)
        shape[axis] = windows.plane[axis]
        out = np.zeros(shape, g.dtype)
        for place, (start, stop) in enumerate(windows.ranges(axis)):
            part = slice(place, place + 1)
            out[along(axis, slice(start, stop))] += g[along(axis, part)] / (stop - start)
        g = out
    return g


__all__ = [
    "Adaptive",
    "Windows",
    "adaptive_mean_windows",
    "adaptive_spread_windows",
    "max_windows",
    "mean_windows",
    "spread_windows",
]
