"""Samples of ``adjoint/ops/losses.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
F = "nn.functional."


def pairs(make, **options):
    """An input and a target: reductions, one element, none, and shapes that broadcast."""
    return [
        sample(make(2, 3), make(2, 3), **options),
        sample(make(2, 3), make(2, 3), reduction="sum", **options),
        sample(make(2, 3), make(2, 3), reduction="none", **options),
        sample(make(), make(), **options),
        sample(make(), make(), reduction="none", **options),
        sample(make(0), make(0), reduction="sum", **options),
        sample(make(0, 2), make(0, 2), **options),
        sample(make(2, 1), make(3), **options),
        sample(make(3), make(2, 3), reduction="none", **options),
    ]


NO_REDUCTION = wrong(ValueError, "not a valid value", ONES(3), ONES(3), reduction="means")
MISMATCH = wrong(RuntimeError, "must match", ONES(3), ONES(2))
INTEGERS = wrong(NotImplementedError, "torch.int64", ONES(3, np.int64), ONES(3, np.int64))

case(
    F + "mse_loss",
    samples=lambda make: [
        *pairs(make),
        sample(make(3), make(3), weight=make(3, low=0.5, high=2.0)),
        sample(make(3), make(3), weight=make(3), reduction="none"),
        sample(make(3), make(3), weight=make(3), reduction="sum"),
        sample(make(3), make(3), size_average=False),
        sample(make(3), make(3), reduce=False),
    ],
    errors=[
        NO_REDUCTION,
        MISMATCH,
        INTEGERS,
        wrong(ValueError, "same size", ONES((2, 3)), ONES((2, 3)), weight=ONES(3)),
    ],
)
case(
    F + "l1_loss",
    rows="abs mean sum",
    samples=lambda make: [
        *pairs(make),
        sample(make(3), make(3), weight=make(3, low=0.5, high=2.0)),
    ],
    errors=[
        NO_REDUCTION,
        MISMATCH,
        wrong(ValueError, "same size", ONES((2, 3)), ONES((2, 3)), weight=ONES(3)),
    ],
)
case(
    F + "smooth_l1_loss",
    samples=lambda make: [
        *pairs(make),
        *pairs(make, beta=0.7),
        sample(make(3), make(3), beta=0),
    ],
    errors=[
        NO_REDUCTION,
        MISMATCH,
        INTEGERS,
        wrong(RuntimeError, "negative", ONES(3), ONES(3), beta=-1.0),
    ],
)
case(
    F + "huber_loss",
    samples=lambda make: [
        *pairs(make),
        *pairs(make, delta=0.7),
        sample(make(3), make(3), weight=make(3)),
        sample(make(3), make(3), weight=make(3), reduction="none"),
    ],
    errors=[
        NO_REDUCTION,
        MISMATCH,
        INTEGERS,
        wrong(RuntimeError, "positive", ONES(3), ONES(3), delta=0.0),
    ],
)
case(
    F + "soft_margin_loss",
    samples=lambda make: [*pairs(make)[:7], sample(make(2, 3), make(3))],
    constants=(1,),
    note="PyTorch refuses targets that require grad",
    errors=[NO_REDUCTION, MISMATCH, wrong(RuntimeError, "must match", ONES(3), ONES((2, 3)))],
)
