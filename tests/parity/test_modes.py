"""Grad modes and inference mode against PyTorch's: every rule as a short program."""

from __future__ import annotations

import itertools
import textwrap
import warnings
from typing import Any

import pytest
import torch

import adjoint

LIBRARIES = (adjoint, torch)
STATE = "state = lambda: (torch.is_grad_enabled(), torch.is_inference_mode_enabled())\n"


def outcome(library: Any, program: str) -> tuple[Any, list[str]]:
    """What the last line is worth or raises, and which warnings were given."""
    names: dict[str, Any] = {"torch": library, "outcomes": []}
    *lines, last = textwrap.dedent(program).strip().splitlines()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec("import asyncio, functools, threading\n" + "\n".join(lines), names)
            found = repr(eval(last, names))
        except RuntimeError:
            found = "RuntimeError"
        except Exception as error:  # noqa: BLE001 - its type is what is compared
            found = type(error).__name__
        finally:
            library.set_grad_enabled(True)
    kinds = [each.category.__name__ for each in caught if each.category is not RuntimeWarning]
    return found, kinds


def compare(program: str) -> None:
    ours, theirs = (outcome(library, program) for library in LIBRARIES)
    assert ours == theirs, program


# -- tensors that were made in inference mode, used outside it ------------------------------------

MADE = """
x = torch.ones(2, requires_grad=True)
n = torch.ones(2)
with torch.inference_mode():
    made = torch.ones(2)
    computed = made * 2
    view = made[:1]
    view_of_normal = n[:1]
    view_of_leaf = x[:1]
    from_leaf = x * 2
x1 = x[:{t}.numel()]
"""
TENSORS = ("made", "computed", "view", "view_of_normal", "view_of_leaf", "from_leaf")
USES = (
    "{t}._version", "{t}.is_inference()", "{t}.requires_grad", "{t}.is_leaf", "{t}._is_view()",
    "{t}.grad_fn is None", "{t}.grad", "{t}.add_(1)", "{t}.mul_(2).is_inference()", "{t}.zero_()",
    "{t}.requires_grad_()", "setattr({t}, 'requires_grad', True)", "{t} * 2", "torch.exp({t})",
    "({t} + x1).requires_grad", "({t} + x1).sum().backward()", "({t} * x1).sum().backward()",
    "torch.autograd.grad(({t} * x1).sum(), x)", "({t}.clone() * x1).sum().backward()",
    "{t}.view(-1).is_inference()", "{t}.view(-1).add_(1)", "{t}.t().is_inference()",
    "{t}.unsqueeze(0).is_inference()", "{t}.clone().is_inference()", "{t}.detach().is_inference()",
    "{t}.data.is_inference()", "torch.exp({t}).is_inference()", "{t}.sum().is_inference()",
    "{t}.copy_(n[:1])", "{t}.copy_(x[:1])", "x.detach()[:1].copy_({t}[:1])", "{t}.detach_()",
    "{t}.__setitem__(0, 5.0)", "{t}.retain_grad()", "torch.nn.Parameter({t}).requires_grad",
    "{t}.unsqueeze_(0).shape", "torch.cat([{t}, x]).requires_grad", "{t}.tolist()",
    "torch.cat([{t}, x]).sum().backward()", "torch.sin({t}).requires_grad", "{t}.numpy().tolist()",
    "{t}.to(torch.float64).is_inference()", "{t}.to(torch.float32).is_inference()",
    "{t}.contiguous().is_inference()", "{t}.clone().requires_grad_().requires_grad",
    "{t}.set_(n)", "torch.add(x, 1, out={t})", "{t}.expand(2).is_inference()",
)  # fmt: skip
# PyTorch gives such a view no history but lets it require a gradient; Adjoint makes it a leaf.
SKIPPED = {("view_of_leaf", "{t}.grad")}


@pytest.mark.parametrize("tensor", TENSORS)
def test_tensors_of_inference_mode_outside(tensor: str):
    for use in USES:
        if (tensor, use) not in SKIPPED:
            compare(MADE.format(t=tensor) + use.format(t=tensor))


