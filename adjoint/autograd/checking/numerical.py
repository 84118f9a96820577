"""Difference quotients: derivatives as moving the inputs by a little shows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from adjoint.autograd.checking.options import Tolerance
from adjoint.autograd.checking.problem import Problem, is_differentiable, memory_of_input
from adjoint.errors import describe_shape

# The directions in which one entry of an input is moved: a complex one has two.
REAL, IMAGINARY = 1.0, 1j


@contextmanager
def moved(array: Any, index: Any, by: Any) -> Iterator[None]:
    """Add ``by`` to a part of an array, and put back exactly what was there."""
    before = array[index].copy()
    array[index] = (before + by).astype(array.dtype)
    try:
        yield
    finally:
        array[index] = before


def outputs_at(problem: Problem, place: int, index: Any, by: Any) -> list[Any]:
    """Copies of the outputs with a part of one input moved; None for what is no number."""
    with moved(memory_of_input(problem.inputs[place]), index, by):
        outputs = problem.call(problem.inputs)
        # Copied before the input is put back: an output may be a view of it.
        found = [
            np.array(memory_of_input(out)) if is_differentiable(out) else None for out in outputs
        ]
    for before, after in zip(problem.outputs, outputs, strict=True):
        _check_same_kind(before, after, index, by)
    return found


def _check_same_kind(before: Any, after: Any, index: Any, by: Any) -> None:
    if not is_differentiable(before):
        return
    where = "" if index is Ellipsis else f"at index {index} "
    step = f"when an input is moved {where}by {np.abs(by).max(initial=0):g}"
    if before.shape != after.shape:
        raise AssertionError(
            f"Expected `func` to return outputs with the same shape {step}, but got shapes "
            f"{describe_shape(before.shape)} and {describe_shape(after.shape)}"
        )
    if before.dtype != after.dtype:
        raise AssertionError(
            f"Expected `func` to return outputs with the same dtype {step}, but got dtypes "
            f"{before.dtype} and {after.dtype}"
        )


def slope(problem: Problem, place: int, index: Any, by: Any, length: float) -> list[Any]:
    """Central difference quotient of each output, flat, along ``by``, which has ``length``."""
    below = outputs_at(problem, place, index, -by)
    above = outputs_at(problem, place, index, by)
    with np.errstate(all="ignore"):
        return [
            None if low is None else ((high - low) / low.dtype.type(2 * length)).reshape(-1)
            for low, high in zip(below, above, strict=True)
        ]


def directions_of(tensor: Any) -> tuple[complex, ...]:
    """The directions in which each entry of a tensor can be moved."""
    return (REAL, IMAGINARY) if tensor.is_complex() else (REAL,)


def jacobian(problem: Problem, place: int, direction: complex) -> list[Any]:
    """For each output, how its entries (columns) change with those of one input (rows)."""
    shape = tuple(problem.inputs[place].shape)
    rows = [
        slope(problem, place, index, problem.eps * np.asarray(direction), problem.eps)
        for index in np.ndindex(shape)
    ]
    if not rows:
        return [
            np.zeros((0, out.numel()), memory_of_input(out).dtype)
            if is_differentiable(out)
            else None
            for out in problem.outputs
        ]
    return [None if parts[0] is None else np.stack(parts) for parts in zip(*rows, strict=True)]


def describe_point(
    problem: Problem, place: int, index: Any, direction: complex, entry: Any, tolerance: Tolerance
) -> str | None:
    """Whether the quotients from the two sides disagree, as at a kink or a jump; None if not.

    ``entry`` takes the number in question out of the list of outputs. On a smooth function the
    two sides differ by the curvature times the step, so 64 times the step makes the gap 64 times
    as wide. At a kink it stays as it is, and beside one it closes when the step is made smaller.
    """
    middle = entry(outputs_at(problem, place, index, 0))

    def sides(step: float) -> tuple[float, float]:
        below = entry(outputs_at(problem, place, index, -step * np.asarray(direction)))
        above = entry(outputs_at(problem, place, index, step * np.asarray(direction)))
        return (middle - below) / step, (above - middle) / step

    with np.errstate(all="ignore"):
        left, right = sides(problem.eps)
        gap = abs(right - left)
        wide, narrow = (
            abs(high - low) for low, high in (sides(problem.eps * 64), sides(problem.eps / 64))
        )
    seen = f"from the left the slope is {left:.6g}, from the right {right:.6g}"
    if not np.isfinite(gap):
        return f"the function is not finite around this point: {seen}"
    if gap <= 10 * (tolerance.atol + tolerance.rtol * max(abs(left), abs(right))):
        return None
    if narrow > 8 * gap and gap > 8 * wide:
        return (
            f"the function jumps at this point: {seen}, and the smaller the step, the steeper. "
            "A central difference is no derivative here; check at another point"
        )
    if (wide < 16 * gap < 256 * narrow) or narrow * 192 < gap:
        return (
            f"the point is at a kink: {seen}. A central difference, their mean, is no derivative "
            "here; check at another point"
        )
    return None
