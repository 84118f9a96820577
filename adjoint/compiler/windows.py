"""Nodes of windows over planes: planes with room around them, convolutions, and their weights'."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from adjoint.compiler.nodes import Buffer, Look, Shape, Single


class Placement(NamedTuple):
    """Where the elements of an axis go: element ``first + i`` to ``low + step * i``."""

    low: int
    step: int
    first: int
    size: int


class Padded(Single):
    """Planes (N, C, *sizes) in larger ones, with the value ``around`` everywhere else."""

    def __init__(self, buffer: Buffer, x: Look, places: tuple[Placement, ...], around: Any) -> None:
        self.buffers = (buffer,)
        self.x = x
        self.places = places
        self.around = around
        self.extent = buffer.shape
        buffer.node = self

    def looks(self) -> Iterator[Look]:
        yield self.x


class Turned(Single):
    """Matrices (..., rows, columns) with neighbouring columns, transposed in memory."""

    def __init__(self, buffer: Buffer, x: Look) -> None:
        self.buffers = (buffer,)
        self.x = x
        self.extent = x.shape
        buffer.node = self

    def looks(self) -> Iterator[Look]:
        yield self.x


class Windows(NamedTuple):
    """How windows move over planes, for each of their dimensions."""

    kernel: Shape
    stride: Shape
    dilation: Shape
    sizes: Shape  # how many windows there are


class Convolution(Single):
    """Cross-correlation of padded planes x (N, G * C, *sizes) with a weight w (G, C, *kernel, O).

    The weight lies in memory in this order. ``start`` (G * O) is added, if there is one. The result
    is (N, G * O, *windows.sizes).
    """

    def __init__(
        self, buffer: Buffer, x: Look, w: Look, start: Look | None, windows: Windows
    ) -> None:
        self.buffers = (buffer,)
        self.x = x
        self.w = w
        self.start = start
        self.windows = windows
        inner = w.shape[1]
        for size in windows.kernel:
            inner *= size
        self.extent = (*buffer.shape, inner)
        self.flops = 2 * buffer.size * inner
        buffer.node = self

    def looks(self) -> Iterator[Look]:
        yield self.x
        yield self.w
        if self.start is not None:
            yield self.start


class ConvolutionWeight(Single):
    """What each weight of a ``Convolution`` meets in x: products with g (N, *sizes, G * O), summed.

    The sums are (parts, G, C, *kernel, O), of as many parts of the batch, which are to be added.
    """

    def __init__(self, buffer: Buffer, x: Look, g: Look, windows: Windows) -> None:
        self.buffers = (buffer,)
        self.x = x
        self.g = g
        self.windows = windows
        terms = x.shape[0]
        for size in windows.sizes:
            terms *= size
        self.extent = (*buffer.shape[1:], terms)
        self.flops = 2 * terms * (buffer.size // buffer.shape[0])
        buffer.node = self

    def looks(self) -> Iterator[Look]:
        yield self.x
        yield self.g


class MaxPool(Single):
    """The greatest element of each window of planes (N, 1, H, W), and where in the plane it is.

    Windows begin inside the planes of ``width`` that the indices are of; x may reach further.
    """

    def __init__(
        self, buffers: tuple[Buffer, Buffer], x: Look, windows: Windows, width: int
    ) -> None:
        self.buffers = buffers
        self.x = x
        self.windows = windows
        self.width = width
        self.extent = (*buffers[0].shape, *windows.kernel)
        for each in buffers:
            each.node = self

    def looks(self) -> Iterator[Look]:
        yield self.x


class MaxBack(Single):
    """Planes (N, 1, H, W) of zeros with g where the indices of a ``MaxPool`` say.

    Its windows, two elements wide, cover the planes, and none is in two of them.
    """

    def __init__(self, buffer: Buffer, g: Look, indices: Look, windows: Windows) -> None:
        self.buffers = (buffer,)
        self.g = g
        self.indices = indices
        self.windows = windows
        self.extent = buffer.shape
        buffer.node = self

    def looks(self) -> Iterator[Look]:
        yield self.g
        yield self.indices
