"""A line search for the strong Wolfe conditions, by cubic interpolation.

The method is that of Nocedal and Wright's "Numerical Optimization", algorithms 3.5 and 3.6, with
the safeguards of Schmidt's minFunc: first the step grows until an interval holds a good one, then
the interval shrinks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
SMALLEST_CHANGE = 1e-9  # of the parameters, at which the interval is short enough
# A step is at least this share of the last growth longer, and at most this many times as long.
LEAST_GROWTH, MOST_GROWTH = 0.01, 10
MARGIN = 0.1  # of the interval: a trial nearer to its ends is moved in, the second time


class Trial(NamedTuple):
    """A step along the direction: the loss, the gradient, and the slope along the direction."""

    step: Any
    loss: float
    gradient: Any
    slope: Any


def strong_wolfe(
    evaluate: Callable[[Any], Trial], start: Trial, step: Any, reach: Any, most: int
) -> tuple[Trial, int]:
    """The best trial found, and how many evaluations it took, ``most`` and one at the most.

    ``reach`` is the largest entry of the direction.
    """

    def too_high(trial: Trial) -> bool:
        bound = start.loss + SUFFICIENT_DECREASE * trial.step * start.slope
        return bool(trial.loss > bound)

    def flat_enough(trial: Trial) -> bool:
        return bool(abs(trial.slope) <= -CURVATURE * start.slope)

    before, trial = start, evaluate(step)
    rounds = 0
    while rounds < most:
        if too_high(trial) or (rounds > 1 and trial.loss >= before.loss):
            break
        if flat_enough(trial):
            return trial, rounds + 1
        if trial.slope >= 0:
            break
        bounds = (
            trial.step + LEAST_GROWTH * (trial.step - before.step),
            trial.step * MOST_GROWTH,
        )
        before, trial = trial, evaluate(interpolate(before, trial, bounds))
        rounds += 1
    else:
        before = start
    ends = [before, trial]
    low = 0 if before.loss <= trial.loss else 1
    stalled = False
    evaluations = rounds + 1
    while rounds < most and abs(ends[1].step - ends[0].step) * reach >= SMALLEST_CHANGE:
        step, stalled = _inside(ends, stalled)
        trial = evaluate(step)
        rounds += 1
        evaluations += 1
        if too_high(trial) or trial.loss >= ends[low].loss:
            ends[1 - low] = trial
            low = 0 if ends[0].loss <= ends[1].loss else 1
            continue
        done = flat_enough(trial)
        if not done and trial.slope * (ends[1 - low].step - ends[low].step) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = trial
        if done:
            break
    return ends[low], evaluations


def _inside(ends: list[Trial], stalled: bool) -> tuple[Any, bool]:
    """The next step within the interval, and whether it lies next to an end."""
    step = interpolate(ends[0], ends[1])
    left, right = sorted((ends[0].step, ends[1].step))
    margin = MARGIN * (right - left)
    if min(right - step, step - left) >= margin:
        return step, False
    if not stalled and left < step < right:
        return step, True
    nearer_right = abs(step - right) < abs(step - left)
    return (right - margin if nearer_right else left + margin), False


def interpolate(first: Trial, second: Trial, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic through two trials with their slopes is least, within the bounds."""
    if first.step > second.step:
        first, second = second, first
    low, high = (first.step, second.step) if bounds is None else bounds
    secant = (first.loss - second.loss) / (first.step - second.step)
    middle = first.slope + second.slope - 3 * secant
    squared = middle**2 - first.slope * second.slope
    if not squared >= 0:
        return (low + high) / 2.0
    width = second.step - first.step
    bend = math.sqrt(squared)
    share = (second.slope + bend - middle) / (second.slope - first.slope + 2 * bend)
    return min(max(second.step - width * share, low), high)
