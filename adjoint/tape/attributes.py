"""What a node shows of itself besides its name: ``_saved_*``, ``_raw_saved_*`` and metadata."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value
from adjoint.devices import device
from adjoint.tape.engine import rebuild
from adjoint.tape.names import saved_names
from adjoint.tape.node import AccumulateGrad, Node, Port, Refused
from adjoint.tape.saved import Freed, Packed, PackedValues
from adjoint.tape.tensor import Tensor, current_array, wrap

SAVED, RAW = "_saved_", "_raw_saved_"
DIMENSIONS = frozenset(("dim", "dims", "dim0", "dim1", "dim2", "dimension"))


class InputMetadata(NamedTuple):
    """Shape, type and place of one output of a node, as ``_input_metadata`` gives them."""

    shape: tuple[int, ...]
    dtype: Any
    device: Any
    is_nested_tensor: bool = False
    is_cpp_nested_tensor: bool = False


class SavedTensor:
    """One tensor that a node has saved, as ``grad_fn._raw_saved_self`` gives it."""

    __slots__ = ("index", "node", "place")

    def __init__(self, node: Node, place: int, index: int | None = None) -> None:
        self.node = node
        self.place = place
        self.index = index

    def _held(self) -> Any:
        saved = self.node.saved
        values = saved.values if isinstance(saved, PackedValues) else saved
        if isinstance(values, Freed):
            raise RuntimeError(
                f"Calling register_hooks on a saved tensor of {self.node.name()} after it has been "
                f"freed, by the backward at {values.where}. Specify retain_graph=True there"
            )
        value = values[self.place]
        return value if self.index is None else value[self.index]

    @property
    def data(self) -> Any:
        """What is kept: the tensor, or what a pack hook has made of it."""
        value = self._held()
        return value.given if isinstance(value, Packed) else self.unpack()

    def unpack(self) -> Any:
        """The saved tensor, None if there is none; an unpack hook runs."""
        self._held()
        value = self.node.unpack_saved()[self.place]
        value = value if self.index is None else value[self.index]
        return _as_tensor(self.node, self.place, value)

    def register_hooks(self, pack_hook: Callable[[Any], Any], unpack_hook: Any) -> None:
        """Keep ``pack_hook(tensor)`` instead of the tensor, and ``unpack_hook`` gives it back.

        Raises ``TypeError`` for hooks that cannot be called, and ``RuntimeError`` for a tensor that
        is None, was freed, or has hooks already.
        """
        for hook in (pack_hook, unpack_hook):
            if not callable(hook):
                raise TypeError(
                    "register_hooks(pack_hook, unpack_hook) takes two functions, not "
                    f"{type(hook).__name__}"
                )
        value, node = self._held(), self.node
        if value is None:
            raise RuntimeError("Calling register_hooks on a saved tensor with value None")
        if isinstance(value, Packed):
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set: only "
                "one pair of hooks is allowed at a time"
            )
        if isinstance(value, Tensor):
            packed = Packed(value, value._node, pack_hook, unpack_hook)
        else:
            shown = _as_tensor(node, self.place, value)
            try:
                packed = Packed(shown, None, pack_hook, unpack_hook, bare=True)
            finally:
                shown._node = None  # no cycle may hold the graph
        saved = node.saved
        is_packed = isinstance(saved, PackedValues)
        values = list(saved.values if is_packed else saved)
        if self.index is None:
            values[self.place] = packed
        else:
            parts = list(values[self.place])
            parts[self.index] = packed
            values[self.place] = tuple(parts)
        order = saved.order if is_packed else ()
        if self.place not in order:
            order = (*order, self.place)
        node.saved = PackedValues(tuple(values), order)


# -- saved values -------------------------------------------------------------------------------


def _names(node: Node) -> dict[str, str]:
    ends = isinstance(node, (AccumulateGrad, Refused))
    row = None if ends else getattr(node.plan, "row", None)
    return saved_names(row) if hasattr(row, "formulas") else {}


def _is_held(node: Node, own: str) -> bool:
    row = node.plan.row
    return own in row.inputs or own in row.outputs


def attribute(node: Node, name: str) -> Any:
    """``node._saved_self`` and the like; ``RuntimeError`` after a pass has freed them."""
    if name.startswith(SAVED):
        own = _names(node).get(name.removeprefix(SAVED))
        if own is not None:
            place = node.plan.positions[own]
            value = node.unpack_saved()[place]
            if own in DIMENSIONS:
                return _from_the_front(node, value)
            return _as_tensor(node, place, value)
    elif name.startswith(RAW):
        own = _names(node).get(name.removeprefix(RAW))
        if own is not None and _is_held(node, own):
            place = node.plan.positions[own]
            saved = node.saved
            values = saved.values if isinstance(saved, PackedValues) else saved
            value = values[place] if type(values) is tuple else None
            if type(value) is tuple:
                return tuple([SavedTensor(node, place, index) for index in range(len(value))])
            return SavedTensor(node, place)
    raise AttributeError(f"{type(node).__name__!r} object has no attribute {name!r}")


def attribute_names(node: Node) -> list[str]:
    """What ``dir(node)`` lists: PyTorch's names, and those of Adjoint's own."""
    names = {name for name in object.__dir__(node) if name not in Node.__slots__}
    for shown, own in _names(node).items():
        names.add(SAVED + shown)
        if _is_held(node, own):
            names.add(RAW + shown)
    return sorted(names)


def _as_tensor(node: Node, place: int, value: Any) -> Any:
    """A saved value as users see it: the tensor that was saved, at its place in the graph."""
    if type(value) is tuple:
        return tuple([_as_tensor(node, place, each) for each in value])
    plan = node.plan
    number = place - plan.width
    if 0 <= number < len(plan.row.outputs):
        if isinstance(value, Tensor):
            array, level = current_array(value, node), value._level
        elif isinstance(value, (np.ndarray, Value)):
            array = value
            level = int(value._level + 1) if isinstance(value, Value) else 0
        else:
            return value
        edge: Any = None
        if number < plan.row.differentiable and dtypes.of(array).category >= dtypes.FLOATING:
            edge = Port(node, number, array.shape, array.dtype) if plan.row.many_outputs else node
        return rebuild(array, edge, level)
    if isinstance(value, Tensor):
        current_array(value, node)
        return value
    if isinstance(value, np.generic):
        return value.item()
    return wrap(value) if isinstance(value, (np.ndarray, Value)) else value


def _from_the_front(node: Node, value: Any) -> Any:
    """Dimensions, which rows count from the end, counted from the front."""
    rank = max([len(node.shape), *[len(edge.shape) for edge in node.edges if edge is not None]])
    if isinstance(value, tuple):
        return tuple([each % rank if rank else each for each in value])
    return value % rank if isinstance(value, int) and rank else value


# -- metadata -----------------------------------------------------------------------------------


def input_metadata(node: Node) -> tuple[InputMetadata, ...]:
    """Shape, type and device of the gradient that arrives (of the first, if several do)."""
    kind = node.dtype if isinstance(node.dtype, dtypes.dtype) else dtypes.from_numpy(node.dtype)
    return (InputMetadata(tuple(node.shape), kind, device("cpu")),)
