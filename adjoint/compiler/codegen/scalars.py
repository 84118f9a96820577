"""Instructions for scalar operations: a table from name to emitter.

An emitter gets the text, the operation, and the names of its operands; it gives the result's. No
instruction may be contracted with another or reordered: each is rounded as NumPy's are, so sums and
products come out the same to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.compiler.codegen.conversions import convert, is_half
from adjoint.compiler.codegen.processor import Processor, host
from adjoint.compiler.codegen.text import Text, code
from adjoint.compiler.functions import has_formula
from adjoint.compiler.nodes import Scalar

COMPARE = {
    "lt": ("olt", "slt", "ult"), "le": ("ole", "sle", "ule"), "gt": ("ogt", "sgt", "ugt"),
    "ge": ("oge", "sge", "uge"), "eq": ("oeq", "eq", "eq"), "ne": ("une", "ne", "ne"),
}  # fmt: skip
FLOATING = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
WHOLE = {"add", "sub", "mul", "and", "or", "xor", "shl", "lshr", "ashr"}  # of LLVM by these names
DIVISION = {"sdiv", "srem", "udiv", "urem"}  # by what is not 0, and not of the least by -1
INTRINSICS = {"sqrt": "sqrt", "abs": "fabs", "copysign": "copysign"}
ROUNDING = {"floor", "ceil", "trunc", "rint"}
SUFFIX = {"f4": "f32", "f8": "f64"}
MEMORY = {"load", "index", "element", "checked"}  # whoever has the memory knows how
EVERYWHERE = {"number", "where", "cast", "bitcast", "max", "min", "neg", "abs", *MEMORY, *COMPARE}


def has_code(scalar: Scalar) -> bool:
    """Whether there are instructions, or a function of the library, for a scalar operation."""
    name, kind = scalar.name, scalar.kind
    if is_half(kind) or any(is_half(arg.kind) for arg in scalar.args):
        return name in MEMORY or name in ("number", "where", "cast", "bitcast")
    if name in EVERYWHERE:
        return True
    if kind.kind != "f":
        return name in WHOLE | DIVISION | ROUNDING or has_formula(name, kind)
    if name in FLOATING or name in INTRINSICS or name in ROUNDING:
        return True
    return name in ("fma", "exact_fma", "scaled") or has_formula(name, kind)


class Needs:
    """What functions in the module call: declarations, and functions of the library."""

    def __init__(self, target: Processor | None = None) -> None:
        self.declarations: set[str] = set()
        self.functions: set[tuple[str, str]] = set()  # name and type code
        # What a raised flag means, numbered from 1: a text, and what of the program it is about.
        self.messages: dict[tuple[str, Any], int] = {}
        self.target = target or host()

    def message(self, text: str, origin: Any) -> int:
        """The number of a flag."""
        return self.messages.setdefault((text, origin), len(self.messages) + 1)


def emit(
    text: Text,
    scalar: Scalar,
    load: Callable[[Scalar, Sequence[str]], str],
    memo: dict[int, str],
    needs: Needs,
) -> str:
    """Instructions for a scalar and all below it, each once."""
    stack = [scalar]
    while stack:  # operands first, without recursion
        each = stack[-1]
        if id(each) in memo:
            stack.pop()
            continue
        missing = [arg for arg in each.args if id(arg) not in memo]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        args = [memo[id(arg)] for arg in each.args]
        if each.name in MEMORY:
            memo[id(each)] = load(each, args)
        elif each.name == "number":
            memo[id(each)] = text.constant(each.value, each.kind)
        else:
            memo[id(each)] = _instruction(text, each, args, needs)
    return memo[id(scalar)]


def _instruction(text: Text, scalar: Scalar, args: list[str], needs: Needs) -> str:
    name, kind = scalar.name, scalar.kind
    inside = scalar.args[0].kind
    kind_text = text.type(kind)
    if name in COMPARE:
        return _compare(text, name, inside, args)
    if name == "where":
        flags = text.wide("i1")
        return text.new(f"select {flags} {args[0]}, {kind_text} {args[1]}, {kind_text} {args[2]}")
    if name == "cast":
        return convert(text, args[0], inside, kind, needs.target)
    if name == "bitcast":
        return text.new(f"bitcast {text.type(inside)} {args[0]} to {kind_text}")
    if name in ("max", "min"):
        return extreme(text, name, args[0], args[1], kind)
    if kind.kind == "f":
        return _floating(text, name, kind, args, needs)
    return _integer(text, name, kind, args, needs)


def _compare(text: Text, name: str, inside: np.dtype[Any], args: list[str]) -> str:
    ordered, signed, unsigned = COMPARE[name]
    operands = f"{text.type(inside)} {', '.join(args)}"
    if inside.kind == "f":
        return text.new(f"fcmp {ordered} {operands}")
    return text.new(f"icmp {unsigned if inside.kind in 'bu' else signed} {operands}")


def _integer(text: Text, name: str, kind: Any, args: list[str], needs: Needs) -> str:
    kind_text, zero = text.type(kind), text.constant(0, kind)
    if name in WHOLE or name in DIVISION:
        return text.new(f"{name} {kind_text} {', '.join(args)}")
    if name == "neg":
        return text.new(f"sub {kind_text} {zero}, {args[0]}")
    if name == "abs":
        if kind.kind in "bu":
            return args[0]
        negative = text.new(f"icmp slt {kind_text} {args[0]}, {zero}")
        flipped = text.new(f"sub {kind_text} {zero}, {args[0]}")
        flags = text.wide("i1")
        return text.new(f"select {flags} {negative}, {kind_text} {flipped}, {kind_text} {args[0]}")
    if name in ROUNDING:
        return args[0]
    return _call(text, name, kind, args, needs)


def _floating(text: Text, name: str, kind: Any, args: list[str], needs: Needs) -> str:
    kind_text = text.type(kind)
    if name in FLOATING:
        return text.new(f"{FLOATING[name]} {kind_text} {', '.join(args)}")
    if name == "neg":
        return text.new(f"fneg {kind_text} {args[0]}")
    if name in ("fma", "exact_fma"):
        if needs.target.fused:
            return _intrinsic(text, "fma", kind, args, needs)
        product = text.new(f"fmul {kind_text} {args[0]}, {args[1]}")
        total = text.new(f"fadd {kind_text} {product}, {args[2]}")
        if name == "fma":
            return total
        error = _lost(text, args[0], args[1], product, kind)
        return text.new(f"fadd {kind_text} {total}, {error}")
    if name == "scaled":
        return _scaled(text, kind, args, needs)
    if name in INTRINSICS or (name in ROUNDING and needs.target.rounding):
        return _intrinsic(text, INTRINSICS.get(name, name), kind, args, needs)
    return _call(text, name, kind, args, needs)


def _intrinsic(text: Text, name: str, kind: Any, args: list[str], needs: Needs) -> str:
    kind_text = text.type(kind)
    lanes = f"v{text.lanes}" if text.lanes else ""
    function = f"llvm.{name}.{lanes}{SUFFIX[code(kind)]}"
    needs.declarations.add(f"declare {kind_text} @{function}({', '.join([kind_text] * len(args))})")
    given = ", ".join(f"{kind_text} {each}" for each in args)
    return text.new(f"call {kind_text} @{function}({given})")


def _scaled(text: Text, kind: Any, args: list[str], needs: Needs) -> str:
    """A number times a power of two, by one instruction where there is one."""
    x, power, product = args
    if not needs.target.scaling:
        return product
    number, integer = text.type(kind), text.wide("i32")
    if kind.itemsize == 8:
        power = text.new(f"trunc {text.wide('i64')} {power} to {integer}")
    lanes = f"v{text.lanes}" if text.lanes else ""
    function = f"llvm.ldexp.{lanes}{SUFFIX[code(kind)]}.{lanes}i32"
    needs.declarations.add(f"declare {number} @{function}({number}, {integer})")
    return text.new(f"call {number} @{function}({number} {x}, {integer} {power})")


def _call(text: Text, name: str, kind: Any, args: list[str], needs: Needs) -> str:
    if not has_formula(name, kind):
        raise NotImplementedError(f"there is no code for {name} of {kind}")
    kind_text = text.type(kind)
    needs.functions.add((name, code(kind)))
    given = ", ".join(f"{kind_text} {each}" for each in args)
    return text.new(f"call {kind_text} @{name}_{code(kind)}({given})")


def _lost(text: Text, x: str, y: str, product: str, kind: Any) -> str:
    """What rounding took from a product, by Dekker's method: products of halves are exact.

    The upper half is rounded to the nearest, for the lower one to have a bit less.
    """
    kind_text = text.type(kind)
    integer = np.dtype(np.int32 if kind.itemsize == 4 else np.int64)
    places = 12 if kind.itemsize == 4 else 27
    middle, mask = (text.constant(each, integer) for each in (1 << (places - 1), -(1 << places)))

    def do(name: str, a: str, b: str) -> str:
        return text.new(f"{name} {kind_text} {a}, {b}")

    halves = []
    for each in (x, y):
        whole = text.new(f"bitcast {kind_text} {each} to {text.type(integer)}")
        near = text.new(f"add {text.type(integer)} {whole}, {middle}")
        cut = text.new(f"and {text.type(integer)} {near}, {mask}")
        high = text.new(f"bitcast {text.type(integer)} {cut} to {kind_text}")
        halves.append((high, do("fsub", each, high)))
    (a, b), (c, d) = halves
    rest = do("fsub", do("fmul", a, c), product)
    rest = do("fadd", do("fadd", rest, do("fmul", a, d)), do("fmul", b, c))
    return do("fadd", rest, do("fmul", b, d))


def extreme(text: Text, name: str, x: str, y: str, kind: Any) -> str:
    """The greater or smaller of two; a NaN wins."""
    kind_text, flags = text.type(kind), text.wide("i1")
    if kind.kind != "f":
        sign = "u" if kind.kind in "bu" else "s"
        first = text.new(f"icmp {sign}{'gt' if name == 'max' else 'lt'} {kind_text} {x}, {y}")
        return text.new(f"select {flags} {first}, {kind_text} {x}, {kind_text} {y}")
    # `ule` holds for NaNs: x is taken if it is greater or a NaN.
    first = text.new(f"fcmp {'ule' if name == 'max' else 'uge'} {kind_text} {x}, {y}")
    chosen = text.new(f"select {flags} {first}, {kind_text} {y}, {kind_text} {x}")
    broken = text.new(f"fcmp uno {kind_text} {x}, {x}")
    return text.new(f"select {flags} {broken}, {kind_text} {x}, {kind_text} {chosen}")


__all__ = ["Needs", "convert", "emit", "extreme", "has_code"]
