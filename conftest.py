"""What all tests share: names for examples, repeatable searches, no settings left changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import numpy as np
import pytest

import adjoint
from adjoint import dtypes, printing
from adjoint.tape.modes import modes

# The same examples each time, and no deadline: a busy machine is not a failure.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _names_for_examples(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["torch"] = adjoint
    doctest_namespace["np"] = np


def settings() -> dict[str, Any]:
    """The library's global settings, as values that compare."""
    return {
        "default dtype": dtypes.get_default_dtype(),
        "print options": printing.get_printoptions(),
        "grad mode": modes.enabled,
        "inference mode": modes.inference,
    }


@pytest.fixture(autouse=True)
def _no_leaked_settings() -> Iterator[None]:
    before = settings()
    yield
    after = settings()
    changed = {name: after[name] for name in before if after[name] != before[name]}
    if changed:
        dtypes.set_default_dtype(before["default dtype"])
        printing.set_printoptions(**before["print options"])
        modes.enabled, modes.inference = before["grad mode"], before["inference mode"]
        pytest.fail(f"the test left settings changed: {changed}")
