"""Write ``docs/coverage.md``: every public operation, and what the tests hold of it.

    python tools/generate_coverage.py            # rewrite the page
    python tools/generate_coverage.py --check    # exit with status 1 if it is out of date

What is public comes from the table's own list, the rest from the cases in ``tests/samples``.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "coverage.md"
# A script finds only its own folder: the imports below need the repository, so they come after.
sys.path.insert(0, str(ROOT))

from adjoint.ops.kinds.public import PUBLIC, Public  # noqa: E402
from tests.compiled_rows import called_for  # noqa: E402
from tests.harness import CASES, resolve  # noqa: E402
from tests.harness_compiled import gathered, states  # noqa: E402
from tests.samples.case import Case, Maker  # noqa: E402
from tools.pages import row_of, write  # noqa: E402

import adjoint  # noqa: E402  isort: skip

COLUMNS = (
    "Operation",
    "Method",
    "out",
    "Samples",
    "vjp",
    "vjp²",
    "jvp",
    "batch",
    "traced",
    "compiled",
    "bad input",
)
YES, NO = "✓", "–"

INTRODUCTION = f"""\
<!-- Written by tools/generate_coverage.py from the table and its samples; not by hand. -->

# Coverage

Every public operation, and what the tests hold of it. *Samples* are the calls that are compared
with PyTorch's values; each is then differentiated backward (*vjp*), twice (*vjp²*) and forward
(*jvp*) against finite differences, run under `vmap` in every argument (*batch*), and run on symbols
(*traced*). *Compiled* says what they and their derivatives are in a compiled program: {YES} machine
code, or else which rows of the table are called there, each carried out by its NumPy kernel;
complex numbers always are. *Bad input* counts the calls that must be refused with PyTorch's type of
exception. {NO} stands where the mathematics has nothing to offer (the derivative of a comparison),
or where the shape of a result depends on values, so that it is refused with an error; the notes
below each table say why. *Method* has the methods of `Tensor`, the one with `_` writes in place;
*out* says whether the function takes `out=`.
"""


def cases_of(function: Callable[..., Any]) -> list[Case]:
    """The cases that try a function, under any of its names."""
    found = [(case, resolve(adjoint, case.function)) for case in CASES.values()]
    return [case for case, tried in found if getattr(tried, "operation", tried) is function]


def spelled(each: Public) -> str:
    """An operation's full name, the shortest where it has several."""
    space = min(each.namespaces, key=len, default="Tensor")
    return f"{space}.{each.name}".lstrip(".")


class Operation(NamedTuple):
    """One line: a function under all its names, and the cases that try it."""

    names: list[str]
    methods: list[str]
    takes_out: bool
    cases: list[Case]

    @property
    def blanks(self) -> dict[str, bool]:
        """Whether each column is empty."""
        return {
            "vjp": not any(case.differentiable for case in self.cases),
            "batch": not all(case.batched for case in self.cases),
            "traced": not all(case.traced for case in self.cases),
            "bad input": not any(case.errors for case in self.cases),
        }

    @property
    def cells(self) -> list[str]:
        """The line's cells."""
        samples = sum(len(list(case.samples(Maker(case.function)))) for case in self.cases)
        seeded = " (seeded)" if all(case.random for case in self.cases) else ""
        errors = sum(len(case.errors) for case in self.cases)
        marks = {name: NO if blank else YES for name, blank in self.blanks.items()}
        return [
            ", ".join(f"`{name}`" for name in self.names),
            " ".join(f"`{name}`" for name in self.methods) or NO,
            YES if self.takes_out else NO,
            f"{samples}{seeded}",
            *[marks["vjp"]] * 3,
            marks["batch"],
            marks["traced"],
            self.compiled,
            str(errors or NO),
        ]

    @property
    def compiled(self) -> str:
        """What is called in compiled programs, ``YES`` for nothing."""
        found: dict[str, set[str]] = {}
        for key in (key for key, case in CASES.items() if any(case is each for each in self.cases)):
            for row, reasons in how_compiled(key).items():
                found.setdefault(row, set()).update(reasons)
        if not found:
            return NO
        called = sorted(row for row, reasons in found.items() if called_for(reasons))
        return "calls " + ", ".join(f"`{row}`" for row in called) if called else YES

    @property
    def notes(self) -> list[str]:
        """Why cells are empty, and which inputs have no derivative."""
        blanks = self.blanks
        found = []
        for case in self.cases:
            off = (
                (blanks["vjp"] and not case.differentiable)
                or (blanks["batch"] and not case.batched)
                or (blanks["traced"] and not case.traced)
                or case.constants
            )
            found += [case.note] * bool(off and case.note)
            found += [case.errorless] * bool(blanks["bad input"] and case.errorless)
        return list(dict.fromkeys(found))


@cache
def how_compiled(key: str) -> dict[str, set[str]]:
    """The rows of a case's compiled program, with the reasons why some are called."""
    gathering = gathered(key)
    return states(gathering, key) if gathering.parts else {}


def takes_out(function: Any) -> bool:
    """Whether a function has a parameter ``out``."""
    inner = inspect.unwrap(getattr(function, "fget", function))
    return "out" in inspect.signature(inner).parameters


def operations() -> dict[str, list[Operation]]:
    """The public operations by family."""
    by_function: dict[Callable[..., Any], Operation] = {}
    for each in sorted(PUBLIC, key=lambda each: (len(spelled(each)), spelled(each))):
        if each.function not in by_function:
            takes = bool(each.out) or takes_out(each.function)
            by_function[each.function] = Operation([], [], takes, cases_of(each.function))
        line = by_function[each.function]
        line.names.append(spelled(each))
        line.methods.extend([each.name] * each.method + [f"{each.name}_"] * each.in_place)
    found: dict[str, list[Operation]] = {}
    for line in by_function.values():
        if line.cases:
            found.setdefault(line.cases[0].family, []).append(line)
    return found


def page() -> str:
    """The whole page."""
    warnings.simplefilter("ignore")  # of functions that PyTorch has deprecated
    np.seterr(all="ignore")
    parts = [INTRODUCTION]
    for family, lines in sorted(operations().items()):
        parts.append(f"\n## {family.replace('_', ' ').capitalize()}\n\n")
        parts += [row_of(COLUMNS), row_of("---" for _ in COLUMNS)]
        reasons: dict[str, list[str]] = {}
        for line in sorted(lines, key=lambda line: line.names):
            parts.append(row_of(line.cells))
            for note in line.notes:
                reasons.setdefault(note, []).append(f"`{line.names[0]}`")
        if reasons:
            parts.append("\n")
        parts += [f"- {', '.join(names)}: {note}\n" for note, names in reasons.items()]
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(write(TARGET, page, __doc__))
