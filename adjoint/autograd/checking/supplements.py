"""What is asked of derivatives besides their values: zeros, missing gradients, batches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from adjoint.autograd.checking.analytical import push
from adjoint.autograd.checking.problem import Problem, is_differentiable, memory_of_input
from adjoint.autograd.gradcheck import GradcheckError
from adjoint.func import vmap
from adjoint.ops.joining import stack
from adjoint.ops.sampling_inplace import randn_like
from adjoint.tape.backward import grad
from adjoint.tape.tensor import wrap


def check_scaled_by_cotangent(problem: Problem, masked: bool) -> None:
    """A cotangent of zero gives gradients of zero, of the right type and shape."""
    outputs = [problem.outputs[place] for place in problem.wanted]
    if not outputs:
        return
    inputs = problem.moving_inputs()
    zeros = [wrap(np.zeros_like(memory_of_input(out))) for out in outputs]
    for number, (g, value) in enumerate(
        zip(grad(outputs, inputs, zeros, retain_graph=True, allow_unused=True), inputs, strict=True)
    ):
        if g is None:
            continue
        array = memory_of_input(g)
        if not (np.allclose(array, 0) if masked else (array == 0).all()):
            raise GradcheckError(
                "backward not multiplied by grad_output: with zeros for it the gradient of input "
                f"{number} is as large as {np.abs(array).max():.3g}"
            )
        if g.dtype != value.dtype:
            raise GradcheckError(
                f"grad is incorrect type: {g.dtype} for input {number} of type {value.dtype}"
            )
        if g.shape != value.shape:
            raise GradcheckError(f"grad is incorrect size for input {number}")


def check_missing_cotangents(problem: Problem) -> None:
    """Where one of several outputs gets no gradient and the others zeros, all inputs get zeros."""
    outputs = [
        out for out in problem.call(problem.inputs) if is_differentiable(out) and out.requires_grad
    ]
    if len(outputs) < 2:
        return
    inputs = problem.moving_inputs()
    for missing in range(len(outputs)):
        present = [out for place, out in enumerate(outputs) if place != missing]
        zeros = [wrap(np.zeros_like(memory_of_input(out))) for out in present]
        try:
            found = grad(present, inputs, zeros, retain_graph=True, allow_unused=True)
        except RuntimeError as error:
            raise GradcheckError(
                "Expected backward function to handle undefined output grads, but with none for "
                f"output {missing} it failed: {error}. A Function that calls "
                "ctx.set_materialize_grads(False) is given None there; "
                "check_undefined_grad=False leaves this check out"
            ) from error
        for number, g in enumerate(found):
            if g is not None and (memory_of_input(g) != 0).any():
                raise GradcheckError(
                    "Expected all input grads to be undefined or zero when all output grads are "
                    f"undefined or zero, but with none for output {missing} that of input "
                    f"{number} is not"
                )


def check_missing_tangents(problem: Problem) -> None:
    """An input without a tangent counts as one whose tangent is zero."""
    tangents = {
        place: memory_of_input(randn_like(problem.inputs[place].detach()))
        for place in problem.moving
    }
    for place in problem.moving:
        zero = push(problem, {**tangents, place: np.zeros_like(tangents[place])})
        others = {key: value for key, value in tangents.items() if key != place}
        if not others:
            continue
        absent = push(problem, others)
        for number in problem.wanted:
            one, other = memory_of_input(zero[number]), memory_of_input(absent[number])
            if not np.allclose(one, other, rtol=1e-5, atol=1e-8):
                raise GradcheckError(
                    f"Mismatch in tangent values for output with index {number}: input {place} "
                    f"without a tangent gives {other}, with a tangent of zeros {one}"
                )


def check_batched_reverse(problem: Problem) -> None:
    """A batch of cotangents through ``vmap`` gives what they give one by one."""
    inputs = problem.moving_inputs()
    for number, place in enumerate(problem.wanted):
        output = problem.outputs[place]

        def pull(g: Any, batched: bool = False, output: Any = output) -> tuple[Any, ...]:
            return grad(
                output, inputs, g, retain_graph=True, is_grads_batched=batched,
                allow_unused=True, materialize_grads=True,
            )  # fmt: skip

        pairs = [randn_like(output.detach()) for _ in range(2)]
        expected = [pull(each) for each in pairs]
        of = f"output {number}"
        _compare_batched(partial(pull, batched=True), pairs, expected, of, "check_batched_grad")


def check_batched_forward(problem: Problem) -> None:
    """A batch of tangents through ``vmap`` gives what they give one by one."""
    for place, value in enumerate(problem.inputs):
        if not is_differentiable(value):
            continue

        def move(t: Any, place: int = place) -> tuple[Any, ...]:
            moves = push(problem, {place: t})
            return tuple(each for each in moves if each is not None)

        pairs = [randn_like(value.detach()) for _ in range(2)]
        expected = [move(each) for each in pairs]
        of = f"input {place}"
        _compare_batched(vmap(move), pairs, expected, of, "check_batched_forward_grad")


def _compare_batched(
    batched: Callable[[Any], tuple[Any, ...]],
    pairs: list[Any],
    expected: list[tuple[Any, ...]],
    of: str,
    option: str,
) -> None:
    try:
        found = batched(stack(pairs))
    except (RuntimeError, NotImplementedError) as error:
        raise GradcheckError(
            f"While computing batched gradients of {of}, got: {error}. {option}=False leaves this "
            "check out"
        ) from error
    for number, one in enumerate(found):
        other = stack([each[number] for each in expected])
        a, b = memory_of_input(one), memory_of_input(other)
        if not np.allclose(a, b, rtol=1e-5, atol=1e-8):
            raise GradcheckError(
                f"Batched gradients of {of}, result {number}, differ from those computed one by "
                f"one by up to {np.abs(a - b).max():.3g}:\n{one}\nand\n{other}"
            )
