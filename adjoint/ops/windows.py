"""Pooling of plain arrays: maxima and sums over windows of the last dimensions, one at a time.

A window is a product of ranges, so its maximum is that of the maxima along each of its rows, and
its sum likewise: for a kernel of k by k that takes 2 k passes over ever fewer numbers, not k * k.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

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

    def coordinates(self, axis: int, place: Array) -> Array:
        """Where in the plane the ``place`` of each window is."""
        shape = (-1, *(1,) * (-axis - 1))
        first, last = (each.reshape(shape) for each in self._places(axis))
        out: Array = np.minimum(first + place, last)
        return out


def along(axis: int, part: Any) -> Index:
    """The index that takes ``part`` of a dimension counted from the end."""
    return (..., part, *(slice(None),) * (-axis - 1))


@lru_cache(maxsize=256)
def _starts(windows: Windows, axis: int) -> tuple[Array, Array]:
    """Where the windows begin along ``axis``, and the first place of each that is not padding."""
    start = np.arange(windows.sizes[axis]) * windows.stride[axis] - windows.padding[axis]
    gap = windows.dilation[axis]
    first = np.where(start < 0, start + -(start // gap) * gap, start)
    shape = (-1, *(1,) * (-axis - 1))
    return start.reshape(shape), first.reshape(shape)


def padded(x: Array, windows: Windows, value: Any) -> Array:
    """``x`` with ``value`` around, as far as its windows reach; itself if they stay inside."""
    rank = len(windows.kernel)
    needs = []
    for axis in range(-rank, 0):
        low = windows.padding[axis]
        reach = windows.stride[axis] * (windows.sizes[axis] - 1) + 1
        reach += windows.dilation[axis] * (windows.kernel[axis] - 1)
        needs.append((low, max(reach - low - x.shape[axis], 0)))
    if not any(low or high for low, high in needs):
        return x
    sizes = x.shape[-rank:]
    shape = (size + low + high for size, (low, high) in zip(sizes, needs, strict=True))
    out = np.full((*x.shape[:-rank], *shape), value, x.dtype)
    inside = (slice(low, low + size) for size, (low, _) in zip(sizes, needs, strict=True))
    out[(..., *inside)] = x  # type: ignore[index]
    return out


# -- maxima -----------------------------------------------------------------------------------


def max_windows(x: Array, windows: Windows) -> tuple[Array, Array]:
    """The greatest element of each window, and where it stands in its plane.

    Of equal ones it is the first, in the order of memory; a NaN is greater than all, and of
    several the last counts, as in PyTorch.
    """
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    return _maxima(padded(x, windows, lowest), windows, x.shape[-len(windows.sizes) :])


def adaptive_max_windows(x: Array, windows: Adaptive) -> tuple[Array, Array]:
    """As ``max_windows``, of adaptive windows."""
    return _maxima(x, windows, windows.plane)


def _maxima(x: Array, windows: Windows | Adaptive, plane: Sizes) -> tuple[Array, Array]:
    values, places = _scan(x, windows, careful=False)
    if x.dtype.kind == "f" and values.size and np.isnan(np.maximum.reduce(values, axis=None)):
        values, places = _scan(x, windows, careful=True)
    if values.base is not None:  # windows of one element: so far a view of the input
        values = values.copy()
    indices, step = np.zeros((), np.int64), 1
    for axis in range(-1, -len(plane) - 1, -1):
        indices = indices + windows.coordinates(axis, places[axis]) * step
        step *= plane[axis]
    return values, indices


def _scan(x: Array, windows: Windows | Adaptive, careful: bool) -> tuple[Array, list[Array]]:
    """The maxima, and the places in the window, an array of small integers for each dimension."""
    values: Array = x
    found: list[Array] = []
    for axis in range(-1, -len(windows.sizes) - 1, -1):
        source, parts = values, windows.parts(axis)
        values = source[parts[0]]
        chosen = [each[parts[0]] for each in found]
        place: Array = np.zeros(values.shape, np.bool_)
        for number, part in enumerate(parts[1:], 1):
            other = source[part]
            greater = other > values
            if careful:
                greater |= other != other
            values = np.maximum(values, other)
            chosen = [
                np.where(greater, each[part], before)
                for each, before in zip(found, chosen, strict=True)
            ]
            place = greater if number == 1 else np.where(greater, np.int16(number), place)
        found = [place, *chosen]
    return values, found


# -- means ------------------------------------------------------------------------------------


def mean_windows(x: Array, windows: Windows, count_include_pad: bool, divisor: int | None) -> Array:
    """The sum over each window, divided by its number of elements or by ``divisor``."""
    total = padded(x, windows, 0)
    for axis in range(-1, -len(windows.kernel) - 1, -1):
        parts = windows.parts(axis)
        out = total[parts[0]]
        for number, part in enumerate(parts[1:]):
            out = np.add(out, total[part], out=out if number else None)
        total = out
    by = divisors(windows, x.shape[-len(windows.kernel) :], count_include_pad, divisor)
    if x.dtype.kind in "iu":
        total = np.trunc(total / by)
        return total.astype(x.dtype)
    mean: Array = total / by.astype(x.dtype)
    return mean


def spread_windows(
    g: Array, windows: Windows, plane: Sizes, count_include_pad: bool, divisor: int | None
) -> Array:
    """The transpose of ``mean_windows``: each number divided evenly over its window."""
    part: Array = g / divisors(windows, plane, count_include_pad, divisor).astype(g.dtype)
    for axis in range(-len(plane), 0):
        low, size = windows.padding[axis], plane[axis]
        parts = windows.parts(axis)
        shape = list(part.shape)
        shape[axis] = max(low + size, parts[-1][1].stop)
        total = np.zeros(shape, g.dtype)
        for index in parts:
            total[index] += part
        part = total[along(axis, slice(low, low + size))]
    return part


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
    "adaptive_max_windows",
    "adaptive_mean_windows",
    "adaptive_spread_windows",
    "max_windows",
    "mean_windows",
    "spread_windows",
]
