"""Anomaly detection against PyTorch's: the same steps fail, with the same types and first words."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

import adjoint

STEPS = (
    "(x.sqrt() * x).sum().backward()",
    "(x.log() * torch.zeros(2)).sum().backward()",
    "(x / x).sum().backward()",
    "torch.where(x > 0, x.log(), x).sum().backward()",
    "x.sum().backward(torch.tensor(float('nan')))",
    "(x * float('nan')).sum().backward()",
    "x.log().sum().backward()",
    "torch.softmax(torch.where(x > 0, x, torch.tensor(-float('inf'))), 0).prod().backward()",
    "x.norm().backward()",
    "(x - x).norm().backward()",
    "x.pow(0.5).mul(x).sum().backward()",
    "x.atan2(x * 0).sum().backward()",
    "torch.autograd.grad((x * (x - 1).sqrt()).sum(), x)",
    "torch.autograd.grad((x.sqrt() * x).sum(), x, create_graph=True)",
    "(torch.autograd.grad((x ** 1.5).sum(), x, create_graph=True)[0] * x).sum().backward()",
    "torch.cat([x.sqrt() * x, x]).sum().backward()",
    "(x.unbind()[0].sqrt() * x.unbind()[0]).backward()",
    "x.std().backward()",
    "(x * 0).std().backward()",
    "x.cumprod(0).sum().backward()",
    "(x.exp() * 1e30 * 1e30).sum().backward()",
    "write(x)",
    "hook(x)",
)


def write(x: Any) -> None:
    y = x.exp()
    z = y * y
    y.add_(1)
    z.sum().backward()


def hook(x: Any) -> None:
    y = x * 2
    y.register_hook(lambda g: g * float("nan"))
    (y * 3).sum().backward()


def outcome(library: Any, step: str, **options: Any) -> tuple[str, str, list[str]]:
    x = library.tensor([0.0, 1.0], requires_grad=True)
    names = {"torch": library, "x": x, "write": write, "hook": hook}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            with library.autograd.detect_anomaly(**options):
                eval(step, names)
        except RuntimeError as error:
            kind, text = "RuntimeError", str(error).partition(".")[0].partition(":")[0]
            if not text.startswith("Function"):
                text = ""
        else:
            kind, text = "fine", ""
    assert not library.is_anomaly_enabled()
    # Of a node that was recorded in a backward PyTorch tells in one more warning, Adjoint in one.
    return kind, text, [str(each.message).partition(".")[0] for each in caught[:2]]


@pytest.mark.parametrize("step", STEPS)
def test_the_same_steps_fail(step: str):
    for options in ({}, {"check_nan": False}):
        ours, theirs = (outcome(library, step, **options) for library in (adjoint, torch))
        assert ours == theirs, options


def flags(library: Any) -> list[Any]:
    """What the functions that tell the settings say along a way through contexts."""
    seen: list[Any] = []

    def look() -> None:
        seen.append((library.is_anomaly_enabled(), library.is_anomaly_check_nan_enabled()))

    look()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mode = library.autograd.detect_anomaly(check_nan=False)
        look()
        with mode:
            look()
            with library.autograd.set_detect_anomaly(False):
                look()
                library.autograd.set_detect_anomaly(True)
                look()
            look()
            inner = library.autograd.set_detect_anomaly(True, check_nan=True)
            look()
            inner.__exit__()
            look()
        look()
        library.set_anomaly_enabled(True, False)
        look()
        library.set_anomaly_enabled(False)
        look()
        seen.append([each.category.__name__ for each in caught])
    return seen


def test_settings():
    assert flags(adjoint) == flags(torch)
