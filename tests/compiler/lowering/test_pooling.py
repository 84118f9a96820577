"""Pooling compiled: windows of every kind, ties, NaN and infinities, and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adjoint as torch
from tests.harness_compiled import Gathering, check, run

functional = torch.nn.functional

WINDOWS = [
    ("max_pool2d", (2, 3, 6, 8), {"kernel_size": 2}),
    ("max_pool2d", (2, 1, 28, 30), {"kernel_size": 2}),
    ("max_pool2d", (1, 2, 7, 9), {"kernel_size": 2, "ceil_mode": True}),
    ("max_pool2d", (1, 2, 7, 7), {"kernel_size": 3, "stride": 2, "padding": 1}),
    ("max_pool2d", (3, 9, 8), {"kernel_size": (3, 2), "stride": 1, "dilation": 2, "padding": 1}),
    ("max_pool1d", (2, 3, 11), {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}),
    ("max_pool3d", (1, 2, 4, 5, 4), {"kernel_size": 2, "stride": (2, 1, 2)}),
    ("adaptive_max_pool2d", (2, 2, 6, 9), {"output_size": (3, 4)}),
    ("adaptive_max_pool2d", (2, 2, 6, 9), {"output_size": (2, 3)}),
    ("adaptive_max_pool3d", (1, 2, 4, 5, 3), {"output_size": (2, 2, 2)}),
    ("avg_pool2d", (2, 3, 6, 8), {"kernel_size": 2}),
    ("avg_pool2d", (2, 3, 7, 7), {"kernel_size": 3, "stride": 2, "padding": 1}),
    (
        "avg_pool2d", (1, 2, 7, 6),
        {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True,
         "count_include_pad": False},
    ),
    ("avg_pool2d", (1, 1, 20, 20), {"kernel_size": 11, "stride": 3, "divisor_override": 7}),
    ("avg_pool1d", (2, 3, 11), {"kernel_size": 3, "stride": 4}),
    ("avg_pool3d", (1, 2, 4, 5, 4), {"kernel_size": 2, "stride": 1}),
    ("adaptive_avg_pool2d", (2, 2, 6, 9), {"output_size": (3, 4)}),
    ("adaptive_avg_pool2d", (2, 2, 6, 9), {"output_size": 1}),
    ("adaptive_avg_pool3d", (1, 2, 4, 5, 3), {"output_size": (2, 3, 3)}),
]  # fmt: skip


def pooled(function: str, options: dict[str, Any], x: Any) -> tuple[Any, ...]:
    """Values, and indices of maxima."""
    more = {"return_indices": True} if "max" in function else {}
    found = getattr(functional, function)(x, **options, **more)
    return found if isinstance(found, tuple) else (found,)


def with_gradients(function: str, options: dict[str, Any]) -> Any:
    """What pooling gives, its gradient, and the gradient of that."""

    def everything(x: Any, h: Any) -> Any:
        x, h = x.detach().requires_grad_(), h.detach().requires_grad_()
        out = pooled(function, options, x)
        (first,) = torch.autograd.grad((out[0] * h).sum(), x, create_graph=True)
        return (*out, first, torch.autograd.grad((first * first).sum(), h)[0])

    return everything


def values(rng: Any, how: str, shape: tuple[int, ...], kind: str) -> Any:
    """Numbers that differ, or have ties, or are not finite."""
    x = rng.standard_normal(shape)
    if how == "ties":
        x = np.round(x)
    if how == "not finite":
        x[rng.random(shape) < 0.3] = -np.inf
        x[rng.random(shape) < 0.1] = np.nan
    return x.astype(kind)


@pytest.mark.parametrize("how", ["numbers", "ties", "not finite"])
def test_windows(how: str) -> None:
    """Values, indices, gradients and second gradients are those of eager calls."""
    rng = np.random.default_rng(0)
    kind = "f8" if how == "ties" else "f4"
    with Gathering() as gathering:
        for function, shape, options in WINDOWS:
            x = values(rng, how, shape, kind)
            out = pooled(function, options, torch.tensor(x))[0]
            h = rng.standard_normal(tuple(out.shape)).astype(kind)
            what = f"{function} of {shape} with {options}"
            gathering.add(what, with_gradients(function, options), (x, h))
    _, results = run(gathering, "pooling", 1)
    assert check(gathering, results) == []


def test_integers() -> None:
    """Their means are cut off."""
    rng = np.random.default_rng(1)
    with Gathering() as gathering:
        for function, shape, options in WINDOWS:
            if function in ("max_pool2d", "avg_pool2d"):
                x = rng.integers(-9, 9, shape)
                gathering.add(
                    f"{function} {options}",
                    lambda x, function=function, options=options: pooled(function, options, x),
                    (x,),
                )
    _, results = run(gathering, "pooling", 1)
    assert check(gathering, results) == []


def test_back_to_where_maxima_were() -> None:
    """Unpooling, of windows that overlap or not; power means."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal((2, 3, 6, 6)).astype("f4")

    def there_and_back(x: Any) -> Any:
        found, indices = functional.max_pool2d(x, 2, return_indices=True)
        return functional.max_unpool2d(found, indices, 2), functional.lp_pool2d(x.abs(), 3, 2)

    with Gathering() as gathering:
        gathering.add("there and back", there_and_back, (x,))
    _, results = run(gathering, "pooling", 3)
    assert check(gathering, results) == []
