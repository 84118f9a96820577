"""Samples of ``adjoint/ops/resampling.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
F = "nn.functional."
IMAGE = ONES((1, 1, 2, 2))


def sizes(make):
    shapes = {"linear": (2, 2, 5), "bilinear": (1, 2, 3, 4), "trilinear": (1, 1, 2, 3, 2)}
    shapes |= {"bicubic": (1, 2, 4, 3)}
    return [
        *[sample(make(*shape), scale_factor=2, mode=mode) for mode, shape in shapes.items()],
        *[sample(make(*shape), 3, mode=mode) for mode, shape in shapes.items()],
        *[sample(make(*shape), 5, mode=mode, align_corners=True) for mode, shape in shapes.items()],
        sample(make(1, 1, 3, 4), scale_factor=(1.5, 0.7), mode="bilinear"),
        sample(make(1, 1, 3, 4), scale_factor=1.6, mode="bilinear", recompute_scale_factor=True),
        sample(make(1, 1, 3, 4), (1, 7), mode="bilinear", align_corners=True),
        *[
            sample(make(*shape), size, mode=mode)
            for mode in ("nearest", "nearest-exact")
            for shape, size in (((2, 2, 5), 3), ((1, 2, 2, 3), (4, 5)), ((1, 1, 2, 2, 2), 3))
        ],
        sample(make(1, 1, 5), scale_factor=1.7),
        sample(make(1, 1, 5), scale_factor=0.6),
        sample(make(1, 2, 4, 5), 3, mode="area"),
        sample(make(0, 2, 4, 5), 3),
    ]


case(
    F + "interpolate", rows="index_select mul add", samples=sizes, tolerance=1e-9,
    errors=[
        wrong(ValueError, "either size", IMAGE),
        wrong(ValueError, "only one of", IMAGE, 3, 2),
        wrong(ValueError, "same number of spatial", IMAGE, (3, 4, 5)),
        wrong(ValueError, "same number of spatial", IMAGE, scale_factor=(2, 3, 1)),
        wrong(ValueError, "align_corners", IMAGE, 3, align_corners=True),
        wrong(NotImplementedError, "needs 3D", IMAGE, 3, mode="linear"),
        wrong(NotImplementedError, "got 2D", IMAGE[0, 0], 3),
        wrong(NotImplementedError, r"got cubes", IMAGE, 3, mode="cubes"),
        wrong(NotImplementedError, "torch.int64", IMAGE.astype(np.int64), 3),
        wrong(RuntimeError, "greater than 0", IMAGE, 0),
    ],
)  # fmt: skip
for name, options in (("upsample", {"mode": "bilinear"}), ("upsample_nearest", {})):
    case(
        F + name, rows="index_select",
        samples=lambda make, options=options: [
            sample(make(1, 2, 2, 3), 4, **options),
            sample(make(1, 2, 2, 3), scale_factor=2, **options),
        ],
        tolerance=1e-9, errors=[wrong(ValueError, "either size", IMAGE)],
    )  # fmt: skip
case(
    F + "upsample_bilinear", rows="index_select",
    samples=lambda make: [sample(make(1, 2, 2, 3), 4), sample(make(1, 2, 2, 3), scale_factor=2)],
    tolerance=1e-9, errors=[wrong(ValueError, "either size", IMAGE)],
)  # fmt: skip
