"""Running a function on symbols, whatever tensors it reaches.

While a function is traced, reading a Tensor's array gives a symbol in this thread: for a tensor
from outside one that becomes an input of the program, for one made inside of known numbers a
constant. Writes put another symbol in its place and leave the memory alone. So every operation is
traced, also those among tensors that the function closes over, and nothing is left changed by a
trace that fails.

That is done by putting a descriptor of our own in the place of the slot ``Tensor._array`` for as
long as a trace runs (and of ``AccumulateGrad.grad``, where gradients are left); operations cost
nothing for it at any other time.
"""

from __future__ import annotations

import threading
from typing import Any, Self

import numpy as np

from adjoint import dtypes
from adjoint.array.symbol import Symbol, Trace
from adjoint.array.value import Value
from adjoint.tape.node import AccumulateGrad
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray
ARRAY = Tensor.__dict__["_array"]
GRAD = AccumulateGrad.__dict__["grad"]
LEVEL = -0.25  # of the symbols: above memory, and below every Tensor
_one_at_a_time = threading.RLock()


class Capture:
    """What a trace has reached and changed outside of itself."""

    def __init__(self) -> None:
        self.trace = Trace(LEVEL)
        self.thread = threading.get_ident()
        self.inputs: list[tuple[Any, Symbol]] = []  # tensors from outside, with their first symbol
        self.constants: list[Any] = []  # arrays that tensors made inside began with
        self.arrays: dict[int, Any] = {}  # what tensors from outside have now, by id
        self.kept: list[Any] = []  # so that no id is used again
        self.born: set[int] = set()
        self.grads: dict[int, tuple[Any, Any, Any]] = {}  # node, before, now

    # -- arrays -------------------------------------------------------------------------------

    def read(self, tensor: Any) -> Any:
        """The array of a tensor, as the trace sees it."""
        key = id(tensor)
        found = self.arrays.get(key)
        if found is not None:
            return found
        array = ARRAY.__get__(tensor)
        if type(array) is not ndarray or key in self.born:
            return array
        symbol = self.trace.symbol(array.shape, dtypes.of(array))
        self.arrays[key] = symbol
        self.inputs.append((tensor, symbol))
        self.kept.append(tensor)
        return symbol

    def write(self, tensor: Any, array: Any) -> None:
        """Another array for a tensor: the first of one made inside, or what a write has left."""
        key = id(tensor)
        if key in self.arrays and key not in self.born:
            self.arrays[key] = array
            return
        if key not in self.born:
            self.born.add(key)
            self.kept.append(tensor)
        ARRAY.__set__(tensor, array)

    # -- gradients ----------------------------------------------------------------------------

    def read_grad(self, node: Any) -> Any:
        """The ``.grad`` at a leaf, as the trace sees it."""
        found = self.grads.get(id(node))
        if found is None:
            present = GRAD.__get__(node)
            found = self.grads[id(node)] = (node, present, present)
        return found[2]

    def write_grad(self, node: Any, grad: Any) -> None:
        """Another ``.grad`` for a leaf."""
        found = self.grads.get(id(node))
        before = _present_grad(node) if found is None else found[1]
        self.grads[id(node)] = (node, before, grad)

    # -- running ------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        _one_at_a_time.acquire()
        Tensor._array = _Array(self)
        AccumulateGrad.grad = _Grad(self)
        return self

    def __exit__(self, *_: object) -> None:
        Tensor._array = ARRAY
        AccumulateGrad.grad = GRAD
        _one_at_a_time.release()


def _present_grad(node: Any) -> Any:
    try:
        return GRAD.__get__(node)
    except AttributeError:  # a node that is being made
        return None


class _Array:
    """In the place of ``Tensor._array`` while a trace runs."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture

    def __get__(self, tensor: Any, kind: Any = None) -> Any:
        if tensor is None:
            return self
        if threading.get_ident() != self.capture.thread:
            return ARRAY.__get__(tensor)
        return self.capture.read(tensor)

    def __set__(self, tensor: Any, array: Any) -> None:
        if threading.get_ident() != self.capture.thread:
            ARRAY.__set__(tensor, array)
        else:
            self.capture.write(tensor, array)


class _Grad:
    """In the place of ``AccumulateGrad.grad`` while a trace runs."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture

    def __get__(self, node: Any, kind: Any = None) -> Any:
        if node is None:
            return self
        if threading.get_ident() != self.capture.thread:
            return GRAD.__get__(node)
        return self.capture.read_grad(node)

    def __set__(self, node: Any, grad: Any) -> None:
        if threading.get_ident() != self.capture.thread:
            GRAD.__set__(node, grad)
        else:
            self.capture.write_grad(node, grad)


def is_symbolic(value: Any) -> bool:
    """Whether an array belongs to a trace."""
    return isinstance(value, Value)
