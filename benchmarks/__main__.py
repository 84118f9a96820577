"""Run everything, print the table, and write it into the README between its markers."""

from __future__ import annotations

import argparse
import os
import platform
from pathlib import Path

import numpy as np

import adjoint
from benchmarks.derivatives import DERIVATIVES, classifier, cost_of_per_sample
from benchmarks.memory import checkpointing, growth_over_training, hessian_peak, long_chain
from benchmarks.provenance import share_of_provenance
from benchmarks.timing import import_seconds, time_by_turns
from benchmarks.workloads import WORKLOADS

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"


def machine() -> str:
    """The processor, its cores, and the versions compared."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        pass
    import torch

    return (
        f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, Adjoint {adjoint.__version__}, PyTorch {torch.__version__} "
        f"eager on {torch.get_num_threads()} threads"
    )


def spell(seconds: float) -> str:
    """Seconds in a readable unit."""
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def speed_table(rounds: int, only: str) -> list[str]:
    """A line of Markdown for each workload."""
    import torch

    lines = [
        "| Step | PyTorch | Adjoint | times faster | to reach |",
        "| ---- | ------- | ------- | ------------ | -------- |",
    ]
    for name, target, build in (*WORKLOADS, *DERIVATIVES):
        if only not in name:
            continue
        theirs, ours = time_by_turns([build(torch), build(adjoint)], rounds)
        lines.append(
            f"| {name} | {spell(theirs)} | {spell(ours)} | {theirs / ours:.2f} | {target:.1f} |"
        )
        print(lines[-1], flush=True)
    return lines


def facts() -> list[str]:
    """Import time, depth and memory, a sentence each."""
    numpy_seconds, ours = import_seconds(["numpy", "adjoint"])
    chains = [long_chain(length) for length in (100_000, 1_000_000)]
    before, after = growth_over_training()
    size, peak = hessian_peak()
    plain, each, _ = checkpointing().values()
    depth = " and of ".join(
        f"{each.length:,} operations takes {each.forward:.2f} s forward, {each.backward:.2f} s "
        f"backward and {each.freed:.3f} s to be freed"
        for each in chains
    )
    return [
        (
            f"`import adjoint` takes {ours * 1e3:.0f} ms, `import numpy` alone "
            f"{numpy_seconds * 1e3:.0f} ms: {ours / numpy_seconds:.2f} times as long."
        ),
        f"A chain of {depth}, the cyclic collector off.",
        (
            "Knowing each operation's line and checking saved values takes "
            f"{share_of_provenance():.0%} of a multiplication of 3 elements and its backward."
        ),
        (
            f"256 per-sample gradients take {cost_of_per_sample():.1f} times the batch's gradient "
            f"for a logistic regression, {cost_of_per_sample(classifier):.1f} times for a network "
            f"of 16-32-10."
        ),
        (
            f"The Hessian of a function of 5,000 inputs takes {size / 2**20:.0f} MiB; the most "
            f"that is allocated on the way to it is {peak / size:.2f} times that."
        ),
        (
            f"After 200 training steps of the digits network the process holds "
            f"{before / 2**20:.1f} MiB, after 2,000 {after / 2**20:.1f} MiB."
        ),
        (
            f"A network of 64 blocks saves {plain.saved / 2**20:.0f} MiB for its backward, with a "
            f"checkpoint for each block {each.saved / 2**20:.0f} MiB: a part of "
            f"{each.saved / plain.saved:.2f}. The step's peak falls from {plain.peak / 2**20:.0f} "
            f"to {each.peak / 2**20:.0f} MiB, and it takes {each.seconds / plain.seconds:.1f} "
            "times as long."
        ),
    ]


def main() -> None:
    """Measure, print, and write the README's table unless ``--no-write``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each library")
    parser.add_argument("--only", default="", help="workloads whose name holds this, nothing else")
    parser.add_argument("--no-write", action="store_true", help="leave the README as it is")
    options = parser.parse_args()
    table = speed_table(options.rounds, options.only)
    if options.only:
        return
    text = "\n".join([*table, "", *facts(), "", f"Measured on {machine()}; medians by turns."])
    print(text)
    if not options.no_write:
        before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        README.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
