"""Products and convolutions as code: for vectors of other widths, and for any number of threads."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import adjoint as torch
from adjoint.compiler import codegen
from adjoint.compiler.codegen import target, tiles
from adjoint.compiler.passes import optimise
from adjoint.compiler.runtime import building
from adjoint.compiler.runtime.executable import Executable
from tests.harness_compiled import Gathering, check, run

WIDTHS = {"AVX2": (32, 16), "SSE": (16, 16), "NEON": (16, 32), "AVX-512": (64, 32)}


@pytest.fixture(params=WIDTHS)
def vectors(request: Any, monkeypatch: Any) -> Iterator[target.Vectors]:
    """Another processor's vectors in the place of our own, which can do all narrower ones."""
    chosen = target.Vectors(*WIDTHS[request.param], "")
    if chosen.bytes > target.vectors().bytes:
        pytest.skip("this processor has no vectors so wide")
    for found in pkgutil.iter_modules(codegen.__path__):
        module = importlib.import_module(f"{codegen.__name__}.{found.name}")
        if hasattr(module, "vectors"):
            monkeypatch.setattr(module, "vectors", lambda: chosen)
    monkeypatch.setenv("ADJOINT_CACHE_SIZE", "0")
    tiles.best_tile.cache_clear()
    yield chosen
    tiles.best_tile.cache_clear()


def test_every_width(vectors: target.Vectors) -> None:
    """Products, convolutions, pooling with their gradients, on sizes that nothing divides."""
    rng = np.random.default_rng(0)
    functional = torch.nn.functional

    def network(x: Any, w: Any, v: Any) -> Any:
        w, v = w.detach().requires_grad_(), v.detach().requires_grad_()
        found = functional.conv2d(x, w, stride=(1, 2), padding=1)
        found = functional.max_pool2d(found, 2).flatten(1)
        out = functional.linear(found, v) @ v[:, :6]
        return out, *torch.autograd.grad((out * out).sum(), (w, v))

    with Gathering() as gathering:
        for kind in ("f4", "f8"):
            shapes = [(3, 3, 12, 23), (19, 3, 3, 3), (21, 19 * 6 * 6)]
            arrays = [rng.standard_normal(shape).astype(kind) / 5 for shape in shapes]
            gathering.add(kind, network, [each.astype(kind) for each in arrays])
            for rows, inner, columns in [(37, 600, 41), (1, 50, 90), (90, 50, 1), (6, 5, 3)]:
                x = rng.standard_normal((rows, inner)).astype(kind)
                y = rng.standard_normal((columns, inner)).astype(kind)
                gathering.add(f"{rows} {inner} {columns}", lambda x, y: x @ y.t(), (x, y))
    _, results = run(gathering, f"width {vectors.bytes} {vectors.registers}", 1)
    assert check(gathering, results) == []


def test_threads_change_no_bit(monkeypatch: Any) -> None:
    """What is divided among threads comes out the same whoever computes it."""
    rng = np.random.default_rng(1)
    x, y = (rng.standard_normal(shape).astype("f4") for shape in [(200, 300), (300, 170)])
    images = rng.standard_normal((8, 6, 20, 20)).astype("f4")
    w = rng.standard_normal((24, 6, 3, 3)).astype("f4")

    def step(x: Any, y: Any, images: Any, w: Any) -> Any:
        w = w.detach().requires_grad_()
        out = torch.nn.functional.conv2d(images, w, padding=1)
        return x @ y, out, torch.autograd.grad((out * out).sum(), w)[0]

    with Gathering() as gathering:
        gathering.add("step", step, (x, y, images, w))
    executable = Executable(optimise(gathering.program("step")))
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            found.append([each.tobytes() for each in executable(*gathering.arrays)])
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_equal_products_share_code(monkeypatch: Any) -> None:
    """Two layers of one shape are one function, wherever their factors lie."""
    written = []
    compiled = building.object_code
    monkeypatch.setenv("ADJOINT_CACHE_SIZE", "0")
    monkeypatch.setattr(
        building, "object_code", lambda *args: written.append(args[-1]) or compiled(*args)
    )
    x = np.ones((2, 20, 30), "f4")
    y = np.ones((2, 30, 40), "f4")
    with Gathering() as gathering:
        gathering.add("both", lambda x, y: (x[0] @ y[1], x[1] @ y[0]), (x, y))
    _, results = run(gathering, "both", 1)
    assert check(gathering, results) == []
    assert written[0].count("define hidden void @step") == 1
