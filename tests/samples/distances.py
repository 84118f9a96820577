"""Samples of ``adjoint/ops/distances.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones
F = "nn.functional."
MISMATCH = wrong(RuntimeError, "must match", ONES((2, 3)), ONES((2, 4)))

for place in ("", F):
    case(
        place + "cosine_similarity",
        rows="vector_norm raised mul sum_dims div",
        samples=lambda make: [
            sample(make(2, 3, 4), make(2, 3, 4), 1, 0.1),
            sample(make(2, 3), make(2, 3)),
            sample(make(2, 3), make(3), dim=-1),
            sample(make(3), make(3), dim=0),
            kink(make(2, 3, low=-1e-3, high=1e-3), make(2, 3), 1, 0.1),
            sample(make(0, 3), make(0, 3)),
        ],
        errors=[
            MISMATCH,
            wrong(IndexError, "out of range", ONES(3), ONES(3)),
            wrong(RuntimeError, "floating", ONES((2, 3), int), ONES((2, 3), int)),
            wrong(RuntimeError, "floating", ONES((2, 3), complex), ONES((2, 3))),
        ],
    )
    case(
        place + "pairwise_distance",
        rows="vector_norm sub add",
        samples=lambda make: [
            sample(make(2, 3), make(2, 3)),
            sample(make(2, 3), make(3)),
            sample(make(3), make(3)),
            sample(make(2, 3), make(2, 3), 1.0, keepdim=True),
            sample(make(2, 3), make(2, 3), p=3.0, eps=0.1),
            sample(make(0, 3), make(0, 3)),
        ],
        errors=[MISMATCH],
    )
case(
    F + "normalize",
    rows="vector_norm clamp_min div",
    samples=lambda make: [
        sample(make(2, 3)),
        sample(make(2, 3), p=1, dim=0),
        sample(make(2, 3), 3.0, -1),
        sample(make(3), dim=0),
        sample(make(2, 3, 4), dim=(1, 2)),
        sample(make(2, 3), eps=10.0),
    ],
    errors=[
        wrong(IndexError, "out of range", ONES((2, 3)), dim=2),
        wrong(RuntimeError, "torch.int64|floating", ONES((2, 3), int)),
    ],
)


def triplets(make):
    """Three tensors, with each reduction."""
    return [
        *(
            sample(make(4, 3), make(4, 3), make(4, 3), reduction=reduction)
            for reduction in ("mean", "sum", "none")
        ),
        sample(make(4, 3), make(4, 3), make(4, 3), margin=2.5, swap=True),
        sample(make(3), make(3), make(3), margin=0.5),
    ]


RANKS = wrong(RuntimeError, "number of dimensions", ONES((2, 3)), ONES(3), ONES((2, 3)))
MARGIN = wrong(ValueError, "greater than 0", ONES(3), ONES(3), ONES(3), margin=-1.0)
NO_REDUCTION = wrong(ValueError, "not a valid", ONES(3), ONES(3), ONES(3), reduction="means")

case(
    F + "triplet_margin_loss",
    rows="vector_norm clamp_min",
    samples=lambda make: [
        *triplets(make),
        sample(make(4, 3), make(4, 3), make(4, 3), p=1, eps=0.1),
    ],
    errors=[RANKS, MARGIN, NO_REDUCTION],
)
case(
    F + "triplet_margin_with_distance_loss",
    rows="vector_norm clamp_min",
    samples=triplets,
    errors=[MARGIN, NO_REDUCTION],
)
