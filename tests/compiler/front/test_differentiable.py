"""What a compiled function returns can be differentiated as what the function itself returns."""

from __future__ import annotations

import math

import pytest

import adjoint as torch
from adjoint.compiler.front.differentiable import CompiledBackward, without
from adjoint.compiler.program import Program
from adjoint.errors import GraphError

functional = torch.nn.functional


def close(actual, expected):
    torch.testing.assert_close(actual, expected)


@torch.compile
def several(x, y):
    z = torch.tanh(x * y)
    return {"z": z, "sum": (z * x).sum(), "count": (z > 0).sum(), "twice": [z, x]}


@pytest.fixture
def inputs():
    torch.manual_seed(0)
    return torch.randn(3, 4, requires_grad=True), torch.randn(4, requires_grad=True)


def test_results_look_as_they_should(inputs):
    x, y = inputs
    out, expected = several(x, y), several.function(x, y)
    for key in ("z", "sum", "count"):
        close(out[key], expected[key])
        assert out[key].requires_grad is expected[key].requires_grad
        assert out[key].is_leaf is expected[key].is_leaf
    assert out["twice"][0] is out["z"]
    assert out["twice"][1] is x
    node = out["z"].grad_fn
    assert type(node) is CompiledBackward
    assert node.name() == "CompiledBackward"
    assert node is out["sum"].grad_fn
    assert "test_differentiable.py:" in node.where()
    assert {each for each, _ in node.next_functions} == {x.grad_fn or x._node, y._node}
    with torch.no_grad():
        assert several(x, y)["z"].grad_fn is None
    assert several(x.detach(), y.detach())["z"].grad_fn is None


def test_gradients_of_all_and_of_some(inputs):
    x, y = inputs
    for keys in (("z",), ("sum",), ("z", "sum")):
        found = []
        for function in (several, several.function):
            out = function(x, y)
            found.append(torch.autograd.grad(sum(out[key].sum() for key in keys), (x, y)))
        close(*found)
    out = several(x, y)
    (g,) = torch.autograd.grad(out["sum"], [y], retain_graph=True)
    out["sum"].backward()
    close(y.grad, g)
    assert x.grad is not None


def test_an_absent_cotangent_is_no_zero():
    @torch.compile
    def function(x):
        return torch.log(x), x * 2, (x * 3, x * 5)

    x = torch.zeros(2, requires_grad=True)
    _, twice, (thrice, _) = function(x)
    (g,) = torch.autograd.grad(twice.sum() + thrice.sum(), x)
    close(g, torch.full((2,), 5.0))
    log, *_ = function(x)
    assert torch.autograd.grad(log.sum(), x)[0].isinf().all()


def test_programs_without_cotangents(inputs):
    x, y = inputs
    several(x, y)
    (compiled,) = [each for each in several._all if each.derivative is not None][-1:]
    program = compiled.traced.backward.program
    cotangents = program.inputs[compiled.derivative.holds :]
    assert without(program, cotangents, ()) == (list(program.equations), list(program.outputs))
    equations, outputs = without(program, cotangents, cotangents)
    assert outputs == [None] * len(program.outputs)
    equations, outputs = without(program, cotangents, cotangents[:1])
    assert len(equations) <= len(program.equations)
    Program(program.inputs, equations, [each for each in outputs if each is not None]).check()


def test_graphs_are_freed_and_kept(inputs):
    x, y = inputs
    loss = several(x, y)["sum"]
    loss.backward(retain_graph=True)
    loss.backward()
    with pytest.raises(GraphError, match="second time"):
        loss.backward()


def test_saved_inputs_and_results_are_checked(inputs):
    x, y = inputs
    out = several(x * 1, y)
    with torch.no_grad():
        y.mul_(2)
    with pytest.raises(GraphError, match="modified by an inplace"):
        out["sum"].backward()
    exponential = torch.compile(torch.exp)
    out = exponential(x)
    expected = torch.exp(x)
    for each in (out, expected):
        each.detach().mul_(2)
        with pytest.raises(GraphError, match="modified by an inplace"):
            each.sum().backward()


def test_derivatives_of_any_order(inputs):
    x, y = inputs

    def towers(function):
        out = function(x, y)
        (g,) = torch.autograd.grad(out["sum"] ** 2, x, create_graph=True)
        (h,) = torch.autograd.grad((g**2).sum(), y, create_graph=True)
        return [g, h, *torch.autograd.grad((h**3).sum(), (x, y))]

    x, y = (each.detach().double().requires_grad_() for each in inputs)
    close(towers(several), towers(several.function))


