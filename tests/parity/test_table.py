"""The table against PyTorch itself: every sample of every case, in every element type.

Values, element types, gradients, second gradients, names of nodes, views, methods, in-place forms
and the types of errors. Random calls, good and bad, are in ``test_table_random.py``.
"""

from __future__ import annotations

from typing import Any

import pytest

from adjoint.tape.tensor import wrap
from tests.harness import CASES, Call, calls, every_kind, forward, make_call
from tests.harness_checks import ALL, DIFFERENTIABLE, each_call
from tests.harness_torch import (
    builtin_type,
    is_known,
    is_torch_floating,
    lacks_kernel,
    outcome,
    same_gradients,
    same_outcome,
    shares_memory,
    tape,
    to_torch,
    torch,
    torch_forward,
    translate,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

# Where the name of the node differs on purpose.
OTHER_NAMES: dict[str, str] = {
    "special.ndtr": "PyTorch multiplies by a number of its own, with a node of its own",
}

# Where PyTorch gives a view and Adjoint a copy.
OTHER_MEMORY = {"conj": "PyTorch conjugates a view when it is read; here the numbers are there"}


@pytest.mark.parametrize("key", ALL)
def test_values(key: str) -> None:
    """Values and element types, and errors, wherever PyTorch has a kernel for the type."""
    for kind in every_kind(key):

        def check(call: Call) -> None:
            theirs = outcome(lambda: torch_forward(call, call.leaves))
            if lacks_kernel(theirs) if isinstance(theirs, Exception) else not is_known(theirs):
                return
            ours = outcome(lambda: forward(call, list(map(wrap, call.leaves))))
            if isinstance(ours, NotImplementedError) and any(x.size == 0 for x in call.leaves):
                return  # PyTorch looks for a kernel only where there is something to compute
            same_outcome(ours, theirs, call)

        each_call(key, check, calls(key, kind))


@pytest.mark.parametrize("key", DIFFERENTIABLE)
def test_gradients(key: str) -> None:
    """First and second gradients, which inputs have one, and the names of the nodes."""
    for kind in CASES[key].dtypes:

        def check(call: Call) -> None:
            if not call.moving:
                return
            ours, theirs, outs, expected = tape(call)
            for out, wanted in zip(outs, expected, strict=True):
                if is_torch_floating(wanted):
                    same_node(call, out, wanted)
                if isinstance(wanted, torch.Tensor):
                    same_memory(call, out, wanted, ours, theirs)
            same_gradients(call, ours, theirs, outs, expected)

        each_call(key, check, calls(key, kind))


def same_node(call: Call, out: Any, wanted: Any) -> None:
    """Whether a gradient is recorded, and by a node of what name."""
    assert out.requires_grad == wanted.requires_grad, f"requires_grad is {out.requires_grad}"
    assert out.is_leaf == wanted.is_leaf
    if call.case.function in OTHER_NAMES or wanted.grad_fn is None:
        return
    names = [type(each.grad_fn).__name__ for each in (out, wanted)]
    if out._version:  # PyTorch numbers some in-place forms as another overload
        names = [name.rstrip("0123456789") for name in names]
    assert names[0] == names[1]


def same_memory(call: Call, out: Any, wanted: Any, ours: Any, theirs: Any) -> None:
    """Whether the result is a view of an input."""
    if wanted.numel() and call.case.function not in OTHER_MEMORY:
        found, expected = shares_memory(out, ours), shares_memory(wanted, theirs)
        assert found == expected, f"a view of an input: {found}, in PyTorch {expected}"


@pytest.mark.parametrize("key", ALL)
def test_errors(key: str) -> None:
    """PyTorch refuses each wrong call, with an exception of the type that the case declares."""
    for number, each in enumerate(CASES[key].errors):
        call = make_call(key, number, each.args, each.kwargs)
        theirs = outcome(lambda call=call: torch_forward(call, call.leaves))
        assert isinstance(theirs, Exception), f"{call}: PyTorch accepts it"
        assert builtin_type(theirs) is each.error or issubclass(each.error, builtin_type(theirs)), (
            f"{call}: PyTorch raises {type(theirs).__name__}: {theirs}"
        )


# -- methods and in-place forms ----------------------------------------------------------------


def methods(suffix: str) -> list[str]:
    """Cases of top-level functions that PyTorch's Tensor has as a method, or in place."""
    return [
        key
        for key in ALL
        if "." not in CASES[key].function and hasattr(torch.Tensor, CASES[key].function + suffix)
    ]


def called_as_method(call: Call, name: str, tensors: Any, copy: bool) -> Any:
    """A method of the first argument, or of its clone."""

    def function(self: Any, *args: Any, **kwargs: Any) -> Any:
        target = self.clone() if copy else self
        result = getattr(target, name)(*args, **kwargs)
        if copy:
            assert result is target, f"{name} returned something else than its target"
        return result

    return call.run(function, tensors, translate if isinstance(tensors[0], torch.Tensor) else same)


def same(value: Any) -> Any:
    return value


def starts_with_a_tensor(call: Call) -> bool:
    return bool(call.args) and getattr(call.args[0], "number", None) == 0


@pytest.mark.parametrize("key", methods(""))
def test_method(key: str) -> None:
    """The method gives what the function gives."""
    name = CASES[key].function

    def check(call: Call) -> None:
        if not starts_with_a_tensor(call):
            return
        theirs = outcome(
            lambda: called_as_method(call, name, list(map(to_torch, call.leaves)), False)
        )
        ours = outcome(lambda: called_as_method(call, name, list(map(wrap, call.leaves)), False))
        if not call.case.random:
            same_outcome(ours, theirs, call)

    each_call(key, check, calls(key, "float32"))


@pytest.mark.parametrize("key", [key for key in methods("_") if CASES[key].in_place])
def test_in_place(key: str) -> None:
    """The in-place form: values, refused shapes and types, history."""
    name = CASES[key].function + "_"

    def check(call: Call) -> None:
        if not starts_with_a_tensor(call) or call.case.random:
            return
        theirs = outcome(
            lambda: called_as_method(call, name, list(map(to_torch, call.leaves)), True)
        )
        if isinstance(theirs, Exception) and lacks_kernel(theirs):
            return
        ours = outcome(lambda: called_as_method(call, name, list(map(wrap, call.leaves)), True))
        same_outcome(ours, theirs, call)
        if isinstance(theirs, Exception) or 0 not in call.moving:
            return
        xs, ys = list(map(wrap, call.leaves)), list(map(to_torch, call.leaves))
        for place in call.moving:
            xs[place].requires_grad_()
            ys[place].requires_grad_()
        wanted, found = (called_as_method(call, name, each, True) for each in (ys, xs))
        same_node(call, found, wanted)
        same_gradients(call, xs, ys, [found], [wanted])

    for kind in ("float32", "float64", "int64", "uint8"):
        each_call(key, check, calls(key, kind))
