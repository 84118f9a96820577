"""Where the targets of margin losses are, and classes that there are not."""

from __future__ import annotations

import numpy as np
import pytest

from adjoint.compiler.program import Equation, Program, Type, Variable
from adjoint.compiler.runtime.executable import Executable
from adjoint.ops.kinds.row import TABLE
from tests.compiler.lowering.comparing import compare


def test_masks() -> None:
    """A class for each example; lists of classes that end, at once or never; batches."""
    lists = np.array([[3, 0, -1, 1], [-1, 2, 2, 2], [0, 1, 2, 3], [1, 1, -1, -1]])
    compare([
        ("class_mask", (np.array([0, 3, 1]),), 4),
        ("class_mask", (np.array([[0, 3, 1], [2, 2, 2]]),), 4),
        ("class_mask", (np.zeros(0, np.int64),), 4),
        ("class_list", (lists,)),
        ("class_list", (np.stack([lists, lists[::-1]]),)),
        ("class_list", (np.zeros((0, 4), np.int64),)),
    ])  # fmt: skip


@pytest.mark.parametrize(("name", "options"), [("class_mask", (3,)), ("class_list", ())])
def test_a_class_there_is_not(name: str, options: tuple[int, ...]) -> None:
    """A ``RuntimeError``, as from the row's own kernel."""
    row, kind = TABLE[name], Type((2, 3), np.dtype(np.int64))
    bad = np.array([[0, 1, 3], [0, 0, 0]])
    with pytest.raises(RuntimeError):
        row.evaluate((bad,), options)
    shape = (2, 3, 3) if options else (2, 3)
    x = Variable("x", kind)
    kinds = (
        [Type(shape, np.dtype(np.bool_))] if options else [kind, *[Type(shape, np.dtype("?"))] * 2]
    )
    outs = tuple(Variable(f"out{number}", each) for number, each in enumerate(kinds))
    executable = Executable(Program([x], [Equation(row, (x,), options, outs)], outs), effort=1)
    with pytest.raises(RuntimeError, match="out of range"):
        executable(bad)
