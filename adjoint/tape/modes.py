"""Whether operations are recorded: a setting of each thread."""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


# What ``enabled`` is at the beginning of a block without recording: as good as False (and as quick
# to test, which an object with a ``__bool__`` of its own is not), but cuts are still noted.
NOTING = ()
# What it is where recording is switched on inside inference mode, which records all the same not.
WITHHELD = b""


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
        modes.enabled = WITHHELD if modes.inference else modes.recorder
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

    def clone(self) -> _GradMode:
        """Another of the same kind."""
        return type(self)()

    def __call__(self, orig_func: Function) -> Function:
        return decorated(self.clone, orig_func)


def decorated(mode: Callable[[], Any], function: Function) -> Function:
    """``function`` inside a new ``mode()`` at each call; a generator while it runs.

    For a class, which is deprecated, the mode holds while an object is made.
    """
    if inspect.isgeneratorfunction(function):
        return _wrap_generator(mode, function)
    names: tuple[str, ...] = functools.WRAPPER_ASSIGNMENTS
    updated: tuple[str, ...] = functools.WRAPPER_UPDATES
    if inspect.isclass(function):
        warnings.warn(
            "Decorating classes is deprecated, as in PyTorch, and makes a function of this one: "
            "decorate its __init__, or the methods that are meant",
            FutureWarning,
            stacklevel=3,
        )
        names = updated = ()

    @functools.wraps(function, names, updated)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with mode():
            return function(*args, **kwargs)

    return wrapped  # type: ignore[return-value]


def _wrap_generator(mode: Callable[[], Any], function: Function) -> Function:
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
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled(): mode must be bool, not {type(mode).__name__}")
        self.mode = self._enabled = mode
        self.prev = is_grad_enabled()
        self._outside = (modes.enabled, modes.inference)
        _switch(mode)

    def __enter__(self) -> None:
        self._previous.append(self._outside)
        _switch(self._enabled)

    def clone(self) -> _GradMode:
        """Another of the same mode, which it sets."""
        return type(self)(self.mode)

    def __call__(self, orig_func: Function) -> Function:
        modes.enabled, modes.inference = self._outside
        return decorated(self.clone, orig_func)

    def __repr__(self) -> str:
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self.mode})"


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
        self.mode = mode
        self._enabled = not mode
        self._inference = mode

    def __enter__(self) -> None:
        super().__enter__()
        if not self.mode:
            modes.enabled = modes.recorder

    def clone(self) -> _GradMode:
        """Another of the same mode."""
        return type(self)(self.mode)


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require gradients are recorded in this thread."""
    enabled = modes.enabled
    return bool(enabled) or enabled is WITHHELD


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside ``inference_mode``."""
    return modes.inference
