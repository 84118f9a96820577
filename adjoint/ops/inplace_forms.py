"""In-place forms that are functions too, as ``torch.exp_`` is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint.ops.activation import celu, elu, selu
from adjoint.ops.activation_gated import rrelu
from adjoint.ops.activation_piecewise import hardtanh, leaky_relu, relu, threshold
from adjoint.ops.addition_products import addmv
from adjoint.ops.arithmetic import neg
from adjoint.ops.bessel import i0
from adjoint.ops.bitwise import gcd, lcm
from adjoint.ops.complex_parts import abs as absolute
from adjoint.ops.complex_parts import conj_physical
from adjoint.ops.inplace import in_place
from adjoint.ops.kinds.public import FUNCTIONAL, TOP, publish
from adjoint.ops.powers import reciprocal, rsqrt, square
from adjoint.ops.rounding import (
    ceil,
    deg2rad,
    floor,
    frac,
    ldexp,
    nan_to_num,
    rad2deg,
    round,
    trunc,
)
from adjoint.ops.selection import clamp, clamp_max, clamp_min
from adjoint.ops.special import erf, erfc
from adjoint.ops.transcendental import (
    exp,
    exp2,
    expm1,
    log,
    log1p,
    log2,
    log10,
    logit,
    sigmoid,
    sqrt,
    xlogy,
)
from adjoint.ops.trigonometric import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    cos,
    cosh,
    sin,
    sinc,
    sinh,
    tan,
    tanh,
)

# What PyTorch has at the top level, and in ``nn.functional``.
AT_THE_TOP: dict[str, Callable[..., Any]] = {
    "abs": absolute, "addmv": addmv, "acos": acos, "arccos": acos, "acosh": acosh,
    "arccosh": acosh, "asin": asin, "arcsin": asin, "asinh": asinh, "arcsinh": asinh,
    "atan": atan, "arctan": atan, "atanh": atanh, "arctanh": atanh, "ceil": ceil,
    "clamp": clamp, "clamp_max": clamp_max,
    "clamp_min": clamp_min, "clip": clamp, "conj_physical": conj_physical, "cos": cos,
    "cosh": cosh, "deg2rad": deg2rad, "erf": erf, "erfc": erfc, "exp": exp, "exp2": exp2,
    "expm1": expm1, "fix": trunc, "floor": floor, "frac": frac, "gcd": gcd, "i0": i0, "lcm": lcm,
    "ldexp": ldexp, "log": log, "log10": log10, "log1p": log1p, "log2": log2, "logit": logit,
    "nan_to_num": nan_to_num, "neg": neg, "negative": neg, "rad2deg": rad2deg,
    "reciprocal": reciprocal, "round": round, "rsqrt": rsqrt, "sigmoid": sigmoid, "sin": sin,
    "sinc": sinc, "sinh": sinh, "sqrt": sqrt, "square": square, "tan": tan, "tanh": tanh,
    "trunc": trunc, "xlogy": xlogy,
}  # fmt: skip
ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "relu": relu, "celu": celu, "selu": selu, "rrelu": rrelu, "threshold": threshold,
}  # fmt: skip
IN_FUNCTIONAL = ACTIVATIONS | {"elu": elu, "hardtanh": hardtanh, "leaky_relu": leaky_relu}


for _name, _function in AT_THE_TOP.items():
    publish(f"{_name}_", in_place(_function, f"{_name}_"), TOP)
for _name, _function in IN_FUNCTIONAL.items():
    _form = in_place(_function, f"{_name}_")
    publish(f"{_name}_", _form, FUNCTIONAL, method=False)
    if _name in ACTIVATIONS:
        publish(f"{_name}_", _form, TOP, method=_name == "relu")
