"""Samples of ``adjoint/ops/normalisation_batch.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
F = "nn.functional."
STATS = "running statistics have no derivative, and are moved in place"


def positive(make, *shape):
    """Variances."""
    return make(*shape, low=0.5, high=2.0)


case(
    F + "batch_norm",
    samples=lambda make: [
        sample(make(2, 3, 4), None, None, make(3), make(3), training=True, eps=0.1),
        sample(make(4, 3), None, None, training=True),
        sample(make(4, 3), None, None, make(3), make(3), True),
        sample(make(2, 3, 2, 2), None, None, make(3), training=True),
    ],
    errors=[
        wrong(RuntimeError, "running_mean must be defined", ONES((2, 3)), None, None),
        wrong(RuntimeError, "running_var must be defined", ONES((2, 3)), ONES(3), None),
        wrong(RuntimeError, "running_mean should contain 3", ONES((2, 3)), ONES(2), ONES(3)),
        wrong(RuntimeError, "weight should contain 3", ONES((2, 3)), ONES(3), ONES(3), ONES(2)),
        wrong(ValueError, "more than 1 value", ONES((1, 3)), None, None, training=True),
        wrong(IndexError, r"\[3\]", ONES(3), None, None, training=True),
        wrong(NotImplementedError, "torch.int64", ONES((2, 3), int), None, None, training=True),
    ],
)
case(
    F + "batch_norm",
    variant="by given statistics",
    rows="batch_norm_given clone",
    samples=lambda make: [
        sample(make(4, 3), make(3), positive(make, 3)),
        sample(make(4, 3), make(3), positive(make, 3), make(3), make(3)),
        sample(make(1, 3), make(3), positive(make, 3), make(3)),
        sample(make(2, 3, 2, 2), make(3), positive(make, 3), make(3), make(3), eps=0.1),
        sample(make(0, 3), make(3), positive(make, 3)),
    ],
    constants=(1, 2),
    note=STATS,
    errors=[
        wrong(RuntimeError, "mixed dtype", ONES((2, 3)), ONES(3, np.float32), ONES(3)),
    ],
)
case(
    F + "instance_norm",
    rows="batch_norm",
    samples=lambda make: [
        sample(make(2, 3, 4)),
        sample(make(2, 3, 4), weight=make(3), bias=make(3)),
        sample(make(2, 3, 2, 2), eps=0.1),
    ],
    errors=[
        wrong(ValueError, "more than 1 spatial element", ONES((2, 3))),
        wrong(ValueError, "more than 1 spatial element", ONES((2, 3, 1))),
        wrong(RuntimeError, "to be defined", ONES((2, 3, 4)), use_input_stats=False),
        wrong(RuntimeError, "weight should contain 3", ONES((2, 3, 4)), weight=ONES(2)),
    ],
)
case(
    F + "instance_norm",
    variant="by given statistics",
    rows="batch_norm_given",
    samples=lambda make: [
        sample(make(2, 3, 4), make(3), positive(make, 3), use_input_stats=False),
        sample(make(2, 3, 4), make(3), positive(make, 3), make(3), make(3), use_input_stats=False),
    ],
    constants=(1, 2),
    note=STATS,
    errorless="the case without variant has them",
)
