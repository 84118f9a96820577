"""The comparison of two Jacobians, and what to say where they differ: the worst entry first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.autograd.checking.numerical import IMAGINARY, REAL, describe_point
from adjoint.autograd.checking.options import Tolerance
from adjoint.autograd.checking.problem import Problem
from adjoint.autograd.gradcheck import GradcheckError
from adjoint.tape.tensor import wrap


def excess(analytical: Any, numerical: Any, tolerance: Tolerance) -> Any:
    """By how much each entry differs more than it may; infinite where only one is a number."""
    with np.errstate(all="ignore"):
        allowed = tolerance.atol + tolerance.rtol * np.abs(numerical)
        over = np.abs(analytical - numerical) - allowed
        over = np.where(analytical == numerical, -allowed, over)  # equal infinities
    return np.where(np.isnan(over), np.inf, over)


@dataclass
class Pair:
    """One output against one input: their two Jacobians, and what they are of."""

    problem: Problem
    output: int  # its place among all outputs
    number: int  # its number among those that require a gradient, as in PyTorch's messages
    input: int  # the place of the input
    input_number: int
    analytical: Any  # entries of the input by entries of the output
    numerical: Any
    mode: str  # "reverse" or "forward"
    part: str = "real"  # of a complex output, in reverse mode
    direction: complex = REAL  # of a complex input, in forward mode
    unused: bool = False

    def compare(self, tolerance: Tolerance) -> None:
        """Raise ``GradcheckError`` with the worst entry, unless all are close."""
        over = excess(self.analytical, self.numerical, tolerance)
        if over.size and (over > 0).any():
            raise GradcheckError(self.describe(over, tolerance))

    def describe(self, over: Any, tolerance: Tolerance) -> str:
        """What differs, where the most, and what is known of the reason."""
        row, column = np.unravel_index(int(over.argmax()), over.shape)
        analytical, numerical = self.analytical[row, column], self.numerical[row, column]
        lines = [
            (
                f"Jacobian mismatch for output {self.number} with respect to input "
                f"{self.input_number} in {self.mode} mode{self._of_what()}: "
                f"{int((over > 0).sum())} of {over.size} entries differ by more than "
                f"atol={tolerance.atol:g} + rtol={tolerance.rtol:g} * |numerical|{self._made_at()}."
            ),
            (
                f"Worst entry: d output{self._index(self.problem.outputs[self.output], column)}"
                f" / d input{self._index(self.problem.inputs[self.input], row)}: numerical "
                f"{numerical:.9g}, analytical {analytical:.9g}, difference "
                f"{np.abs(analytical - numerical):.3g}."
            ),
        ]
        lines += [f"Note: {reason}." for reason in self._reasons(over, row, column, tolerance)]
        lines.append(f"numerical:\n{wrap(np.ascontiguousarray(self.numerical))}")
        lines.append(f"analytical:\n{wrap(np.ascontiguousarray(self.analytical))}")
        return "\n".join(lines)

    def _of_what(self) -> str:
        if self.mode == "reverse" and self.problem.outputs[self.output].is_complex():
            return f", {self.part} part of the complex output"
        if self.mode == "forward" and self.problem.inputs[self.input].is_complex():
            moved = "real" if self.direction == REAL else "imaginary"
            return f", {moved} part of the complex input"
        return ""

    def _made_at(self) -> str:
        node = self.problem.outputs[self.output].grad_fn
        where = None if node is None else node.where()
        return "" if where is None else f" (the output was made by {node.name()} at {where})"

    @staticmethod
    def _index(tensor: Any, flat: Any) -> str:
        shape = tuple(tensor.shape)
        if not shape:
            return ""
        return "[" + ", ".join(str(int(each)) for each in np.unravel_index(flat, shape)) + "]"

    def _reasons(self, over: Any, row: Any, column: Any, tolerance: Tolerance) -> list[str]:
        found = []
        point = self._point(row, column, tolerance)
        if point is not None:
            found.append(point)
        if self.unused:
            found.append(
                "no path leads from this output back to this input, although it moves with it: a "
                "detach(), .data, .item() or NumPy on the way cuts the graph"
            )
        elif np.isnan(self.analytical).any():
            found.append(f"{int(np.isnan(self.analytical).sum())} analytical entries are NaN")
        elif point is None:
            found += self._pattern(over, tolerance)
        kind = dtypes.of(self.problem.inputs[self.input])
        if kind is not dtypes.float64 and kind is not dtypes.complex128:
            found.append(
                f"the input is {kind!r}, in which a difference quotient with eps="
                f"{self.problem.eps:g} has hardly a correct digit; use .double()"
            )
        return found

    def _point(self, row: Any, column: Any, tolerance: Tolerance) -> str | None:
        direction, imaginary = self.direction, self.part == "imaginary"
        off = self.analytical[row, column] - self.numerical[row, column]
        if abs(off.imag) > abs(off.real):
            if self.mode == "reverse":
                direction = IMAGINARY  # a gradient's imaginary part is for moving the input's
            else:
                imaginary = True
        take = self._taking(int(column), imaginary)
        index = np.unravel_index(row, tuple(self.problem.inputs[self.input].shape))
        return describe_point(self.problem, self.input, index, direction, take, tolerance)

    def _taking(self, column: int, imaginary: bool) -> Callable[[list[Any]], float]:
        def take(outputs: list[Any]) -> float:
            value = outputs[self.output].reshape(-1)[column]
            return float(value.imag if imaginary else value.real)

        return take

    def _pattern(self, over: Any, tolerance: Tolerance) -> list[str]:
        """What wrong derivatives often look like."""
        a, n = self.analytical, self.numerical
        if not np.isfinite(a).all() or not np.isfinite(n).all():
            return []
        if a.dtype.kind == "c" and not (excess(a.conj(), n, tolerance) > 0).any():
            return ["the analytical values are the conjugates of the numerical ones"]
        if a.shape[0] == a.shape[1] and not (excess(a.T, n, tolerance) > 0).any():
            return ["the analytical Jacobian is the transpose of the numerical one"]
        bound = tolerance.atol
        large = (np.abs(n) > bound) & (np.abs(a) > bound)
        if not large.any() or over.size < 2 or not large[over > 0].all():
            return []
        ratio = a[large][0] / n[large][0]
        if not (excess(a / ratio, n, tolerance) > 0).any():
            return [f"the analytical values are {ratio:.6g} times the numerical ones throughout"]
        return []
