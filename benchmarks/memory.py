"""Memory and depth: a million operations, 2,000 training steps, checkpoints, a large Hessian."""

from __future__ import annotations

import gc
import os
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import adjoint
from adjoint import nn
from adjoint.autograd.graph import saved_memory
from adjoint.utils.checkpoint import checkpoint, checkpoint_sequential
from benchmarks.derivatives import rosenbrock
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


class Block(nn.Module):
    """A residual block as in transformers: normalise, widen four times, and back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Any) -> Any:
        """Of the same shape as ``x``."""
        return x + self.down(nn.functional.gelu(self.up(self.norm(x))))


class Kept(NamedTuple):
    """Bytes that a graph keeps, the peak while forward and backward run, and seconds for both."""

    saved: int
    peak: int
    seconds: float


def checkpointing(blocks: int = 64, width: int = 64, batch: int = 512) -> dict[str, Kept]:
    """A network of ``blocks`` as it is, with a checkpoint for each block, and for eight parts."""
    adjoint.manual_seed(0)
    network = nn.Sequential(*[Block(width) for _ in range(blocks)])
    x = adjoint.randn(batch, width)

    def one_by_one(x: Any) -> Any:
        for block in network:
            x = checkpoint(block, x, use_reentrant=False)
        return x

    return {
        "as it is": _kept(network, x),
        "a checkpoint for each block": _kept(one_by_one, x),
        "checkpoint_sequential in 8 segments": _kept(
            lambda x: checkpoint_sequential(network, 8, x, use_reentrant=False), x
        ),
    }


def _kept(run: Callable[[Any], Any], x: Any) -> Kept:
    loss = run(x).sum()
    loss.backward()  # the gradients are there now, and count in no peak
    saved = saved_memory(run(x).sum()).total
    start = time.perf_counter()
    run(x).sum().backward()
    seconds = time.perf_counter() - start
    tracemalloc.start()
    try:
        run(x).sum().backward()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return Kept(saved, peak, seconds)


def hessian_peak(count: int = 5000) -> tuple[int, int]:
    """Bytes of the Hessian of a function of ``count`` inputs, and the most allocated meanwhile."""
    adjoint.manual_seed(0)
    x = adjoint.randn(count)
    adjoint.func.hessian(rosenbrock)(x[:10])
    tracemalloc.start()
    try:
        result = adjoint.func.hessian(rosenbrock)(x)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return result.numel() * result.element_size(), peak
