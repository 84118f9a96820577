"""PyTorch's names about automatic differentiation: each is there, or it is said why not."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from tools import generate_autograd_names as names

KNOWN = names.known()["names"]
# Whose parameters differ, and why.
OTHERWISE = {
    "torch.autograd.variable": "the module; what PyTorch puts in its place only raises",
    "torch.autograd.profiler.EventList": "PyTorch's tells nothing of its parameters",
    "torch.autograd.profiler.FunctionEvent": "PyTorch's takes what devices report as well",
    "torch.autograd.graph.Node.metadata": "an attribute, as it is of all nodes in PyTorch, too",
}


def test_nothing_is_missing() -> None:
    missing = [path for path, state in names.states().items() if state == names.MISSING]
    assert missing == []


def test_reasons_are_given_for_names_that_pytorch_has_and_adjoint_has_not() -> None:
    states = names.states()
    assert [path for path in names.ABSENT if states.get(path) == names.THERE] == []
    assert [path for path in names.ABSENT if path not in states] == []


def test_the_page_is_up_to_date() -> None:
    assert names.TARGET.read_text(encoding="utf-8") == names.page()


def parameters(signature: inspect.Signature, bound: bool) -> tuple[list[str], set[str]]:
    """Names of parameters, but that of the object itself; and of those that must be named."""
    found = [each for each in list(signature.parameters.values())[bound:] if each.name[0] != "_"]
    named = {each.name for each in found if each.kind is each.KEYWORD_ONLY}
    return [each.name for each in found if each.name not in named], named


def is_method(path: str, name: str) -> bool:
    """Whether a name is that of a method, the first parameter of which is its object."""
    home = names.find(names.ours(path))
    return inspect.isclass(home) and inspect.isfunction(inspect.getattr_static(home, name, None))


def from_text(text: str) -> inspect.Signature:
    """The signature that a text spells out."""
    scope: dict[str, Any] = {}
    exec(f"def function{text}: pass", scope)
    return inspect.signature(scope["function"])


def with_signatures() -> list[str]:
    """The names that are functions or classes in both."""
    return [
        f"{path}.{name}"
        for path, inner in KNOWN.items()
        for name, text in inner.items()
        if text is not None and names.has(path, name) and f"{path}.{name}" not in OTHERWISE
    ]


@pytest.mark.parametrize("path", with_signatures())
def test_parameters(path: str) -> None:
    """The same parameters in the same order; Adjoint may have more, each with a default."""
    home, name = path.rsplit(".", 1)
    bound = is_method(home, name)
    wanted, wanted_named = parameters(from_text(KNOWN[home][name]), bound)
    found = inspect.signature(getattr(names.find(names.ours(home)), name))
    mine, mine_named = parameters(found, bound)
    assert [each for each in mine if each in wanted] == wanted
    assert wanted_named <= mine_named
    for extra in {*mine, *mine_named} - {*wanted, *wanted_named}:
        assert found.parameters[extra].default is not inspect.Parameter.empty
