"""One number for each output and input instead of a Jacobian: ``gradcheck``'s ``fast_mode``.

With a random direction ``u`` of an input and a random mixture ``v`` of an output's entries, the
number ``v J u`` is had from two evaluations of the function, and from one backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.autograd.checking import thorough
from adjoint.autograd.checking.analytical import (
    Reverse,
    checked_jacobians,
    parts_of,
    push,
)
from adjoint.autograd.checking.numerical import directions_of, slope
from adjoint.autograd.checking.options import Options
from adjoint.autograd.checking.problem import Problem
from adjoint.autograd.checking.report import excess
from adjoint.autograd.gradcheck import GradcheckError
from adjoint.ops.sampling import rand
from adjoint.random import Generator

Directions = dict[tuple[int, complex], Any]


class Draws:
    """Random unit vectors, from a generator of their own: the user's stays as it is."""

    def __init__(self) -> None:
        self.generator = Generator()

    def vector(self, size: int) -> Any:
        """A vector of numbers that are not negative, of length 1."""
        found = rand(size, generator=self.generator)._array.astype(np.float64)
        return found / np.linalg.norm(found) if size else found


class FastCheck:
    """The directions of one check, and the quotients along them."""

    def __init__(self, problem: Problem, options: Options) -> None:
        self.problem = problem
        self.options = options
        draws = Draws()
        self.directions: Directions = {
            (place, direction): draws.vector(problem.inputs[place].numel())
            for place in problem.moving
            for direction in directions_of(problem.inputs[place])
        }
        self.mixtures = {
            place: draws.vector(problem.outputs[place].numel()) for place in problem.wanted
        }
        self.slopes = {key: self._slope(*key) for key in self.directions}

    def _slope(self, place: int, direction: complex) -> list[Any]:
        u = self.directions[place, direction] * direction
        by = self.problem.eps * u.reshape(tuple(self.problem.inputs[place].shape))
        return slope(self.problem, place, Ellipsis, by, self.problem.eps)

    def check_constant(self) -> None:
        """Without differentiable outputs nothing may move."""
        for (place, _), slopes in self.slopes.items():
            for number, each in enumerate(slopes):
                if each is not None and each.size and np.abs(each).max() > self.options.nondet_tol:
                    raise GradcheckError(
                        "Numerical gradient for function expected to be zero, as no output "
                        f"requires grad, but output {number} moves with input {place}: was the "
                        "graph cut on the way?"
                    )

    def check_reverse(self) -> None:
        """Compare ``v J u`` by backward passes with the quotients."""
        problem = self.problem
        for number, output in enumerate(problem.wanted):
            v = self.mixtures[output]
            for part in parts_of(problem.outputs[output]):
                rows, _ = checked_jacobians(
                    Reverse(problem, output, part),
                    self.options.nondet_tol,
                    self.options.grad_dtypes,
                    v,
                )
                for input_number, place in enumerate(problem.moving):
                    for direction in directions_of(problem.inputs[place]):
                        u = self.directions[place, direction]
                        g = rows[input_number][:, 0]
                        analytical = (g.imag if direction == 1j else g.real) @ u
                        moved = self.slopes[place, direction][output]
                        numerical = v @ (moved.imag if part == "imaginary" else moved.real)
                        self._compare(
                            analytical, numerical, u.sum() * v.sum(), (number, input_number),
                            thorough.check_reverse,
                        )  # fmt: skip

    def check_forward(self) -> None:
        """Compare ``J u`` in forward mode with the quotients."""
        problem = self.problem
        for input_number, place in enumerate(problem.moving):
            for direction in directions_of(problem.inputs[place]):
                u = self.directions[place, direction]
                value = problem.inputs[place]
                t = (u * direction).reshape(tuple(value.shape)).astype(value._array.dtype)
                moves = push(problem, {place: t})
                for number, output in enumerate(problem.wanted):
                    self._compare(
                        moves[output]._array.reshape(-1),
                        self.slopes[place, direction][output],
                        u.sum(),
                        (number, input_number),
                        thorough.check_forward,
                    )

    def _compare(
        self,
        analytical: Any,
        numerical: Any,
        factor: float,
        numbers: tuple[int, int],
        again: Callable[[Problem, thorough.Quotients, Options], None],
    ) -> None:
        over = excess(analytical, numerical, self.options.tolerance.scaled(float(factor)))
        if not np.any(over > 0):
            return
        worst = int(np.argmax(over))
        head = (
            f"Jacobian mismatch for output {numbers[0]} with respect to input {numbers[1]}: along "
            f"a random direction the numerical value is {np.ravel(numerical)[worst]:.9g}, the "
            f"analytical one {np.ravel(analytical)[worst]:.9g} (fast_mode). "
        )
        try:
            again(self.problem, thorough.quotients(self.problem), self.options)
        except GradcheckError as error:
            raise GradcheckError(f"{head}Entry by entry:\n{error}") from None
        raise GradcheckError(
            f"{head}Entry by entry the Jacobians are within the tolerance, so that the check would "
            "have passed with fast_mode=False"
        )
