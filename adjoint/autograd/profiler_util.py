"""The events of a profile as users see them: lists of them, sums of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adjoint.autograd.profiler_table import build_table, format_time


class Interval:
    """From when to when, in microseconds since the profile began."""

    def __init__(self, start: float, end: float) -> None:
        self.start = start
        self.end = end

    def elapsed_us(self) -> float:
        """How long, in microseconds."""
        return self.end - self.start


class _Times:
    """Averages, and times as text, for what has totals and a count."""

    count: int
    cpu_time_total: float
    self_cpu_time_total: float
    # There are no devices: these are there for programs that ask.
    device_time_total = self_device_time_total = device_time = 0.0
    device_memory_usage = self_device_memory_usage = 0
    use_device: str | None = None
    is_async = is_remote = is_legacy = False
    node_id = -1
    overload_name = ""

    @property
    def cpu_time(self) -> float:
        """Microseconds of one call, on average."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_str(self) -> str:
        return format_time(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        return format_time(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        return format_time(self.self_cpu_time_total)


class FunctionEvent(_Times):
    """One call of an operation, one node of a backward pass, or one block of the user's."""

    count = 1
    key: str

    def __init__(
        self,
        id: int,
        name: str,
        thread: int,
        start_us: float,
        end_us: float,
        scope: int = 0,
        input_shapes: list[Any] | None = None,
        stack: list[str] | None = None,
        cpu_memory_usage: int = 0,
        flops: int | None = None,
    ) -> None:
        self.id = id
        self.name = self.trace_name = self.key = name
        self.thread = self.fwd_thread = thread
        self.time_range = Interval(start_us, end_us)
        self.scope = scope
        self.input_shapes = input_shapes or []
        self.stack = stack or []
        self.cpu_memory_usage = cpu_memory_usage
        self.flops = flops
        self.is_user_annotation = scope == 7
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []
        self.kernels: list[Any] = []

    def append_cpu_child(self, child: FunctionEvent) -> None:
        """Note that ``child`` lies inside this event."""
        self.cpu_children.append(child)

    def set_cpu_parent(self, parent: FunctionEvent) -> None:
        """Note that this event lies inside ``parent``."""
        self.cpu_parent = parent

    @property
    def cpu_time_total(self) -> float:  # type: ignore[override]
        """Microseconds from begin to end."""
        return self.time_range.elapsed_us()

    @property
    def self_cpu_time_total(self) -> float:  # type: ignore[override]
        """Microseconds less those of the events inside."""
        return self.cpu_time_total - sum(each.cpu_time_total for each in self.cpu_children)

    @property
    def self_cpu_memory_usage(self) -> int:
        """Bytes less those of the events inside: negative for what was only in between."""
        return self.cpu_memory_usage - sum(each.cpu_memory_usage for each in self.cpu_children)

    def __repr__(self) -> str:
        return (
            f"<FunctionEvent id={self.id} name={self.name} cpu_time={self.cpu_time_str} "
            f"cpu_start_us={self.time_range.start:.3f} cpu_end_us={self.time_range.end:.3f} "
            f"cpu_children={[each.id for each in self.cpu_children]} name={self.name} "
            f"thread={self.thread} input_shapes={self.input_shapes} "
            f"cpu_memory_usage={self.cpu_memory_usage}>"
        )


class FunctionEventAvg(_Times):
    """The sum of several events of one name; its ``cpu_time`` is the average."""

    def __init__(self) -> None:
        self.key: str | None = None
        self.count = 0
        self.cpu_time_total = 0.0
        self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = 0
        self.self_cpu_memory_usage = 0
        self.flops = 0
        self.input_shapes: Any = None
        self.stack: list[str] = []
        self.scope: int | None = None
        self.is_user_annotation = False
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []

    def add(self, other: FunctionEvent | FunctionEventAvg) -> FunctionEventAvg:
        """Take in one more event, or sum of events. Raises ``AssertionError`` for another name."""
        if self.key is None:
            self.key = other.key
            self.input_shapes = other.input_shapes
            self.stack = other.stack
            self.scope = other.scope
            self.is_user_annotation = other.is_user_annotation
            self.cpu_parent = other.cpu_parent
            self.cpu_children = other.cpu_children
        if other.key != self.key:
            raise AssertionError(f"a sum of events {self.key!r} can not take one of {other.key!r}")
        self.cpu_time_total += other.cpu_time_total
        self.self_cpu_time_total += other.self_cpu_time_total
        self.cpu_memory_usage += other.cpu_memory_usage
        self.self_cpu_memory_usage += other.self_cpu_memory_usage
        self.count += other.count
        self.flops += other.flops or 0
        return self

    __iadd__ = add

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} input_shapes={self.input_shapes} "
            f"cpu_memory_usage={self.cpu_memory_usage}>"
        )


