"""Samples of ``adjoint/ops/shuffling.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
FEW = wrong(RuntimeError, "shape is", ONES((4, 4)), 2)
ZERO = wrong(RuntimeError, "positive", ONES((4, 2, 2)), 0)
for place in ("", "nn.functional."):
    case(
        place + "pixel_shuffle", rows="reshape permute",
        samples=lambda make: [
            sample(make(8, 2, 3), 2), sample(make(2, 4, 1, 2), 2), sample(make(2, 1, 9, 1, 1), 3),
            sample(make(2, 3, 2), 1),
        ],
        errors=[
            FEW, ZERO,
            wrong(RuntimeError, "divisible by 4", ONES((3, 2, 2)), 2),
            wrong(TypeError, "must be int", ONES((4, 2, 2)), 2.0),
        ],
    )  # fmt: skip
    case(
        place + "pixel_unshuffle", rows="reshape permute",
        samples=lambda make: [
            sample(make(2, 4, 2), 2), sample(make(2, 1, 2, 4), 2), sample(make(1, 3, 3), 3),
        ],
        errors=[
            FEW, ZERO,
            wrong(RuntimeError, "height to be divisible", ONES((1, 3, 2)), 2),
            wrong(RuntimeError, "width to be divisible", ONES((1, 2, 3)), 2),
        ],
    )  # fmt: skip
    case(
        place + "channel_shuffle", rows="reshape permute",
        samples=lambda make: [
            sample(make(2, 4, 3), 2), sample(make(1, 6, 2, 2), 3), sample(make(1, 4, 1), 1),
        ],
        errors=[
            FEW, ZERO, wrong(RuntimeError, "divisible by groups", ONES((1, 3, 2)), 2),
        ],
    )  # fmt: skip
