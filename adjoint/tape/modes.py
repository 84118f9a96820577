"""Whether operations are recorded: a setting of each thread."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


# What ``enabled`` is at the beginning of a block without recording: as good as False (and as quick
# to test, which an object with a ``__bool__`` of its own is not), but cuts are still noted.
NOTING = ()


class _Modes(threading.local):
    enabled: Any = True  # whether operations are recorded; if so, True or who watches
    recorder: Any = True  # what ``enabled`` is where recording is switched on
    inference = False
    noted = 0  # cuts in this block
    multithreading = True  # what the user has set; passes run in the thread that calls them


modes = _Modes()


def _switch(on: bool) -> None:
    """Recording on or off, at the beginning of a block."""
    if on:
        modes.enabled = modes.recorder
    else:
        modes.enabled = NOTING
        modes.noted = 0


class _GradMode:
    """A context manager that sets the mode and puts the old one back, also a decorator."""

    _enabled = True
    _inference: bool | None = None

    def __init__(self) -> None:
        self._previous: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self._previous.append((modes.enabled, modes.inference))
        _switch(self._enabled)
        if self._inference is not None:
            modes.inference = self._inference

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        modes.enabled, modes.inference = self._previous.pop()

    def _fresh(self) -> _GradMode:
        return type(self)()

    def __call__(self, function: Function) -> Function:
        if inspect.isgeneratorfunction(function):
            return _wrap_generator(self._fresh, function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._fresh():
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


def _wrap_generator(mode: Callable[[], _GradMode], function: Function) -> Function:
    """Hold the mode while the generator runs, and only then."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        resume: Callable[[], Any] = functools.partial(next, generator)
        try:
            while True:
                with mode():
                    item = resume()
                try:
                    sent = yield item
                except GeneratorExit:
                    with mode():
                        generator.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - handed on to the generator
                    resume = functools.partial(generator.throw, error)
                else:
                    resume = functools.partial(generator.send, sent)
        except StopIteration as stop:
            return stop.value

    return wrapped  # type: ignore[return-value]


class _BareDecorator(_GradMode):
    """A mode that may also be written without parentheses: ``@no_grad``."""

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        instance = super().__new__(cls)
        if orig_func is None:
            return instance
        _GradMode.__init__(instance)
        return instance(orig_func)

    def __init__(self, orig_func: Callable[..., Any] | None = None) -> None:
        super().__init__()


class no_grad(_BareDecorator):  # noqa: N801 - PyTorch's name
    """Record nothing in the block or the decorated function.

    >>> import adjoint as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    _enabled = False


class enable_grad(_BareDecorator):  # noqa: N801 - PyTorch's name
    """Record again inside a ``no_grad`` block.

    >>> import adjoint as torch
    >>> with torch.no_grad(), torch.enable_grad():
    ...     torch.is_grad_enabled()
    True
    """

    _enabled = True


class set_grad_enabled(_GradMode):  # noqa: N801 - PyTorch's name
    """Set recording on or off at once; as a context manager, put it back afterwards.

    >>> import adjoint as torch
    >>> with torch.set_grad_enabled(False):
    ...     torch.is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self._enabled = bool(mode)
        self._outside = (modes.enabled, modes.inference)
        _switch(self._enabled)

    def __enter__(self) -> None:
        self._previous.append(self._outside)
        _switch(self._enabled)

    def _fresh(self) -> _GradMode:
        return type(self)(self._enabled)

    def __call__(self, function: Function) -> Function:
        modes.enabled, modes.inference = self._outside
        return super().__call__(function)


class inference_mode(_GradMode):  # noqa: N801 - PyTorch's name
    """As ``no_grad``, and what is made inside may never be recorded later.

    >>> import adjoint as torch
    >>> with torch.inference_mode():
    ...     torch.ones(2).is_inference()
    True
    """

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        instance = super().__new__(cls)
        if callable(mode):
            inference_mode.__init__(instance, True)
            return instance(mode)
        return instance

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self._mode = mode
        self._enabled = not mode
        self._inference = mode

    def __enter__(self) -> None:
        super().__enter__()
        if not self._mode:
            modes.enabled = modes.recorder

    def _fresh(self) -> _GradMode:
        return type(self)(self._mode)


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require gradients are recorded in this thread."""
    return bool(modes.enabled)


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside ``inference_mode``."""
    return modes.inference
