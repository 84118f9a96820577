"""Saved values that are not simply there: packed by a user's hooks, or freed by a backward pass.

``node.saved`` is a tuple, or one of these, whose ``unpacked`` gives the tuple or says why not.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import numpy as np

from adjoint.array.value import Value
from adjoint.errors import GraphError
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

    __slots__ = ("edge", "given", "level", "unpack")

    def __init__(self, tensor: Any, edge: Any, pack: Pack, unpack: Unpack) -> None:
        level = tensor._level
        shown = wrap(tensor._array, level)
        memory = shown._memory = tensor._memory
        before = 0 if memory is None else memory.written
        self.given = pack(shown)
        memory = shown._memory
        if memory is not None and memory.written > before:
            raise RuntimeError(
                "a pack hook of saved_tensors_hooks has written into the tensor it was given; "
                "write into a copy (x.clone()) there"
            )
        self.edge = edge
        self.level = level
        self.unpack = unpack

    def tensor(self) -> Any:
        """The saved tensor again, at its old place in the graph."""
        found = self.unpack(self.given)
        if not isinstance(found, Tensor):
            raise TypeError(
                "an unpack hook of saved_tensors_hooks must return a Tensor, not "
                f"{type(found).__name__}"
            )
        # A Tensor of its own: writes to what the hook has given are the hook's affair.
        out = wrap(found._array if found._level == self.level else found, self.level)
        out._node = self.edge
        return out


class PackedValues:
    """The saved values of a node, some of them packed."""

    __slots__ = ("values",)

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values

    def unpacked(self, node: Node) -> tuple[Any, ...]:
        """The values as formulas want them; the hooks run anew each time."""
        return tuple(map(_unpacked, self.values))


def _unpacked(value: Any) -> Any:
    if isinstance(value, Packed):
        return value.tensor()
    return tuple(map(_unpacked, value)) if type(value) is tuple else value


def pack_saved(node: Node, inputs: tuple[Any, ...], pack: Pack, unpack: Unpack) -> None:
    """Let the hooks take the tensors and arrays that ``node``, made of ``inputs``, has saved."""
    saved, count = node.saved, node.plan.holds
    if not count or type(saved) is not tuple:
        return
    level = max([each._level for each in inputs if isinstance(each, Tensor)], default=0)

    def packed(value: Any) -> Any:
        if isinstance(value, Tensor):
            return Packed(value, value._node, pack, unpack)
        if isinstance(value, (np.ndarray, Value)):
            # An output: the pass puts it in its place, so that no cycle holds the graph.
            return Packed(wrap(value, level), None, pack, unpack)
        return tuple(map(packed, value)) if type(value) is tuple else value

    node.saved = PackedValues((*map(packed, saved[:count]), *saved[count:]))
