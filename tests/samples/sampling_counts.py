"""Samples of ``adjoint/ops/sampling_counts.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

case(
    "poisson",
    samples=lambda make: [
        sample(make(4, low=0.0, high=5.0)),
        sample(make(2, 3, low=0.0, high=90.0)),
        sample(make(low=1.0, high=3.0)),
        sample(make(0, 2, low=0.0, high=1.0)),
    ],
    random=True, batched=False, note="vmap asks how to draw",
    dtypes=("float32", "float64", "float16"),
    errors=[
        wrong(RuntimeError, "non-negative", -np.ones(2)),
        wrong(NotImplementedError, "torch.int64", np.ones(2, np.int64)),
        wrong(TypeError, "input is a Tensor", 0.5),
    ],
)  # fmt: skip
