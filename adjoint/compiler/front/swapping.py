"""What stands in the place of slots of Tensors and nodes while a trace runs.

Properties take the places of ``Tensor._array``, ``AccumulateGrad.grad`` and ``Node.saved``, and a
``Tensor.__setattr__`` notes what else is set on tensors from outside. They concern the thread of
the trace alone; operations cost nothing for them at any other time.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.compiler.front.equations import untraceable
from adjoint.compiler.front.world import ARRAY, GRAD, HOOKS, SAVED
from adjoint.tape.node import AccumulateGrad, Node
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray
get_array, set_array = ARRAY.__get__, ARRAY.__set__
get_grad, set_grad = GRAD.__get__, GRAD.__set__
NOTED = frozenset(("_node", "_view", "_memory", "_level", "__class__"))
Access = tuple[Callable[..., Any], Callable[..., None]]


def install(capture: Any) -> None:
    """Let the capture see what happens to tensors."""
    Tensor._array = property(*array_access(capture))
    AccumulateGrad.grad = property(*grad_access(capture))
    Node.saved = property(*saved_access(capture))
    Node.hooks = property(*hooks_access(capture))  # type: ignore[assignment]
    Tensor.__setattr__ = setting(capture)  # type: ignore[method-assign]


def uninstall() -> None:
    """Make the slots what they were."""
    del Tensor.__setattr__
    Tensor._array = ARRAY
    AccumulateGrad.grad = GRAD
    Node.saved = SAVED
    Node.hooks = HOOKS


def array_access(capture: Any) -> Access:
    cells, born, thread, this_thread = (
        capture.cells,
        capture.born,
        capture.thread,
        threading.get_ident,
    )
    made, reference = capture.leaks.made, weakref.ref

    def getter(tensor: Any) -> Any:
        array = get_array(tensor)
        if type(array) is not ndarray:
            return array
        key = id(tensor)
        cell = cells.get(key)
        if cell is None:
            if key in born or capture.pausing or this_thread() != thread:
                return array
            cell = capture.enter(tensor)
        elif capture.pausing or this_thread() != thread:
            return array
        return cell.array

    def setter(tensor: Any, array: Any) -> None:
        if capture.pausing or this_thread() != thread:
            set_array(tensor, array)
            return
        try:
            get_array(tensor)
        except AttributeError:  # a new one
            if type(array) is ndarray:
                capture.bear(tensor)
            else:
                made.append(reference(tensor))
            set_array(tensor, array)
        else:
            capture.write(tensor, array)

    return getter, setter


def grad_access(capture: Any) -> Access:
    start, thread, this_thread = capture.start, capture.thread, threading.get_ident

    def is_own(node: Any) -> bool:
        return bool(node.sequence > start) or capture.pausing > 0 or this_thread() != thread

    def getter(node: Any) -> Any:
        return get_grad(node) if is_own(node) else capture.read_grad(node)

    def setter(node: Any, grad: Any) -> None:
        if is_own(node):
            set_grad(node, grad)
        else:
            capture.write_grad(node, grad)

    return getter, setter


def saved_access(capture: Any) -> Access:
    """What nodes save, which a pass may read only where the trace has made them."""
    start, thread, this_thread = capture.start, capture.thread, threading.get_ident
    get, put = SAVED.__get__, SAVED.__set__

    def check(node: Any) -> None:
        if node.sequence <= start and not capture.pausing and this_thread() == thread:
            made = node.where()
            raise untraceable(
                "a backward pass inside the function goes on through what was computed "
                f"outside of it{'' if made is None else f', at {made}'}",
                "compute that inside too, detach() it, or call backward() outside",
            )

    def getter(node: Any) -> Any:
        check(node)
        return get(node)

    def setter(node: Any, saved: Any) -> None:
        if hasattr(node, "sequence"):
            check(node)
        put(node, saved)

    return getter, setter


def hooks_access(capture: Any) -> Access:
    """The hooks of nodes, of which those from outside are put back."""
    start, thread, this_thread = capture.start, capture.thread, threading.get_ident
    get, put = HOOKS.__get__, HOOKS.__set__
    note = capture.world.note_hooks

    def getter(node: Any) -> Any:
        if node.sequence <= start and this_thread() == thread:
            note(node)
        return get(node)

    def setter(node: Any, hooks: Any) -> None:
        if hasattr(node, "sequence") and node.sequence <= start and this_thread() == thread:
            note(node)
        put(node, hooks)

    return getter, setter


def setting(capture: Any) -> Callable[..., None]:
    thread, this_thread, born = capture.thread, threading.get_ident, capture.born
    plainly = object.__setattr__

    def set_attribute(tensor: Any, name: str, value: Any) -> None:
        if name in NOTED and not capture.pausing and this_thread() == thread:
            try:
                array = get_array(tensor)
            except AttributeError:
                array = None
            if type(array) is ndarray and id(tensor) not in born:
                capture.world.note_tensor(tensor)
                capture.world.note_slot(tensor, name)
        plainly(tensor, name, value)

    return set_attribute


__all__ = ["install", "uninstall"]
