"""Where buffers lie: the arena, what overwrites what, and what is written to inputs at once."""

from __future__ import annotations

from typing import Any

import numpy as np

import adjoint as torch
from adjoint.compiler.front.function import compile
from adjoint.compiler.grouping import group
from adjoint.compiler.kernels import alive, nodes_of, stored
from adjoint.compiler.lowering import lower
from adjoint.compiler.memory import ALIGNMENT, plan
from adjoint.compiler.runtime.building import build
from adjoint.compiler.runtime.executable import Executable
from adjoint.compiler.sharing import direct, last_looks
from tests.compiler.programs import program_of


def planned(function: Any, *args: torch.Tensor) -> tuple[Any, list[Any]]:
    """The plan of a function's memory, and its steps."""
    lowering = lower(program_of(function, *args))
    steps = group(alive(lowering.nodes, lowering.outputs))
    outside = {*lowering.inputs, *lowering.outputs}
    return plan(steps, stored(steps, lowering.outputs), outside), steps


def chain(x: torch.Tensor) -> torch.Tensor:
    """Products with maps between them, each of the size of ``x``."""
    for _ in range(6):
        x = (x @ x).tanh()
    return x.sum()


def test_what_lives_at_the_same_time_lies_apart():
    def function(x, y):
        a, b = x @ y, y @ x
        c = (a + b).exp() @ a
        return c @ b, c.sum()

    found, steps = planned(function, torch.ones(9, 9), torch.ones(9, 9))
    born: dict[Any, int] = {}
    for at, step in enumerate(steps):
        for node in nodes_of(step):
            for buffer in node.buffers:
                born.setdefault(buffer, at)
    last = last_looks(steps)
    for one, begin in found.offsets.items():
        assert begin % ALIGNMENT == 0
        assert begin + one.bytes <= found.size
        for other, start in found.offsets.items():
            apart = begin + one.bytes <= start or start + other.bytes <= begin
            never_both = last[one] <= born[other] if born[one] < born[other] else True
            if one is not other and born[one] != born[other] and not never_both:
                assert apart or born[one] > born[other]


def test_memory_is_used_again():
    found, _ = planned(chain, torch.ones(32, 32))
    room = 32 * 32 * 4
    assert len(found.offsets) > 6
    assert found.size <= 3 * room
    assert found.same  # maps overwrite what dies with them
    for new, old in found.same.items():
        assert found.offsets[new] == found.offsets[old]


def test_nothing_is_overwritten_that_is_looked_at_elsewhere():
    """In the same loops, but at another place: a transpose, or a row that is flipped."""

    def function(x):
        y = x @ x
        z = (y + y.t()) @ x
        return (z.flip(0) * z).sum(), (z + 1) @ x

    program = program_of(function, torch.ones(12, 12))
    x = np.random.default_rng(0).standard_normal((12, 12)).astype(np.float32)
    found = Executable(program, effort=1)(x)
    for one, other in zip(found, program.evaluate([x]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def directly(function: Any, *args: torch.Tensor, writes: dict[int, int]) -> int:
    """How many results are stored in inputs' memory at once; and they are right."""
    program = program_of(function, *args, writes=writes)
    rng = np.random.default_rng(1)
    given = [rng.integers(0, 5, each.shape).astype(each.numpy().dtype) for each in args]
    wanted = program.evaluate([each.copy() for each in given])
    found = Executable(program, effort=1)(*given)
    for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
        one = given[writes[number]] if number in writes else one
        np.testing.assert_allclose(one, other, rtol=1e-5)
    assert build(program, 1).arena >= 0
    lowering = lower(program)
    steps = group(alive(lowering.nodes, lowering.outputs))
    targets = {lowering.outputs[a]: lowering.inputs[b] for a, b in writes.items()}
    read = {*lowering.outputs} & {*lowering.inputs}
    return len(direct(steps, targets, read))


def test_updates_are_stored_where_they_belong():
    ones = torch.ones(6, 5)
    step = {0: 0, 1: 1}
    assert (
        directly(lambda p, m: (p - (m * 0.9 + p) * 0.1, m * 0.9 + p), ones, ones, writes=step) == 2
    )
    # Exchanged: each is needed when the other is overwritten.
    assert directly(lambda p, m: (m + 1, p + 1), ones, ones, writes=step) < 2
    # Looked at afterwards, at other places, or given back as it was.
    assert directly(lambda p: (p + 1, p.t() @ p), ones, writes={0: 0}) == 0
    assert directly(lambda p: (p.flip(0) + p,), ones, writes={0: 0}) == 0
    assert directly(lambda p: (p + 1, p), ones, writes={0: 0}) <= 1
    # A call comes afterwards, which may fail.
    assert directly(lambda p: (p + 1, torch.sort((p + 1).sum(0))[0]), ones, writes={0: 0}) == 0
    # A softmax's rows are all read before they are overwritten.
    assert directly(lambda p: (p.softmax(-1),), torch.ones(30, 40), writes={0: 0}) == 1


def test_places_of_what_is_stored_directly_are_updated():
    """Parts of a written input change after all of it, and are looked at after that."""
    whole, rows = torch.arange(6.0).reshape(2, 3), torch.zeros(5, 3)

    def step(index):
        whole.add_(1)
        whole.reshape(-1)[1:4].mul_(2)
        rows.add_(1)
        rows.index_add_(0, index, torch.ones(3, 3))
        return whole.sum(), rows.sum(0)

    index = torch.tensor([0, 2, 2])
    compiled = compile(step)
    for _ in range(2):
        before = whole.clone(), rows.clone()
        found = compiled(index)
        after = whole.clone(), rows.clone()
        whole.copy_(before[0])
        rows.copy_(before[1])
        wanted = step(index)
        for one, other in zip((*found, *after), (*wanted, whole, rows), strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_nothing_is_written_if_a_check_fails():
    def function(p, index):
        return p * 2, p.gather(0, index).sum()

    program = program_of(function, torch.ones(4), torch.zeros(3, dtype=torch.int64), writes={0: 0})
    run = Executable(program, effort=1)
    p = np.arange(4, dtype=np.float32)
    try:
        run(p, np.array([0, 9, 1]))
    except (IndexError, RuntimeError):
        pass
    else:
        raise AssertionError("an index out of range passed")
    np.testing.assert_array_equal(p, [0, 1, 2, 3])
    run(p, np.array([0, 3, 1]))
    np.testing.assert_array_equal(p, [0, 2, 4, 6])
