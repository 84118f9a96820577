"""Convolutions compiled: every geometry, with gradients and gradients of those."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adjoint as torch
from adjoint.compiler.kernels import alive
from adjoint.compiler.lowering import lower
from adjoint.compiler.nodes import Call
from adjoint.compiler.passes import optimise
from adjoint.compiler.windows import Padded
from tests.harness_compiled import Gathering, check, run

functional = torch.nn.functional

# Function, shapes of input and weight, options.
GEOMETRIES = {
    "plain": ("conv2d", (2, 3, 9, 14), (17, 3, 3, 3), {}),
    "padded": ("conv2d", (2, 1, 7, 5), (16, 1, 3, 3), {"padding": 1}),
    "wider than a tile": ("conv2d", (1, 2, 3, 61), (33, 2, 2, 3), {"padding": (1, 0)}),
    "strided": ("conv2d", (3, 2, 11, 10), (5, 2, 3, 2), {"stride": (2, 3), "padding": 1}),
    "dilated": ("conv2d", (1, 4, 9, 9), (2, 4, 3, 3), {"dilation": (2, 1), "padding": 2}),
    "groups": ("conv2d", (2, 6, 5, 6), (12, 2, 3, 3), {"groups": 3, "padding": 1}),
    "depthwise": ("conv2d", (2, 5, 6, 6), (5, 1, 3, 3), {"groups": 5}),
    "one by one": ("conv2d", (2, 20, 4, 4), (7, 20, 1, 1), {}),
    "large kernel": ("conv2d", (1, 2, 8, 8), (3, 2, 7, 6), {"padding": 3}),
    "many channels": ("conv2d", (1, 150, 3, 3), (40, 150, 2, 2), {}),
    "a line": ("conv1d", (2, 3, 40), (4, 3, 5), {"stride": 2, "padding": 2}),
    "same": ("conv1d", (1, 2, 9), (3, 2, 4), {"padding": "same"}),
    "a volume": ("conv3d", (1, 2, 4, 5, 6), (3, 2, 2, 3, 2), {"padding": (0, 1, 1)}),
    "back": ("conv_transpose2d", (2, 3, 4, 5), (3, 4, 3, 2), {"stride": 2, "padding": 1}),
    "back, more": (
        "conv_transpose2d", (1, 4, 4, 3), (4, 2, 3, 3),
        {"stride": (3, 2), "padding": 2, "output_padding": 1, "groups": 2, "dilation": (1, 2)},
    ),
    "back, a line": ("conv_transpose1d", (1, 2, 6), (2, 1, 3), {"padding": 2}),
    "back, a volume": ("conv_transpose3d", (1, 1, 2, 3, 2), (1, 2, 2, 2, 2), {"stride": 2}),
    "nothing": ("conv2d", (0, 2, 4, 4), (3, 2, 3, 3), {}),
}  # fmt: skip


def with_gradients(function: Any, options: dict[str, Any]) -> Any:
    """What a function gives, its gradients, and theirs."""

    def everything(x: Any, w: Any, b: Any, h: Any) -> Any:
        leaves = [each.detach().requires_grad_() for each in (x, w, b)]
        out = function(*leaves, **options)
        first = torch.autograd.grad((out * h).sum(), leaves, create_graph=True)
        square = (first[0] * first[0]).sum() + (first[1] * first[1]).sum()
        return (out, *first, *torch.autograd.grad(square, leaves[:2]))

    return everything


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_geometries(kind: str) -> None:
    """Values, gradients and second gradients are those of eager calls."""
    rng = np.random.default_rng(0)
    with Gathering() as gathering:
        for name, (function, x_shape, w_shape, options) in GEOMETRIES.items():
            call = getattr(functional, function)
            outputs = w_shape[1] * options.get("groups", 1) if "back" in name else w_shape[0]
            x, w, b = (
                rng.standard_normal(shape).astype(kind) for shape in (x_shape, w_shape, (outputs,))
            )
            out = call(torch.tensor(x), torch.tensor(w), torch.tensor(b), **options)
            h = rng.standard_normal(tuple(out.shape)).astype(kind)
            gathering.add(name, with_gradients(call, options), (x, w, b, h))
    _, results = run(gathering, "convolutions", 1)
    assert check(gathering, results) == []


def test_no_row_is_called() -> None:
    """Forward and backward are emitted, and the padded input serves both."""
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((2, 3, 6, 6)), rng.standard_normal((4, 3, 3, 3))

    def step(x: Any, w: Any) -> Any:
        w = w.detach().requires_grad_()
        out = functional.conv2d(x, w, padding=1)
        return out, torch.autograd.grad((out * out).sum(), w)[0]

    with Gathering() as gathering:
        gathering.add("step", step, (x, w))
    lowering = lower(optimise(gathering.program("step")))
    nodes = alive(lowering.nodes, lowering.outputs)
    assert not any(isinstance(each, Call) for each in nodes)
    assert sum(isinstance(each, Padded) for each in nodes) == 1
    _, results = run(gathering, "step", 3)
    assert check(gathering, results) == []


def test_integers_and_views() -> None:
    """Integers wrap; inputs and weights may be views."""
    rng = np.random.default_rng(2)
    x = rng.integers(-100, 100, (2, 6, 6, 3)).astype("i1")
    w = rng.integers(-100, 100, (3, 3, 3, 4)).astype("i1")
    y = rng.standard_normal((2, 8, 8, 3)).astype("f4")
    v = rng.standard_normal((3, 3, 3, 20)).astype("f4")

    def turned(x: Any, w: Any) -> Any:
        return functional.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1), padding=1)

    with Gathering() as gathering:
        gathering.add("integers", turned, (x, w))
        gathering.add("views", turned, (y, v))
        gathering.add("cut", lambda y, v: turned(y[:, 1:, ::2], v), (y, v))
    _, results = run(gathering, "views", 1)
    assert check(gathering, results) == []


def test_a_nan_stays_in_its_windows() -> None:
    """Nor do rows that are computed twice, or lanes beyond the channels, carry it on."""
    x = np.ones((2, 1, 9, 35), "f4")
    x[0, 0, 4, 17], x[1, 0, 0, 0] = np.nan, np.inf
    w = np.ones((18, 1, 3, 3), "f4")
    with Gathering() as gathering:
        gathering.add("nan", lambda x, w: functional.conv2d(x, w, padding=1), (x, w))
    _, results = run(gathering, "nan", 1)
    assert check(gathering, results) == []
