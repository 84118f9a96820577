"""Nodes: what lowering makes of a program, the step before loops.

Every node makes buffers. A *map* gives each element of one by scalar operations on elements of
others at the same place; a *reduction* combines such elements over some axes; a *product* is a
matrix product; a *call* runs a row's own NumPy kernel in the middle of the program. A *part* is a
map that makes a region of a buffer, and an *update* writes into a buffer that is made already, at
places that are computed.

How a node looks at another's buffer is a ``Look``: an offset and strides over the looking node's
domain. Views need no rules for that. The row's own NumPy code is applied to a stand-in array of the
buffer's shape, which is never touched, and NumPy says where the elements are.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from adjoint.shapes import product

Shape = tuple[int, ...]
_numbers = itertools.count()


def strides_of(shape: Sequence[int]) -> Shape:
    """Steps between neighbours along each axis of memory in order; 0 where there is but one."""
    steps, step = [], 1
    for size in reversed(shape):
        steps.append(step if size != 1 else 0)
        step *= size
    return tuple(steps[::-1])


class Buffer:
    """Memory in order, first dimension slowest: an input's, a result's, or a part of the arena."""

    __slots__ = ("_stand_in", "kind", "node", "number", "rewritten", "shape")

    def __init__(self, shape: Shape, kind: Any) -> None:
        self.shape = tuple(shape)
        self.kind: np.dtype[Any] = np.dtype(kind)
        self.number = next(_numbers)
        self.node: Node | None = None  # what makes it, None for an input
        self.rewritten = False  # by an update: what it holds depends on when one looks
        self._stand_in: Any = None

    @property
    def size(self) -> int:
        """How many elements."""
        return product(self.shape)

    @property
    def bytes(self) -> int:
        """How much memory they take."""
        return self.size * self.kind.itemsize

    @property
    def stand_in(self) -> Any:
        """An array like it whose elements nobody reads or writes."""
        if self._stand_in is None:
            self._stand_in = np.empty(self.shape, self.kind)
        return self._stand_in

    def __repr__(self) -> str:
        return f"b{self.number}:{self.kind.name}{list(self.shape)}"


class Look:
    """How the places of a domain look at a buffer."""

    __slots__ = ("buffer", "place")

    def __init__(self, buffer: Buffer, place: Any = None) -> None:
        self.buffer = buffer
        self.place = buffer.stand_in if place is None else place  # the stand-in, through views

    @property
    def shape(self) -> Shape:
        """The domain."""
        return tuple(self.place.shape)

    @property
    def kind(self) -> np.dtype[Any]:
        """The element type."""
        return self.buffer.kind

    @property
    def offset(self) -> int:
        """The first place's element."""
        if not self.place.size:
            return 0
        start: int = self.buffer.stand_in.__array_interface__["data"][0]
        at: int = self.place.__array_interface__["data"][0]
        return (at - start) // self.kind.itemsize

    @property
    def strides(self) -> Shape:
        """How many elements a step along each axis is."""
        return tuple(
            0 if size == 1 else each // self.kind.itemsize
            for each, size in zip(self.place.strides, self.place.shape, strict=True)
        )

    @property
    def whole(self) -> bool:
        """Whether it sees the buffer as it is: every element once, in order."""
        return (
            self.shape == self.buffer.shape
            and bool(self.place.flags.c_contiguous)
            and self.offset == 0
        )

    @property
    def full(self) -> bool:
        """Whether it sees every element of the buffer once and in order, in whatever shape."""
        return (
            self.place.size == self.buffer.size
            and bool(self.place.flags.c_contiguous)
            and self.offset == 0
        )

    def seen(self, function: Callable[[Any], Any]) -> Look:
        """Through a further view; ``ValueError`` if NumPy had to copy for it."""
        place = function(self.place)
        if place.dtype != self.kind or (
            place.size and not np.may_share_memory(place, self.buffer.stand_in)
        ):
            raise ValueError("not a view")
        return Look(self.buffer, place)

    def stretched(self, shape: Shape) -> Look:
        """Broadcast to ``shape``."""
        if self.shape == shape:
            return self
        return Look(self.buffer, np.broadcast_to(self.place, shape))

    def __repr__(self) -> str:
        return f"look({self.buffer}, {self.offset}, {self.strides})"


class Anywhere(Look):
    """How a node looks at a buffer whose elements it finds by computed places."""

    __slots__ = ()

    @property
    def whole(self) -> bool:
        """Never: what stands at a place is another place's element."""
        return False


class Scalar:
    """A scalar operation: its name, operands and value.

    Those that are no plain operations are "number" (the value), "load" (of a Look, at the place),
    "index" (a sum of the place's coordinates times the value's numbers), "element" (of a Buffer, at
    the operand's place in its memory), and "checked" (the first operand, if the second holds; the
    value says what is wrong otherwise).
    """

    __slots__ = ("args", "kind", "name", "value")

    def __init__(
        self, name: str, kind: Any, args: tuple[Scalar, ...] = (), value: Any = None
    ) -> None:
        self.name = name
        self.kind: np.dtype[Any] = np.dtype(kind)
        self.args = args
        self.value = value

    def walk(self) -> Iterator[Scalar]:
        """Itself and all below it, each once."""
        seen: set[int] = set()
        stack = [self]
        while stack:
            each = stack.pop()
            if id(each) not in seen:
                seen.add(id(each))
                yield each
                stack.extend(each.args)

    def __repr__(self) -> str:
        if self.name in ("load", "number"):
            return repr(self.value)
        return f"{self.name}({', '.join(map(repr, self.args))})"


