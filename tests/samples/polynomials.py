"""Samples of ``adjoint/ops/polynomials.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong
from tests.samples.elementwise import COMPLEX, MISMATCH, ONES, corners


def degrees(make):
    return [
        *[sample(make(2, 3, low=0.1, high=0.9), degree) for degree in range(6)],
        sample(make(2, 3, low=1.1, high=3.0), make(3, low=0.0, high=4.0)),
        sample(0.5, make(2, 3, low=0.0, high=4.0)),
        sample(make(), 2),
        sample(make(0, 3), make(3, low=0.0)),
        sample(corners(make, 0.25, 2.0, 1.0, -1.0), np.array([3, -1, 2, 1])),
    ]


for name in (
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v",
    "chebyshev_polynomial_w", "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "hermite_polynomial_h",
    "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p",
):  # fmt: skip
    case(
        f"special.{name}", samples=degrees,
        errors=[
            MISMATCH, wrong(NotImplementedError, "complex128", COMPLEX, 2),
            wrong(TypeError, "must be Tensor", ONES, "word"),
        ],
        differentiable=False, note="PyTorch has no derivative",
    )  # fmt: skip
