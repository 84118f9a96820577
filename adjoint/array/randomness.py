"""What random numbers are inside ``vmap``: refused, one draw for each example, or one for all.

Every ``vmap`` that is running says its mode here, per thread. A function that draws asks for a
*witness*: a value of no dimensions that is a batch of each ``vmap`` whose examples differ. It is
an input of the random rows, so that their results become batches of the same transforms, and the
sizes of all of them are known where the numbers are drawn.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from adjoint.array.batch import Batch

MODES = ("error", "different", "same")


class _Running(threading.local):
    # (level, size, mode) of every vmap, the outermost first.
    vmaps: tuple[tuple[int, int, str], ...] = ()


_running = _Running()


def check_mode(mode: str) -> None:
    """Raise ``RuntimeError`` unless ``mode`` is one that ``vmap`` knows."""
    if mode not in MODES:
        raise RuntimeError(f"vmap: randomness is 'error', 'different' or 'same', but got {mode!r}")


@contextmanager
def drawing(level: int, size: int, mode: str) -> Iterator[None]:
    """Inside ``with``, a ``vmap`` of this level and size is running, and draws in this mode."""
    before = _running.vmaps
    _running.vmaps = (*before, (level, size, mode))
    try:
        yield
    finally:
        _running.vmaps = before


def witness() -> Any:
    """A batch of every running ``vmap`` whose examples differ; None if there is none.

    Raises ``RuntimeError`` where one does not allow random numbers.
    """
    vmaps = _running.vmaps
    if not vmaps:
        return None
    if any(mode == "error" for _, _, mode in vmaps):
        raise RuntimeError(
            "vmap: random numbers were asked for, and it was not said what they should be: pass "
            "randomness='different' to vmap for a draw for each example, randomness='same' for "
            "one that all share, or draw outside"
        )
    differing = [(level, size) for level, size, mode in vmaps if mode == "different"]
    if not differing:
        return None
    value: Any = np.broadcast_to(np.zeros(()), tuple(size for _, size in differing))
    for level, _ in differing:
        value = Batch(level, value)
    return value
