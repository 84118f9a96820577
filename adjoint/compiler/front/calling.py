"""Calling one compiled program: gathering its inputs, running it, delivering what it made.

A call goes in this order: what was found around the function still holds; steps that Python takes
each time (an optimizer's count); the arrays of all inputs; machine code, which also writes to
inputs, as its last act; and then whatever only Tensors know: results, versions, histories, `.grad`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.compiler.front.differentiable import Derivative, as_input, make_spent, reshaped
from adjoint.compiler.front.guards import Change, Guards
from adjoint.compiler.front.keys import hooks_of
from adjoint.compiler.front.sources import GradOf, Number, Outside
from adjoint.compiler.front.tracing import Constant, Given, Look, Result, Traced
from adjoint.compiler.runtime.executable import FINISHED, Executable
from adjoint.ops.inplace import before_write
from adjoint.ops.rewriting import follow, renew_unrecorded
from adjoint.tape.changes import changes
from adjoint.tape.modes import no_grad
from adjoint.tape.node import AccumulateGrad, clock, user_frame
from adjoint.tape.tensor import make_leaf, memory_of, set_requires_grad, wrap

ndarray = np.ndarray
MISS = type("Miss", (), {"__repr__": lambda _: "MISS"})()  # this program is for another world


class Compiled:
    """One program for one kind of arguments, in one state of the world around the function."""

    def __init__(self, traced: Traced, guards: Guards, key: Any) -> None:
        self.traced = traced
        self.guards = guards
        self.key = key
        self.executable = Executable(traced.program)
        self.reshaped = reshaped(self.executable)
        self.copies = self._copied_results()
        self.changes = changes.count
        backward = traced.backward
        self.derivative = None if backward is None else Derivative(traced.program, backward)
        self.spent = [
            number
            for number, each in enumerate(traced.made)
            if isinstance(each, Result) and each.requires_grad == "freed"
        ]
        self.numbers = [
            (place, each) for place, each in enumerate(traced.sources) if isinstance(each, Number)
        ]
        self.outside = _outside(traced)
        self.hooks = [(each, hooks_of(each.tensor)) for each in self.outside]
        self.tracing = 0.0  # seconds
        self.ways = 0  # quick ways that were asked for
        self.written_call: Any = None  # source and code of the quick way, see ``quick``
        self.unchecked = 0  # calls that are still to be compared with the function itself
        self.reason: str | None = None  # why it did not fit when it was last asked

    def _copied_results(self) -> set[int]:
        """Which tensors that are made need memory of their own, as equal results are one array."""
        used: set[int] = set()
        apart = {number for number, _ in self.reshaped}
        found = set()
        for index, each in enumerate(self.traced.made):
            if isinstance(each, Result):
                place = self.executable.outputs[each.number]
                if each.copy or place in used or each.number in apart:
                    found.add(index)
                if place is not None and place >= 0:
                    used.add(place)
        return found

    def _outputs_of(self, made: list[Any], given: Sequence[Any]) -> list[Any]:
        outputs = self.executable.outputs_of(made, given)
        for number, shape in self.reshaped:
            outputs[number] = outputs[number].reshape(shape)
        return outputs

    # -- whether it fits ----------------------------------------------------------------------

    def fits(self, arguments: Sequence[Any]) -> bool:
        """Whether the world around the function is as it was when it was traced.

        Where it holds another tensor of the same kind in the same place, that one is taken.
        """
        try:
            count = changes.count
            replaced = {id(old): new for old, new in self.guards.renew()}
        except Change as change:
            self.reason = str(change)
            return False
        for source in self.outside:
            source.tensor = replaced.get(id(source.tensor), source.tensor)
        if replaced or count != self.changes:
            for source, hooks in self.hooks:
                if hooks_of(source.tensor) != hooks:
                    self.reason = f"{source!r} has other hooks"
                    return False
        self.reason = self.traced.mismatch(arguments)
        if self.reason is None:
            self.changes = count
        return self.reason is None

    # -- a call -------------------------------------------------------------------------------

    def __call__(self, arguments: Sequence[Any]) -> Any:
        """Run the program; ``MISS`` if an effect finds that it does not fit."""
        traced, executable = self.traced, self.executable
        begun: list[Any] = []
        numbers: list[Any] = []
        made: list[Any] = []
        context = executable.take()
        finished = context.table[FINISHED]
        try:
            for effect in traced.effects:
                effect.undoing = []
                begun.append(effect)  # before it begins, as that may be interrupted
                numbers.append(effect.begin())
                if numbers[-1] is None:
                    undo(begun)
                    return MISS
            tensors = [each.find(arguments) for each in traced.sources]
            arrays: list[Any] = [None if each is None else each._array for each in tensors]
            for place, source in self.numbers:
                arrays[place] = numbers[source.effect][source.place]
            for each in traced.written:
                tensor = each.source.find(arguments)
                before_write(memory_of(tensor), tensor._array)
            given = [as_input(each) for each in arrays]
            copies = self._copies(given)
            executable.call_in(context, given, made)
            return self._finish(arguments, tensors, arrays, given, made, copies)
        except BaseException:
            # An interrupt that came while machine code ran is seen when it has ended, and has
            # written: then the call is completed before the interrupt goes on.
            if context.table[FINISHED] == finished:
                undo(begun)
            else:
                self._finish(arguments, tensors, arrays, given, made, copies)
            raise
        finally:
            executable.idle.append(context)

    def _finish(
        self,
        arguments: Sequence[Any],
        tensors: Sequence[Any],
        arrays: Sequence[Any],
        given: Sequence[Any],
        made: list[Any],
        copies: dict[int, Any],
    ) -> Any:
        """What is to be done after a run: all that would be half a call if it were left out."""
        for place in self.traced.program.writes.values():
            if given[place] is not arrays[place]:
                np.copyto(arrays[place], given[place])
        outputs = self._outputs_of(made, given)
        return self.deliver(arguments, tensors, outputs, copies)

    def _copies(self, arrays: Sequence[Any]) -> dict[int, Any]:
        """Inputs that the program writes to, and that a second derivative needs as they are."""
        if self.derivative is None:
            return {}
        return {number: arrays[number].copy() for number in self.derivative.copied}

    def complete(self, arguments: Sequence[Any], made: list[Any]) -> None:
        """Deliver what a run has made, for a caller who was interrupted after it."""
        tensors = [each.find(arguments) for each in self.traced.sources]
        arrays = [None if each is None else each._array for each in tensors]
        self.deliver(arguments, tensors, self._outputs_of(made, arrays), {})

    def deliver(
        self,
        arguments: Sequence[Any],
        tensors: Sequence[Any],
        made: Sequence[Any],
        kept: dict[int, Any],
    ) -> Any:
        """What follows from a run: versions, gradients at leaves, results and their histories."""
        traced = self.traced
        self._note_writes(arguments, made)
        results: list[Any] = [
            None if type(each) is Look else self._result(number, each, arguments, made)
            for number, each in enumerate(traced.made)
        ]
        if self.derivative is not None:
            self._record(arguments, tensors, results, made, kept)
        if self.spent:
            edges = [each._node for each in tensors if each is not None and each._node is not None]
            for each in self.spent:
                make_spent(results[each], edges, traced.made[each].error)
        for number, each in enumerate(traced.made):
            if type(each) is Look:  # of what has its history now
                of = each.of
                parent = results[of] if isinstance(of, int) else of.find(arguments)
                results[number] = view_of(parent, each)
            if type(each) is not Given and each.retains:
                results[number].retain_grad()
        for flag in traced.flags:
            set_requires_grad(flag.source.find(arguments), flag.requires_grad)
        for place, other in traced.made_grads:
            results[place].grad = results[other]
        for leaf in traced.left:
            tensor = leaf.source.find(arguments)
            node, grad = tensor._node, None if leaf.made is None else results[leaf.made]
            if isinstance(node, AccumulateGrad):
                node.grad = grad
            else:  # detached since
                tensor.grad = grad
        return traced.rebuild(
            iter(
                [each.get() if type(each) is Constant else results[each] for each in traced.outputs]
            )
        )

    def _note_writes(self, arguments: Sequence[Any], made: Sequence[Any]) -> None:
        """Count writes, all at one time and in one line: that of the call."""
        written, counted = self.traced.written, self.traced.counted
        if not written and not counted:
            return
        now, frame = next(clock), user_frame(sys._getframe(1))
        for each in written:
            if each.rebinds:
                each.source.find(arguments)._array = made[each.result].copy()
        facts = [(each.source, each.writes) for each in written]
        for source, writes in (*facts, *counted):
            memory = memory_of(source.find(arguments))
            memory.version += writes
            memory.written = now
            if frame is not None:
                memory.code, memory.instruction = frame.f_code, frame.f_lasti
            if memory.views:
                renew_unrecorded(memory)

    def _result(self, index: int, each: Any, arguments: Sequence[Any], made: Sequence[Any]) -> Any:
        if type(each) is Given:
            return each.source.find(arguments)
        array = made[each.number]
        tensor = wrap(array.copy() if index in self.copies else array)
        if each.requires_grad == "leaf":
            make_leaf(tensor)
        if each.writes:
            memory_of(tensor).version = each.writes
        return tensor

    def _record(
        self,
        arguments: Sequence[Any],
        tensors: Sequence[Any],
        results: Sequence[Any],
        made: Sequence[Any],
        copies: dict[int, Any],
    ) -> None:
        """Give results their history: one node for all."""
        derivative, backward = self.derivative, self.traced.backward
        assert derivative is not None
        assert backward is not None
        edges = [each.find(arguments)._node for each in backward.edges]
        kept = [
            made[each] if isinstance(each, int) else each.find(arguments)
            for each in derivative.residuals
        ]
        derivative.record(
            [results[each] for each in backward.cotangents],
            edges,
            kept,
            made,
            [copies.get(number, tensor) for number, tensor in enumerate(tensors)],
        )


def _outside(traced: Traced) -> list[Outside]:
    """All tensors from outside that a program has to do with, each once."""
    sources: list[Any] = [*traced.sources, *[each for each, _ in traced.grad_guards]]
    parts: tuple[Any, ...] = (*traced.written, *traced.left, *traced.flags)
    sources += [each.source for each in parts]
    sources += [each for each, _ in traced.counted]
    sources += [each.source for each in traced.made if type(each) is Given]
    sources += [each.of for each in traced.made if type(each) is Look]
    sources += () if traced.backward is None else traced.backward.edges
    leaves = [each.leaf for each in sources if isinstance(each, GradOf)]
    found = [each for each in (*sources, *leaves) if isinstance(each, Outside)]
    return list({id(each): each for each in found}.values())


def view_of(parent: Any, look: Look) -> Any:
    """A view that leaves a function, taken anew."""
    if look.recorded:
        tensor = follow(parent, look.path)
    else:
        with no_grad():
            tensor = follow(parent, look.path)
    if look.apart:
        tensor = wrap(tensor._array)
        memory_of(tensor).version = look.writes
    if look.retains:
        tensor.retain_grad()
    return set_requires_grad(tensor) if look.leaf else tensor


def undo(begun: Sequence[Any]) -> None:
    """Take back the effects that a call has begun with, of which the last may not be done."""
    for effect in reversed(begun):
        effect.undo()


def root_of(array: Any) -> Any:
    """Whose memory an array lies in: itself, another array, or what that was made of."""
    while isinstance(array.base, ndarray):
        array = array.base
    return array if array.base is None else array.base


__all__ = ["MISS", "Compiled", "root_of", "undo", "view_of"]
