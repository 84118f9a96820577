"""Elementwise rows: the constructor writes everything but the value and its partial derivatives."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.array.value import apply
from adjoint.errors import describe_shape
from adjoint.ops.kinds.public import TOP, publish
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Formula, Row, argument_names
from adjoint.ops.kinds.rules import batch_elementwise, infer_elementwise, jvp_elementwise
from adjoint.shapes import broadcast_shapes
from adjoint.tape.modes import modes
from adjoint.tape.node import INTERNAL_PACKAGES, clock, user_frame
from adjoint.tape.tensor import Tensor, new

ndarray = np.ndarray
getframe = sys._getframe


def elementwise(
    name: str,
    compute: Callable[..., Any],
    *,
    promote: str = "float",
    options: str = "",
    node_name: str | None = None,
    decompose: Callable[..., Any] | None = None,
    low_precision: bool = True,
    conjugate: bool = True,
    namespaces: Sequence[str] | None = TOP,
    method: bool = True,
    in_place: bool = True,
    aliases: Sequence[str] = (),
    **formulas: Formula | None,
) -> Callable[..., Any]:
    """A row that acts on each element alone, of one, two or three inputs.

    The keyword arguments that are left name the inputs and give their partial derivatives, as
    ``x=lambda g, y: g * y``; None where the derivative is zero everywhere.
    ``promote`` is "float" (integers become the default floating type), "same" (the type that the
    inputs have together) or "bool" (compare in that type, answer in booleans).
    ``namespaces``, ``method``, ``in_place`` and ``aliases`` say where users find it (see
    ``public``); None for a row that only a function of the family calls.
    """
    inputs = tuple(formulas)
    row = Row(
        name,
        "elementwise",
        compute,
        inputs=inputs,
        options=options,
        formulas={key: value for key, value in formulas.items() if value is not None},
        jvp=jvp_elementwise,
        batch=batch_elementwise,
        infer=infer_elementwise,
        conjugate=conjugate,
        promote="same" if promote == "bool" else promote,
        low_precision=low_precision,
        node_name=node_name,
        decompose=decompose,
    )
    row.partials = dict(row.formulas)
    row.result = promote
    if row.options or len(inputs) > 2:
        operation = _general(row)
    else:
        operation = _unary(row) if len(inputs) == 1 else _binary(row)
    if namespaces is not None:
        publish(name, operation, namespaces, method, in_place and promote != "bool", aliases)
    return operation


def _general(row: Row) -> Callable[..., Any]:
    count = len(row.inputs)

    def operation(*args: Any) -> Any:
        return explain(row, args[:count], args[count:])

    operation.row = row
    operation.__name__ = operation.__qualname__ = row.name
    return operation


def explain(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...] = ()) -> Any:
    """The general path; an error from NumPy about shapes is worded with the shapes."""
    try:
        return apply(row, inputs, options)
    except ValueError as error:
        shapes = [each.shape for each in inputs if hasattr(each, "shape")]
        broadcast_shapes(*shapes)
        raise RuntimeError(
            f"{row.name}: {error}; shapes were "
            + " and ".join(describe_shape(shape) for shape in shapes)
        ) from error


def _unary(row: Row) -> Callable[..., Any]:
    compute = row.compute
    partial = row.partials.get(row.inputs[0])
    names = argument_names(partial)[1:] if partial else ()
    keep_x, keep_out = "x" in names, "out" in names
    natural = row.result != "bool"
    plan: Any = None
    node_class: Any = None

    def operation(x: Any) -> Any:
        nonlocal plan, node_class
        if isinstance(x, Tensor):
            a = x._array
            if type(a) is ndarray and natural:
                kind = a.dtype
                if kind is FLOAT32 or kind is FLOAT64:
                    try:
                        out = compute(a)
                    except (RuntimeWarning, FloatingPointError):
                        return apply(row, (x,), ())
                    if type(out) is not ndarray:
                        out = np.asarray(out)
                    tensor = new(Tensor)
                    tensor._array = out
                    tensor._level = x._level
                    tensor._memory = None
                    tensor._view = None
                    edge = x._node
                    if edge is None or not modes.enabled or partial is None:
                        tensor._node = None
                        if modes.inference:
                            tensor.__dict__["_inference"] = True
                        return tensor
                    if plan is None:
                        plan, node_class = row.plan(1), row.node_class
                    node = new(node_class)
                    node.plan = plan
                    node.edges = (edge,)
                    node.saved = (x if keep_x else None, out if keep_out else None)
                    node.sequence = next(clock)
                    node.shape = out.shape
                    node.dtype = kind
                    node.hooks = None
                    frame = getframe(1)
                    if frame.f_globals.get("__package__") in INTERNAL_PACKAGES:
                        frame = user_frame(frame)
                    node.code = frame.f_code
                    node.instruction = frame.f_lasti
                    tensor._node = node
                    return tensor
        elif type(x) is ndarray:
            return row.evaluate((x,), ())
        return explain(row, (x,))

    operation.row = row
    operation.__name__ = operation.__qualname__ = row.name
    return operation


def _binary(row: Row) -> Callable[..., Any]:
    compute = row.compute
    x_name, y_name = row.inputs
    x_partial, y_partial = (row.partials.get(name) for name in row.inputs)
    x_names = argument_names(x_partial)[1:] if x_partial else ()
    y_names = argument_names(y_partial)[1:] if y_partial else ()
    natural = row.result != "bool"
    differentiable = bool(row.formulas)
    # For each set of inputs that need a gradient (x: 1, y: 2): whether x, y and out are kept.
    keeps = [
        tuple(name in used for name in (x_name, y_name, "out"))
        for used in ((), x_names, y_names, (*x_names, *y_names))
    ]
    plans: list[Any] = [None, None, None, None]
    node_class: Any = None
    has_shapes = any(name.endswith("_shape") for name in (*x_names, *y_names))

    def operation(x: Any, y: Any) -> Any:
        nonlocal node_class
        if isinstance(x, Tensor):
            a = x._array
            if isinstance(y, Tensor):
                b = y._array
                if type(a) is ndarray and type(b) is ndarray and x._level == y._level and natural:
                    kind = a.dtype
                    if kind is b.dtype and (kind is FLOAT32 or kind is FLOAT64):
                        try:
                            out = compute(a, b)
                        except (ValueError, RuntimeWarning, FloatingPointError):
                            return explain(row, (x, y))
                        if type(out) is not ndarray:
                            out = np.asarray(out)
                        tensor = new(Tensor)
                        tensor._array = out
                        tensor._level = x._level
                        tensor._memory = None
                        tensor._view = None
                        x_edge = x._node
                        y_edge = y._node
                        mask = 0 if x_edge is None else 1
                        if y_edge is not None:
                            mask += 2
                        if not mask or not differentiable or not modes.enabled:
                            tensor._node = None
                            if modes.inference:
                                tensor.__dict__["_inference"] = True
                            return tensor
                        plan = plans[mask]
                        if plan is None:
                            if has_shapes:
                                return explain(row, (x, y))
                            plan = plans[mask] = row.plan(mask)
                            node_class = row.node_class
                        keep_x, keep_y, keep_out = keeps[mask]
                        node = new(node_class)
                        node.plan = plan
                        node.edges = (x_edge, y_edge)
                        node.saved = (
                            x if keep_x else None,
                            y if keep_y else None,
                            out if keep_out else None,
                        )
                        node.sequence = next(clock)
                        node.shape = out.shape
                        node.dtype = kind
                        node.hooks = None
                        frame = getframe(1)
                        if frame.f_globals.get("__package__") in INTERNAL_PACKAGES:
                            frame = user_frame(frame)
                        node.code = frame.f_code
                        node.instruction = frame.f_lasti
                        tensor._node = node
                        return tensor
        elif type(x) is ndarray and type(y) is ndarray:
            return row.evaluate((x, y), ())
        return explain(row, (x, y))

    operation.row = row
    operation.__name__ = operation.__qualname__ = row.name
    return operation
