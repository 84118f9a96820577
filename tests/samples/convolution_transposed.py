"""Samples of ``adjoint/ops/convolution_transposed.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
TYPES = ("float32", "float64")
X2, W2 = ONES((2, 4, 6, 6)), ONES((4, 3, 3, 3))


def images(make):
    """Stride with what it leaves open behind, padding, dilation, groups, single and empty."""
    return [
        sample(make(2, 3, 3, 4), make(3, 4, 3, 3)),
        sample(make(2, 3, 3, 4), make(3, 4, 2, 3), make(4), 2),
        sample(make(2, 3, 3, 4), make(3, 2, 3, 3), make(2), (2, 3), (1, 2), (1, 2)),
        sample(make(2, 4, 3, 4), make(4, 2, 3, 2), make(4), 1, 1, 0, 2, 2),
        sample(make(2, 4, 3, 2), make(4, 1, 2, 2), stride=2, groups=4),
        sample(make(2, 2, 3, 3), make(2, 3, 2, 2), dilation=(2, 3), output_padding=1),
        sample(make(3, 3, 2), make(3, 2, 2, 2), make(2)),
        sample(make(0, 3, 3, 2), make(3, 2, 2, 2), make(2)),
    ]


case(
    "conv_transpose2d",
    rows="convolution_transposed",
    dtypes=TYPES,
    samples=images,
    errors=[
        wrong(RuntimeError, "expected input .* to have 4 channels", ONES((2, 3, 6, 6)), W2),
        wrong(RuntimeError, "1-dimensional with 3 elements", X2, W2, ONES(4)),
        wrong(RuntimeError, "output padding must be smaller", X2, W2, None, 2, 0, 2),
        wrong(RuntimeError, "negative padding", X2, W2, padding=-1),
        wrong(RuntimeError, "too small", ONES((2, 4, 1, 1)), W2, padding=3),
        wrong(RuntimeError, "non-positive stride", X2, W2, stride=0),
        wrong(RuntimeError, "should be the same", X2, W2.astype("float32")),
    ],
)
case(
    "conv_transpose1d",
    rows="convolution_transposed",
    dtypes=TYPES,
    samples=lambda make: [
        sample(make(2, 3, 4), make(3, 2, 3), make(2), 2, 1, 1),
        sample(make(3, 4), make(3, 2, 3)),
    ],
    errors=[wrong(RuntimeError, r"2D \(unbatched\) or 3D \(batched\)", X2, W2[0])],
)
case(
    "conv_transpose3d",
    rows="convolution_transposed",
    dtypes=TYPES,
    samples=lambda make: [
        sample(make(2, 2, 2, 3, 2), make(2, 3, 2, 1, 2), make(3), (1, 2, 2), 0, (0, 1, 0)),
        sample(make(2, 2, 3, 2), make(2, 3, 2, 1, 2)),
    ],
    errors=[wrong(RuntimeError, r"4D \(unbatched\) or 5D \(batched\)", ONES((3, 4)), W2)],
)
