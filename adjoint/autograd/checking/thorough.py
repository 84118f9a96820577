"""The whole Jacobian, entry by entry: what ``gradcheck`` does without ``fast_mode``."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.autograd.checking.analytical import (
    Reverse,
    checked_jacobians,
    forward_jacobian,
    parts_of,
)
from adjoint.autograd.checking.numerical import directions_of, jacobian
from adjoint.autograd.checking.options import Options
from adjoint.autograd.checking.problem import Problem
from adjoint.autograd.checking.report import Pair
from adjoint.autograd.gradcheck import GradcheckError

Quotients = dict[tuple[int, complex], list[Any]]


def quotients(problem: Problem) -> Quotients:
    """Numerical Jacobians of all outputs, by place of the input and direction."""
    return {
        (place, direction): jacobian(problem, place, direction)
        for place in problem.moving
        for direction in directions_of(problem.inputs[place])
    }


def wirtinger(found: Quotients, place: int, output: int, part: str) -> Any:
    """Numerical gradients of one real part of an output, PyTorch's way for complex inputs.

    For ``z = x + iy`` that is ``d/dx + i d/dy``, twice the conjugate Wirtinger derivative.
    """
    along_real = _part(found[place, 1.0][output], part)
    if (place, 1j) not in found:
        return along_real
    return along_real + 1j * _part(found[place, 1j][output], part)


def _part(array: Any, part: str) -> Any:
    return array.imag if part == "imaginary" else array.real


def check_constant(found: Quotients) -> None:
    """Without differentiable outputs nothing may move. Raises ``GradcheckError`` if it does."""
    for (place, _), jacobians in found.items():
        for number, each in enumerate(jacobians):
            if each is not None and np.any(each != 0):
                raise GradcheckError(
                    "Numerical gradient for function expected to be zero, as no output requires "
                    f"grad, but output {number} moves with input {place} (by up to "
                    f"{np.abs(each).max():.3g}): was the graph cut on the way?"
                )


def check_reverse(problem: Problem, found: Quotients, options: Options) -> None:
    """Compare the gradients of every part of every output with the quotients."""
    for number, output in enumerate(problem.wanted):
        for part in parts_of(problem.outputs[output]):
            matrices, unused = checked_jacobians(
                Reverse(problem, output, part), options.nondet_tol, options.grad_dtypes
            )
            for input_number, place in enumerate(problem.moving):
                Pair(
                    problem, output, number, place, input_number,
                    analytical=matrices[input_number],
                    numerical=wirtinger(found, place, output, part),
                    mode="reverse",
                    part=part,
                    unused=unused[input_number],
                ).compare(options.tolerance)  # fmt: skip


def check_forward(problem: Problem, found: Quotients, options: Options) -> None:
    """Compare the tangents of every output with the quotients."""
    for input_number, place in enumerate(problem.moving):
        for direction in directions_of(problem.inputs[place]):
            columns = forward_jacobian(problem, place, direction, options.grad_dtypes)
            for number, output in enumerate(problem.wanted):
                Pair(
                    problem, output, number, place, input_number,
                    analytical=columns[output],
                    numerical=found[place, direction][output],
                    mode="forward",
                    direction=direction,
                ).compare(options.tolerance)  # fmt: skip
