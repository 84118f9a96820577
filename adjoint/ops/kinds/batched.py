"""The short way through an elementwise operation on batches of plain memory of one floating type.

Inside ``vmap``, and in the rows of a Jacobian, most operations are of this kind. The general path
asks every value what it is, twice; here the dimensions are known to line up, so that NumPy's
broadcasting does the rest, in 1 microsecond where that takes 6.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.array.batch import Batch
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Row
from adjoint.tape.cuts import NOTING, note_unrecorded
from adjoint.tape.modes import modes
from adjoint.tape.node import INTERNAL_PACKAGES, clock, user_frame
from adjoint.tape.tensor import Tensor, Untracked, new

ndarray = np.ndarray
getframe = sys._getframe
# What ufuncs raise for shapes and types that do not fit: the general path words it.
TROUBLE = (ValueError, TypeError, RuntimeWarning, FloatingPointError)


def on_batch(compute: Callable[..., Any], x: Any, options: tuple[Any, ...] = ()) -> Any:
    """``compute`` on a batch; None for one that the general path must see."""
    a = x.value
    if type(a) is not ndarray or (a.dtype is not FLOAT32 and a.dtype is not FLOAT64):
        return None
    try:
        value = compute(a, *options)
    except TROUBLE:
        return None
    out = new(Batch)
    out._level = x._level
    out.value = value
    return out


def on_batches(compute: Callable[..., Any], x: Any, y: Any) -> Any:
    """``compute`` on two values, one of them a batch; None where the general path must see them.

    Two batches are to have as many dimensions, and a constant no more than one example has.
    """
    if type(x) is Batch:
        a, level = x.value, x._level
        if type(a) is not ndarray:
            return None
        kind = a.dtype
        if type(y) is Batch:
            b = y.value
            if y._level != level or type(b) is not ndarray or b.ndim != a.ndim:
                return None
        elif type(y) is ndarray and y.ndim < a.ndim:
            b = y
        else:
            return None
        if b.dtype is not kind:
            return None
    elif type(y) is Batch and type(x) is ndarray:
        a, b, level = x, y.value, y._level
        if type(b) is not ndarray or a.ndim >= b.ndim:
            return None
        kind = b.dtype
        if a.dtype is not kind:
            return None
    else:
        return None
    if kind is not FLOAT32 and kind is not FLOAT64:
        return None
    try:
        value = compute(a, b)
    except TROUBLE:
        return None
    out = new(Batch)
    out._level = level
    out.value = value
    return out


def recorded_batch(row: Row, x: Any) -> Any:
    """An elementwise ``row`` on a Tensor over a batch; None where the general path must see it."""
    out = on_batch(row.compute, x._array)
    return None if out is None else _finish(row, out, x._level, (x,), 0 if x._node is None else 1)


def recorded_batches(row: Row, x: Any, y: Any, number: Any = None) -> Any:
    """The same for two Tensors, or one and a ``number`` as an array of its type."""
    level = x._level
    mask = 0 if x._node is None else 1
    if number is None:
        if y._level != level:
            return None
        if y._node is not None:
            mask += 2
        out = on_batches(row.compute, x._array, y._array)
    else:
        out = on_batches(row.compute, x._array, number)
        y = number
    return None if out is None else _finish(row, out, level, (x, y), mask)


def _finish(row: Row, out: Any, level: int, inputs: tuple[Any, ...], mask: int) -> Tensor:
    """A Tensor over ``out``, with a node where ``mask`` says that an input needs one."""
    tensor: Tensor = new(Tensor)
    tensor._array = out
    tensor._level = level
    tensor._memory = None
    tensor._view = None
    tensor._node = None
    enabled = modes.enabled
    if not mask or not enabled or not row.is_differentiable or row.result == "bool":
        if mask and enabled is NOTING and row.is_differentiable:
            note_unrecorded(next(each._node for n, each in enumerate(inputs) if mask >> n & 1))
        if modes.inference:
            tensor._memory = new(Untracked)
        return tensor
    plan = row._plans.get(mask) or row.plan(mask)
    node = new(row._node_class or row.node_class)
    node.plan = plan
    node.edges = tuple([each._node if mask >> n & 1 else None for n, each in enumerate(inputs)])
    node.saved = plan.save(inputs, (), out)
    node.sequence = next(clock)
    node.shape = out.shape
    node.dtype = out.value.dtype
    node.hooks = None
    frame: Any = getframe(3)
    if frame.f_globals.get("__package__") in INTERNAL_PACKAGES:
        frame = user_frame(frame)
    if frame is None:
        node.code, node.instruction = None, 0
    else:
        node.code, node.instruction = frame.f_code, frame.f_lasti
    if enabled is not True:
        enabled.recorded(node, inputs, out)
    tensor._node = node
    return tensor
