"""The node of a user's ``Function``: what it saves, and how that is found again."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from adjoint.array.batch import Batch
from adjoint.array.value import Value
from adjoint.autograd.function_context import FunctionCtx, OwnTurn, Shadow, begin_turn, end_turn
from adjoint.tape.attributes import SavedTensor
from adjoint.tape.engine import rebuild
from adjoint.tape.forward import Attached
from adjoint.tape.node import INTERNAL_PACKAGES, Node, Port, shorten, user_frame
from adjoint.tape.saved import Freed
from adjoint.tape.tensor import Tensor, Untracked, memory_of, new, spoiled, wrap

ndarray = np.ndarray
Fact = tuple[tuple[int, ...], Any]  # shape and type of an output


class _Pulling(threading.local):
    # Nodes whose backward this thread runs on values a level down, the innermost last.
    nodes: tuple[Any, ...] = ()


pulling = _Pulling()
_NONE_KEPT = ((),)


class Application:
    """What Adjoint keeps of one application, apart from the user's attributes."""

    __slots__ = ("kept", "level", "outputs", "own", "places", "tensors")

    def __init__(self, level: int, tensors: tuple[bool, ...]) -> None:
        self.level = level
        self.tensors = tensors  # of each argument, whether it is a Tensor
        self.outputs: tuple[Fact | None, ...] = ()  # of each output, None for what is no Tensor
        self.kept: Any = _NONE_KEPT  # a tuple of one tuple, freed, or packed
        self.places: tuple[int | None, ...] = ()  # of each saved value, which output it is
        self.own: dict[str, Any] | None = (
            None  # the user's attributes that have names of the tape's
        )


class BackwardCFunction(Node, FunctionCtx):
    """The node of a ``Function``'s application; each ``Function`` has a subclass of its own."""

    _forward_cls: ClassVar[Any]
    _application: Application

    def __repr__(self) -> str:
        return object.__repr__(self)

    # The engine looks at ``saved`` before a pass comes here, while PyTorch unpacks and complains
    # only when ``backward`` asks for ``saved_tensors``. So what is packed or freed shows as empty.
    @property
    def saved(self) -> Any:
        """The saved values as the engine knows them: one tuple in a tuple."""
        kept = self._application.kept
        return kept if type(kept) is tuple else _NONE_KEPT

    @saved.setter
    def saved(self, value: Any) -> None:
        self._application.kept = value

    def unpack_saved(self) -> tuple[Any, ...]:
        """The saved values, in a tuple; ``GraphError`` if a backward pass has freed them."""
        kept = self._application.kept
        return kept if type(kept) is tuple else kept.unpacked(self)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What ``save_for_backward`` kept (in ``jvp``, ``save_for_forward``).

        Raises ``RuntimeError`` for what was written to since, and after a pass has freed it.
        """
        forward: tuple[Any, ...] | None = self.saved_for_forward
        if forward is not None:
            return forward
        application = self._application
        kept = application.kept
        with OwnTurn():
            values = kept[0] if type(kept) is tuple else kept.unpacked(self)[0]
            lowered = any(node is self for node in pulling.nodes)
            found = tuple(
                [
                    None if value is None else _unpacked(self, value, place, lowered)
                    for value, place in zip(values, application.places, strict=False)
                ]
            )
        if self._forward_cls.clear_saved_tensors_on_access:
            application.kept = Freed(sys._getframe(1))
        return found

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """An old name of ``saved_tensors``, with a ``DeprecationWarning``."""
        warnings.warn(
            "'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2
        )
        return self.saved_tensors

    @property
    def _raw_saved_tensors(self) -> tuple[SavedTensor, ...]:
        kept = self._application.kept
        values: Any = kept[0] if type(kept) is tuple else getattr(kept, "values", None)
        if values is None:
            kept.unpacked(self)
        elif type(kept) is not tuple:
            values = values[0]
        raw: Any = _Kept(self)
        return tuple([SavedTensor(raw, 0, index) for index in range(len(values))])

    def apply(self, *grads: Any) -> Any:
        """Call the user's ``backward`` with gradients of the outputs."""
        return call_backward(self, list(grads))

    def apply_jvp(self, *tangents: Any) -> Any:
        """Call the user's ``jvp`` with tangents of the inputs."""
        return call_jvp(self, list(tangents))


