"""A function called several times in a row, traced and as it is: everything must be the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import adjoint as torch
from adjoint.pytree import flatten
from adjoint.tape.tensor import Tensor
from tests.compiler.front.replaying import Replayed

Build = Callable[[], tuple[Callable[..., Any], list[tuple[Any, ...]], Any]]


def facts(tensor: Any, known: dict[int, int]) -> list[Any]:
    """What is to be the same of a tensor; tensors that were met are told apart by number."""
    number = known.setdefault(id(tensor), len(known))
    grad = tensor.grad if tensor.is_leaf or tensor.retains_grad else None
    found = [
        number,
        tensor.requires_grad,
        tensor.is_leaf,
        tensor._version,
        tuple(tensor.shape),
        tensor.dtype,
        tensor.detach().numpy().copy(),
    ]
    base = tensor._base
    if base is not None and id(base) in known:
        found.append(("base", known[id(base)]))
    if grad is not None:
        found += ["grad", *facts(grad, known)]
    return found


def outcome(function: Callable[..., Any], calls: list[tuple[Any, ...]], watched: Any) -> list[Any]:
    """All that is seen after each call."""
    seen: list[Any] = []
    kept: list[Any] = []
    known: dict[int, int] = {}
    for args in calls:
        torch.manual_seed(len(seen))
        out = function(*args)
        kept.append(out)  # no id twice
        for value in (*flatten(watched)[0], *flatten(args)[0], *flatten(out)[0]):
            if isinstance(value, Tensor):
                seen.append(facts(value, known))
                kept.append(value.grad if value.is_leaf else None)
            else:
                seen.append(value)
        seen.append(torch.get_rng_state().numpy().copy())
    return seen


def assert_same(
    build: Build, programs: int | None = None, tolerance: float = 1e-6, wrap: Any = Replayed
) -> Any:
    """Compare the two; gives the traced function, of ``programs`` programs."""
    function, calls, watched = build()
    expected = outcome(function, calls, watched)
    function, calls, watched = build()
    traced = wrap(function)
    found = outcome(traced, calls, watched)
    assert len(found) == len(expected)
    for number, (here, there) in enumerate(zip(found, expected, strict=True)):
        _same(here, there, tolerance, f"value {number}")
    if programs is not None:
        assert len(traced.programs) == programs
    return traced


def _same(here: Any, there: Any, tolerance: float, what: str) -> None:
    if isinstance(there, list):
        assert len(here) == len(there), f"{what}: {here} and not {there}"
        for each, other in zip(here, there, strict=True):
            _same(each, other, tolerance, f"{what}: {here} and not {there}")
    elif isinstance(there, np.ndarray):
        assert here.dtype == there.dtype, what
        np.testing.assert_allclose(here, there, rtol=tolerance, atol=tolerance, err_msg=what)
    else:
        assert here == there, what
