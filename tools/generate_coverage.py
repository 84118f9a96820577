"""Write ``docs/coverage.md``: every public operation, and what the tests hold of it.

    python tools/generate_coverage.py            # rewrite the page
    python tools/generate_coverage.py --check    # exit with status 1 if it is out of date

What is public comes from the table's own list, the rest from the cases in ``tests/samples``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "coverage.md"
sys.path.insert(0, str(ROOT))

from adjoint.ops.kinds.public import PUBLIC, Public  # noqa: E402
from tests.harness import CASES, resolve  # noqa: E402
from tests.samples.case import Case, Maker  # noqa: E402

import adjoint  # noqa: E402  isort: skip

COLUMNS = ("Operation", "Method", "Samples", "vjp", "vjp²", "jvp", "batch", "traced", "bad input")
YES, NO, ALWAYS = "✓", "–", "any"

INTRODUCTION = f"""\
<!-- Written by tools/generate_coverage.py from the table and its samples; not by hand. -->

# Coverage

Every public operation, and what the tests hold of it. *Samples* are the calls that are compared
with PyTorch's values; each is then differentiated backward (*vjp*), twice (*vjp²*) and forward
(*jvp*) against finite differences, run under `vmap` in every argument (*batch*), and run on symbols
(*traced*). *Bad input* counts the calls that must be refused with PyTorch's type of exception. {NO}
stands where the mathematics has nothing to offer (the derivative of a comparison), or where the
shape of a result depends on values, so that it is refused with an error; the notes below each table
say why. *Method* has the methods of `Tensor`, the one with `_` writes in place.
"""


def cases_of(function: Callable[..., Any]) -> list[Case]:
    """The cases that try a function, under any of its names."""
    return [case for case in CASES.values() if resolve(adjoint, case.function) is function]


def spelled(each: Public) -> str:
    """An operation's full name, the shortest where it has several."""
    space = min(each.namespaces, key=len, default="Tensor")
    return f"{space}.{each.name}".lstrip(".")


def method_of(each: Public) -> str:
    """The names that the Tensor has for it."""
    names = [each.name] * each.method + [f"{each.name}_"] * each.in_place
    return " ".join(f"`{name}`" for name in names) or NO


def cells(each: Public, cases: list[Case]) -> list[str]:
    """One line of the table."""
    samples = sum(len(list(case.samples(Maker(case.function)))) for case in cases)
    errors = sum(len(case.errors) for case in cases)
    differentiable = any(case.differentiable for case in cases)
    random = all(case.random for case in cases)
    return [
        f"`{spelled(each)}`",
        method_of(each),
        str(samples) + (" (seeded)" if random else ""),
        *[YES if differentiable else NO] * 3,
        YES if all(case.batched for case in cases) else NO,
        YES if all(case.traced for case in cases) else NO,
        str(errors) if errors else ALWAYS,
    ]


def page() -> str:
    """The whole page."""
    found: dict[str, list[list[str]]] = {}
    notes: dict[str, list[str]] = {}
    for each in sorted(PUBLIC, key=spelled):
        cases = cases_of(each.function)
        if not cases:
            continue
        family = cases[0].family
        found.setdefault(family, []).append(cells(each, cases))
        notes.setdefault(family, []).extend(
            f"- `{spelled(each)}`: {text}"
            for text in dict.fromkeys(
                text for case in cases for text in (case.note, case.errorless) if text
            )
        )
    parts = [INTRODUCTION]
    for family, lines in sorted(found.items()):
        parts.append(f"\n## {family.replace('_', ' ').capitalize()}\n\n")
        parts += [row_of(COLUMNS), row_of("---" for _ in COLUMNS), *map(row_of, lines)]
        if notes[family]:
            parts += ["\n", *(note + "\n" for note in notes[family])]
    return "".join(parts)


def row_of(cells: Any) -> str:
    """A line of a table in Markdown."""
    return "| " + " | ".join(cells) + " |\n"


def main() -> int:
    """Write the page, or say that it is out of date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 if stale")
    check = parser.parse_args().check
    text = page()
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    if check:
        print(f"{TARGET.relative_to(ROOT)} is out of date: run {Path(__file__).name}")
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
