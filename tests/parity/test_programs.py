"""Programs of tensors in PyTorch and in Adjoint: each statement does the same in both.

``python -m tests.parity.programs`` runs many more (``make fuzz``).
"""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

from tests.parity.programs.comparing import difference
from tests.parity.programs.reading import read
from tests.parity.programs.running import Program
from tests.parity.programs.strategy import programs

# What once was different, made short.
FOUND = read((Path(__file__).parent / "programs" / "found.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("every", [True, False], ids=["looked at often", "looked at once"])
@pytest.mark.parametrize("name", FOUND)
def test_what_was_found(name: str, every: bool) -> None:
    """The same, whether or not the tensors are looked at on the way."""
    found = difference(FOUND[name]._replace(every=every))
    assert found is None, f"\n{found}"


@hypothesis.settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(programs())
def test_random_programs(program: Program) -> None:
    found = difference(program)
    if found is not None:
        pytest.fail(f"\n{found}", pytrace=False)
