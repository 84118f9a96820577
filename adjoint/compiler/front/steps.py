"""Steps of optimizers in a trace: the count of steps and all numbers are those of each call.

What an optimizer computes in Python (the count, corrections for it, rates that a scheduler sets)
is computed in Python at each call too, by its own code, a few microseconds for all parameters;
the program gets the numbers as inputs. So a step rounds as it does eagerly, and no change of a
rate needs another program.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.compiler.front import updates
from adjoint.compiler.front.equations import untraceable
from adjoint.ops.complex_parts import view_as_complex, view_as_real
from adjoint.ops.inplace import store
from adjoint.tape.modes import modes
from adjoint.tape.node import clock
from adjoint.tape.tensor import Tensor, memory_of, wrap

NUMBER = "number"  # stands for one in the structure of what a formula needs
WORK = (None,) * 8  # formulas on symbols need no arrays to work in


class GroupStep:
    """One ``step()`` of one group of an optimizer, at each call of what was traced.

    ``begin`` counts the step and gives the numbers; ``undo`` takes the last ``begin`` back.
    """

    def __init__(self, optimizer: Any, number: int, params: list[Any]) -> None:
        self.optimizer = optimizer
        self.number = number
        self.group = optimizer.param_groups[number]
        self.groups = len(optimizer.param_groups)
        self.params = params
        self.all_params = list(map(id, self.group["params"]))
        self.names: tuple[str, ...] = optimizer._names(self.group)
        self.options = _options(self.group)
        self.states: list[dict[str, Any]] = []  # at the trace, of each parameter
        self.parked: set[int] = set()  # places of parameters whose state is not the optimizer's yet
        self.classes: list[int] = []  # which of the parameters have had as many steps
        self.structures: list[Any] = []  # of the numbers of each class
        self.wanted: list[tuple[int, int, Any]] = []  # class, place among its numbers, type
        self.undoing: list[Any] = []

    # -- at the trace -------------------------------------------------------------------------

    def begin_trace(self, parked: dict[Any, Any], counts: list[Any]) -> list[Any]:
        """Count the step in the states that the trace uses, and find the numbers' structure.

        ``counts`` gets what is to be put back at the end of the trace; new states are ``parked``.
        """
        optimizer, group = self.optimizer, self.group
        known: list[Any] = []
        for place, param in enumerate(self.params):
            key = id(optimizer), id(param)
            inside: dict[str, Any] = parked.get(key) or optimizer.state.get(param, {})
            if key not in parked and not all(name in inside for name in self.names):
                inside = parked[key] = dict(inside)
                self.parked.add(place)
            elif key not in parked:
                counts += _counts(inside, self.names)
            step = optimizer._begin(group, param, inside)
            self.states.append(inside)
            self.classes.append(_class_of(step, known))
        found = []
        for step in known:
            numbers, structure = _flat(optimizer._numbers(group, step))
            self.structures.append(structure)
            found.append(numbers)
        return found

    # -- at each call -------------------------------------------------------------------------

    def begin(self) -> list[Any] | None:
        """Count the step; the numbers as arrays. None, and no count, if it fits no more."""
        self.undoing = []
        optimizer, group = self.optimizer, self.group
        groups = optimizer.param_groups
        if len(groups) != self.groups or groups[self.number] is not group:
            return None
        if list(map(id, group["params"])) != self.all_params:
            return None
        if _options(group) != self.options or optimizer._names(group) != self.names:
            return None
        if self.names and not self._states_are_same():
            return None
        steps: dict[int, Any] = {}
        for place, param in enumerate(self.params):
            step = self._count(place, param)
            if steps.setdefault(self.classes[place], step) != step:
                self.undo()
                return None
        numbers = []
        for number, structure in enumerate(self.structures):
            found, present = _flat(optimizer._numbers(group, steps[number]))
            if present != structure:
                self.undo()
                return None
            numbers.append(found)
        return [np.array(numbers[number][place], kind) for number, place, kind in self.wanted]

    def _states_are_same(self) -> bool:
        states = self.optimizer.state
        for place, param in enumerate(self.params):
            state = states.get(param)
            if place in self.parked:
                if state and any(name in state for name in self.names):
                    return False  # made otherwise, since the trace
            elif state is not self.states[place]:
                return False
        return True

    def _count(self, place: int, param: Any) -> Any:
        optimizer, inside = self.optimizer, self.states[place]
        if place not in self.parked:
            for count, old in _counts(inside, self.names):
                self.undoing.append((count, old))
            return optimizer._begin(self.group, param, inside)
        start = dict(optimizer.state.get(param, {})) if self.names else {}
        step = optimizer._begin(self.group, param, start)
        for name, value in start.items():
            present = inside.get(name)
            if isinstance(value, Tensor) and isinstance(present, Tensor):
                np.copyto(present._array, value._array)
            else:
                inside[name] = value
        self.parked.discard(place)
        self.undoing.append((place, optimizer.state.get(param)))
        optimizer.state[param] = inside
        return step

    def undo(self) -> None:
        """Make counts and states what they were before the last ``begin``."""
        for what, old in reversed(self.undoing):
            if isinstance(what, Tensor):
                np.copyto(what._array, old)
                continue
            param = self.params[what]
            self.parked.add(what)
            if old is None:
                self.optimizer.state.pop(param, None)
            else:
                self.optimizer.state[param] = old
        self.undoing = []


def trace_group(capture: Any, optimizer: Any, group: Any) -> None:
    """Trace the step of one group of an optimizer."""
    number = next(n for n, each in enumerate(optimizer.param_groups) if each is group)
    pairs = [(param, param.grad) for param in group["params"]]
    pairs = [(param, grad) for param, grad in pairs if grad is not None]
    if not pairs:
        return
    _refuse(capture, group, [param for param, _ in pairs])
    step = GroupStep(optimizer, number, [param for param, _ in pairs])
    with capture.paused():
        numbers = step.begin_trace(capture.parked, capture.counts)
    effect = len(capture.effects)
    capture.effects.append(step)
    given = _Given(capture, step, effect, numbers)
    before = modes.enabled
    modes.enabled = False
    try:
        for place, (param, grad) in enumerate(pairs):
            _update(capture, step, place, param, grad, given)
    finally:
        modes.enabled = before


def _refuse(capture: Any, group: Any, params: list[Any]) -> None:
    if group.get("differentiable"):
        raise untraceable(
            "an optimizer with differentiable=True takes a step",
            "write the update as operations on tensors, or step outside",
        )
    for param in params:
        if not capture.is_outside(param):
            raise untraceable(
                "an optimizer takes a step of tensors that were made inside the function",
                "make parameters and their optimizer outside",
            )
        kind = dtypes.of(param)
        if kind.itemsize == 2:
            raise untraceable(f"an optimizer takes a step of {kind!r} parameters", "step outside")


class _Given:
    """The numbers of a step as symbols, each made once for each type."""

    def __init__(self, capture: Any, step: GroupStep, effect: int, numbers: list[Any]) -> None:
        self.capture = capture
        self.step = step
        self.effect = effect
        self.numbers = numbers
        self.known: dict[Any, Any] = {}

    def of(self, number: int, kind: Any) -> Any:
        """What the formula needs, for parameters of one class and type."""
        found = self.known.get((number, kind))
        if found is None:
            symbols = []
            for place in range(len(self.numbers[number])):
                symbols.append(self.capture.number(self.effect, len(self.step.wanted), kind))
                self.step.wanted.append((number, place, kind))
            found = _filled(self.step.structures[number], iter(symbols))
            self.known[number, kind] = found
        return found


def _update(
    capture: Any, step: GroupStep, place: int, param: Any, grad: Any, given: _Given
) -> None:
    state = step.states[place]
    tensors = [param, *[state[name] for name in step.names]]
    operands = [param._array, grad._array, *[each._array for each in tensors[1:]]]
    kind = param._array.dtype.numpy
    if kind.kind == "c":
        operands = [view_as_real(wrap(each))._array for each in operands]
    numbers = given.of(step.classes[place], _real(kind))
    formula = step.optimizer._formula
    found = formula(updates, numbers, WORK, *operands)
    for tensor, value in zip(tensors, found, strict=True):
        if kind.kind == "c":
            value = view_as_complex(wrap(value))._array
        if tensor._view is None and not memory_of(tensor).views:
            tensor._array = value
            memory = memory_of(tensor)
            memory.version += 1
            memory.written = next(clock)
        else:
            store(tensor, wrap(value), "step")


# -- numbers ------------------------------------------------------------------------------------


def _flat(numbers: Any) -> tuple[list[Any], Any]:
    """The numbers of a nested tuple, and its structure: None, True and False are part of that."""
    found: list[Any] = []

    def part(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple([part(each) for each in value])
        if value is None or value is True or value is False:
            return value
        found.append(value.item() if isinstance(value, Tensor) else value)
        return NUMBER

    return found, part(numbers)


def _real(kind: np.dtype[Any]) -> np.dtype[Any]:
    """The type of a formula's numbers: of complex parameters that of their parts."""
    return np.empty(0, kind).real.dtype


def _filled(structure: Any, symbols: Any) -> Any:
    if isinstance(structure, tuple):
        return tuple([_filled(each, symbols) for each in structure])
    return next(symbols) if structure is NUMBER else structure


def _options(group: Any) -> tuple[Any, ...]:
    """Options of a group that decide what a step does: the switches among them."""
    return tuple([value for value in group.values() if value is None or isinstance(value, bool)])


def put_back(counts: list[Any]) -> None:
    """Make counts what they were before a trace, the last first."""
    for count, old in reversed(counts):
        np.copyto(count._array, old)


def _counts(state: Any, names: Any) -> list[Any]:
    """Tensors of a state that are counts, not shaped like the parameter, and their values."""
    return [
        (value, value._array.copy())
        for name, value in state.items()
        if name not in names and isinstance(value, Tensor)
    ]


def _class_of(step: Any, known: list[Any]) -> int:
    for place, each in enumerate(known):
        if each == step:
            return place
    known.append(step)
    return len(known) - 1


__all__ = ["GroupStep", "put_back", "trace_group"]
