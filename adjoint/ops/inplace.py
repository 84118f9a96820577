"""Writing in place: memory, version counters, and the history of a base and its views.

An in-place operation is computed out of place and stored. For a view, the store is itself an
operation on the base (``copy_slices``, linear in both), and every view of the base is then
recorded anew from it, in the order in which the views were made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.row import Row
from adjoint.tape.modes import modes
from adjoint.tape.node import AccumulateGrad, Port
from adjoint.tape.tensor import Tensor, memory_of, new

Path = tuple[tuple[Row, tuple[Any, ...], int], ...]


def follow(value: Any, path: Path) -> Any:
    """Take the views of ``path`` one after the other."""
    for row, options, number in path:
        value = row((value,), options)
        if row.many_outputs:
            value = value[number]
    return value


def _copy_slices(base: Any, source: Any, path: Path) -> Any:
    out = base.copy()
    np.copyto(follow(out, path), source, casting="unsafe")
    return out


def _without(g: Any, path: Path) -> Any:
    region = follow(g, path)
    return copy_slices(g, np.zeros(region.shape, dtypes.of(g).numpy), path)


copy_slices = define(
    "copy_slices",
    "movement",
    _copy_slices,
    inputs="base source",
    options="path",
    base=lambda g, path: _without(g, path),
    source=lambda g, path: follow(g, path),
    jvp="linear",
    batch="loop",
    low_precision=False,
    node_name="CopySlices",
)


def in_place(operation: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The form of an operation that stores its result in its first input and returns that."""

    def operate(self: Any, *args: Any, **kwargs: Any) -> Any:
        check_writable(self)
        before = alias(self)
        result = operation(before, *args, **kwargs)
        if sys.getrefcount(before) > 2 and isinstance(before._array, np.ndarray):
            # A formula needs the values that the write replaces: it keeps a copy, as in PyTorch.
            before._array, before._memory = before._array.copy(), None
        return store(self, result, name)

    operate.__name__ = operate.__qualname__ = name
    operate.__doc__ = f"In-place form of ``{operation.__name__}``: stores the result in ``self``."
    return operate


def alias(tensor: Any) -> Any:
    """Another Tensor on the same memory with today's history, which a later write leaves alone."""
    other = new(Tensor)
    other._array = tensor._array
    other._node = tensor._node
    other._level = tensor._level
    other._memory = memory_of(tensor)
    other._view = tensor._view
    return other


def check_writable(tensor: Any) -> None:
    """Raise ``RuntimeError`` where PyTorch does: leaves that require grad, their views, repeats."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"only Tensors are written in place, not {type(tensor).__name__}")
    base = tensor if tensor._view is None else tensor._view.base
    if modes.enabled:
        if isinstance(tensor._node, AccumulateGrad):
            raise RuntimeError(
                "a leaf Variable that requires grad is being used in an in-place operation. "
                "Use no_grad() around an update, or an operation that is not in place"
            )
        if isinstance(base._node, AccumulateGrad) and tensor._view.differentiable:
            raise RuntimeError(
                "a view of a leaf Variable that requires grad is being used in an in-place "
                "operation. Use no_grad() around an update, or clone() the leaf first"
            )
    if tensor.__dict__.get("_inference") and not modes.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed; "
            "use .clone() to get a normal tensor first"
        )
    array = tensor._array
    if (
        isinstance(array, np.ndarray)
        and array.size > 1
        and any(
            stride == 0 and size > 1
            for stride, size in zip(array.strides, array.shape, strict=True)
        )
    ):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            f"single memory location (shape {describe_shape(array.shape)}, expanded). "
            "Please clone() the tensor before performing the operation."
        )


def store(target: Any, result: Any, name: str) -> Any:
    """Put ``result`` into the memory of ``target``, whose history becomes that of the result."""
    if tuple(result.shape) != tuple(target.shape):
        raise RuntimeError(
            f"{name}: output with shape {describe_shape(target.shape)} doesn't match the "
            f"broadcast shape {describe_shape(result.shape)}"
        )
    found, wanted = dtypes.of(result._array), dtypes.of(target._array)
    if found.category > wanted.category:
        raise RuntimeError(
            f"{name}: result type {found!r} can't be cast to the desired output type {wanted!r}"
        )
    overwrite(target, result)
    return target


def overwrite(target: Any, result: Any) -> None:
    """Store values that fit, count the write, and rewrite the history of base and views."""
    view = target._view
    if isinstance(target._array, np.ndarray) and not isinstance(result._array, Value):
        np.copyto(target._array, result._array, casting="unsafe")
        memory_of(target).note_write()
        # Under no_grad nothing is recorded and the history stays what it was, as for leaves
        # that an optimiser updates.
        if modes.enabled and (result._node is not None or _has_history(target)):
            _rewrite_history(target, result)
    elif view is None:
        target._array = result._array
        memory_of(target).note_write()
        target._node = result._node
        _renew_views(target, arrays=True)
    else:
        base, path = view.base, path_of(target)
        changed = copy_slices(alias(base), result, path)
        base._array, base._node = changed._array, changed._node
        memory_of(target).note_write()
        _renew_views(base, arrays=True)


def _has_history(target: Any) -> bool:
    base = target if target._view is None else target._view.base
    return target._node is not None or base._node is not None


def path_of(tensor: Any) -> Path:
    """The views that lead from the base to ``tensor``."""
    steps = []
    while tensor._view is not None:
        view = tensor._view
        steps.append((view.row, view.options, view.number))
        tensor = view.parent
    return tuple(reversed(steps))


def _rewrite_history(target: Any, result: Any) -> None:
    view = target._view
    if view is None or not view.differentiable:
        target._node = result._node
        _renew_views(target, arrays=False)
        return
    base = view.base
    before, source = alias(base), alias(result)
    mask = (before._node is not None) + 2 * (source._node is not None)
    if mask:
        row = copy_slices.row  # type: ignore[attr-defined]
        node = row.make_node(
            mask, (before, source), (path_of(target),), base._array, sys._getframe(1)
        )
        node.shape, node.dtype = base._array.shape, base._array.dtype
        base._node = node
    else:
        base._node = None
    _renew_views(base, arrays=False)


def _renew_views(base: Any, arrays: bool) -> None:
    """Record every live view of ``base`` anew, parents before the views taken of them."""
    memory = memory_of(base)
    for reference in memory.views:
        view = reference()
        if view is None or view._view is None or not view._view.differentiable:
            continue
        look = view._view
        if look.base is not base and look.parent is not base:
            continue
        row, options, number = look.row, look.options, look.number
        if arrays:
            fresh = follow(look.parent, ((row, options, number),))
            view._array, view._node = fresh._array, fresh._node
        elif look.parent._node is None:
            view._node = None
        else:
            out = view._array
            node = row.make_node(1, (look.parent,), options, out, sys._getframe(1))
            node.shape, node.dtype = out.shape, out.dtype
            view._node = Port(node, number, out.shape, out.dtype) if row.many_outputs else node
