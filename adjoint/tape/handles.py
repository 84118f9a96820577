"""Where hooks are kept: dictionaries on a node, and the handles that take hooks off again."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any, Self

_numbers = itertools.count(1)


class RemovableHandle:
    """Takes a hook off again: ``handle.remove()``, or at the end of a ``with`` block."""

    def __init__(self, hooks: dict[int, Any], hook: Any) -> None:
        self.id = next(_numbers)
        self._hooks: dict[int, Any] | None = hooks
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook off; a second call does nothing."""
        hooks, self._hooks = self._hooks, None
        if hooks is not None:
            hooks.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Hooks:
    """The hooks of one node, each kind in the order they were added."""

    __slots__ = ("accumulated", "after", "before", "gradient", "retained")

    def __init__(self) -> None:
        # Of the node's outputs: (number of the output, function).
        self.gradient: dict[int, tuple[int, Callable[[Any], Any]]] = {}
        # Tensors whose gradient is kept, by the number of the output.
        self.retained: dict[int, weakref.ref[Any]] = {}
        # Of the node: of all outputs' gradients, and of all inputs' and all outputs'.
        self.before: dict[int, Callable[[Any], Any]] = {}
        self.after: dict[int, Callable[[Any, Any], Any]] = {}
        # Of a leaf: called with it when its ``.grad`` has been written.
        self.accumulated: dict[int, Callable[[Any], Any]] = {}
