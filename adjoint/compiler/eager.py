"""Loops for eager operations on large arrays, each compiled when it is first needed.

They are the compiled programs' own functions and are divided among the same threads, in parts that
do not depend on how many there are.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from adjoint.compiler.codegen.library import library
from adjoint.compiler.codegen.processor import host
from adjoint.compiler.codegen.scalars import Needs, emit
from adjoint.compiler.codegen.text import TWICE, Text
from adjoint.compiler.expressions import (
    Expression,
    absolute,
    erf,
    exp,
    function,
    log1p,
    maximum,
    remainder,
    tanh,
    where,
)
from adjoint.compiler.nodes import Scalar
from adjoint.compiler.runtime import native, storage
from adjoint.compiler.runtime.pool import region_address

PART = 1 << 14  # elements that a thread computes at a time
PARTS = 4000  # at most: the pool takes no more
ROOT_HALF = 0.7071067811865476
ROOT_2_OVER_PI = 0.7978845608028654


def _gelu_tanh(x: Expression) -> Expression:
    return x * 0.5 * (1 + tanh(x * ROOT_2_OVER_PI * (1 + x * x * 0.044715)))


def _logaddexp(x: Expression, y: Expression) -> Expression:
    apart = maximum(x, y) + log1p(exp(-absolute(x - y)))
    return where(x.equals(y), x + 0.6931471805599453, apart)


KERNELS: dict[str, Callable[..., Expression]] = {
    "erf": erf,
    "erfc": function("erfc"),
    "erfinv": function("erfinv"),
    "floor_divide": function("floor_divide"),
    "fmod": remainder,
    "gelu": lambda x: x * 0.5 * (1 + erf(x * ROOT_HALF)),
    "gelu_tanh": _gelu_tanh,
    "logaddexp": _logaddexp,
    "remainder": function("modulo"),
    "sigmoid": function("sigmoid"),
    "sin": function("sin"),
    "cos": function("cos"),
}


def call(name: str, *arrays: Any) -> Any:
    """A function of arrays of one type and shape, or of one number beside an array.

    None for arrays whose elements do not lie in memory in the same order without gaps.
    """
    shape = arrays[0].shape if arrays[0].size > 1 else arrays[-1].shape
    first = next(each for each in arrays if each.shape == shape)
    out = np.empty_like(first)
    if not first.dtype.isnative or any(each.dtype != first.dtype for each in arrays):
        return None
    return _computed(name, arrays, out)


def convert(x: Any, kind: np.dtype[Any]) -> Any:
    """An array in another native type; None as above."""
    return _computed("to", (x,), np.empty_like(x, kind)) if x.dtype.isnative else None


def _order(array: Any) -> tuple[int, ...]:
    """Steps in elements along each axis."""
    return tuple(each // array.itemsize for each in array.strides)


def _computed(name: str, arrays: tuple[Any, ...], out: Any) -> Any:
    order, steps = _order(out), []
    for each in arrays:
        if each.shape == out.shape and _order(each) == order:
            steps.append(1)
        elif each.size == 1:
            steps.append(0)
        else:
            return None
    task = _task(name, arrays[0].dtype, out.dtype, tuple(steps))
    part = max(PART, -(-out.size // PARTS))
    numbers = [*(each.ctypes.data for each in arrays), out.ctypes.data, out.size, part]
    table = (ctypes.c_int64 * len(numbers))(*numbers)
    _region()(task, ctypes.addressof(table), -(-out.size // part))
    return out


@cache
def _region() -> Any:
    kinds = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    return ctypes.CFUNCTYPE(None, *kinds)(region_address())


_engines: list[Any] = []  # loaded code lives as long as they do


@cache
def _task(name: str, kind: np.dtype[Any], out: np.dtype[Any], steps: tuple[int, ...]) -> int:
    """The address of what computes a part."""
    formula = KERNELS[name] if name != "to" else lambda x: x.to(out)
    text = _text(formula, kind, steps)
    path = storage.path_for(text.encode())
    made = None if path is None else storage.read(path)
    if made is None:
        made = native.object_code(text)
        if path is not None:
            storage.write(path, made)
    engine = native.load(made)
    _engines.append(engine)
    found: int = engine.get_function_address("task")
    return found


def _text(formula: Callable[..., Expression], kind: np.dtype[Any], steps: tuple[int, ...]) -> str:
    """A module with ``task(table, part)``; the table has addresses, a size and that of parts."""
    needs, text, count = Needs(host()), Text(), len(steps)
    inputs = [Expression(Scalar("load", kind, value=place)) for place in range(count)]
    found = formula(*inputs).scalar

    def turn(index: str) -> list[str]:
        def load(scalar: Scalar, _: Any) -> str:
            return text.load(f"%p{scalar.value}", index if steps[scalar.value] else "0", kind)

        text.store("%out", index, emit(text, found, load, {}, needs), found.kind)
        return []

    text.loop("%begin", "%end", turn, hint="!1")
    pointers = ", ".join([f"ptr noalias %p{place}" for place in range(count)])
    functions, declarations = library(needs)
    loads = []
    for place in range(count + 3):
        loads.append(f"  %a{place} = getelementptr i64, ptr %table, i64 {place}")
        loads.append(f"  %v{place} = load {'ptr' if place <= count else 'i64'}, ptr %a{place}")
    size, part = f"%v{count + 1}", f"%v{count + 2}"
    given = ", ".join(f"ptr %v{place}" for place in range(count + 1))
    return "\n".join([
        *sorted(declarations, key=str),
        *functions,
        f"define internal void @loop({pointers}, ptr noalias %out, i64 %begin, i64 %end) {{",
        "entry:",
        *text.lines,
        "  ret void\n}",
        "define void @task(ptr %table, i64 %number) {\nentry:",
        *loads,
        f"  %begin = mul i64 %number, {part}",
        f"  %next = add i64 %begin, {part}",
        f"  %last = icmp ugt i64 %next, {size}",
        f"  %end = select i1 %last, i64 {size}, i64 %next",
        f"  call void @loop({given}, i64 %begin, i64 %end)",
        "  ret void\n}\n",
        TWICE,
    ])  # fmt: skip
