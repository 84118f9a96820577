"""Operations on large arrays, by compiled loops."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import adjoint as torch
from adjoint.array import large

pytest.importorskip("llvmlite", reason="without it NumPy computes everything")
SIZE = large.LEAST
UNARY = {
    "erf": torch.erf,
    "erfc": torch.erfc,
    "erfinv": torch.erfinv,
    "sin": torch.sin,
    "cos": torch.cos,
    "gelu": torch.nn.functional.gelu,
    "gelu_tanh": partial(torch.nn.functional.gelu, approximate="tanh"),
    "sigmoid": torch.sigmoid,
    "softplus": torch.nn.functional.softplus,
}
BINARY = {
    "fmod": torch.fmod,
    "remainder": torch.remainder,
    "floor_divide": torch.floor_divide,
    "logaddexp": torch.logaddexp,
}


@pytest.fixture
def calls(monkeypatch):
    """The names of the loops that were called."""
    found = []
    original = large.eager.call

    def call(name, *arrays):
        out = original(name, *arrays)
        if out is not None:
            found.append(name)
        return out

    monkeypatch.setattr(large.eager, "call", call)
    return found


def _values(kind, seed=0):
    x = np.random.default_rng(seed).normal(size=SIZE).astype(kind) * 3
    x[:4] = [np.nan, np.inf, -np.inf, -0.0]
    return x


def _assert_near(out, pieces):
    """The whole is what the parts are, which are too small for loops."""
    tolerance = 4 * np.finfo(out.dtype).eps
    np.testing.assert_allclose(out, np.concatenate(pieces), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_large_arrays_go_by_loops(kind, calls):
    x, y = torch.from_numpy(_values(kind)), torch.from_numpy(_values(kind, 1))
    halves = slice(0, SIZE // 2), slice(SIZE // 2, SIZE)
    for function in UNARY.values():
        _assert_near(function(x).numpy(), [function(x[each]).numpy() for each in halves])
    for function in BINARY.values():
        out = function(x, y).numpy()
        _assert_near(out, [function(x[each], y[each]).numpy() for each in halves])
    assert calls == [
        "erf", "erfc", "erfinv", "sin", "cos", "gelu", "gelu_tanh", "sigmoid",
        "logaddexp", "fmod", "remainder", "floor_divide", "logaddexp",
    ]  # fmt: skip


def test_numbers_beside_large_arrays(calls):
    x = torch.from_numpy(_values("f4"))
    parts = [torch.fmod(each, 0.75).numpy() for each in (x[:9], x[9:])]
    _assert_near(torch.fmod(x, 0.75).numpy(), parts)
    parts = [torch.remainder(2.0, each).numpy() for each in (x[:9], x[9:])]
    _assert_near(torch.remainder(2.0, x).numpy(), parts)
    assert calls == ["fmod", "remainder"]


def test_the_order_in_memory_is_kept_and_gaps_are_left_to_numpy(calls):
    x = torch.from_numpy(_values("f8")).reshape(512, -1)
    turned = torch.erf(x.t())
    assert turned.stride() == (1, x.shape[1])
    np.testing.assert_array_equal(turned.t().numpy(), torch.erf(x).numpy())
    assert calls == ["erf", "erf"]
    wide = torch.cat([x, x, x], 1)
    np.testing.assert_allclose(torch.erf(wide[:, ::2]).numpy(), torch.erf(wide).numpy()[:, ::2])
    left = torch.fmod(wide, x[:, :1]).numpy()[:, 7]
    np.testing.assert_allclose(left, torch.fmod(wide[:, 7], x[:, 0]).numpy())
    assert calls == ["erf", "erf", "erf"]


def test_halves_of_large_arrays_are_numpys_to_the_bit(monkeypatch):
    found = []
    original = large.eager.convert
    monkeypatch.setattr(
        large.eager, "convert", lambda x, kind: found.append(kind.name) or original(x, kind)
    )
    x = torch.from_numpy(_values("f4", 5)).reshape(512, -1).t()
    halves = slice(0, 100), slice(100, None)

    def assert_same(function, whole, kind):
        parts = [function(whole[each]).view(kind) for each in halves]
        assert torch.equal(function(whole).view(kind), torch.cat(parts))

    for half in (torch.float16, torch.bfloat16):
        assert x.to(half).stride() == x.stride()
        assert_same(lambda part, half=half: part.to(half), x, torch.int16)
        assert_same(lambda part: part.float(), x.to(half), torch.int32)
    assert found == ["float16"] * 3 + ["float32"] + ["bfloat16"] * 3
    found.clear()
    assert_same(lambda part: part * 0.3, x.half(), torch.int16)
    assert found == ["float16", "float32", "float16"]


def test_small_arrays_and_other_types_do_not(calls):
    torch.erf(torch.ones(SIZE - 1))
    torch.fmod(torch.ones(SIZE, dtype=torch.int64), 3)
    assert calls == []


def test_any_number_of_threads_gives_the_same(calls):
    x = torch.from_numpy(_values("f4"))
    before, results = torch.get_num_threads(), []
    for count in (1, 2):
        torch.set_num_threads(count)
        results.append(torch.erf(x).numpy())
    torch.set_num_threads(before)
    np.testing.assert_array_equal(*results)
    assert calls == ["erf", "erf"]


def test_without_llvmlite_numpy_computes_all(monkeypatch):
    class Missing:
        def __getattr__(self, name):
            raise ImportError("no llvmlite")

    monkeypatch.setattr(large, "eager", Missing())
    monkeypatch.setattr(large, "_absent", False)
    x = np.linspace(-9, 9, SIZE)
    np.testing.assert_array_equal(torch.sin(torch.from_numpy(x)).numpy(), np.sin(x))
    assert large._absent
