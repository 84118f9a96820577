"""``torch.autograd.profiler``: how long operations and their backward take."""

from __future__ import annotations

import json
import warnings
from contextlib import ContextDecorator
from pathlib import Path
from typing import Any, Self

from adjoint.autograd.profiler_flops import flops_of
from adjoint.autograd.profiler_recording import USER, Options, RawEvent, Session, begin, finish
from adjoint.autograd.profiler_recording import here as _here
from adjoint.autograd.profiler_util import EventList, FunctionEvent, FunctionEventAvg


class profile:  # noqa: N801 - PyTorch's name
    """Collect the events of a ``with`` block, of the thread that enters it.

    Events are operations (``aten::mul``), nodes of backward passes (``MulBackward0``) and blocks of
    ``record_function``. ``record_shapes`` keeps the inputs' shapes, ``profile_memory`` the bytes of
    results, ``with_stack`` the user's frames, ``with_flops`` a count for products. Options about
    devices are taken and change nothing. Raises ``RuntimeError`` when entered twice.

    >>> import adjoint as torch
    >>> with torch.autograd.profiler.profile() as prof:
    ...     y = torch.ones(3).exp().sum()
    >>> [event.name for event in prof.function_events]
    ['aten::ones', 'aten::exp', 'aten::sum']
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        use_device: str | None = None,
        record_shapes: bool = False,
        with_flops: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        use_kineto: bool = False,
        use_cpu: bool = True,
        experimental_config: Any = None,
        acc_events: bool = False,
        custom_trace_id_callback: Any = None,
        post_processing_timeout_s: float | None = None,
        activity_filters: Any = None,
    ) -> None:
        self.enabled = enabled
        self.entered = False
        if use_cuda:
            warnings.warn(
                "use_cuda=True: this profiler sees the CPU only", FutureWarning, stacklevel=2
            )
        self.use_device = use_device
        self.record_shapes = record_shapes or with_flops
        self.with_flops = with_flops
        self.profile_memory = profile_memory
        self.with_stack = with_stack
        self.acc_events = acc_events
        self._options = Options(self.record_shapes, profile_memory, with_stack, with_flops)
        self._session: Session | None = None
        self._events: EventList | None = None
        self._older: list[FunctionEvent] = []

    def __enter__(self) -> Self | None:
        if not self.enabled:
            return None
        if self.entered:
            raise RuntimeError(
                "Profiler context manager is not reentrant: make another profile() for another "
                "block"
            )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.enabled:
            self.stop()

    def start(self) -> None:
        """Begin to collect; what ``with`` does."""
        self.entered = True
        if self.acc_events and self._session is not None:
            self._older = list(self.function_events)
        self._events = None
        self._session = Session(self._options)
        self._session.start()

    def stop(self) -> None:
        """Collect no more."""
        if self._session is not None:
            self._session.stop()

    def __repr__(self) -> str:
        if self._session is None or not self._session.ended:
            return "<unfinished torch.autograd.profile>"
        return repr(self.function_events)

    def __str__(self) -> str:
        if self._session is None or not self._session.ended:
            return "<unfinished torch.autograd.profile>"
        return str(self.function_events)

    @property
    def function_events(self) -> EventList:
        """All events, in the order in which they began."""
        if self._events is None:
            found = [] if self._session is None else _events_of(self._session)
            self._events = EventList(
                [*found, *self._older], self.use_device, self.profile_memory, self.with_flops
            )
        return self._events

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
    ) -> str:
        """The events as a table; see ``EventList.table``."""
        return self.function_events.table(
            sort_by, row_limit, max_src_column_width, max_name_column_width,
            max_shapes_column_width, header, top_level_events_only,
        )  # fmt: skip

    def key_averages(
        self,
        group_by_input_shape: bool = False,
        group_by_stack_n: int = 0,
        group_by_overload_name: bool = False,
    ) -> EventList:
        """The sums of the events of each name; see ``EventList.key_averages``."""
        return self.function_events.key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> FunctionEventAvg:
        """The sum of all events."""
        return self.function_events.total_average()

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all events, none counted twice."""
        return self.function_events.self_cpu_time_total

    def export_chrome_trace(
        self, path: str | Path, metadata: Any = None, use_python_export: bool = False
    ) -> None:
        """Write a file for ``chrome://tracing`` or Perfetto; ``metadata`` is kept in it.

        ``use_python_export`` has no effect: it is Python that writes.
        """
        trace = {
            "schemaVersion": 1,
            "displayTimeUnit": "ms",
            "traceName": str(path),
            "traceEvents": self.function_events.trace_events(),
            **(metadata or {}),
        }
        Path(path).write_text(json.dumps(trace), encoding="utf-8")

    def export_stacks(self, path: str | Path, metric: str = "self_cpu_time_total") -> None:
        """Write stacks for flame graphs. Raises ``AssertionError`` without ``with_stack``."""
        if not self.with_stack:
            raise AssertionError("export_stacks() requires with_stack=True")
        self.function_events.export_stacks(path, metric)

    def toggle_collection_dynamic(self, enabled: bool, activities: Any = None) -> None:
        """Stop collecting inside the block, or go on."""
        if self._session is not None:
            self._session.pause(not enabled)


