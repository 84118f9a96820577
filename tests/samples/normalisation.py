"""Samples of ``adjoint/ops/normalisation.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong

ONES = np.ones
F = "nn.functional."
INTEGERS = wrong(NotImplementedError, "torch.int64", ONES((2, 3), int), (3,))
SHAPES = [
    wrong(RuntimeError, r"\[\*, 4\].*\[2, 3\]", ONES((2, 3)), (4,)),
    wrong(TypeError, "tuple of ints", ONES((2, 3)), 3),
    wrong(RuntimeError, "at least one dimension", ONES((2, 3)), ()),
    wrong(RuntimeError, "Expected weight", ONES((2, 3)), (3,), ONES(2)),
    INTEGERS,
]

for name in ("layer_norm", F + "layer_norm"):
    case(
        name,
        samples=lambda make: [
            sample(make(4, 3), (3,)),
            sample(make(4, 3), [3], make(3), make(3)),
            sample(make(4, 3), (3,), make(3)),
            sample(make(2, 3, 4), (3, 4), make(3, 4), make(3, 4), 0.1),
            sample(make(2, 3, 4), (4,), make(4), make(4), eps=0.0),
            sample(make(5), (5,), make(5), make(5)),
            sample(make(0, 3), (3,), make(3), make(3)),
            sample(make(2, 0), (0,)),
        ],
        errors=[
            *SHAPES,
            wrong(RuntimeError, "Expected bias", ONES((2, 3)), (3,), None, ONES(2)),
            wrong(RuntimeError, "mixed dtype", ONES((2, 3)), (3,), ONES(3, np.float32)),
        ],
    )
for name in ("rms_norm", F + "rms_norm"):
    case(
        name,
        variant="of complex numbers",
        rows="rsqrt mul",
        samples=lambda make: [
            sample(make(4, 3, dtype="complex128"), (3,)),
            sample(make(4, 3, dtype="complex128"), [3], make(3, dtype="complex128")),
            sample(make(2, 3, 4, dtype="complex128"), (3, 4), make(3, 4), 0.1),
            sample(make(2, 3, dtype="complex128"), (2, 3)),
        ],
        errorless="see rms_norm",
    )
    case(
        name,
        samples=lambda make: [
            sample(make(4, 3), (3,)),
            sample(make(4, 3), [3], make(3)),
            sample(make(2, 3, 4), (3, 4), make(3, 4), 0.1),
            sample(make(2, 3, 4), (4,), make(4), eps=0.01),
            sample(make(5), (5,), make(5)),
            sample(make(0, 3), (3,), make(3)),
        ],
        errors=SHAPES,
    )
