"""Samples of ``adjoint/ops/activation_gated.py``."""

import numpy as np

from tests.samples.activation_piecewise import SMALL, functional
from tests.samples.case import case, kink, sample, wrong
from tests.samples.elementwise import (
    NO_INTEGERS,
    ONES,
    both,
    corners,
    unary,
    with_options,
)


def with_weights(make):
    return [
        sample(make(2, 3), make(1)),
        sample(make(2, 3), make(3)),
        sample(make(2, 3, 4), make(3)),
        sample(make(5), make(1)),
        sample(make(), make(1)),
        sample(make(2, 3), make()),
        sample(make(0, 3), make(3)),
        kink(corners(make, 0.0, 1.0, -1.0), make(1)),
    ]


case(
    "prelu", samples=with_weights, dtypes=SMALL,
    errors=[
        wrong(RuntimeError, "2 parameters and 3 channels", np.ones((2, 3)), np.ones(2)),
        wrong(RuntimeError, "scalar or 1D tensor", np.ones((2, 3)), np.ones((1, 3))),
        wrong(RuntimeError, "Type promoting", np.ones((2, 3)), np.ones(3, np.float32)),
    ],
)  # fmt: skip
functional(
    "glu", dtypes=SMALL,
    samples=lambda make: [
        sample(make(2, 4)), sample(make(4, 3), 0), sample(make(2, 4, 3), dim=1),
        sample(make(0, 4)), sample(make(2)),
    ],
    errors=[
        wrong(RuntimeError, "must be even, but dimension 0 is size 3", ONES, 0),
        wrong(IndexError, "Dimension out of range", ONES, 2),
        wrong(RuntimeError, "0-dimensional", np.ones(())),
        wrong(NotImplementedError, "int64", np.ones(4, np.int64)),
    ],
)  # fmt: skip
functional(
    "rrelu", "rrelu_mean", samples=both(unary(), with_options(0.2, 0.4)),
    errors=[wrong(RuntimeError, "is above upper", ONES, 0.5, 0.1), NO_INTEGERS],
)  # fmt: skip
case(
    "nn.functional.rrelu", variant="training", rows="rrelu rrelu_noise", random=True,
    batched=False, note="vmap asks what to draw",
    samples=lambda make: [
        sample(make(4, 5), training=True), sample(make(3), 0.2, 0.4, True),
        sample(make(0, 3), training=True),
    ],
    errors=[wrong(RuntimeError, "is above upper", ONES, 0.5, 0.1, True)],
)  # fmt: skip
