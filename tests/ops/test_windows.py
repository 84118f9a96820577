"""Kernels of convolution and pooling: short ways against general ones, pieces against the whole."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from adjoint.ops import columns, windows
from adjoint.ops.windows import Windows


def pairs_of(shape: tuple[int, ...]) -> Windows:
    """Windows of two by two, side by side."""
    return Windows((2, 2), (2, 2), (0, 0), (1, 1), tuple(size // 2 for size in shape[-2:]))


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "int64", "uint8"])
@pytest.mark.parametrize(
    "shape", [(2, 3, 8, 8), (1, 4, 4), (3, 5, 9), (2, 2, 3), (2, 6, 16), (2100, 8, 8), (3, 2, 200)]
)
def test_pairs_are_as_the_general_way(
    shape: tuple[int, ...], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.RandomState(1)
    for few in (True, False):  # ties, and none
        x = (draw.randint(0, 3, shape) if few else draw.permutation(np.prod(shape)) % 997).reshape(
            shape
        )
        x = x.astype(kind)
        values, indices = windows.max_windows(x, pairs_of(shape))
        with monkeypatch.context() as patch:
            patch.setattr(windows, "applies", lambda *_: False)
            expected = windows.max_windows(x, pairs_of(shape))
        np.testing.assert_array_equal(values, expected[0])
        np.testing.assert_array_equal(indices, expected[1])
        assert values.dtype == x.dtype
        assert indices.dtype == np.int64
        flat = x.reshape(*shape[:-2], -1)
        found = np.take_along_axis(flat, indices.reshape(*shape[:-2], -1), -1)
        np.testing.assert_array_equal(found.reshape(values.shape), values)


def test_pooling_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.RandomState(2).standard_normal((70, 6, 7))
    shape = Windows((3, 2), (2, 1), (1, 0), (1, 2), (3, 5))
    whole = [*windows.max_windows(x, shape), windows.mean_windows(x, shape, True, None)]
    whole.append(windows.spread_windows(whole[2], shape, (6, 7), False, None))
    monkeypatch.setattr(windows, "_PIECE", 16 * 42)
    windows._pieces.cache_clear()
    parts = [*windows.max_windows(x, shape), windows.mean_windows(x, shape, True, None)]
    parts.append(windows.spread_windows(parts[2], shape, (6, 7), False, None))
    windows._pieces.cache_clear()
    for one, two in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, two)


GEOMETRIES = [
    {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1},
    {"stride": (2, 1), "padding": ((0, 2), (3, 1)), "dilation": (1, 2), "groups": 2},
]


def three(x: Any, w: Any, b: Any, g: Any, geometry: dict[str, Any]) -> list[Any]:
    """Results of a convolution and its gradients, in all ways that there are."""
    out = columns.convolve(x, w, b, **geometry)
    g = g[: out.size].reshape(out.shape)
    back = columns.convolve_transposed(g, w, None, **geometry, sizes=x.shape[2:])
    weight = columns.weight_gradient(x, g, **geometry, kernel=w.shape[2:])
    return [out, back, weight, *columns.both_gradients(g, x, w, **geometry)]


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_convolution_in_pieces(geometry: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.RandomState(3)
    x = draw.standard_normal((11, 4, 7, 6))
    w = draw.standard_normal((6, 4 // geometry["groups"], 3, 2))
    b, g = draw.standard_normal(6), draw.standard_normal(11 * 6 * 12 * 12)
    whole = three(x, w, b, g, geometry)
    np.testing.assert_allclose(whole[1], whole[3], atol=1e-12)
    np.testing.assert_allclose(whole[2], whole[4], atol=1e-12)
    # Pieces of a few images, and of single ones too large for the memory that is kept.
    for numbers in (4000, 1):
        monkeypatch.setattr(columns, "_COLUMNS", numbers)
        columns._pieces.cache_clear()
        columns._scratch.__dict__.clear()
        columns._scratch.__init__()
        parts = three(x, w, b, g, geometry)
        columns._pieces.cache_clear()
        for one, two in zip(whole, parts, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-12)


def test_transposes_by_blocks() -> None:
    draw = np.random.RandomState(4)
    for count, channels, size in product((1, 3, 40, 600), (1, 5), (1, 9)):
        x = draw.standard_normal((count, channels, size, 2))
        z = columns.batch_last(x, ((1, 0), (0, 2)))
        np.testing.assert_array_equal(z[:, 1:, :2], x.transpose(1, 2, 3, 0))
        assert z.sum() == pytest.approx(x.sum())
        inner = np.ascontiguousarray(z[:, 1:, :2])
        out = np.empty_like(x)
        columns.batch_first(inner, out)
        np.testing.assert_array_equal(out, x)
        strided = np.empty((*x.shape[:3], 4))[..., ::2]
        columns.batch_first(inner, strided)
        np.testing.assert_array_equal(strided, x)


def test_results_do_not_share_the_memory_that_is_kept() -> None:
    """What a call returns is its own: the next call writes over scratch memory only."""
    draw = np.random.RandomState(5)
    x, w = draw.standard_normal((4, 2, 5, 5)), draw.standard_normal((3, 2, 1, 1))
    geometry = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
    g = draw.standard_normal(4 * 3 * 25)
    first = three(x, w, draw.standard_normal(3), g, geometry)
    copies = [each.copy() for each in first]
    three(x * 2, w * 3, draw.standard_normal(3), g * 5, geometry)
    for one, two in zip(first, copies, strict=True):
        np.testing.assert_array_equal(one, two)
        assert not np.shares_memory(one, x)
