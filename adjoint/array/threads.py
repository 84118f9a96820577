"""How many threads computations may use."""

from __future__ import annotations

import os
from collections.abc import Callable

_told = 0  # what `set_count` was told; 0 before
_listeners: list[Callable[[int], None]] = []


def available() -> int:
    """The number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def count() -> int:
    """What ``set_count`` was told, at first the number of cores."""
    return _told or available()


def set_count(threads: int) -> None:
    """Set it, and tell who listens."""
    global _told
    _told = threads
    for each in _listeners:
        each(threads)


def listen(function: Callable[[int], None]) -> None:
    """Call ``function`` with every later setting."""
    _listeners.append(function)
