"""What a profile collects while it runs: raw events, of operations, of nodes and of the user's."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from time import perf_counter_ns
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from adjoint.autograd.profiler_instruments import instruments
from adjoint.tape.node import Node, user_frame
from adjoint.tape.tensor import Tensor
from adjoint.tape.watching import Recorder, present_recorder, set_recorder

FUNCTION, BACKWARD, USER = 0, 1, 7  # PyTorch's numbers for where an event comes from


class Options(NamedTuple):
    """What is kept of each event besides its times."""

    shapes: bool = False
    memory: bool = False
    stack: bool = False
    flops: bool = False


class RawEvent:
    """One event: times in nanoseconds, and what stood above it."""

    __slots__ = ("end", "made", "name", "parent", "scope", "shapes", "stack", "start")

    def __init__(self, name: str, scope: int, parent: RawEvent | None) -> None:
        self.name = name
        self.scope = scope
        self.parent = parent
        self.shapes: list[Any] = []
        self.stack: list[str] = []
        self.made = 0  # bytes of the results, as far as they are new memory
        self.end = 0
        self.start = perf_counter_ns()


class _Here(threading.local):
    """What this thread records into, and the event that it is in."""

    sessions: tuple[Session, ...] = ()
    options: Options = Options()
    event: RawEvent | None = None


class Session:
    """The events of one run of a profile; those of the thread that started it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.events: list[RawEvent] = []
        self.started = self.ended = 0
        self.paused = False
        self.thread = threading.get_ident()
        self._observer = _NodeObserver()

    def start(self) -> None:
        """Begin to collect."""
        instruments.put_in(_around)
        here.sessions = (*here.sessions, self)
        here.options = _together(here.sessions)
        present = present_recorder()
        observers = (
            (*present.observers, self._observer) if len(here.sessions) == 1 else (present.observers)
        )
        set_recorder(Recorder(present.hooks, observers, present.disabled))
        self.started = perf_counter_ns()

    def pause(self, paused: bool) -> None:
        """Leave out what ends from now on, or take it in again."""
        self.paused = paused

    def stop(self) -> None:
        """Collect no more."""
        self.ended = perf_counter_ns()
        here.sessions = tuple(each for each in here.sessions if each is not self)
        here.options = _together(here.sessions)
        if not here.sessions:
            present = present_recorder()
            observers = tuple(
                each for each in present.observers if not isinstance(each, _NodeObserver)
            )
            idle = not observers and present.hooks is None and present.disabled is None
            set_recorder(True if idle else Recorder(present.hooks, observers, present.disabled))
        instruments.take_out()


here = _Here()


def _together(sessions: tuple[Session, ...]) -> Options:
    """What at least one of the sessions wants."""
    return Options(*[any(each) for each in zip(*[s.options for s in sessions], strict=True)])


def begin(name: str, scope: int) -> RawEvent:
    """An event of this thread begins."""
    event = here.event = RawEvent(name, scope, here.event)
    return event


def finish(event: RawEvent) -> None:
    """And ends: every session that saw all of it gets it."""
    event.end = perf_counter_ns()
    here.event = event.parent
    for session in here.sessions:
        if event.start >= session.started and not session.paused:
            session.events.append(event)


def _around(
    function: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call an operation, as an event where this thread is being profiled."""
    above = here.event
    if not here.sessions or (above is not None and above.name == name):
        return function(*args, **kwargs)  # ``relu`` of ``nn.functional`` is one event with ``relu``
    options = here.options
    event = begin(name, FUNCTION)
    if options.shapes or options.flops:
        event.shapes = [shapes_of(each) for each in args]
    if options.stack:
        event.stack = stack_above(sys._getframe(1))
    try:
        out = function(*args, **kwargs)
        if options.memory and not (args and out is args[0]):  # in place: nothing is new
            event.made = new_bytes(out)
        return out
    finally:
        finish(event)


class _NodeObserver:
    """Makes events of the nodes that backward passes go through."""

    def recorded(self, node: Node, inputs: tuple[Any, ...], out: Any) -> None:
        """Nothing: the operation is an event already."""

    def passing(self, node: Node, g: Any) -> None:
        """A node begins."""
        event = begin(node.name(), BACKWARD)
        if here.options.shapes:
            event.shapes = [shapes_of(each) for each in (g if isinstance(g, list) else [g])]

    def passed(self, node: Node, g: Any, gradients: list[Any]) -> None:
        """It ends."""
        event = here.event
        if event is not None:
            if here.options.memory:
                event.made = sum(new_bytes(each) for each in gradients if each is not g)
            finish(event)

    def failed(self, node: Node, error: BaseException) -> None:
        """It ends with an error."""
        if here.event is not None:
            finish(here.event)


def shapes_of(value: Any) -> list[Any]:
    """A tensor's shape, those of a list of tensors, an empty list for anything else."""
    if isinstance(value, (Tensor, np.ndarray)):
        return list(value.shape)
    if isinstance(value, (tuple, list)) and any(isinstance(each, Tensor) for each in value):
        return [shapes_of(each) for each in value]
    return []


def new_bytes(out: Any) -> int:
    """The bytes of a result, or several, that are no view of something older."""
    if isinstance(out, (tuple, list)):
        return sum(new_bytes(each) for each in out)
    if isinstance(out, Tensor):
        if out._view is not None:
            return 0
        out = out._array
    if isinstance(out, np.ndarray) and out.base is None:
        return out.nbytes
    return 0


def stack_above(frame: FrameType | None) -> list[str]:
    """The user's frames, innermost first, as PyTorch writes them: ``file(line): function``."""
    found = []
    frame = user_frame(frame)
    while frame is not None:
        code = frame.f_code
        found.append(f"{code.co_filename}({frame.f_lineno}): {code.co_name}")
        frame = user_frame(frame.f_back)
    return found
