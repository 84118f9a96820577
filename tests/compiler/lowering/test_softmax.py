"""Softmax and its kin where exponentials overflow, and where there is nothing to choose from."""

from __future__ import annotations

import numpy as np
import pytest

from adjoint.compiler.program import Equation, Program, Type, Variable
from adjoint.compiler.runtime.executable import Executable
from adjoint.ops.kinds.row import TABLE
from tests.compiler.lowering.comparing import compare, numbers, spoiled

ROWS = ("softmax", "log_softmax", "safe_softmax", "logsumexp")


@pytest.mark.parametrize("kind", [np.float32, np.float64], ids=["float32", "float64"])
def test_rows(kind: type) -> None:
    """Along each dim; a row of minus infinities, and one with an infinity."""
    cases = []
    for shape, dim in (((3, 5), -1), ((3, 5), -2), ((2, 3, 70), -1), ((0, 2), -1), ((2, 1), -1)):
        for x in spoiled(numbers(shape, kind) * 100):
            nothing = x.copy()
            nothing[:1] = -np.inf
            for each in (x, nothing):
                cases += [(name, (each,), dim) for name in ROWS[:3]]
                cases.append(("logsumexp", (each,), (dim,), True))
    cases += [(name, (numbers((), kind),), None) for name in ROWS[:2]]
    cases += [("logsumexp", (numbers((), kind),), (), False)]
    compare(cases)


def test_a_loss_and_its_gradient_share_exponentials() -> None:
    """The largest, the exponentials and their sum are made once for both."""
    scores, classes = Type((8, 5), np.dtype("f4")), Type((8,), np.dtype("i8"))
    x, y = Variable("x", scores), Variable("y", classes)
    loss, share = Variable("loss", Type((), np.dtype("f4"))), Variable("share", scores)
    equations = [
        Equation(TABLE["cross_entropy"], (x, y, None), (5, -100, "mean", None), (loss,)),
        Equation(TABLE["softmax"], (x,), (-1,), (share,)),
    ]
    executable = Executable(Program((x, y), equations, (loss, share)), effort=1)
    done = " ".join(name for step in executable.code.steps for name in step.operations)
    assert done.count("exp") == 1
    assert done.count("reduce max") == 1
