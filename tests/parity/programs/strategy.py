"""Programs for Hypothesis to draw."""

from __future__ import annotations

from hypothesis import strategies

from tests.parity.programs.growing import STEP, grow
from tests.parity.programs.running import Program

LONGEST = 16

number = strategies.integers(0, 255)
steps = strategies.lists(strategies.tuples(*[number] * STEP), min_size=3, max_size=LONGEST)


def programs() -> strategies.SearchStrategy[Program]:
    """Programs that PyTorch carries out, with the statements at which it raises."""
    return strategies.builds(grow, steps, strategies.booleans())
