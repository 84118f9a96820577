"""Samples of ``adjoint/ops/activation.py``."""

from tests.samples.activation_piecewise import CORNERS, SMALL, functional
from tests.samples.case import case, wrong
from tests.samples.elementwise import (
    NO_INTEGERS,
    ONES,
    REAL,
    both,
    unary,
    with_options,
)

functional("elu", samples=both(unary(*CORNERS, low=-4.0), with_options(2.0, special=CORNERS)))
functional("selu", "elu", samples=unary(*CORNERS, low=-4.0))
case("selu", rows="elu", samples=unary(*CORNERS, low=-4.0), dtypes=REAL, errors=[NO_INTEGERS])
ZERO = wrong(RuntimeError, "alpha cannot be 0", ONES, 0.0)
functional(
    "celu", samples=both(unary(*CORNERS, low=-4.0), with_options(2.0, special=CORNERS)),
    errors=[ZERO, NO_INTEGERS],
)  # fmt: skip
case("celu", samples=with_options(0.5, special=CORNERS), dtypes=REAL, errors=[ZERO, NO_INTEGERS])
functional(
    "gelu", samples=both(unary(), with_options(approximate="tanh")),
    errors=[wrong(RuntimeError, "either none or tanh", ONES, approximate="fast"), NO_INTEGERS],
)  # fmt: skip
functional("silu", samples=unary(0.0), errors=[NO_INTEGERS])
functional("mish", samples=unary(0.0, 25.0, -25.0))
functional(
    "softplus",
    samples=both(
        unary(30.0, -30.0), with_options(2.0, 1.0, special=(0.25, 1.0)), with_options(0.5)
    ),
)
functional("logsigmoid", "log_sigmoid", samples=unary(0.0, 50.0, -50.0))
NO_METHOD = "PyTorch takes whatever has the methods it calls"
functional("tanhshrink", "tanh sub", samples=unary(), errors=(), errorless=NO_METHOD, dtypes=SMALL)
functional("softsign", "abs add div", samples=unary(), errors=(), errorless=NO_METHOD, dtypes=SMALL)
