"""Gradients of every row from packed saved values, and through a checkpoint: the same bits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adjoint
from adjoint.autograd.graph import saved_tensors_hooks
from adjoint.tape.tensor import wrap
from adjoint.utils.checkpoint import checkpoint
from tests.harness import Call, as_array, calls, function_of_moving, leaves_of_tape
from tests.harness_checks import DIFFERENTIABLE, each_call

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of what is deprecated


def as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def packed(function: Callable[..., Any]) -> Callable[..., Any]:
    """With copies of all that is saved."""

    def run(*xs: Any) -> Any:
        with saved_tensors_hooks(lambda t: as_array(t.detach()).copy(), wrap):
            return function(*xs)

    return run


def computed_again(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *xs: checkpoint(function, *xs, use_reentrant=False)


def both_orders(call: Call, change: Callable[..., Any]) -> list[Any]:
    """Gradients, and the gradients of those, of the results of ``call``."""
    xs = leaves_of_tape(call.moved)
    outs = [out for out in change(function_of_moving(call))(*xs) if out.requires_grad]
    if not outs:
        return []
    gs = call.directions([as_array(out) for out in outs], "cotangent")
    first = adjoint.autograd.grad(
        outs, xs, [wrap(g) for g in gs], create_graph=True, allow_unused=True
    )
    found = list(first)
    pairs = [
        (g, w)
        for g, w in zip(first, call.directions(call.moved, "weights"), strict=True)
        if g is not None and g.requires_grad
    ]
    if pairs:
        with contextlib.suppress(NotImplementedError):  # where PyTorch has none either
            found += adjoint.autograd.grad(
                [g for g, _ in pairs], xs, [wrap(w) for _, w in pairs], allow_unused=True
            )
    return found


@pytest.mark.parametrize("change", [packed, computed_again])
@pytest.mark.parametrize("key", DIFFERENTIABLE)
def test_gradients(key: str, change: Callable[..., Any]) -> None:
    def check(call: Call) -> None:
        expected, found = both_orders(call, as_it_is), both_orders(call, change)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_array_equal(as_array(a), as_array(b))

    each_call(key, check, calls(key)[:3])
