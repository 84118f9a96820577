"""``compile``: a function that is traced, compiled and kept for each kind of arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.compiler.front.tracing import Traced, _Constant, trace
from adjoint.compiler.runtime.executable import Executable
from adjoint.pytree import flatten
from adjoint.tape.modes import modes
from adjoint.tape.tensor import Tensor, memory_of, wrap

ndarray = np.ndarray


class Compiled:
    """One program for one kind of arguments, with what it needs of the world around."""

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.executable = Executable(traced.program)
        self.arrays: list[Any] = [None] * len(traced.tensors)
        self.facts = [(each._array.shape, each._array.dtype) for each in traced.tensors]

    def fits(self) -> bool:
        """Whether the tensors that the function closes over are what they were at the trace."""
        arrays = self.arrays
        for place, tensor in enumerate(self.traced.tensors):
            array = tensor._array
            if array is not arrays[place]:
                if type(array) is not ndarray or (array.shape, array.dtype) != self.facts[place]:
                    return False
                arrays[place] = array
        return all((node.grad is not None) is there for node, there in self.traced.grads)

    def __call__(self, tensors: list[Any]) -> Any:
        traced = self.traced
        given = [each._array for each in tensors] + self.arrays
        given = [each if each.flags.c_contiguous else np.ascontiguousarray(each) for each in given]
        made = self.executable(*given)
        for tensor, number in traced.written:
            if not isinstance(tensor, Tensor):
                tensor = tensors[tensor]
            np.copyto(tensor._array, made[number])
            memory_of(tensor).note_write()
        for node, result, tensor in traced.left:
            node.grad = tensor if result is None else wrap(made[result])
        return traced.rebuild(
            iter(
                [
                    each.value if type(each) is _Constant else wrap(made[each])
                    for each in traced.outputs
                ]
            )
        )


class CompiledFunction:
    """What ``compile`` gives: to be called as the function itself."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.programs: dict[Any, list[Compiled]] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or any(type(each) is not Tensor for each in args):
            leaves = flatten((args, kwargs))[0]
            tensors = [each for each in leaves if isinstance(each, Tensor)]
        else:
            tensors = list(args)
        key = self._key(args, kwargs, tensors)
        for each in self.programs.get(key, ()):
            if each.fits():
                return each(tensors)
        compiled = Compiled(trace(self.function, args, kwargs))
        self.programs.setdefault(key, []).append(compiled)
        compiled.fits()
        return compiled(tensors)

    def _key(self, args: Any, kwargs: Any, tensors: list[Any]) -> Any:
        key: list[Any] = [bool(modes.enabled)]
        for each in tensors:
            array = each._array
            key.append((array.shape, array.dtype, each._node is not None))
        if kwargs or len(tensors) != len(args):
            leaves = flatten((args, kwargs))[0]
            key.append(tuple(sorted(kwargs)))
            key += [each for each in leaves if not isinstance(each, Tensor)]
        return tuple(key)

    @property
    def program(self) -> Any:
        """The program compiled last."""
        found = list(self.programs.values())[-1]
        return found[-1].traced.program


def compile(function: Callable[..., Any]) -> CompiledFunction:
    """``function`` as machine code."""
    return CompiledFunction(function)
