"""Scalar expressions with Python's operators: how rows are written down for the compiler.

``kind`` is the NumPy type an expression computes in. Python numbers take the type of what they
meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.compiler.nodes import Buffer, Scalar

BOOL = np.dtype(np.bool_)


class Expression:
    """A scalar, with operators that make others."""

    __slots__ = ("scalar",)

    def __init__(self, scalar: Scalar) -> None:
        self.scalar = scalar

    @property
    def kind(self) -> np.dtype[Any]:
        """The type it computes in."""
        return self.scalar.kind

    @property
    def number(self) -> Any:
        """The Python number that it is, None for anything else."""
        return self.scalar.value if self.scalar.name == "number" else None

    def _with(self, name: str, other: Any, kind: Any = None, swapped: bool = False) -> Expression:
        pair = (self.scalar, as_scalar(other, self.kind))
        return Expression(Scalar(name, kind or self.kind, pair[::-1] if swapped else pair))

    def __add__(self, other: Any) -> Expression:
        return self._with("add", other)

    def __radd__(self, other: Any) -> Expression:
        return self._with("add", other, swapped=True)

    def __sub__(self, other: Any) -> Expression:
        return self._with("sub", other)

    def __rsub__(self, other: Any) -> Expression:
        return self._with("sub", other, swapped=True)

    def __mul__(self, other: Any) -> Expression:
        return self._with("mul", other)

    def __rmul__(self, other: Any) -> Expression:
        return self._with("mul", other, swapped=True)

    def __truediv__(self, other: Any) -> Expression:
        return self._with("div", other)

    def __rtruediv__(self, other: Any) -> Expression:
        return self._with("div", other, swapped=True)

    def __neg__(self) -> Expression:
        return Expression(Scalar("neg", self.kind, (self.scalar,)))

    def __lt__(self, other: Any) -> Expression:
        return self._with("lt", other, BOOL)

    def __le__(self, other: Any) -> Expression:
        return self._with("le", other, BOOL)

    def __gt__(self, other: Any) -> Expression:
        return self._with("gt", other, BOOL)

    def __ge__(self, other: Any) -> Expression:
        return self._with("ge", other, BOOL)

    def equals(self, other: Any) -> Expression:
        """Elementwise ``==`` (the operator itself stays Python's)."""
        return self._with("eq", other, BOOL)

    def differs(self, other: Any) -> Expression:
        """Elementwise ``!=``, which is true of a NaN and itself."""
        return self._with("ne", other, BOOL)

    def __and__(self, other: Any) -> Expression:
        return self._with("and", other)

    def __or__(self, other: Any) -> Expression:
        return self._with("or", other)

    def __xor__(self, other: Any) -> Expression:
        return self._with("xor", other)

    def __invert__(self) -> Expression:
        return self._with("xor", True if self.kind == BOOL else -1)

    def to(self, kind: Any) -> Expression:
        """Converted to another type."""
        return Expression(cast(self.scalar, kind))


def as_scalar(value: Any, kind: Any) -> Scalar:
    """A number or expression as a scalar of ``kind``."""
    if isinstance(value, Expression):
        value = value.scalar
    if isinstance(value, Scalar):
        return cast(value, kind)
    return Scalar("number", kind, value=value)


def cast(scalar: Scalar, kind: Any) -> Scalar:
    """``scalar`` converted to ``kind``."""
    kind = np.dtype(kind)
    if scalar.kind == kind:
        return scalar
    if scalar.name == "number":
        with np.errstate(all="ignore"):
            return Scalar("number", kind, value=np.asarray(scalar.value).astype(kind).item())
    return Scalar("cast", kind, (scalar,))


def coordinate(domain: Sequence[int], axis: int) -> Expression:
    """Which place of ``axis`` it is: an int64."""
    rank = len(domain)
    steps = tuple(int(each == axis % rank) for each in range(rank))
    return Expression(Scalar("index", np.int64, value=steps))


def element(buffer: Buffer, place: Expression) -> Expression:
    """The element of a buffer at a place in its memory, which must be one that there is."""
    return Expression(Scalar("element", buffer.kind, (place.to(np.int64).scalar,), buffer))


def checked(
    x: Expression, condition: Expression, message: str, error: type[Exception] = IndexError
) -> Expression:
    """``x``, and an ``error`` with ``message`` after the program where it does not hold."""
    value = message if error is IndexError else (error, message)
    return Expression(Scalar("checked", x.kind, (x.scalar, condition.scalar), value))


def number(value: Any, kind: Any) -> Expression:
    """A constant."""
    return Expression(Scalar("number", kind, value=value))


def function(name: str) -> Callable[..., Expression]:
    """A function of scalars of one type that the code generator knows by ``name``."""

    def operation(x: Expression, *others: Any) -> Expression:
        args = (x.scalar, *[as_scalar(each, x.kind) for each in others])
        return Expression(Scalar(name, x.kind, args))

    return operation


def where(condition: Expression, x: Any, y: Any, kind: Any = None) -> Expression:
    """``x`` where the condition holds, else ``y``."""
    kind = kind or (x.kind if isinstance(x, Expression) else y.kind)
    args = (condition.to(BOOL).scalar, as_scalar(x, kind), as_scalar(y, kind))
    return Expression(Scalar("where", kind, args))


exp, exp2, expm1 = function("exp"), function("exp2"), function("expm1")
log, log2, log10, log1p = function("log"), function("log2"), function("log10"), function("log1p")
sin, cos, tan = function("sin"), function("cos"), function("tan")
asin, acos, atan, atan2 = function("asin"), function("acos"), function("atan"), function("atan2")
sigmoid = function("sigmoid")
sinh, cosh, tanh = function("sinh"), function("cosh"), function("tanh")
asinh, acosh, atanh = function("asinh"), function("acosh"), function("atanh")
erf, erfc, power = function("erf"), function("erfc"), function("pow")
absolute, sqrt = function("abs"), function("sqrt")
floor, ceil, truncate, rint = (
    function("floor"),
    function("ceil"),
    function("trunc"),
    function("rint"),
)
copysign = function("copysign")
remainder = function("rem")  # of C: the sign of the first
maximum, minimum = function("max"), function("min")  # a NaN wins
shift_left = function("shl")  # by a number of places that there are


def shift_right(x: Expression, places: Any) -> Expression:
    """Bits moved down by a number of places that there are; the sign stays."""
    return function("lshr" if x.kind.kind in "bu" else "ashr")(x, places)


def quotient(x: Expression, y: Any) -> Expression:
    """Of integers, rounded towards zero; 0 may not divide, nor -1 the least."""
    return function("udiv" if x.kind.kind in "bu" else "sdiv")(x, y)


def bits(x: Expression) -> Expression:
    """The memory of a floating number as an integer."""
    return Expression(Scalar("bitcast", f"i{x.kind.itemsize}", (x.scalar,)))


def from_bits(x: Expression, kind: Any) -> Expression:
    """The floating number that an integer is the memory of."""
    return Expression(Scalar("bitcast", kind, (x.scalar,)))


def sign_bit(x: Expression) -> Expression:
    """Whether the sign of a floating number is minus, that of -0.0 and NaNs too."""
    return bits(x) < 0


def is_nan(x: Expression) -> Expression:
    """Whether ``x`` is not a number."""
    return x.differs(x)
