"""Samples of ``adjoint/ops/nuclear.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX = np.ones((2, 3))


def matrices(make):
    """Square, tall and wide, several at once, any two dims; far from singular."""

    def far(*shape):
        x = make(*shape)
        for place in range(min(shape[-2:])):
            x[..., place, place] = x[..., place, place] + (5 + place)
        return x

    return [
        sample(far(3, 3), "nuc"),
        sample(far(3, 2), "nuc", keepdim=True),
        sample(far(2, 4), p="nuc", dim=(0, 1)),
        sample(far(2, 3, 3), "nuc", (1, 2)),
        sample(far(2, 3, 2), "nuc", dim=(-1, 1), keepdim=True),
        sample(np.moveaxis(far(2, 3, 3), 0, 1).copy(), "nuc", (0, 2)),
        sample(far(1, 1), "nuc"),
    ]


case(
    "norm", variant="nuclear", rows="nuclear_norm polar_factor polar_factor_change",
    samples=matrices,
    errors=[
        wrong(RuntimeError, "2 dims", np.ones((2, 3, 4)), "nuc"),
        wrong(RuntimeError, "2 dims", np.ones(3), "nuc"),
        wrong(RuntimeError, "2 dims", MATRIX, "nuc", 1),
        wrong(RuntimeError, "must be different", MATRIX, "nuc", (0, 0)),
        wrong(IndexError, "Dimension out of range", MATRIX, "nuc", (0, 5)),
        wrong(RuntimeError, "int64", np.ones((2, 2), np.int64), "nuc"),
        wrong(RuntimeError, "float16", np.ones((2, 2), np.float16), "nuc"),
    ],
)  # fmt: skip
