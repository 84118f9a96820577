"""Writes through views, in place where nobody looks any more; gradients of reading part by part."""

from __future__ import annotations

from typing import Any

import numpy as np

import adjoint
from adjoint.compiler.nodes import Map, Part, Update
from tests.compiler.lowering.tracing import Traced, gradient, nodes_of, reasons

RANDOM = np.random.default_rng(0)


def a(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape)


def by_places(x: Any) -> Any:
    total = x[:, 0] * 2
    for place in range(1, x.shape[1]):
        total = (total + x[:, place]).tanh()
    return total


def filled(x: Any) -> Any:
    out = x.new_zeros((4, 3, 2))
    for place in range(4):
        out[place] = (x * (place + 1)).sin()
    return out


def read_and_overwritten(x: Any) -> Any:
    y = x * 2
    before = y.exp()  # of what y was
    y[1:] = y[:-1] + 1  # reads what it writes
    y[0].mul_(3)
    return before + y


def two_versions(x: Any) -> Any:
    y = x * 2
    z = y.clone()
    z[0] = 5
    return y - z  # y is needed after the write to its copy


def chained(x: Any) -> Any:
    y = x * 1
    for place in range(3):
        y[place] = y[place] + y.sum(0)
    return y


def written_to_input_view(x: Any) -> Any:
    y = x.t().clone()
    y[0, 1:] += 7
    y.diagonal()[...] = 1
    y[:, 0] = -0.0
    return y


def around_sums(x: Any) -> Any:
    # Overlapping parts, a gather, and a tensor as a whole, in one sum of gradients.
    return (x[1:] * x[:-1]).sum() + (x[0] * -0.0).sum() + x[[0, 2, 0]].exp().sum() + (x * x).sum()


def negative_zeros(x: Any) -> Any:
    return (x[0] * -0.0).sum() + (x[1] * -0.0).sum()


def overlapping(x: Any) -> Any:
    return sum((x[place : place + 2] * (place + 1)).exp() for place in (2, 0, 1)) + x[3] + x[0]


def looked_at_before(x: Any) -> Any:
    # The first gradient is looked at as it is, and added to afterwards.
    first = adjoint.func.grad(lambda x: (x[0] * x[0]).sum())(x)
    other = adjoint.func.grad(lambda x: (x[1] ** 3).sum())(x)
    third = adjoint.func.grad(lambda x: (x[1:3] ** 2).sum())(x)
    late = ((x @ x.t()) @ x) * first
    return late, first.exp(), first + other, (other * 2, other + third)[1] + x


def test_writes_and_gradients() -> None:
    traced = Traced()
    for function in (
        by_places, filled, read_and_overwritten, two_versions, chained, written_to_input_view,
        overlapping,
    ):  # fmt: skip
        x = a(3, 2) if function is filled else a(4, 4)
        traced.add(function, x)
        traced.add(gradient(function), x)
    traced.add(gradient(around_sums), a(4, 4))
    traced.add(gradient(gradient(around_sums)), a(4, 4))
    traced.add(gradient(negative_zeros), a(3, 2))
    traced.add(looked_at_before, a(4, 3))
    assert traced.wrong() == []


def test_a_write_to_what_nobody_reads_copies_nothing() -> None:
    nodes = nodes_of(filled, a(3, 2))
    whole = [node for node in nodes if isinstance(node, Map) and node.domain == (4, 3, 2)]
    assert reasons(nodes) == []
    assert len(whole) == 1  # the zeros
    assert sum(isinstance(node, Update) for node in nodes) == 4


def test_a_sum_of_parts_gradients_is_made_in_one_buffer() -> None:
    nodes = nodes_of(gradient(by_places), a(3, 20))
    large = {node.buffers[0] for node in nodes if node.buffers[0].shape == (3, 20)}
    assert reasons(nodes) == []
    assert len(large) == 1
    assert sum(isinstance(node, Part) for node in nodes) == 20
    assert not any(isinstance(node, Update) for node in nodes)
