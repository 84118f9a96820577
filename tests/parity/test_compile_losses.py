"""Losses, normalisation, attention, statistics and scans, compiled with gradients, beside PyTorch.

All functions of a group and their gradients are one program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import adjoint

TOLERANCE = 1e-10  # in float64
Function = Callable[..., Any]  # of a library, and of three matrices of 6 by 5
RANDOM = np.random.RandomState(3)
CLASSES, SIGNS = RANDOM.randint(0, 5, 6), RANDOM.choice([-1.0, 1.0], 6)
LISTS = np.array([[0, 3, -1, 2, 1], [4, -1, 0, 0, 0], [1, 2, 3, 4, 0]] * 2)
WEIGHTS = RANDOM.uniform(0.5, 2, 5)
SHARES = RANDOM.dirichlet(np.ones(5), 6)


def classes(t: Any) -> Any:
    return t.from_numpy(CLASSES)


def shares(t: Any) -> Any:
    return t.from_numpy(SHARES)


def signs(t: Any) -> Any:
    return t.from_numpy(SIGNS)


def weights(t: Any) -> Any:
    return t.from_numpy(WEIGHTS)


def shifts(t: Any) -> Any:
    return t.from_numpy(WEIGHTS - 1)


def heads(x: Any) -> Any:
    return x.reshape(3, 2, 5)


LOSSES: list[Function] = [
    lambda t, x, y, z: t.nn.functional.cross_entropy(x, classes(t)),
    lambda t, x, y, z: t.nn.functional.cross_entropy(
        x, classes(t), weight=weights(t), ignore_index=2, label_smoothing=0.1
    ),
    lambda t, x, y, z: t.nn.functional.cross_entropy(x, shares(t), reduction="sum"),
    lambda t, x, y, z: t.nn.functional.cross_entropy(
        x.reshape(2, 3, 5).transpose(1, 2), classes(t).reshape(2, 3), reduction="none"
    ),
    lambda t, x, y, z: t.nn.functional.nll_loss(t.log_softmax(x, 1), classes(t), weights(t)),
    lambda t, x, y, z: t.nn.functional.kl_div(x, shares(t), reduction="batchmean"),
    lambda t, x, y, z: t.nn.functional.mse_loss(x, y),
    lambda t, x, y, z: t.nn.functional.l1_loss(x, y, reduction="sum"),
    lambda t, x, y, z: t.nn.functional.huber_loss(x, y, delta=0.6),
    lambda t, x, y, z: t.nn.functional.smooth_l1_loss(x, y, reduction="none"),
    lambda t, x, y, z: t.nn.functional.soft_margin_loss(x, t.sign(shares(t) - 0.2)),
    lambda t, x, y, z: t.nn.functional.binary_cross_entropy(t.sigmoid(x), shares(t)),
    lambda t, x, y, z: t.nn.functional.binary_cross_entropy_with_logits(
        x, shares(t), pos_weight=weights(t)
    ),
    lambda t, x, y, z: t.nn.functional.multi_margin_loss(x, classes(t), p=2),
    lambda t, x, y, z: t.nn.functional.multilabel_margin_loss(x, t.from_numpy(LISTS)),
    lambda t, x, y, z: t.nn.functional.poisson_nll_loss(x, y, full=True),
    lambda t, x, y, z: t.nn.functional.gaussian_nll_loss(x, y, z * z + 0.1),
    lambda t, x, y, z: t.nn.functional.cosine_embedding_loss(x, y, signs(t)),
    lambda t, x, y, z: t.nn.functional.margin_ranking_loss(x[:, 0], y[:, 0], signs(t)),
    lambda t, x, y, z: t.nn.functional.triplet_margin_loss(x, y, z, swap=True),
]
NORMALISED: list[Function] = [
    lambda t, x, y, z: t.nn.functional.layer_norm(x, (5,), y[0], z[0]),
    lambda t, x, y, z: t.nn.functional.rms_norm(x, (5,), y[0]),
    lambda t, x, y, z: t.nn.functional.group_norm(x.reshape(1, 6, 5), 3, y[:, 0], z[:, 0]),
    lambda t, x, y, z: t.nn.functional.batch_norm(x, None, None, y[0], z[0], training=True),
    lambda t, x, y, z: t.nn.functional.batch_norm(x, shifts(t), weights(t), y[0], z[0]),
    lambda t, x, y, z: t.nn.functional.instance_norm(x.reshape(1, 6, 5)),
    lambda t, x, y, z: t.nn.functional.normalize(x, dim=0),
    lambda t, x, y, z: t.softmax(x, 1) * t.log_softmax(y, 0),
    lambda t, x, y, z: t.nn.functional.scaled_dot_product_attention(
        heads(x), heads(y), heads(z), is_causal=True
    ),
    lambda t, x, y, z: t.nn.functional.scaled_dot_product_attention(x, y, z),
    lambda t, x, y, z: t.nn.functional.cosine_similarity(x, y),
    lambda t, x, y, z: t.cdist(x, y),
    lambda t, x, y, z: t.cdist(x, y, p=3.0),
    lambda t, x, y, z: t.nn.functional.pairwise_distance(x, y),
]
COMBINED: list[Function] = [
    lambda t, x, y, z: t.var(x, 0),
    lambda t, x, y, z: t.std_mean(x, (0, 1))[0],
    lambda t, x, y, z: t.logsumexp(x, (0, 1)),
    lambda t, x, y, z: t.linalg.vector_norm(x, 3, 1),
    lambda t, x, y, z: t.linalg.vector_norm(x, float("inf"), 0),
    lambda t, x, y, z: t.prod(x, 1),
    lambda t, x, y, z: t.max(x, 1)[0] + t.min(y, 1)[0],
    lambda t, x, y, z: t.amax(x, (0, 1)) - t.aminmax(y)[0],
    lambda t, x, y, z: t.cumsum(x, 1),
    lambda t, x, y, z: t.cumprod(x, 0),
    lambda t, x, y, z: t.cummax(x, 1)[0],
    lambda t, x, y, z: t.logcumsumexp(x, 0),
    lambda t, x, y, z: t.mean(x, 0) * t.nansum(y),
    lambda t, x, y, z: t.dist(x, y),
]


def everything(t: Any, functions: list[Function]) -> Callable[..., list[Any]]:
    """All values, and the gradients of their sum of squares."""

    def run(*tensors: Any) -> list[Any]:
        values, found = [function(t, *tensors) for function in functions], []
        for value in values:
            total = (value * value + value).sum()
            found += [value, *t.autograd.grad(total, tensors, allow_unused=True)]
        return [each for each in found if each is not None]

    return run


@pytest.mark.parametrize(
    "functions", [LOSSES, NORMALISED, COMBINED], ids=["losses", "normalised", "combined"]
)
def test_with_gradients(functions: list[Function]) -> None:
    """Values and gradients, twice: from the trace and from the program."""
    arrays = [np.random.RandomState(seed).normal(size=(6, 5)) for seed in range(3)]
    arrays[1] = np.abs(arrays[1]) + 0.2
    compiled = adjoint.compile(everything(adjoint, functions))
    wanted = everything(torch, functions)(*[_leaf(torch, each) for each in arrays])
    for _ in range(2):
        found = compiled(*[_leaf(adjoint, each) for each in arrays])
        assert len(found) == len(wanted)
        for number, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
            result, expected = ours.detach().numpy(), theirs.detach().numpy()
            assert result.shape == expected.shape, number
            assert np.allclose(result, expected, rtol=TOLERANCE, atol=TOLERANCE), number


def _leaf(t: Any, array: np.ndarray) -> Any:
    return t.from_numpy(array.copy()).requires_grad_()
