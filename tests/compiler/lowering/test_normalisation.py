"""Normalisation by given statistics, beside its NumPy kernel; by a row's own, in pieces."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compiler.lowering.comparing import compare, numbers, spoiled


@pytest.mark.parametrize("kind", [np.float32, np.float64], ids=["float32", "float64"])
def test_by_given_statistics(kind: type) -> None:
    """With and without weights and biases, of channels last and in the middle, and in a batch."""
    mean, weight, bias = (numbers((4,), kind, seed) for seed in range(3))
    variance = np.abs(numbers((4,), kind, 3)) + 0.1
    cases = []
    for shape, trailing in (((3, 4), 0), ((3, 4, 5), 1), ((2, 4, 3, 3), 2), ((0, 4, 2), 1)):
        for x in spoiled(numbers(shape, kind)):
            cases += [
                ("batch_norm_given", (x, mean, variance, *own), trailing, 1e-5)
                for own in ((weight, bias), (None, None), (weight, None), (None, bias))
            ]
    for changed in spoiled(mean):
        given = (numbers((3, 4), kind), changed, variance, weight, bias)
        cases.append(("batch_norm_given", given, 0, 1e-5))
    batch = [np.stack([each, each + 1])[:, None] for each in (mean, variance, weight, bias)]
    cases.append(("batch_norm_given", (numbers((2, 3, 4, 5), kind), *batch), 1, 1e-5))
    compare(cases)


@pytest.mark.parametrize("kind", [np.float32, np.float64], ids=["float32", "float64"])
def test_by_own_statistics(kind: type) -> None:
    """Over the last dims, groups of channels and batches; far from zero, and of nothing."""
    x, weight, bias = numbers((3, 4, 6), kind), numbers((6,), kind, 1), numbers((6,), kind, 2)
    per_channel = numbers((4,), kind, 1), numbers((4,), kind, 2)
    whole = numbers((4, 6), kind, 3)
    cases = []
    for given in (*spoiled(x), x + 1000):
        cases += [
            ("layer_norm", (given, weight, bias), 1, 1e-5, None),
            ("layer_norm", (given, whole, None), 2, 1e-5, None),
            ("rms_norm", (given, weight), 1, 1e-6, None),
            ("rms_norm", (given, None), 2, 1e-6, None),
            ("group_norm", (given, *per_channel), 2, 1, 1e-5, None),
            ("batch_norm", (given, *per_channel), 1, 1e-5, None),
            ("batch_norm", (given, None, None), 1, 1e-5, None),
        ]
    cases.append(("layer_norm", (numbers((0, 6), kind), weight, bias), 1, 1e-5, None))
    compare(cases)
