"""Two things measured by turns, so that a machine that drifts slows both alike."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any


def calls_in(seconds: float, step: Callable[[], Any]) -> int:
    """How many calls of ``step`` take about ``seconds``."""
    step()
    count = 1
    while True:
        started = time.perf_counter()
        for _ in range(count):
            step()
        taken = time.perf_counter() - started
        if taken > seconds / 4:
            return max(1, round(count * seconds / taken))
        count *= 4


def time_by_turns(
    steps: list[Callable[[], Any]], rounds: int = 15, seconds: float = 0.05
) -> list[float]:
    """Median seconds per call of each step, over ``rounds`` turns of about ``seconds`` each."""
    counts = [calls_in(seconds, step) for step in steps]
    taken: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds):
        for place, (step, count) in enumerate(zip(steps, counts, strict=True)):
            gc.collect()
            started = time.perf_counter()
            for _ in range(count):
                step()
            taken[place].append((time.perf_counter() - started) / count)
    return [median(each) for each in taken]


def import_seconds(modules: list[str], rounds: int = 15) -> list[float]:
    """Median seconds to import each module in a fresh interpreter, by turns."""
    taken: list[list[float]] = [[] for _ in modules]
    # As an installed package is imported: from its compiled files.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for turn in range(rounds + 1):
        for place, module in enumerate(modules):
            program = (
                "import time; started = time.perf_counter(); "
                f"import {module}; print(time.perf_counter() - started)"
            )
            out = subprocess.run(
                [sys.executable, "-c", program],
                check=True,
                capture_output=True,
                text=True,
                env=environment,
            )
            if turn:  # the first fills the disk cache
                taken[place].append(float(out.stdout))
    return [median(each) for each in taken]
