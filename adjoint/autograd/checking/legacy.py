"""Functions of PyTorch's that were never meant to be public, and have been used all the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from adjoint.autograd.checking import thorough
from adjoint.autograd.checking.analytical import Reverse, checked_jacobians
from adjoint.autograd.checking.numerical import directions_of, jacobian
from adjoint.autograd.checking.problem import Problem, is_differentiable
from adjoint.autograd.gradcheck import GradcheckError
from adjoint.tape.backward import as_sequence
from adjoint.tape.tensor import Tensor, wrap


def get_numerical_jacobian_wrt_specific_input(
    fn: Callable[..., Any],
    input_idx: int,
    inputs: Any,
    outputs: Any,
    eps: float,
    input: Any = None,
    is_forward_ad: bool = False,
) -> tuple[Any, ...]:
    """Difference quotients of every output by one input: entries of the input by the output's.

    For a complex input the two directions are put together as ``d/dx + i d/dy``.
    """
    problem = Problem(fn, inputs, eps)
    found = {
        (input_idx, direction): jacobian(problem, input_idx, direction)
        for direction in directions_of(problem.inputs[input_idx])
    }
    return tuple(
        wrap(thorough.wirtinger(found, input_idx, number, "real"))
        for number, out in enumerate(problem.outputs)
        if is_differentiable(out)
    )


def get_numerical_jacobian(
    fn: Callable[..., Any], inputs: Any, target: Any = None, eps: float = 1e-3, grad_out: float = 1
) -> tuple[Any, ...]:
    """Difference quotients of the first output of ``fn(inputs)`` by each input; deprecated.

    ``fn`` takes all inputs as one tuple. Raises ``ValueError`` for ``grad_out`` other than 1 and
    for complex outputs.
    """
    _warn_deprecated("get_numerical_jacobian")
    _require_unit("get_numerical_jacobian", grad_out)
    given = as_sequence(inputs)
    if target is not None and any(
        all(each is not other for other in given) for each in as_sequence(target)
    ):
        raise ValueError("get_numerical_jacobian: target must be among the inputs")
    wanted = given if target is None else as_sequence(target)
    problem = Problem(lambda *args: fn(args), given, eps)
    _require_real("get_numerical_jacobian", problem.outputs)
    return tuple(
        get_numerical_jacobian_wrt_specific_input(problem.function, place, given, None, eps)[0]
        for place in problem.moving
        if any(given[place] is each for each in wanted)
    )


def get_analytical_jacobian(
    inputs: Any, output: Any, nondet_tol: float = 0.0, grad_out: float = 1
) -> tuple[Any, bool, bool, bool]:
    """The Jacobians of ``output`` by each input, and three times True if all is well; deprecated.

    The truths say whether two passes agree, the gradients' sizes and their types are right.
    """
    _warn_deprecated("get_analytical_jacobian")
    _require_unit("get_analytical_jacobian", grad_out)
    _require_real("get_analytical_jacobian", (output,))
    reverse = Reverse(Problem(lambda *_: output, inputs, 1e-6), 0, "real")
    rows = reverse.rows()
    sizes = types = True
    for number, value in enumerate(reverse.inputs):
        present = [row[number] for row in rows if row[number] is not None]
        sizes &= all(each.shape == value.shape for each in present)
        types &= all(each.dtype == value.dtype for each in present)
    try:
        checked_jacobians(reverse, nondet_tol, check_grad_dtypes=False)
        reentrant = True
    except GradcheckError:
        reentrant = False
    return tuple(map(wrap, reverse.jacobians(rows))), reentrant, sizes, types


def _warn_deprecated(name: str) -> None:
    warnings.warn(
        f"{name} is deprecated, as it is in PyTorch; use gradcheck", FutureWarning, stacklevel=3
    )


def _require_unit(name: str, grad_out: float) -> None:
    if grad_out != 1.0:
        raise ValueError(f"{name}: Expected grad_out to be 1.0, got {grad_out}")


def _require_real(name: str, outputs: tuple[Any, ...]) -> None:
    if any(isinstance(out, Tensor) and out.is_complex() for out in outputs):
        raise ValueError(f"{name}: Expected output to be non-complex; gradcheck takes those")
