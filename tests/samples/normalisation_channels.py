"""Samples of ``adjoint/ops/normalisation_channels.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones

for name in ("group_norm", "nn.functional.group_norm"):
    case(
        name,
        samples=lambda make: [
            sample(make(2, 6, 3), 2),
            sample(make(2, 4, 3), 2, make(4), make(4)),
            sample(make(2, 6), 2, make(6), make(6), 0.1),
            sample(make(2, 4, 2, 3), 4, weight=make(4)),
            sample(make(2, 3, 2, 2), 1, make(3), make(3), eps=0.01),
            sample(make(0, 4, 3), 2, make(4), make(4)),
        ],
        errors=[
            wrong(RuntimeError, "divisible.*num_groups=3", ONES((2, 4, 3)), 3),
            wrong(RuntimeError, "weight should contain 4", ONES((2, 4, 3)), 2, ONES(3)),
            wrong(RuntimeError, "bias should contain 4", ONES((2, 4, 3)), 2, ONES(4), ONES(3)),
            *(
                [
                    wrong(RuntimeError, r"\(N, C, ...\)", ONES(4), 2),
                    wrong(ValueError, "more than 1 value", ONES((1, 4)), 4),
                ]
                if "." in name
                else [wrong(IndexError, r"\(N, C, ...\)", ONES(4), 2)]
            ),
            wrong(NotImplementedError, "torch.int64", ONES((2, 4), int), 2),
            wrong(RuntimeError, "mixed dtype", ONES((2, 4)), 2, ONES(4, np.float32)),
        ],
    )
