"""What random numbers are inside ``vmap``: refused, one draw for each example, or one for all.

Every ``vmap`` that is running says its mode here, per thread. A function that makes random numbers
out of nothing draws ``for_each_example``. One that has inputs is a row whose last input is a
*witness*: a value of no dimensions that is a batch of each ``vmap`` whose examples differ, so that
the row is batched by the same transforms even where its other inputs are not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from adjoint.array.batch import Batch
from adjoint.array.symbol import running

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


@contextmanager
def stepping_out(level: int) -> Iterator[None]:
    """Inside ``with``, the ``vmap`` of this level is not running: for work on whole batches."""
    before = _running.vmaps
    _running.vmaps = tuple([each for each in before if each[0] != level])
    try:
        yield
    finally:
        _running.vmaps = before


def mode_of(level: int) -> str:
    """The mode of the running ``vmap`` whose batches have this level; "error" if there is none."""
    return next((mode for each, _, mode in _running.vmaps if each == level), "error")


def for_each_example(
    draw: Callable[[tuple[int, ...]], Any], shape: tuple[int, ...], kind: Any
) -> Any:
    """What ``draw`` gives, as a batch of every running ``vmap`` whose examples differ.

    ``draw`` takes the sizes of these, which its result has in front of its own ``shape``; ``kind``
    is its element type. In a trace, it is drawn at each call of what is traced. Raises
    ``RuntimeError`` where a ``vmap`` does not allow random numbers.
    """
    differing = _differing()
    sizes = tuple(size for _, size in differing)
    capture = running.capture
    return _batches(
        draw(sizes) if capture is None else capture.drawn(draw, sizes, shape, kind), differing
    )


def _batches(value: Any, differing: list[tuple[int, int]]) -> Any:
    for level, _ in differing:
        value = Batch(level, value)
    return value


def witness() -> Any:
    """A batch of every running ``vmap`` whose examples differ; None if there is none.

    In a trace it is a symbol, or a batch of one, so that the row is traced whatever its inputs.
    Raises ``RuntimeError`` where a ``vmap`` does not allow random numbers.
    """
    capture = running.capture
    differing = _differing() if _running.vmaps else []
    if not differing:
        return None if capture is None else capture.witness(())
    sizes = tuple(size for _, size in differing)
    value = np.broadcast_to(np.zeros(()), sizes) if capture is None else capture.witness(sizes)
    return _batches(value, differing)


def _differing() -> list[tuple[int, int]]:
    """Level and size of every ``vmap`` whose examples differ."""
    vmaps = _running.vmaps
    if any(mode == "error" for _, _, mode in vmaps):
        raise RuntimeError(
            "vmap: random numbers were asked for, and it was not said what they should be: pass "
            "randomness='different' to vmap for a draw for each example, randomness='same' for "
            "one that all share, or draw outside"
        )
    return [(level, size) for level, size, mode in vmaps if mode == "different"]
