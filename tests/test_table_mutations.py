"""The table's tests have teeth: each column fails when the rule that it checks is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adjoint.array import symbol
from adjoint.array.value import apply
from adjoint.ops.contraction import bmm_row
from adjoint.ops.kinds.row import TABLE, Row
from adjoint.ops.kinds.rules import batch_same
from adjoint.tape.tensor import Tensor, wrap
from tests import (
    test_table,
    test_table_complete,
    test_table_inputs,
    test_table_transforms,
)
from tests.harness import CASES
from tests.references import table as references
from tests.samples.case import sample, wrong

KEY = "bmm"  # a product: its second derivatives are not zero, and it has complex samples
Patch = pytest.MonkeyPatch


@pytest.fixture
def row(monkeypatch: Patch) -> Row:
    """The row, without the plans that it has made so far, and what traces know of it."""
    found = TABLE[KEY]
    monkeypatch.setattr(found, "_plans", {})
    monkeypatch.setattr(symbol, "_KNOWN", {})
    return found


def change_compute(row: Row, monkeypatch: Patch, compute: Callable[..., Any]) -> None:
    """Compute something else, on the short way too, whose closure holds the function."""
    for cell in bmm_row.__closure__:
        if cell.cell_contents is row.compute:
            monkeypatch.setattr(cell, "cell_contents", compute)
    monkeypatch.setattr(row, "compute", compute)


def fails(column: Callable[..., None], *args: Any) -> None:
    """Fail unless the column finds what is broken."""
    with pytest.raises((AssertionError, ExceptionGroup)) as caught:
        column(KEY, *args)
    assert "reference" not in str(caught.value)


def test_a_whole_row_passes() -> None:
    for column in (
        test_table.test_forward,
        test_table.test_vjp,
        test_table.test_double_vjp,
        test_table.test_jvp,
        test_table.test_bad_input,
        test_table_transforms.test_batch_of_derivatives,
        test_table_transforms.test_traced,
        test_table_inputs.test_layouts,
        test_table_inputs.test_lower_precision,
        test_table_inputs.test_result_types,
        test_table_complete.test_case_uses_its_rows,
    ):
        column(KEY)
    test_table_transforms.test_batch(KEY, 0)


def test_forward_finds_a_wrong_value(row: Row, monkeypatch: Patch) -> None:
    change_compute(row, monkeypatch, lambda x, y: np.matmul(x, y) * (1 + 1e-5))
    fails(test_table.test_forward)


def test_forward_finds_a_call_that_changes_its_input(row: Row, monkeypatch: Patch) -> None:
    def compute(x: Any, y: Any) -> Any:
        out = np.matmul(x, y)
        x *= 2
        return out

    change_compute(row, monkeypatch, compute)
    fails(test_table.test_forward)


def change_formula(
    row: Row, monkeypatch: Patch, name: str, change: Callable[[Any], Any], *, before: bool = False
) -> None:
    """Put ``change`` after a formula, or before it, on the value that it saved."""
    formula = row.formulas[name]
    saved = {"x": "y", "y": "x"}[name]
    if before:
        new = {
            "x": lambda g, y: formula(g, change(y)),
            "y": lambda g, x: formula(g, change(x)),
        }[name]
    else:
        new = {
            "x": lambda g, y: change(formula(g, y)),
            "y": lambda g, x: change(formula(g, x)),
        }[name]
    assert saved in new.__code__.co_varnames
    monkeypatch.setitem(row.formulas, name, new)


@pytest.mark.parametrize("name", ["x", "y"])
def test_vjp_finds_a_wrong_factor(row: Row, monkeypatch: Patch, name: str) -> None:
    change_formula(row, monkeypatch, name, lambda g: g * (1 + 1e-5))
    fails(test_table.test_vjp)


def test_vjp_finds_a_missing_formula(row: Row, monkeypatch: Patch) -> None:
    monkeypatch.delitem(row.formulas, "y")
    fails(test_table.test_vjp)
    test_table_complete.rows_used.cache_clear()
    fails(test_table_complete.test_every_floating_input_has_a_formula)


def test_vjp_finds_a_missing_conjugate(row: Row, monkeypatch: Patch) -> None:
    monkeypatch.setattr(row, "conjugate", False)
    fails(test_table.test_vjp)


def test_double_vjp_finds_a_formula_that_forgets_its_history(row: Row, monkeypatch: Patch) -> None:
    def forget(value: Any) -> Any:
        return wrap(value._array, value._level) if isinstance(value, Tensor) else value

    change_formula(row, monkeypatch, "x", forget, before=True)
    test_table.test_jvp(KEY)  # whose rule is another, and which looks at first derivatives only
    fails(test_table.test_double_vjp)


def test_jvp_finds_a_wrong_rule(row: Row, monkeypatch: Patch) -> None:
    rule = row.jvp
    assert rule is not None
    monkeypatch.setattr(row, "jvp", lambda *args: rule(*args) * 1.001)
    test_table.test_vjp(KEY)
    fails(test_table.test_jvp)


def test_batch_finds_examples_in_the_wrong_order(row: Row, monkeypatch: Patch) -> None:
    def rule(row: Row, size: int, values: Any, batched: Any, options: Any) -> Any:
        return batch_same(row, size, [values[0], values[1][::-1]], batched, options)

    monkeypatch.setattr(row, "batch", rule)
    fails(test_table_transforms.test_batch, 0)
    fails(test_table_transforms.test_batch_of_derivatives)


@pytest.mark.parametrize("change", ["shape", "dtype"])
def test_traced_finds_a_wrong_fact(row: Row, monkeypatch: Patch, change: str) -> None:
    infer = row.infer
    assert infer is not None

    def rule(*args: Any) -> Any:
        shape, kind = infer(*args)
        return ((*shape, 1), kind) if change == "shape" else (shape, kind.to_complex())

    monkeypatch.setattr(row, "infer", rule)
    fails(test_table_transforms.test_traced)


def test_traced_finds_a_value_that_is_baked_in(row: Row, monkeypatch: Patch) -> None:
    def formula(g: Any, y: Any) -> Any:
        constant = np.ones((y.shape[0], y.shape[2], y.shape[1]))
        return apply(row, (g, constant))

    monkeypatch.setitem(row.formulas, "x", formula)
    fails(test_table.test_vjp)


def test_bad_input_finds_a_call_that_is_let_through(monkeypatch: Patch) -> None:
    let_through = wrong(RuntimeError, "shapes", np.ones((1, 2, 3)), np.ones((1, 3, 4)))
    monkeypatch.setitem(CASES, KEY, replace(CASES[KEY], errors=(let_through,)))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        test_table.test_bad_input(KEY)


@pytest.mark.parametrize("blank", [{"errors": ()}, {"traced": False}, {"constants": (0,)}])
def test_a_blank_cell_fails(monkeypatch: Patch, blank: dict[str, Any]) -> None:
    monkeypatch.setitem(CASES, KEY, replace(CASES[KEY], note="", **blank))
    if "errors" in blank:
        fails(test_table.test_bad_input)
    else:
        fails(test_table_complete.test_what_is_switched_off_has_a_reason)


def test_samples_that_reach_no_derivative_fail(monkeypatch: Patch) -> None:
    def empty(make: Any) -> Any:
        return [sample(make(0, 2, 2), make(0, 2, 3))]

    monkeypatch.setitem(CASES, KEY, replace(CASES[KEY], samples=empty))
    fails(test_table_complete.test_samples_reach_the_derivative)


def test_layouts_find_a_kernel_that_looks_at_strides(row: Row, monkeypatch: Patch) -> None:
    def compute(x: Any, y: Any) -> Any:
        return np.matmul(x.ravel(order="K").reshape(x.shape), y)

    change_compute(row, monkeypatch, compute)
    test_table.test_forward(KEY)
    fails(test_table_inputs.test_layouts)


def test_lower_precision_finds_a_coarse_kernel(row: Row, monkeypatch: Patch) -> None:
    def compute(x: Any, y: Any) -> Any:
        if x.dtype == np.float32:
            x, y = x.astype(np.float16), y.astype(np.float16)
            return np.matmul(x, y).astype(np.float32)
        return np.matmul(x, y)

    change_compute(row, monkeypatch, compute)
    test_table.test_forward(KEY)
    fails(test_table_inputs.test_lower_precision)


def test_result_types_find_a_kernel_that_widens(row: Row, monkeypatch: Patch) -> None:
    change_compute(row, monkeypatch, lambda x, y: np.matmul(x, y).astype(np.float64))
    fails(test_table_inputs.test_result_types)


def test_a_changed_sample_is_told_from_a_wrong_value(monkeypatch: Patch) -> None:
    samples = CASES[KEY].samples

    def changed(make: Any) -> Any:
        make()
        return samples(make)

    monkeypatch.setitem(CASES, KEY, replace(CASES[KEY], samples=changed))
    with pytest.raises((references.MissingReferenceError, ExceptionGroup)) as caught:
        test_table.test_forward(KEY)
    first = caught.value.exceptions[0] if isinstance(caught.value, ExceptionGroup) else caught.value
    assert "stale" in str(first)
