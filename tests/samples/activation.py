"""Samples of ``adjoint/ops/activation.py``."""

import numpy as np

from tests.samples.arithmetic import REAL
from tests.samples.case import case, kink, sample, wrong
from tests.samples.elementwise import (
    BOOLEANS,
    NO_INTEGERS,
    NOT_A_TENSOR,
    ONES,
    both,
    corners,
    unary,
    with_options,
)

SMALL = ("float32", "float64")
CORNERS = (0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 6.0, -6.0, 0.5, -0.5)
NO_TRUTH = wrong(RuntimeError, "bool", BOOLEANS)


def functional(name, rows=None, errors=(NOT_A_TENSOR, NO_INTEGERS), **facts):
    """A case of ``nn.functional``, and one of its form that stores the result in the input."""
    facts = {"dtypes": REAL} | facts
    case(f"nn.functional.{name}", rows=name if rows is None else rows, errors=errors, **facts)


case("relu", samples=unary(*CORNERS), dtypes=REAL, errors=[NOT_A_TENSOR, NO_TRUTH])
functional("relu", samples=unary(*CORNERS), errors=[NOT_A_TENSOR, NO_TRUTH])
case(
    "nn.functional.relu", variant="in place", rows="relu", errors=[NO_TRUTH],
    samples=lambda make: [sample(make(2, 3) * 1, inplace=False), sample(make(), False)],
)  # fmt: skip
functional("relu6", "hardtanh", samples=unary(*CORNERS, high=8.0), errors=[NO_TRUTH])
functional(
    "hardtanh",
    samples=both(unary(*CORNERS), with_options(-2, 3, special=CORNERS, low=-4.0, high=4.0)),
    errors=[wrong(ValueError, "cannot be greater", ONES, 1.0, 0.0), NO_TRUTH],
)
functional(
    "leaky_relu",
    samples=both(
        unary(*CORNERS), with_options(0.3), with_options(-2.0, special=CORNERS), with_options(0.0)
    ),
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
NO_METHOD = "PyTorch takes whatever has the methods it calls"
functional("tanhshrink", "tanh sub", samples=unary(), errors=(), errorless=NO_METHOD, dtypes=SMALL)
functional("softsign", "abs add div", samples=unary(), errors=(), errorless=NO_METHOD, dtypes=SMALL)
functional(
    "threshold", samples=both(with_options(0.5, 7, special=(0.5, 1.0)), with_options(-1, 2.5)),
    errors=[wrong(TypeError, "must be Tensor", 2.0, 0.5, 1.0)],
)  # fmt: skip
case(
    "threshold", samples=with_options(0, 3), dtypes=REAL,
    errors=[wrong(TypeError, "must be Tensor", 2.0, 0, 1)],
)  # fmt: skip


def with_weights(make):
    return [
        sample(make(2, 3), make(1)),
        sample(make(2, 3), make(3)),
        sample(make(2, 3, 4), make(3)),
        sample(make(5), make(1)),
        sample(make(), make(1)),
        sample(make(2, 3), make()),
        sample(make(0, 3), make(3)),
        kink(corners(make, 0.0, 1.0, -1.0), make(1)),
    ]


case(
    "prelu", samples=with_weights, dtypes=SMALL,
    errors=[
        wrong(RuntimeError, "2 parameters and 3 channels", np.ones((2, 3)), np.ones(2)),
        wrong(RuntimeError, "scalar or 1D tensor", np.ones((2, 3)), np.ones((1, 3))),
        wrong(RuntimeError, "Type promoting", np.ones((2, 3)), np.ones(3, np.float32)),
    ],
)  # fmt: skip
functional(
    "glu", dtypes=SMALL,
    samples=lambda make: [
        sample(make(2, 4)), sample(make(4, 3), 0), sample(make(2, 4, 3), dim=1),
        sample(make(0, 4)), sample(make(2)),
    ],
    errors=[
        wrong(RuntimeError, "must be even, but dimension 0 is size 3", ONES, 0),
        wrong(IndexError, "Dimension out of range", ONES, 2),
        wrong(RuntimeError, "0-dimensional", np.ones(())),
        wrong(NotImplementedError, "int64", np.ones(4, np.int64)),
    ],
)  # fmt: skip
functional(
    "rrelu", "rrelu_mean", samples=both(unary(), with_options(0.2, 0.4)),
    errors=[wrong(RuntimeError, "is above upper", ONES, 0.5, 0.1), NO_INTEGERS],
)  # fmt: skip
case(
    "nn.functional.rrelu", variant="training", rows="rrelu rrelu_noise", random=True,
    batched=False, note="vmap asks what to draw",
    samples=lambda make: [
        sample(make(4, 5), training=True), sample(make(3), 0.2, 0.4, True),
        sample(make(0, 3), training=True),
    ],
    errors=[wrong(RuntimeError, "is above upper", ONES, 0.5, 0.1, True)],
)  # fmt: skip
