"""Poisson numbers, drawn as PyTorch's CPU generator draws them.

Small rates multiply uniform numbers until the product falls below ``exp(-rate)``; those from 10 on
reject from a transformed uniform one (W. Hörmann, "The transformed rejection method for generating
Poisson random variables", 1993). How many uniform numbers a Poisson number takes is random, so they
are drawn one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjoint.array.random_engine import Generator, draw_uint64

_LARGE = 10.0
_MANTISSA = (1 << 53) - 1


def poisson(generator: Generator, rates: NDArray[Any]) -> NDArray[Any]:
    """A Poisson number for each rate, in the rates' shape and type.

    Raises ``RuntimeError`` for a negative rate.

    >>> poisson(Generator().manual_seed(0), np.full(5, 3.0))
    array([6., 3., 2., 3., 4.])
    """
    flat = rates.reshape(-1).astype(np.float64).tolist()
    found = []
    with generator.lock:

        def uniform() -> float:
            return (int(draw_uint64(generator, 1)[0]) & _MANTISSA) * 2.0**-53

        for rate in flat:
            if not rate >= 0:
                raise RuntimeError(
                    f"invalid Poisson rate, expected rate to be non-negative, but got {rate}"
                )
            found.append(_many(rate, uniform) if rate >= _LARGE else _few(rate, uniform))
    return np.array(found, np.float64).astype(rates.dtype).reshape(rates.shape)


def _few(rate: float, uniform: Callable[[], float]) -> int:
    if not rate:
        return 0
    limit, product, count = math.exp(-rate), 1.0, 0
    while True:
        product *= uniform()
        if product <= limit:
            return count
        count += 1


def _many(rate: float, uniform: Callable[[], float]) -> int:
    root, logarithm = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    scale = math.log(1.1239 + 1.1328 / (b - 3.4))
    accepted = 0.9277 - 3.6224 / (b - 2)
    while True:
        u = uniform() - 0.5
        v = uniform()
        room = 0.5 - abs(u)
        count = math.floor((2 * a / room + b) * u + rate + 0.43)
        if room >= 0.07 and v <= accepted:
            return count
        if count < 0 or (room < 0.013 and v > room):
            continue
        chance = math.log(v) + scale - math.log(a / (room * room) + b)
        if chance <= -rate + count * logarithm - math.lgamma(count + 1):
            return count
