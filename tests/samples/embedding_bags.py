"""Samples of ``adjoint/ops/embedding_bags.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
F = "nn.functional."
TABLE = ONES((3, 2))


def given(*values, dtype=np.int64):
    return np.array(values, dtype)


FIVE = given(1, 2, 0, 1, 1)
STARTS = given(0, 2, 2)


def bags(make):
    table = make.distinct(3, 4)
    return [
        sample(FIVE, table, STARTS),
        sample(FIVE, table, STARTS, mode="sum"),
        sample(FIVE, table, STARTS, mode="max"),
        sample(FIVE.reshape(1, 5), table),
        sample(given(1, 2, 0, 0).reshape(2, 2), table, mode="max"),
        sample(given(1, 2, 0, 0, dtype=np.int32).reshape(2, 2), table, mode="sum"),
        sample(FIVE, table, given(0, 2, 5), include_last_offset=True),
        sample(FIVE, table, given(0, 5, 5), mode="sum", include_last_offset=True),
        sample(FIVE, table, STARTS, mode="sum", per_sample_weights=make(5)),
        sample(given(0, 2).reshape(1, 2), table, mode="sum", per_sample_weights=make(1, 2)),
        sample(given(), table, given(0)),
        sample(given(), table, given()),
    ]


def padded(make):
    """The row of padding has no gradient: differences would say otherwise."""
    table = make.distinct(3, 4)
    return [
        sample(FIVE, table, STARTS, padding_idx=1),
        sample(FIVE, table, STARTS, mode="sum", padding_idx=-2),
        sample(FIVE, table, STARTS, mode="max", padding_idx=1),
        sample(given(1, 1, 0, 1).reshape(2, 2), table, padding_idx=1),
    ]


ROWS = "embedding embedding_backward bags_of bag_winners pick"
case(
    F + "embedding_bag",
    rows=ROWS,
    samples=lambda make: [*bags(make), *padded(make)],
    errors=[
        wrong(ValueError, "one of sum, mean or max", FIVE, TABLE, STARTS, mode="avg"),
        wrong(ValueError, "offsets has to be None", FIVE[None], TABLE, STARTS),
        wrong(ValueError, "1D Tensor but got None", FIVE, TABLE),
        wrong(ValueError, "has to be a 1D Tensor, but", FIVE, TABLE, STARTS[None]),
        wrong(ValueError, "1D or 2D", FIVE[None, None], TABLE),
        wrong(ValueError, "has to be a 2D", FIVE, ONES(3), STARTS),
        wrong(RuntimeError, r"offsets\[0\] has to be 0", FIVE, TABLE, STARTS + 1),
        wrong(RuntimeError, r"offsets\[-1\].* 7", FIVE, TABLE, given(0, 7)),
        wrong(RuntimeError, "index 3 is out of range", FIVE + 1, TABLE, STARTS),
        wrong(RuntimeError, "Long or Int", ONES(5), TABLE, STARTS),
        wrong(RuntimeError, "padding_idx must be within", FIVE, TABLE, STARTS, padding_idx=3),
        wrong(RuntimeError, "no length", ONES((2, 0), np.int64), TABLE),
        wrong(NotImplementedError, "mode='mean'", FIVE, TABLE, STARTS, per_sample_weights=ONES(5)),
        wrong(
            ValueError, "that of the input", FIVE, TABLE, STARTS,
            mode="sum", per_sample_weights=ONES(4),
        ),
        wrong(
            RuntimeError, "weight is torch.float64", FIVE, TABLE, STARTS,
            mode="sum", per_sample_weights=ONES(5, np.float32),
        ),
        wrong(
            ValueError, "does not support scaling", FIVE, TABLE, STARTS,
            mode="max", scale_grad_by_freq=True,
        ),
    ],
)  # fmt: skip
