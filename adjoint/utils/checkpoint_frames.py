"""Checkpoints that are not re-entrant: what was saved is forgotten, and computed again.

A ``Frame`` is one call of ``checkpoint``. In its block each saved tensor is replaced by a
``Holder``. When a backward pass wants one, the function runs again, and what it saves at the
holder's place is what the holder stood for.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from itertools import zip_longest
from types import CodeType
from typing import Any, NamedTuple, Self

import numpy as np

from adjoint import dtypes
from adjoint.array.memory import owner_of
from adjoint.errors import describe_shape
from adjoint.random import default_generator
from adjoint.tape.hooks import running
from adjoint.tape.modes import enable_grad, modes
from adjoint.tape.node import Node, clock, line_of, shorten
from adjoint.tape.saved import Packed
from adjoint.tape.tensor import Tensor, wrap
from adjoint.tape.watching import Observer, Recorder, Watching


class CheckpointError(RuntimeError):
    """The function of a checkpoint did not do the same when it ran again."""


class _EnoughError(BaseException):
    """All that is needed has been computed again. Not for a user's ``except Exception``."""


class _Groups(threading.local):
    current: GraphExecGroup | None = None


class GraphExecGroup:
    """In the block, several backward passes compute a checkpoint's values again only once.

    They must go through different parts of the graph. Raises ``RuntimeError`` when nested.
    """

    _groups = _Groups()

    def __init__(self) -> None:
        self.notes: dict[Any, Any] = {}

    def __enter__(self) -> Self:
        if self._groups.current is not None:
            raise RuntimeError("GraphExecGroup contexts cannot be nested")
        self._groups.current = self
        return self

    def __exit__(self, *_: object) -> None:
        self._groups.current = None
        self.notes.clear()

    @classmethod
    def _get_current_group(cls) -> GraphExecGroup | None:
        return cls._groups.current


class Step(NamedTuple):
    """One operation that was recorded, and the user's line."""

    operation: str
    code: CodeType | None
    instruction: int

    def __str__(self) -> str:
        if self.code is None:
            return f"{self.operation} at <unknown>"
        line = line_of(self.code, self.instruction)
        return f"{self.operation} at {shorten(self.code.co_filename)}:{line}"


class Mark(NamedTuple):
    """What was saved: shape and type, by which operation, and the user's line."""

    shape: tuple[int, ...]
    dtype: Any
    operation: str
    code: CodeType | None
    instruction: int

    def __str__(self) -> str:
        step = Step(self.operation, self.code, self.instruction)
        return f"a {self.dtype!r} tensor of shape {describe_shape(self.shape)} saved by {step}"


class Holder:
    """What stands in the graph for a tensor that was saved in a checkpoint."""

    __slots__ = ("__weakref__", "frame", "kept", "number")

    def __init__(self, frame: Frame, number: int, kept: Any) -> None:
        self.frame = frame
        self.number = number
        self.kept = kept  # where a policy says so: gives the tensor after all

    def saved_arrays(self) -> list[Any]:
        """The arrays that it keeps alive: the arguments of its frame, and perhaps its tensor."""
        frame = self.frame
        held = [*frame.args, *frame.kwargs.values()]
        if self.kept is not None:
            held.append(self.kept.tensor)
        return [value._array for value in held if isinstance(value, Tensor)]


