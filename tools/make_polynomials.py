"""Write ``adjoint/compiler/functions/coefficients.py``: polynomials for the compiled functions.

Each is the best one of its degree, found by Remez's exchange over a grid in 60 digits: the largest
weighted error is as small as it can be, and the weight makes it the relative error of the function
that the polynomial is for. Coefficients are rounded to float64 afterwards, the last step to float32
is made where they are used. Run it as ``python tools/make_polynomials.py``; it needs mpmath, and
gives the same file every time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mpmath import mp, mpf

mp.dps = 60
TARGET = Path(__file__).parents[1] / "adjoint/compiler/functions/coefficients.py"
POINTS = 48  # of the grid, for each coefficient


class Fit(NamedTuple):
    """What a polynomial is to come near to, where, and how errors count."""

    comment: str
    function: Callable[[Any], Any]
    low: Any
    high: Any
    weight: Callable[[Any], Any]  # what an error of 1 there is in relative terms
    single: int  # coefficients for float32
    double: int  # and for float64
    high_double: Any = None  # the end for float64 where it is another


def grid(low: Any, high: Any, count: int) -> list[Any]:
    """Places between two, denser at the ends, none of them at either."""
    return [
        (low + high) / 2 - (high - low) / 2 * mp.cos((2 * each + 1) * mp.pi / (2 * count))
        for each in range(count)
    ]


def extrema(errors: list[Any], wanted: int) -> list[int]:
    """Where errors of alternating signs are largest: as many places as are wanted."""
    found: list[int] = []
    for place, error in enumerate(errors):
        if found and (errors[found[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[found[-1]]):
                found[-1] = place
        else:
            found.append(place)
    while len(found) > wanted:
        if abs(errors[found[0]]) < abs(errors[found[-1]]):
            found.pop(0)
        else:
            found.pop()
    return found


def remez(fit: Fit, count: int) -> tuple[list[Any], Any]:
    """The coefficients from the lowest up, and the largest weighted error."""
    low, high = mpf(fit.low), mpf(fit.high)
    places = grid(low, high, POINTS * count)
    values, weights = [fit.function(x) for x in places], [abs(fit.weight(x)) for x in places]
    size = len(places)
    chosen = [round((2 * each + 1) * size / (2 * (count + 1))) for each in range(count + 1)]
    coefficients: list[Any] = []
    worst = mpf(1)
    for _ in range(60):
        rows = mp.matrix(count + 1, count + 1)
        for row, place in enumerate(chosen):
            for column in range(count):
                rows[row, column] = places[place] ** column
            rows[row, count] = (-1) ** row / weights[place]
        solved = mp.lu_solve(rows, mp.matrix([values[place] for place in chosen]))
        coefficients = list(solved)[:count]
        errors = [
            (value - mp.polyval(coefficients[::-1], x)) * weight
            for x, value, weight in zip(places, values, weights, strict=True)
        ]
        worst = max(map(abs, errors))
        following = extrema(errors, count + 1)
        if len(following) < count + 1 or following == chosen:
            break
        chosen = following
    return coefficients, worst


def atanh_over(s: Any) -> Any:
    return mp.atanh(s) / s


def bell(t: Any) -> Any:
    """(1 + 2a) exp(a^2) erfc(a), where t = (a - 4) / (a + 4)."""
    a = 4 * (1 + t) / (1 - t)
    with mp.extradps(20):
        return (1 + 2 * a) * mp.exp(a * a) * mp.erfc(a)


def erfcx(a: Any) -> Any:
    """exp(a^2) erfc(a)."""
    with mp.extradps(20):
        return mp.exp(a * a) * mp.erfc(a)


def inverse_tail(middle: Any) -> Callable[[Any], Any]:
    """erfinv(1 - exp(-w^2)) of w - middle, by Newton's method on log(erfc)."""

    def value(u: Any) -> Any:
        w = u + middle
        y = +w
        for _ in range(60):
            part = mp.erfc(y)
            slope = -2 / mp.sqrt(mp.pi) * mp.exp(-y * y) / part
            step = (mp.log(part) + w * w) / slope
            y -= step
            if abs(step) < mpf(10) ** -55:
                break
        return y

    return value