def test_what_a_gradient_would_need_is_refused():
    """PyTorch refuses when the operation is recorded, Adjoint when its backward needs the value."""
    for library in LIBRARIES:
        x = library.ones(2, requires_grad=True)
        with library.inference_mode():
            made = library.ones(2)
        for operation in ("mul", "div", "dot"):

            def step(operation: str = operation, x: Any = x, made: Any = made) -> None:
                getattr(x, operation)(made).sum().backward()

            with pytest.raises(RuntimeError, match=r"[Ii]nference"):
                step()
        (x + made).sum().backward()
        (x * made.clone()).sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]


# -- inside it ------------------------------------------------------------------------------------

INSIDE = """
x = torch.ones(2, requires_grad=True)
n = torch.ones(2)
y = x * 2
with torch.inference_mode():
    made = torch.ones(2)
    out = {use}
out
"""
INSIDE_USES = (
    "torch.is_grad_enabled(), torch.is_inference_mode_enabled()", "x.is_inference()", "n._version",
    "n.add_(1).is_inference()", "made._version", "made.add_(1)", "x.add_(1)", "y.add_(1)",
    "y.add_(1).requires_grad", "n.requires_grad_().requires_grad", "(x * 2).requires_grad",
    "made.requires_grad_().requires_grad", "(made.requires_grad_() * 2).requires_grad",
    "torch.ones(2, requires_grad=True).requires_grad", "y.sum().backward()", "x[:1].requires_grad",
    "torch.tensor(1.0, requires_grad=True).requires_grad", "x.view(-1).requires_grad",
    "x.view(-1).is_leaf", "n.view(-1).add_(1)", "y.view(-1).requires_grad", "made.is_leaf",
    "x.detach().is_inference()", "n.detach().is_inference()", "n.clone().is_inference()",
    "n.data.is_inference()", "torch.nn.Parameter(n).requires_grad", "n.unbind()[0].is_inference()",
    "torch.nn.Parameter(made).is_inference()", "torch.autograd.grad(y.sum(), x)", "n.copy_(made)",
    "n.copy_(x).requires_grad", "x.copy_(made)", "y.copy_(made).requires_grad", "y.grad_fn is None",
    "n.__setitem__(0, 2.0)", "x.__setitem__(0, 2.0)", "n.to(torch.float32).is_inference()",
    "n.contiguous().is_inference()", "torch.nn.Linear(2, 2).weight.is_inference()",
    "torch.nn.Linear(2, 2).weight.requires_grad", "n.expand(2, 2).is_inference()", "x.is_leaf",
    "made.view(-1).is_inference()", "torch.add(n, 1, out=n).is_inference()", "made.grad_fn",
    "torch.add(x, 1, out=n).requires_grad", "torch.empty(2).is_inference()",
    "torch.from_numpy(n.numpy()).is_inference()", "torch.cat([n, n]).is_inference()",
    "torch.func.grad(lambda t: (t * t).sum())(n).tolist()",
    "torch.func.vmap(lambda t: t * 2)(n).is_inference()",
)  # fmt: skip


def test_inside_inference_mode():
    for use in INSIDE_USES:
        compare(INSIDE.format(use=use))


NESTED_USES = (
    "state()", "(x * 2).requires_grad", "(x * 2).is_inference()", "torch.ones(2).is_inference()",
    "(made * 2).is_inference()", "made.add_(1)", "made.requires_grad_()", "made.sum().backward()",
    "(x * 2).sum().backward()", "made[:1].is_inference()", "(made + x).requires_grad",
)  # fmt: skip
MODES = (
    "no_grad()", "enable_grad()", "set_grad_enabled(False)", "set_grad_enabled(True)",
    "inference_mode(False)", "inference_mode()", "inference_mode(mode=True)",
)  # fmt: skip


@pytest.mark.parametrize("inner", MODES)
def test_modes_inside_inference_mode(inner: str):
    for use in NESTED_USES:
        compare(
            STATE
            + f"""
x = torch.ones(2, requires_grad=True)
with torch.inference_mode():
    made = torch.ones(2)
    with torch.{inner}:
        out = {use}
out"""
        )


@pytest.mark.parametrize(("outer", "inner"), [*itertools.product(MODES, repeat=2)])
def test_modes_inside_each_other(outer: str, inner: str):
    compare(
        STATE
        + f"""
x = torch.ones(1, requires_grad=True)
look = lambda: outcomes.append((state(), (x * 2).requires_grad))
with torch.{outer}:
    look()
    with torch.{inner}:
        look()
    look()
look()
outcomes"""
    )


# -- decorators -----------------------------------------------------------------------------------

