"""Executables: results, writes to inputs, calls in the middle, errors, threads."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import numpy as np
import pytest

import adjoint as torch
from adjoint.compiler.program import Equation, Program, Type, Variable
from adjoint.compiler.runtime.building import build
from adjoint.compiler.runtime.executable import FINISHED, Executable
from adjoint.ops.kinds.row import TABLE
from tests.compiler.programs import program_of

FLOAT = np.dtype(np.float32)


def exact(arrays: list[Any], program: Program, given: list[Any]) -> None:
    for found, wanted in zip(arrays, program.evaluate(given), strict=True):
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.fixture(scope="module")
def swap() -> Executable:
    """x, y = y * 2, x + y, written to the inputs, and their sum."""
    program = program_of(
        lambda x, y: (y * 2, x + y, (x + y).sum()),
        torch.ones(3),
        torch.ones(3),
        writes={0: 0, 1: 1},
    )
    return Executable(program, effort=1)


def test_results_are_written_to_inputs_when_all_is_computed(swap):
    x, y = np.array([1, 2, 3], FLOAT), np.array([10, 20, 30], FLOAT)
    total = swap(x, y)
    assert total[:2] == [None, None]
    assert total[2] == 66
    np.testing.assert_array_equal(x, [20, 40, 60])
    np.testing.assert_array_equal(y, [11, 22, 33])


def test_inputs_exchanged():
    program = program_of(lambda x, y: (y, x), torch.ones(2), torch.ones(2), writes={0: 0, 1: 1})
    x, y = np.array([1, 2], FLOAT), np.array([3, 4], FLOAT)
    assert Executable(program, effort=1)(x, y) == [None, None]
    np.testing.assert_array_equal(x, [3, 4])
    np.testing.assert_array_equal(y, [1, 2])


def test_an_input_as_it_was_before_it_was_written_to():
    program = program_of(
        lambda x, y: (x + 1, x, y), torch.ones(2), torch.ones(2), writes={0: 0, 1: 1}
    )
    program = Program(
        program.inputs,
        program.equations,
        [*program.outputs, *program.inputs],
        writes=program.writes,
    )
    x, y = np.array([1, 2], FLOAT), np.array([3, 4], FLOAT)
    results = Executable(program, effort=1)(x, y)
    np.testing.assert_array_equal(x, [2, 3])
    np.testing.assert_array_equal(y, [1, 2])
    np.testing.assert_array_equal(results[3], [1, 2])
    np.testing.assert_array_equal(results[4], [3, 4])


def test_results_that_are_inputs_are_copies():
    program = program_of(lambda x, y: (x, x * y, x), torch.ones(2), torch.ones(2))
    x, y = np.array([1, 2], FLOAT), np.array([3, 4], FLOAT)
    first, product, second = Executable(program, effort=1)(x, y)
    np.testing.assert_array_equal(product, [3, 8])
    for each in (first, second):
        np.testing.assert_array_equal(each, x)
        assert not np.may_share_memory(each, x)


def test_results_in_other_shapes_than_they_were_made_in():
    def function(x: torch.Tensor) -> Any:
        y = torch.exp(x)
        ordered = torch.sort(y.reshape(-1))[0]
        return y.reshape(6), y, y.reshape(3, 2), ordered.reshape(2, 3), y.sum(), y.t(), x.reshape(6)

    x = torch.randn(2, 3)
    program = program_of(function, x)
    exact(Executable(program, effort=1)(x.numpy()), program, [x.numpy()])
    kernels = [each for each in build(program, effort=0).steps if each.kind == "kernel"]
    assert sum("exp" in each.operations for each in kernels) == 1


def test_constants_numbers_and_empty_arrays_as_results():
    table = np.arange(12.0).reshape(3, 4)
    program = program_of(
        lambda x: (torch.tensor(table), torch.full((2, 2), 7), torch.zeros(0, 3), x.sum(0), x),
        torch.zeros(0, 2),
    )
    exact(
        Executable(program, effort=1)(np.zeros((0, 2), FLOAT)), program, [np.zeros((0, 2), FLOAT)]
    )


def test_complex_constants_and_inputs_as_results():
    program = program_of(
        lambda x, y: (torch.tensor([1j, 2.0]), y, x),
        torch.ones(2, dtype=torch.complex64),
        torch.ones(2, dtype=torch.complex64),
        writes={1: 0, 2: 1},
    )
    x, y = np.array([1j, 2], np.complex64), np.array([3, 4j], np.complex64)
    constant, *_ = Executable(program, effort=1)(x, y)
    np.testing.assert_array_equal(constant, [1j, 2])
    np.testing.assert_array_equal(x, [3, 4j])
    np.testing.assert_array_equal(y, [1j, 2])


def test_calls_in_the_middle_see_and_make_memory_of_every_sort():
    def function(x: torch.Tensor) -> Any:
        ordered, places = torch.sort(x * 2)  # from and to the arena
        values, _ = torch.sort(x)  # from an input, to a result
        return ordered + 1, values, places * 2, torch.sort(torch.tensor([3.0, 1.0]))[0] * x[:2]

    x = torch.tensor([3.0, 1.0, 2.0])
    program = program_of(function, x)
    code = build(program, effort=1)
    assert [each.row.name for each in code.calls]
    assert code.runs == len(code.calls) + 1
    exact(Executable(program, effort=1)(x.numpy()), program, [x.numpy()])


def test_a_flag_raises_leaves_the_inputs_and_is_taken_down():
    program = program_of(
        lambda x, places: (x + 1, torch.gather(x, 0, places)),
        torch.ones(3),
        torch.zeros(2, dtype=torch.int64),
        writes={0: 0},
    )
    executable = Executable(program, effort=1)
    assert not executable.has_calls
    x = np.array([1, 2, 3], FLOAT)
    with pytest.raises(RuntimeError, match="out of range"):
        executable(x, np.array([0, 3]))
    np.testing.assert_array_equal(x, [1, 2, 3])
    np.testing.assert_array_equal(executable(x, np.array([0, 2]))[1], [1, 3])
    np.testing.assert_array_equal(x, [2, 3, 4])


def test_the_message_names_the_line_of_the_equation():
    program = program_of(
        lambda x, places: torch.gather(x, 0, places), torch.ones(3), torch.zeros(1).long()
    )
    for each in program.equations:
        each.where = "model.py:7"
    with pytest.raises(RuntimeError, match=r"\(at model.py:7\)$"):
        Executable(program, effort=1)(np.ones(3, FLOAT), np.array([-9]))


def test_an_error_in_a_call_leaves_the_inputs():
    program = program_of(
        lambda x, y: (x + 1, torch.linalg.cholesky(y)), torch.ones(3), torch.eye(2), writes={0: 0}
    )
    executable = Executable(program, effort=1)
    x = np.ones(3, FLOAT)
    with pytest.raises(Exception, match="positive"):
        executable(x, -np.eye(2, dtype=FLOAT))
    np.testing.assert_array_equal(x, 1)
    executable(x, np.eye(2, dtype=FLOAT))
    np.testing.assert_array_equal(x, 2)


def test_calls_that_ended_well_are_counted(swap):
    context = swap.take()
    x, y = np.ones(3, FLOAT), np.ones(3, FLOAT)
    before = context.table[FINISHED]
    swap.call_in(context, (x, y))
    swap.call_in(context, (x, y))
    assert context.table[FINISHED] == before + 2
    swap.idle.append(context)


def test_a_call_within_a_call_has_memory_of_its_own(swap):
    busy = [swap.take() for _ in range(3)]
    assert len({each.address for each in busy}) == 3
    x, y = np.array([1, 2, 3], FLOAT), np.array([10, 20, 30], FLOAT)
    assert swap(x, y)[2] == 66
    swap.idle.extend(busy)


def test_threads_do_not_disturb_each_other():
    def function(x: torch.Tensor) -> torch.Tensor:
        return torch.sort(torch.sin(x * 3) @ torch.cos(x))[0] + x.sum(1, keepdim=True)

    x = torch.randn(40, 40)
    program = program_of(function, x)
    executable = Executable(program, effort=1)
    given = [np.random.default_rng(n).random((40, 40), FLOAT) for n in range(4)]
    wanted = [executable(each)[0] for each in given]
    wrong: list[int] = []

    def work(number: int) -> None:
        found = [executable(given[number])[0] for _ in range(50)]
        wrong.extend(number for each in found if not np.array_equal(each, wanted[number]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


def test_random_rows_draw_in_order_at_each_call():
    row = TABLE["bernoulli"]
    p = Variable("p", Type((4,), FLOAT))
    first, second = Variable("a", p.type), Variable("b", p.type)
    draws = [
        Equation(row, (p, None), (torch.default_generator,), (out,)) for out in (first, second)
    ]
    executable = Executable(Program([p], draws, [second]), effort=1)
    half = np.full(4, 0.5, FLOAT)
    torch.manual_seed(3)
    found = [executable(half)[0] for _ in range(3)]
    torch.manual_seed(3)
    for each in found:
        torch.bernoulli(torch.tensor(half))
        np.testing.assert_array_equal(each, torch.bernoulli(torch.tensor(half)).numpy())


def test_code_says_what_its_steps_do():
    program = program_of(
        lambda x, w: torch.sort(torch.exp(x @ w).sum(0))[0], torch.ones(64, 32), torch.ones(32, 48)
    )
    code = build(program, effort=1)
    kinds = [each.kind for each in code.steps]
    assert kinds.count("product") == kinds.count("call") == 1
    product = code.steps[kinds.index("product")]
    assert product.flops == 2 * 64 * 32 * 48
    assert product.reads == 4 * (64 * 32 + 32 * 48)
    assert product.writes == 4 * 64 * 48
    assert product.origins == (0,)
    assert "exp" in {name for each in code.steps for name in each.operations}
    assert code.steps[kinds.index("call")].reason
    assert set(code.seconds) == {"passes", "lowering", "grouping", "emission", "llvm"}


def test_code_is_data():
    x = torch.randn(5)
    code = build(program_of(lambda x: torch.sin(x) + torch.tensor([1.0, 2, 3, 4, 5]), x), effort=1)
    again = pickle.loads(pickle.dumps(code))
    assert again.machine == code.machine
    assert again.results == code.results
