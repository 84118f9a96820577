"""Samples of ``adjoint/ops/arithmetic.py``."""

from tests.samples.case import case, sample, wrong
import numpy as np

ONES = np.ones((3,))


def pairs(make, **limits):
    """Two inputs: of one shape, broadcast both ways, 0-d, empty, and with a Python number."""
    return [
        sample(make(2, 3, **limits), make(2, 3, **limits)),
        sample(make(2, 1, **limits), make(3, **limits)),
        sample(make(**limits), make(2, 2, **limits)),
        sample(make(0, 3, **limits), make(1, 3, **limits)),
        sample(make(2, 3, **limits), 1.5),
    ]


MISMATCH = wrong(RuntimeError, r"\(3\) must match .*\(2\)", ONES, np.ones((2,)))

case("mul", samples=pairs, errors=[MISMATCH])
