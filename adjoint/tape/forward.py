"""Tangents that users attach to tensors: the state of a dual level, and how operations move them.

A dual tensor is an ordinary Tensor, with its own history, memory and views, whose array is
``Attached``: the memory together with a tangent, itself a Tensor. So all that looks at a Tensor's
place on the tape sees what it would see without the tangent, and only what looks at its memory
meets something else than memory.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.dual import Dual
from adjoint.array.value import apply
from adjoint.tape.engine import rows
from adjoint.tape.modes import modes
from adjoint.tape.node import Port
from adjoint.tape.tensor import Tensor, memory_of, new, wrap

ndarray = np.ndarray
BELOW = 0.5  # how far the level of an attached dual lies below that of its Tensor

PRIMAL, TANGENT = "fw_primal", "fw_tangent"  # the rows that take a dual apart


class DualLevel:
    """A level that was entered: the level of its Tensors, and which of them have a tangent."""

    __slots__ = ("level", "limit", "tensors")

    def __init__(self, level: int) -> None:
        self.level = level
        self.tensors: list[weakref.ref[Any]] = []
        self.limit = 64  # of tensors, when the dead ones among them are forgotten

    def adopt(self, tensor: Any) -> None:
        """Note a Tensor over an array of this level, to take its tangent away at the end."""
        self.tensors.append(weakref.ref(tensor))
        if len(self.tensors) > self.limit:
            self.tensors = [each for each in self.tensors if each() is not None]
            self.limit = max(64, 2 * len(self.tensors))

    def close(self) -> None:
        """Take the tangents away: those of tensors that users hold, and those that nodes saved."""
        for reference in self.tensors:
            tensor = reference()
            if tensor is not None:
                drop_tangent(tensor)
        self.tensors.clear()


class _Forward(threading.local):
    level: DualLevel | None = None
    enabled = True


forward = _Forward()


def is_moving() -> bool:
    """Whether operations carry tangents along in this thread."""
    return forward.enabled and not modes.inference


class Attached(Dual):
    """The array of a dual tensor: what it would be without its tangent, and the tangent.

    Its level is between those of the two, so that an operation on Tensors comes to the Tensor
    first, which records it, and a formula of an ordinary backward pass, which is given bare
    arrays, comes here and moves the tangents along.
    """

    __slots__ = ("home",)

    home: DualLevel

    def __init__(self, home: DualLevel, primal: Any, tangent: Any) -> None:
        super().__init__(home.level - BELOW, primal, tangent)  # type: ignore[arg-type]
        self.home = home

    def copy(self) -> Attached:
        """The same on memory of its own."""
        return Attached(self.home, rows.clone(self.primal, "K"), rows.clone(self.tangent, "K"))

    def adopt(self, tensor: Any) -> Attached:
        """What ``tensor``, newly made, has for its array: this, with a Tensor for a tangent."""
        self.home.adopt(tensor)
        if isinstance(self.tangent, Tensor):
            return self
        return Attached(self.home, self.primal, wrap(self.tangent, self.home.level))

    def _apply(
        self, row: Any, level: int, inputs: tuple[Any, ...], options: tuple[Any, ...]
    ) -> Any:
        primals: list[Any] = []
        tangents: list[Any] = []
        for each in inputs:
            inside = isinstance(each, Attached) and each._level == level
            primals.append(each.primal if inside else each)
            tangents.append(self._below(each.tangent) if inside else None)
        if row.name == TANGENT:
            return tangents[0]
        out = apply(row, tuple(primals), options)
        if not row.is_differentiable or row.name == PRIMAL or not is_moving():
            return out
        moved = row.jvp(row, tuple(primals), tuple(tangents), out, options)
        if not row.many_outputs:
            return out if moved is None else Attached(self.home, out, moved)
        moved = (*moved, *[None] * (len(out) - len(moved)))
        return tuple(
            each if t is None else Attached(self.home, each, t)
            for each, t in zip(out, moved, strict=True)
        )

    def _below(self, tangent: Any) -> Any:
        """A tangent without its tape: a pass that is not recorded records nothing of it either."""
        inside = isinstance(tangent, Tensor) and tangent._level == self.home.level
        return tangent._array if inside else tangent

    def carry(
        self,
        row: Any,
        level: int,
        mask: int,
        inputs: tuple[Any, ...],
        options: tuple[Any, ...],
        out: Any,
    ) -> Any:
        """Tensors of the result ``out``, recorded, with the tangents that the inputs' move them by.

        The tangents are computed on the tensors without theirs, which have the same history: a
        gradient of a tangent is a second derivative.
        """
        if row.name == TANGENT:
            return inputs[0]._array.tangent
        recorder = modes.enabled
        watched = mask and recorder and recorder is not True
        if not watched:
            result = row.record(level, mask, inputs, options, out)
            self._move(row, level, inputs, options, result)
            return result
        modes.enabled = True  # who watches is told when the tangents are there
        try:
            result = row.record(level, mask, inputs, options, out)
        finally:
            modes.enabled = recorder
        self._move(row, level, inputs, options, result)
        node = node_of(result if row.many_outputs else (result,))
        if node is not None:
            recorder.recorded(node, inputs, out)
        return result

    def _move(
        self, row: Any, level: int, inputs: tuple[Any, ...], options: tuple[Any, ...], result: Any
    ) -> None:
        """Attach the tangents to a result that has none yet."""
        if row.name == PRIMAL or not row.is_differentiable or not is_moving():
            return
        bare = tuple([without_tangent(each, level) for each in inputs])
        tangents = tuple(
            [None if a is b else a._array.tangent for a, b in zip(inputs, bare, strict=True)]
        )
        moved = row.jvp(row, bare, tangents, result, options)
        parts, moves = (result, moved) if row.many_outputs else ((result,), (moved,))
        for part, t in zip(parts, moves or (), strict=False):
            if t is None or dtypes.of(part._array).category < dtypes.FLOATING:
                continue
            if not row.view:
                t = _own(t, part._array, tangents, level)
            attach(part, t, self.home)
        if moves:
            _keep_moving(parts)


def tangent_of(value: Any, level: int) -> Any:
    """The tangent of a Tensor of ``level``, None where it has none."""
    if isinstance(value, Tensor) and value._level == level and type(value._array) is Attached:
        return value._array.tangent
    return None


def without_tangent(value: Any, level: int) -> Any:
    """A Tensor of ``level`` without its tangent, with the same memory and history."""
    if not isinstance(value, Tensor) or value._level != level or type(value._array) is not Attached:
        return value
    other: Tensor = new(Tensor)
    other._array = value._array.primal
    other._node = value._node
    other._level = level
    other._memory = memory_of(value)
    other._view = value._view
    return other


def array_of(tensor: Any) -> Any:
    """The array of a tensor without its tangent."""
    array = tensor._array
    return array.primal if type(array) is Attached else array


def set_array(tensor: Any, array: Any) -> None:
    """Give a tensor another array, and leave it the tangent that it may have."""
    present = tensor._array
    if type(present) is Attached and array.shape == present.shape:
        array = Attached(present.home, array, present.tangent)
    tensor._array = array


def drop_tangent(tensor: Any) -> None:
    """Let ``tensor`` be what it is without its tangent."""
    if type(tensor._array) is Attached:
        tensor._array = tensor._array.primal


def attach(tensor: Any, tangent: Any, home: DualLevel) -> None:
    """Give ``tensor`` a tangent, which becomes a Tensor of the same level."""
    level = tensor._level
    if not isinstance(tangent, Tensor) or tangent._level != level:
        tangent = wrap(tangent, level)
    tensor._array = Attached(home, tensor._array, tangent)
    home.adopt(tensor)


def _own(t: Any, array: Any, tangents: tuple[Any, ...], level: int) -> Any:
    """A tangent on memory of its own that lies as ``array`` does, so that both can be viewed."""
    kind = dtypes.of(array)
    if dtypes.of(t) is not kind:
        t = rows.to_dtype(t, kind)
    memory = t._array if isinstance(t, Tensor) and t._level == level else t
    given = [each._array for each in tangents if each is not None]
    if type(memory) is not ndarray:
        return rows.clone(t, "K") if any(memory is each for each in given) else t
    shared = any(type(each) is ndarray and np.may_share_memory(memory, each) for each in given)
    lies_so = type(array) is not ndarray or memory.strides == array.strides
    if shared or not lies_so or not memory.flags.writeable:
        return lay_out(t, array, level)
    return t


def lay_out(t: Any, array: Any, level: int) -> Any:
    """A copy of a tangent that lies in memory as ``array`` does."""
    if not isinstance(t, Tensor):
        t = wrap(t, level)
    order = "K"
    if type(array) is ndarray:
        order = "C" if array.flags.c_contiguous or not array.flags.f_contiguous else "F"
    if order == "F":
        dims = tuple(range(-1, -len(array.shape) - 1, -1))
        return rows.permute(rows.clone(rows.permute(t, dims), "C"), dims)
    return rows.clone(t, order)


def node_of(parts: Any) -> Any:
    """The node that made the results of one operation, None if nothing was recorded."""
    for part in parts:
        edge = part._node
        if edge is not None:
            return edge.node if type(edge) is Port else edge
    return None


def _keep_moving(parts: Any) -> None:
    """Let a node that keeps its outputs keep their tangents too, for the backward pass.

    This makes a cycle of the tangent's graph, which the end of the level takes apart.
    """
    node = node_of(parts)
    saved = getattr(node, "saved", None)
    if type(saved) is not tuple:
        return
    plan = node.plan
    row = getattr(plan, "row", None)
    if row is None or (row.many_outputs and row.output_count == 1):
        return  # it keeps nothing, or one list
    kept = list(saved)
    for number, part in enumerate(parts):
        place = plan.width + number
        if kept[place] is not None and type(part._array) is Attached:
            kept[place] = wrap(part._array, part._level)
            kept[place]._memory = memory_of(part)
    node.saved = tuple(kept)
