"""Checkpoints on random programs: gradients, calls, warnings and errors as PyTorch's."""

from __future__ import annotations

import random
import warnings
from typing import Any

import pytest

import adjoint
import adjoint.utils.checkpoint

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")
pytest.importorskip("torch.utils.checkpoint")

LIBRARIES = (adjoint, torch)


def numbers(tensors: Any) -> list[Any]:
    return [
        None if each is None else pytest.approx(each.detach().reshape(-1).tolist(), rel=1e-4)
        for each in tensors
    ]


class Program:
    """A random chain of functions, some of them in checkpoints, some of those nested."""

    def __init__(self, library: Any, seed: int) -> None:
        self.lib = library
        self.draw = random.Random(seed)
        self.calls: list[str] = []
        self.weights = [
            library.tensor([0.3 + 0.1 * n, -0.2, 0.5], requires_grad=True) for n in range(3)
        ]

    def block(self, depth: int, name: str) -> Any:
        """A function of one tensor."""
        kinds = [self.draw.randrange(6) for _ in range(self.draw.randint(1, 3))]
        weight = self.draw.choice(self.weights)
        nested = self.nested(depth, name) if depth < 2 and self.draw.random() < 0.4 else None

        def run(x: Any) -> Any:
            self.calls.append(name)
            for kind in kinds:
                x = self.step(kind, x, weight)
            return x if nested is None else nested(x) * weight

        return run

    def nested(self, depth: int, name: str) -> Any:
        inner = self.block(depth + 1, name + "i")
        options = {"use_reentrant": False, "early_stop": self.draw.random() < 0.7}
        return lambda x: self.lib.utils.checkpoint.checkpoint(inner, x, **options)

    def step(self, kind: int, x: Any, weight: Any) -> Any:
        if kind == 0:
            return x.sin() * weight
        if kind == 1:
            return x.exp().tanh()
        if kind == 2:
            return (x * 2).mul_(weight).sigmoid()
        if kind == 3:
            return x + weight.cos()
        if kind == 4:
            return self.lib.softmax(x, 0) * x
        return x.view(3).clone() ** 2

    def run(self) -> list[Any]:
        x = self.lib.tensor([0.5, -1.0, 0.25], requires_grad=True)
        y = x
        for number in range(self.draw.randint(1, 4)):
            function = self.block(0, f"f{number}")
            if self.draw.random() < 0.7:
                y = self.lib.utils.checkpoint.checkpoint(
                    function,
                    y,
                    use_reentrant=False,
                    early_stop=self.draw.random() < 0.7,
                )
            else:
                y = function(y)
        leaves = [x, *self.weights]
        found: list[Any] = [y.tolist()]
        kind = self.draw.randrange(3)
        if kind == 0:
            y.sum().backward(retain_graph=True)
            y.sum().backward()
            found.append(numbers(each.grad for each in leaves))
        else:
            grads = self.lib.autograd.grad(
                y.sum(), leaves, create_graph=kind == 2, allow_unused=True
            )
            found.append(numbers(grads))
            if kind == 2:
                total = sum(each.sum() for each in grads if each is not None)
                if total.requires_grad:
                    found.append(numbers(self.lib.autograd.grad(total, leaves, allow_unused=True)))
        return found


