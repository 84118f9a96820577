"""Run random programs in PyTorch and in Adjoint: ``python -m tests.parity.programs --count 10000``.

With ``--compiled``, in Adjoint alone: as compiled functions, and eager.

Programs are run in batches, each in a process of its own, so that a crash costs one batch. The
status is 1 if anything differed; each kind of difference is shown once, by its shortest program.
What a compiled function refuses, saying so, is listed and is no difference.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

BATCH = 500


def main() -> int:
    """Run batches until there are enough, and report."""
    parser = argparse.ArgumentParser(prog="tests.parity.programs", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="how many programs")
    parser.add_argument("--seed", type=int, default=0, help="where to start: other programs")
    parser.add_argument("--jobs", type=int, default=2, help="how many batches at a time")
    parser.add_argument("--without", default="", help="leave out statements with these words")
    parser.add_argument("--compiled", action="store_true", help="compiled against eager")
    parser.add_argument("--batch", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.batch is not None:
        return run_batch(options)
    started = time.perf_counter()
    batches = -(-options.count // BATCH)
    failures: dict[str, list[str]] = {}
    done = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        seeds = range(options.seed, options.seed + batches)
        for report in pool.map(lambda seed: in_a_process(Path(folder), seed, options), seeds):
            done += report["count"]
            for kind, text in report["failures"]:
                failures.setdefault(kind, []).append(text)
            refused = sum(len(failures[kind]) for kind in failures if is_refusal(kind))
            found = sum(map(len, failures.values())) - refused
            seconds = time.perf_counter() - started
            line = f"{done} programs, {found} differ, {refused} refused, {seconds:.0f} s"
            print(line, file=sys.stderr, flush=True)
    for kind, texts in sorted(failures.items(), key=lambda item: -len(item[1])):
        print(f"\n{'=' * 79}\n{len(texts)} times: {kind}\n")
        print(min(texts, key=len))
    count = sum(not is_refusal(kind) for kind in failures)
    print(f"\n{done} programs, {count} kinds of differences")
    return int(bool(count))


def is_refusal(kind: str) -> bool:
    """Whether a function could not be compiled, and said so."""
    return kind.startswith("refused")


def in_a_process(folder: Path, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """What a batch reports; a crash is reported with the program that was running."""
    target = folder / str(seed)
    command = [sys.executable, "-m", "tests.parity.programs", "--batch", str(target)]
    command += ["--compiled"] * options.compiled
    run = subprocess.run(
        [*command, "--seed", str(seed), "--count", str(BATCH), "--without", options.without],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = target.read_text(encoding="utf-8").splitlines() if target.exists() else []
    reports = [json.loads(line) for line in lines]
    count = max([report["count"] for report in reports], default=0)
    failures = [report["failure"] for report in reports if "failure" in report]
    if run.returncode:
        running = [report["running"] for report in reports if "running" in report]
        failures.append(
            [f"status {run.returncode}", "\n".join([*running[-1:], run.stderr[-2000:]])]
        )
    return {"count": count, "failures": failures}


def differences(options: argparse.Namespace) -> Callable[[Any], tuple[str, str] | None]:
    """What finds the difference of a program: its kind, and how it shows."""
    if options.compiled:
        from tests.parity.programs import compiled

        return compiled.difference
    from tests.parity.programs.comparing import difference
    from tests.parity.programs.reducing import reduce

    seen: set[str] = set()

    def find(program: Any) -> tuple[str, str] | None:
        found = difference(program)
        if found is None:
            return None
        kind = found.kind
        if kind not in seen:
            seen.add(kind)
            found = reduce(found)
        return found.kind, str(found)

    return find


def run_batch(options: argparse.Namespace) -> int:
    """Run a batch, writing a line of JSON before each program and for each difference."""
    import hypothesis

    from tests.parity.programs.growing import leave_out
    from tests.parity.programs.strategy import programs

    leave_out(options.without.split())
    difference = differences(options)
    done = 0

    with options.batch.open("w", encoding="utf-8") as file:

        def write(**what: Any) -> None:
            file.write(json.dumps({"count": done, **what}) + "\n")
            file.flush()

        @hypothesis.seed(options.seed)
        @hypothesis.settings(
            max_examples=options.count,
            phases=[hypothesis.Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(programs())
        def run(program: Any) -> None:
            nonlocal done
            write(running=str(program))
            found = difference(program)
            done += 1
            if found is not None:
                write(failure=found)

        run()
        write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
