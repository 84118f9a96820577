"""The Tensor: a tape over an array. Its state only; its face is put on in ``adjoint/tensor.py``."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from math import inf
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from adjoint import dtypes
from adjoint.array.value import Value, apply
from adjoint.errors import GraphError
from adjoint.tape.modes import modes
from adjoint.tape.node import (
    AccumulateGrad,
    Loose,
    Node,
    Port,
    Refused,
    clock,
    line_of,
    shorten,
    user_frame,
)  # fmt: skip

new = object.__new__


class Memory:
    """What all tensors over one piece of memory share: when it was written, and who looks at it."""

    __slots__ = (
        "array", "code", "instruction", "limit", "maker", "root", "storage", "version", "views",
        "written",
    )  # fmt: skip

    def __init__(self) -> None:
        self.version = 0  # how many writes: PyTorch's ``_version``
        self.written: float = 0  # the clock at the last one
        self.code: CodeType | None = None  # the user's code of the last one
        self.instruction = 0
        self.views: list[weakref.ref[Any]] = []  # tensors that a write may concern, oldest first
        self.limit = 16  # of views, when the dead ones among them are forgotten
        self.root: weakref.ref[Any] | None = None
        self.storage: Any = None  # the bytes, once somebody has resized a tensor on them
        # Of the root, once it was detached and may be gone: its array, and the node that made it.
        self.array: Any = None
        self.maker: weakref.ref[Any] | None = None

    def note_write(self) -> None:
        """Count a write and remember the line."""
        self.version += 1
        self.written = next(clock)
        frame = user_frame(sys._getframe(1))
        if frame is not None:
            self.code, self.instruction = frame.f_code, frame.f_lasti

    @property
    def where(self) -> str:
        """``file:line`` of the user's code that wrote last."""
        if self.code is None:
            return "<unknown>"
        return f"{shorten(self.code.co_filename)}:{line_of(self.code, self.instruction)}"

    def forget_dead(self) -> None:
        """Keep the views that are still in use; next time at twice their number."""
        for reference in self.views:
            view = reference()
            if view is not None:
                chains.shorten(view)
        view = None
        self.views = [reference for reference in self.views if reference() is not None]
        self.limit = max(16, 2 * len(self.views))


class _Chains:
    """What concerns all views of a memory; the table fills it in."""

    shorten: Callable[[Any], None]  # keep views of views of views from holding them all
    settle: Callable[[Any], None]  # a base requires a gradient now, or does not any more


chains = _Chains()


class Untracked(Memory):
    """The memory of tensors made in inference mode: what saved it will find it spoiled.

    Made for every result there, so it has nothing of its own until somebody asks for more.
    """

    version = 0
    code: CodeType | None = None
    instruction = 0
    limit = sys.maxsize
    root = storage = array = maker = None

    def __init__(self) -> None:
        """Nothing."""

    @property
    def written(self) -> float:
        """Later than anything: nothing that is recorded may use this memory."""
        return inf

    @written.setter
    def written(self, time: float) -> None:
        """It stays so."""

    @property
    def views(self) -> list[weakref.ref[Any]]:
        """Tensors that look at it, as in ``Memory``."""
        found: list[weakref.ref[Any]] = self.__dict__.setdefault("_views", [])
        return found

    @views.setter
    def views(self, found: list[weakref.ref[Any]]) -> None:
        self.__dict__["_views"] = found

    def note_write(self) -> None:
        """Count a write: for transforms, which store results of writes at their end."""
        self.version += 1


# Why a view may not be written to where gradients are wanted: PyTorch forbids these, because what
# the write would mean for the base is ambiguous.
NO_GRAD = "was created in no_grad mode"
INFERENCE = "was created in inference mode"
SEVERAL = "is one of several outputs of a function that returns views"
CUSTOM = "was created inside a custom Function, or is an input that one returned as it was"


