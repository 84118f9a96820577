"""Samples of ``adjoint/ops/pooling.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones
PLANE = ONES((2, 3, 6, 6))
INFINITE = np.array([[[-np.inf, -np.inf, 1, 2], [-np.inf, -np.inf, np.inf, np.inf]]])
NANS = np.array([[[np.nan, 1, 2, np.nan], [3, 4, np.nan, np.nan], [0, 0, 1, 1], [0, 1, 0, 1]]])
TYPES = ("float32", "float64", "int64", "uint8", "float16", "bfloat16")


def planes(make):
    """Kernels, strides, padding, dilation, windows that end outside, ties, single and empty."""
    make_each = make.distinct
    return [
        sample(make_each(2, 3, 4, 6), 2),
        sample(make_each(2, 3, 5, 7), 2),
        sample(make_each(2, 2, 6, 9), (2, 3)),
        sample(make_each(2, 2, 6, 7), 3, 2),
        sample(make_each(2, 2, 6, 7), 3, (1, 2), 1),
        sample(make_each(1, 2, 7, 8), (3, 2), (2, 1), (1, 0), (2, 3)),
        sample(make_each(2, 2, 5, 6), 2, ceil_mode=True),
        sample(make_each(2, 2, 7, 7), 3, 2, 1, ceil_mode=True),
        sample(make_each(2, 2, 5, 5), [3, 2], [], return_indices=True),
        sample(make_each(3, 4, 4), 2, None),
        sample(make_each(0, 3, 4, 4), 2),
        sample(make_each(2, 1, 4, 4), 1),
        sample(make_each(2, 3, 8, 8), 2),
        sample(make_each(2, 3, 5, 4), 2),
        sample(make_each(2, 3, 9, 8), 2, return_indices=True),
        kink(ONES((1, 2, 4, 4)), 2),
        kink(ONES((1, 2, 4, 4)), 3, 1, 1, return_indices=True),
        kink(INFINITE, 2, return_indices=True),
        kink(INFINITE, 2, 1, 1, return_indices=True),
        kink(NANS, 2, return_indices=True),
        kink(NANS, 3, 1, 1, return_indices=True),
    ]


case(
    "nn.functional.max_pool2d",
    rows="max_pool2d_with_indices",
    dtypes=TYPES,
    samples=planes,
    errors=[
        wrong(RuntimeError, r"3D or 4D \(batch mode\)", PLANE[0, 0], 2),
        wrong(RuntimeError, r"3D or 4D \(batch mode\)", PLANE[None], 2),
        wrong(RuntimeError, "optional 0 dim batch", PLANE[:, :0], 2),
        wrong(RuntimeError, "optional 0 dim batch", PLANE[..., :0], 2),
        wrong(RuntimeError, "at most half", PLANE, 2, padding=2),
        wrong(RuntimeError, "not negative", PLANE, 2, padding=-1),
        wrong(RuntimeError, "kernel_size should be greater than zero", PLANE, 0),
        wrong(RuntimeError, "stride should be greater than zero", PLANE, 2, 0),
        wrong(RuntimeError, "dilation should be greater than zero", PLANE, 2, dilation=0),
        wrong(RuntimeError, "Output size is too small", PLANE, 9),
        wrong(RuntimeError, "kernel_size must be an int or 2", PLANE, (1, 2, 3)),
        wrong(RuntimeError, "stride must be an int or 2", PLANE, 2, (1, 2, 3)),
        wrong(TypeError, "kernel_size must be an int or a tuple", PLANE, 2.0),
        wrong(NotImplementedError, "not implemented for torch.bool", PLANE > 0, 2),
        wrong(NotImplementedError, "not implemented for torch.complex64", PLANE.astype("F"), 2),
    ],
)
case(
    "max_pool1d",
    rows="max_pool2d_with_indices",
    dtypes=TYPES[:2],
    samples=lambda make: [
        sample(make.distinct(2, 3, 7), 2),
        sample(make.distinct(3, 7), 3, 2, 1, 1, True),
        sample(make.distinct(2, 3, 8), 3, 1, 0, 2),
    ],
    errors=[
        wrong(RuntimeError, r"2D or 3D \(batch mode\)", PLANE, 2),
        wrong(NotImplementedError, "not implemented for torch.int64", ONES((2, 3), int), 2),
    ],
)
case(
    "max_pool3d",
    rows="max_pool3d_with_indices",
    dtypes=TYPES[:2],
    samples=lambda make: [
        sample(make.distinct(2, 2, 4, 5, 4), 2),
        sample(make.distinct(2, 4, 5, 4), (1, 3, 2), (1, 2, 1), (0, 1, 1)),
        sample(make.distinct(2, 3, 5, 5), 2, 2, 0, (1, 2, 2), True),
    ],
    errors=[wrong(RuntimeError, r"4D or 5D \(batch mode\)", PLANE[0], 2)],
)


def means(make):
    """As for maxima, and what the sums are divided by."""
    return [
        sample(make(2, 3, 4, 6), 2),
        sample(make(2, 3, 5, 7), 2),
        sample(make(2, 2, 6, 7), 3, 2),
        sample(make(2, 2, 6, 7), (3, 2), (1, 2), 1),
        sample(make(2, 2, 6, 7), 3, 2, 1, False, False),
        sample(make(2, 2, 5, 6), 2, 2, 0, True),
        sample(make(2, 2, 7, 7), 3, 2, 1, ceil_mode=True, count_include_pad=False),
        sample(make(2, 2, 7, 7), 3, 2, 1, ceil_mode=True),
        sample(make(2, 2, 4, 4), 2, divisor_override=3),
        sample(make(3, 4, 4), 2),
        sample(make(0, 3, 4, 4), 2),
    ]


case(
    "nn.functional.avg_pool2d",
    rows="avg_pool2d avg_pool2d_backward",
    dtypes=("float32", "float64", "int64", "float16"),
    samples=means,
    errors=[
        wrong(RuntimeError, r"3D or 4D \(batch mode\)", PLANE[None], 2),
        wrong(RuntimeError, "optional 0 dim batch", PLANE[:, :0], 2),
        wrong(RuntimeError, "at most half", PLANE, 2, padding=2),
        wrong(RuntimeError, "stride should be greater than zero", PLANE, 2, 0),
        wrong(RuntimeError, "divisor must be not zero", PLANE, 2, divisor_override=0),
        wrong(RuntimeError, "Output size is too small", PLANE, 9),
        wrong(NotImplementedError, "not implemented for torch.bool", PLANE > 0, 2),
    ],
)
case(
    "avg_pool1d",
    rows="avg_pool2d",
    dtypes=("float32", "float64"),
    samples=lambda make: [
        sample(make(2, 3, 7), 2),
        sample(make(3, 7), 3, 2, 1, True, False),
    ],
    errors=[wrong(RuntimeError, r"2D or 3D \(batch mode\)", PLANE, 2)],
)
case(
    "nn.functional.avg_pool3d",
    rows="avg_pool3d avg_pool3d_backward",
    dtypes=("float32", "float64"),
    samples=lambda make: [
        sample(make(2, 2, 4, 5, 4), 2),
        sample(make(2, 4, 5, 4), (1, 3, 2), (1, 2, 1), (0, 1, 1), True, False),
        sample(make(2, 4, 4, 4), 2, 1, divisor_override=5),
    ],
    errors=[wrong(RuntimeError, r"4D or 5D \(batch mode\)", PLANE[0], 2)],
)