class _Open(BackwardCFunction):
    """A node whose names are the user's while a method of the user runs."""

    __slots__ = ()


def _shadow_all() -> None:
    for name in {*Node.__slots__, *vars(Node)}:
        if not name.startswith("__"):
            home = BackwardCFunction if name in vars(BackwardCFunction) else Node
            setattr(_Open, name, Shadow(name, vars(home)[name]))


_shadow_all()


def open_class(closed: type[BackwardCFunction]) -> type[BackwardCFunction]:
    """The class of a node while a user's method runs, made from the one it has otherwise."""
    members = {"__slots__": (), "__module__": closed.__module__}
    return type(closed.__name__, (_Open, closed), members)


def _unpacked(node: BackwardCFunction, value: Any, place: int | None, lowered: bool) -> Any:
    memory = value._memory
    if memory is not None and memory.written > node.sequence:
        raise spoiled(value, node)
    if lowered:
        return as_public(value._array) if value._level == node._application.level else value
    if place is None:
        return value
    found = rebuild(value._array, edge_of(node, place), value._level)
    found._memory = memory
    return found


def edge_of(node: BackwardCFunction, place: int) -> Any:
    """Where gradients of an output arrive; None for one that has none."""
    outputs = node._application.outputs
    fact = outputs[place]
    if fact is None or len(outputs) == 1:
        return None if fact is None else node
    return Port(node, place, *fact)


def keep_tensors(node: BackwardCFunction, tensors: Any, outputs: dict[int, int]) -> None:
    """Keep what was asked for; ``outputs`` says which output a tensor, by its id, is.

    An output is kept as a Tensor without history, so that no cycle holds the graph.
    """
    if not isinstance(tensors, tuple):
        raise RuntimeError(
            "ctx.to_save is to be a tuple of Tensors, but is a "
            f"{type(tensors).__name__}; call ctx.save_for_backward(...)"
        )
    kept: list[Any] = []
    places: list[int | None] = []
    for number, each in enumerate(tensors):
        place = None
        if isinstance(each, Tensor):
            if type(each._memory) is Untracked:
                raise RuntimeError(
                    "Inference tensors cannot be saved for backward: argument "
                    f"{number} of save_for_backward was made in inference mode. Save a "
                    "clone() of it"
                )
            place = outputs.get(id(each))
            if place is not None:
                memory = memory_of(each)
                each = wrap(each._array, each._level)
                each._memory = memory
        elif each is not None:
            raise TypeError(
                "save_for_backward can only save variables, but argument "
                f"{number} is of type {type(each).__name__}; keep other things as attributes: "
                "ctx.name = value"
            )
        kept.append(each)
        places.append(place)
    node._application.kept = (tuple(kept),)
    node._application.places = tuple(places)


def call_backward(node: BackwardCFunction, grads: list[Any]) -> Any:
    """Call the user's ``backward`` with gradients of the outputs."""
    function = node._forward_cls
    user = backward_of(function)
    before = begin_turn(node)
    try:
        return user(node, grads) if function.boxed_grads_call else user(node, *grads)
    except Exception as error:
        with OwnTurn():  # the traceback does not come by the forward pass
            error.add_note(f"in the backward of {function.__name__}, {applied(node)}")
        raise
    finally:
        end_turn(node, before)


def call_setup(node: BackwardCFunction, inputs: tuple[Any, ...], output: Any) -> None:
    """Call the user's ``setup_context``."""
    before = begin_turn(node)
    try:
        node._forward_cls.setup_context(node, inputs, output)
    finally:
        end_turn(node, before)


