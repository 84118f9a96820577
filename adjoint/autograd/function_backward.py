"""How a backward pass goes through a user's ``Function``, and what its backward may return."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value, levels_above
from adjoint.autograd.function_node import (
    BackwardCFunction,
    as_array,
    as_public,
    call_backward,
    origin,
    pulling,
)
from adjoint.errors import describe_shape
from adjoint.tape.forward import Attached
from adjoint.tape.modes import modes
from adjoint.tape.tensor import Tensor, wrap

ndarray = np.ndarray


class FunctionRow:
    """What the engine asks of a row of the table, for a user's Function."""

    __slots__ = ("many_outputs", "name", "output_count")

    kind = "function"
    variadic = False
    inputs = options = outputs = ()

    def __init__(self, name: str, output_count: int) -> None:
        self.name = name
        self.output_count = output_count
        self.many_outputs = output_count > 1


class FunctionPlan:
    """How a backward pass goes through the node of a Function with so many outputs."""

    __slots__ = ("row",)

    direct = None
    holds = width = 1

    def __init__(self, name: str, output_count: int) -> None:
        self.row = FunctionRow(name, output_count)

    def pull(
        self, node: BackwardCFunction, saved: Any, g: Any, level: int, record: bool
    ) -> list[Any]:
        """Run the user's backward: one gradient for each tensor among the inputs, or None."""
        if type(g) is ndarray and not record and level == 0:
            enabled = modes.enabled
            modes.enabled = False
            try:
                result = call_backward(node, [wrap(g)])
            finally:
                modes.enabled = enabled
            return _gradients_of_inputs(node, result, level)
        arrived = g if self.row.many_outputs else [g]
        # A pass over plain memory shows the Tensors that were saved, and records nothing, as in
        # PyTorch. Inside a transform, what was saved is taken a level down: there the same
        # operations may have to be recorded for the transforms around.
        lowered = not record and (level > 0 or any(map(_is_lifted, arrived)))
        grads = _grads_of_outputs(node, arrived)
        enabled, nodes = modes.enabled, pulling.nodes
        if lowered:
            pulling.nodes = (*nodes, node)
        elif not record:
            modes.enabled = False
        try:
            if record and level > 0:
                with levels_above(level):  # the user's code may use transforms of its own
                    result = call_backward(node, grads)
            else:
                result = call_backward(node, grads)
        finally:
            modes.enabled, pulling.nodes = enabled, nodes
        return _gradients_of_inputs(node, result, None if record else level)


def _is_lifted(g: Any) -> bool:
    return isinstance(g, Value) and type(g) is not Attached


def _grads_of_outputs(node: BackwardCFunction, arrived: list[Any]) -> list[Any]:
    """Gradients as Tensors; zeros for those that did not arrive, unless the user wants None."""
    grads: list[Any] = []
    padded = [*arrived, *[None] * (len(node._application.outputs) - len(arrived))]
    for each, fact in zip(padded, node._application.outputs, strict=True):
        if each is not None:
            grads.append(as_public(each))
        elif fact is None or not node.materialize_grads:
            grads.append(None)
        else:
            shape, kind = fact
            kind = kind.numpy if isinstance(kind, dtypes.dtype) else kind
            grads.append(wrap(np.zeros(shape, kind)))
    return grads


def _gradients_of_inputs(node: BackwardCFunction, result: Any, level: int | None) -> list[Any]:
    """What the user returned, checked, as the engine wants it; ``level`` None keeps Tensors."""
    given = result if isinstance(result, tuple) else (result,)
    expected = len(node._application.tensors)
    if len(given) > expected and all(each is None for each in given[expected:]):
        given = given[:expected]
    if len(given) != expected:
        raise RuntimeError(
            f"function {node.name()} returned an incorrect number of gradients (expected "
            f"{expected}, one for each argument of forward, got {len(given)}); {origin(node)}"
        )
    gradients: list[Any] = []
    for place, (value, tensor) in enumerate(zip(given, node._application.tensors, strict=True)):
        if not tensor:
            if value is not None:
                raise RuntimeError(
                    f"function {node.name()} returned a gradient different than None at position "
                    f"{place + 1}, but the corresponding forward input was not a Tensor; "
                    f"{origin(node)}"
                )
            continue
        edge = node.edges[len(gradients)]
        if value is None or edge is None:
            if value is not None and not isinstance(value, Tensor):
                raise _no_tensor(node, place, value)
            gradients.append(None)
            continue
        if not isinstance(value, Tensor):
            raise _no_tensor(node, place, value)
        array = value._array
        if array.shape != edge.shape or array.dtype is not edge.dtype:
            _check_gradient(node, place, value, edge)
        gradients.append(value if level is None else as_array(value, level))
    return gradients


def _no_tensor(node: BackwardCFunction, place: int, value: Any) -> RuntimeError:
    return RuntimeError(
        f"expected Variable or None (got {type(value).__name__}) as gradient {place} of function "
        f"{node.name()}; {origin(node)}"
    )


def _check_gradient(node: BackwardCFunction, place: int, value: Any, edge: Any) -> None:
    shape, wanted = tuple(value._array.shape), tuple(edge.shape)
    if shape != wanted and not stretches(wanted, shape):
        raise RuntimeError(
            f"Function {node.name()} returned an invalid gradient at index {place} - got "
            f"{describe_shape(shape)} but expected shape compatible with "
            f"{describe_shape(wanted)}; {origin(node)}"
        )
    kind = edge.dtype if isinstance(edge.dtype, dtypes.dtype) else dtypes.from_numpy(edge.dtype)
    if dtypes.of(value).is_complex and not kind.is_complex:
        raise RuntimeError(
            f"Function {node.name()} returned a complex gradient at index {place} for a real input "
            f"({kind!r}); return its real part; {origin(node)}"
        )


def stretches(shape: tuple[int, ...], larger: tuple[int, ...]) -> bool:
    """Whether a value of ``shape`` broadcasts to ``larger``."""
    extra = len(larger) - len(shape)
    return extra >= 0 and all(a in (1, b) for a, b in zip(shape, larger[extra:], strict=True))
