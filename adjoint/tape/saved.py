"""Saved values that are not simply there: packed by a user's hooks, or freed by a backward pass.

``node.saved`` is a tuple, or one of these, whose ``unpacked`` gives the tuple or says why not.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.errors import GraphError
from adjoint.tape.modes import modes
from adjoint.tape.names import saved_order
from adjoint.tape.node import Node, line_of, shorten, user_frame
from adjoint.tape.tensor import Tensor, wrap

Pack = Callable[[Any], Any]
Unpack = Callable[[Any], Any]


class Freed:
    """What stands for the values that a backward pass has freed; one for each pass."""

    __slots__ = ("code", "instruction")

    def __init__(self, frame: FrameType | None) -> None:
        frame = user_frame(frame)
        self.code: CodeType | None = None if frame is None else frame.f_code
        self.instruction = 0 if frame is None else frame.f_lasti

    @property
    def where(self) -> str:
        """``file:line`` of the user's code that ran that pass."""
        if self.code is None:
            return "<unknown>"
        return f"{shorten(self.code.co_filename)}:{line_of(self.code, self.instruction)}"

    def unpacked(self, node: Node) -> tuple[Any, ...]:
        """Raises: the graph was gone through before."""
        raise GraphError(
            "Trying to backward through the graph a second time: the values that "
            f"{node.name()} saved at {node.where()} were freed by the backward at {self.where}. "
            "Specify retain_graph=True there if you need to go through the graph again"
        )


class Packed:
    """What a pack hook gave for one saved tensor, and how to get that back."""

    __slots__ = ("bare", "edge", "given", "level", "unpack")

    def __init__(
        self, tensor: Any, edge: Any, pack: Pack, unpack: Unpack, bare: bool = False
    ) -> None:
        memory = tensor._memory
        before = 0 if memory is None else memory.written
        enabled = modes.enabled
        modes.enabled = False
        try:
            self.given = pack(tensor)
        finally:
            modes.enabled = enabled
        memory = tensor._memory
        if memory is not None and memory.written > before:
            raise RuntimeError(
                "a pack hook of saved_tensors_hooks has written into the tensor it was given; "
                "write into a copy (x.clone()) there"
            )
        self.edge = edge
        self.level = tensor._level
        self.unpack = unpack
        self.bare = bare  # whether the node had an array, and no tensor

    def tensor(self) -> Any:
        """The saved tensor again, at its old place in the graph."""
        found = self.unpack(self.given)
        if not isinstance(found, Tensor):
            raise TypeError(
                "an unpack hook of saved_tensors_hooks must return a Tensor, not "
                f"{type(found).__name__}"
            )
        array = found._array if found._level == self.level else found
        if self.bare:
            return array
        # A Tensor of its own: writes to what the hook has given are the hook's affair.
        out = wrap(array, self.level)
        out._node = self.edge
        return out


class PackedValues:
    """The saved values of a node, some of them packed; ``order`` is that of unpacking."""

    __slots__ = ("order", "values")

    def __init__(self, values: tuple[Any, ...], order: tuple[int, ...]) -> None:
        self.values = values
        self.order = order

    def unpacked(self, node: Node) -> tuple[Any, ...]:
        """The values as formulas want them; the hooks run anew each time."""
        found = list(self.values)
        for place in self.order:
            found[place] = _unpacked(found[place])
        return tuple(found)


def _unpacked(value: Any) -> Any:
    if isinstance(value, Packed):
        return value.tensor()
    return tuple(map(_unpacked, value)) if type(value) is tuple else value


def pack_saved(node: Node, inputs: tuple[Any, ...], pack: Pack, unpack: Unpack) -> None:
    """Let the hooks take the tensors and arrays that ``node``, made of ``inputs``, has saved.

    In PyTorch's order: inputs by name, then results. An input is shown to the pack hook itself; a
    result as a new tensor, which belongs to ``node`` only while the hook runs, so that no cycle
    holds the graph. Constants that come from numbers are nobody's tensors.
    """
    saved, plan = node.saved, node.plan
    if type(saved) is not tuple:
        return
    order = saved_order(plan)
    level = max([each._level for each in inputs if isinstance(each, Tensor)], default=0)
    values = list(saved)
    width = getattr(plan, "width", 1)
    wanted = width + getattr(plan.row, "differentiable", 0)
    for place in order:
        is_input, maker = place < width, node if place < wanted else None
        values[place] = _pack(values[place], is_input, maker, level, pack, unpack)
    node.saved = PackedValues(tuple(values), order)


def _pack(
    value: Any, is_input: bool, maker: Node | None, level: int, pack: Pack, unpack: Unpack
) -> Any:
    # Not a function inside the one above: what calls itself from there would be a cycle.
    if isinstance(value, Tensor):
        if is_input or value._node is not None or dtypes.of(value).category < dtypes.FLOATING:
            return Packed(value, value._node, pack, unpack)
        value._node = maker  # a result that has been written to since, or that has a tangent
        try:
            return Packed(value, None, pack, unpack)
        finally:
            value._node = None
    if type(value) is tuple:
        return tuple([_pack(each, is_input, maker, level, pack, unpack) for each in value])
    if is_input or not isinstance(value, (np.ndarray, Value)):
        return value
    shown = wrap(value, level)
    if dtypes.of(value).category >= dtypes.FLOATING:
        shown._node = maker
    try:
        return Packed(shown, None, pack, unpack, bare=True)
    finally:
        shown._node = None
