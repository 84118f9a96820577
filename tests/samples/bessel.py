"""Samples of ``adjoint/ops/bessel.py``."""

import numpy as np

from tests.samples.case import case, kink, sample
from tests.samples.elementwise import (
    NO_COMPLEX,
    NOT_A_TENSOR,
    corners,
    unary,
)

HALVES = ("float32", "float64", "float16", "bfloat16")
BOTH = ("float32", "float64")
NO_DERIVATIVE = "PyTorch has no derivative"
BAD = [NOT_A_TENSOR, NO_COMPLEX]

case("i0", samples=unary(0.0, low=0.3), dtypes=HALVES, errors=BAD)
for name in ("i0e", "i1", "i1e"):
    case(f"special.{name}", samples=unary(low=0.3, high=3.0), dtypes=BOTH, errors=BAD)
for name in ("i0e", "i1", "i1e"):
    case(
        f"special.{name}", variant="at 0", dtypes=BOTH, errors=BAD,
        samples=lambda make: [kink(corners(make, 0.0, -0.0)), sample(make(3, low=0.5))],
    )  # fmt: skip
for name in (
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0",
    "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1", "spherical_bessel_j0",
):  # fmt: skip
    case(
        f"special.{name}", samples=unary(low=0.3, high=6.0), dtypes=BOTH, errors=BAD,
        tolerance=1e-5,  # PyTorch's Bessel functions are right to 1e-6
        differentiable=False, note=NO_DERIVATIVE,
    )  # fmt: skip
case(
    "special.spherical_bessel_j0", variant="limits", dtypes=BOTH, errors=BAD,
    samples=lambda make: [sample(corners(make, 0.0, np.inf, -np.inf, np.nan))],
    differentiable=False, note=NO_DERIVATIVE,
)  # fmt: skip
