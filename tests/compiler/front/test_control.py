"""``is_compiling``, ``disable`` and ``reset``."""

from __future__ import annotations

import pytest

import adjoint as torch
from adjoint.errors import UntraceableError


def test_a_function_can_tell_whether_it_is_traced():
    def function(x: torch.Tensor) -> torch.Tensor:
        return x * (2 if torch.compiler.is_compiling() else 3)

    compiled = torch.compile(function)
    assert compiled(torch.ones(1)).item() == 2
    assert function(torch.ones(1)).item() == 3
    assert not torch.compiler.is_compiling()


@torch.compiler.disable
def number(x: torch.Tensor) -> float:
    return x.item()


def test_what_is_disabled_is_given_back():
    assert torch.compile(number) is number
    assert number(torch.tensor(2.0)) == 2
    assert number.__name__ == "number"


def test_a_compiled_function_that_calls_it_is_refused_or_falls_back():
    @torch.compiler.disable(reason="it reads a file")
    def read(x: torch.Tensor) -> torch.Tensor:
        return x + 1

    def function(x: torch.Tensor) -> torch.Tensor:
        return read(x) * 2

    with pytest.raises(UntraceableError, match=r"read is not to be compiled \(it reads a file\)"):
        torch.compile(function)(torch.ones(2))
    with pytest.warns(UserWarning, match="read is not to be compiled"):
        found = torch.compile(function, fallback=True)(torch.ones(2))
    assert found.tolist() == [4, 4]


def test_reset_forgets_all_programs():
    first, second = torch.compile(lambda x: x * 2), torch.compile(lambda x: x * 3)
    first(torch.ones(1))
    second(torch.ones(1))
    torch.compiler.reset()
    assert (first.programs, second.programs) == ([], [])
    assert first(torch.ones(1)).item() == 2


def test_a_module_is_compiled_in_place():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    x = torch.randn(5, 3)
    wanted = model(x)
    names = list(model.state_dict())
    assert model.compile() is None
    found = model(x)
    torch.testing.assert_close(found, wanted)
    found.sum().backward()
    assert found.grad_fn.name() == "CompiledBackward"
    assert model[0].weight.grad is not None
    assert isinstance(model, torch.nn.Sequential)
    assert list(model.state_dict()) == names
    model[2] = torch.nn.Linear(4, 3)
    assert model(x).shape == (5, 3)
    model.compile()  # once more changes nothing
    torch.testing.assert_close(model(x).sum(), model._orig_mod(x).sum())
