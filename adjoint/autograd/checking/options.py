"""What a check is to look at, and how exactly."""

from __future__ import annotations

from typing import NamedTuple


class Tolerance(NamedTuple):
    """How far an analytical value may lie from a numerical one: ``atol + rtol * |numerical|``."""

    atol: float
    rtol: float

    def scaled(self, factor: float) -> Tolerance:
        """For sums of entries, whose absolute errors add up."""
        return Tolerance(self.atol * factor, self.rtol)


class Options(NamedTuple):
    """What to check, as the arguments of ``gradcheck`` say."""

    atol: float
    rtol: float
    nondet_tol: float
    undefined: bool
    grad_dtypes: bool
    batched: bool
    batched_forward: bool
    forward: bool
    backward: bool
    fast: bool
    masked: bool

    @property
    def tolerance(self) -> Tolerance:
        """How far values may lie apart."""
        return Tolerance(self.atol, self.rtol)
