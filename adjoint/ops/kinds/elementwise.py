"""Elementwise rows: the constructor writes everything but the value and its partial derivatives."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.batch import Batch
from adjoint.array.value import Value, apply
from adjoint.errors import describe_shape
from adjoint.ops.kinds.batched import on_batch, on_batches, recorded_batch, recorded_batches
from adjoint.ops.kinds.out import SHOWN, elementwise_out
from adjoint.ops.kinds.public import TOP, publish
from adjoint.ops.kinds.quick import finish
from adjoint.ops.kinds.row import FLOAT32, FLOAT64, Formula, Row, argument_names
from adjoint.ops.kinds.rules import (
    batch_elementwise,
    infer_elementwise,
    jvp_elementwise,
    jvp_named,
)
from adjoint.shapes import broadcast_shapes
from adjoint.tape.cuts import NOTING, note_unrecorded
from adjoint.tape.modes import modes
from adjoint.tape.node import INTERNAL_PACKAGES, clock, user_frame
from adjoint.tape.tensor import Tensor, Untracked, new, wrap

ndarray = np.ndarray
getframe = sys._getframe
INT64 = np.dtype("int64")
NUMBERS = (bool, int, float, complex)
CATEGORIES = {"b": dtypes.BOOL, "i": dtypes.INTEGER, "f": dtypes.FLOATING, "c": dtypes.COMPLEX}
# What a ufunc raises on plain arrays for shapes that do not fit, for types that it does not know,
# and where the user made warnings into errors: the general path knows what to do about each.
TROUBLE = (ValueError, TypeError, RuntimeWarning, FloatingPointError)


def elementwise(
    name: str,
    compute: Callable[..., Any],
    *,
    promote: str = "float",
    options: str = "",
    numbers: str = "",
    bools: bool = True,
    supports: str = "bifc",
    unsupported: type[Exception] = NotImplementedError,
    jvp: Callable[..., Any] | None = None,
    node_name: str | None = None,
    decompose: Callable[..., Any] | None = None,
    low_precision: bool = True,
    conjugate: bool = True,
    namespaces: Sequence[str] | None = TOP,
    method: bool = True,
    in_place: bool = True,
    aliases: Sequence[str] = (),
    out: str = "cast",
    saved: str = "",
    doc: str | None = None,
    **formulas: Formula | None,
) -> Callable[..., Any]:
    """A row that acts on each element alone, of one, two or three inputs.

    The keyword arguments that are left name the inputs and give their partial derivatives, as
    ``x=lambda g, y: g * y``; None where the derivative is zero everywhere. ``jvp`` is for rows
    that are not holomorphic, whose partial derivatives will not do.

    ``promote`` is "float" (integers become the default floating type), "same" (the type that the
    inputs have together) or "bool" (compare in that type, answer in booleans). ``numbers`` names
    the inputs that may be Python numbers. ``supports`` has a letter for each category of types
    that the row computes in (bool, integer, floating, complex); ``unsupported`` is raised for the
    others, and with ``bools=False`` for any input that is boolean.

    ``namespaces``, ``method``, ``in_place`` and ``aliases`` say where users find it (see
    ``public``), and ``doc`` is what they read; None for a row that only its family calls. ``out``
    says what type ``out=`` may have (see ``kinds.out``), "" that it is not taken. ``saved`` gives
    PyTorch's names of saved values where they are not those of the rule (see ``tape.names``).
    """
    inputs = tuple(formulas)
    row = Row(
        name,
        "elementwise",
        compute,
        inputs=inputs,
        options=options,
        formulas={key: value for key, value in formulas.items() if value is not None},
        jvp=jvp_elementwise if jvp is None else jvp_named(jvp),
        batch=batch_elementwise,
        infer=infer_elementwise,
        conjugate=conjugate,
        promote="same" if promote == "bool" else promote,
        low_precision=low_precision,
        node_name=node_name,
        decompose=decompose,
        saved=saved,
    )
    row.partials = dict(row.formulas)
    row.result = promote
    row.numbers = frozenset(numbers.split())
    row.bools = bools
    row.unsupported = unsupported
    if supports != "bifc":
        row.supports = frozenset(CATEGORIES[letter] for letter in supports)
    row.out = "" if namespaces is None else out
    operation: Callable[..., Any] = _callable(row, explain)
    operation.__doc__ = doc
    if namespaces is not None:
        publish(name, operation, namespaces, method, in_place, aliases)
    return operation


def as_operator(operation: Callable[..., Any]) -> Callable[..., Any]:
    """The same row for Python's operators: NotImplemented for operands that it does not know."""
    row = operation.row  # type: ignore[attr-defined]
    found: Callable[..., Any] = _callable(row, _explain_or_decline)
    found.__doc__ = operation.__doc__
    return found


