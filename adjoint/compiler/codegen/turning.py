"""Matrices turned in squares of vectors: one function for all of a type, as it is long."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.codegen.target import vectors
from adjoint.compiler.codegen.vector_text import VectorText


def turn(shared: dict[str, str], declarations: set[str], kind: np.dtype[Any], lanes: int) -> str:
    """The name of a function that turns matrices no smaller than a square.

    It gets the first element of the matrix and of the result, the steps between rows of both, and
    how many rows and columns the matrix has. The last squares are moved back where they stick out.
    """
    name = f"turn_{kind.str[1:]}_{lanes}"
    if name not in shared:
        shared[name] = _function(name, VectorText(kind, lanes, declarations))
    return name


def _function(name: str, text: VectorText) -> str:
    lanes = text.lanes

    def rows(block: str) -> list[str]:
        row = _moved_back(text, block, "%rows")
        source = text.new(f"mul nsw i64 {row}, %down")
        first = text.walk("%x", source, 1)
        to = text.walk("%z", row, 1)

        def columns(number: str) -> list[str]:
            column = _moved_back(text, number, "%columns")
            place = text.walk(first, column, 1)
            found = []
            for _ in range(lanes):
                found.append(text.load(place))
                place = text.walk(place, "%down", 1)
            goal = text.walk(to, text.new(f"mul nsw i64 {column}, %along"), 1)
            for value in text.turned(found):
                text.store(goal, value)
                goal = text.walk(goal, "%along", 1)
            return []

        text.loop("0", _blocks(text, "%columns"), columns)
        return []

    text.loop("0", _blocks(text, "%rows"), rows)
    text.do("ret void")
    body = "\n".join(text.lines)
    parameters = "ptr noalias readonly %x, ptr noalias %z, i64 %down, i64 %along, i64 %rows"
    return (
        f"define internal void @{name}({parameters}, i64 %columns) noinline nounwind "
        f"{vectors().attributes} {{\nentry:\n{body}\n}}\n"
    )


def _blocks(text: VectorText, size: str) -> str:
    more = text.new(f"add nuw nsw i64 {size}, {text.lanes - 1}")
    return text.new(f"udiv i64 {more}, {text.lanes}")


def _moved_back(text: VectorText, number: str, size: str) -> str:
    first = text.times(number, text.lanes)
    limit = text.new(f"sub nsw i64 {size}, {text.lanes}")
    over = text.new(f"icmp ugt i64 {first}, {limit}")
    return text.new(f"select i1 {over}, i64 {limit}, i64 {first}")
