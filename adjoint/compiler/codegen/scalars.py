"""Instructions for scalar operations: a table from name to emitter.

An emitter gets the text, the operation, and the names of its operands; it gives the result's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.compiler.codegen.library import FUNCTIONS
from adjoint.compiler.codegen.text import Text, code, register, spell
from adjoint.compiler.nodes import Scalar

COMPARE = {
    "lt": ("olt", "slt", "ult"), "le": ("ole", "sle", "ule"), "gt": ("ogt", "sgt", "ugt"),
    "ge": ("oge", "sge", "uge"), "eq": ("oeq", "eq", "eq"), "ne": ("une", "ne", "ne"),
}  # fmt: skip
# Contraction lets a product and a sum become one instruction, rounded once.
FLOATING = {
    "add": "fadd contract", "sub": "fsub contract", "mul": "fmul contract", "div": "fdiv",
    "rem": "frem",
}  # fmt: skip
INTRINSICS = {
    "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "rint",
    "abs": "fabs", "copysign": "copysign", "fma": "fma",
}  # fmt: skip
SUFFIX = {"f4": "f32", "f8": "f64"}


EVERYWHERE = {
    "load", "number", "index", "element", "checked", "where", "cast", "max", "min", "neg", "abs",
    "add", "sub", "mul", "floor", "ceil", "trunc", "rint", *COMPARE,
}  # fmt: skip
WHOLE = {"and", "or", "xor"}


def has_code(scalar: Scalar) -> bool:
    """Whether there are instructions, or a function of the library, for a scalar operation."""
    name = scalar.name
    if name in EVERYWHERE:
        return True
    if scalar.kind.kind != "f":
        return name in WHOLE
    return name in FLOATING or name in INTRINSICS or name in FUNCTIONS


class Needs:
    """What functions in the module call: declarations, and functions of the library."""

    def __init__(self) -> None:
        self.declarations: set[str] = set()
        self.functions: set[tuple[str, str]] = set()  # name and type code
        # What a raised flag means, numbered from 1: a text, and what of the program it is about.
        self.messages: dict[tuple[str, Any], int] = {}

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
        if each.name in ("load", "index", "element", "checked"):
            memo[id(each)] = load(each, [memo[id(arg)] for arg in each.args])
        elif each.name == "number":
            memo[id(each)] = spell(each.value, each.kind)
        else:
            memo[id(each)] = _instruction(text, each, [memo[id(arg)] for arg in each.args], needs)
    return memo[id(scalar)]


def _instruction(text: Text, scalar: Scalar, args: list[str], needs: Needs) -> str:
    name, kind = scalar.name, scalar.kind
    inside = scalar.args[0].kind
    kind_text = register(kind)
    operands = ", ".join(args)
    if name in COMPARE:
        ordered, signed, unsigned = COMPARE[name]
        if inside.kind == "f":
            return text.new(f"fcmp {ordered} {register(inside)} {operands}")
        return text.new(
            f"icmp {unsigned if inside.kind in 'bu' else signed} {register(inside)} {operands}"
        )
    if name == "where":
        return text.new(f"select i1 {args[0]}, {kind_text} {args[1]}, {kind_text} {args[2]}")
    if name == "cast":
        return convert(text, args[0], inside, kind)
    if name in ("max", "min"):
        return extreme(text, name, args[0], args[1], kind)
    if kind.kind == "f":
        return _floating(text, name, kind, args, needs)
    if name == "neg":
        return text.new(f"sub {kind_text} 0, {args[0]}")
    if name == "abs":
        if kind.kind in "bu":
            return args[0]
        negative = text.new(f"icmp slt {kind_text} {args[0]}, 0")
        flipped = text.new(f"sub {kind_text} 0, {args[0]}")
        return text.new(f"select i1 {negative}, {kind_text} {flipped}, {kind_text} {args[0]}")
    if name in ("add", "sub", "mul", "and", "or", "xor"):
        return text.new(f"{name} {kind_text} {operands}")
    if name in ("floor", "ceil", "trunc", "rint"):
        return args[0]
    raise NotImplementedError(f"{name} of {kind}")


def _floating(text: Text, name: str, kind: Any, args: list[str], needs: Needs) -> str:
    kind_text, suffix = register(kind), SUFFIX[code(kind)]
    if name in FLOATING:
        return text.new(f"{FLOATING[name]} {kind_text} {', '.join(args)}")
    if name == "neg":
        return text.new(f"fneg {kind_text} {args[0]}")
    given = ", ".join(f"{kind_text} {each}" for each in args)
    if name in INTRINSICS:
        function = f"llvm.{INTRINSICS[name]}.{suffix}"
        types = ", ".join([kind_text] * len(args))
        needs.declarations.add(f"declare {kind_text} @{function}({types})")
        return text.new(f"call {kind_text} @{function}({given})")
    needs.functions.add((name, code(kind)))
    return text.new(f"call {kind_text} @{name}_{code(kind)}({given})")


def extreme(text: Text, name: str, x: str, y: str, kind: Any) -> str:
    """The greater or smaller of two; a NaN wins."""
    kind_text = register(kind)
    if kind.kind != "f":
        sign = "u" if kind.kind in "bu" else "s"
        first = text.new(f"icmp {sign}{'gt' if name == 'max' else 'lt'} {kind_text} {x}, {y}")
        return text.new(f"select i1 {first}, {kind_text} {x}, {kind_text} {y}")
    # `ogt` is false for NaNs: x is taken if it is greater or a NaN.
    first = text.new(f"fcmp {'ule' if name == 'max' else 'uge'} {kind_text} {x}, {y}")
    chosen = text.new(f"select i1 {first}, {kind_text} {y}, {kind_text} {x}")
    broken = text.new(f"fcmp uno {kind_text} {x}, {x}")
    return text.new(f"select i1 {broken}, {kind_text} {x}, {kind_text} {chosen}")


def convert(text: Text, value: str, old: np.dtype[Any], new: np.dtype[Any]) -> str:
    """A value in another type, as NumPy and PyTorch convert."""
    a, b = register(old), register(new)
    if old == new:
        return value
    if new.kind == "b":
        if old.kind == "f":
            return text.new(f"fcmp une {a} {value}, 0.0")
        return text.new(f"icmp ne {a} {value}, 0")
    unsigned = old.kind in "bu"
    if old.kind == "f":
        if new.kind == "f":
            return text.new(
                f"{'fpext' if new.itemsize > old.itemsize else 'fptrunc'} {a} {value} to {b}"
            )
        wide = text.new(f"fptosi {a} {value} to i64")
        return wide if b == "i64" else text.new(f"trunc i64 {wide} to {b}")
    if new.kind == "f":
        return text.new(f"{'uitofp' if unsigned else 'sitofp'} {a} {value} to {b}")
    if a == b:
        return value
    if new.itemsize > old.itemsize or old.kind == "b":
        return text.new(f"{'zext' if unsigned else 'sext'} {a} {value} to {b}")
    return text.new(f"trunc {a} {value} to {b}")
