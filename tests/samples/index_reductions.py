"""Samples of ``adjoint/ops/index_reductions.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

MATRIX, INDEX = np.ones((2, 3)), np.array([0, 0])


def reductions(make):
    out = []
    for reduce in ("prod", "mean", "amax", "amin"):
        for kept in (True, False):
            x, source = make.distinct(3, 2), make.distinct(4, 2)
            places = np.array([0, 2, 2, 0])
            out.append(sample(x, 0, places, source, reduce, include_self=kept))
    out.append(sample(make.distinct(2, 3), -1, np.array([1]), make.distinct(2, 1), "amax"))
    out.append(sample(make(3), 0, np.array([], np.int64), make(0), "prod"))
    return out


case(
    "index_reduce", rows="scatter_reduce", samples=reductions,
    errors=[
        wrong(RuntimeError, "one of prod, mean", MATRIX, 0, INDEX, np.ones((2, 3)), "sum"),
        wrong(RuntimeError, "same dtype", MATRIX, 0, INDEX, np.ones((2, 3), np.int64), "prod"),
        wrong(IndexError, "to be a vector", MATRIX, 0, INDEX[None], np.ones((1, 3)), "prod"),
        wrong(IndexError, "out of range", MATRIX, 2, INDEX, np.ones((2, 3)), "prod"),
        wrong(RuntimeError, "must be", MATRIX, 0, INDEX, np.ones((1, 3)), "prod"),
    ],
)  # fmt: skip
