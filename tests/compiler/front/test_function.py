"""``adjoint.compile`` in all the ways it can be written, and in all the company it may be in."""

from __future__ import annotations

import copy
import functools
import pickle
import subprocess
import sys
import textwrap
import warnings

import pytest

import adjoint as torch
from adjoint.errors import UntraceableError

functional = torch.nn.functional


def close(actual, expected):
    torch.testing.assert_close(actual, expected)


def double(x):
    """Twice."""
    return x * 2


def branch(x):
    if x.sum() > 0:
        return x * 2
    return x


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)
        self.register_buffer("shift", torch.ones(2))

    def forward(self, x, scale=1.0):
        return self.linear(x) * scale + self.shift

    def helper(self, x):
        return self.forward(x).sum()


# -- ways to write it ---------------------------------------------------------------------------


def test_functions_and_decorators():
    x = torch.ones(2)
    for compiled in (
        torch.compile(double),
        torch.compile()(double),
        torch.compile(check=True)(double),
        torch.compile(
            double, fullgraph=True, dynamic=None, mode="max-autotune", backend="inductor"
        ),
        torch.compile(double, options={"trace.enabled": True}, name="another"),
        torch.compile(torch.compile(double)),
        torch.compile(functools.partial(torch.mul, 2)),
        torch.compile(lambda x: x * 2),
    ):
        close(compiled(x), x * 2)
    assert torch.compile(double, disable=True) is double
    assert torch.compile(disable=True)(double) is double
    compiled = torch.compile(double)
    assert (compiled.__name__, compiled.__doc__) == ("double", "Twice.")
    assert compiled.__wrapped__ is compiled.function is double
    assert repr(compiled) == "<compiled double: 0 programs>"
    compiled(x)
    assert repr(compiled) == "<compiled double: 1 program>"
    assert "mul(" in str(compiled.program)
    for wrong in (3, "text"):
        with pytest.raises(TypeError, match="compile"):
            torch.compile(wrong)


def test_methods():
    class Holder:
        def __init__(self, factor):
            self.factor = factor

        @torch.compile
        def times(self, x):
            return x * self.factor

    x = torch.ones(2)
    two, three = Holder(2.0), Holder(3.0)
    for _ in range(2):
        close(two.times(x), x * 2)
        close(three.times(x), x * 3)
    two.factor = 5.0
    close(two.times(x), x * 5)
    close(Holder.times(three, x), x * 3)


def test_functions_are_copied_and_pickled():
    x = torch.randn(4)
    assert pickle.loads(pickle.dumps(squares)) is squares
    compiled = torch.compile(double, name="two", fallback=True)
    for other in (copy.deepcopy(compiled), pickle.loads(pickle.dumps(compiled))):
        assert (other.name, other.fallback, other.function) == ("two", True, double)
        close(other(x), x * 2)


def test_modules_behave_as_modules():
    model = Net()
    compiled = torch.compile(model)
    assert isinstance(compiled, Net)
    assert isinstance(compiled, torch.nn.Module)
    assert [*compiled.state_dict()] == [*model.state_dict()]
    assert all(a is b for a, b in zip(compiled.parameters(), model.parameters(), strict=True))
    assert compiled.train(False) is compiled
    assert model.training is False
    compiled.extra = 3
    assert model.extra == 3
    assert compiled._orig_mod is model
    x = torch.randn(4, 3)
    for scale in (1.0, 2.0):
        close(compiled(x, scale=scale), model(x, scale=scale))
    close(compiled.helper(x), model.helper(x))
    assert "Linear" in repr(compiled)
    twice = torch.compile(compiled)
    assert twice._orig_mod is model
    close(torch.nn.Sequential(compiled, torch.nn.Tanh())(x), torch.tanh(model(x)))


def test_modules_are_copied_and_pickled():
    compiled = torch.compile(Net(), fallback=True)
    x = torch.randn(4, 3)
    expected = compiled(x).detach()
    for other in (copy.deepcopy(compiled), pickle.loads(pickle.dumps(compiled))):
        assert type(other).__name__ == "CompiledNet"
        assert other.compiled.fallback
        close(other(x).detach(), expected)
        with torch.no_grad():
            other.linear.weight.zero_()
        close(compiled(x).detach(), expected)
        close(other(x), other._orig_mod(x))


# -- in company ---------------------------------------------------------------------------------


@torch.compile
def squares(x):
    return (x * x * x).sum()


