"""Losses of every element: reductions, batches, and values that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adjoint.compiler.program import Equation, Program, Type, Variable
from adjoint.compiler.runtime.executable import Executable
from adjoint.ops.kinds.row import TABLE
from tests.compiler.lowering.comparing import compare, numbers, spoiled

REDUCTIONS = ("mean", "sum", "none")
WIDTHS = {"mse_loss": None, "huber_loss": 0.7, "smooth_l1_loss": 1.3}


@pytest.mark.parametrize("kind", [np.float32, np.float64], ids=["float32", "float64"])
def test_values(kind: type) -> None:
    """Every loss, of everything and of each example of a batch, of a number and of nothing."""
    cases: list[Any] = []
    for shape, rank in (((4, 6), 2), ((4, 6), 1), ((), 0), ((0,), 1), ((5, 1), 2)):
        y = numbers(shape, kind, 3)
        for place, x in enumerate(spoiled(numbers(shape, kind))):
            for reduction in REDUCTIONS if not place else ("none",):
                end = (reduction, rank)
                cases += [(name, (x, y), width, *end) for name, width in WIDTHS.items()]
                cases.append(("soft_margin_loss", (x, np.sign(y)), *end))
                cases.append(("binary_cross_entropy_with_logits", (x, y), *end))
                cases.append(
                    ("binary_cross_entropy_with_logits_weighted", (x, y, y, np.abs(y)), *end)
                )
        x, y = (np.abs(each) / 3 for each in (numbers(shape, kind), y))
        for weight in (None, y):
            cases += [
                ("binary_cross_entropy", (x, y, weight), reduction, rank)
                for reduction in REDUCTIONS
            ]
    x = np.array([0, 1, 0.5, 1], kind)
    cases.append(("binary_cross_entropy", (x, x[::-1].copy(), None), "none", 1))
    compare(cases)


def test_raised() -> None:
    """A bound from below."""
    compare([("raised", (x,), 0.25, "") for x in spoiled(numbers((3, 4)))])


REFUSALS = [
    ("binary_cross_entropy", RuntimeError, ("mean", 1), [-0.1, 1.5, np.nan]),
    ("binary_cross_entropy", RuntimeError, ("none", 1), [-0.1, 1.5, np.nan]),
    ("raised", ValueError, (1e-6, "var"), [-0.1]),
]


@pytest.mark.parametrize(("name", "error", "options", "wrong"), REFUSALS)
def test_refused_values(name: str, error: Any, options: Any, wrong: list[float]) -> None:
    """The row's own error after the program; and the program can be called again."""
    row, x = TABLE[name], np.array([0.2, 0.4, 0.6])
    variable = Variable("x", Type(x.shape, x.dtype))
    inputs = (variable,) if name == "raised" else (variable, variable, None)
    wanted = row.evaluate(tuple(each and x for each in inputs), options)
    out = Variable("out", Type(np.shape(wanted), x.dtype))
    program = Program([variable], [Equation(row, inputs, options, (out,))], [out])
    executable = Executable(program, effort=1)
    for each in wrong:
        bad = x.copy()
        bad[1] = each
        with pytest.raises(error):
            executable(bad)
        assert np.allclose(executable(x)[0], wanted)
