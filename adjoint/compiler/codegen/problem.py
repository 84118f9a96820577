"""What a matrix product is: sizes, and where the elements lie."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Matrix(NamedTuple):
    """How a stack of matrices lies in memory; all steps in elements."""

    front: tuple[int, ...]  # steps along the stack's dimensions
    row: int
    column: int

    @property
    def transposed(self) -> Matrix:
        """Rows and columns exchanged."""
        return Matrix(self.front, self.column, self.row)


class Problem(NamedTuple):
    """Products of a stack's matrices, (rows, inner) by (inner, columns), plus the start."""

    kind: np.dtype[Any]
    front: tuple[int, ...]
    rows: int
    inner: int
    columns: int
    x: Matrix
    y: Matrix
    z: Matrix
    start: Matrix | None = None

    @property
    def transposed(self) -> Problem:
        """The same as the product of the factors exchanged."""
        return self._replace(
            rows=self.columns,
            columns=self.rows,
            x=self.y.transposed,
            y=self.x.transposed,
            z=self.z.transposed,
            start=None if self.start is None else self.start.transposed,
        )

    @property
    def work(self) -> int:
        """How many multiplications there are."""
        count = self.rows * self.inner * self.columns
        for size in self.front:
            count *= size
        return count
