"""Where hooks are kept: dictionaries on a node, and the handles that take hooks off again."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any, Self

from adjoint.tape.changes import changes

_numbers = itertools.count(1)


class RemovableHandle:
    """Takes a hook off again: ``handle.remove()``, or at the end of a ``with`` block.

    ``hooks_dict`` has the hook under the key ``handle.id``, and ``extra_dict`` (or several) may.
    """

    next_id = 1  # about: other threads may have taken it

    def __init__(
        self, hooks_dict: dict[int, Any], hook: Any = None, *, extra_dict: Any = None
    ) -> None:
        changes.count += 1
        self.id = next(_numbers)
        RemovableHandle.next_id = self.id + 1
        extra = extra_dict if isinstance(extra_dict, (list, tuple)) else [extra_dict]
        self._dicts = [hooks_dict, *[each for each in extra if each is not None]]
        if hook is not None:
            hooks_dict[self.id] = hook

    def remove(self) -> None:
        """Take the hook off; a second call does nothing."""
        changes.count += 1
        for each in self._dicts:
            each.pop(self.id, None)
        self._dicts = []

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
