"""Samples of ``adjoint/ops/activation_piecewise.py``."""

from tests.samples.case import case, wrong
from tests.samples.elementwise import (
    BOOLEANS,
    COMPLEX,
    NO_INTEGERS,
    NOT_A_TENSOR,
    ONES,
    REAL,
    both,
    unary,
    with_options,
)

SMALL = ("float32", "float64")
CORNERS = (0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 6.0, -6.0, 0.5, -0.5)
NO_TRUTH = wrong(RuntimeError, "bool", BOOLEANS)
ONLY_REAL = wrong(NotImplementedError, "complex128", COMPLEX)


def functional(name, rows=None, errors=(NOT_A_TENSOR, NO_INTEGERS), **facts):
    """A case of ``nn.functional``, and one of its form that stores the result in the input."""
    facts = {"dtypes": REAL} | facts
    case(f"nn.functional.{name}", rows=name if rows is None else rows, errors=errors, **facts)


case("relu", samples=unary(*CORNERS), dtypes=REAL, errors=[NOT_A_TENSOR, NO_TRUTH, ONLY_REAL])
functional("relu", samples=unary(*CORNERS), errors=[NOT_A_TENSOR, NO_TRUTH, ONLY_REAL])
functional("relu6", "hardtanh", samples=unary(*CORNERS, high=8.0), errors=[NO_TRUTH, ONLY_REAL])
functional(
    "hardtanh",
    samples=both(unary(*CORNERS), with_options(-2, 3, special=CORNERS, low=-4.0, high=4.0)),
    errors=[wrong(ValueError, "cannot be greater", ONES, 1.0, 0.0), NO_TRUTH, ONLY_REAL],
)
functional(
    "leaky_relu",
    samples=both(
        unary(*CORNERS), with_options(0.3), with_options(-2.0, special=CORNERS), with_options(0.0)
    ),
)
functional("hardsigmoid", samples=unary(*CORNERS, low=-4.0, high=4.0), tolerance=1e-6)
functional("hardswish", samples=unary(*CORNERS, low=-4.0, high=4.0))
case(
    "hardshrink", samples=both(unary(*CORNERS), with_options(1.0)), dtypes=REAL,
    errors=[NO_INTEGERS],
)  # fmt: skip
functional(
    "softshrink", samples=both(unary(*CORNERS), with_options(1.0)),
    errors=[wrong(RuntimeError, "lambda must be", ONES, -1.0), NO_INTEGERS],
)  # fmt: skip
functional(
    "threshold", samples=both(with_options(0.5, 7, special=(0.5, 1.0)), with_options(-1, 2.5)),
    errors=[wrong(TypeError, "must be Tensor", 2.0, 0.5, 1.0)],
)  # fmt: skip
case(
    "threshold", samples=with_options(0, 3), dtypes=REAL,
    errors=[wrong(TypeError, "must be Tensor", 2.0, 0, 1)],
)  # fmt: skip