def segment(low: str, high: str, count: int) -> Fit:
    """As good as float32 needs it."""
    middle = (mpf(low) + mpf(high)) / 2
    tail = inverse_tail(middle)
    return Fit(
        f"erfinv(1 - exp(-w^2)) of w - {float(middle)}, w from {low} to {high}",
        tail, mpf(low) - middle, mpf(high) - middle, lambda u: 1 / tail(u), count, count,
    )  # fmt: skip


QUARTER = mp.pi / 4
HALF_LOG2 = mp.log(2) / 2 * mpf("1.0001")
# log(m) for m between 1/sqrt(2) and sqrt(2): s = (m - 1) / (m + 1) goes this far.
EDGE = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mpf("1.0001")

FITS = {
    "EXP": Fit(
        "(exp(r) - 1 - r) / r^2, r within log(2)/2",
        lambda r: (mp.expm1(r) - r) / r**2, -HALF_LOG2, HALF_LOG2,
        lambda r: r**2 / mp.exp(r), 5, 10,
    ),
    "EXPM1": Fit(
        "the same, near enough to be exp(r) - 1 near 0",
        lambda r: (mp.expm1(r) - r) / r**2, -HALF_LOG2, HALF_LOG2,
        lambda r: r**2 / mp.expm1(r), 6, 11,
    ),
    "EXP2": Fit(
        "(2^r - 1) / r, r within 1/2",
        lambda r: mp.expm1(r * mp.log(2)) / r, mpf("-0.5001"), mpf("0.5001"),
        lambda r: r / 2**r, 6, 11,
    ),
    "LOG": Fit(
        "(2 atanh(s) - 2 s) / s^3 of z = s^2",
        lambda z: 2 * (atanh_over(mp.sqrt(z)) - 1) / z, 0, EDGE,
        lambda z: z / 2, 3, 7,
    ),
    "LOG_LONG": Fit(
        "(atanh(s) - s - s^3 / 3) / s^5 of z = s^2, to twice the precision",
        lambda z: (atanh_over(mp.sqrt(z)) - 1 - z / 3) / z**2, 0, EDGE,
        lambda z: z**2, 3, 8,
    ),
    "INVERSE": Fit(
        "1 / m, m between 1/sqrt(2) and sqrt(2), roughly",
        lambda m: 1 / m, mpf("0.7"), mpf("1.42"), lambda m: m, 3, 3,
    ),
    "SIN": Fit(
        "(sin(r) - r) / r^3 of z = r^2, r within pi/4",
        lambda z: (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, 0, QUARTER**2 * mpf("1.001"),
        lambda z: z, 3, 6,
    ),
    "COS": Fit(
        "(cos(r) - 1 + r^2 / 2) / r^4 of z = r^2, r within pi/4",
        lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2, 0, QUARTER**2 * mpf("1.001"),
        lambda z: z**2 / mp.cos(mp.sqrt(z)), 3, 6,
    ),
    "ASIN": Fit(
        "(asin(x) - x) / x^3 of z = x^2, x up to 1/2",
        lambda z: (mp.asin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, 0, mpf("0.2501"),
        lambda z: z, 5, 13,
    ),
    "ATAN": Fit(
        "(atan(t) - t) / t^3 of z = t^2, t up to 0.3",
        lambda z: (mp.atan(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, 0, mpf("0.0905"),
        lambda z: z, 4, 9,
    ),
    "SINH": Fit(
        "(sinh(x) - x) / x^3 of z = x^2, x up to 1",
        lambda z: (mp.sinh(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, 0, mpf("1.0001"),
        lambda z: z, 4, 7,
    ),
    "ERF": Fit(
        "erf(x) / x - 1 of z = x^2, x up to 1",
        lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1, 0, mpf("1.0001"),
        lambda z: 1, 7, 12,
    ),
    "ERF_TAIL": Fit(
        "-log(erfc(a)) of a - 1, a from 1 to 4 or 6, where erf is 1",
        lambda x: -mp.log(mp.erfc(x + 1)), 0, 3, lambda x: mp.erfc(x + 1), 8, 19, 5,
    ),
    "ERFC": Fit(
        "(1 + 2 a) exp(a^2) erfc(a) of t = (a - 4) / (a + 4), a from 1/2 to 28",
        bell, mpf("-0.7781"), mpf("0.751"), lambda t: 1 / bell(t), 12, 23,
    ),
    "ERFCX": Fit(
        "the same up to infinity",
        bell, mpf("-0.7781"), 1, lambda t: 1 / bell(t), 14, 25,
    ),
    "ERFCX_NEAR": Fit(
        "(exp(x^2) erfc(x) - 1) / x, x within 1/2",
        lambda x: (erfcx(x) - 1) / x, mpf("-0.5001"), mpf("0.5001"),
        lambda x: x / erfcx(x), 10, 18,
    ),
    "ERFINV": Fit(
        "erfinv(x) / x - 1 of z = x^2, x up to 0.625",
        lambda z: mp.erfinv(mp.sqrt(z)) / mp.sqrt(z) - 1, 0, mpf("0.625") ** 2,
        lambda z: 1, 8, 18,
    ),
    "ERFINV_FIRST": segment("0.99", "2.2", 11),
    "ERFINV_SECOND": segment("2.2", "4.1", 10),
    "ERFINV_THIRD": segment("4.1", "6.15", 9),
}  # fmt: skip

# Constants as sums: how many bits each part but the last has, in float32 and in float64. Parts with
# fewer than the type has are exact when multiplied by what fits into the rest.
PARTS = {
    "LN2": ("log(2), the first part times an exponent is exact", mp.log(2), (15,), (41,)),
    "LG2": ("log10(2), likewise", mp.log(2, 10), (15,), (41,)),
    "LOG2_E": ("1 / log(2), the first part half as long", 1 / mp.log(2), (12,), (26,)),
    "LOG10_E": ("1 / log(10), likewise", 1 / mp.log(10), (12,), (26,)),
    "LOG2_E_LONG": ("1 / log(2)", 1 / mp.log(2), (24,), (53,)),
    "THIRD": ("1 / 3", mpf(1) / 3, (24,), (53,)),
    "ATAN_HALF": ("atan(1 / 2)", mp.atan(mpf(1) / 2), (24,), (53,)),
    "HALF_PI": ("pi / 2", mp.pi / 2, (24, 24), (53, 53)),
}


def rounded(x: Any, bits: int) -> Any:
    """The nearest number with a mantissa of so many bits."""
    with mp.workprec(bits):
        return +x


def parts(value: Any, lengths: tuple[int, ...], last: int) -> list[float]:
    found = []
    for bits in (*lengths, last):
        found.append(rounded(value, bits))
        value -= found[-1]
    return [float(each) for each in found]


HEAD = '''"""Coefficients of polynomials, from the lowest power up, for float32 and float64.

Written by ``python tools/make_polynomials.py``: best approximations by Remez's exchange. The
comments say what they approximate and the largest error, relative to the whole function, in bits.
"""

from __future__ import annotations

Table = dict[int, tuple[float, ...]]  # by the bytes of the type
'''


def main() -> None:
    texts = [HEAD]
    for name, (comment, value, single, double) in PARTS.items():
        rows = [
            f"    {size}: ({', '.join(map(repr, parts(value, lengths, last)))}),\n"
            for size, lengths, last in ((4, single, 24), (8, double, 53))
        ]
        texts.append(f"# {comment}.\n{name}: Table = {{\n{''.join(rows)}}}  # fmt: skip\n")
    for name, fit in FITS.items():
        rows, bits = [], []
        for size, count in ((4, fit.single), (8, fit.double)):
            longer = fit.high_double if size == 8 and fit.high_double else fit.high
            coefficients, worst = remez(fit._replace(high=longer), count)
            bits.append(f"{float(mp.log(worst, 2)):.1f}")
            body = "".join(f"        {float(each)!r},\n" for each in coefficients)
            rows.append(f"    {size}: (\n{body}    ),\n")
            print(name, size, count, bits[-1], flush=True)
        texts.append(
            f"# {fit.comment}; {' and '.join(bits)} bits.\n"
            f"{name}: Table = {{\n{''.join(rows)}}}  # fmt: skip\n"
        )
    TARGET.write_text("\n".join(texts))


if __name__ == "__main__":
    main()