class Frame:
    """One call of ``checkpoint``, and how to make it again."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        contexts: tuple[Any, Any],
        *,
        preserve_rng_state: bool,
        early_stop: bool,
        check: bool,
        debug: bool,
    ) -> None:
        self.function = function
        self.sequence = next(clock)
        # Inside another checkpoint, that one forgets the arguments with everything else.
        self.args = tuple(map(_hidden, args))
        self.kwargs = {name: _hidden(value) for name, value in kwargs.items()}
        self.context, self.again = contexts
        self.random = default_generator.snapshot() if preserve_rng_state else None
        self.early_stop = early_stop
        self.check = check
        self.complete = False
        self.holders: list[weakref.ref[Holder]] = []
        self.wanted = (
            0  # how many of them have to be computed again, to the last that no policy keeps
        )
        self.marks: list[Mark] = []
        self.steps: list[Step] = []
        self.debug = debug

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The first time: forget what is saved."""
        with self.context, _Forgetting(self):
            out = self.function(*args, **kwargs)
        self.complete = True
        return out

    def recompute(self) -> dict[Holder, Any]:
        """Run the function again; gives what each holder stands for."""
        watch = _Recomputing(self)
        args = tuple([self._argument(value) for value in self.args])
        kwargs = {name: self._argument(value) for name, value in self.kwargs.items()}
        outside = None
        if self.random is not None:
            outside = default_generator.snapshot()
            default_generator.restore(self.random)
        try:
            with self.again, enable_grad(), watch:
                self.function(*args, **kwargs)
        except _EnoughError as enough:
            if id(enough.args[0]) != id(watch):
                raise
            return watch.found
        finally:
            if outside is not None:
                default_generator.restore(outside)
        if self.check and self.complete and len(watch.marks) != len(self.marks):
            raise self._miscount(watch)
        return watch.found

    def _argument(self, value: Any) -> Any:
        if isinstance(value, Packed):
            return value.tensor()
        if isinstance(value, Tensor):
            memory = value._memory
            if memory is not None and memory.written > self.sequence:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    "inplace operation: an argument of checkpoint, of shape "
                    f"{describe_shape(value.shape)}, was written to at {memory.where}, so its "
                    "function cannot run again. Write to a copy instead (x = x.clone())"
                )
        return value

    def mismatch(self, number: int, watch: _Recomputing) -> CheckpointError:
        """The error for saved tensor ``number``, which is another in the recomputation."""
        return CheckpointError(
            "checkpoint: the function did something else when it ran again for the backward pass. "
            f"Saved tensor {number} is {self.marks[number]} in the forward, and "
            f"{watch.marks[number]} in the recomputation. "
            + self._explained(watch, to_the_end=False)
        )

    def _miscount(self, watch: _Recomputing) -> CheckpointError:
        wanted, found = len(self.marks), len(watch.marks)
        which, longer = (
            ("forward", self.marks) if wanted > found else ("recomputation", watch.marks)
        )
        return CheckpointError(
            "checkpoint: A different number of tensors was saved during the original forward "
            f"({wanted}) and recomputation ({found}): only the {which} has "
            f"{longer[min(wanted, found)]}. {self._explained(watch, to_the_end=True)}"
        )

    def _explained(self, watch: _Recomputing, *, to_the_end: bool) -> str:
        """The two lines where the first difference is, and in debug mode all operations."""
        pairs = zip_longest(self.steps, watch.steps)
        first = next((pair for pair in pairs if pair[0] != pair[1]), None)
        text = ADVICE
        if first is not None and (first[1] is not None or to_the_end):
            forward, again = [each or "nothing more" for each in first]
            text = (
                f"The first operation that differs: the forward ran {forward}, the recomputation "
                f"{again}. {ADVICE}"
            )
        if not self.debug:
            return text + ". To see all operations of both, pass debug=True"
        return text + ".\nOperations of the forward:\n  {}\nof the recomputation:\n  {}".format(
            "\n  ".join(map(str, self.steps)), "\n  ".join(map(str, watch.steps))
        )


ADVICE = (
    "It must not depend on what changes between: a global, a counter, a module in another mode, "
    "random numbers of a generator of its own"
)