DECORATORS = (*MODES, "no_grad", "enable_grad", "inference_mode")
DECORATED = (
    """
    @torch.{mode}
    def f(a, b=1):
        'doc'
        return state()
    (f(1), f.__name__, f.__doc__, state())""",
    """
    @torch.{mode}
    def f():
        sent = yield state()
        yield sent, state()
        return state()
    g = f()
    outcomes += [next(g), state(), g.send(3), state()]
    try: next(g)
    except StopIteration as stop: outcomes.append(stop.value)
    outcomes, state()""",
    """
    @torch.{mode}
    def f():
        try: yield 1
        finally: outcomes.append(state())
    g = f(); next(g); g.close()
    outcomes, state()""",
    """
    @torch.{mode}
    def f():
        try: yield 1
        except KeyError: yield state()
    g = f(); next(g)
    g.throw(KeyError), state()""",
    """
    @torch.{mode}
    async def f():
        return state()
    asyncio.run(f()), state()""",
    """
    @torch.{mode}
    async def f():
        yield state()
    async def collect():
        return [each async for each in f()]
    asyncio.run(collect()), state()""",
    """
    @torch.{mode}
    class C:
        def __init__(self): self.seen = state()
        def method(self): return state()
    C().seen, C().method(), isinstance(C, type), state()""",
    """
    class C:
        @torch.{mode}
        def method(self): return state()
        @staticmethod
        @torch.{mode}
        def static(): return state()
    C().method(), C.static(), state()""",
    """
    @torch.{mode}
    def f(n): return (state(), f(n - 1)) if n else state()
    f(2), state()""",
    """
    @torch.{mode}
    def f(): raise KeyError
    try: f()
    except KeyError: outcomes.append(state())
    outcomes""",
    """
    f = torch.{mode}(functools.partial(lambda a: state(), 1))
    f(), state()""",
    """
    @torch.no_grad()
    @torch.{mode}
    def f(): return state()
    with torch.inference_mode(): outcomes.append(f())
    outcomes, f(), state()""",
)


@pytest.mark.parametrize("mode", DECORATORS)
def test_decorators(mode: str):
    for program in DECORATED:
        compare(STATE + textwrap.dedent(program).strip().format(mode=mode))


PROGRAMS = """
torch.set_grad_enabled(False)
torch.is_grad_enabled()

m = torch.set_grad_enabled(False)
before = torch.is_grad_enabled()
with m: inside = torch.is_grad_enabled()
before, inside, torch.is_grad_enabled()

m = torch.set_grad_enabled(False)
m2 = m.clone()
m.mode, m.prev, m2.prev, str(m)

m = torch.set_grad_enabled(False)
f = m(lambda: torch.is_grad_enabled())
f(), torch.is_grad_enabled()

repr(torch.set_grad_enabled(mode=True))

torch.set_grad_enabled(1)

torch.set_grad_enabled(None)

torch.set_grad_enabled()

type(torch.no_grad().clone()).__name__, type(torch.enable_grad().clone()).__name__

torch.inference_mode(True).clone().mode, torch.inference_mode(False).mode

torch.autograd.grad_mode.no_grad is torch.no_grad

torch.autograd.grad_mode.inference_mode is torch.autograd.inference_mode

torch.autograd.grad_mode.set_grad_enabled is torch.autograd.set_grad_enabled

torch.autograd.enable_grad is torch.enable_grad

torch.autograd.set_multithreading_enabled(False).mode

@torch.autograd.set_multithreading_enabled(False)
def f(a): return a
f(3)

def look(): outcomes.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
with torch.inference_mode():
    t = threading.Thread(target=look); t.start(); t.join()
outcomes

with torch.no_grad(): x = torch.ones(2, requires_grad=True)
x.requires_grad, x.is_leaf

x = torch.ones(2, requires_grad=True)
with torch.no_grad(): x.add_(1); v = x.view(-1)
x._version, v.requires_grad, v.is_leaf

x = torch.ones(2, requires_grad=True)
with torch.no_grad(): y = x * 2
y.requires_grad_()
y.is_leaf, y.requires_grad

with torch.no_grad() as nothing: outcomes.append(nothing)
outcomes

with torch.inference_mode() as nothing: outcomes.append(nothing)
outcomes
"""


@pytest.mark.parametrize("program", PROGRAMS.strip().split("\n\n"))
def test_functions_and_classes(program: str):
    compare(program)