def close(ours: Any, theirs: Any) -> None:
    assert ours[0] == pytest.approx(theirs[0], rel=1e-5)
    assert len(ours) == len(theirs)
    for a, b in zip(ours[1:], theirs[1:], strict=True):
        for mine, other in zip(a, b, strict=True):
            assert (mine is None) == (other is None)
            if mine is not None:
                assert mine.expected == pytest.approx(other.expected, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("start", range(0, 200, 40))
def test_random_programs(start: int) -> None:
    for seed in range(start, start + 40):
        ours, theirs = Program(adjoint, seed), Program(torch, seed)
        close(ours.run(), theirs.run())
        assert ours.calls == theirs.calls, seed


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_random_numbers(seed: int, use_reentrant: bool) -> None:
    results = []
    for library in LIBRARIES:
        library.manual_seed(seed)
        x = library.ones(50, requires_grad=True)
        out = library.utils.checkpoint.checkpoint(
            lambda x, lib=library: lib.nn.functional.dropout(x.exp(), 0.3) * lib.rand(50),
            x,
            use_reentrant=use_reentrant,
            preserve_rng_state=seed % 4 > 0,
        )
        between = library.rand(3).tolist()
        out.sum().backward()
        results.append([*x.grad.tolist(), *between, *library.rand(3).tolist()])
    assert results[0] == pytest.approx(results[1], rel=1e-5)


def outcome(library: Any, case: Any) -> Any:
    """What a call gives: how it fails, and the warnings."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            result: Any = case(library, library.utils.checkpoint.checkpoint)
        except Exception as error:  # noqa: BLE001 - it is the outcome
            result = next(
                each.__name__ for each in type(error).__mro__ if each.__module__ == "builtins"
            )
        else:
            result = "fine"
    return result, [each.category.__name__ for each in seen]


def leaf(library: Any) -> Any:
    return library.tensor([1.0, 2.0, 3.0], requires_grad=True)


def fickle(*functions: Any) -> Any:
    rest = list(functions)
    return lambda x: rest.pop(0)(x)


CASES = {
    "kind is not named": lambda lib, run: run(lib.sin, leaf(lib)),
    "no input with a gradient": lambda lib, run: run(lib.sin, lib.ones(1), use_reentrant=True),
    "nor here": lambda lib, run: run(lib.sin, lib.ones(1), use_reentrant=False),
    "unknown keyword": lambda lib, run: run(lib.sin, leaf(lib), use_reentrant=True, power=1),
    "keyword for the function": lambda lib, run: run(
        lib.sin, leaf(lib), use_reentrant=False, power=1
    ),
    "debug": lambda lib, run: run(lib.sin, leaf(lib), use_reentrant=True, debug=True),
    "contexts": lambda lib, run: run(
        lib.sin, leaf(lib), use_reentrant=True, context_fn=lambda: (1, 2)
    ),
    "check": lambda lib, run: run(
        lib.sin, leaf(lib), use_reentrant=False, determinism_check="all"
    ),
    "grad": lambda lib, run: lib.autograd.grad(
        run(lib.sin, x := leaf(lib), use_reentrant=True).sum(), x
    ),
    "inputs": lambda lib, run: (
        run(lib.sin, x := leaf(lib), use_reentrant=True).sum().backward(inputs=[x])
    ),
    "no gradient inside": lambda lib, run: (
        run(lambda x: lib.ones(1), leaf(lib), use_reentrant=True).sum().backward()
    ),
    "other shape": lambda lib, run: (
        run(fickle(lambda x: x.sin().exp(), lambda x: x[:2].sin().exp()), leaf(lib),
            use_reentrant=False).sum().backward()
    ),
    "fewer": lambda lib, run: (
        run(fickle(lambda x: x.sin().exp(), lambda x: x.sin()), leaf(lib), use_reentrant=False)
        .sum()
        .backward()
    ),
    "more, stopped early": lambda lib, run: (
        run(fickle(lambda x: x.sin(), lambda x: x.sin().exp()), leaf(lib), use_reentrant=False)
        .sum()
        .backward()
    ),
    "more": lambda lib, run: (
        run(
            fickle(lambda x: x.sin(), lambda x: x.sin().exp()),
            leaf(lib),
            use_reentrant=False,
            early_stop=False,
        )
        .sum()
        .backward()
    ),
    "written to": lambda lib, run: written(lib, run),
    "sequence": lambda lib, run: lib.utils.checkpoint.checkpoint_sequential(
        [lib.sin], 2, leaf(lib), use_reentrant=False
    ),
    "sequence, unknown keyword": lambda lib, run: lib.utils.checkpoint.checkpoint_sequential(
        [lib.sin], 1, leaf(lib), use_reentrant=False, debug=True
    ),
    "sequence, kind is not named": lambda lib, run: lib.utils.checkpoint.checkpoint_sequential(
        [lib.sin], 1, leaf(lib)
    ),
    "no tuple": lambda lib, run: lib.utils.checkpoint.detach_variable(leaf(lib)),
    "policy": lambda lib, run: lib.utils.checkpoint.create_selective_checkpoint_contexts(3),
    "list": lambda lib, run: lib.utils.checkpoint.create_selective_checkpoint_contexts([3]),
}  # fmt: skip


def written(library: Any, run: Any) -> None:
    x = leaf(library) * 1
    out = run(library.sin, x, use_reentrant=False)
    x.mul_(2)
    out.sum().backward()


@pytest.mark.parametrize("name", CASES)
def test_errors_and_warnings(name: str) -> None:
    assert outcome(adjoint, CASES[name]) == outcome(torch, CASES[name])


def test_names() -> None:
    theirs = set(torch.utils.checkpoint.__all__)
    assert theirs - set(adjoint.utils.checkpoint.__all__) == set()
    assert [each.value for each in adjoint.utils.checkpoint.CheckpointPolicy] == [
        each.value for each in torch.utils.checkpoint.CheckpointPolicy
    ]
