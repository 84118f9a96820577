"""From one element type to another, as NumPy converts.

Halves are the bits of a float16 or bfloat16 in an integer. They become float32, which computes with
them, and are rounded once from it, to the nearest and to even between two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.codegen.processor import Processor, host
from adjoint.compiler.codegen.text import Text, register

FLOAT, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
WORD, LONG = np.dtype(np.int32), np.dtype(np.int64)


def is_half(kind: np.dtype[Any]) -> bool:
    """Whether it is float16 or bfloat16."""
    return kind.itemsize == 2 and kind.kind in "fV"


def convert(
    text: Text,
    value: str,
    old: np.dtype[Any],
    new: np.dtype[Any],
    target: Processor | None = None,
) -> str:
    """A value in another type."""
    if old == new:
        return value
    if is_half(old):
        wide = widened(text, value, old, target or host())
        return convert(text, wide, FLOAT, new, target)
    if is_half(new):
        if old == DOUBLE:
            return narrowed(text, _odd(text, value), new, target or host())
        wide = convert(text, value, old, FLOAT, target)
        return narrowed(text, wide, new, target or host())
    a, b = text.type(old), text.type(new)
    if new.kind == "b":
        zero = text.constant(0, old)
        return text.new(f"{'fcmp une' if old.kind == 'f' else 'icmp ne'} {a} {value}, {zero}")
    unsigned = old.kind in "bu"
    if old.kind == "f":
        if new.kind == "f":
            name = "fpext" if new.itemsize > old.itemsize else "fptrunc"
            return text.new(f"{name} {a} {value} to {b}")
        return _whole(text, value, old, new)
    if new.kind == "f":
        return text.new(f"{'uitofp' if unsigned else 'sitofp'} {a} {value} to {b}")
    if register(old) == register(new):
        return value
    if new.itemsize > old.itemsize or old.kind == "b":
        return text.new(f"{'zext' if unsigned else 'sext'} {a} {value} to {b}")
    return text.new(f"trunc {a} {value} to {b}")


def _whole(text: Text, value: str, old: np.dtype[Any], new: np.dtype[Any]) -> str:
    """A number cut off at the point.

    What does not fit is not defined in NumPy either, and gives the least of 32 bits, or of 64 for
    the widest types, cut to the type: so x86's instructions do, and NumPy by them.
    """
    middle = LONG if new.itemsize == 8 or (new.kind == "u" and new.itemsize == 4) else WORD
    a, b = text.type(old), text.type(middle)
    limit = 2.0 ** (8 * middle.itemsize - 1)
    # Values above the greatest integer, below the least, and NaNs.
    above = text.new(f"fcmp oge {a} {value}, {text.constant(-limit, old)}")
    below = text.new(f"fcmp olt {a} {value}, {text.constant(limit, old)}")
    fits = text.new(f"and {text.wide('i1')} {above}, {below}")
    flags = text.wide("i1")
    safe = text.new(f"select {flags} {fits}, {a} {value}, {a} {text.constant(0, old)}")
    whole = text.new(f"fptosi {a} {safe} to {b}")
    least = text.constant(np.iinfo(middle).min, middle)
    found = text.new(f"select {flags} {fits}, {b} {whole}, {b} {least}")
    if new.kind == "u" and new.itemsize == 8:
        found = _unsigned(text, value, found, old)
    return found if middle.itemsize == new.itemsize else convert(text, found, middle, new)


def _unsigned(text: Text, value: str, signed: str, old: np.dtype[Any]) -> str:
    """The upper half of the numbers of 64 bits without a sign."""
    a, b, flags = text.type(old), text.type(LONG), text.wide("i1")
    middle = text.constant(2.0**63, old)
    over = text.new(f"fcmp oge {a} {value}, {middle}")
    under = text.new(f"fcmp olt {a} {value}, {text.constant(2.0**64, old)}")
    high = text.new(f"and {flags} {over}, {under}")
    lowered = text.new(f"fsub {a} {value}, {middle}")
    safe = text.new(f"select {flags} {high}, {a} {lowered}, {a} {text.constant(0, old)}")
    whole = text.new(f"fptosi {a} {safe} to {b}")
    top = text.new(f"xor {b} {whole}, {text.constant(np.iinfo(LONG).min, LONG)}")
    return text.new(f"select {flags} {high}, {b} {top}, {b} {signed}")


# -- halves -------------------------------------------------------------------------------------


class _Bits:
    """Instructions on integers of one width, with names for their operands."""

    def __init__(self, text: Text, kind: np.dtype[Any]) -> None:
        self.text = text
        self.kind = kind

    def __call__(self, name: str, x: str, y: str | int) -> str:
        other = self.text.constant(y, self.kind) if isinstance(y, int) else y
        return self.text.new(f"{name} {self.text.type(self.kind)} {x}, {other}")

    def choose(self, flag: str, x: str, y: str) -> str:
        kind = self.text.type(self.kind)
        return self.text.new(f"select {self.text.wide('i1')} {flag}, {kind} {x}, {kind} {y}")

    def number(self, bits: str, kind: np.dtype[Any]) -> str:
        return self.text.new(
            f"bitcast {self.text.type(self.kind)} {bits} to {self.text.type(kind)}"
        )


def widened(text: Text, value: str, kind: np.dtype[Any], target: Processor) -> str:
    """A half as a float32, exactly."""
    if kind.kind == "f" and target.halves:
        half = text.wide("half")
        own = text.new(f"bitcast {text.wide('i16')} {value} to {half}")
        return text.new(f"fpext {half} {own} to {text.type(FLOAT)}")
    do = _Bits(text, WORD)
    wide = text.new(f"zext {text.wide('i16')} {value} to {text.type(WORD)}")
    if kind.kind == "V":
        return do.number(do("shl", wide, 16), FLOAT)
    # The exponent and mantissa in their new places stand for a number too small by a power of two.
    sign = do("shl", do("and", wide, 0x8000), 16)
    rest = do("shl", do("and", wide, 0x7FFF), 13)
    number = do.number(rest, FLOAT)
    grown = text.new(f"fmul {text.type(FLOAT)} {number}, {text.constant(2.0**112, FLOAT)}")
    infinite = do("icmp uge", rest, 0x7C00 << 13)
    special = do("or", rest, 0x7F800000)
    normal = text.new(f"bitcast {text.type(FLOAT)} {grown} to {text.type(WORD)}")
    return do.number(do("or", do.choose(infinite, special, normal), sign), FLOAT)


def narrowed(text: Text, value: str, kind: np.dtype[Any], target: Processor) -> str:
    """A float32 rounded to a half."""
    if kind.kind == "f" and target.halves:
        half = text.wide("half")
        own = text.new(f"fptrunc {text.type(FLOAT)} {value} to {half}")
        return text.new(f"bitcast {half} {own} to {text.wide('i16')}")
    do = _Bits(text, WORD)
    bits = text.new(f"bitcast {text.type(FLOAT)} {value} to {text.type(WORD)}")
    broken = text.new(f"fcmp uno {text.type(FLOAT)} {value}, {value}")
    if kind.kind == "V":
        odd = do("and", do("lshr", bits, 16), 1)
        near = do("lshr", do("add", do("add", bits, 0x7FFF), odd), 16)
        quiet = do("or", do("lshr", bits, 16), 0x40)
        return text.new(
            f"trunc {text.type(WORD)} {do.choose(broken, quiet, near)} to {text.wide('i16')}"
        )
    sign, rest = do("and", do("lshr", bits, 16), 0x8000), do("and", bits, 0x7FFFFFFF)
    # Normal: the exponent's bias is exchanged; what is cut off decides, and the last bit between.
    odd = do("and", do("lshr", rest, 13), 1)
    lowered = do("add", do("add", rest, 0xFFF - (112 << 23)), odd)
    normal = do("lshr", lowered, 13)
    # Subnormal: adding 1/2 leaves the nearest multiple of 2^-24 in the lowest bits of the sum.
    size = do.number(rest, FLOAT)
    shifted = text.new(f"fadd {text.type(FLOAT)} {size}, {text.constant(0.5, FLOAT)}")
    low = text.new(f"bitcast {text.type(FLOAT)} {shifted} to {text.type(WORD)}")
    subnormal = do("sub", low, 0x3F000000)
    found = do.choose(do("icmp ult", rest, 113 << 23), subnormal, normal)
    found = do.choose(do("icmp uge", rest, 143 << 23), text.constant(0x7C00, WORD), found)
    quiet = do("or", do("and", do("lshr", rest, 13), 0x3FF), 0x7E00)
    found = do("or", do.choose(broken, quiet, found), sign)
    return text.new(f"trunc {text.type(WORD)} {found} to {text.wide('i16')}")


def _odd(text: Text, value: str) -> str:
    """A float64 as a float32 from which rounding again gives what rounding once would.

    Cut off towards 0, with the last bit set where something was lost: no tie is made that was none.
    """
    a, b, flags = text.type(DOUBLE), text.type(FLOAT), text.wide("i1")
    near = text.new(f"fptrunc {a} {value} to {b}")
    back = text.new(f"fpext {b} {near} to {a}")
    inexact = text.new(f"fcmp one {a} {back}, {value}")
    do = _Bits(text, WORD)
    bits = text.new(f"bitcast {b} {near} to {text.type(WORD)}")
    # One less where it was rounded away from 0, to get the odd one of the two neighbours.
    sizes = []
    for each in (back, value):
        whole = text.new(f"bitcast {a} {each} to {text.type(LONG)}")
        sizes.append(_Bits(text, LONG)("and", whole, 0x7FFFFFFFFFFFFFFF))
    away = text.new(f"icmp ugt {text.type(LONG)} {sizes[0]}, {sizes[1]}")
    less = text.new(f"zext {flags} {away} to {text.type(WORD)}")
    odd = do("or", do("sub", bits, less), 1)
    return do.number(do.choose(inexact, odd, bits), FLOAT)