class EventList(list[Any]):
    """Events, or sums of events, with what is asked of them together."""

    def __init__(
        self,
        events: Iterable[Any] = (),
        use_device: str | None = None,
        profile_memory: bool = False,
        with_flops: bool = False,
    ) -> None:
        super().__init__(events)
        self._use_device = use_device
        self._profile_memory = profile_memory
        self._with_flops = with_flops

    def __str__(self) -> str:
        return self.table()

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all events, none counted twice."""
        return float(sum(each.self_cpu_time_total for each in self))

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:
        """The events as a table, the greatest first by the attribute ``sort_by``.

        ``time_unit`` is "s", "ms" or "us" for all times alike.
        """
        return build_table(
            self,
            sort_by=sort_by,
            row_limit=row_limit,
            widths=(max_name_column_width, max_shapes_column_width, max_src_column_width),
            header=header,
            memory=self._profile_memory,
            flops=self._with_flops,
            top_level_only=top_level_events_only,
            time_unit=time_unit,
        )

    def trace_events(self) -> list[dict[str, Any]]:
        """The events in the form of Chrome's traces."""
        return [
            {
                "ph": "X",
                "cat": "user_annotation" if each.is_user_annotation else "cpu_op",
                "name": each.name,
                "pid": "CPU functions",
                "tid": each.thread,
                "ts": each.time_range.start,
                "dur": each.time_range.elapsed_us(),
                "args": {"Input Dims": each.input_shapes} if each.input_shapes else {},
            }
            for each in self
        ]

    def export_chrome_trace(self, path: str | Path) -> None:
        """Write what ``chrome://tracing`` and Perfetto show as a picture."""
        Path(path).write_text(json.dumps(self.trace_events()), encoding="utf-8")

    def supported_export_stacks_metrics(self) -> list[str]:
        """What ``export_stacks`` can write."""
        return ["self_cpu_time_total"]

    def export_stacks(self, path: str | Path, metric: str = "self_cpu_time_total") -> None:
        """Write stacks and times for flame graphs; ``with_stack`` must have been on.

        Raises ``ValueError`` for a metric other than ``self_cpu_time_total``.
        """
        if metric not in self.supported_export_stacks_metrics():
            raise ValueError(f"metric should be 'self_cpu_time_total', not {metric!r}")
        spaces = str.maketrans(" ;\t\n", "____")
        lines = [
            ";".join(entry.translate(spaces) for entry in reversed(each.stack))
            + f" {int(each.self_cpu_time_total)}\n"
            for each in self
            if each.stack and int(each.self_cpu_time_total) > 0
        ]
        Path(path).write_text("".join(lines), encoding="utf-8")

    def key_averages(
        self,
        group_by_input_shapes: bool = False,
        group_by_stack_n: int = 0,
        group_by_overload_name: bool = False,
    ) -> EventList:
        """The sums of the events of each name, and on request of each input shapes or stack."""
        sums: dict[Any, FunctionEventAvg] = {}
        for each in self:
            key = (
                each.key,
                each.is_user_annotation,
                str(each.input_shapes) if group_by_input_shapes else "",
                tuple(each.stack[:group_by_stack_n]),
            )
            sums.setdefault(key, FunctionEventAvg()).add(each)
        for total in sums.values():
            total.stack = total.stack[:group_by_stack_n]
            if not group_by_input_shapes:
                total.input_shapes = ""
        return EventList(sums.values(), self._use_device, self._profile_memory, self._with_flops)

    def total_average(self) -> FunctionEventAvg:
        """The sum of all events, under the name "Total"."""
        total = FunctionEventAvg()
        for each in self:
            total.add(each)
            total.key = None
        total.key = "Total"
        return total


__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "Interval"]