class View:
    """How a tensor looks at another's memory: enough to look again after a write.

    The commonest, one view by one recorded operation, is made for every ``x[0]`` and ``x.t()``, so
    it has no more slots than it needs.
    """

    __slots__ = ("options", "parent", "row")

    parent: Any  # what it looks at, through ``row`` with ``options``
    row: Any
    options: tuple[Any, ...]
    number: int = 0  # which of the row's outputs it is
    differentiable: bool = True  # False for ``detach()``
    reason: str | None = None  # NO_GRAD, INFERENCE, SEVERAL or CUSTOM: forbids to write

    @property
    def base(self) -> Any:
        """The end of the chain of parents, as far as gradients flow."""
        tensor = self.parent
        while (view := tensor._view) is not None and view.differentiable:
            tensor = view.parent
        return tensor

    @property
    def creation(self) -> str | None:
        """Why it may not be written to where gradients are wanted: its reason, or a parent's."""
        view: View | None = self
        while view is not None and view.differentiable:
            if view.reason is not None:
                return view.reason
            view = view.parent._view
        return None


class SpecialView(View):
    """A view that is one of several, is no view for gradients, or may not be written to."""

    __slots__ = ("differentiable", "number", "reason")


if TYPE_CHECKING:  # the methods that the layers above put on
    from adjoint.face.methods import Methods
else:
    Methods = Value


class Tensor(Methods):
    """A multi-dimensional array that can record what is done to it."""

    # _array: ndarray, or the value of a lower level. _node: who made it (Node or Port), the
    # AccumulateGrad of a leaf that requires a gradient, or None. _memory: None until the memory is
    # shared or written. _view: None for a base.
    __slots__ = ("__dict__", "__weakref__", "_array", "_level", "_memory", "_node", "_view")

    _array: Any
    _node: Node | Port | None
    _level: int
    _memory: Memory | None
    _view: View | None

    def _apply(
        self, row: Any, level: int, inputs: tuple[Any, ...], options: tuple[Any, ...]
    ) -> Any:
        """Carry out a row on arrays one level down, and record it where a gradient is wanted."""
        arrays: list[Any] = []
        mask, bit = 0, 1
        moving: Any = None  # an array that a user has attached a tangent to
        for value in inputs:
            if isinstance(value, Tensor) and value._level == level:
                array = value._array
                if type(array) is not np.ndarray and array._level == level - 0.5:
                    moving, array = array, array.primal
                arrays.append(array)
                if value._node is not None:
                    mask |= bit
            else:
                arrays.append(value)
            bit <<= 1
        out = apply(row, tuple(arrays), options)
        if moving is not None:
            return moving.carry(row, level, mask, inputs, options, out)
        return row.record(level, mask, inputs, options, out)


_get_node: Callable[[Any], Any] = Tensor.__dict__["_node"].__get__
_set_node: Callable[[Any, Any], None] = Tensor.__dict__["_node"].__set__


class Ambiguous(Tensor):
    """A view of which a write has made unclear what its gradient would be: an error to use.

    A tensor becomes one by a change of its class, so that ordinary tensors need no check.
    """

    __slots__ = ()

    @property
    def _node(self) -> Any:
        """What stands for its history; raises where something might be recorded."""
        node: Refused = _get_node(self)
        if modes.enabled:
            raise node.error()
        return node

    @_node.setter
    def _node(self, node: Any) -> None:
        self.__class__ = Tensor  # type: ignore[assignment]
        _set_node(self, node)

    @property
    def requires_grad(self) -> bool:
        """True, as it was."""
        return True

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        raise history_of(self).error()

    @property
    def grad(self) -> Any:
        """What was kept before."""
        return self.__dict__.get("_retained_grad")

    @grad.setter
    def grad(self, value: Any) -> None:
        self.__dict__["_retained_grad"] = value

    @property
    def retains_grad(self) -> bool:
        """False: what it kept was that of another history."""
        return False

    @property
    def output_nr(self) -> int:
        """Which of several views it is."""
        view = self._view
        return view.number if view is not None and view.reason == SEVERAL else 0


def history_of(tensor: Any) -> Any:
    """The node of a tensor, also of one that may not be used."""
    return _get_node(tensor)


