"""Panels of a right matrix: some columns, put together step after step of the inner dimension.

Packed so, the tiles of a product read them in order. Where the matrix lies transposed, squares of
it are turned in registers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjoint.compiler.codegen.vector_text import VectorText

FEW = 64  # elements up to which a loop over single ones is short enough


class Panel(NamedTuple):
    """A panel, and where its elements come from."""

    kind: np.dtype[Any]
    lanes: int
    width: int  # elements of a step in the panel: a multiple of the lanes
    columns: int  # that there are, the others are zeros
    steps: int  # of the inner dimension
    step: int  # to the next of those, in the matrix
    column: int  # to the next column

    @property
    def name(self) -> str:
        """A name for the function, the same for equal panels."""
        numbers = "_".join(map(str, self[1:])).replace("-", "n")
        return f"pack_{self.kind.str[1:]}_{numbers}"


class PanelCode:
    """Writes the function that packs a panel: of the first element, and of the panel's memory."""

    def __init__(self, panel: Panel, declarations: set[str]) -> None:
        self.panel = panel
        self.text = VectorText(panel.kind, panel.lanes, declarations)

    def function(self) -> str:
        """The text."""
        panel = self.panel
        if panel.column == 1:
            self._copy()
        elif panel.step == 1 and panel.steps * panel.columns > FEW:
            self._turn()
        else:
            self._gather()
        self.text.do("ret void")
        body = "\n".join(self.text.lines)
        return (
            f"define internal void @{panel.name}(ptr noalias readonly %y, ptr noalias %to) "
            f"noinline nounwind {{\nentry:\n{body}\n}}\n"
        )

    def _copy(self) -> None:
        """Vectors of neighbouring columns, step after step."""
        panel, text = self.panel, self.text

        def body(index: str) -> list[str]:
            source = text.walk("%y", index, panel.step)
            goal = text.walk("%to", index, panel.width)
            for first in range(0, panel.width, panel.lanes):
                count = min(panel.columns - first, panel.lanes)
                value = text.load(text.at(source, first), count)
                text.store(text.at(goal, first), value)
            return []

        text.loop("0", str(panel.steps), body)

    def _turn(self) -> None:
        """Squares of as many steps as columns, turned in registers."""
        panel, text, lanes = self.panel, self.text, self.panel.lanes
        whole, rest = divmod(panel.steps, lanes)

        def square(index: str, count: int) -> None:
            source = text.walk("%y", index, 1)
            goal = text.walk("%to", index, panel.width)
            for first in range(0, panel.width, lanes):
                rows = [
                    text.load(text.at(source, column * panel.column), count)
                    if column < panel.columns
                    else "zeroinitializer"
                    for column in range(first, first + lanes)
                ]
                for step, value in enumerate(text.turned(rows)[:count]):
                    text.store(text.at(goal, step * panel.width + first), value)

        def body(turn: str) -> list[str]:
            square(text.times(turn, lanes), lanes)
            return []

        if whole:
            text.loop("0", str(whole), body)
        if rest:
            square(str(whole * lanes), rest)

    def _gather(self) -> None:
        """Element after element."""
        panel, text = self.panel, self.text
        zero = "0.0" if panel.kind.kind == "f" else "0"

        def body(index: str) -> list[str]:
            source = text.walk("%y", index, panel.step)
            goal = text.walk("%to", index, panel.width)

            def inner(column: str) -> list[str]:
                place = text.walk(source, column, panel.column)
                text.store_one(text.walk(goal, column, 1), text.load_one(place))
                return []

            text.loop("0", str(panel.columns), inner)
            for column in range(panel.columns, panel.width):
                text.store_one(text.at(goal, column), zero)
            return []

        text.loop("0", str(panel.steps), body)
