"""How far each function of the library is off at most: ``python -m tests.compiler.codegen.sweep``.

Looks at all 2^32 numbers of float32 (``--all``) or at a number of them, and at as many of float64,
with fused products and without. Names of functions may follow.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np

from adjoint.compiler.expressions import function
from tests.compiler.codegen.compiled import PLAIN, compiled
from tests.compiler.codegen.references import (
    CASES,
    arguments,
    errors,
    exact_values,
    true_values,
)

CHUNK = 1 << 22


def parts(name: str, kind: str, count: int, every: bool) -> Iterator[tuple[Any, ...]]:
    """Arguments, in portions."""
    if every and kind == "f4" and CASES[name].count == 1:
        for start in range(0, 1 << 32, CHUNK):
            yield (np.arange(start, start + CHUNK, dtype=np.uint32).view("f4"),)
        return
    for seed in range(max(1, count // CHUNK)):
        yield arguments(name, kind, min(count, CHUNK), seed)


def worst(name: str, kind: str, count: int, every: bool) -> tuple[list[float], list[Any]]:
    """The largest distances on this machine and without fused products, and where the first is."""
    case, found = CASES[name], [0.0, 0.0]
    where: list[Any] = []
    for args in parts(name, kind, count, every):
        if case.numpy is None:  # mpmath is slow
            low, high = case.domain
            keep = np.isfinite(args[0]) & (args[0] > low) & (args[0] < high) & (args[0] != 0)
            args = (args[0][keep][:: max(1, int(keep.sum()) // (count // 100))],)
            true = exact_values(name, *args)
        else:
            true = (true_values(name, *args),)
        for place, target in enumerate((None, PLAIN)):
            away = errors(compiled(function_of(name), (kind,) * case.count, target)(*args), *true)
            top = int(np.argmax(away))
            if away[top] > found[place]:
                found[place] = float(away[top])
                where = where if place else [each[top] for each in args]
    return found, where


_functions: dict[str, Any] = {}


def function_of(name: str) -> Any:
    """The same object each time, for what is compiled to be found again."""
    return _functions.setdefault(name, function(name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="functions; all of them if none is named")
    parser.add_argument("--count", type=int, default=1 << 22, help="numbers for each function")
    parser.add_argument("--all", action="store_true", help="every number of float32")
    options = parser.parse_args()
    np.seterr(all="ignore")
    for name in options.names or CASES:
        for kind in ("f4", "f8"):
            (here, plain), where = worst(name, kind, options.count, options.all)
            at = ", ".join(map(repr, where))
            print(
                f"{name:8} {kind}  {here:.3f}  without fused products {plain:.3f}  {at}", flush=True
            )


if __name__ == "__main__":
    main()
