"""A shape as users see it: ``Size``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from operator import index as as_index
from typing import Any, Self, SupportsIndex

from adjoint.shapes import product


class Size(tuple[int, ...]):
    """A shape: a tuple of sizes that prints as PyTorch's does, and stays one in sums and slices.

    Raises ``TypeError`` for what are no whole numbers.

    >>> Size([2, 3]) + (4,)
    torch.Size([2, 3, 4])
    """

    __slots__ = ()

    def __new__(cls, sizes: Iterable[SupportsIndex] = ()) -> Self:
        items = []
        for place, size in enumerate(sizes):
            try:
                items.append(as_index(size))
            except TypeError:
                raise TypeError(
                    f"torch.Size() takes whole numbers, but item {place} is a {type(size).__name__}"
                ) from None
        return tuple.__new__(cls, items)

    def numel(self) -> int:
        """Number of elements.

        >>> Size([2, 3]).numel()
        6
        """
        return product(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __getitem__(self, place: Any) -> Any:
        found = tuple.__getitem__(self, place)
        return as_size(found) if isinstance(place, slice) else found

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, tuple):
            raise TypeError(f"only a tuple can follow a torch.Size, not a {type(other).__name__}")
        return as_size(tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Any:
        return as_size(tuple.__add__(other, self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: SupportsIndex) -> Any:
        return as_size(tuple.__mul__(self, times))

    __rmul__ = __mul__


# From a tuple that is known to be a shape: no look at its items.
as_size: Any = partial(tuple.__new__, Size)
