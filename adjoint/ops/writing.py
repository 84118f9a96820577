"""Plain writes: one number everywhere, another tensor's elements, and shapes changed in place."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import describe_shape
from adjoint.ops.dimensions import squeeze, swapaxes, t, transpose, unsqueeze
from adjoint.ops.inplace import check_writable, overwrite, zero_node, zero_row
from adjoint.ops.kinds.formulas import zero
from adjoint.ops.kinds.general import define
from adjoint.ops.kinds.public import public, publish
from adjoint.ops.kinds.quick import class_named
from adjoint.ops.masks import fill_value
from adjoint.ops.rewriting import (
    alias,
    base_of,
    earlier,
    family,
    place_of,
    renew_unrecorded,
    root_of,
    set_history,
    shorten,
)
from adjoint.ops.slicing import slice_row
from adjoint.ops.strided import as_strided, diagonal
from adjoint.shapes import broadcast_shapes
from adjoint.tape.modes import modes
from adjoint.tape.tensor import Tensor, memory_of, wrap

# -- rows ---------------------------------------------------------------------------------------


def _fill(x: Any, value: Any) -> Any:
    out = np.empty(np.broadcast_shapes(x.shape, value.shape), x.dtype)
    np.copyto(out, value.real if value.dtype.kind == "c" != x.dtype.kind else value, "unsafe")
    return out


fill_row, fill_tensor_row, fill_place_row, fill_place_tensor_row, copy_row = (
    define(
        name, "elementwise", _fill, inputs="x value", x=zero, value=lambda g: g,
        jvp=lambda x_t, value_t: fill_row(x_t, value_t),
        batch="elementwise", low_precision=False, conjugate=False, node_name=node_name,
    )
    for name, node_name in (
        ("fill", "FillBackward0"), ("fill_tensor", "FillBackward1"),
        ("fill_in_place", "FillBackward2"), ("fill_tensor_in_place", "FillBackward3"),
        ("copy", "CopyBackwards"),
    )
)  # fmt: skip

# -- values -------------------------------------------------------------------------------------


def _write(target: Any, value: Any, row: Callable[..., Any], recording: bool) -> Any:
    """Write ``value``, which broadcasts; its history is that of ``row``, or its own in a view."""
    if isinstance(value, Tensor) and value._level > target._level:
        overwrite(target, value)  # which lifts the target first
        return target
    if base_of(target) is target and isinstance(target._array, Value):
        before = earlier(target)
        overwrite(target, row(before, value))
        return target
    edge = None
    if recording:
        moving = isinstance(value, Tensor) and value._level == target._level
        edge = value._node if moving else None
        if base_of(target) is target:
            mask = (target._node is not None) + 2 * (edge is not None)
            inputs = (alias(target), value)
            edge = row.row.make_node(mask, inputs, (), target._array, sys._getframe(1))  # type: ignore[attr-defined]
            edge.shape, edge.dtype = target._array.shape, target._array.dtype
    overwrite(target, value, edge)
    return target


@public()
def fill(input: Any, value: Any) -> Any:
    """A tensor like ``input`` with ``value``, a number or a 0-d tensor, everywhere.

    Raises ``RuntimeError`` for a value with dimensions or one that the type cannot hold.

    >>> import adjoint as torch
    >>> torch.fill(torch.zeros(2), 7)
    tensor([7., 7.])
    """
    number, is_tensor = fill_value("fill", value, input)
    return (fill_tensor_row if is_tensor else fill_row)(input, number)


def fill_(input: Any, value: Any) -> Any:
    """Write ``value``, a number or a 0-d tensor, everywhere; returns the tensor.

    Raises ``RuntimeError`` for a value with dimensions or one that the type cannot hold.

    >>> import adjoint as torch
    >>> torch.zeros(2).fill_(7)
    tensor([7., 7.])
    """
    number, is_tensor = fill_value("fill_", value, input)
    recording = check_writable(input, (number,), expanded=not is_tensor)
    row = fill_place_tensor_row if is_tensor else fill_place_row
    return _write(input, number, row, recording)


def zero_(input: Any) -> Any:
    """Write zeros everywhere; returns the tensor.

    Raises ``RuntimeError`` for a leaf that requires grad, outside ``no_grad``.

    >>> import adjoint as torch
    >>> torch.ones(2).zero_()
    tensor([0., 0.])
    """
    recording = check_writable(input, expanded=True)
    if base_of(input) is input and isinstance(input._array, Value):
        before = earlier(input)
        overwrite(input, zero_row(before))
        return input
    nothing = wrap(np.zeros((), dtypes.of(input).numpy), input._level)
    edge = zero_node(input) if recording and input._node is not None else None
    overwrite(input, nothing, edge if base_of(input) is input else None)
    return input


def copy_(input: Any, src: Any, non_blocking: bool = False) -> Any:
    """Write the elements of ``src``, which broadcasts and is cast; returns the tensor.

    Raises ``RuntimeError`` for a shape that does not broadcast to the tensor's.

    >>> import adjoint as torch
    >>> torch.zeros(2, 2).copy_(torch.tensor([1, 2]))
    tensor([[1., 2.],
            [1., 2.]])
    """
    if isinstance(src, (bool, int, float, complex)):
        src = fill_value("copy_", src, input)[0]
    if not isinstance(src, (Value, np.ndarray)):
        raise TypeError(f"copy_(): src must be a Tensor, not {type(src).__name__}")
    shape, found = tuple(input.shape), tuple(src.shape)
    if found != shape and broadcast_shapes(shape, found) != shape:
        raise RuntimeError(
            f"copy_: output with shape {describe_shape(shape)} doesn't match the broadcast shape "
            f"of a source of shape {describe_shape(found)}"
        )
    recording = check_writable(input, (src,), expanded=src is input)
    return _write(input, src, copy_row, recording)


def fill_diagonal_(input: Any, fill_value: Any, wrap: bool = False) -> Any:
    """Write a number along the main diagonal; ``wrap`` goes on below it in tall matrices.

    Raises ``RuntimeError`` below 2 dimensions, and from 3 on unless all sizes are equal.

    >>> import adjoint as torch
    >>> torch.zeros(2, 2).fill_diagonal_(1)
    tensor([[1., 0.],
            [0., 1.]])
    """
    shape = tuple(input.shape)
    if len(shape) < 2:
        raise RuntimeError(f"fill_diagonal_ needs 2 dimensions, not shape {describe_shape(shape)}")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError(
            f"fill_diagonal_: all sizes must be equal, but got shape {describe_shape(shape)}"
        )
    tops = range(0, shape[0], shape[1] + 1) if wrap and len(shape) == 2 else (0,)
    for top in tops:
        part = input if not top else slice_row(input, -2, top, shape[0], 1)
        while len(part.shape) > 1:
            part = diagonal(part)
        fill_(part, fill_value)
    return input


for _function in (fill_, zero_, copy_, fill_diagonal_):
    publish(_function.__name__, _function, ("",) if _function in (fill_, zero_) else (), True)

# -- shapes -------------------------------------------------------------------------------------


def _looking(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The form of a view that makes the tensor itself look so."""

    def operate(self: Any, *args: Any, **kwargs: Any) -> Any:
        check_writable(self, expanded=True)
        before = alias(self)
        result = function(before, *args, **kwargs)
        memory = memory_of(self)
        children = [each for each in family(root_of(self)) if each._view.parent is self]
        self._array = result._array
        if self._view is not None:
            for view in children:
                view._view.parent = before
            self._view = result._view
            if not modes.enabled:  # it is the view that it was, not one that was made here
                self._view.reason = None
            shorten(self)
        elif children:
            _keep_looking(self, before, children, result._view)
        if modes.enabled:
            set_history(self, _as_in_place(result._node))
        elif self._node is not None:  # a leaf
            self._node.shape = self._array.shape
        memory.note_write()
        renew_unrecorded(memory, self if modes.enabled else None)
        return self

    operate.__name__ = operate.__qualname__ = name
    operate.__doc__ = f"``{name[:-1]}``, after which the tensor itself looks so."
    return operate