def keep_grad(tensor: Any) -> None:
    """Before ``tensor`` gets another history: a ``.grad`` that it has as a leaf stays."""
    node = _get_node(tensor)
    if isinstance(node, AccumulateGrad) and node.grad is not None:
        tensor.__dict__["_retained_grad"] = node.grad


def make_ambiguous(tensor: Any) -> None:
    """Let every use of a view's history be an error from now on."""
    node: Refused = new(Refused)
    node.edges = ()
    node.saved = ()
    node.sequence = next(clock)
    node.shape, node.dtype = tensor._array.shape, tensor._array.dtype
    node.hooks = None
    node.code, node.instruction = None, 0
    node.reason = tensor._view.creation
    keep_grad(tensor)
    _set_node(tensor, node)
    tensor.__class__ = Ambiguous


def wrap(array: Any, level: int = 0) -> Tensor:
    """A fresh Tensor over ``array``, not requiring a gradient."""
    tensor: Tensor = new(Tensor)
    tensor._node = None
    tensor._level = level
    tensor._memory = None
    tensor._view = None
    if isinstance(array, Value):
        if array._level == level - 0.5:
            array = array.adopt(
                tensor
            )  # a dual that a user made, to be taken apart when its level ends
    elif type(array) is not np.ndarray:
        array = np.asarray(array)
    tensor._array = array
    if modes.inference:
        tensor._memory = new(Untracked)
    return tensor


def make_leaf(tensor: Any) -> None:
    """Give ``tensor`` the AccumulateGrad node of a leaf that requires a gradient."""
    node: AccumulateGrad = new(AccumulateGrad)
    node.plan = None
    tensor._node = _end_at(tensor, node)


def make_loose(tensor: Any) -> None:
    """Let ``tensor`` want a gradient as its base does, without a way to it."""
    tensor._node = loose_end(tensor)


def loose_end(tensor: Any) -> Any:
    """An end at ``tensor`` at which no gradient is kept."""
    return _end_at(tensor, new(Loose))


def _end_at(tensor: Any, node: AccumulateGrad) -> AccumulateGrad:
    node.edges = ()
    node.saved = ()
    node.sequence = next(clock)
    node.shape = tensor._array.shape
    node.dtype = tensor._array.dtype
    node.hooks = None
    node.code = None
    node.instruction = 0
    node.grad = None
    node.variable_reference = weakref.ref(tensor)
    return node


def set_requires_grad(tensor: Any, value: bool = True) -> Any:
    """Mark a leaf as wanting a gradient, or not.

    Raises ``RuntimeError`` for integer and boolean types, and for a tensor that was computed.
    """
    node = history_of(tensor)
    if node is not None and not isinstance(node, AccumulateGrad):
        if value:
            return tensor
        raise RuntimeError(
            "you can only change requires_grad flags of leaf variables. If you want to use a "
            "computed variable in a subgraph that doesn't require differentiation use "
            "var_no_grad = var.detach()."
        )
    if not value:
        forget_history(tensor)
        if base_wants(tensor):
            make_loose(tensor)
    elif node is None or type(node) is Loose:
        require_differentiable(dtypes.of(tensor._array))
        if type(tensor._memory) is Untracked and not modes.inference:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not "
                "allowed; use .clone() to get a normal tensor first"
            )
        make_leaf(tensor)
        facts = tensor.__dict__
        if "_retained_grad" in facts:  # from when it was a leaf before
            tensor._node.grad = facts.pop("_retained_grad")
        if "_leaf_hooks" in facts:
            tensor._node.hooks = facts.pop("_leaf_hooks")
        if "_grad_dtype" in facts:
            tensor._node.dtype = facts["_grad_dtype"]
        if tensor._memory is not None and tensor._memory.views:
            chains.settle(tensor)
    return tensor


def base_wants(tensor: Any) -> bool:
    """Whether ``tensor`` is a view of a tensor that requires a gradient."""
    view = tensor._view
    return view is not None and view.differentiable and view.base._node is not None


