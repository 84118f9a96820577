"""Activations."""

from __future__ import annotations

import math
from typing import Any

from adjoint.compiler.expressions import (
    Expression,
    absolute,
    erf,
    exp,
    expm1,
    log1p,
    maximum,
    minimum,
    number,
    sigmoid,
    tanh,
    where,
)
from adjoint.compiler.lowering.scalars.transcendental import log_of_sum

ROOT_HALF = math.sqrt(0.5)
ROOT_2_OVER_PI = math.sqrt(2 / math.pi)
GELU_CUBIC = 0.044715


def _elu(x: Expression, alpha: float, scale: float) -> Expression:
    return expm1(minimum(x, 0)) * (alpha * scale) + maximum(x, 0) * scale


def _gelu(x: Expression, approximate: str) -> Expression:
    if approximate == "tanh":
        return x * 0.5 * (1 + tanh(x * ROOT_2_OVER_PI * (1 + x * x * GELU_CUBIC)))
    return x * 0.5 * (1 + erf(x * ROOT_HALF))


def _softplus(x: Expression, beta: float, threshold: float) -> Expression:
    scaled = x * beta
    return where(scaled > threshold, x, log_of_sum(scaled, number(0, x.kind)) / beta)


def _hardtanh(x: Expression, low: float, high: float) -> Expression:
    return minimum(maximum(x, low), high)


def _leaky_relu(x: Expression, slope: float) -> Expression:
    scaled = x * slope
    return maximum(x, scaled) if 0 < slope <= 1 else where(x > 0, x, scaled)


def _softshrink(x: Expression, size: float) -> Expression:
    return where(x > size, x - size, where(x < -size, x + size, x * 0))


SCALARS: dict[str, Any] = {
    "relu": lambda x: maximum(x, 0),
    "elu": _elu,
    "celu": lambda x, alpha: maximum(x, 0) + expm1(minimum(x, 0) / alpha) * alpha,
    "gelu": _gelu,
    "silu": lambda x: x * sigmoid(x),
    "softplus": _softplus,
    "mish": lambda x: x * tanh(_softplus(x, 1, 20)),
    "log_sigmoid": lambda x: minimum(x, 0) - log1p(exp(-absolute(x))),
    "hardtanh": _hardtanh,
    "leaky_relu": _leaky_relu,
    "rrelu_mean": _leaky_relu,
    "rrelu": lambda x, noise: x * noise,
    "prelu": lambda x, weight: where(x > 0, x, x * weight),
    "threshold": lambda x, threshold, value: where(x <= threshold, value, x, x.kind),
    "hardsigmoid": lambda x: _hardtanh(x + 3, 0, 6) / 6,
    "hardswish": lambda x: x * _hardtanh(x + 3, 0, 6) / 6,
    "hardshrink": lambda x, size: where((x >= -size) & (x <= size), 0, x, x.kind),
    "softshrink": _softshrink,
}
