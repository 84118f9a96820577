"""Where the targets of margin losses are."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compiler.expressions import checked, coordinate, where
from adjoint.compiler.lowering.base import Lowering, lowers
from adjoint.compiler.lowering.reductions import combined
from adjoint.compiler.lowering.scans import Running
from adjoint.compiler.nodes import Look
from adjoint.compiler.program import Equation

BOOL, INT64 = np.dtype(np.bool_), np.dtype(np.int64)


@lowers("class_mask")
def _class_mask(low: Lowering, equation: Equation, target: Any) -> Look:
    shape, count = equation.outputs[0].shape, equation.options[0]
    wanted = low.load(low.look(target), shape[:-1], INT64)
    what = f"multi_margin_loss: target out of range: there are {count} classes"
    fine = checked(wanted, (wanted >= 0) & (wanted < count), what, RuntimeError)
    place = low.map(shape[:-1], INT64, fine).seen(lambda place: place[..., None])
    return low.map(shape, BOOL, low.load(place, shape).equals(coordinate(shape, -1)))


@lowers("class_list")
def _class_list(low: Lowering, equation: Equation, target: Any) -> tuple[Look, ...]:
    shape = equation.outputs[0].shape
    count = shape[-1]
    wanted = low.load(low.look(target), shape, INT64)
    what = f"multilabel_margin_loss: target out of range: there are {count} classes"
    fine = low.map(
        shape, INT64, checked(wanted, (wanted >= -1) & (wanted < count), what, RuntimeError)
    )
    running = Running(shape, -1)
    after = running.state(BOOL, False) | (low.load(fine, shape) < 0)
    (ended,) = running.made(low, (after,), (after, BOOL))
    classes = low.map(shape, INT64, where(low.load(ended, shape), 0, low.load(fine, shape)))
    # From each place of the list (the axis before the last) to each class.
    domain = (*shape, count)
    wanted, over = (
        low.load(each.seen(lambda place: place[..., None]), domain) for each in (classes, ended)
    )
    here = wanted.equals(coordinate(domain, -1)) & ~over
    chosen = combined(low, "or", here, domain, (len(shape) - 1,), BOOL)
    return classes, ended, low.reshaped(chosen, shape)
