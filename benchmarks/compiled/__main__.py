"""Measure all four by turns in one process, first calls in fresh ones; write the README's table."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.__main__ import machine
from benchmarks.compiled import steps
from benchmarks.timing import time_by_turns

README = Path(__file__).resolve().parent.parent.parent / "README.md"
BEGIN, END = "<!-- compiled:begin -->", "<!-- compiled:end -->"
NAMES = ("adjoint", "torch", "torch.compile", "jax.jit")
# What is timed, and how many times faster than the fastest of the others it is to be.
WORKLOADS = (
    ("seed_network", "one-layer network of the tutorials, forward and backward", 3.0),
    ("chain", "100 multiplications of 3 elements, forward and backward", 5.0),
    ("perceptron", "784-256-128-10 network, batch 64, SGD with momentum", 1.3),
    ("perceptron_adam", "the same with Adam", 1.3),
    ("convolutional", "CNN on 32 images of 28x28, SGD with momentum", 1.5),
    ("transformer", "2-layer GPT, width 64, context 64, batch 8, AdamW", 1.5),
    ("recurrent", "tanh RNN of 50 steps, hidden 64, batch 16", 1.5),
    ("elementwise", "fused expression of 4 million elements, with gradients", 3.0),
    ("burgers", "Burgers residual network, second derivatives, then backward", 2.0),
    ("hessian", "Hessian of Rosenbrock's function of 50 variables", 1.5),
)


def identity(function: Any) -> Any:
    """What is not compiled."""
    return function


def build(library: str, name: str) -> Any:
    """One library's step, before its first call."""
    if library == "jax.jit":
        from benchmarks.compiled import in_jax

        return getattr(in_jax, name)()
    make = getattr(steps, name)
    if library == "adjoint":
        import adjoint

        return make(adjoint, adjoint.compile, identity)
    import torch

    return make(torch, identity, torch.compile if library == "torch.compile" else identity)


def can(library: str, name: str) -> bool:
    """`torch.compile` refuses second derivatives."""
    return not (library == "torch.compile" and name == "burgers")


def spell(seconds: float | None) -> str:
    """Seconds in a readable unit."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def speeds(name: str, libraries: list[str], rounds: int) -> dict[str, float]:
    """Median seconds of a call, by turns."""
    return dict(
        zip(
            libraries,
            time_by_turns([build(each, name) for each in libraries], rounds),
            strict=True,
        )
    )


class First(NamedTuple):
    """What a fresh process needs."""

    seconds: float  # from having the step to its first result
    peak: float  # MiB more than before, at most, over five steps


def first_call(library: str, name: str, folder: str) -> First:
    """The first calls of a step in a fresh process with this cache."""
    program = (
        "import time\n"
        "from benchmarks.compiled.__main__ import build, resident\n"
        f"step = build({library!r}, {name!r})\n"
        "before = resident('VmRSS')\n"
        "started = time.perf_counter()\nstep()\n"
        "taken = time.perf_counter() - started\n"
        "for _ in range(4): step()\n"
        "print(taken, resident('VmHWM') - before)\n"
    )
    environment = {**os.environ, "ADJOINT_CACHE_DIR": folder, "TORCHINDUCTOR_CACHE_DIR": folder}
    out = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
    )
    return First(*map(float, out.stdout.split()[-2:]))


def resident(field: str) -> float:
    """MiB of this process in RAM: now (``VmRSS``), or when they were most (``VmHWM``)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(field))) / 1024


def first_calls(name: str, libraries: list[str]) -> dict[str, First]:
    """First calls of each library; and of Adjoint again, in a process that finds its code."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for each in libraries:
            found[each] = first_call(each, name, folder)
        found["again"] = first_call("adjoint", name, folder)
    return found


def share_of_bandwidth(rounds: int) -> float:
    """What the fused expression reaches of the memory bandwidth of a copy on two threads.

    Both read and write the same number of bytes: two inputs, two gradients.
    """
    import numpy as np

    step = build("adjoint", "elementwise")
    old, new = np.ones((2, 4_000_000), np.float32), np.empty((2, 4_000_000), np.float32)
    with ThreadPoolExecutor(2) as pool:

        def copy() -> None:
            list(pool.map(np.copyto, new, old))

        copying, taken = time_by_turns([copy, step], rounds)
    return copying / taken


# -- tables ---------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table in Markdown, printed as it grows."""
    lines = [f"| {' | '.join(head)} |", "|" + " ---- |" * len(head)]
    print("\n".join(lines), flush=True)
    for row in rows:
        lines.append(f"| {' | '.join(row)} |")
        print(lines[-1], flush=True)
    return lines


def speed_rows(chosen: list[str], only: str, rounds: int) -> Iterator[list[str]]:
    """A row for each workload: a call of each library."""
    for name, title, target in WORKLOADS:
        if only not in name:
            continue
        libraries = [each for each in chosen if can(each, name)]
        taken = speeds(name, libraries, rounds)
        best = min((taken[each] for each in libraries if each != "adjoint"), default=None)
        compared = best is not None and "adjoint" in taken
        yield [
            title,
            *[spell(taken.get(each)) for each in ("torch", "torch.compile", "jax.jit", "adjoint")],
            f"{best / taken['adjoint']:.2f}" if compared else "-",
            f"{target:.1f}",
        ]


def first_rows(chosen: list[str], only: str) -> Iterator[list[str]]:
    """A row for each workload: first calls, and memory."""
    for name, title, _ in WORKLOADS:
        if only not in name:
            continue
        found = first_calls(name, [each for each in chosen if can(each, name)])
        order = ("torch.compile", "jax.jit", "adjoint", "again")
        peaks = [f"{found[each].peak:.0f}" if each in found else "-" for each in ("torch", "again")]
        calls = [spell(found[each].seconds) if each in found else "-" for each in order]
        yield [title, *calls, *peaks]


def main() -> None:
    """Measure, print, and write the README's tables unless ``--no-write``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiled", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="turns of each library")
    parser.add_argument("--only", default="", help="workloads whose name holds this, nothing else")
    parser.add_argument("--libraries", default=",".join(NAMES), help="some of these")
    parser.add_argument("--no-first", action="store_true", help="leave first calls out")
    parser.add_argument("--no-write", action="store_true", help="leave the README as it is")
    options = parser.parse_args()
    chosen = options.libraries.split(",")
    head = ("Step", "PyTorch", "torch.compile", "jax.jit", "Adjoint", "times faster", "to reach")
    lines = table(head, speed_rows(chosen, options.only, options.rounds))
    if not options.no_first:
        head = (
            "First call", "torch.compile", "jax.jit", "Adjoint", "Adjoint from disk",
            "MiB more at most: PyTorch", "Adjoint",
        )  # fmt: skip
        lines += ["", *table(head, first_rows(chosen, options.only))]
    if options.no_write or options.only or options.no_first or chosen != list(NAMES):
        return
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    bandwidth = (
        f"The fused expression reaches {share_of_bandwidth(options.rounds):.0%} of the memory "
        "bandwidth of a copy of as many bytes on two threads."
    )
    print(bandwidth)
    measured = f"Measured on {machine()}, JAX {jax_version()}; medians by turns."
    text = "\n".join([*lines, "", bandwidth, "", measured])
    README.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def jax_version() -> str:
    """The version of JAX that was measured."""
    import jax

    return str(jax.__version__)


if __name__ == "__main__":
    main()