def call_jvp(node: BackwardCFunction, tangents: list[Any]) -> Any:
    """Call the user's ``jvp`` with tangents of the inputs."""
    before = begin_turn(node)
    try:
        return node._forward_cls.jvp(node, *tangents)
    finally:
        end_turn(node, before)


def applied(node: BackwardCFunction) -> str:
    """Where the user applied the Function, for error messages."""
    where = node.where()
    return "applied in code that is not known" if where is None else f"applied at {where}"


def origin(node: BackwardCFunction) -> str:
    """Where the user applied the Function and wrote its backward, for error messages."""
    found = applied(node)
    code = getattr(backward_of(node._forward_cls), "__code__", None)
    if code is not None:
        found += f"; its backward is at {shorten(code.co_filename)}:{code.co_firstlineno}"
    return found


class _Kept:
    """A node with what it has really kept for all to see, which ``SavedTensor`` asks for."""

    __slots__ = ("node",)

    def __init__(self, node: BackwardCFunction) -> None:
        self.node = node

    def __getattr__(self, name: str) -> Any:
        return getattr(self.node, name)

    @property
    def saved(self) -> Any:
        return self.node._application.kept

    @saved.setter
    def saved(self, value: Any) -> None:
        self.node._application.kept = value

    def unpack_saved(self) -> tuple[Any, ...]:
        """The tensors as ``saved_tensors`` gives them, in a tuple."""
        return (self.node.saved_tensors,)


def start_node(kind: type[BackwardCFunction], args: tuple[Any, ...], level: int) -> Any:
    """A node for an application to ``args``, which no tensor points to yet."""
    node = new(kind)
    edges: list[Any] = []
    needs: list[bool] = []
    tensors: list[bool] = []
    for value in args:
        if isinstance(value, Tensor):
            edge = value._node if value._level == level else None
            edges.append(edge)
            needs.append(edge is not None)
            tensors.append(True)
        else:
            needs.append(False)
            tensors.append(False)
    node.edges = tuple(edges)
    node.needs_input_grad = tuple(needs)
    node._application = Application(level, tuple(tensors))
    node.hooks = None
    frame: Any = sys._getframe(3)
    if frame.f_globals.get("__package__") in INTERNAL_PACKAGES:
        frame = user_frame(frame)
    if frame is None:
        node.code, node.instruction = None, 0
    else:
        node.code, node.instruction = frame.f_code, frame.f_lasti
    return node


def as_public(array: Any) -> Any:
    """An array of any kind as the Tensor that users see over it."""
    if type(array) is ndarray:
        return wrap(array)
    if isinstance(array, Tensor):
        return array
    if type(array) is Attached:
        return wrap(array, array.home.level)
    return wrap(array, int(array._level + 1) if isinstance(array, Value) else 0)


def as_array(value: Any, level: int = -1) -> Any:
    """A Tensor as an array that Tensors of a higher level may have; what is no Tensor as it is.

    A Tensor stays one where its own tape, or a tangent attached to it, must be seen, unless it is
    of ``level``, whose tape is known to whoever asks.
    """
    if not isinstance(value, Tensor):
        return value
    array = value._array
    if value._level == level or (value._node is None and type(array) is not Attached):
        if isinstance(array, Batch) and isinstance(array.value, Tensor):
            return Batch(array._level, as_array(array.value))
        return array
    return value


def backward_of(function: Any) -> Callable[..., Any]:
    """The user's formula, under either of its names; ``RuntimeError`` if both are there."""
    base = function._base_function
    backward, vjp = function.backward, function.vjp
    if vjp is base.vjp:
        return backward  # type: ignore[no-any-return]
    if backward is not base.backward:
        raise RuntimeError(
            f"{function.__name__} implements both 'backward' and 'vjp', which are two names of one "
            "thing: leave one of them out"
        )
    return vjp  # type: ignore[no-any-return]
