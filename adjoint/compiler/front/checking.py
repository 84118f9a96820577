"""``compile(..., check=True)``: the function itself runs beside its program, and they must agree.

The function runs first, on the real tensors; what it returned, wrote and left is copied, and all is
put back as it was: memory, versions, `.grad`, states of optimizers and of random generators, and
Python's objects. Then the program runs, and the two are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from adjoint import dtypes
from adjoint.array.random_engine import Generator, default_generator
from adjoint.compiler.front.calling import MISS, Compiled
from adjoint.compiler.front.guards import Elements
from adjoint.compiler.front.keys import Arguments
from adjoint.compiler.front.sources import grad_of
from adjoint.errors import CompileCheckError, describe_shape
from adjoint.pytree import flatten
from adjoint.tape.node import AccumulateGrad
from adjoint.tape.tensor import Tensor

ndarray = np.ndarray
# How far values may lie apart, as a part of the largest in the tensor: programs add in another
# order, and the errors of a whole step add up. Other types must be equal.
APART = {
    dtypes.float64: 1e-9,
    dtypes.complex128: 1e-9,
    dtypes.float32: 2e-4,
    dtypes.complex64: 2e-4,
    dtypes.float16: 2e-2,
    dtypes.bfloat16: 1e-1,
}
SMALL = 1e-2  # where the largest is less than this: gradients that ought to be 0 are but noise


class Found(NamedTuple):
    """A copy of a value at the end of a call."""

    name: str
    value: Any  # a copied array, or what is no tensor
    requires_grad: bool
    line: str


def checked(function: Callable[..., Any], compiled: Compiled, given: Arguments) -> Any:
    """What the program gives; ``CompileCheckError`` where the function itself gives another."""
    state = _State(compiled, given)
    args, kwargs = given.structure(iter(given.leaves))
    try:
        expected = list(_found(compiled, given, function(*args, **kwargs)))
    finally:
        state.restore()
    out = compiled(given.tensors)
    if out is MISS:
        return out
    for wanted, got in zip(expected, _found(compiled, given, out), strict=True):
        difference = _difference(wanted, got)
        if difference:
            raise CompileCheckError(
                f"compile: {wanted.name} of {getattr(function, '__qualname__', function)} differs "
                f"between its program and the function itself: {difference}{wanted.line}. Please "
                "report it; until it is mended, leave this function out of what is compiled"
            )
    return out


def _found(compiled: Compiled, given: Arguments, out: Any) -> Iterator[Found]:
    """All that a call has made: results, what was written, and gradients."""
    traced = compiled.traced
    for number, value in enumerate(flatten(out)[0]):
        place = traced.outputs[number] if number < len(traced.outputs) else None
        result = traced.made[place] if isinstance(place, int) else None
        yield _copied(compiled, f"result {number}", value, getattr(result, "number", None))
    own = {
        id(value)
        for effect in traced.effects
        for state in effect.states
        for value in state.values()
    }
    for each in traced.written:
        tensor = each.source.find(given.tensors)
        if id(tensor) in own:  # of an optimizer, which may make it at its first step
            continue
        yield _copied(compiled, f"what is written to {each.source!r}", tensor, each.result)
    for optimizer in {id(each.optimizer): each.optimizer for each in traced.effects}.values():
        for number, state in enumerate(optimizer.state.values()):
            for name, value in state.items():
                yield _copied(
                    compiled, f"the optimizer's {name} of parameter {number}", value, None
                )
    for left in traced.left:
        grad = grad_of(left.source.find(given.tensors))
        made = None if left.made is None else traced.made[left.made]
        yield _copied(
            compiled, f"the .grad of {left.source!r}", grad, getattr(made, "number", None)
        )


def _copied(compiled: Compiled, name: str, value: Any, result: int | None) -> Found:
    line = ""
    if result is not None:
        atom = compiled.traced.program.outputs[result]
        for equation in compiled.traced.program.equations:
            if atom in equation.outputs and equation.where is not None:
                line = f" ({equation.operation.name} at {equation.where})"
    if isinstance(value, Tensor):
        return Found(name, value._array.copy(), value.requires_grad, line)
    return Found(name, value, False, line)


def _difference(wanted: Found, got: Found) -> str | None:
    """What differs, in words; None if nothing does."""
    one, other = wanted.value, got.value
    if type(one) is not type(other):
        return f"{type(other).__name__} instead of {type(one).__name__}"
    if wanted.requires_grad is not got.requires_grad:
        return f"requires_grad is {got.requires_grad} instead of {wanted.requires_grad}"
    if not isinstance(one, ndarray):
        same = one is other or one == other or (one != one and other != other)
        return None if same else f"{other!r} instead of {one!r}"
    if one.shape != other.shape or one.dtype != other.dtype:
        return (
            f"{dtypes.of(other)!r} of shape {describe_shape(other.shape)} instead of "
            f"{dtypes.of(one)!r} of shape {describe_shape(one.shape)}"
        )
    return _distance(one, other)


def _distance(wanted: Any, got: Any) -> str | None:
    allowed = APART.get(dtypes.of(wanted))
    if allowed is None:
        wrong = wanted != got
        return f"{int(wrong.sum())} of {wrong.size} values are others" if wrong.any() else None
    wide = np.complex128 if wanted.dtype.kind == "c" else np.float64
    one, other = wanted.astype(wide), got.astype(wide)
    with np.errstate(all="ignore"):
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        finite = np.isfinite(one)
        largest = np.abs(one[finite]).max(initial=0.0)
        apart = np.where(same, 0.0, np.abs(one - other))
    apart = np.where(np.isnan(apart), np.inf, apart)
    if not (apart > allowed * max(largest, SMALL)).any():
        return None
    place = np.unravel_index(int(np.argmax(apart)), apart.shape)
    where = [int(each) for each in place]
    return f"it has {got[place]} at {where}, and should have {wanted[place]}"


class _State:
    """All that a call may change, as it is now."""

    def __init__(self, compiled: Compiled, given: Arguments) -> None:
        self.compiled = compiled
        tensors = [each.find(given.tensors) for each in compiled.traced.sources]
        values = [*_watched(compiled), *given.leaves]
        tensors += [each for each in values if isinstance(each, Tensor)]
        self.optimizers = [
            (each.optimizer, _state_of(each.optimizer)) for each in compiled.traced.effects
        ]
        for _, (state, _) in self.optimizers:
            for entry, _ in state.values():
                tensors += [each for each in entry.values() if isinstance(each, Tensor)]
        self.tensors = {id(each): each for each in tensors if each is not None}
        self.leaves: list[tuple[Any, Any]] = []
        for tensor in list(self.tensors.values()):
            node = tensor._node
            if isinstance(node, AccumulateGrad):
                self.leaves.append((node, node.grad))
                if node.grad is not None:
                    self.tensors[id(node.grad)] = node.grad
        self.kept = [_memory(each) for each in self.tensors.values()]
        sources = {id(each): each for each in (*values, default_generator)}
        self.generators = [
            (each, Generator.get_state(each))
            for each in sources.values()
            if isinstance(each, Generator)
        ]

    def restore(self) -> None:
        """Make everything what it was."""
        for tensor, array, content, node, memory, facts in self.kept:
            tensor._array = array
            if array.flags.writeable:
                np.copyto(array, content)
            tensor._node, tensor._memory = node, memory
            if memory is not None:
                memory.version, memory.written = facts
        for node, grad in self.leaves:
            node.grad = grad
        for optimizer, (state, groups) in self.optimizers:
            optimizer.state.clear()
            for param, (entry, content) in state.items():
                entry.clear()
                entry.update(content)
                optimizer.state[param] = entry
            for group, options in zip(optimizer.param_groups, groups, strict=True):
                group.update(options)
        for generator, numbers in self.generators:
            Generator.set_state(generator, numbers)
        self.compiled.guards.restore()


def _watched(compiled: Compiled) -> Iterator[Any]:
    for point in compiled.guards.points:
        yield from point.value if isinstance(point, Elements) else (point.value,)


def _memory(tensor: Any) -> tuple[Any, ...]:
    memory = tensor._memory
    facts = None if memory is None else (memory.version, memory.written)
    return tensor, tensor._array, tensor._array.copy(), tensor._node, memory, facts


def _state_of(optimizer: Any) -> tuple[dict[Any, Any], Sequence[dict[str, Any]]]:
    """An optimizer's entries, the very objects and what is in them, and copies of its options."""
    state = {param: (entry, dict(entry)) for param, entry in optimizer.state.items()}
    return state, [dict(group) for group in optimizer.param_groups]
