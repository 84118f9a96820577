"""Samples of ``adjoint/ops/convolution.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
TYPES = ("float32", "float64")
X2, W2 = ONES((2, 3, 6, 6)), ONES((4, 3, 3, 3))


def images(make):
    """Bias or none, stride, padding of all kinds, dilation, groups, a single image, empty ones."""
    return [
        sample(make(2, 3, 5, 4), make(4, 3, 3, 3)),
        sample(make(2, 3, 5, 4), make(4, 3, 3, 2), make(4), padding=1),
        sample(make(2, 3, 5, 6), make(2, 3, 2, 3), make(2), stride=(2, 3), padding=(1, 2)),
        sample(make(2, 2, 7, 6), make(3, 2, 3, 2), make(3), dilation=(2, 3)),
        sample(make(2, 2, 7, 6), make(3, 2, 2, 3), None, [2, 1], [1, 0], [3, 2]),
        sample(make(2, 4, 4, 4), make(6, 2, 2, 2), make(6), groups=2),
        sample(make(2, 3, 4, 5), make(6, 1, 3, 3), None, padding=1, groups=3),
        sample(make(1, 2, 5, 5), make(2, 2, 3, 3), padding="same"),
        sample(make(1, 2, 5, 5), make(2, 2, 2, 4), padding="same", dilation=(1, 3)),
        sample(make(1, 2, 4, 4), make(2, 2, 3, 3), padding="valid"),
        sample(make(2, 2, 3, 3), make(3, 2, 1, 1), padding=2),
        sample(make(2, 1, 4, 4), make(9, 1, 2, 2), stride=(2,)),
        sample(make(3, 4, 4), make(2, 3, 2, 2), make(2)),
        sample(make(0, 3, 4, 4), make(2, 3, 2, 2), make(2)),
        sample(make(2, 0, 4, 4), make(2, 0, 2, 2)),
    ]


ERRORS = [
    wrong(RuntimeError, r"3D \(unbatched\) or 4D \(batched\)", ONES((6, 6)), W2),
    wrong(RuntimeError, "weight of 4 dimensions", X2, ONES((4, 3, 3))),
    wrong(RuntimeError, "to have 3 channels, but got 2", ONES((2, 2, 6, 6)), W2),
    wrong(RuntimeError, "to have 6 channels, but got 3", X2, W2, groups=2),
    wrong(RuntimeError, "multiple of groups=3", X2, ONES((4, 1, 3, 3)), groups=3),
    wrong(RuntimeError, "positive multiple of groups", X2, ONES((0, 3, 3, 3))),
    wrong(RuntimeError, "non-positive groups", X2, W2, groups=0),
    wrong(RuntimeError, "non-positive stride", X2, W2, stride=0),
    wrong(RuntimeError, "non-positive dilation", X2, W2, dilation=(1, -1)),
    wrong(RuntimeError, "negative padding", X2, W2, padding=-1),
    wrong(RuntimeError, "can't be greater than the input", X2, ONES((4, 3, 9, 9))),
    wrong(RuntimeError, r"1-dimensional with 4 elements", X2, W2, ONES(5)),
    wrong(RuntimeError, r"1-dimensional with 4 elements", X2, W2, ONES((4, 1))),
    wrong(RuntimeError, "not supported for strided", X2, W2, stride=2, padding="same"),
    wrong(RuntimeError, "Invalid padding string: 'around'", X2, W2, padding="around"),
    wrong(RuntimeError, "list of 2", X2, W2, stride=(1, 2, 3)),
    wrong(TypeError, "int or a tuple of ints", X2, W2, stride=1.5),
    wrong(RuntimeError, "only a batch or the channels may be empty", ONES((2, 3, 0, 6)), W2),
    wrong(RuntimeError, r"should be the same", X2, W2.astype("float32")),
    wrong(RuntimeError, r"should be the same", X2, W2, ONES(4, "float32")),
    wrong(NotImplementedError, "booleans", X2 > 0, W2 > 0),
    wrong(TypeError, "weight must be a Tensor", X2, None),
]

case(
    "conv2d",
    rows="convolution convolution_transposed convolution_weight",
    samples=images,
    errors=ERRORS,
    dtypes=(*TYPES, "int64", "float16"),
)
case(
    "conv1d",
    rows="convolution",
    dtypes=TYPES,
    samples=lambda make: [
        sample(make(2, 3, 7), make(4, 3, 3), make(4), 2, 1),
        sample(make(2, 4, 7), make(4, 2, 2), padding="same", groups=2),
        sample(make(3, 7), make(4, 3, 2), dilation=3),
    ],
    errors=[
        wrong(RuntimeError, r"2D \(unbatched\) or 3D \(batched\)", X2, ONES((4, 3, 3))),
        wrong(RuntimeError, "weight of 3 dimensions", X2[0], W2),
    ],
)
case(
    "conv3d",
    rows="convolution",
    dtypes=TYPES,
    samples=lambda make: [
        sample(make(2, 2, 4, 3, 5), make(3, 2, 2, 2, 3), make(3), (2, 1, 2), (1, 0, 1)),
        sample(make(2, 4, 3, 3), make(3, 2, 1, 2, 2), groups=1, dilation=2),
    ],
    errors=[wrong(RuntimeError, r"4D \(unbatched\) or 5D \(batched\)", ONES((3, 4)), W2)],
)
