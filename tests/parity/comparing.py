"""Programs that are run on both libraries and compared: values, structures, types of errors.

Each case is a function of the library (``torch``), its ``func``, and a few tensors of it by name;
what it returns, or the type of what it raises, must be the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adjoint

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")

Program = Callable[..., Any]


class Cases(dict[str, Program]):
    """Programs by name."""

    def case(self, function: Program) -> Program:
        """Add a function under its own name: one that runs without an error."""
        self[function.__name__] = function
        return function

    def wrong(self, programs: dict[str, Program]) -> None:
        """Add several that may raise: what the names say is what is wrong."""
        self.update(programs)


def tensors(library: Any) -> dict[str, Any]:
    draw = np.random.default_rng(5)
    arrays = {
        "x": draw.normal(size=3),
        "y": draw.normal(size=3),
        "a": draw.normal(size=(4, 3)),
        "b": draw.normal(size=(3, 2)),
        "c": draw.normal(size=(2, 4, 3)),
        "s": draw.normal(),
        "i": np.arange(3),
        "z": draw.normal(size=3) + 1j * draw.normal(size=3),
    }
    return {name: library.tensor(array) for name, array in arrays.items()}


def outcome(library: Any, function: Program) -> Any:
    try:
        return function(library, library.func, **tensors(library))
    except Exception as error:  # noqa: BLE001 - its type is what is compared
        return error


def is_tensor(value: Any) -> bool:
    return isinstance(value, (adjoint.Tensor, torch.Tensor))


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, Exception):
        assert isinstance(found, Exception), f"no {expected!r}, but {found!r}"
        builtin = next(kind for kind in type(found).__mro__ if kind.__module__ == "builtins")
        assert builtin is next(
            kind for kind in type(expected).__mro__ if kind.__module__ == "builtins"
        ), f"{found!r} is not of the type of {expected!r}"
        return
    if isinstance(found, Exception):
        raise found
    if is_tensor(expected):
        assert is_tensor(found)
        assert str(found.dtype).split(".")[1] == str(expected.dtype).split(".")[1]
        assert tuple(found.shape) == tuple(expected.shape)
        assert found.requires_grad == expected.requires_grad
        np.testing.assert_allclose(
            found.detach().numpy(), expected.detach().numpy(), rtol=1e-6, atol=1e-9
        )
        return
    assert type(found).__name__ == type(expected).__name__
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = found.values(), expected.values()
    if hasattr(expected, "__iter__") and not isinstance(expected, str):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
    else:
        assert found == expected


def check(function: Program, *, may_fail: bool) -> None:
    """Run a program on both and compare."""
    expected = outcome(torch, function)
    if isinstance(expected, Exception) and not may_fail:
        raise expected
    same(outcome(adjoint, function), expected)
