"""``detect_anomaly``: which operation made a NaN, where, and of what."""

from __future__ import annotations

import threading
import warnings
from typing import Any, NamedTuple

from adjoint.autograd.anomaly_report import (
    Findings,
    backward_error,
    forward_error,
    is_bad,
    is_surely_finite,
    note_failure,
    remember_stack,
    show_origin,
)
from adjoint.tape.modes import modes
from adjoint.tape.node import Node
from adjoint.tape.watching import Recorder, present_recorder, set_recorder


class Settings(NamedTuple):
    """What is looked for."""

    enabled: bool = False
    check_nan: bool = True
    check_inf: bool = False
    check_forward: bool = False


class _Passing(threading.local):
    """In the backward of which node this thread is: what is recorded there is its child."""

    node: Node | None = None


class AnomalyObserver:
    """Remembers where operations were recorded, and looks at what backward passes give."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.checks = settings.check_nan or settings.check_inf
        self.here = _Passing()

    def recorded(self, node: Node, inputs: tuple[Any, ...], out: Any) -> None:
        """Remember the stack; look at the result, and refuse it if that was asked for."""
        remember_stack(node, self.here.node)
        if self.checks and not is_surely_finite(out):
            self._examine(node, inputs, out)

    def _examine(self, node: Node, inputs: tuple[Any, ...], out: Any) -> None:
        settings = self.settings
        for part in out if type(out) in (tuple, list) else (out,):
            if is_bad(part, inf=True):
                findings = Findings(node, inputs, part)
                node.__dict__["_anomaly"] = findings
                if settings.check_forward and findings.refused(settings):
                    raise forward_error(findings)
                break

    def passing(self, node: Node, g: Any) -> None:
        """A backward pass has come to ``node``."""
        self.here.node = node

    def passed(self, node: Node, g: Any, gradients: list[Any]) -> None:
        """Look at the gradients that ``node`` gives."""
        self.here.node = None
        if not self.checks:
            return
        seen = None  # often one array for several inputs
        for place, part in enumerate(gradients):
            if part is None or part is seen or is_surely_finite(part):
                seen = part
                continue
            if is_bad(part, inf=self.settings.check_inf):
                show_origin(node)
                raise backward_error(node, place, part, g)

    def failed(self, node: Node, error: BaseException) -> None:
        """The backward of ``node`` has raised ``error``."""
        self.here.node = None
        note_failure(node, error)


_settings = Settings()


def _set(settings: Settings) -> None:
    """Make these the settings of this thread and of threads that begin later."""
    global _settings
    _settings = settings
    present = present_recorder()
    observers = tuple(each for each in present.observers if not isinstance(each, AnomalyObserver))
    if settings.enabled:
        observers = (*observers, AnomalyObserver(settings))
    recorder: Any = Recorder(present.hooks, observers, present.disabled)
    if not observers and present.hooks is None and present.disabled is None:
        recorder = True
    set_recorder(recorder)
    default: Any = type(modes)
    default.recorder = default.enabled = (
        Recorder(observers=(AnomalyObserver(settings),)) if settings.enabled else True
    )


class _Restoring:
    """The end of a block: the settings from before it."""

    _previous: Settings

    def __exit__(self, *_: object) -> None:
        _set(self._previous)


class detect_anomaly(_Restoring):  # noqa: N801 - PyTorch's name
    """In this block, a backward pass that makes a NaN stops with an error that says where.

    The error names the operation, the line that recorded it, and what its inputs held.
    ``check_inf`` refuses infinities likewise, and ``check_forward`` looks at results when they are
    computed, not only at gradients. Without ``check_nan`` an error of any kind in a backward pass
    still tells which operation it belongs to. Raises ``RuntimeError``.

    >>> import adjoint as torch
    >>> with torch.autograd.set_detect_anomaly(True, check_forward=True):
    ...     torch.tensor(-1.0, requires_grad=True).sqrt()
    Traceback (most recent call last):
        ...
    RuntimeError: SqrtBackward0 at ... made nan in the forward pass; its inputs have none...
    """

    def __init__(
        self, check_nan: bool = True, *, check_inf: bool = False, check_forward: bool = False
    ) -> None:
        self._previous = _settings
        self._wanted = Settings(True, bool(check_nan), check_inf, check_forward)
        warnings.warn(
            "Anomaly Detection has been enabled. It makes programs slower (up to twice) and is "
            "meant for debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        _set(self._wanted)


class set_detect_anomaly(_Restoring):  # noqa: N801 - PyTorch's name
    """Switch the detection of anomalies on or off at once; a ``with`` block switches it back.

    >>> import adjoint as torch
    >>> with torch.autograd.set_detect_anomaly(True):
    ...     torch.is_anomaly_enabled()
    True
    """

    def __init__(
        self,
        mode: bool,
        check_nan: bool = True,
        *,
        check_inf: bool = False,
        check_forward: bool = False,
    ) -> None:
        self._previous = _settings
        _set(Settings(bool(mode), bool(check_nan), check_inf, check_forward))

    def __enter__(self) -> None:
        """Nothing: the constructor has set it."""


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Switch the detection on or off."""
    _set(Settings(bool(mode), bool(check_nan)))


def is_anomaly_enabled() -> bool:
    """Whether anomalies are being looked for."""
    return _settings.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether NaNs in gradients are, or would be, errors."""
    return _settings.check_nan


__all__ = ["detect_anomaly", "set_detect_anomaly"]
