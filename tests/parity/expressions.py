"""One expression in both libraries: what tests of parity that are not samples of rows compare.

An expression is Python with the names ``torch`` (either library), ``np``, ``copy``, ``pickle``
and those that a test adds. Both give the same, to the bit: values, element types, shapes,
strides, whether a gradient is wanted, the name of the node; or refuse with the same type of error.
"""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import adjoint

torch = pytest.importorskip("torch", reason="the parity suite compares with PyTorch: install torch")


def outcome(library: Any, expression: str, setup: str = "") -> Any:
    """What an expression gives in a library, in words that compare."""
    names: dict[str, Any] = {"torch": library, "np": np, "copy": copy, "pickle": pickle}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(setup, names)
        try:
            result = eval(expression, names)
        except Exception as error:  # noqa: BLE001 - whichever a library raises is compared
            return f"raises {type(error).__name__}"
    return describe(result)


def describe(value: Any) -> Any:
    """A value in words that are the same for equal values of either library."""
    if isinstance(value, (adjoint.Tensor, torch.Tensor)):
        return describe_tensor(value)
    if isinstance(value, np.ndarray):
        return f"array of {value.dtype} {value.shape}", value.tolist()
    if type(value) in (tuple, list):
        return [describe(each) for each in value]
    return repr(value)


def describe_tensor(tensor: Any) -> Any:
    """All that can be seen of a tensor."""
    node = tensor.grad_fn
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = repr(tensor.detach().tolist())
    return (
        f"tensor of {tensor.dtype!r} {tuple(tensor.shape)} strides {tensor.stride()}",
        f"requires_grad={tensor.requires_grad} {node.name() if node else 'no node'}",
        values,
    )


def same(expression: str, setup: str = "") -> None:
    """Both libraries give the same, or refuse with the same type of error."""
    ours, theirs = (outcome(library, expression, setup) for library in (adjoint, torch))
    assert ours == theirs, f"{expression}\nAdjoint: {ours}\nPyTorch: {theirs}"


def expressions(text: str) -> list[str]:
    """The lines of a text, without comments and empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]
