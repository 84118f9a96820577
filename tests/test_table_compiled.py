"""The table compiled: every sample of every case, and its derivatives, against eager results.

All samples of a case are one program (see ``harness_compiled``). Machine code is made with little
effort; ``ADJOINT_FULL_EFFORT=1`` in the environment makes it as ``adjoint.compile`` does, of every
sample in every type.
"""

from __future__ import annotations

import os

import pytest

from tests.harness import CASES
from tests.harness_checks import ALL
from tests.harness_compiled import QUICK, Gathering, check, gathered, run

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

# Rows that are taken where memory lies in another order, which what is traced has not.
BY_MEMORY = frozenset({"clone", "reshape_alias", "unsafe_view"})
SHOWN = 4  # of what is wrong with a case
FULL = bool(os.environ.get("ADJOINT_FULL_EFFORT"))


@pytest.mark.parametrize("key", ALL)
def test_compiled(key: str) -> None:
    """Values, vjps, and second vjps of some samples are those of eager calls."""
    found, case = gathered(key, thorough=FULL), CASES[key]
    if case.traced:
        seen = BY_MEMORY.union(*(part.rows for part in found.parts))
        assert set(case.rows) <= seen, "no sample compiles these rows"
    wrong = [f"refused: {what}: {why}" for what, why in found.refused.items() if found.traced]
    wrong += failures(found, key)
    shown = "\n".join(wrong[:SHOWN])
    if wrong:
        pytest.fail(f"{key}: {len(wrong)} wrong\n{shown}", pytrace=False)


def failures(found: Gathering, key: str) -> list[str]:
    """What goes wrong when it is compiled and run."""
    _, results = run(found, key, 3 if FULL else QUICK)
    return check(found, results)
