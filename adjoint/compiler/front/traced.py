"""What a trace has found: a program, and what else each call does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adjoint.compiler.front.differentiating import Backward
from adjoint.compiler.front.leaks import Leaks
from adjoint.compiler.front.sources import Outside, Source
from adjoint.compiler.program import Program
from adjoint.tape.node import AccumulateGrad
from adjoint.tape.tensor import history_of


class Written(NamedTuple):
    """A source whose memory gets a result, and how many writes its version counts.

    ``rebinds`` says that it gets the new array itself, by ``.data =``.
    """

    source: Source
    result: int
    writes: int
    rebinds: bool


class Left(NamedTuple):
    """A ``.grad`` that the function leaves: of which tensor; what was made, None for none."""

    source: Source
    made: int | None


class Flag(NamedTuple):
    """A ``requires_grad_()`` of a tensor from outside."""

    source: Source
    requires_grad: bool


class Traced(NamedTuple):
    """What one trace has found."""

    program: Program
    sources: tuple[Source, ...]  # of each input of the program
    arguments: int  # how many of them are arguments, the first ones
    effects: tuple[Any, ...]
    made: tuple[Any, ...]
    outputs: tuple[Any, ...]  # for each returned leaf: a number among ``made``, or a Constant
    rebuild: Any  # from values to what the function returns
    written: tuple[Written, ...]
    counted: tuple[tuple[Source, int], ...]  # what else counts writes: other looks at a memory
    left: tuple[Left, ...]
    flags: tuple[Flag, ...]
    made_grads: tuple[tuple[int, int], ...]  # what is made and has a .grad; what that is
    grad_guards: tuple[tuple[Source, bool], ...]  # tensors whose `.grad` was read: was there one
    bound: tuple[tuple[int, Any], ...]  # arguments that must be these very tensors
    backward: Backward | None
    related: tuple[Outside, ...]  # tensors that look at the memory of sources, as they did
    leaks: Leaks  # what outlives the trace, to be asked once it is over

    def mismatch(self, arguments: Sequence[Any]) -> str | None:
        """Why the program does not fit the tensors as they are now; None if it does."""
        for number, tensor in self.bound:
            if arguments[number] is not tensor:
                return f"argument {number} was a tensor that the function reaches otherwise too"
        closed = {id(each.tensor) for each in self.sources if isinstance(each, Outside)}
        bound = {number for number, _ in self.bound}
        for number, argument in enumerate(arguments):
            if number not in bound and id(argument) in closed:
                return f"argument {number} is a tensor that the function reaches otherwise too"
        for source, there in self.grad_guards:
            if (_grad(source, arguments) is not None) is not there:
                return f"{source!r} has {'no' if there else 'a'} .grad"
        for source in (*self.sources[self.arguments :], *self.related):
            if hasattr(source, "facts"):
                tensor = source.find(arguments)
                reason = "it is gone" if tensor is None else source.facts.differs(tensor)
                if reason is not None:
                    return f"{source!r}: {reason}"
        return self._misfit() or self._overlap(arguments)

    def _misfit(self) -> str | None:
        """What the effects do not fit any more; they are begun for that, and taken back."""
        begun = []
        reason = None
        for effect in self.effects:
            if effect.begin() is None:
                reason = "a step of an optimizer needs other numbers than before"
                break
            begun.append(effect)
        for effect in reversed(begun):
            effect.undo()
        return reason

    def _overlap(self, arguments: Sequence[Any]) -> str | None:
        """What shares memory with something that is written to, and did not in the trace."""
        if not self.written:
            return None
        found = [
            (each, tensor._array)
            for each in self.sources
            if hasattr(each, "facts") and (tensor := each.find(arguments)) is not None
        ]
        clash = overlapping(found, {id(each.source) for each in self.written})
        return None if clash is None else f"{clash[0]!r} and {clash[1]!r} share memory"


def _grad(source: Source, arguments: Sequence[Any]) -> Any:
    node = history_of(source.find(arguments))
    return node.grad if isinstance(node, AccumulateGrad) else None


def overlapping(arrays: Sequence[tuple[Any, Any]], written: set[int]) -> Any:
    """Two sources of which one is written to, and whose memory is partly the same."""
    spans = []
    for source, array in arrays:
        if array.size:
            low, high = np.lib.array_utils.byte_bounds(array)
            spans.append((low, high, source))
    spans.sort(key=lambda each: each[:2])
    reached: list[tuple[int, int, Any]] = []
    for low, high, source in spans:
        reached = [each for each in reached if each[1] > low]
        for _, _, other in reached:
            if id(source) in written or id(other) in written:
                return other, source
        reached.append((low, high, source))
    return None


__all__ = ["Flag", "Left", "Traced", "Written", "overlapping"]
