"""Samples of ``adjoint/ops/quantiles.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones((2, 3))
NAN = np.nan


def given(make, values):
    """These values, in the case's type where that has NaN."""
    return np.array(values, make.dtype if make.dtype.kind not in "iub" else np.float64)


def quantiles(make):
    spoiled = given(make, [[1.0, NAN, 0.5, 2.0], [3.0, 1.0, 2.0, 0.0]])
    return [
        sample(make.distinct(2, 3), 0.3),
        sample(make.distinct(5), 0.55),
        sample(make.distinct(2, 4), 0.3, 0),
        sample(make.distinct(2, 4), 0.7, dim=-1, keepdim=True),
        sample(make.distinct(3, 4, 2), 0.2, 1),
        sample(make.distinct(2, 3), 0.45, keepdim=True),
        sample(make.distinct(2, 3), 0.45, axis=1, keepdims=True),
        sample(make.distinct(2, 4), make(2, low=0.1, high=0.3), 1),
        sample(make.distinct(4, 2), make(2, low=0.1, high=0.3), 0, True),
        sample(make.distinct(2, 3, 2), make(3, low=0.1, high=0.2), keepdim=True),
        sample(make.distinct(2, 4), make(low=0.4, high=0.6), 1),
        sample(make.distinct(), 0.5),
        sample(make.distinct(), 0.5, 0),
        sample(make.distinct(2, 4), make(0), 1),
        *[
            sample(make.distinct(2, 4), 0.4, 1, interpolation=each)
            for each in ("linear", "lower", "higher", "midpoint", "nearest")
        ],
        kink(make.distinct(2, 4), 1, 1),
        kink(make.distinct(2, 4), 0.0, 1),
        kink(make.distinct(5), 0.5),
        kink(spoiled, 0.3, 1),
        kink(spoiled, 0.3),
        kink(given(make, [NAN, NAN]), 0.3),
    ]


def errors():
    return [
        wrong(RuntimeError, r"the input is empty, of shape \[0, 3\]", np.ones((0, 3)), 0.5, 1),
        wrong(RuntimeError, "float32 or float64, but it is torch.int64", np.arange(3), 0.5),
        wrong(
            RuntimeError, "must be one of linear, .* got 'cubic'", ONES, 0.5, interpolation="cubic"
        ),
        wrong(RuntimeError, r"in the range \[0, 1\], but got 1.5", ONES, 1.5),
        wrong(RuntimeError, r"in the range \[0, 1\], but got nan", ONES, NAN),
        wrong(RuntimeError, r"in the range \[0, 1\], but some", ONES, np.array([0.5, -1.0])),
        wrong(RuntimeError, r"a number or a vector, not of \[1, 1\]", ONES, np.ones((1, 1))),
        wrong(
            RuntimeError, "q is torch.float32, but .* torch.float64", ONES, np.ones(1, np.float32)
        ),
        wrong(TypeError, "q must be a number or a Tensor, not list", ONES, [0.5]),
        wrong(IndexError, r"Dimension out of range.*\[-2, 1\].*got 2", ONES, 0.5, 2),
        wrong(TypeError, "dim must be an int", ONES, 0.5, (0, 1)),
        wrong(TypeError, "must be Tensor, not int", 3, 0.5),
        wrong(TypeError, "unexpected keyword argument 'across'", ONES, 0.5, across=0),
    ]


case("quantile", rows="sort pick put_back lerp", samples=quantiles, errors=errors())
case("nanquantile", rows="sort pick put_back lerp", samples=quantiles, errors=errors())