def test_random_numbers_are_those_of_the_call():
    @torch.compile
    def function(x):
        return (functional.dropout(x * x, 0.5) * x).sum()

    x = torch.randn(20, requires_grad=True)

    def towers(f):
        torch.manual_seed(3)
        (g,) = torch.autograd.grad(f(x), x, create_graph=True)
        torch.manual_seed(4)
        (h,) = torch.autograd.grad(g.sum(), x)
        return g, h

    close(towers(function), towers(function.function))


def test_batched_and_forward_gradients_of_a_result(inputs):
    x, y = inputs
    out, expected = several(x, y)["z"], several.function(x, y)["z"]
    gs = torch.randn(5, 3, 4)
    close(
        torch.autograd.grad(out, (x, y), gs, is_grads_batched=True),
        torch.autograd.grad(expected, (x, y), gs, is_grads_batched=True),
    )


def test_hooks_see_gradients(inputs):
    x, y = inputs
    found = []
    for function in (several, several.function):
        seen = []
        out = function(x, y)
        out["z"].register_hook(lambda g, seen=seen: seen.append(g) or g * 2)
        handle = x.register_hook(seen.append)
        out["z"].retain_grad()
        x.grad = None
        (out["sum"] + out["z"].sum()).backward()
        handle.remove()
        found.append((seen[0].shape, x.grad.shape, out["z"].grad is not None))
        if function is several:
            node_calls = []
            out = function(x, y)
            out["sum"].grad_fn.register_hook(lambda i, o, calls=node_calls: calls.append((i, o)))
            out["sum"].backward()
            assert len(node_calls[0][0]) == 2
    assert found[0] == found[1]


def test_a_result_computed_in_a_chain_with_eager_code(inputs):
    x, y = inputs
    found = []
    for function in (several, several.function):
        h = torch.sin(x)
        out = function(h, y)["z"]
        again = function(out, y)["sum"] + out.exp().sum()
        found.append(torch.autograd.grad(again, (x, y)))
    close(*found)


def test_models_in_an_eager_loop():
    def train(wrap):
        torch.manual_seed(0)
        model = torch.nn.Sequential(
            torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(8, 3)
        )
        called = wrap(model)
        optimizer = torch.optim.AdamW(called.parameters(), lr=0.05)
        x, target = torch.randn(10, 6), torch.randint(0, 3, (10,))
        losses = []
        for _ in range(6):
            optimizer.zero_grad()
            loss = functional.cross_entropy(called(x), target)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        called.eval()
        losses.append(functional.cross_entropy(called(x), target).item())
        return losses, list(model.parameters())

    compiled, plain = train(torch.compile), train(lambda model: model)
    torch.testing.assert_close(compiled, plain, rtol=1e-4, atol=1e-5)
    assert compiled[0][5] < compiled[0][0]


def test_a_loss_whose_graph_is_used_up():
    w = torch.ones(3, requires_grad=True)

    @torch.compile
    def step(x):
        loss = (w * x).exp().sum()
        loss.backward()
        return loss

    loss = step(torch.ones(3))
    assert loss.requires_grad
    assert not loss.is_leaf
    assert math.isclose(loss.item(), 3 * math.e, rel_tol=1e-6)
    with pytest.raises(GraphError, match="second time"):
        loss.backward()
    assert (loss.detach() * 2).requires_grad is False


def test_views_and_writes_afterwards():
    @torch.compile
    def function(x):
        y = x * 2
        return y, y[0], x.t()

    x = torch.ones(2, 3, requires_grad=True) * 1
    for f in (function, function.function):
        y, row, turned = f(x)
        assert row._base is y
        assert turned._base is x
        assert turned.stride() == x.t().stride()
        with torch.no_grad():
            row.zero_()
        close(y[0].detach(), torch.zeros(3))
    y, row, turned = function(x)
    close(
        torch.autograd.grad((row.sum() + turned.sum()), x)[0],
        torch.autograd.grad((x * 2)[0].sum() + x.t().sum(), x)[0],
    )


def test_equal_results_are_apart():
    @torch.compile
    def function(x):
        flat = x.t().reshape(-1)
        return x * 2, x * 2, (x * 2).reshape(-1), x.t().clone(), torch.dot(flat, flat)

    x = torch.arange(6.0, requires_grad=True) * 1
    x = x.reshape(2, 3)
    for _ in range(3):
        out, expected = function(x), function.function(x)
        close(out, expected)
        for number in range(4):
            with torch.no_grad():
                out[number].zero_()
                expected[number].zero_()
            close(out, expected)
        close(torch.autograd.grad(out[4], x), torch.autograd.grad(expected[4], x))