def _keep_looking(base: Any, before: Any, children: list[Any], look: Any) -> None:
    """Let views of a base that looks otherwise now stay what they are."""
    places = [place_of(each, base) for each in children]
    if None not in places:
        for each, place in zip(children, places, strict=True):
            each._view = place
        return
    for each in children:  # no plain memory: they look at what the base was, and so does it
        each._view.parent = before
    memory = memory_of(base)
    memory.root = weakref.ref(before)
    memory.views.append(weakref.ref(base))
    base._view = look


# PyTorch counts these forms after those that are not in place.
_NODES = {
    "SqueezeBackward0": "SqueezeBackward3", "SqueezeBackward1": "SqueezeBackward4",
    "SqueezeBackward2": "SqueezeBackward5", "UnsqueezeBackward0": "UnsqueezeBackward1",
    "TransposeBackward0": "TransposeBackward1", "TBackward0": "TBackward1",
    "AsStridedBackward0": "AsStridedBackward1",
}  # fmt: skip


def _as_in_place(node: Any) -> Any:
    found = _NODES.get(type(node).__name__)
    if found is not None:
        node.__class__ = class_named(found, node.plan.row)
    return node


_LOOKING: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("t_", t), ("transpose_", transpose), ("swapaxes_", swapaxes), ("swapdims_", transpose),
    ("squeeze_", squeeze), ("unsqueeze_", unsqueeze), ("as_strided_", as_strided),
)  # fmt: skip
for _name, _function in _LOOKING:
    publish(_name, _looking(_function, _name), ("",) if _name == "as_strided_" else (), True)
