"""Losses of classes: weights, ignored targets, batches, and classes that there are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from adjoint.compiler.program import Equation, Program, Type, Variable
from adjoint.compiler.runtime.executable import Executable
from adjoint.ops.kinds.row import TABLE
from tests.compiler.lowering.comparing import compare, numbers, spoiled

REDUCTIONS = ("mean", "sum", "none")
COUNT = 5


def classes(shape: tuple[int, ...], kind: Any = np.int64) -> np.ndarray:
    """Random classes."""
    return np.random.RandomState(1).randint(0, COUNT, shape).astype(kind)


def situations(kind: Any) -> Iterator[tuple[Any, Any, Any, int]]:
    """Scores, targets, weights, and what to ignore."""
    weight = np.abs(numbers((COUNT,), kind, 7))
    target = classes((6,))
    some = target.copy()
    some[::2] = -100
    for x in spoiled(numbers((6, COUNT), kind)):
        for given in (None, weight):
            yield x, target, given, -100
            yield x, some, given, -100
            yield x, target, given, 2
            yield x, np.full(6, 2), given, 2  # all are ignored
    stack = numbers((3, 6, COUNT), kind)
    yield stack, classes((3, 6)), None, -100
    yield stack, classes((3, 6)), weight, 1
    yield stack, classes((3, 6)), np.abs(numbers((3, COUNT), kind)), 1
    yield numbers((0, COUNT), kind), classes((0,)), weight, -100
    yield numbers((6, COUNT), kind), classes((6,), np.uint8), None, -100


@pytest.mark.parametrize("kind", [np.float32, np.float64], ids=["float32", "float64"])
def test_values(kind: type) -> None:
    """Likelihoods, cross entropies, and what the scores get back."""
    cases = []
    for x, target, weight, ignored in situations(kind):
        for reduction in REDUCTIONS:
            options = (COUNT, ignored, reduction)
            g = numbers(target.shape if reduction == "none" else target.shape[:-1], kind, 3)
            cases += [
                ("nll_loss", (x, target, weight), *options),
                ("nll_loss_backward", (g, target, weight), *options),
            ]
            if x.size or reduction != "mean":
                cases.append(("cross_entropy", (x, target, weight), *options, None))
    compare(cases)


@pytest.mark.parametrize(("examples", "count"), [(4, 3), (1, 3), (4, 1), (1, 1)])
@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy", "nll_loss_backward"])
def test_a_class_there_is_not(name: str, examples: int, count: int) -> None:
    """An ``IndexError``, as from the row's own kernel; and the program can be called again."""
    row, back = TABLE[name], name.endswith("backward")
    x = np.asarray(1, np.float32) if back else numbers((examples, count), np.float32)
    y = np.arange(examples) % count
    options = (count, -100, "sum", None)[: 3 if name != "cross_entropy" else 4]
    given = Variable("x", Type(x.shape, x.dtype)), Variable("y", Type(y.shape, y.dtype))
    out = Variable("out", Type((examples, count) if back else (), x.dtype))
    equation = Equation(row, (*given, None), options, (out,))
    executable = Executable(Program(given, [equation], [out]), effort=1)
    wanted = row.evaluate((x, y, None), options)
    for wrong in (count, -1, 1 << 40):
        bad = y.copy()
        bad[-1] = wrong
        with pytest.raises(IndexError):
            row.evaluate((x, bad, None), options)
        with pytest.raises(IndexError, match="out of range"):
            executable(x, bad)
        assert np.allclose(executable(x, y)[0], wanted)