def _events_of(session: Session) -> list[FunctionEvent]:
    """Events for users from raw ones: nested, in the order of their beginnings."""
    raw = sorted(session.events, key=lambda each: (each.start, -each.end))
    made: dict[int, FunctionEvent] = {}
    for number, each in enumerate(raw):
        event = made[id(each)] = FunctionEvent(
            number,
            each.name,
            session.thread,
            (each.start - session.started) / 1e3,
            (each.end - session.started) / 1e3,
            each.scope,
            each.shapes,
            each.stack,
            each.made,
            flops_of(each.name, each.shapes) if session.options.flops else None,
        )
        parent = None if each.parent is None else made.get(id(each.parent))
        if parent is not None:
            event.cpu_parent = parent
            parent.cpu_children.append(event)
    return list(made.values())


class record_function(ContextDecorator):  # noqa: N801 - PyTorch's name
    """Give a block, or a decorated function, a name in the profiles that run meanwhile.

    >>> import adjoint as torch
    >>> with torch.autograd.profiler.profile() as prof:
    ...     with torch.autograd.profiler.record_function("twice"):
    ...         y = torch.ones(2) * 2
    >>> prof.function_events[0].name, len(prof.function_events[0].cpu_children)
    ('twice', 2)
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self.args = args
        self._open: list[RawEvent | None] = []

    def __enter__(self) -> Self:
        self._open.append(begin(self.name, USER) if _here.sessions else None)
        return self

    def __exit__(self, *_: object) -> None:
        event = self._open.pop()
        if event is not None:
            finish(event)


class _Silent:
    """A context manager for a tool that is not there: it says so, and does nothing."""

    _tool = ""

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled = enabled
        self.entered = False
        self.record_shapes = record_shapes

    def __enter__(self) -> Self | None:
        if not self.enabled:
            return None
        if self.entered:
            raise RuntimeError(f"{self._tool} annotation context manager is not reentrant")
        self.entered = True
        warnings.warn(
            f"Adjoint has no {self._tool}: this block is not annotated. profile() and its "
            "export_chrome_trace() show the same ranges",
            stacklevel=2,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to undo."""


class emit_nvtx(_Silent):  # noqa: N801 - PyTorch's name
    """Without effect, and says so: there are no NVTX ranges without a GPU."""

    _tool = "NVTX"


class emit_itt(_Silent):  # noqa: N801 - PyTorch's name
    """Without effect, and says so: there is no binding to Intel's ITT."""

    _tool = "ITT"


__all__ = [
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "emit_itt",
    "emit_nvtx",
    "profile",
    "record_function",
]