def test_inside_transforms_the_function_itself_runs():
    x = torch.randn(4)
    plain = squares.function
    squares(x)
    programs = len(squares.programs)
    func = torch.func
    for transform in (
        func.grad,
        func.hessian,
        lambda f: func.vmap(f),
        lambda f: func.vmap(func.grad(f)),
        lambda f: lambda x: func.jvp(f, (x,), (torch.ones_like(x),)),
        lambda f: lambda x: torch.func.vjp(f, x)[1](torch.tensor(2.0)),
    ):
        one = x.repeat(2, 1) if transform(plain).__class__ is None else x
        close(transform(squares)(one), transform(plain)(one))
    assert len(squares.programs) == programs


def test_forward_mode_tangents():
    forward = torch.autograd.forward_ad
    x, t = torch.randn(3), torch.randn(3)
    with forward.dual_level():
        dual = forward.make_dual(x, t)
        closing = torch.compile(lambda: (dual * dual).sum())
        for function, args in ((squares, (dual,)), (closing, ())):
            out, expected = function(*args), function.function(*args)
            close(forward.unpack_dual(out).tangent, forward.unpack_dual(expected).tangent)
    out, expected = squares(x), squares.function(x)
    close(out, expected)


def test_compiled_functions_call_each_other():
    inner = torch.compile(lambda x: torch.tanh(x) * 2)

    @torch.compile
    def outer(x):
        return inner(inner(x)).sum()

    x = torch.randn(3, requires_grad=True)
    close(outer(x), inner.function(inner.function(x)).sum())
    assert inner.programs == []
    (g,) = torch.autograd.grad(outer(x), x)
    close(g, torch.autograd.grad(inner(inner(x)).sum(), x)[0])


def test_while_the_tape_is_watched_the_function_itself_runs():
    x = torch.randn(3, requires_grad=True)
    squares(x)
    packed = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t) or t, lambda t: t):
        out = squares(x)
    assert packed
    close(out, squares.function(x))
    roots = torch.compile(lambda x: torch.sqrt(x * 0 - 1).sum())
    with warnings.catch_warnings(), torch.autograd.set_detect_anomaly(True):
        warnings.simplefilter("ignore")
        out = roots(x)
        with pytest.raises(RuntimeError, match="Sqrt"):
            out.backward()
    with torch.profiler.profile() as profile:
        squares(x)
    assert any("mul" in event.key for event in profile.key_averages())
    assert type(squares(x).grad_fn).__name__ == "CompiledBackward"


def test_functions_that_need_no_tensors():
    @torch.compile
    def function():
        return torch.arange(4.0) * 2, "text", None

    for _ in range(2):
        out = function()
        close(out[0], torch.arange(4.0) * 2)
        assert out[1:] == ("text", None)
    out[0].zero_()
    close(function()[0], torch.arange(4.0) * 2)


# -- what cannot be -----------------------------------------------------------------------------


def test_what_cannot_be_traced():
    x = torch.ones(2)
    with pytest.raises(UntraceableError, match=r"test_function\.py:\d+") as caught:
        torch.compile(branch)(x)
    assert caught.value.where.startswith("tests") or "test_function.py" in caught.value.where
    compiled = torch.compile(branch, fallback=True)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for sign in (1, -1, 1):
            close(compiled(x * sign), branch(x * sign))
    (warning,) = told
    assert "test_function.py" in str(warning.message)
    assert warning.filename == __file__
    assert compiled.programs == []


def test_errors_of_the_function_are_its_own():
    seen = []

    def wrong(x, y):
        seen.append(1)
        return x @ y

    compiled = torch.compile(wrong)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="2"):
            compiled(torch.ones(2, 3), torch.ones(2, 3))
    with pytest.raises(ZeroDivisionError):
        torch.compile(lambda x: x * (1 / 0))(torch.ones(2))
    with pytest.raises(TypeError):
        torch.compile(double)(torch.ones(2), 3, 4)


def test_without_llvmlite_all_else_works():
    program = """
        import sys
        sys.modules["llvmlite"] = None
        import adjoint as torch
        x = torch.ones(3, requires_grad=True)
        (x * x).sum().backward()
        assert x.grad.tolist() == [2.0, 2.0, 2.0]
        assert torch.compile(abs, disable=True) is abs
        try:
            torch.compile(lambda x: x)
        except ImportError as error:
            assert error.name == "llvmlite"
            assert "pip install llvmlite" in str(error)
        else:
            raise SystemExit("no error")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)


def test_importing_adjoint_loads_no_compiler():
    program = """
        import sys
        import adjoint as torch
        assert not any(name.startswith("adjoint.compiler") for name in sys.modules)
        torch.compile
        assert "llvmlite" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
