"""Samples of ``adjoint/ops/normalisation_local.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

case(
    "nn.functional.local_response_norm",
    rows="avg_pool2d avg_pool3d mul pow_number div",
    samples=lambda make: [
        sample(make(2, 4, 3), 2),
        sample(make(2, 4, 3), 3, 0.5, 0.25, 2.0),
        sample(make(2, 5, 2, 3), 3, alpha=1.0),
        sample(make(1, 3, 2, 2, 2), 5, beta=2.0),
        sample(make(1, 3, 1), 7),
        sample(make(0, 3, 2), 2),
    ],
    errors=[
        wrong(ValueError, r"3 dimensions or more", np.ones((2, 3)), 2),
        wrong(RuntimeError, "number of channels", np.ones((2, 3, 1)), 0),
    ],
)
