"""Random programs compiled, and the same ones eager: values, gradients, writes.

``python -m tests.parity.programs --compiled`` runs many more (``make fuzz-compiled``).
"""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

from tests.parity.programs.compiled import difference
from tests.parity.programs.reading import read
from tests.parity.programs.running import Program
from tests.parity.programs.strategy import programs

# What once was different, made short.
FOUND = read(
    (Path(__file__).parent / "programs" / "found_compiled.txt").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found(name: str) -> None:
    found = difference(FOUND[name])
    assert found is None or found[0].startswith("refused"), "\n" + "\n".join(found)


@hypothesis.settings(
    max_examples=200,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(programs())
def test_random_programs(program: Program) -> None:
    found = difference(program)
    if found is not None and not found[0].startswith("refused"):
        pytest.fail("\n" + "\n".join(found), pytrace=False)
