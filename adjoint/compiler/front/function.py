"""``compile``: a function that is traced, compiled and kept for each kind of arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.compiler.front.sources import Number
from adjoint.compiler.front.tracing import Constant, Given, Look, Traced, trace
from adjoint.compiler.runtime.executable import Executable
from adjoint.ops.rewriting import follow
from adjoint.pytree import flatten
from adjoint.tape.modes import modes
from adjoint.tape.tensor import Tensor, memory_of, wrap


class Compiled:
    """One program for one kind of arguments, with what it needs of the world around."""

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.executable = Executable(traced.program)

    def fits(self, tensors: list[Any]) -> bool:
        """Whether the tensors that the function closes over are what they were at the trace."""
        return self.traced.mismatch(tensors) is None

    def __call__(self, tensors: list[Any]) -> Any:
        traced = self.traced
        numbers = [each.begin() for each in traced.effects]
        given = [
            numbers[each.effect][each.place]
            if isinstance(each, Number)
            else np.ascontiguousarray(each.find(tensors)._array)
            for each in traced.sources
        ]
        results = self.executable(*given)
        for each in traced.written:
            memory_of(each.source.find(tensors)).version += each.writes
        made: list[Any] = []
        for each in traced.made:
            if isinstance(each, Given):
                made.append(each.source.find(tensors))
            elif isinstance(each, Look):
                made.append(follow(each.of.find(tensors), each.path))
            else:
                array = results[each.number]
                made.append(wrap(array.copy() if each.copy else array))
        for left in traced.left:
            left.source.find(tensors).grad = None if left.made is None else made[left.made]
        return traced.rebuild(
            iter([x.value if isinstance(x, Constant) else made[x] for x in traced.outputs])
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
            if each.fits(tensors):
                return each(tensors)
        compiled = Compiled(trace(self.function, args, kwargs))
        self.programs.setdefault(key, []).append(compiled)
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
