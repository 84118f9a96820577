"""A whole check, in the order that PyTorch's has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint.autograd.checking import supplements, thorough
from adjoint.autograd.checking.fast import FastCheck
from adjoint.autograd.checking.options import Options
from adjoint.autograd.checking.problem import Problem
from adjoint.autograd.checking.samples import cotangents
from adjoint.tape.backward import as_sequence, grad
from adjoint.tape.tensor import Tensor


def check(function: Callable[..., Any], inputs: Any, eps: float, **wanted: Any) -> None:
    """All that ``Options`` ask for; ``GradcheckError`` at the first thing that is wrong."""
    options = Options(**wanted)
    problem = Problem(function, inputs, eps)
    (_check_fast if options.fast else _check_thoroughly)(problem, options)
    if options.forward and options.undefined:
        supplements.check_missing_tangents(problem)
    if options.batched_forward:
        supplements.check_batched_forward(problem)
    if options.batched:
        supplements.check_batched_reverse(problem)
    if options.backward:
        supplements.check_scaled_by_cotangent(problem, options.masked)
        if options.undefined:
            supplements.check_missing_cotangents(problem)


def _check_thoroughly(problem: Problem, options: Options) -> None:
    found = thorough.quotients(problem)
    if not problem.wanted:
        thorough.check_constant(found)
        return
    if options.backward:
        thorough.check_reverse(problem, found, options)
    if options.forward:
        thorough.check_forward(problem, found, options)


def _check_fast(problem: Problem, options: Options) -> None:
    fast = FastCheck(problem, options)
    if not problem.wanted:
        fast.check_constant()
        return
    if options.backward:
        fast.check_reverse()
    if options.forward:
        fast.check_forward()


def second_order(
    function: Callable[..., Any], inputs: Any, grad_outputs: Any, noncontiguous: bool
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The gradients of ``function`` as a function to be checked, and the point to check it at."""
    given = as_sequence(inputs)
    if grad_outputs is None:
        weights = cotangents(_wanted(function(*given)), noncontiguous)
    else:
        weights = as_sequence(grad_outputs)
    return _gradient_of(function, given, weights), given + weights


def _wanted(outputs: Any) -> tuple[Any, ...]:
    return tuple(
        out for out in as_sequence(outputs) if isinstance(out, Tensor) and out.requires_grad
    )


def _gradient_of(
    func: Callable[..., Any], inputs: tuple[Any, ...], weights: tuple[Any, ...]
) -> Callable[..., Any]:
    """The gradients of ``func`` as a function of its inputs and the outputs' weights."""
    recorded = [isinstance(each, Tensor) and each.requires_grad for each in (*inputs, *weights)]
    count = len(inputs)

    def gradient(*args: Any) -> tuple[Any, ...]:
        args = tuple(  # a check in forward mode passes them detached
            each.requires_grad_() if wanted else each
            for each, wanted in zip(args, recorded, strict=True)
        )
        moving = [each for each, wanted in zip(args[:count], recorded, strict=False) if wanted]
        outputs = _wanted(func(*args[:count]))
        found = grad(outputs, moving, args[count:], create_graph=True, allow_unused=True)
        return tuple(each for each in found if each is not None)

    return gradient
