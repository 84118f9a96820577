"""What may watch the tape: functions that pack saved values, and observers of every operation.

While anybody watches, ``modes.enabled`` is a ``Recorder`` instead of True: the paths that make
nodes test it for truth anyway, so that watching costs nothing where nobody does.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol, Self

from adjoint.tape.modes import modes
from adjoint.tape.node import Node
from adjoint.tape.saved import Pack, Unpack, pack_saved


class Observer(Protocol):
    """Sees operations as they are recorded, and nodes as backward passes go through them."""

    def recorded(self, node: Node, inputs: tuple[Any, ...], out: Any) -> None:
        """``node`` has just been made of ``inputs``; ``out`` is the array, or several."""
        return

    def passing(self, node: Node, g: Any) -> None:
        """A backward pass comes to ``node`` with ``g``, a list where it has several outputs."""
        return

    def passed(self, node: Node, g: Any, gradients: list[Any]) -> None:
        """It leaves with ``gradients``, one for each input or None."""
        return

    def failed(self, node: Node, error: BaseException) -> None:
        """Or its formulas raise ``error``, which ends the pass."""
        return


class Recorder:
    """How operations are recorded in a block: through which hooks, before which observers."""

    __slots__ = ("disabled", "hooks", "observers")

    def __init__(
        self,
        hooks: tuple[Pack, Unpack] | None = None,
        observers: tuple[Observer, ...] = (),
        disabled: str | None = None,
    ) -> None:
        self.hooks = hooks
        self.observers = observers
        self.disabled = disabled  # why no hooks may be set, if they may not

    def writing(self, array: Any) -> None:
        """Tell those who want to know that plain memory is about to be written to."""
        for observer in self.observers:
            wants = getattr(observer, "writing", None)
            if wants is not None:
                wants(array)

    def recorded(self, node: Node, inputs: tuple[Any, ...], out: Any) -> None:
        """Show a new node to whoever watches."""
        for observer in self.observers:
            observer.recorded(node, inputs, out)
        if self.hooks is not None:
            pack_saved(node, inputs, *self.hooks)


def present_recorder() -> Recorder:
    """The recorder of this thread, an idle one if nobody watches."""
    found = modes.recorder
    return found if isinstance(found, Recorder) else Recorder()


class Watching:
    """A context manager that changes this thread's recorder and puts the old one back."""

    def __init__(self) -> None:
        self._previous: list[Any] = []

    def _changed(self, present: Recorder) -> Recorder:
        """The recorder for the block, from the one outside."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        changed = self._changed(present_recorder())
        self._previous.append(modes.recorder)
        set_recorder(changed)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        set_recorder(self._previous.pop())


def set_recorder(recorder: Any) -> None:
    """Make ``recorder`` (or True, for nobody) what records in this thread."""
    modes.recorder = recorder
    if modes.enabled:
        modes.enabled = recorder