class _Watch(Watching, Observer):
    """Sees which operation saves what, while the function of a frame runs."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame
        self.node: Node | None = None
        self.steps = frame.steps

    def pack(self, tensor: Any) -> Any:
        """What to keep for ``tensor``."""
        raise NotImplementedError

    def unpack(self, given: Any) -> Any:
        """The tensor for what was kept."""
        raise NotImplementedError

    def _changed(self, present: Recorder) -> Recorder:
        if present.disabled is not None:
            raise RuntimeError(present.disabled)
        unpack = type(self).unpack  # a function, as a method would hold the frame by its nodes
        return Recorder((self.pack, unpack), (*present.observers, self))  # type: ignore[arg-type]

    def recorded(self, node: Node, inputs: tuple[Any, ...], out: Any) -> None:
        """Remember the operation; what it saves comes next."""
        self.node = node
        if modes.recorder.observers[-1] is self:
            self.steps.append(Step(type(node).__name__, node.code, node.instruction))

    def mark(self, tensor: Any) -> Mark:
        """What is being saved, by which operation and line."""
        array, node = tensor._array, self.node
        if node is None:
            name, code, instruction = "another checkpoint, whose argument it is,", None, 0
        else:
            name, code, instruction = node.name(), node.code, node.instruction
        return Mark(tuple(array.shape), dtypes.of(array), name, code, instruction)


class _Forgetting(_Watch):
    """The first time: holders instead of tensors."""

    def pack(self, tensor: Any) -> Holder:
        """A holder, with the tensor if a policy around says so."""
        frame = self.frame
        kept = None
        for observer in modes.recorder.observers:
            keeps = getattr(observer, "keeps", None)
            if keeps is not None:
                kept = keeps(tensor) or kept
        holder = Holder(frame, len(frame.holders), kept)
        frame.holders.append(weakref.ref(holder))
        frame.marks.append(self.mark(tensor))
        if kept is None:
            frame.wanted = len(frame.holders)
        return holder

    @staticmethod
    def unpack(given: Holder) -> Any:
        """The tensor that a holder stands for, computed again once in each backward pass."""
        if given.kept is not None:
            return given.kept.get()
        frame, group, task = given.frame, GraphExecGroup._get_current_group(), running.task
        notes: dict[Any, Any] = {}
        if group is not None:
            notes = group.notes
        elif task is not None:
            notes = task.notes
        # Taken out: what was used need not stay until the end of the pass.
        tensor = notes.get(frame, {}).pop(given, None)
        if tensor is None:
            found = notes[frame] = frame.recompute()
            tensor = found.pop(given, None)
        if tensor is None:
            raise CheckpointError(
                f"checkpoint: {frame.marks[given.number]} was not computed again: the function "
                f"did less when it ran again for the backward pass. {ADVICE}"
            )
        return tensor


class _Recomputing(_Watch):
    """The second time: tensors for the holders, until there are enough."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame)
        self.wanted = frame.wanted
        # A backward inside the function itself needs no more than was saved before it.
        self.stops = frame.early_stop or not frame.complete
        self.steps = []
        self.found: dict[Holder, Any] = {}
        self.marks: list[Mark] = []
        self.of_memory: dict[int, list[Holder]] = {}

    def pack(self, tensor: Any) -> Any:
        """Keep the tensor for its holder."""
        frame, number = self.frame, len(self.marks)
        self.marks.append(self.mark(tensor))
        look = wrap(tensor._array, tensor._level)
        if number < len(frame.marks):
            if frame.check and self.marks[number][:3] != frame.marks[number][:3]:
                raise frame.mismatch(number, self)
            holder = frame.holders[number]()
            if holder is not None and holder.kept is None:
                self.found[holder] = look
                if isinstance(look._array, np.ndarray):
                    self.of_memory.setdefault(id(owner_of(look._array)), []).append(holder)
        if self.stops and number + 1 == self.wanted:
            raise _EnoughError(self)
        return look

    @staticmethod
    def unpack(given: Any) -> Any:
        """For a backward inside the function itself."""
        return given

    def writing(self, array: Any) -> None:
        """``array`` is about to be written to: copy what was kept of its memory."""
        for holder in self.of_memory.pop(id(owner_of(array)), ()):
            look = self.found[holder]
            self.found[holder] = wrap(look._array.copy(), look._level)


def _hidden(value: Any) -> Any:
    if isinstance(value, Tensor) and modes.enabled:
        recorder = modes.recorder
        if recorder is not True and recorder.hooks is not None:
            for observer in recorder.observers:
                if isinstance(observer, _Watch):
                    observer.node = None
            return Packed(value, value._node, *recorder.hooks)
    return value
