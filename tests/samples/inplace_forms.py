"""Samples of ``adjoint/ops/inplace_forms.py``: functions that write into their first argument."""

import numpy as np

from tests.samples.case import case, sample, wrong
from tests.samples.elementwise import binary, unary, with_options

NOT_A_TENSOR = [wrong(TypeError, "", 2.0)]
REFUSED = {"abs": [wrong(RuntimeError, "the result is real", np.ones(2, complex))]}
# Aliases have the rows of the functions that they are.
ROWS = {
    "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctanh": "atanh", "fix": "trunc", "negative": "neg",
}  # fmt: skip

for name, low, high in (
    ("abs", 0.3, 2.0), ("ceil", -2.0, 2.0), ("cos", -2.0, 2.0), ("cosh", -2.0, 2.0),
    ("deg2rad", -2.0, 2.0), ("erf", -2.0, 2.0), ("erfc", -2.0, 2.0), ("exp", -2.0, 2.0),
    ("exp2", -2.0, 2.0), ("expm1", -2.0, 2.0), ("fix", -2.0, 2.0), ("floor", -2.0, 2.0),
    ("frac", -2.0, 2.0), ("i0", 0.3, 2.0), ("log", 0.3, 2.0), ("log10", 0.3, 2.0),
    ("log1p", 0.3, 2.0), ("log2", 0.3, 2.0), ("logit", 0.2, 0.8), ("nan_to_num", -2.0, 2.0),
    ("neg", -2.0, 2.0), ("negative", -2.0, 2.0), ("rad2deg", -2.0, 2.0),
    ("reciprocal", 0.3, 2.0), ("round", -2.0, 2.0), ("rsqrt", 0.3, 2.0), ("sigmoid", -2.0, 2.0),
    ("sin", -2.0, 2.0), ("sinc", 0.3, 2.0), ("sinh", -2.0, 2.0), ("sqrt", 0.3, 2.0),
    ("square", -2.0, 2.0), ("tan", -1.0, 1.0), ("tanh", -2.0, 2.0), ("trunc", -2.0, 2.0),
    ("acos", -0.9, 0.9), ("arccos", -0.9, 0.9), ("asin", -0.9, 0.9), ("arcsin", -0.9, 0.9),
    ("atan", -2.0, 2.0), ("arctan", -2.0, 2.0), ("acosh", 1.2, 3.0), ("arccosh", 1.2, 3.0),
    ("asinh", -2.0, 2.0), ("arcsinh", -2.0, 2.0), ("atanh", -0.9, 0.9), ("arctanh", -0.9, 0.9),
    ("relu", -2.0, 2.0), ("selu", -2.0, 2.0), ("celu", -2.0, 2.0), ("rrelu", -2.0, 2.0),
):  # fmt: skip
    rows = {"selu": "elu", "rrelu": "rrelu_mean"} | ROWS
    differentiable = rows.get(name, name) not in ("acosh", "asinh", "atanh")
    case(
        f"{name}_", rows=rows.get(name, name), samples=unary(low=low, high=high),
        errors=[*NOT_A_TENSOR, *REFUSED.get(name, ())],
        differentiable=differentiable,
        note="" if differentiable else "PyTorch has no derivative of these in place",
    )  # fmt: skip
for name, row in (
    ("relu", "relu"), ("selu", "elu"), ("celu", "celu"), ("rrelu", "rrelu_mean"), ("elu", "elu"),
    ("hardtanh", "hardtanh"), ("leaky_relu", "leaky_relu"),
):  # fmt: skip
    case(f"nn.functional.{name}_", rows=row, samples=unary(), errors=NOT_A_TENSOR)
for name in ("threshold_", "nn.functional.threshold_"):
    case(
        name, rows="threshold", samples=with_options(0.5, 2),
        errors=[wrong(TypeError, "", 2.0, 0.5, 1)],
    )  # fmt: skip
case(
    "conj_physical_", rows="conj_physical", errors=NOT_A_TENSOR,
    samples=lambda make: [
        sample(make(2, 3, dtype="complex128")), sample(make(dtype="complex64")),
        sample(make(0, 3, dtype="complex128")),
    ],
)  # fmt: skip
for name in ("clamp_", "clip_"):
    case(name, rows="clamp", samples=with_options(-1, 1), errors=[wrong(TypeError, "", 2.0, 0, 1)])
case("clamp_min_", rows="clamp_min", samples=with_options(0), errors=[wrong(TypeError, "", 2.0, 0)])
case("clamp_max_", rows="clamp_max", samples=with_options(0), errors=[wrong(TypeError, "", 2.0, 0)])


def fitting(make, **limits):
    """Pairs of which the second fits into the first."""
    return [each for each in binary(**limits)(make) if each.args[0].shape != ()]


WRONG_PAIR = [wrong(TypeError, "", 2.0, 3.0)]
case(
    "ldexp_", rows="ldexp", errors=WRONG_PAIR,
    samples=lambda make: [each for each in fitting(make) if each.args[0].shape == (2, 3)],
)  # fmt: skip
case(
    "xlogy_", rows="xlogy", errors=[wrong(TypeError, "", 2.0, "word")],
    samples=lambda make: [
        each for each in fitting(make, low=0.3) if each.args[0].shape == (2, 3)
    ],
)  # fmt: skip
for name in ("gcd_", "lcm_"):
    case(
        name, rows=name[:-1], errors=WRONG_PAIR, differentiable=False,
        note="integers have no derivative",
        samples=lambda make: [
            each for each in binary(low=-9.0, high=9.0)(whole_numbers(make))
            if each.args[0].shape == (2, 3)
        ],
    )  # fmt: skip


def whole_numbers(make):
    """A maker of integers only."""
    return lambda *shape, **limits: make(*shape, **({"dtype": "int64"} | limits))


case(
    "addmv_", rows="addmv",
    samples=lambda make: [
        sample(make(2), make(2, 3), make(3)),
        sample(make(2), make(2, 3), make(3), beta=0.5, alpha=2.0),
    ],
    errors=[wrong(TypeError, "", 2.0, 1.0, 1.0)],
)  # fmt: skip
