"""Samples of ``adjoint/ops/pooling_adaptive.py``."""

import numpy as np

from tests.samples.case import case, kink, sample, wrong

ONES = np.ones
PLANE = ONES((2, 3, 6, 6))
NANS = np.array([[[np.nan, 1, 2, np.nan], [3, 4, np.nan, np.nan], [0, 0, 1, 1], [0, 1, 0, 1]]])
TYPES = ("float32", "float64")


def errors(rank):
    """What is wrong for maxima and means alike; ``rank`` is written as PyTorch counts."""
    plane = ONES((2, 3, *(6,) * rank))
    return [
        wrong(RuntimeError, f"{rank + 1}D or {rank + 2}D tensor", plane[None], 2),
        wrong(RuntimeError, "non-zero size for non-batch", plane[..., :0], 2),
        wrong(RuntimeError, "greater than or equal to 0", plane, -1),
        wrong(RuntimeError, f"output_size must be {rank}", plane, (1,) * (rank + 1)),
        wrong(TypeError, "ints or None", plane, (1.5,) * rank),
        wrong(NotImplementedError, "not implemented for torch.int64", plane.astype("int64"), 2),
    ]


case(
    "nn.functional.adaptive_avg_pool2d",
    rows="adaptive_avg_pool2d adaptive_avg_pool2d_backward mean_dims",
    dtypes=(*TYPES, "float16"),
    samples=lambda make: [
        sample(make(2, 3, 4, 6), 2),
        sample(make(2, 3, 5, 7), (2, 3)),
        sample(make(3, 5, 4), (None, 3)),
        sample(make(2, 2, 3, 2), 5),
        sample(make(2, 2, 3, 2), 1),
        sample(make(0, 2, 3, 2), 2),
    ],
    errors=errors(2),
)
case(
    "adaptive_avg_pool1d",
    rows="adaptive_avg_pool2d",
    dtypes=TYPES,
    samples=lambda make: [sample(make(2, 3, 7), 3), sample(make(3, 4), 2)],
    errors=errors(1)[:2],
)
case(
    "nn.functional.adaptive_avg_pool3d",
    rows="adaptive_avg_pool3d adaptive_avg_pool3d_backward mean_dims",
    dtypes=TYPES,
    samples=lambda make: [sample(make(2, 3, 4, 5, 3), (2, 3, None)), sample(make(2, 3, 2, 2), 1)],
    errors=errors(3),
)
case(
    "nn.functional.adaptive_max_pool2d",
    rows="adaptive_max_pool2d",
    dtypes=TYPES,
    samples=lambda make: [
        sample(make.distinct(2, 3, 4, 6), 2),
        sample(make.distinct(2, 3, 5, 7), (2, 3), True),
        sample(make.distinct(3, 5, 4), (None, 3)),
        sample(make.distinct(2, 2, 3, 2), 5),
        sample(make.distinct(0, 2, 3, 2), 2),
        kink(ONES((1, 2, 5, 5)), 2, True),
        kink(NANS, 3, True),
    ],
    errors=errors(2),
)
case(
    "nn.functional.adaptive_max_pool1d",
    rows="adaptive_max_pool2d",
    dtypes=TYPES,
    samples=lambda make: [sample(make.distinct(2, 3, 7), 3, True), sample(make.distinct(3, 4), 2)],
    errors=errors(1)[:2],
)
case(
    "adaptive_max_pool1d",
    rows="adaptive_max_pool2d",
    dtypes=TYPES,
    samples=lambda make: [sample(make.distinct(2, 3, 7), 3), sample(make.distinct(3, 4), 2)],
    errors=errors(1)[:2],
)
case(
    "nn.functional.adaptive_max_pool3d",
    rows="adaptive_max_pool3d",
    dtypes=TYPES,
    samples=lambda make: [
        sample(make.distinct(2, 3, 4, 5, 3), (2, 3, None)),
        sample(make.distinct(2, 3, 2, 2), 1, True),
    ],
    errors=errors(3),
)
