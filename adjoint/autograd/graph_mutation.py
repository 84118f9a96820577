"""Writing over saved tensors without spoiling the backward pass: they are copied just before."""

from __future__ import annotations

from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import numpy as np

from adjoint.array.memory import owner_of
from adjoint.tape.modes import modes
from adjoint.tape.tensor import wrap
from adjoint.tape.watching import Observer, Recorder, Watching


class _Kept:
    """What stands in the graph for a saved tensor."""

    __slots__ = ("__weakref__",)


class SavedContext(Observer):
    """What ``allow_mutation_on_saved_tensors`` keeps: tensors that were saved, and copies.

    ``original`` has those that nobody has written to, ``cloned`` the copies of the others.
    """

    def __init__(self) -> None:
        self.original: WeakKeyDictionary[_Kept, Any] = WeakKeyDictionary()
        self.cloned: WeakKeyDictionary[_Kept, Any] = WeakKeyDictionary()
        self._of_memory: dict[int, WeakSet[_Kept]] = {}

    def clear(self) -> None:
        """Let go of everything: no backward pass can go through this graph any more."""
        self.original.clear()
        self.cloned.clear()
        self._of_memory.clear()

    def _keep(self, tensor: Any) -> _Kept:
        array = tensor._array
        plain = isinstance(array, np.ndarray)
        same: Any = self._of_memory.setdefault(id(owner_of(array)), WeakSet()) if plain else ()
        kept: _Kept
        for kept in same:
            if _look(self.original[kept]._array) == _look(array):
                return kept  # saved before, and not written to since
        kept = _Kept()
        self.original[kept] = wrap(array, tensor._level)
        if plain:
            same.add(kept)
        return kept

    def _given(self, kept: _Kept) -> Any:
        if _is_inside(self):
            found = self.cloned.get(kept)
            if found is None:
                found = self.original.get(kept)
            if found is not None:
                return found
        raise AssertionError(
            "a backward pass needs a tensor that was saved inside allow_mutation_on_saved_tensors: "
            "run it inside the same block, and before clear()"
        )

    # -- an observer of operations and writes

    def writing(self, array: Any) -> None:
        """``array`` is about to be written to: copy what was saved of its memory."""
        for kept in list(self._of_memory.pop(id(owner_of(array)), ())):
            old = self.original.pop(kept, None)
            if old is None:
                continue
            self.cloned[kept] = wrap(old._array.copy(), old._level)


def _is_inside(context: SavedContext) -> bool:
    """Whether this thread is inside the block of ``context``."""
    recorder = modes.recorder
    return recorder is not True and context in recorder.observers


def _look(array: Any) -> tuple[Any, ...]:
    """What tells apart arrays that look at one memory."""
    return array.__array_interface__["data"], array.shape, array.strides, array.dtype


class allow_mutation_on_saved_tensors(Watching):  # noqa: N801 - PyTorch's name
    """In the block, a saved tensor that is written to in place is copied just before.

    So backward passes, which must run in the same block, use the values as they were saved. Gives
    an object with ``clear()``, which lets go of them. Raises ``RuntimeError`` when nested.

    >>> import adjoint as torch
    >>> with torch.autograd.graph.allow_mutation_on_saved_tensors():
    ...     x = torch.tensor([1.0, 2.0], requires_grad=True)
    ...     y = x.clone()
    ...     out = (y * y).sum()
    ...     _ = y.mul_(10)
    ...     out.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self) -> None:
        super().__init__()
        self.context = SavedContext()

    def _changed(self, present: Recorder) -> Recorder:
        if present.disabled is not None:
            raise RuntimeError(present.disabled)
        if any(isinstance(each, SavedContext) for each in present.observers):
            raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
        context = self.context
        return Recorder((context._keep, context._given), (*present.observers, context))

    def __enter__(self) -> Any:
        super().__enter__()
        return self.context

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self.context.clear()
