"""Samples of ``adjoint/ops/special.py``."""

import numpy as np

from tests.samples.case import case, sample, wrong
from tests.samples.elementwise import (
    INTEGERS,
    MISMATCH,
    NO_COMPLEX,
    NO_NUMBER,
    NOT_A_TENSOR,
    ONES,
    binary,
    corners,
    unary,
    with_options,
)

HALVES = ("float32", "float64", "float16", "bfloat16")
BOTH = ("float32", "float64")
NO_DERIVATIVE = "PyTorch has no derivative"
BAD = [NOT_A_TENSOR, NO_COMPLEX]

for name, low, high in (("erf", -2.0, 2.0), ("erfc", -2.0, 2.0), ("erfinv", -0.9, 0.9)):
    case(name, samples=unary(low=low, high=high), dtypes=HALVES, errors=BAD)
# PyTorch's derivative of digamma is right to 1e-9 only.
case("lgamma", samples=unary(low=0.3, high=5.0), dtypes=HALVES, errors=BAD, tolerance=1e-5)
case("digamma", samples=unary(low=0.3, high=5.0), dtypes=HALVES, errors=BAD, tolerance=1e-5)
for name, low, high in (
    ("erfcx", -1.0, 3.0), ("log_ndtr", -4.0, 4.0), ("ndtri", 0.1, 0.9), ("entr", 0.2, 3.0),
):  # fmt: skip
    case(f"special.{name}", samples=unary(low=low, high=high), dtypes=BOTH, errors=BAD)
case(
    "special.ndtr", rows="erf mul add", samples=unary(), dtypes=HALVES,
    errors=[NO_COMPLEX, wrong(TypeError, "must be Tensor", "word")],
)  # fmt: skip
case(
    "special.xlog1py", rows="xlog1py xlog1py_number", dtypes=BOTH, errors=[MISMATCH],
    samples=lambda make: [*binary((0.0, 1.0), number=2.5, low=0.3)(make)],
)  # fmt: skip
case(
    "special.xlog1py", variant="of a number", rows="number_xlog1py", dtypes=BOTH,
    samples=lambda make: [sample(2.0, make(2, 3, low=0.3)), sample(0, make(low=0.3))],
    errors=[wrong(TypeError, "must be Tensor", 2.0, "word")],
)  # fmt: skip
case(
    "special.zeta", variant="of a number", rows="number_zeta", dtypes=BOTH,
    samples=lambda make: [sample(2.5, make(2, 3, low=1.0)), sample(3, make(low=1.0))],
    errors=[wrong(TypeError, "must be Tensor", 2.0, "word")],
)  # fmt: skip
case(
    "special.zeta", rows="zeta zeta_number", dtypes=BOTH, errors=[MISMATCH],
    samples=lambda make: [
        sample(make(2, 3, low=1.5, high=4.0), make(3, low=1.0)),
        sample(make(2, 3, low=1.5, high=4.0), 2),
        sample(make(0, 3), make(1, 3)),
        sample(corners(make, 1.0, 0.5, 2.0), corners(make, 1.0, 1.0, 0.0)),
    ],
    differentiable=False, note="PyTorch has no derivative in the first input",
)  # fmt: skip
case(
    "polygamma", dtypes=BOTH, tolerance=1e-5,
    samples=lambda make: [
        sample(n, make(*shape, low=0.5, high=4.0))
        for n, shape in ((0, (2, 3)), (1, ()), (2, (2, 3)), (3, (4,)), (1, (0, 3)))
    ],
    errors=[
        wrong(RuntimeError, "does not support negative n", -1, ONES),
        wrong(TypeError, "'n' must be int", 1.5, ONES),
    ],
)  # fmt: skip
case(
    "Tensor.polygamma", rows="polygamma", samples=with_options(2, low=0.5, high=4.0),
    errors=[wrong(RuntimeError, "does not support negative n", ONES, -1)],
)  # fmt: skip
case(
    "mvlgamma", dtypes=BOTH, tolerance=1e-5,
    samples=lambda make: [
        *with_options(1, low=2.5, high=6.0)(make), *with_options(3, low=2.5, high=6.0)(make),
    ],
    errors=[wrong(RuntimeError, "p has to be greater", ONES, 0)],
)  # fmt: skip
for name in ("igamma", "igammac"):
    case(
        name, samples=binary(low=0.3, high=4.0), dtypes=BOTH, constants=(0,),
        errors=[MISMATCH, NO_NUMBER, wrong(NotImplementedError, "int64", INTEGERS, INTEGERS)],
        note="PyTorch has no derivative in the first input",
    )  # fmt: skip
case(
    "lgamma", variant="limits", dtypes=BOTH, errors=BAD,
    samples=lambda make: [sample(corners(make, 0.0, -1.0, np.inf, -np.inf, np.nan, -0.5))],
    differentiable=False, note="values only: the derivatives are not numbers",
)  # fmt: skip
case(
    "digamma", variant="limits", dtypes=BOTH, errors=BAD,
    samples=lambda make: [sample(corners(make, 0.0, -0.0, -1.0, np.inf, np.nan, -0.5))],
    differentiable=False, note="values only: the derivatives are not numbers",
)  # fmt: skip