class Node:
    """What makes one buffer, or several (a call)."""

    buffers: tuple[Buffer, ...]
    where: str | None = None  # the user's line, for errors and `explain`

    def looks(self) -> Iterator[Look]:
        """What it looks at."""
        raise NotImplementedError


def _looks_of(scalar: Scalar) -> Iterator[Look]:
    for each in scalar.walk():
        if each.name == "load":
            yield each.value
        elif each.name == "element":
            yield Anywhere(each.value)


class Looped(Node):
    """What is computed in loops over a domain: ``body`` at each of its places."""

    domain: Shape
    body: Scalar

    def looks(self) -> Iterator[Look]:
        return _looks_of(self.body)


class Map(Looped):
    """Each element of one buffer from elements at the same place."""

    def __init__(self, buffer: Buffer, body: Scalar) -> None:
        self.buffers = (buffer,)
        self.domain = buffer.shape
        self.body = body
        buffer.node = self


class Part(Looped):
    """Each element of a region of a buffer: where ``place`` looks, over its domain.

    Several parts make a buffer together, each another region.
    """

    def __init__(self, place: Look, body: Scalar) -> None:
        self.place = place
        self.buffers = (place.buffer,)
        self.domain = place.shape
        self.body = body
        place.buffer.node = self


class Update(Looped):
    """Elements of a domain written into a buffer that is made already, one after the other.

    ``at`` is the place in its memory. ``name`` is "set" or how an element is combined with the one
    that is there: "add", "mul", "max", "min" or "or". Places may repeat: the domain is gone through
    in order. All that looks at the buffer before must be done, so it is marked as ``rewritten``.
    """

    def __init__(self, name: str, buffer: Buffer, domain: Shape, at: Scalar, body: Scalar) -> None:
        self.name = name
        self.buffers = (buffer,)
        self.domain = domain
        self.at = at
        self.body = body
        buffer.rewritten = True

    def looks(self) -> Iterator[Look]:
        yield from _looks_of(self.at)
        yield from _looks_of(self.body)


class Reduction(Looped):
    """Elements of a domain combined over ``axes``, which the buffer has with size 1.

    ``name`` is "add", "mul", "max" or "min" (a NaN wins), "and" or "or".
    """

    def __init__(
        self, name: str, buffer: Buffer, domain: Shape, axes: tuple[int, ...], body: Scalar
    ) -> None:
        self.name = name
        self.buffers = (buffer,)
        self.domain = domain
        self.axes = axes
        self.body = body
        buffer.node = self


class Scan(Node):
    """States carried from place to place along one axis, for all other places alike.

    ``states`` are their types and what they begin with; ``following`` what they are after a place,
    and ``bodies`` what the buffers get there, both from elements at the place and from "state"
    scalars, whose value is the number of a state and which are what it was before.
    """

    def __init__(
        self,
        buffers: tuple[Buffer, ...],
        axis: int,
        reverse: bool,
        states: tuple[tuple[np.dtype[Any], Any], ...],
        following: tuple[Scalar, ...],
        bodies: tuple[Scalar, ...],
    ) -> None:
        self.buffers = buffers
        self.domain = buffers[0].shape
        self.axis = axis
        self.reverse = reverse
        self.states = states
        self.following = following
        self.bodies = bodies
        for each in buffers:
            each.node = self

    def looks(self) -> Iterator[Look]:
        for body in (*self.following, *self.bodies):
            for each in body.walk():
                if each.name == "load":
                    yield each.value


class Single(Node):
    """A node with code of its own: a step of the program alone."""

    flops = 0
    extent: Shape = ()  # the sizes that its work is the product of


class Product(Single):
    """Matrix products: (..., n, k) by (..., k, m), with the same sizes in front.

    ``start`` is added to them, if there is one: of the result's shape, with steps of 0 or 1 along
    the last dimension.
    """

    def __init__(self, buffer: Buffer, x: Look, y: Look, start: Look | None = None) -> None:
        self.buffers = (buffer,)
        self.x = x
        self.y = y
        self.start = start
        self.extent = (*buffer.shape, x.shape[-1])
        self.flops = 2 * buffer.size * x.shape[-1]
        buffer.node = self

    def looks(self) -> Iterator[Look]:
        yield self.x
        yield self.y
        if self.start is not None:
            yield self.start


class Call(Node):
    """A row carried out by its own NumPy kernel, on whole buffers and constants."""

    def __init__(
        self,
        row: Any,
        inputs: tuple[Any, ...],
        options: tuple[Any, ...],
        buffers: tuple[Buffer, ...],
        reason: str,
    ) -> None:
        self.row = row
        self.inputs = inputs
        self.options = options
        self.buffers = buffers
        self.reason = reason  # why it is not emitted
        for each in buffers:
            each.node = self

    def looks(self) -> Iterator[Look]:
        for each in self.inputs:
            for value in each if isinstance(each, tuple) else (each,):
                if isinstance(value, Look):
                    yield value
