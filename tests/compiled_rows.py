"""Print how each row of the table is carried out when it is compiled.

    python -m tests.compiled_rows            # all rows: name, kind, state, reasons
    python -m tests.compiled_rows scan fold  # rows whose name or kind has one of these in it

A row is "emitted" as machine code (also if some types are not, which follow), "decomposed" into
others, "removed" as it does nothing, "called" by its own NumPy kernel in the middle of the program
for the reasons that follow ("partly": in some samples), or "refused" in a trace, because the shapes
of its results are in the values.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Iterable

import numpy as np

from adjoint.ops.kinds.row import TABLE
from tests.harness import CASES
from tests.harness_compiled import gathered, states

WORDS = ("", "decomposed", "removed", "refused")
STATES = ("emitted", "decomposed", "removed", "partly", "called", "refused", "unseen")
TYPES = "loops do not compute with "  # the reason of what is emitted in other types


def reasons_of_rows(keys: Iterable[str]) -> dict[str, Counter[str]]:
    """For each row that cases use, in how many of them it is carried out how."""
    found: dict[str, Counter[str]] = {}
    for key in keys:
        gathering = gathered(key)
        try:
            states_of_case = states(gathering, key)
        except Exception as error:  # noqa: BLE001 - the tests show it; here the others count
            states_of_case = {name: {f"FAILS: {error!r}"} for name in CASES[key].rows}
        for name, reasons in states_of_case.items():
            found.setdefault(name, Counter()).update(reasons)
        if gathering.refused:
            for name in CASES[key].rows:
                found.setdefault(name, Counter())["refused"] += 1
    return found


def called_for(reasons: Iterable[str]) -> list[str]:
    """Why a row is called, but for the types that loops do not compute with."""
    return sorted(each for each in reasons if each not in WORDS and not each.startswith(TYPES))


def state_of(reasons: Counter[str]) -> str:
    """One word for all that was found of a row."""
    if not reasons:
        return "unseen"
    kinds = {each for each in reasons if not each.startswith(TYPES)}
    for word in WORDS:
        if kinds == {word}:
            return word or "emitted"
    kinds -= {"refused"}
    if kinds and kinds <= {*WORDS}:
        return "emitted" if "" in kinds else "decomposed"
    return "partly" if kinds & {*WORDS} else "called"


def described(reasons: Counter[str]) -> str:
    """The reasons, with the types that loops do not compute with in one."""
    types = sorted(each.removeprefix(TYPES) for each in reasons if each.startswith(TYPES))
    return "; ".join([*([f"not {', '.join(types)}"] if types else []), *called_for(reasons)])


def main(words: list[str]) -> None:
    """Print the rows that the words choose."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    chosen = {
        name
        for name, row in TABLE.items()
        if not words or any(word in name or word == row.kind for word in words)
    }
    keys = [key for key, case in CASES.items() if not words or chosen & set(case.rows)]
    found = reasons_of_rows(keys)
    counts: Counter[str] = Counter()
    for name in sorted(chosen, key=lambda each: (TABLE[each].kind, each)):
        reasons = found.get(name, Counter())
        state = state_of(reasons)
        counts[state] += 1
        print(f"{name:34} {TABLE[name].kind:12} {state:11} {described(reasons)}")
    print(", ".join(f"{counts[state]} {state}" for state in STATES if counts[state]))


if __name__ == "__main__":
    main(sys.argv[1:])
