"""Samples of ``adjoint/ops/losses_targets.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
F = "nn.functional."
REFUSED = "PyTorch refuses weights that require grad"


def classes(make, *shape, count=3):
    """Classes within range."""
    return make(*shape, low=0, high=count - 1, dtype="int64")


def ignoring(make, *shape, index=-100):
    """Classes of which the first is ignored."""
    found = classes(make, *shape)
    found.reshape(-1)[0] = index
    return found


def pairs(make):
    """Scores and classes: matrices, one example, images, nothing; reductions, weights, ignored."""
    return [
        sample(make(4, 3), classes(make, 4)),
        sample(make(4, 3), classes(make, 4), reduction="sum"),
        sample(make(4, 3), classes(make, 4), reduction="none"),
        sample(make(4, 3), classes(make, 4), weight=make(3, low=0.5, high=2.0)),
        sample(make(4, 3), classes(make, 4), make(3, low=0.5, high=2.0), reduction="none"),
        sample(make(4, 3), classes(make, 4), make(3, low=0.5, high=2.0), reduction="sum"),
        sample(make(4, 3), ignoring(make, 4)),
        sample(make(4, 3), ignoring(make, 4), reduction="none"),
        sample(make(4, 3), ignoring(make, 4), make(3, low=0.5, high=2.0)),
        sample(make(4, 3), ignoring(make, 4, index=2), ignore_index=2),
        sample(make(3), classes(make)),
        sample(make(3), classes(make), reduction="none"),
        sample(make(2, 3, 4), classes(make, 2, 4)),
        sample(make(2, 3, 4), classes(make, 2, 4), reduction="none"),
        sample(make(2, 3, 2, 2), ignoring(make, 2, 2, 2), make(3, low=0.5, high=2.0)),
        sample(make(2, 3, 2, 2), classes(make, 2, 2, 2), reduction="none"),
        sample(make(2, 3, 2, 1, 2), classes(make, 2, 2, 1, 2), reduction="none"),
        sample(make(2, 3, 2, 1, 2), classes(make, 2, 2, 1, 2), reduction="sum"),
        sample(make(0, 3), classes(make, 0)),
        sample(make(0, 3), classes(make, 0), reduction="none"),
        sample(make(4, 3), make(4, low=0, high=2, dtype="uint8")),
        sample(make(2, 3), np.full(2, -100)),
        sample(make(2, 3), np.full(2, -100), reduction="sum"),
    ]


def errors(floating):
    """Bad classes, shapes, weights and types."""
    first = np.array([0, 1])
    return [
        wrong(IndexError, "Target 3 is out of bounds", ONES((2, 3)), np.array([0, 3])),
        wrong(IndexError, "Target -1 is out of bounds", ONES((2, 3)), np.array([0, -1])),
        wrong(ValueError, r"shape \[2\].*got \[3\]", ONES((2, 3)), np.array([0, 1, 2])),
        wrong(RuntimeError, r"got \[2, 5\]", ONES((2, 3, 4)), np.zeros((2, 5), int)),
        wrong(RuntimeError, "Long or Byte", ONES((2, 3)), np.array([0, 1], np.int32)),
        wrong(RuntimeError, "Long or Byte", ONES((2, 3)), ONES(2)),
        wrong(RuntimeError, "3 classes", ONES((2, 3)), first, ONES(4)),
        wrong(RuntimeError, "float32", ONES((2, 3)), first, ONES(3, np.float32)),
        wrong(ValueError, "not a valid value", ONES((2, 3)), first, reduction="means"),
        *floating,
    ]


case(
    F + "nll_loss",
    rows="nll_loss nll_loss_backward",
    samples=pairs,
    constants=(2, "weight"),
    note=REFUSED,
    errors=errors([
        wrong(ValueError, "1 or more dimensions", FLAT := ONES(()), np.array(1)),
        wrong(NotImplementedError, "int64", ONES((2, 3), np.int64), np.array([0, 1])),
        wrong(NotImplementedError, "bool", ONES((2, 3), bool), np.array([0, 1])),
        wrong(NotImplementedError, "complex64", ONES((2, 3), np.complex64), np.array([0, 1])),
    ]),
)  # fmt: skip
case(
    F + "cross_entropy",
    samples=lambda make: [
        *pairs(make),
        sample(make(3, 4, low=-1e3, high=1e3), classes(make, 3)),
        sample(make(4, 3), classes(make, 4), label_smoothing=0.2),
        sample(make(4, 3), ignoring(make, 4), label_smoothing=0.2),
        sample(make(4, 3), ignoring(make, 4), label_smoothing=0.2, reduction="none"),
        sample(make(4, 3), ignoring(make, 4), label_smoothing=0.2, reduction="sum"),
        sample(make(4, 3), ignoring(make, 4), make(3, low=0.5, high=2.0), label_smoothing=0.2),
        sample(make(2, 3, 4), classes(make, 2, 4), label_smoothing=0.2, reduction="none"),
        sample(make(3), classes(make), label_smoothing=0.2),
    ],
    rows="cross_entropy log_softmax nll_loss",
    constants=(2, "weight"),
    note=REFUSED,
    errors=errors(
        [
            wrong(NotImplementedError, "torch.int64", ONES((2, 3), int), np.array([0, 1])),
            wrong(RuntimeError, "label_sm", ONES((1, 3)), np.array([0]), label_smoothing=2.0),
        ]
    ),
)
case(
    F + "cross_entropy",
    variant="probabilities",
    rows="log_softmax mul sum",
    samples=lambda make: [
        sample(make(4, 3), make(4, 3)),
        sample(make(4, 3), make(4, 3), reduction="sum"),
        sample(make(4, 3), make(4, 3), reduction="none"),
        sample(make(4, 3), make(4, 3), weight=make(3)),
        sample(make(4, 3), make(4, 3), weight=make(3), label_smoothing=0.2),
        sample(make(4, 3), make(4, 3), label_smoothing=0.2, reduction="none"),
        sample(make(3), make(3)),
        sample(make(2, 3, 4), make(2, 3, 4), weight=make(3)),
        sample(make(2, 3, 4), make(2, 3, 4), reduction="none"),
    ],
    constants=(2, "weight"),
    note=REFUSED,
    errors=[
        wrong(NotImplementedError, "complex128", ONES((2, 3), complex), ONES((2, 3))),
        wrong(RuntimeError, "floating point type", ONES((2, 3)), np.zeros((2, 3), int)),
        wrong(RuntimeError, "floating point type", FLAT, np.array(0)),
        wrong(RuntimeError, "ignore_index", ONES((2, 3)), ONES((2, 3)), ignore_index=1),
        wrong(RuntimeError, r"got \[2, 4\]", ONES((2, 3)), ONES((2, 4))),
    ],
)
