"""Samples of ``adjoint/ops/losses_binary.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones
F = "nn.functional."
REFUSED = "PyTorch refuses weights that require grad"


def pairs(make, **limits):
    """An input and a target in [0, 1]: reductions, one element, none, many."""

    def pair(*shape, **options):
        return sample(make(*shape, **limits), make(*shape, low=0.1, high=0.9), **options)

    return [
        pair(2, 3),
        pair(2, 3, reduction="sum"),
        pair(2, 3, reduction="none"),
        pair(),
        pair(reduction="none"),
        pair(0, reduction="sum"),
        pair(0, 2),
        pair(20, 15),
        pair(20, 15, reduction="none"),
        pair(3, size_average=False),
    ]


NO_REDUCTION = wrong(ValueError, "not a valid value", ONES(3), ONES(3), reduction="means")

case(
    F + "binary_cross_entropy_with_logits",
    rows="binary_cross_entropy_with_logits binary_cross_entropy_with_logits_weighted",
    samples=lambda make: [
        *pairs(make),
        sample(make(2, 3), make(2, 3), weight=make(3)),
        sample(make(2, 3), make(2, 3), pos_weight=make(3)),
        sample(make(2, 3), make(2, 3), make(2, 1), pos_weight=make(1), reduction="none"),
        sample(make(20, 9), make(20, 9), make(20, 9), pos_weight=make(9), reduction="sum"),
        sample(make(2, 3, low=-1e4, high=1e4), make(2, 3)),
        sample(make(20, 9, low=-1e4, high=1e4), make(20, 9)),
    ],
    constants=(2, "weight", "pos_weight"),
    note=REFUSED,
    errors=[
        NO_REDUCTION,
        wrong(ValueError, r"\[2\].*the same as input size.*\[3\]", ONES(3), ONES(2)),
        wrong(ValueError, "the same as input size", ONES(3), ONES((3, 1))),
        wrong(RuntimeError, "torch.int64", ONES(3), ONES(3, np.int64)),
        wrong(NotImplementedError, "torch.int64", ONES(3, np.int64), ONES(3)),
        wrong(RuntimeError, "must match", ONES(3), ONES(3), weight=ONES(2)),
        wrong(RuntimeError, "stretch", ONES((2, 3)), ONES((2, 3)), weight=ONES((4, 2, 3))),
        wrong(RuntimeError, "stretch", ONES((2, 3)), ONES((2, 3)), pos_weight=ONES((4, 2, 3))),
        wrong(RuntimeError, "does not go with", ONES(3), ONES(3), weight=ONES(3, complex)),
        wrong(NotImplementedError, "complex128", ONES(3, complex), ONES(3)),
    ],
)
case(
    F + "binary_cross_entropy",
    samples=lambda make: [
        *pairs(make, low=0.05, high=0.95),
        sample(make(2, 3, low=0.1, high=0.9), make(2, 3, low=0, high=1), weight=make(3)),
        sample(make(2, 3, low=0.1, high=0.9), make(2, 3, low=0, high=1), make(1), reduction="sum"),
    ],
    constants=(2, "weight"),
    note=REFUSED,
    errors=[
        NO_REDUCTION,
        wrong(ValueError, r"\[2\].*\[3\]", ONES(3), ONES(2)),
        wrong(RuntimeError, "elements of input", ONES(3) * 2, ONES(3)),
        wrong(RuntimeError, "elements of input", ONES(3) * np.nan, ONES(3)),
        wrong(RuntimeError, "elements of target", ONES(3), ONES(3) * 2),
        wrong(RuntimeError, "torch.int64 but expected", ONES(3), ONES(3, np.int64)),
        wrong(RuntimeError, "must match", ONES((2, 3)), ONES((2, 3)), weight=ONES(2)),
        wrong(RuntimeError, "does not go with", ONES(3), ONES(3), weight=ONES(3, complex)),
    ],
)
case(
    F + "binary_cross_entropy",
    variant="certain",
    samples=lambda make: [
        kink(np.round(make(2, 3, low=0, high=1)), make(2, 3, low=0.1, high=0.9)),
        kink(np.round(make(2, 3, low=0, high=1)), np.round(make(2, 3, low=0, high=1))),
    ],
    differentiable=False,
    note="slopes are infinite there, or bounded at 1e12, and second ones no numbers to compare",
    errorless="the case without variant has them",
)
case(
    F + "multilabel_soft_margin_loss",
    rows="log_sigmoid mul add sum_dims div mean",
    samples=lambda make: [
        sample(make(2, 3), make(2, 3)),
        sample(make(2, 3), make(2, 3), weight=make(3)),
        sample(make(2, 3), make(2, 3), reduction="none"),
        sample(make(2, 3), make(2, 3), reduction="sum"),
        sample(make(3), make(3)),
    ],
    errors=[NO_REDUCTION, wrong(RuntimeError, "must match", ONES(3), ONES(2))],
)
