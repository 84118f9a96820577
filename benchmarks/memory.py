"""Memory and depth: a chain of a million operations, and 2,000 training steps."""

from __future__ import annotations

import gc
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import adjoint
from benchmarks.workloads import digits_network


class Chain(NamedTuple):
    """Seconds for a chain of multiplications of 3 elements."""

    length: int
    forward: float
    backward: float
    freed: float


def long_chain(length: int) -> Chain:
    """Time a chain forward, backward, and being dropped undifferentiated; the collector is off."""
    x = adjoint.tensor([1.0, 1.0, 1.0], requires_grad=True)
    y = adjoint.tensor([1.0, 1.0, 1.0])
    gc.disable()
    try:
        marks = [time.perf_counter()]
        z = x
        for _ in range(length):
            z = z * y
        marks.append(time.perf_counter())
        z.sum().backward()
        marks.append(time.perf_counter())
        del z
        marks.append(time.perf_counter())
    finally:
        gc.enable()
    forward, backward, freed = (after - before for before, after in pairwise(marks))
    return Chain(length, forward, backward, freed)


def resident_bytes() -> int:
    """Memory of this process that is in RAM now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def growth_over_training(steps: int = 2000) -> tuple[int, int]:
    """Bytes resident after 200 steps and after ``steps`` of training the digits network."""
    step = digits_network(adjoint)
    for _ in range(200):
        step()
    before = resident_bytes()
    for _ in range(steps - 200):
        step()
    return before, resident_bytes()
