"""Floating formats, bits, and exact arithmetic: what the formulas of functions are written with.

Formulas are Python functions of expressions. They say the same for float32 and float64, and have no
branches: a case is chosen with ``where`` after all have been computed, so that loops become
vectors. ``fma`` is one instruction or two, whichever the processor has: formulas must be right with
both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adjoint.compiler.expressions import Expression, as_scalar, where
from adjoint.compiler.nodes import Scalar

Pair = tuple[Expression, Expression]  # an unevaluated sum, the second much the smaller
FLOAT, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


class Format(NamedTuple):
    """What a floating type is made of."""

    kind: np.dtype[Any]
    integer: np.dtype[Any]  # as wide
    mantissa: int  # bits of it that are stored
    bias: int
    size: int  # bytes, the key in tables of coefficients

    @property
    def magic(self) -> float:
        """Added to a number, it leaves the nearest integer in the lowest bits."""
        return 1.5 * 2.0**self.mantissa

    @property
    def least(self) -> float:
        """The least normal number."""
        return 2.0 ** (1 - self.bias)


FORMATS = {
    FLOAT: Format(FLOAT, np.dtype(np.int32), 23, 127, 4),
    DOUBLE: Format(DOUBLE, np.dtype(np.int64), 52, 1023, 8),
}


def format_of(x: Expression) -> Format:
    """The format of an expression."""
    return FORMATS[x.kind]


def operation(name: str, kind: Any, *args: Any) -> Expression:
    """A scalar operation by its name; numbers take the type ``kind``."""
    return Expression(
        Scalar(name, kind, tuple(each.scalar if isinstance(each, Expression)
                                 else as_scalar(each, kind) for each in args))
    )  # fmt: skip


def constant(value: float, like: Expression) -> Expression:
    """A number of the type of an expression."""
    return Expression(Scalar("number", like.kind, value=value))


# -- bits ---------------------------------------------------------------------------------------


def bits(x: Expression) -> Expression:
    """The integer with the same bits."""
    return operation("bitcast", format_of(x).integer, x)


def from_bits(i: Expression) -> Expression:
    """The number with the same bits."""
    return operation("bitcast", FLOAT if i.kind.itemsize == 4 else DOUBLE, i)


def up(i: Expression, places: int) -> Expression:
    """Bits moved up."""
    return operation("shl", i.kind, i, places)


def down(i: Expression, places: int) -> Expression:
    """Bits moved down, zeros behind them: vectors of 64 bits often have no other shift."""
    return operation("lshr", i.kind, i, places)


def flip_sign(x: Expression, sign: Expression) -> Expression:
    """``x``, negated if the top bit of an integer is set."""
    i = bits(x)
    top = -(1 << (8 * i.kind.itemsize - 1))
    return from_bits(i ^ (sign & top))


def upper_half(x: Expression) -> Expression:
    """``x`` with the lower half of its mantissa cleared: products of two such are exact."""
    form = format_of(x)
    return from_bits(bits(x) & -(1 << (form.mantissa // 2 + 1)))


# -- arithmetic ---------------------------------------------------------------------------------


def fma(x: Any, y: Expression, z: Any) -> Expression:
    """``x * y + z``, rounded once or twice."""
    return operation("fma", y.kind, x, y, z)


def exact_fma(x: Any, y: Expression, z: Any) -> Expression:
    """``x * y + z`` rounded once, given that ``z`` cancels most of the product."""
    return operation("exact_fma", y.kind, x, y, z)


def horner(coefficients: Sequence[float], x: Expression) -> Expression:
    """A polynomial, from the lowest power up."""
    total: Any = coefficients[-1]
    for each in coefficients[-2::-1]:
        total = fma(total, x, each)
    found: Expression = total
    return found


def halved(coefficients: Sequence[float], x: Expression) -> Expression:
    """The same in two halves, of even and of odd powers, which a processor computes side by side.

    Long polynomials are quicker so, where another sum comes after them and hides what is rounded.
    """
    square = x * x
    return fma(x, horner(coefficients[1::2], square), horner(coefficients[::2], square))


def two_sum(x: Expression, y: Any) -> Pair:
    """A sum and what rounding took from it."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


def quick_two_sum(x: Any, y: Expression) -> Pair:
    """The same where ``x`` is the greater, or 0."""
    total = x + y
    return total, y - (total - x)


def two_product(x: Expression, y: Expression) -> Pair:
    """A product and what rounding took from it."""
    product = x * y
    return product, exact_fma(x, y, -product)


def divide(x: Pair, y: Pair) -> Pair:
    """A quotient of sums, to almost twice the precision."""
    inverse = 1 / y[0]
    first = x[0] * inverse
    rest = exact_fma(-first, y[0], x[0])
    return first, fma(-first, y[1], rest + x[1]) * inverse


# -- integers among numbers ---------------------------------------------------------------------


def nearest(x: Expression) -> tuple[Expression, Expression]:
    """The nearest integer to a number that is not large, as a number and in the lowest bits."""
    magic = format_of(x).magic
    shifted = x + magic
    return shifted - magic, bits(shifted)


def power_of_two(low_bits: Expression) -> Expression:
    """2 to an integer that is in the lowest bits, and that a normal number has as exponent."""
    form = FORMATS[FLOAT if low_bits.kind.itemsize == 4 else DOUBLE]
    return from_bits(up(low_bits + form.bias, form.mantissa))


def scale(x: Expression, low_bits: Expression, less: int = 0) -> Expression:
    """``x`` times 2 to an integer in the lowest bits, and to ``-less``, rounded once.

    The power is made in two halves, of which no one overflows where the product does not; or the
    processor has an instruction for it, which takes the integer as it is.
    """
    form = format_of(x)
    width = 2 * form.bias + 2
    whole = low_bits & (2 * width - 1)  # modulo a power of two; the next line makes it positive
    lifted = (whole + (width - less)) & (2 * width - 1)
    half = down(lifted, 1)
    first, second = half - width // 2, lifted - half - width // 2
    product = x * power_of_two(first) * power_of_two(second)
    # Above the lowest bits is what `nearest` has added; of 64 bits only 32 are looked at.
    whole = low_bits if form.size == 8 else operation("ashr", form.integer, up(low_bits, 10), 10)
    return operation("scaled", x.kind, x, whole - less if less else whole, product)


def as_float(i: Expression) -> Expression:
    """A small positive integer as a number, without a conversion, which not all vectors have."""
    form = FORMATS[FLOAT if i.kind.itemsize == 4 else DOUBLE]
    base = 2.0**form.mantissa
    pattern = (form.mantissa + form.bias) << form.mantissa
    return from_bits(i | pattern) - base


def choose(*cases: Any) -> Expression:
    """``choose(condition, value, condition, value, otherwise)``: the first that holds.

    One value at least is an expression and gives the type.
    """
    values = (*cases[1:-1:2], cases[-1])
    kind = next(each.kind for each in values if isinstance(each, Expression))
    result: Any = cases[-1]
    for place in range(len(cases) - 3, -1, -2):
        result = where(cases[place], cases[place + 1], result, kind)
    found: Expression = result
    return found
