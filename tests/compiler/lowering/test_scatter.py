"""Writing by indices: places that repeat, in order; reductions; what is written to stays whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adjoint
from adjoint.compiler.codegen.module import Module
from adjoint.compiler.grouping import group
from adjoint.compiler.kernels import alive
from adjoint.compiler.lowering import Lowering
from adjoint.compiler.nodes import Map, Update
from adjoint.compiler.program import Program
from adjoint.compiler.runtime.executable import Executable
from tests.compiler.lowering.tracing import Traced, gradient, nodes_of, reasons

RANDOM = np.random.default_rng(2)


def a(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape)


def places(low: int, high: int, *shape: int) -> np.ndarray:
    return RANDOM.integers(low, high, shape)


WRITTEN: list[tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = [
    (lambda x, y, i: x.scatter(0, i, y), (a(3, 4), a(9, 4), places(0, 3, 9, 4))),
    (lambda x, y, i: x.scatter(1, i, y), (a(3, 4), a(3, 9), places(0, 4, 2, 9))),
    (lambda x, y, i: x.scatter_add(1, i, y), (a(3, 4), a(3, 9), places(0, 4, 3, 9))),
    (lambda x, y, i: x.scatter(1, i, 2.5) * y, (a(3, 4), a(3, 4), places(0, 4, 3, 9))),
    (lambda x, y, i: x.index_add(1, i, y, alpha=2), (a(3, 4), a(3, 9), places(0, 4, 9))),
    (lambda x, y, i: x.index_copy(0, i, y), (a(3, 4), a(9, 4), places(0, 3, 9))),
    (lambda x, y, i: x.index_fill(0, i, 3) * y, (a(3, 4), a(4), places(-3, 3, 2))),
    (lambda x, y, i: x.index_put((i,), y), (a(3, 4), a(9, 4), places(-3, 3, 9))),
    (lambda x, y, i: x.index_put((i, i), y, True), (a(3, 4), a(9), places(-3, 3, 9))),
    (lambda x, y, i: x.put(i, y), (a(3, 4), a(9), places(-12, 12, 9))),
    (lambda x, y, i: x.put(i, y, True), (a(3, 4), a(9), places(-12, 12, 9))),
    (lambda x, y, i: x.t().scatter_add(0, i, y), (a(3, 4), a(9, 3), places(0, 4, 9, 3))),
]


def test_writing_and_its_gradients() -> None:
    traced = Traced()
    for function, arrays in WRITTEN:
        traced.add(function, *arrays)
        traced.add(gradient(lambda *xs, f=function: f(*xs).exp()), *arrays)
        swapped = (arrays[1], arrays[0], arrays[2])
        traced.add(gradient(lambda y, x, i, f=function: f(x, y, i).exp()), *swapped)
    assert traced.wrong() == []
    for function, arrays in WRITTEN:
        assert reasons(nodes_of(function, *arrays)) == []


@pytest.mark.parametrize("kind", ["f8", "f4", "i8", "i4", "u1", "b1"])
def test_reductions_where_several_arrive(kind: str) -> None:
    traced = Traced()
    x = (RANDOM.standard_normal((4, 3)) * 3).astype(kind)
    y = (RANDOM.standard_normal((9, 3)) * 3).astype(kind)
    if kind.startswith("f"):
        y[2, 1] = np.nan
    i = places(0, 3, 9, 3)
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        if reduce == "mean" and kind == "b1":
            continue
        for include_self in (True, False):
            traced.add(
                lambda x, y, i, r=reduce, s=include_self: x.scatter_reduce(
                    0, i, y, r, include_self=s
                ),
                x, y, i,
            )  # fmt: skip
    traced.add(lambda x, y, i: x.scatter_add(0, i, y), x, y, i)
    traced.add(lambda x, y, i: x.index_put((i[:, 0],), y, accumulate=True), x, y, i)
    assert traced.wrong() == []


def test_in_place_chains_copy_once() -> None:
    def function(x: Any, i: Any, y: Any) -> Any:
        out = x * 2
        for _ in range(3):
            out.index_add_(0, i, y)
            out[i] = y * 3
        return out

    arrays = (a(50, 2), places(0, 50, 6), a(6, 2))
    nodes = nodes_of(function, *arrays)
    assert sum(isinstance(node, Update) for node in nodes) == 6
    assert sum(isinstance(node, Map) and node.domain == (50, 2) for node in nodes) == 1
    traced = Traced()
    traced.add(function, *arrays)
    assert traced.wrong() == []


def test_empty_indices_write_nothing() -> None:
    traced = Traced()
    none = np.zeros((0, 4), np.int64)
    traced.add(lambda x, i, y: x.scatter(0, i, y), a(3, 4), none, a(0, 4))
    traced.add(lambda x, i, y: x.index_add(0, i, y), a(3, 4), none[:, 0], a(0, 4))
    traced.add(lambda x, i: x[i].sum() + x.index_fill(0, i, 2), a(3, 4), none[:, 0])
    traced.add(gradient(lambda x, i: x[i]), a(3, 4), none[:, 0])
    assert traced.wrong() == []


def with_writes(function: Callable[..., Any], *arrays: np.ndarray) -> Program:
    """A program that writes its first result to its first input."""
    traced = Traced()
    traced.add(function, *arrays)
    found = traced.program()
    return Program(found.inputs, found.equations, found.outputs, found.name, {0: 0}).check()


@pytest.mark.parametrize(
    "function",
    [
        lambda x, i, y: x.index_put((i,), y),
        lambda x, i, y: x.index_add(0, i, y),
        lambda x, i, y: x.scatter_add(0, i[:, None].expand(-1, 3), y),
        lambda x, i, y: x.slice_scatter(y[:2], 0, 3, 5),
    ],
)
def test_inputs_are_written_to_where_they_are(function: Callable[..., Any]) -> None:
    x, i, y = a(9, 3), places(0, 9, 4), a(4, 3)
    program = with_writes(function, x, i, y)
    lowering = Lowering(program)
    module = Module(lowering, group(alive(lowering.nodes, lowering.outputs)))
    assert list(module.direct.values()) == [lowering.inputs[0]]
    executable = Executable(program, effort=1)
    expected = function(*map(adjoint.tensor, (x, i, y))).numpy()
    executable(x, i, y)
    np.testing.assert_allclose(x, expected, rtol=1e-12)
    if "slice_scatter" not in function.__code__.co_names:
        with pytest.raises((IndexError, RuntimeError)):
            executable(x, i + 9, y)
        np.testing.assert_allclose(x, expected, rtol=1e-12)
