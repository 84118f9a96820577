"""Hooks on random graphs: the same calls in the same order as PyTorch, with the same values."""

from __future__ import annotations

import random
import warnings
from typing import Any

import pytest

import adjoint

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")

SEEDS = range(300)


def numbers(value: Any) -> Any:
    """A gradient, or a tuple of gradients, as numbers that compare approximately."""
    if value is None:
        return None
    if isinstance(value, (tuple, list)):
        return [numbers(each) for each in value]
    return Numbers(value.detach().reshape(-1).tolist())


class Numbers(list[float]):
    """A gradient, equal to another up to rounding."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Numbers) and list(self) == pytest.approx(
            list(other), rel=1e-4, abs=1e-3
        )

    __hash__ = None  # type: ignore[assignment]


class Program:
    """A random graph with random hooks, built and gone through in one library."""

    def __init__(self, library: Any, seed: int) -> None:
        self.lib = library
        self.draw = random.Random(seed)
        self.log: list[Any] = []
        self.count = 0
        self.handles: list[Any] = []
        self.leaves = [
            library.tensor([0.5 + place, -1.0, 0.25 * place], requires_grad=True)
            for place in range(3)
        ]
        self.values = list(self.leaves)
        for _ in range(self.draw.randint(3, 10)):
            self.step()
        for leaf in self.leaves:
            self.hook_leaf(leaf)
        self.has_several = self.draw.random() < 0.4
        if self.has_several:
            self.hook_several()

    def step(self) -> None:
        """One more operation, perhaps with hooks on its result."""
        a, b = (self.draw.choice(self.values) for _ in range(2))
        kind = self.draw.randrange(7)
        if kind == 0:
            out = a + b
        elif kind == 1:
            out = a * b
        elif kind == 2:
            out = a.sin()
        elif kind == 3:
            first, second = a.chunk(2)
            out = self.lib.cat([second.expand(1), first.expand(2)])
            self.hook(second)
        elif kind == 4:
            out = a.sum() * b
        elif kind == 5:
            out = (a * 2).mul_(b) if self.draw.random() < 0.5 else a.detach() * b
        else:
            out = self.lib.where(a > 0, a, b)
        self.hook(out)
        self.values.append(out)

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def hook(self, tensor: Any) -> None:
        """Perhaps a hook of each kind."""
        if not tensor.requires_grad:
            return
        for kind in ("tensor", "before", "after", "retain"):
            if self.draw.random() < 0.35:
                getattr(self, kind)(tensor, self.name(kind), self.draw.random() < 0.4)
        if self.draw.random() < 0.2:
            self.tensor(tensor, self.name("tensor"), replaces=True)

    def tensor(self, tensor: Any, name: str, replaces: bool) -> None:
        def hook(g: Any) -> Any:
            self.log.append((name, numbers(g)))
            return g * 2 if replaces else None

        self.handles.append(tensor.register_hook(hook))

    def before(self, tensor: Any, name: str, replaces: bool) -> None:
        def hook(grad_outputs: Any) -> Any:
            self.log.append((name, numbers(grad_outputs)))
            return tuple(g if g is None else g + 1 for g in grad_outputs) if replaces else None

        if tensor.grad_fn is not None:
            self.handles.append(tensor.grad_fn.register_prehook(hook))

    def after(self, tensor: Any, name: str, replaces: bool) -> None:
        def hook(grad_inputs: Any, grad_outputs: Any) -> Any:
            self.log.append((name, numbers(grad_inputs), numbers(grad_outputs)))
            return tuple(g if g is None else g * 3 for g in grad_inputs) if replaces else None

        if tensor.grad_fn is not None:
            self.handles.append(tensor.grad_fn.register_hook(hook))

    def retain(self, tensor: Any, name: str, replaces: bool) -> None:
        tensor.retain_grad()

    def hook_leaf(self, leaf: Any) -> None:
        self.hook(leaf)
        if self.draw.random() < 0.5:
            name = self.name("post")
            removes = self.draw.random() < 0.3

            def hook(param: Any) -> None:
                self.log.append((name, numbers(param.grad)))
                if removes:
                    param.grad = None

            self.handles.append(leaf.register_post_accumulate_grad_hook(hook))

    def hook_several(self) -> None:
        name, mode = self.name("several"), self.draw.choice(("all", "any"))
        tensors = [each for each in self.values if each.requires_grad]
        tensors = self.draw.sample(tensors, min(3, len(tensors)))
        self.handles.append(
            self.lib.autograd.graph.register_multi_grad_hook(
                tensors, lambda g: self.log.append((name, numbers(g))), mode=mode
            )
        )

    def go_back(self) -> None:
        """One or two passes, some handles being removed between them."""
        outs = [each for each in self.values if each.requires_grad]
        loss = sum(each.sum() for each in self.draw.sample(outs, min(3, len(outs))))
        for turn in range(self.draw.randint(1, 2)):
            kind = self.draw.randrange(6)
            if kind > 3 and not self.has_several:  # PyTorch has no such hooks with leaves in grad()
                inputs = self.draw.sample(outs, 2)
                found = self.lib.autograd.grad(
                    loss, inputs, allow_unused=True, retain_graph=True, create_graph=kind == 5
                )
                self.log.append(("found", numbers(found)))
            elif kind == 0:
                inputs = self.draw.sample(self.leaves, 2)
                loss.backward(inputs=inputs, retain_graph=True)
            elif kind == 1:
                loss.backward(create_graph=True)
            else:
                loss.backward(retain_graph=True)
            self.log.append(("grads", [numbers(each.grad) for each in self.leaves]))
            for value in self.values:
                if value.requires_grad and value.retains_grad:
                    self.log.append(("kept", numbers(value.grad)))
            if turn == 0 and self.handles and self.draw.random() < 0.7:
                self.draw.choice(self.handles).remove()


def outcome(library: Any, seed: int) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about create_graph
        program = Program(library, seed)
        try:
            program.go_back()
        except RuntimeError as error:
            program.log.append(type(error).__mro__[-4:-2])
    return program.log


@pytest.mark.parametrize("start", range(0, len(SEEDS), 50))
def test_calls_on_random_graphs(start: int) -> None:
    for seed in range(start, start + 50):
        assert outcome(adjoint, seed) == outcome(torch, seed), seed


def leaf(library: Any, *values: float) -> Any:
    return library.tensor(list(values), requires_grad=True)


def answer_of_a_tensor(library: Any, hook: Any) -> Any:
    x = leaf(library, 1.0, 2.0)
    (y := x * 2).register_hook(hook)
    y.sum().backward()
    return x.grad


def answer_of_a_node(library: Any, hook: Any) -> Any:
    x = leaf(library, 1.0, 2.0)
    (y := x * 2).grad_fn.register_hook(lambda inputs, outputs: hook(inputs[0]))
    y.sum().backward()
    return x.grad


def answer_before_a_node(library: Any, hook: Any) -> Any:
    x = leaf(library, 1.0, 2.0)
    (y := x * 2).grad_fn.register_prehook(lambda outputs: hook(outputs[0]))
    y.sum().backward()
    return x.grad


ANSWERS = {
    "none": lambda g: None,
    "gradient": lambda g: g * 3,
    "double": lambda g: g.double(),
    "half": lambda g: g.half(),
    "complex": lambda g: g + 0j,
    "smaller": lambda g: g[:1],
    "empty": lambda g: g[:0],
    "number": lambda g: 3.0,
    "text": lambda g: "gradient",
    "list": lambda g: [g],
    "tuple": lambda g: (g * 3,),
    "two": lambda g: (g, None),
    "three": lambda g: (g, g, g),
    "nones": lambda g: (None, None),
    "one none": lambda g: (None,),
    "other type in a tuple": lambda g: (g.double(),),
    "other type and none": lambda g: (g.double(), None),
    "raises": lambda g: {}[g],
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("case", [answer_of_a_tensor, answer_of_a_node, answer_before_a_node])
def test_answers(case: Any, name: str) -> None:
    """What hooks may answer, and what types of errors refuse the rest."""
    results = []
    for library in (adjoint, torch):
        try:
            results.append(numbers(case(library, ANSWERS[name])))
        except Exception as error:  # noqa: BLE001 - it is the outcome
            results.append(
                next(each.__name__ for each in type(error).__mro__ if each.__module__ == "builtins")
            )
    assert results[0] == results[1]