def forget_history(tensor: Any) -> None:
    """Make a constant of ``tensor``; a ``.grad`` that it has stays."""
    node = tensor._node
    if isinstance(node, AccumulateGrad) and node.grad is not None:
        tensor.__dict__["_retained_grad"] = node.grad
    if isinstance(node, AccumulateGrad) and node.hooks is not None:
        tensor.__dict__["_leaf_hooks"] = node.hooks
    tensor._node = None
    if tensor._memory is not None and tensor._memory.views:
        chains.settle(tensor)


def require_differentiable(kind: dtypes.dtype) -> None:
    """Raise ``RuntimeError`` unless gradients exist for this element type."""
    if kind.category < dtypes.FLOATING:
        raise RuntimeError(
            "only Tensors of floating point and complex dtype can require gradients, but this "
            f"one is {kind!r}; convert it first, as in x.float()"
        )


def memory_of(tensor: Any) -> Memory:
    """The record of writes that ``tensor`` shares with every view of its memory."""
    memory: Memory | None = tensor._memory
    if memory is None:
        memory = tensor._memory = Memory()
        memory.root = weakref.ref(tensor)
    return memory


def remember_maker(tensor: Any) -> Memory:
    """Before ``tensor`` is detached: keep in mind whose saved result its memory may be."""
    memory: Memory = tensor._memory or memory_of(tensor)
    if memory.array is None:
        while tensor._view is not None:
            tensor = tensor._view.parent
        memory.array = tensor._array
        node = tensor._node
        if node is not None and not isinstance(node, AccumulateGrad):
            memory.maker = weakref.ref(getattr(node, "node", node))
    return memory


def note_maker(tensor: Any, node: Any) -> None:
    """Keep in mind that ``node`` has saved a result that has no history of its own: indices."""
    memory = memory_of(tensor)
    memory.array, memory.maker = tensor._array, weakref.ref(node)


def mark_view(
    out: Any,
    parent: Any,
    row: Any,
    options: tuple[Any, ...],
    number: int = 0,
    differentiable: bool = True,
) -> None:
    """Note that ``out`` looks at ``parent``'s memory through ``row``."""
    memory = parent._memory
    if memory is None:
        memory = memory_of(parent)
    view: View
    if modes.enabled and differentiable and not row.many_outputs:
        view = new(View)
    else:
        view = new(SpecialView)
        view.number = number
        view.differentiable = differentiable
        view.reason = SEVERAL if row.many_outputs else None
        if not modes.enabled:
            view.reason = INFERENCE if modes.inference else NO_GRAD
    view.parent = parent
    view.row = row
    view.options = options
    out._memory = memory
    out._view = view
    if not modes.enabled and base_wants(out):
        floating = dtypes.of(out._array).category >= dtypes.FLOATING
        if floating:
            make_loose(out)
    memory.views.append(weakref.ref(out))
    if len(memory.views) > memory.limit:
        memory.forget_dead()


def current_array(tensor: Any, node: Node) -> Any:
    """The array of a tensor that ``node`` saved; ``GraphError`` if it was written to since."""
    memory = tensor._memory
    if memory is not None and memory.written > node.sequence:
        raise spoiled(tensor, node)
    return tensor._array


def spoiled(tensor: Any, node: Node) -> GraphError:
    """The error for a saved value that an in-place operation has overwritten."""
    memory = tensor._memory
    kind = dtypes.of(tensor._array)
    if type(memory) is Untracked:
        return GraphError(
            "Inference tensors cannot be saved for backward: a gradient needs the "
            f"{kind!r} tensor of shape {list(tensor._array.shape)} that {node.name()} used at "
            f"{node.where()}, which was made in inference mode. Use its clone() there, or make it "
            "under no_grad() instead"
        )
    return GraphError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: the {kind!r} tensor of shape {list(tensor._array.shape)} that "
        f"{node.name()} saved at {node.where()} was written to at {memory.where} "
        f"(it is at version {memory.version}). Write to a copy instead (x = x.clone()), or use "
        "the operation that is not in place"
    )


Hook = Callable[[Any], Any]
