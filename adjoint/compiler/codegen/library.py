"""The functions that a module calls, out of their formulas."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import numpy as np

from adjoint.compiler.codegen.processor import Processor
from adjoint.compiler.codegen.scalars import Needs, emit
from adjoint.compiler.codegen.text import Text, register
from adjoint.compiler.expressions import Expression
from adjoint.compiler.functions import FORMULAS
from adjoint.compiler.nodes import Scalar

Written = tuple[str, frozenset[str], frozenset[tuple[str, str]]]


def body(text: Text, name: str, kind: np.dtype[Any], needs: Needs) -> tuple[str, list[str]]:
    """The lines of a function in ``text``; gives its result and parameters."""
    formula = FORMULAS[name]
    count = len(inspect.signature(formula).parameters)
    parameters = [Expression(Scalar("load", kind, value=f"%x{each}")) for each in range(count)]
    found = formula(*parameters)
    result = emit(text, found.scalar, lambda scalar, _: str(scalar.value), {}, needs)
    return result, [str(each.scalar.value) for each in parameters]


@cache
def write(name: str, code: str, target: Processor) -> Written:
    """The text of a function, its declarations, and the functions that it needs."""
    kind = np.dtype(code)
    needs, text = Needs(target), Text()
    result, parameters = body(text, name, kind, needs)
    own = register(kind)
    given = ", ".join(f"{own} {each}" for each in parameters)
    lines = "\n".join(text.lines)
    function = (
        f"define internal {own} @{name}_{code}({given}) alwaysinline nounwind {{\nentry:\n"
        f"{lines}\n  ret {own} {result}\n}}\n"
    )
    return function, frozenset(needs.declarations), frozenset(needs.functions)


def outside(name: str, code: str) -> Written:
    """A function of the C library."""
    kind = register(np.dtype(code))
    if name == "rem":
        head = f"define internal {kind} @rem_{code}({kind} %x, {kind} %y) alwaysinline {{\n"
        return (
            f"{head}  %z = frem {kind} %x, %y\n  ret {kind} %z\n}}\n",
            frozenset(),
            frozenset(),
        )
    function = name + ("f" if code == "f4" else "")
    head = f"define internal {kind} @{name}_{code}({kind} %x) alwaysinline {{\n"
    text = f"{head}  %y = call {kind} @{function}({kind} %x)\n  ret {kind} %y\n}}\n"
    return text, frozenset([f"declare {kind} @{function}({kind})"]), frozenset()


def library(needs: Needs) -> tuple[list[str], set[str]]:
    """Texts of the functions that are needed and of what they need, and declarations."""
    functions, declarations = [], set(needs.declarations)
    seen: set[tuple[str, str]] = set()
    waiting = sorted(needs.functions)
    while waiting:
        name, code = waiting.pop()
        if (name, code) in seen:
            continue
        seen.add((name, code))
        text, declared, called = (
            write(name, code, needs.target) if name in FORMULAS else outside(name, code)
        )
        functions.append(text)
        declarations |= declared
        waiting += sorted(called)
    return functions, declarations