def _callable(row: Row, fallback: Callable[..., Any]) -> Any:
    if row.options or len(row.inputs) > 2:
        if not row.is_differentiable:
            operation = _general(row)
        else:
            operation = _unary_with_options(row) if len(row.inputs) == 1 else _several(row)
    else:
        operation = _unary(row) if len(row.inputs) == 1 else _binary(row, fallback)
        operation.__wrapped__ = SHOWN[len(row.inputs), bool(row.out)]
    operation.row = row
    operation.__name__ = operation.__qualname__ = row.name
    return operation


# -- the general path -------------------------------------------------------------------------


def explain(row: Row, inputs: tuple[Any, ...], options: tuple[Any, ...] = ()) -> Any:
    """The general path; what NumPy finds wrong with shapes and types is said as PyTorch does."""
    inputs = _known(row, inputs)
    try:
        return apply(row, inputs, options)
    except ValueError as error:
        shapes = [each.shape for each in inputs if hasattr(each, "shape")]
        broadcast_shapes(*shapes)
        raise RuntimeError(
            f"{row.name}: {error}; shapes were "
            + " and ".join(describe_shape(shape) for shape in shapes)
        ) from error
    except TypeError as error:
        if not str(error).startswith("ufunc"):
            raise
        kinds = ", ".join(dtypes.of(each).name for each in inputs if hasattr(each, "dtype"))
        raise row.unsupported(f"{row.name} is not implemented for {kinds}") from error


