"""Derivatives as the tape says them: row by row in reverse, column by column forward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.array.memory import zeros_like
from adjoint.autograd.checking.problem import (
    Problem,
    is_complex,
    is_differentiable,
    memory_of_input,
)
from adjoint.autograd.forward_ad import dual_level, make_dual, unpack_dual
from adjoint.autograd.gradcheck import GradcheckError
from adjoint.errors import describe_shape
from adjoint.tape.backward import grad
from adjoint.tape.tensor import Tensor, wrap

# A complex output is two real ones. The gradient of its imaginary part is what arrives for g = 1j.
PARTS = {"real": 1.0, "imaginary": 1j}


def parts_of(output: Any) -> tuple[str, ...]:
    """Names of the real functions that an output consists of."""
    return ("real", "imaginary") if is_complex(output) else ("real",)


def gradients(output: Any, inputs: Sequence[Any], g: Any) -> list[Any]:
    """Gradients as Tensors for one cotangent, None where no path leads; the graph is kept."""
    found = grad(output, inputs, wrap(g, output._level), retain_graph=True, allow_unused=True)
    return list(found)


class Reverse:
    """One part of one output, differentiated with respect to every moving input."""

    def __init__(self, problem: Problem, place: int, part: str) -> None:
        self.output = problem.outputs[place]
        self.inputs = problem.moving_inputs()
        self.scale = PARTS[part]

    def rows(self) -> list[list[Any]]:
        """For each entry of the output, the gradients of all inputs."""
        kind = memory_of_input(self.output).dtype
        shape = tuple(self.output.shape)
        found = []
        for index in np.ndindex(shape):
            g = np.zeros(shape, kind)
            g[index] = self.scale
            found.append(gradients(self.output, self.inputs, g))
        return found

    def along(self, v: Any) -> list[list[Any]]:
        """The gradients for one mixture ``v`` of the output's entries, as the only row."""
        g = (v * self.scale).reshape(tuple(self.output.shape))
        g = g.astype(memory_of_input(self.output).dtype)
        return [gradients(self.output, self.inputs, g)]

    def jacobians(self, rows: list[list[Any]]) -> list[Any]:
        """A matrix for each input: its entries by those of the output."""
        found = []
        for number, value in enumerate(self.inputs):
            matrix = np.zeros((value.numel(), len(rows)), memory_of_input(value).dtype)
            for column, row in enumerate(rows):
                if row[number] is not None and row[number].shape == value.shape:
                    matrix[:, column] = memory_of_input(row[number]).reshape(-1)
            found.append(matrix)
        return found

    def unused(self, rows: list[list[Any]]) -> list[bool]:
        """For each input, whether no path leads to it from the output."""
        return [all(row[number] is None for row in rows) for number in range(len(self.inputs))]


def checked_jacobians(
    reverse: Reverse, nondet_tol: float, check_grad_dtypes: bool, v: Any = None
) -> tuple[list[Any], list[bool]]:
    """The matrices of ``reverse`` and which inputs are unused; computed twice, and compared.

    Raises ``GradcheckError`` for gradients of a wrong size or type, and for two different answers.
    """
    first = reverse.rows() if v is None else reverse.along(v)
    second = reverse.rows() if v is None else reverse.along(v)
    for number, value in enumerate(reverse.inputs):
        for row in first:
            _check_kind(row[number], value, number, check_grad_dtypes)
    matrices = reverse.jacobians(first)
    for number, (one, other) in enumerate(zip(matrices, reverse.jacobians(second), strict=True)):
        with np.errstate(all="ignore"):
            apart = float(np.abs(one - other).max()) if one.size else 0.0
        if apart > nondet_tol:
            raise GradcheckError(
                "Backward is not reentrant: run twice with the same input and grad_output it gives "
                f"two gradients of input {number} that differ by {apart:.3g}, more than "
                f"nondet_tol={nondet_tol}. Does a backward draw random numbers, or change "
                "what it saved?"
            )
    return matrices, reverse.unused(first)


def _check_kind(g: Any, value: Any, number: int, check_grad_dtypes: bool) -> None:
    if g is None:
        return
    if tuple(g.shape) != tuple(value.shape):
        raise GradcheckError(
            f"Analytical gradient has incorrect size: {describe_shape(g.shape)} for input {number} "
            f"of shape {describe_shape(value.shape)}"
        )
    if check_grad_dtypes and g.dtype != value.dtype:
        raise GradcheckError(
            f"Gradient has dtype mismatch: {g.dtype} for input {number} of type {value.dtype}"
        )


def push(problem: Problem, tangents: dict[int, Any]) -> list[Any]:
    """How the outputs move when the inputs at these places move along ``tangents``.

    The other inputs that require gradients are constants, on the same tape as the rest.
    """
    with dual_level():
        inputs = list(problem.inputs)
        for place in problem.moving:
            value = inputs[place].detach()
            t = tangents.get(place)
            if t is not None:
                value = make_dual(value, t if isinstance(t, Tensor) else wrap(t))
            inputs[place] = value
        found = problem.call(inputs)
        return [
            _tangent(out) if is_differentiable(before) else None
            for before, out in zip(problem.outputs, found, strict=True)
        ]


def _tangent(out: Any) -> Any:
    """The tangent of an output without its history; zeros for none."""
    primal, tangent = unpack_dual(out)
    if tangent is None:
        tangent = wrap(zeros_like(primal._array).copy(), primal._level)
    return tangent.detach()


def unit(problem: Problem, place: int, index: Any, direction: complex) -> Any:
    """A tangent that moves one entry of an input."""
    value = problem.inputs[place]
    t = np.zeros(tuple(value.shape), memory_of_input(value).dtype)
    t[index] = direction
    return t


def forward_jacobian(
    problem: Problem, place: int, direction: complex, check_grad_dtypes: bool
) -> list[Any]:
    """As ``numerical.jacobian``, in forward mode."""
    rows = [
        _flat(
            problem,
            push(problem, {place: unit(problem, place, index, direction)}),
            check_grad_dtypes,
        )
        for index in np.ndindex(tuple(problem.inputs[place].shape))
    ]
    if not rows:
        return [
            np.zeros((0, out.numel())) if is_differentiable(out) else None
            for out in problem.outputs
        ]
    return [None if parts[0] is None else np.stack(parts) for parts in zip(*rows, strict=True)]


def _flat(problem: Problem, moves: list[Any], check_grad_dtypes: bool) -> list[Any]:
    found = []
    for number, (out, t) in enumerate(zip(problem.outputs, moves, strict=True)):
        if t is not None and check_grad_dtypes and is_complex(t) != is_complex(out):
            raise GradcheckError(
                f"Forward AD gradient has dtype mismatch: output {number} is {out.dtype}, its "
                f"tangent {t.dtype}"
            )
        found.append(None if t is None else memory_of_input(t).reshape(-1))
    return found
