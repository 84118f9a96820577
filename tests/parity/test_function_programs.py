"""Random programs of Functions, views and writes in place, run with PyTorch and with Adjoint.

Left out is what the two do not share: a view that a write has made ambiguous is refused here when
it is differentiated, and by PyTorch when it is used.
"""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import adjoint

COUNT = 300
AMBIGUOUS = "modified inplace"


def functions(T: Any) -> dict[str, Any]:  # noqa: C901 - ten classes, one line each
    """Functions of one or two arguments that differ in what they do to them and keep of them."""
    Base = T.autograd.Function

    class Scale(Base):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 3

    class Product(Base):
        @staticmethod
        def forward(x: Any, y: Any) -> Any:
            return x * y

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = ctx.saved_tensors
            return g * y, g * x

    class Sine(Base):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            out = x.sin()
            ctx.save_for_backward(x, out)
            return out

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, out = ctx.saved_tensors
            return g * x.cos() + 0 * out

    class Same(Base):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    class Look(Base):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.shape = x.shape
            return x.view(-1)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g.reshape(ctx.shape)

    class Doubled(Base):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    class Tanh(Base):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.tanh_()
            ctx.mark_dirty(x)
            ctx.save_for_backward(x)
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (out,) = ctx.saved_tensors
            return g * (1 - out * out)

    class Both(Base):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(y)
            largest = (x + y).round()
            ctx.mark_non_differentiable(largest)
            return x * y, largest, x - y

        @staticmethod
        def backward(ctx: Any, g: Any, _: Any, h: Any) -> Any:
            (y,) = ctx.saved_tensors
            return g * y + h, -h

    class Split(Base):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            ctx.shape = x.shape
            return x[:1], x[1:]

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            g = T.zeros((1, *ctx.shape[1:])) if g is None else g
            h = T.zeros((ctx.shape[0] - 1, *ctx.shape[1:])) if h is None else h
            return T.cat([g, h])

    class Added(Base):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.mark_dirty(x)
            return x.add_(y), x.exp()

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g, g + 0.5 * h

    kinds = (Scale, Product, Sine, Same, Look, Doubled, Tanh, Both, Split, Added)
    return {kind.__name__: kind.apply for kind in kinds}


APPLIED = (
    "Scale(x)", "Product(x, y)", "Product(x, x)", "Sine(x)", "Same(x)", "Look(x)", "Doubled(x)",
    "Tanh(x)", "Both(x, y)", "Both(y, x)", "Split(x)", "Added(x, y)",
)  # fmt: skip
OTHERS = (
    "x * y", "x * x", "x + 1", "x.exp()", "x[1:]", "x[0]", "x.view(-1)", "x.detach()", "x.clone()",
    "x.mul_(2)", "x.add_(y)", "x.transpose(0, -1)", "x.sum()",
)  # fmt: skip
Step = tuple[str, int, int, bool]


def draw(seed: int) -> list[Step]:
    source = random.Random(seed)
    return [
        (
            source.choice(APPLIED if source.random() < 0.6 else OTHERS),
            source.randrange(8), source.randrange(8), source.random() < 0.1,
        )
        for _ in range(source.randrange(3, 9))
    ]  # fmt: skip


def run(T: Any, steps: list[Step]) -> list[Any]:
    """What each step gives, and in the end gradients of the first and second order."""
    names = functions(T)
    values = [[0.5, -1.0, 1.5], [2.0, 0.3, -0.7]]
    leaves = [T.tensor(row, requires_grad=True) for row in values]
    pool = [leaves[0] * 1, leaves[1] * 1, T.ones(3)]
    found: list[Any] = []
    for line, a, b, quietly in steps:
        scope = dict(names, x=pool[a % len(pool)], y=pool[b % len(pool)])
        try:
            if quietly:
                with T.no_grad():
                    out = eval(line, scope)
            else:
                out = eval(line, scope)
            outs = out if isinstance(out, tuple) else (out,)
            pool += outs
            found.append([(each.tolist(), each.requires_grad, each._version) for each in outs])
        except (RuntimeError, IndexError) as error:
            found.append(verdict(error))
    try:
        found.append([history(each) for each in pool])
        loss = sum((each * each).sum() for each in pool if each.requires_grad)
        first = T.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
        found.append([None if g is None else g.tolist() for g in first])
        second = T.autograd.grad(
            sum(g.sum() for g in first if g is not None), leaves, allow_unused=True
        )
        found.append([None if g is None else g.tolist() for g in second])
    except (RuntimeError, IndexError) as error:
        found.append(verdict(error))
    return found


def history(tensor: Any) -> str:
    """What made a tensor: a Function, or any operation (of a view, PyTorch renews the name)."""
    if tensor.grad_fn is None:
        return "nothing"
    name = type(tensor.grad_fn).__name__
    return name if name.endswith("Backward") else "operation"


def verdict(error: Exception) -> str:
    return AMBIGUOUS if AMBIGUOUS in str(error) and "view" in str(error) else "refused"


def close(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(
            close(mine, other) for mine, other in zip(ours, theirs, strict=True)
        )
    if isinstance(ours, float) and isinstance(theirs, float):
        return bool(np.isclose(ours, theirs, rtol=1e-4, atol=1e-4, equal_nan=True)) or (
            max(abs(ours), abs(theirs)) > 1e6 and np.isclose(ours, theirs, rtol=1e-2)
        )
    return bool(ours == theirs)


def difference(steps: list[Step]) -> Any:
    """Both results where they differ, None where they agree or differ as they may."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        theirs, ours = run(torch, steps), run(adjoint, steps)
    if AMBIGUOUS in theirs or AMBIGUOUS in ours:
        return None
    return None if close(ours, theirs) else (ours, theirs)


@pytest.mark.parametrize("start", range(0, COUNT, 50))
def test_programs(start: int):
    for seed in range(start, start + 50):
        steps = draw(seed)
        found = difference(steps)
        assert found is None, (seed, steps, found)


def test_programs_are_of_use():
    kinds = [run(torch, draw(seed))[-1] for seed in range(100)]
    assert sum(isinstance(each, list) for each in kinds) > 50
