"""The table is complete: no cell is blank, and nothing is switched off without a reason."""

from __future__ import annotations

from typing import Any

import pytest

import adjoint
from adjoint.ops.kinds.public import PUBLIC
from adjoint.ops.kinds.row import TABLE
from tests.harness import (
    CASES,
    calls,
    resolve,
)
from tests.harness_checks import (
    ALL,
    DIFFERENTIABLE,
    precise,
)
from tests.harness_tracing import rows_used

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_every_row_has_a_case() -> None:
    covered = {row for case in CASES.values() for row in case.rows}
    # Tracing has rows of its own, for draws, which are made when it is first imported.
    tracing = {
        name
        for name, row in TABLE.items()
        if getattr(row.compute, "__module__", "").startswith("adjoint.compiler.front")
    }
    assert sorted(set(TABLE) - covered - tracing) == []
    assert sorted(covered - set(TABLE)) == [], "cases name rows that there are not"


@pytest.mark.parametrize("key", ALL)
def test_case_uses_its_rows(key: str) -> None:
    """A case's samples go through the rows that it says it covers."""
    drawn = {name for name, row in TABLE.items() if row.inputs == ("witness",)}
    # Those draw numbers out of nothing: outside vmap, they have no input to spy on.
    assert set(CASES[key].rows) - drawn <= set(rows_used(key))


@pytest.mark.parametrize("key", ALL)
def test_what_is_switched_off_has_a_reason(key: str) -> None:
    case = CASES[key]
    switched_off = [
        name
        for name, on in (
            ("differentiable", case.differentiable),
            ("traced", case.traced),
            ("batched", case.batched),
            ("layouts", case.layouts),
            ("constants", not case.constants),
        )
        if not on
    ]
    assert case.note or not switched_off, f"{switched_off} without a note"


@pytest.mark.parametrize("key", DIFFERENTIABLE)
def test_samples_reach_the_derivative(key: str) -> None:
    """A differentiable case has samples that differences can check, of two elements or more."""
    found = [call for call in calls(key) if precise(call)]
    full = [call for call in found if all(leaf.size for leaf in call.leaves)]
    assert any(leaf.size > 1 for call in full for leaf in call.moved)


@pytest.mark.parametrize("key", DIFFERENTIABLE)
def test_every_floating_input_has_a_formula(key: str) -> None:
    """In the rows that a differentiable case covers, unless the case calls an input constant."""
    case = CASES[key]
    for name, floating in rows_used(key).items():
        row = TABLE[name]
        if name not in case.rows or row.vjp is not None or not row.is_differentiable:
            continue
        blank = [row.inputs[place] for place in floating if row.inputs[place] not in row.formulas]
        assert not blank or case.constants, f"row {name} has no formula for {blank}"


def test_every_public_name_is_where_pytorch_has_it() -> None:
    missing = []
    for each in PUBLIC:
        places = [f"{space}.{each.name}".lstrip(".") for space in each.namespaces]
        places += [f"Tensor.{each.name}"] * each.method + [f"Tensor.{each.name}_"] * each.in_place
        for place in places:
            found: Any = adjoint
            for part in place.split("."):
                found = getattr(found, part, None)
            if found is None:
                missing.append(place)
    assert missing == []


def test_every_public_operation_has_a_case() -> None:
    """Functions that are the same under several names need one case for all of them."""
    tried = [resolve(adjoint, case.function) for case in CASES.values()]
    tested = {getattr(each, "operation", each) for each in tried}  # below what takes ``out``
    found = {each.name for each in PUBLIC if each.function in tested}
    assert sorted({each.name for each in PUBLIC} - found) == []
