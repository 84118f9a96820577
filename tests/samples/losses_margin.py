"""Samples of ``adjoint/ops/losses_margin.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones
F = "nn.functional."


def classes(*values):
    return np.array(values, np.int64)


def apart(make, *shape, scale=7.0):
    """Scores with no two a margin apart."""
    return make.distinct(*shape) * scale + 0.013


def multi_margin(make):
    x = apart(make, 3, 4)
    return [
        sample(x, classes(0, 3, 1)),
        sample(x, classes(0, 3, 1), 2),
        sample(x, classes(0, 3, 1), margin=0.5, weight=np.abs(make(4))),
        sample(x, classes(0, 3, 1), 2, 1.5, np.abs(make(4)), reduction="sum"),
        sample(x, classes(2, 2, 2), reduction="none"),
        sample(x[0], classes(2)),
        sample(x[0], np.array(2), reduction="none"),
        sample(x[0], classes(2), reduction="none"),
        sample(np.asarray(x[0, 0]), np.array(0)),
        sample(x, classes(0, 3, 1), size_average=False),
        kink(np.zeros_like(x), classes(0, 3, 1), margin=0.0),
    ]


case(
    F + "multi_margin_loss",
    rows="class_mask relu pick sum_dims div",
    samples=multi_margin,
    constants=(4, "weight"),
    note="PyTorch refuses a weight that requires grad",
    errors=[
        wrong(ValueError, "p == 2 supported", ONES((2, 3)), classes(0, 1), 3),
        wrong(RuntimeError, "out of range", ONES((2, 3)), classes(0, 3)),
        wrong(RuntimeError, "out of range", ONES((2, 3)), classes(0, -1)),
        wrong(RuntimeError, "with size 2", ONES((2, 3)), classes(0)),
        wrong(RuntimeError, "type Long", ONES((2, 3)), np.array([0, 1], np.int32)),
        wrong(RuntimeError, "expected 3", ONES((2, 3)), classes(0, 1), weight=ONES(2)),
        wrong(RuntimeError, "non-empty", ONES((2, 0)), classes(0, 1)),
        wrong(RuntimeError, "non-empty", ONES((1, 2, 3)), classes(0)),
        wrong(NotImplementedError, "int64", ONES((2, 3), np.int64), classes(0, 1)),
        wrong(NotImplementedError, "float16", ONES((2, 3), np.float16), classes(0, 1)),
        wrong(ValueError, "not a valid value", ONES((2, 3)), classes(0, 1), reduction="means"),
    ],
)


def multilabel_margin(make):
    x = apart(make, 2, 4, scale=3.0)
    listed = np.array([[3, 0, -1, 1], [2, -1, 0, 0]])
    return [
        sample(x, listed),
        sample(x, listed, reduction="sum"),
        sample(x, listed, reduction="none"),
        sample(x[0], listed[0]),
        sample(x[0], listed[0], reduction="none"),
        sample(x, np.array([[0, 1, 2, 3], [-1, 0, 1, 2]])),
        sample(x, np.array([[1, 1, -1, 0], [2, 2, 2, 3]])),
        sample(np.asarray(x[0, 0]), np.array(0)),
        kink(np.zeros_like(x) + np.array([0, 1, 0, 1]), listed),
    ]


case(
    F + "multilabel_margin_loss",
    rows="class_list relu pick sum_dims div",
    samples=multilabel_margin,
    errors=[
        wrong(RuntimeError, "out of range", ONES((1, 3)), np.array([[0, 3, -1]])),
        wrong(RuntimeError, "out of range", ONES((1, 3)), np.array([[0, -2, -1]])),
        wrong(RuntimeError, "inconsistent target", ONES((2, 3)), classes(0, 1)),
        wrong(RuntimeError, "type Long", ONES((1, 3)), ONES((1, 3))),
        wrong(RuntimeError, "non-empty", ONES((1, 2, 3)), np.ones((1, 2, 3), np.int64)),
        wrong(NotImplementedError, "int64", ONES((1, 3), np.int64), np.array([[0, 1, -1]])),
        wrong(ValueError, "not a valid value", ONES((1, 3)), np.array([[0, 1, 2]]), reduction="x"),
    ],
)
