"""Calls of traced programs, carried out equation by equation with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.compiler.front.leaving import Constant, Given, Look
from adjoint.compiler.front.sources import Number
from adjoint.compiler.front.tracing import Traced, trace
from adjoint.ops.rewriting import follow
from adjoint.pytree import flatten
from adjoint.tape.modes import no_grad
from adjoint.tape.tensor import Tensor, memory_of, set_requires_grad, wrap


class Replayed:
    """A function that is traced at its first call, and wherever a program fits no more."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.programs: list[tuple[Any, Traced]] = []

    @property
    def program(self) -> Any:
        return self.programs[-1][1].program

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves = flatten((args, kwargs))[0]
        arguments = list({id(each): each for each in leaves if isinstance(each, Tensor)}.values())
        key = [
            (tuple(each.shape), each.dtype, each.requires_grad, each.stride(), type(each))
            if isinstance(each, Tensor)
            else each
            for each in leaves
        ]
        key.append([[each is x for x in arguments] for each in leaves])
        for known, traced in self.programs:
            if known == key and traced.mismatch(arguments) is None:
                numbers = begin(traced)
                if numbers is not None:
                    return run(traced, arguments, numbers)
        traced = trace(self.function, args, kwargs)
        self.programs.append((key, traced))
        assert traced.mismatch(arguments) is None, traced.mismatch(arguments)
        numbers = begin(traced)
        assert numbers is not None
        return run(traced, arguments, numbers)


def begin(traced: Traced) -> list[Any] | None:
    """What the effects give; None if one fits no more."""
    numbers: list[Any] = []
    for place, effect in enumerate(traced.effects):
        found = effect.begin()
        if found is None:
            for other in traced.effects[:place][::-1]:
                other.undo()
            return None
        numbers.append(found)
    return numbers


def run(traced: Traced, arguments: list[Any], numbers: list[Any]) -> Any:
    """One call."""
    arrays = [
        numbers[each.effect][each.place]
        if isinstance(each, Number)
        else each.find(arguments)._array.copy()
        for each in traced.sources
    ]
    results = [np.array(each) for each in traced.program.evaluate(arrays)]
    for each in traced.written:
        tensor = each.source.find(arguments)
        if each.rebinds:
            tensor._array = results[each.result].copy()
        else:
            np.copyto(tensor._array, results[each.result])
        for _ in range(each.writes):
            memory_of(tensor).note_write()
    for source, writes in traced.counted:
        memory_of(source.find(arguments)).version += writes
    for flag in traced.flags:
        set_requires_grad(flag.source.find(arguments), flag.requires_grad)
    made: list[Any] = []
    for each in traced.made:
        made.append(build(each, made, arguments, results))
    for tensor, grad in traced.made_grads:
        made[tensor].grad = made[grad]
    for left in traced.left:
        left.source.find(arguments).grad = None if left.made is None else made[left.made]
    values = [each.value if isinstance(each, Constant) else made[each] for each in traced.outputs]
    return traced.rebuild(iter(values))


def build(how: Any, made: list[Any], arguments: list[Any], results: list[Any]) -> Any:
    """One of the tensors that leave."""
    if isinstance(how, Given):
        return how.source.find(arguments)
    if not isinstance(how, Look):
        return build_result(how, results[how.number])
    tensor = made[how.of] if isinstance(how.of, int) else how.of.find(arguments)
    if how.recorded:
        tensor = follow(tensor, how.path)
        if how.retains:
            tensor.retain_grad()
        return tensor
    with no_grad():
        tensor = follow(tensor, how.path)
    if how.apart:
        tensor = wrap(tensor._array)
        memory_of(tensor).version = how.writes
    return set_requires_grad(tensor) if how.leaf else tensor


def build_result(how: Any, array: Any) -> Any:
    """A new tensor; its history, where it has one, leads nowhere."""
    tensor = wrap(array.copy() if how.copy else array)
    if how.requires_grad == "leaf":
        set_requires_grad(tensor)
    elif how.requires_grad:
        tensor._node = (set_requires_grad(wrap(array.copy())) * 1)._node
        if how.retains:
            tensor.retain_grad()
    memory_of(tensor).version = how.writes
    return tensor
