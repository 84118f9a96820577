"""Loops of kernels: rows, sums in registers, in memory and in chunks, views, checks, threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adjoint as torch
from adjoint.array import threads
from adjoint.compiler.codegen import parallel
from adjoint.compiler.runtime.executable import Executable
from tests.compiler.programs import program_of

rng = np.random.default_rng(0)


def normal(*shape: int, kind: Any = np.float32) -> Any:
    return np.asarray(rng.standard_normal(shape) * 3, kind)


def compare(function: Callable[..., Any], *arrays: Any, effort: int = 3, tolerance=2e-6) -> Any:
    """A function of Tensors, compiled, beside NumPy equation by equation."""
    program = program_of(function, *[torch.tensor(each) for each in arrays])
    run = Executable(program, effort)
    for found, wanted in zip(run(*arrays), program.evaluate(arrays), strict=True):
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
        scale = np.abs(wanted[np.isfinite(wanted)]).max(initial=1) if wanted.size else 1
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * scale)
    return run


def test_rows_in_phases():
    def function(x, w):
        y = x - x.mean(-1, keepdim=True)
        z = y * (y * y).mean(-1, keepdim=True).add(1e-5).rsqrt() * w
        return z, x.softmax(-1), x.softmax(-1).flip(-1)[:, 3:], z.sum(0), z.sum(), z.amax(1)

    compare(function, normal(37, 29), normal(29))


def test_reductions_along_every_choice_of_axes():
    def function(x):
        axes = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
        sums = [(x * x).sum(each) for each in axes]
        tops = [x.amax(each) for each in axes]
        return (*sums, *tops, x.sum(1, keepdim=True) + x, (x + 1).sum((0, 2), keepdim=True) * x)

    compare(function, normal(5, 7, 9))


def test_reductions_of_other_types():
    whole = rng.integers(-9, 9, (33, 21))

    def function(x, y, z):
        return x.sum(0), x.amax(1), x.prod(1), y.any(1), y.all(0), y.sum(), z.amin(0), z.sum()

    compare(function, whole, whole > 0, normal(33, 21, kind=np.float64), tolerance=1e-13)


def test_greatest_and_smallest_with_nan_and_infinities():
    x = normal(6, 50)
    x[1, 7], x[2, 3], x[3, 4], x[4] = np.nan, np.inf, -np.inf, -np.inf
    compare(lambda x: (x.amax(1), x.amin(1), x.amax(0), x.amax(), x.amin((0, 1))), x)


def test_short_and_empty_domains():
    def function(x, y, z):
        return (
            x.sum(1), x.exp(), x.softmax(1), y.sum(0), y.sum(1), y + 1, y.sum(), z * 2, z.sum(),
            z.tanh(),
        )  # fmt: skip

    compare(function, normal(300, 3), normal(0, 4), normal())


def test_views():
    def function(x):
        return (
            x.t() + 1, x[::2, 1:].exp(), x.flip(0) * x, x.t().exp().sum(0), x.diagonal() + 1,
            x[:, :1] * x, x.unfold(1, 3, 2).sum(-1), x.t().softmax(-1),
        )  # fmt: skip

    compare(function, normal(13, 13))


@pytest.mark.parametrize("shape", [(512, 301), (257, 530), (400, 512)])
def test_transposed_memory(shape):
    """In tiles, from copies of them where lines are a power of two apart; sums as memory lies."""

    def function(x, y):
        return x.t() * 2 + y, (x.t() + 1).reshape(-1), x.t().sum(1), x.t().amax(1), x.t() + x.t()

    compare(function, normal(*shape), normal(*shape[::-1]), effort=1)


def test_products_are_in_order():
    x = np.array([1e30, 1e-30] * 40, np.float32)
    compare(lambda x: (x.prod(), x.reshape(2, 40).prod(1)), x)


@pytest.mark.parametrize("shape", [(100_000, 2), (3, 40_000), (4, 9_000, 5)])
def test_long_sums_are_exact_to_a_few_units(shape):
    x = rng.random(shape, np.float32) + 1
    axes = [(axis,) for axis in range(len(shape))]
    program = program_of(lambda x: (*[x.sum(each) for each in axes], x.sum()), torch.tensor(x))
    found = Executable(program)(x)
    for array, along in zip(found, [*axes, None], strict=True):
        exact = x.sum(along, dtype=np.float64)
        np.testing.assert_allclose(array, exact, rtol=3e-7)


def test_any_number_of_threads_gives_the_same_bits():
    def function(x, y):
        z = (x * y[: x.shape[0] * x.shape[1]].reshape(x.shape)).tanh()
        return (
            z, z.sum(), z.sum(0), z.sum(1), z.softmax(1), y.sum(), (y * y).mean(), y.exp(),
            z.amax(0), z.mean(0, keepdim=True) * z,
        )  # fmt: skip

    x, y = normal(1500, 301), normal(700_001)
    run = compare(function, x, y, effort=2, tolerance=1e-5)
    assert parallel.REGION in [name for _, name in run.code.addresses]
    before = threads.count()
    try:
        bits = set()
        for count in (1, 2, 3, 16):
            threads.set_count(count)
            bits |= {tuple(each.tobytes() for each in run(x, y)) for _ in range(3)}
    finally:
        threads.set_count(before)
    assert len(bits) == 1


def test_checks_in_loops_of_threads():
    def function(x, index):
        return x[index].sum(1), (x * 2).sum()

    x, index = normal(50, 40), rng.integers(0, 50, 20_000)
    run = compare(function, x, index)
    for place in (0, 9_999, 19_999):
        wrong = index.copy()
        wrong[place] = 50
        with pytest.raises(IndexError):
            run(x, wrong)
    compare(function, x, index)


def test_division_is_whole():
    for turns in (1, 7, 64, 1000, 4_000_001):
        for work in (10, 1e5, 1e7):
            for multiple in (1, 64, 1024):
                found = parallel.divide(turns, work, multiple)
                assert found.chunks <= parallel.MOST
                assert (found.chunks - 1) * found.share < turns <= found.chunks * found.share
                assert found.chunks == 1 or found.share % multiple == 0
