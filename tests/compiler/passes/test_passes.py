"""Each pass keeps what a program gives, and does what it is for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adjoint as torch
from adjoint.compiler.passes import PASSES, optimise
from adjoint.compiler.passes.decomposition import decompose
from adjoint.compiler.passes.folding import fold
from adjoint.compiler.passes.merging import merge
from adjoint.compiler.passes.pruning import prune
from adjoint.compiler.passes.simplification import simplify
from adjoint.compiler.program import Equation, Literal, Program, Type, Variable
from adjoint.ops.kinds.row import TABLE
from tests.compiler.programs import program_of

F = torch.nn.functional


def names(program: Program) -> list[str]:
    return [each.operation.name for each in program.equations]


def test_the_same_thing_twice_is_done_once():
    program = program_of(lambda x: torch.exp(x) * torch.exp(x), torch.ones(3))
    assert names(program) == ["exp", "exp", "mul"]
    assert names(prune(merge(program))) == ["exp", "mul"]


def test_numbers_of_different_types_are_different():
    program = program_of(
        lambda x: (x.floor() // 1 + 1, x.floor() // 1.0 + 1.0), torch.ones(3).int()
    )
    kinds = [each.kind for each in merge(program).outputs]
    assert kinds == [np.int32, np.float32]


def test_constants_are_compared_by_value():
    program = program_of(lambda x: x * torch.tensor([1.0, 2.0]) + x * torch.tensor([1.0, 2.0]),
                         torch.ones(2))  # fmt: skip
    assert names(prune(merge(program))) == ["mul", "add"]


def test_random_numbers_are_neither_merged_nor_removed():
    row = TABLE["bernoulli"]
    p = Variable("p", Type((3,), np.dtype(np.float32)))
    outs = [Variable(f"v{n}", p.type) for n in range(3)]
    draws = [Equation(row, (p, None), (torch.default_generator,), (out,)) for out in outs]
    program = Program([p], draws, outs[:2])
    assert len(optimise(program).equations) == 3


def test_what_leads_nowhere_is_removed():
    program = program_of(lambda x: (x.sin(), x + 1)[1], torch.ones(3))
    assert names(prune(program)) == ["add"]


def test_constants_are_folded_and_large_uniform_ones_take_no_memory():
    def function(x: torch.Tensor) -> torch.Tensor:
        return x * (torch.ones(1000, 1000) * 3 + 1) + torch.arange(1000).exp2().log2()

    program = prune(fold(program_of(function, torch.ones(1000, 1000))))
    assert names(program) == ["mul", "add"]
    constant = program.equations[0].inputs[1]
    assert isinstance(constant, Literal)
    assert constant.number == 4
    assert constant.value.strides == (0, 0)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * 1,
        lambda x: 1.0 * x,
        lambda x: x / 1,
        lambda x: x - 0,
        lambda x: x.reshape(3, 4).clone().detach(),
        lambda x: x.neg().neg(),
        lambda x: x.permute(1, 0).permute(1, 0),
        lambda x: torch.where(torch.ones(3, 4) > 0, x, torch.zeros(3, 4)),
        lambda x: x * torch.ones(3, 4),
        lambda x: x.float().expand(3, 4),
    ],
)
def test_what_changes_nothing_is_left_out(function):
    program = optimise(program_of(function, torch.randn(3, 4)))
    assert program.equations == []
    assert program.outputs == program.inputs


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + 0,
        lambda x: x - (-0.0),
        lambda x: x * 0,
        lambda x: x * torch.ones(2, 3, 4),
        lambda x: x.permute(1, 0).permute(0, 1),
        lambda x: x.int() * 1.0,
    ],
)
def test_what_changes_something_is_kept(function):
    x = torch.tensor([[-0.0] * 4, [torch.inf] * 4, [1.5] * 4])
    program = program_of(function, x)
    better = optimise(program)
    assert better.equations
    for a, b in zip(better.evaluate([x.numpy()]), program.evaluate([x.numpy()]), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(np.signbit(a), np.signbit(b))


def step(x: torch.Tensor, w: torch.Tensor, y: torch.Tensor) -> Any:
    def loss(w: torch.Tensor) -> torch.Tensor:
        h = torch.tanh(F.linear(x, w)) * 1.0
        return F.soft_margin_loss(h.reshape(-1), y.reshape(-1)) + F.layer_norm(h, (4,)).sum()

    return torch.func.grad_and_value(loss)(w)


@pytest.mark.parametrize("apply", [*PASSES, optimise])
def test_every_pass_keeps_the_values(apply):
    torch.manual_seed(0)
    args = torch.randn(5, 3), torch.randn(4, 3), torch.randn(5, 4).sign()
    program = program_of(step, *args)
    arrays = [each.numpy() for each in args]
    before = program.evaluate(arrays)
    after = apply(program).check().evaluate(arrays)
    for a, b in zip(after, before, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-6)


def test_rows_without_a_rule_are_decomposed(monkeypatch):
    from adjoint.compiler.lowering.base import RULES

    monkeypatch.delitem(RULES, "softmax", raising=False)
    monkeypatch.delitem(RULES, "log_softmax", raising=False)
    torch.manual_seed(0)
    x = torch.randn(3, 4)
    program = program_of(lambda x: torch.log_softmax(x, 1) + torch.softmax(x, 1), x)
    smaller = decompose(program)
    assert not {"softmax", "log_softmax"} & set(names(smaller))
    np.testing.assert_allclose(
        smaller.check().evaluate([x.numpy()])[0], program.evaluate([x.numpy()])[0], rtol=1e-5
    )


def test_check_names_what_is_wrong():
    x = Variable("x", Type((2,), np.dtype(np.float32)))
    y = Variable("y", x.type)
    exp = TABLE["exp"]
    with pytest.raises(AssertionError, match="y:float32"):
        Program([x], [Equation(exp, (y,), (), (y,))], [y]).check()
    with pytest.raises(AssertionError, match="made twice"):
        Program([x], [Equation(exp, (x,), (), (x,))], [x]).check()
    with pytest.raises(AssertionError, match="is unmade"):
        Program([x], [], [y]).check()


def test_simplify_leaves_programs_without_use_for_it_alone():
    program = program_of(lambda x: x.sin().cos(), torch.ones(2))
    assert names(simplify(program)) == ["sin", "cos"]
