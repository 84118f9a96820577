"""The ``ctx`` of a user's ``Function``: what it may be told, and whose its attributes are.

The ctx is the node of the graph, as in PyTorch, and users give it attributes of any name, also of
names that nodes have: ``ctx.shape = x.shape``. So while a method of the user runs, its node is of a
class in which those names are the user's; what the tape has under them is kept apart.
"""

from __future__ import annotations

import threading
import warnings
from functools import partial
from types import FunctionType
from typing import Any

from adjoint.tape.tensor import Tensor


class FunctionCtx:
    """What ``forward`` and ``setup_context`` may ask of the ``ctx`` that they are given."""

    to_save: Any = None
    saved_for_forward: Any = None
    dirty_tensors: Any = None
    non_differentiable: Any = None
    materialize_grads: bool = True
    needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for ``backward``, which finds them as ``ctx.saved_tensors``.

        Inputs, outputs and others may be kept. A write to one of them before the backward pass is
        noticed there. Raises ``TypeError``, when ``forward`` has returned, for anything else.
        """
        self.to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for ``jvp``, which finds them as ``ctx.saved_tensors``.

        Raises ``AssertionError`` for anything else.
        """
        for each in tensors:
            if not (each is None or isinstance(each, Tensor)):
                raise AssertionError(
                    f"save_for_forward keeps Tensors and None, but got a {type(each).__name__}; "
                    "keep other things as attributes: ctx.name = value"
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *args: Any) -> None:
        """Say that ``forward`` writes to these inputs in place; it must return them as well."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Any) -> None:
        """Say that these outputs have no gradient; what arrives for them are zeros."""
        self.non_differentiable = args

    def mark_shared_storage(self, *pairs: Any) -> None:
        """Do nothing, with a ``FutureWarning``: shared memory is known without it."""
        warnings.warn(
            "mark_shared_storage is deprecated: tensors that share memory are known without it",
            FutureWarning,
            stacklevel=2,
        )

    def set_materialize_grads(self, value: bool) -> None:
        """Whether gradients and tangents that did not arrive are zeros (the default) or None."""
        self.materialize_grads = value


# -- whose an attribute is ----------------------------------------------------------------------


class _Acting(threading.local):
    # The nodes whose user's methods this thread is in, the innermost last.
    nodes: tuple[Any, ...] = ()


acting = _Acting()


class Shadow:
    """An attribute that is the user's while a method of the user runs, and else the tape's."""

    __slots__ = ("inner", "name")

    def __init__(self, name: str, inner: Any) -> None:
        self.name = name
        self.inner = inner  # how the tape reads and writes it

    def __get__(self, node: Any, owner: Any = None) -> Any:
        if node is None:
            return self
        own = node._application.own
        if own is None:
            return self.inner.__get__(node, owner)
        if self.name in own and _is_acting(node):
            return own[self.name]
        if isinstance(self.inner, FunctionType):
            return partial(_in_own_turn, self.inner, node)
        with OwnTurn():
            return self.inner.__get__(node, owner)

    def __set__(self, node: Any, value: Any) -> None:
        if not _is_acting(node):
            self.inner.__set__(node, value)
            return
        application = node._application
        if application.own is None:
            application.own = {}
        application.own[self.name] = value


def _in_own_turn(method: Any, node: Any, *args: Any) -> Any:
    with OwnTurn():
        return method(node, *args)


def _is_acting(node: Any) -> bool:
    return any(each is node for each in acting.nodes)


def begin_turn(node: Any) -> tuple[Any, ...]:
    """Before a method of the user's runs: the names of ``node`` become the user's.

    Gives what ``end_turn`` wants; a context manager would take twice the time.
    """
    before = acting.nodes
    acting.nodes = (*before, node)
    node.__class__ = node._forward_cls._open_cls
    return before


def end_turn(node: Any, before: tuple[Any, ...]) -> None:
    """The names of ``node`` are the tape's again; its class tells whether the user has some."""
    acting.nodes = before
    if node._application.own is None:
        node.__class__ = node._forward_cls._backward_cls


class OwnTurn:
    """A block inside a user's method in which the attributes are the tape's again."""

    __slots__ = ("before",)

    def __enter__(self) -> None:
        self.before = acting.nodes
        if self.before:
            acting.nodes = ()

    def __exit__(self, *_: object) -> None:
        if self.before:
            acting.nodes = self.before
