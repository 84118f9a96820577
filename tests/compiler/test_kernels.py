"""Which nodes are computed in the same loops, and how their axes are arranged for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import adjoint as torch
from adjoint.compiler.arrangement import Piece, arrange, reach
from adjoint.compiler.grouping import group
from adjoint.compiler.kernels import Kernel, alive, stored
from adjoint.compiler.lowering import lower
from adjoint.compiler.nodes import Map, Reduction
from tests.compiler.programs import program_of


def steps_of(function: Callable[..., Any], *shapes: tuple[int, ...]) -> tuple[list[Any], Any]:
    """The steps of a function of tensors of these shapes, and what it gives."""
    lowering = lower(program_of(function, *[torch.ones(shape) for shape in shapes]))
    return group(alive(lowering.nodes, lowering.outputs)), lowering.outputs


def kernels_of(function: Callable[..., Any], *shapes: tuple[int, ...]) -> list[Kernel]:
    """As above, where all steps are kernels."""
    steps, _ = steps_of(function, *shapes)
    assert all(isinstance(each, Kernel) for each in steps)
    return steps


# -- arrangement ----------------------------------------------------------------------------------


def test_axes_are_split_where_others_end():
    found = arrange((512, 64), (0, 1), (8, 64))
    assert found.outer == (Piece(0, 8, 64), Piece(0, 64, 1))
    assert found.inner == (Piece(1, 64, 1),)
    assert found.over_outer((64, 1)) == (4096, 64)
    refined = arrange((8, 64, 64), (0, 1, 2), (512,))
    assert (refined.shared, refined.sizes) == ((8, 64), (64,))


def test_axes_in_another_order_and_those_of_size_one():
    found = arrange((4, 1, 3, 8), (2, 0, 1, 3), (3,))
    assert (found.shared, found.sizes) == ((3,), (4, 8))
    assert found.over_inner((24, 24, 8, 1)) == (24, 1)
    assert arrange((6, 4), (0, 1), (4,)) is None
    assert arrange((6,), (0,), (6, 2)) is None


def test_reach_in_both_directions():
    assert reach((3, 4), (10, -1)) == (-3, 20)


# -- grouping -------------------------------------------------------------------------------------


def test_maps_and_a_sum_of_all_are_one_pass():
    def function(x, w):
        y = (x * w).tanh() + x
        return y.sum(), y * 2

    maps = kernels_of(function, (40, 30), (40, 30))[0]
    assert len(maps.phases) == 1
    assert {type(each) for each in maps.nodes} == {Map, Reduction}


def test_rows_of_a_softmax_are_phases():
    (kernel,) = kernels_of(lambda x: x.softmax(-1), (50, 40))
    assert kernel.frame.outer == (50,)
    assert len(kernel.phases) > 2
    assert all(kernel.frame.order is None for _ in kernel.phases)
    # What lies between the phases needs no memory but a row.
    assert not kernel.in_memory()
    assert {kernel.row_of(each) for each in kernel.crossing()} == {40}


def test_the_same_rows_in_other_shapes_join():
    def function(x, y):
        return x.softmax(-1).reshape(8, 5, 40) + y

    (kernel,) = kernels_of(function, (40, 40), (8, 5, 40))
    assert kernel.frame.outer == (8, 5)


def test_kept_axes_come_first_where_others_are_summed():
    kernel = kernels_of(lambda x: x - x.mean((0, 2), keepdim=True), (4, 30, 50))[0]
    assert kernel.frame.order == (1, 0, 2)
    assert kernel.frame.outer == (30,)
    assert len(kernel.phases) > 1


def test_what_looks_elsewhere_is_another_kernel():
    assert len(kernels_of(lambda x: x.exp().sum(0) + 1, (50, 40))) == 2  # sums over outer loops
    assert len(kernels_of(lambda x: (x.exp() + x.exp().t()) * 2, (40, 40))) == 2
    flipped = kernels_of(lambda x: x.softmax(-1).flip(1) + 1, (50, 40))
    assert len(flipped) == 1  # within the row
    assert len(kernels_of(lambda x: x.softmax(-1).flip(0) + 1, (50, 40))) == 2


def test_few_rows_stay_apart():
    """Two rows of a million are no turns for threads."""
    assert len(kernels_of(lambda x: x.softmax(-1), (2, 300_000))) > 1


def test_steps_come_after_what_they_need():
    def function(x, w):
        y = (x @ w).relu()
        z = torch.sort(y)[0]
        return (z @ w).sum() + y.sum(), y * z

    steps, outputs = steps_of(function, (6, 6), (6, 6))
    made: set[Any] = set()
    for step in steps:
        nodes = step.nodes if isinstance(step, Kernel) else [step]
        own = {buffer for node in nodes for buffer in node.buffers}
        for node in nodes:
            for look in node.looks():
                assert look.buffer.node is None or look.buffer in made | own
        made |= own
    assert set(outputs) <= made
    assert set(outputs) <= stored(steps, outputs)


def test_writes_at_loaded_places_are_alone():
    def function(x, index, w):
        return torch.zeros(20, 4).index_add(0, index, x), w * 2

    lowering = lower(
        program_of(function, torch.ones(6, 4), torch.zeros(6, dtype=torch.int64), torch.ones(6, 4))
    )
    for step in group(alive(lowering.nodes, lowering.outputs)):
        if isinstance(step, Kernel) and step.updates:
            assert len(step.nodes) == 1