def _known(row: Row, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Inputs of types that a row takes; NumPy's scalars beside Tensors are Python's numbers."""
    tensors = False
    scalars = None
    for value in inputs:
        if isinstance(value, (Value, ndarray)):
            tensors = True
        elif isinstance(value, np.generic):
            scalars = True
    for name, value in zip(row.inputs, inputs, strict=True):
        if isinstance(value, (Value, ndarray, np.generic)):
            continue
        if value is None and len(inputs) > 2 and value is not inputs[0]:  # an open bound
            continue
        if not isinstance(value, NUMBERS) or name not in row.numbers:
            raise TypeError(
                f"{row.name}(): argument '{SPELLING.get(name, name)}' must be Tensor, "
                f"not {type(value).__name__}"
            )
    if not row.bools and any(map(_is_boolean, inputs)):
        raise row.unsupported(
            f"{row.name} is not supported with booleans; use ^, ~ or logical_xor()"
        )
    if not tensors and not scalars:
        first: Any = inputs[0]
        return (wrap(np.array(first, dtypes.of_number(first).numpy)), *inputs[1:])
    if tensors and scalars:
        return tuple(
            each.item() if isinstance(each, np.generic) and name in row.numbers else each
            for name, each in zip(row.inputs, inputs, strict=True)
        )
    return inputs


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or (
        not isinstance(value, NUMBERS) and dtypes.of(value) is dtypes.bool_
    )


SPELLING = {"x": "input", "y": "other"}


def _explain_or_decline(row: Row, inputs: tuple[Any, ...]) -> Any:
    for value in inputs:
        if not isinstance(value, (Value, ndarray, np.generic, *NUMBERS)):
            return NotImplemented
    return explain(row, inputs)


def _general(row: Row) -> Any:
    count = len(row.inputs)

    def operation(*args: Any) -> Any:
        return explain(row, args[:count], args[count:])

    return operation


# -- quick paths: tensors over plain arrays of one floating type ---------------------------------


def _unary_with_options(row: Row) -> Any:
    compute = row.compute
    names = argument_names(row.formulas[row.inputs[0]])[1:]
    keep_x, keep_out = row.inputs[0] in names, "out" in names
    plan: Any = None
    node_class: Any = None

    def operation(input: Any, *options: Any) -> Any:
        nonlocal plan, node_class
        if isinstance(input, Tensor):
            a = input._array
            if type(a) is ndarray:
                kind = a.dtype
                if kind is FLOAT32 or kind is FLOAT64:
                    try:
                        out = compute(a, *options)
                    except TROUBLE:
                        return explain(row, (input,), options)
                    if type(out) is not ndarray:
                        out = np.asarray(out)
                    tensor = new(Tensor)
                    tensor._array = out
                    tensor._level = input._level
                    tensor._memory = None
                    tensor._view = None
                    edge = input._node
                    if edge is None or not (enabled := modes.enabled):
                        tensor._node = None
                        if edge is not None and enabled is NOTING:
                            note_unrecorded(edge)
                        if modes.inference:
                            tensor._memory = new(Untracked)
                        return tensor
                    if plan is None:
                        plan, node_class = row.plan(1), row.node_class
                    node = new(node_class)
                    node.plan = plan
                    node.edges = (edge,)
                    node.saved = (
                        input if keep_x else None,
                        out if keep_out else None,
                        *options,
                    )
                    node.sequence = next(clock)
                    node.shape = out.shape
                    node.dtype = kind
                    node.hooks = None
                    frame: Any = getframe(1)
                    if frame.f_globals.get("__package__") in INTERNAL_PACKAGES:
                        frame = user_frame(frame)
                    node.code = frame.f_code
                    node.instruction = frame.f_lasti
                    if enabled is not True:
                        enabled.recorded(node, (input,), out)
                    tensor._node = node
                    return tensor
        elif type(input) is ndarray:
            return row.evaluate((input,), options)
        return explain(row, (input,), options)

    return operation


def _several(row: Row) -> Any:
    """Any number of inputs, and options."""
    compute = row.compute
    count = len(row.inputs)

    def operation(*args: Any) -> Any:
        inputs, options = args[:count], args[count:]
        kind = level = None
        arrays = []
        for value in inputs:
            if not isinstance(value, Tensor):
                break
            array = value._array
            if type(array) is not ndarray:
                break
            if kind is None:
                kind, level = array.dtype, value._level
                if kind is not FLOAT32 and kind is not FLOAT64:
                    break
            elif array.dtype is not kind or value._level != level:
                break
            arrays.append(array)
        else:
            try:
                out = compute(*arrays, *options)
            except TROUBLE:
                return explain(row, inputs, options)
            return finish(row, out, level, inputs, options)  # type: ignore[arg-type]
        return explain(row, inputs, options)

    return operation


def _unary(row: Row) -> Any:
    compute = row.compute
    partial = row.partials.get(row.inputs[0])
    names = argument_names(partial)[1:] if partial else ()
    keep_x, keep_out = row.inputs[0] in names, "out" in names
    plan: Any = None
    node_class: Any = None
    plain, general = ndarray, explain  # others for users: see ``kinds.strict``

    def operation(input: Any, excess: Any = None, out: Any = None) -> Any:
        nonlocal plan, node_class
        if out is not excess or excess is not None:
            return elementwise_out(operation, excess, out, (input,))
        if isinstance(input, Tensor):
            a = input._array
            if type(a) is ndarray:
                kind = a.dtype
                if kind is FLOAT32 or kind is FLOAT64:
                    try:
                        out = compute(a)
                    except TROUBLE:
                        return general(row, (input,))
                    if type(out) is not ndarray:
                        out = np.asarray(out)
                    tensor = new(Tensor)
                    tensor._array = out
                    tensor._level = input._level
                    tensor._memory = None
                    tensor._view = None
                    edge = input._node
                    if edge is None or not (enabled := modes.enabled) or partial is None:
                        tensor._node = None
                        if edge is not None and enabled is NOTING:
                            note_unrecorded(edge)
                        if modes.inference:
                            tensor._memory = new(Untracked)
                        return tensor
                    if plan is None:
                        plan, node_class = row.plan(1), row.node_class
                    node = new(node_class)
                    node.plan = plan
                    node.edges = (edge,)
                    node.saved = (input if keep_x else None, out if keep_out else None)
                    node.sequence = next(clock)
                    node.shape = out.shape
                    node.dtype = kind
                    node.hooks = None
                    frame: Any = getframe(1)
                    if frame.f_globals.get("__package__") in INTERNAL_PACKAGES:
                        frame = user_frame(frame)
                    node.code = frame.f_code
                    node.instruction = frame.f_lasti
                    if enabled is not True:
                        enabled.recorded(node, (input,), out)
                    tensor._node = node
                    return tensor
            elif type(a) is Batch:
                found = recorded_batch(row, input)
                if found is not None:
                    return found
        elif type(input) is plain:
            kind = input.dtype
            if kind is FLOAT32 or kind is FLOAT64:
                try:
                    return compute(input)
                except TROUBLE:
                    pass
        elif type(input) is Batch:
            found = on_batch(compute, input)
            if found is not None:
                return found
        return general(row, (input,))

    return operation


# Python numbers as arrays without dimensions, which ufuncs take twice as fast (0.2 and 0.4 us).
LARGEST_SINGLE = float.fromhex("0x1.fffffep127")
SINGLES: dict[int | float, Any] = {}
DOUBLES: dict[int | float, Any] = {}


def constant(value: int | float, kind: np.dtype[Any]) -> Any:
    """A number as an array of a floating type (or int64), most often the one of the last time."""
    # Not 0.0, which finds -0.0 too, and not NaN, which finds nothing.
    if (kind is FLOAT32 or kind is FLOAT64) and (value or type(value) is int):
        table = SINGLES if kind is FLOAT32 else DOUBLES
        array = table.get(value)
        if array is None:
            if kind is FLOAT32 and abs(value) > LARGEST_SINGLE:
                value = float("inf") if value > 0 else float("-inf")  # where NumPy would warn
            array = np.array(value, kind)
            array.flags.writeable = False
            if value == value and len(table) < 1000:
                table[value] = array
        return array
    return np.array(value, kind)


def _binary(row: Row, general: Callable[..., Any]) -> Any:
    compute = row.compute
    x_name, y_name = row.inputs
    x_partial, y_partial = (row.partials.get(name) for name in row.inputs)
    x_names = argument_names(x_partial)[1:] if x_partial else ()
    y_names = argument_names(y_partial)[1:] if y_partial else ()
    exact = row.promote == "same" and (row.supports is None or dtypes.INTEGER in row.supports)
    scalars = y_name in row.numbers
    differentiable = bool(row.formulas)
    # For each set of inputs that need a gradient (x: 1, y: 2): whether x, y and out are kept.
    keeps = [
        tuple(name in used for name in (x_name, y_name, "out"))
        for used in ((), x_names, y_names, (*x_names, *y_names))
    ]
    plain = ndarray  # another for users: see ``kinds.strict``
    plans: list[Any] = [None, None, None, None]
    node_class: Any = None
    has_shapes = any(name.endswith("_shape") for name in (*x_names, *y_names))

    def operation(input: Any, other: Any, excess: Any = None, out: Any = None) -> Any:
        nonlocal node_class
        if out is not excess or excess is not None:
            return elementwise_out(operation, excess, out, (input, other))
        if isinstance(input, Tensor):
            a = input._array
            if type(a) is ndarray:
                kind = a.dtype
                if kind is FLOAT32 or kind is FLOAT64 or (exact and kind is INT64):
                    if isinstance(other, Tensor):
                        b = other._array
                        if type(b) is not ndarray or b.dtype is not kind:
                            if type(b) is Batch:
                                found = recorded_batches(row, input, other)
                                if found is not None:
                                    return found
                            return general(row, (input, other))
                        if input._level != other._level:
                            return general(row, (input, other))
                        kept = other
                        y_edge = other._node
                    elif scalars and (
                        type(other) is int or (type(other) is float and kind is not INT64)
                    ):
                        b = None
                        if other or type(other) is int:
                            if kind is FLOAT32:
                                b = SINGLES.get(other)
                            elif kind is FLOAT64:
                                b = DOUBLES.get(other)
                        if b is None:
                            b = constant(other, kind)
                        kept = b
                        y_edge = None
                    else:
                        return general(row, (input, other))
                    try:
                        out = compute(a, b)
                    except TROUBLE:
                        return general(row, (input, other))
                    if type(out) is not ndarray:
                        out = np.asarray(out)
                    tensor = new(Tensor)
                    tensor._array = out
                    tensor._level = input._level
                    tensor._memory = None
                    tensor._view = None
                    x_edge = input._node
                    mask = 0 if x_edge is None else 1
                    if y_edge is not None:
                        mask += 2
                    if not mask or not differentiable or not (enabled := modes.enabled):
                        tensor._node = None
                        if mask and differentiable and enabled is NOTING:
                            note_unrecorded(y_edge if x_edge is None else x_edge)
                        if modes.inference:
                            tensor._memory = new(Untracked)
                        return tensor
                    plan = plans[mask]
                    if plan is None:
                        if has_shapes:
                            return general(row, (input, other))
                        plan = plans[mask] = row.plan(mask)
                        node_class = row.node_class
                    keep_x, keep_y, keep_out = keeps[mask]
                    node = new(node_class)
                    node.plan = plan
                    node.edges = (x_edge, y_edge)
                    node.saved = (
                        input if keep_x else None,
                        kept if keep_y else None,
                        out if keep_out else None,
                    )
                    node.sequence = next(clock)
                    node.shape = out.shape
                    node.dtype = kind
                    node.hooks = None
                    frame: Any = getframe(1)
                    if frame.f_globals.get("__package__") in INTERNAL_PACKAGES:
                        frame = user_frame(frame)
                    node.code = frame.f_code
                    node.instruction = frame.f_lasti
                    if enabled is not True:
                        enabled.recorded(node, (input, other), out)
                    tensor._node = node
                    return tensor
            elif type(a) is Batch:
                if isinstance(other, Tensor):
                    found = recorded_batches(row, input, other)
                elif scalars and (type(other) is int or type(other) is float):
                    kind = a.dtype
                    if kind is FLOAT32 or kind is FLOAT64:
                        found = recorded_batches(row, input, None, constant(other, kind))
                    else:
                        found = None
                else:
                    found = None
                if found is not None:
                    return found
        elif type(input) is plain and type(other) is plain:
            return row.evaluate((input, other), ())
        elif type(input) is Batch or type(other) is Batch:
            y = other
            if scalars and (type(y) is int or type(y) is float):
                kind = input.dtype
                if kind is FLOAT32 or kind is FLOAT64:
                    y = constant(y, kind)
            found = on_batches(compute, input, y)
            if found is not None:
                return found
        return general(row, (input, other))

    return operation
