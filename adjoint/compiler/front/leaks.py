"""Tensors of a trace that are still in use when it has ended: something keeps them."""

from __future__ import annotations

import gc
import weakref
from types import FrameType
from typing import Any


class Leaks:
    """The tensors that a trace has made, to find those that outlive it.

    A tensor from inside has no numbers. Kept in a list, an attribute or a global, it would be
    another one after each call of the function as it is.
    """

    def __init__(self) -> None:
        self.made: list[weakref.ref[Any]] = []

    def add(self, tensor: Any) -> None:
        """Ask of this one too, which stands in the place of an argument."""
        self.made.append(weakref.ref(tensor))

    def find(self) -> list[str]:
        """What is kept, and where, in words; to be asked once, after the trace."""
        if any(each() is not None for each in self.made):
            gc.collect()  # cycles, as hooks make them: 10 to 30 ms, which is rare
        kept = self._alive()  # not before, as this list would keep them
        self.made = []
        return [
            f"a tensor of shape {list(each._array.shape)} made inside is kept {_where(each, kept)}"
            for each in kept
        ]

    def _alive(self) -> list[Any]:
        return [tensor for each in self.made if (tensor := each()) is not None]


def _where(tensor: Any, kept: list[Any]) -> str:
    """Who refers to a tensor."""
    for holder in gc.get_referrers(tensor):
        if holder is kept or isinstance(holder, FrameType):
            continue
        if isinstance(holder, dict):
            values = list(map(id, holder.values()))
            name = list(holder)[values.index(id(tensor))]
            return f"under {name!r} in a dict or as an attribute"
        return f"in a {type(holder).__name__}"
    return "somewhere"


__all__ = ["Leaks"]
