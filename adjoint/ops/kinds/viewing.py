"""Rows whose result looks at the memory of their one input: movement without copying.

An eager call costs about 1 microsecond with its node, so these rows have a way of their own to
a recorded result; everything else goes the general way.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.array.value import apply
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.row import Formula, Row
from adjoint.tape.cuts import NOTING, note_cut, note_unrecorded
from adjoint.tape.modes import modes
from adjoint.tape.node import INTERNAL_PACKAGES, Port, clock, user_frame
from adjoint.tape.tensor import (
    INFERENCE,
    NO_GRAD,
    SEVERAL,
    SpecialView,
    Tensor,
    View,
    base_wants,
    history_of,
    make_loose,
    memory_of,
    new,
    remember_maker,
)

ndarray = np.ndarray
getframe = sys._getframe
reference = weakref.ref


def viewing(
    name: str,
    compute: Callable[..., Any],
    x: Formula,
    *,
    options: str | Sequence[str] = (),
    batch: str | Callable[..., Any] = "same",
    node_name: str | None = None,
    sometimes: bool = False,
    saved: str = "",
) -> Callable[..., Any]:
    """A row that looks at its input's memory: a function of the input and then the options.

    ``sometimes`` says that the result may also be a copy. Such rows are linear, and move elements
    alone, so that conjugation and rounding do not concern them.
    """
    general = define(
        name, "movement", compute, options=options, jvp="linear", batch=batch, conjugate=False,
        low_precision=False, view=True, node_name=node_name, saved=saved, x=x,
    )  # fmt: skip
    row: Row = general.row  # type: ignore[attr-defined]

    def operation(x: Any, *options: Any) -> Any:
        if isinstance(x, Tensor):
            array = x._array
            if type(array) is ndarray:
                out = compute(array, *options)
                if sometimes:
                    base = out.base
                    if base is not array and (base is None or base is not array.base):
                        return row.record(x._level, x._node is not None, (x,), options, out)
                return look(row, x, out, options)
        elif type(x) is ndarray:
            return compute(x, *options)
        return apply(row, (x,), options)

    operation.row = row  # type: ignore[attr-defined]
    operation.__name__ = operation.__qualname__ = name
    return operation


def look(row: Row, x: Any, out: Any, options: tuple[Any, ...]) -> Tensor:
    """The Tensor over ``out``, a view that ``row`` takes of the plain memory of ``x``."""
    tensor: Tensor = new(Tensor)
    tensor._array = out
    tensor._level = x._level
    memory = x._memory
    if memory is None:
        memory = memory_of(x)
    tensor._memory = memory
    if len(memory.views) >= memory.limit:
        memory.forget_dead()
    memory.views.append(reference(tensor))
    enabled = modes.enabled
    edge = x._node
    if not enabled:
        tensor._view = _unrecorded_view(tensor, x, row, options)
        return tensor
    view: View = new(View)
    view.parent = x
    view.row = row
    view.options = options
    tensor._view = view
    if edge is None:
        tensor._node = None
        return tensor
    plan = row._plans.get(1) or row.plan(1)
    node = new(row._node_class or row.node_class)
    node.plan = plan
    node.edges = (edge,)
    if plan.has_shapes:
        node.saved = (None, None, *options, x._array.shape)
    else:
        node.saved = (None, None, *options)
    node.sequence = next(clock)
    node.shape = out.shape
    node.dtype = out.dtype
    node.hooks = None
    frame: Any = getframe(2)
    if frame.f_globals.get("__package__") in INTERNAL_PACKAGES:
        frame = frame.f_back  # the function that users call is one of ours, and then it is theirs
        if frame is not None and frame.f_globals.get("__package__") in INTERNAL_PACKAGES:
            frame = user_frame(frame)
    if frame is None:
        node.code, node.instruction = None, 0
    else:
        node.code, node.instruction = frame.f_code, frame.f_lasti
    if enabled is not True:
        enabled.recorded(node, (x,), out)
    tensor._node = node
    return tensor


def _unrecorded_view(tensor: Tensor, x: Any, row: Row, options: tuple[Any, ...]) -> View:
    """A view made where nothing is recorded; its tensor is a leaf if ``x`` needs gradients."""
    view: SpecialView = new(SpecialView)
    view.parent = x
    view.row = row
    view.options = options
    view.number = 0
    view.differentiable = True
    view.reason = INFERENCE if modes.inference else NO_GRAD
    tensor._view = view
    if not base_wants(tensor):
        tensor._node = None
    else:
        if modes.enabled is NOTING:
            note_unrecorded(x._node)
        make_loose(tensor)
    return view


def look_detached(x: Any) -> Tensor:
    """A Tensor on the plain memory of ``x`` without its history, which it does not keep alive.

    It is the base of what is looked at from here, and need not be known to the memory: a write
    changes nothing but numbers for it.
    """
    tensor: Tensor = new(Tensor)
    tensor._array = x._array
    tensor._level = x._level
    tensor._node = None
    tensor._memory = remember_maker(x)
    tensor._view = None
    node = history_of(x)
    if node is not None:
        note_cut("detach()", node)
    return tensor


def look_several(row: Row, x: Any, outs: Sequence[Any], options: tuple[Any, ...]) -> Any:
    """Tensors over all of ``outs``, views that one node takes of the plain memory of ``x``."""
    memory = x._memory
    if memory is None:
        memory = memory_of(x)
    node, edge, level = None, x._node, x._level
    if edge is not None and modes.enabled and outs:
        plan = row._plans.get(1) or row.plan(1)
        node = new(row._node_class or row.node_class)
        node.plan = plan
        node.edges = (edge,)
        node.saved = (None, None, *options, x._array.shape)
        node.sequence = next(clock)
        node.shape = outs[0].shape
        node.dtype = x._array.dtype
        node.hooks = None
        frame: Any = user_frame(getframe(2))
        if frame is None:
            node.code, node.instruction = None, 0
        else:
            node.code, node.instruction = frame.f_code, frame.f_lasti
        if modes.enabled is not True:
            modes.enabled.recorded(node, (x,), outs)
    tensors = []
    for number, out in enumerate(outs):
        tensor: Tensor = new(Tensor)
        tensor._array = out
        tensor._level = level
        tensor._memory = memory
        view: SpecialView = new(SpecialView)
        view.parent = x
        view.row = row
        view.options = options
        view.number = number
        view.differentiable = True
        view.reason = SEVERAL
        tensor._view = view
        if node is not None:
            port: Port = new(Port)
            port.node = node
            port.index = number
            port.shape = out.shape
            port.dtype = node.dtype
            port.sequence = node.sequence
            tensor._node = port
        elif edge is None:
            tensor._node = None
        if not modes.enabled:
            view.reason = INFERENCE if modes.inference else NO_GRAD
            tensor._node = None
            if base_wants(tensor):
                make_loose(tensor)
        memory.views.append(reference(tensor))
        tensors.append(tensor)
    if len(memory.views) > memory.limit:
        memory.forget_dead()
    return tuple(tensors)
