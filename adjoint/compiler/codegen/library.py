"""The functions that a module calls, out of their formulas.

Most are inlined into the loops that call them, and become vectors with these. A function with a
rare case cannot: it is a function of one number, with variants for vectors that LLVM's loops know
of, each of which looks whether all its numbers are usual.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from adjoint.compiler.codegen.angles import ANGLES
from adjoint.compiler.codegen.processor import Processor
from adjoint.compiler.codegen.scalars import Needs, emit
from adjoint.compiler.codegen.text import TWICE, Text, register
from adjoint.compiler.expressions import Expression
from adjoint.compiler.functions import FORMULAS, Formula, Rare
from adjoint.compiler.functions.circular import LARGE
from adjoint.compiler.nodes import Scalar

PURE = "nounwind willreturn memory(none)"
DOUBLE, LONG = np.dtype(np.float64), np.dtype(np.int64)


class Written(NamedTuple):
    """The text of a function and what it needs."""

    text: str
    declarations: frozenset[str]
    functions: frozenset[tuple[str, str]]


def _arguments(kinds: Sequence[np.dtype[Any]]) -> list[Expression]:
    return [
        Expression(Scalar("load", kind, value=f"%x{place}")) for place, kind in enumerate(kinds)
    ]


def _result(text: Text, formula: Formula, args: Sequence[Expression], needs: Needs) -> str:
    found = formula(*args).scalar
    return emit(text, found, lambda scalar, _: str(scalar.value), {}, needs)


def _function(
    name: str, formula: Formula, kinds: Sequence[np.dtype[Any]], needs: Needs, attributes: str
) -> str:
    """A function with the value of a formula."""
    text = Text()
    args = _arguments(kinds)
    result = _result(text, formula, args, needs)
    out = register(formula(*args).kind)
    given = ", ".join(f"{register(kind)} %x{place}" for place, kind in enumerate(kinds))
    lines = "\n".join(text.lines)
    return (
        f"define internal {out} @{name}({given}) {attributes} {{\nentry:\n{lines}\n"
        f"  ret {out} {result}\n}}\n"
    )


@cache
def write(name: str, code: str, target: Processor) -> Written:
    """A function of the library."""
    formula, kind = FORMULAS[name], np.dtype(code)
    if isinstance(formula, Rare):
        return _rare(name, formula, kind, target)
    needs = Needs(target)
    kinds = [kind] * len(inspect.signature(formula).parameters)
    text = _function(f"{name}_{code}", formula, kinds, needs, "alwaysinline nounwind")
    return Written(text, frozenset(needs.declarations), frozenset(needs.functions))


# -- rare cases ---------------------------------------------------------------------------------
#
# A function and its variants are hidden, not internal: LLVM would remove a variant before a loop
# becomes a vector, and take an argument that is the same in all calls from the function, which then
# has no variant.


def _widths(kind: np.dtype[Any], target: Processor) -> list[int]:
    """How many lanes loops may take: of the whole vector and, beside wider types, of parts."""
    most = target.bytes // kind.itemsize
    least = max(2, target.bytes // 16) if kind.itemsize == 4 else max(2, most // 2)
    return [lanes for lanes in (2, 4, 8, 16) if least <= lanes <= most]


def _rare(name: str, rare: Rare, kind: np.dtype[Any], target: Processor) -> Written:
    needs = Needs(target)
    own = f"{name}_{kind.str[1:]}"
    count = len(inspect.signature(rare.usual).parameters)
    widths = _widths(kind, target)
    letters = "v" * count
    variants = ",".join(f"_ZGV_LLVM_N{lanes}{letters}_{own}({own}_{lanes})" for lanes in widths)
    other, functions = _other(name, rare, kind, count)
    given = ", ".join(f"{register(kind)} %x{place}" for place in range(count))
    texts = [other]
    texts += [_guarded(own, rare, kind, count, lanes, needs) for lanes in (0, *widths)]
    texts.append(
        f"define hidden {register(kind)} @{own}({given}) noinline {PURE} "
        f'"vector-function-abi-variant"="{variants}" {{\nentry:\n'
        f"  %r = call {register(kind)} @{own}_one({given})\n  ret {register(kind)} %r\n}}\n"
    )
    return Written("".join(texts), frozenset(needs.declarations), functions)


def _guarded(
    own: str, rare: Rare, kind: np.dtype[Any], count: int, lanes: int, needs: Needs
) -> str:
    """The usual way, or the other for each of the numbers.

    Each alone by a function that has no variants: LLVM would make a vector of such calls again.
    """
    text, args = Text(lanes), _arguments([kind] * count)
    value, single = text.type(kind), register(kind)
    flag = _result(text, rare.covers, args, needs)
    if lanes:
        reduce = f"llvm.vector.reduce.and.v{lanes}i1"
        needs.declarations.add(f"declare i1 @{reduce}(<{lanes} x i1>)")
        flag = text.new(f"call i1 @{reduce}(<{lanes} x i1> {flag})")
    text.do(f"br i1 {flag}, label %usual, label %other, !prof !0")
    text.label("usual")
    text.do(f"ret {value} {_result(text, rare.usual, args, needs)}")
    text.label("other")
    if lanes:
        result = "poison"
        for lane in range(lanes):
            each = [
                text.new(f"extractelement {value} %x{place}, i64 {lane}") for place in range(count)
            ]
            given = ", ".join(f"{single} {one}" for one in each)
            one = text.new(f"call {single} @{own}_one({given})")
            result = text.new(f"insertelement {value} {result}, {single} {one}, i64 {lane}")
    else:
        given = ", ".join(f"{single} %x{place}" for place in range(count))
        result = text.new(f"call {single} @{own}_other({given})")
    text.do(f"ret {value} {result}")
    given = ", ".join(f"{value} %x{place}" for place in range(count))
    lines = "\n".join(text.lines)
    name, link = f"{own}_{lanes or 'one'}", "hidden" if lanes else "internal"
    return f"define {link} {value} @{name}({given}) noinline {PURE} {{\nentry:\n{lines}\n}}\n"


def _other(
    name: str, rare: Rare, kind: np.dtype[Any], count: int
) -> tuple[str, frozenset[tuple[str, str]]]:
    """The function for the rest of the arguments, and what it needs."""
    own, single = f"{name}_{kind.str[1:]}_other", register(kind)
    given = ", ".join(f"{single} %x{place}" for place in range(count))
    head = f"define internal {single} @{own}({given}) noinline {PURE} {{\nentry:\n"
    if rare.other == "frem":
        return f"{head}  %r = frem {single} %x0, %x1\n  ret {single} %r\n}}\n", frozenset()
    lines = f"  %r = call double @{name}_large(double %x0)\n  ret double %r\n}}\n"
    if kind != DOUBLE:
        lines = (
            f"  %w = fpext float %x0 to double\n  %r = call double @{name}_large(double %w)\n"
            "  %n = fptrunc double %r to float\n  ret float %n\n}\n"
        )
    return head + lines, frozenset([(name, "large")])


@cache
def write_large(name: str, target: Processor) -> Written:
    """A function of an angle beyond the bound."""
    needs, formula = Needs(target), LARGE[name]
    known = _function(
        f"{name}_known", formula, [DOUBLE, LONG, LONG, LONG], needs, "alwaysinline nounwind"
    )
    text = (
        f"define internal double @{name}_large(double %x0) noinline {PURE} {{\nentry:\n"
        "  %p = call {i64, i64, i64} @angle(double %x0)\n"
        "  %k = extractvalue {i64, i64, i64} %p, 0\n"
        "  %h = extractvalue {i64, i64, i64} %p, 1\n"
        "  %l = extractvalue {i64, i64, i64} %p, 2\n"
        f"  %r = call double @{name}_known(double %x0, i64 %k, i64 %h, i64 %l)\n"
        "  ret double %r\n}\n"
    )
    return Written(known + text, frozenset(needs.declarations), frozenset([("angle", "large")]))


# -- all of it ----------------------------------------------------------------------------------


def library(needs: Needs) -> tuple[list[str], set[str]]:
    """Texts of the functions that are needed and of what they need, and declarations."""
    texts: list[str] = []
    declarations = set(needs.declarations)
    seen: set[tuple[str, str]] = set()
    waiting = sorted(needs.functions)
    while waiting:
        name, code = waiting.pop()
        if (name, code) in seen:
            continue
        seen.add((name, code))
        if name == "angle":
            texts.append(ANGLES)
            declarations.add("declare i64 @llvm.fshl.i64(i64, i64, i64)")
            continue
        each = write_large(name, needs.target) if code == "large" else None
        written = each or write(name, code, needs.target)
        texts.append(written.text)
        declarations |= written.declarations
        waiting += sorted(written.functions)
    if any("!prof !0" in each for each in texts):
        texts.append('!0 = !{!"branch_weights", i32 2000, i32 1}\n')
    if ("pow", "f8") in needs.functions:
        texts.append(TWICE)
    return texts, declarations
