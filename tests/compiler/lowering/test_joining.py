"""Joining, padding, rolling: results that are put together from regions."""

from __future__ import annotations

from typing import Any

import numpy as np

import adjoint
from adjoint.compiler.grouping import group
from adjoint.compiler.kernels import nodes_of
from adjoint.compiler.nodes import Part
from adjoint.nn import functional
from tests.compiler.lowering import tracing
from tests.compiler.lowering.tracing import Traced, gradient

RANDOM = np.random.default_rng(3)


def a(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape)


def states(x: Any, w: Any) -> Any:
    h, found = x[0], []
    for place in range(1, len(x)):
        h = (h * w + x[place]).tanh()
        found.append(h)
    return adjoint.stack(found, 1)


def heads(x: Any) -> Any:
    q, k = x.split(6, 2)
    q, k = (each.view(2, 3, 2, 3).transpose(1, 2) for each in (q, k))
    return (q * k).transpose(1, 2).reshape(2, 3, 6).exp()


def test_joined() -> None:
    traced = Traced()
    pieces = [a(2, 3), a(2, 1), a(2, 0), a(2, 4)]
    traced.add(lambda *xs: adjoint.cat([x * 2 for x in xs], 1), *pieces)
    traced.add(lambda x, y: adjoint.cat([x, y.float(), x[:0]], -2), a(2, 3), a(4, 3))
    traced.add(lambda x: adjoint.stack([x, x.t(), x.flip(0)], 1), a(3, 3))
    traced.add(lambda x, y: adjoint.block_diag(x, y, x[:1]), a(2, 3), a(3, 1))
    traced.add(gradient(lambda x, y: adjoint.block_diag(x, y, x[:1]).exp()), a(2, 3), a(3, 1))
    traced.add(states, a(6, 4), a(4))
    traced.add(gradient(lambda x, w: states(x, w).exp()), a(6, 4), a(4))
    traced.add(lambda x: sum(p.exp() for p in x.split([1, 0, 2], 1) if p.shape[1] == 1), a(2, 3))
    traced.add(gradient(heads), a(2, 3, 12))
    parts = lambda x: sum((p * (n + 1)).exp() for n, p in enumerate(x.chunk(3, 1)))  # noqa: E731
    traced.add(gradient(parts), a(2, 6))
    traced.add(gradient(gradient(parts)), a(2, 6))
    assert traced.wrong() == []


def test_padded_and_moved() -> None:
    traced = Traced()
    for mode in ("reflect", "replicate", "circular"):
        for pads in ((1, 2), (2, 0), (0, 1), (3, 3)):
            function = lambda x, m=mode, p=pads: functional.pad(x, p, mode=m)  # noqa: E731
            traced.add(function, a(2, 1, 4))
            traced.add(gradient(lambda x, f=function: f(x).exp()), a(2, 1, 4))
    for pads in ((1, 2), (-1, 2), (1, -3), (-2, -2), (1, 0, -1, 2)):
        function = lambda x, p=pads: functional.pad(x, p, value=-0.5)  # noqa: E731
        traced.add(function, a(3, 4))
        traced.add(gradient(lambda x, f=function: f(x).exp()), a(3, 4))
    for shifts, dims in ((1, ()), (-7, ()), ((2, -1), (0, 1)), ((5, 5), (1, 1)), (0, 0)):
        traced.add(lambda x, s=shifts, d=dims: x.roll(s, d), a(3, 4))
    traced.add(lambda x: x.rot90() + x.rot90(3).flip(0, 1) + x.fliplr() * 2, a(3, 3))
    traced.add(lambda x: x.repeat(2, 3, 1).tile(2) - x.repeat_interleave(2, 0).sum(), a(3, 1))
    traced.add(lambda x: x.tril(-1) + x.triu(1) * 2 + x.diagonal(1).diag(-1), a(4, 4))
    traced.add(lambda x: x.unfold(0, 3, 2).exp(), a(8))
    traced.add(gradient(lambda x: x.unfold(0, 3, 2).exp()), a(8, 2))
    traced.add(lambda x, m: x.masked_fill(m, 2).where(~m, -x), a(3, 3), a(3, 3) > 0)
    traced.add(lambda x: x.new_full((2, 3), 7) + adjoint.zeros_like(x) + x.new_ones(3), a(2, 3))
    assert traced.wrong() == []


def test_pieces_are_written_where_they_are_computed() -> None:
    nodes = tracing.nodes_of(states, a(20, 4), a(4))
    parts = [node for node in nodes if isinstance(node, Part)]
    assert len(parts) == 19
    # No step is there for joining alone.
    assert all(not all(isinstance(node, Part) for node in nodes_of(step)) for step in group(nodes))


def test_pieces_in_another_shape_are_too() -> None:
    nodes = tracing.nodes_of(gradient(heads), a(2, 3, 12))
    assert {node.domain for node in nodes if isinstance(node, Part)} == {(2, 3, 2, 3)}
