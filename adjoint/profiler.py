"""``torch.profiler``: a profile over the steps of a training loop, with a schedule."""

from __future__ import annotations

import gzip
import json
import os
import socket
import time
import warnings
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import Any, Self

from adjoint.autograd import profiler as prof
from adjoint.autograd.profiler import record_function
from adjoint.autograd.profiler_util import EventList


class ProfilerActivity(Enum):
    """What can be looked at; here that is the CPU."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(Enum):
    """What a profile does during one step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


_RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


def supported_activities() -> set[ProfilerActivity]:
    """What this profiler looks at.

    >>> supported_activities()
    {<ProfilerActivity.CPU: 0>}
    """
    return {ProfilerActivity.CPU}


def schedule(
    *,
    wait: int,
    warmup: int,
    active: int,
    repeat: int = 0,
    skip_first: int = 0,
    skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:
    """What to do in each step: after ``skip_first``, cycles of waiting, warming up, recording.

    ``repeat`` is the number of cycles, 0 for all; with ``skip_first_wait`` the first does not wait.
    Raises ``AssertionError`` for negative numbers and without an active step.

    >>> plan = schedule(wait=1, warmup=1, active=2)
    >>> [plan(step).name for step in range(4)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE']
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active <= 0:
        raise AssertionError(
            f"a schedule needs active > 0 and no negative number: got wait={wait}, "
            f"warmup={warmup}, active={active}, repeat={repeat}, skip_first={skip_first}"
        )
    if warmup == 0:
        warnings.warn(
            "a schedule without warmup: the first steps are often slower than the rest",
            stacklevel=2,
        )
    length = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        if repeat and step >= repeat * length:
            return ProfilerAction.NONE
        place = step % length
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if place < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def tensorboard_trace_handler(
    dir_name: str | Path, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[Any], None]:
    """What to give as ``on_trace_ready`` to have each trace written into a directory."""

    def write(profile: Any) -> None:
        directory = Path(dir_name)
        directory.mkdir(parents=True, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        ending = ".gz" if use_gzip else ""
        name = f"{worker}.{time.time_ns()}.pt.trace.json{ending}"
        profile.export_chrome_trace(directory / name)

    return write


class profile:  # noqa: N801 - PyTorch's name
    """Profile a block, or with a ``schedule`` some steps of it; ``step()`` ends a step.

    ``on_trace_ready`` is called with the profile when a cycle of the schedule has been recorded.
    ``activities`` other than the CPU's have nothing to record. The other options are as in
    ``torch.autograd.profiler.profile``. Raises ``AssertionError`` for an empty list of activities.

    >>> import adjoint as torch
    >>> with torch.profiler.profile(record_shapes=True) as prof:
    ...     y = torch.ones(3).exp()
    >>> [event.key for event in prof.key_averages()]
    ['aten::ones', 'aten::exp']
    """

    def __init__(
        self,
        *,
        activities: Iterable[Any] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[Any], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: Any = None,
        execution_trace_observer: Any = None,
        acc_events: bool = False,
        use_cuda: bool | None = None,
        custom_trace_id_callback: Any = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:
        self.activities = supported_activities() if activities is None else set(activities)
        if not self.activities:
            raise AssertionError("No valid profiler activities found: give ProfilerActivity.CPU")
        self.on_trace_ready = on_trace_ready
        self.record_shapes = record_shapes or with_flops
        self.profile_memory = profile_memory
        self.with_stack = with_stack
        self.with_flops = with_flops
        self.acc_events = acc_events
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self.record_steps = schedule is not None
        self.step_num = 0
        self.current_action = self.schedule(0)
        self.profiler: prof.profile | None = None
        self._metadata: dict[str, Any] = {}
        self._step: record_function | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin with the first step."""
        if self.current_action in _RECORDING:
            self._begin()
        self._begin_step()

    def stop(self) -> None:
        """End: what is recorded so far is ready."""
        self._end_step()
        if self.current_action in _RECORDING:
            self._end()
            self._ready()

    def step(self) -> None:
        """The next step begins."""
        self._end_step()
        before = self.current_action
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        now = self.current_action
        saved = before is ProfilerAction.RECORD_AND_SAVE
        if before in _RECORDING and (saved or now not in _RECORDING):
            self._end()
            if saved:
                self._ready()
            else:
                warnings.warn(
                    f"Incorrect schedule: RECORD followed by {now.name}; the events of this cycle "
                    "are lost. Let its last step be RECORD_AND_SAVE",
                    stacklevel=2,
                )
        if now in _RECORDING and (saved or before not in _RECORDING):
            self._begin()
        self._begin_step()

    def _begin(self) -> None:
        if self.profiler is None or not self.acc_events:
            self.profiler = prof.profile(
                record_shapes=self.record_shapes,
                profile_memory=self.profile_memory,
                with_stack=self.with_stack,
                with_flops=self.with_flops,
                acc_events=self.acc_events,
            )
        self.profiler.start()

    def _end(self) -> None:
        if self.profiler is not None:
            self.profiler.stop()

    def _begin_step(self) -> None:
        if self.record_steps:
            self._step = record_function(f"ProfilerStep#{self.step_num}")
            self._step.__enter__()

    def _end_step(self) -> None:
        if self._step is not None:
            self._step.__exit__(None, None, None)
            self._step = None

    def _ready(self) -> None:
        if self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def _recorded(self) -> prof.profile:
        if self.profiler is None:
            raise AssertionError(
                "nothing has been recorded yet: the profile was not started, or its schedule has "
                "not come to an active step"
            )
        return self.profiler

    def events(self) -> EventList:
        """All events of the last cycle. Raises ``AssertionError`` before there are any."""
        return self._recorded().function_events

    def key_averages(
        self,
        group_by_input_shape: bool = False,
        group_by_stack_n: int = 0,
        group_by_overload_name: bool = False,
    ) -> EventList:
        """The sums of the events of each name."""
        return self._recorded().key_averages(group_by_input_shape, group_by_stack_n)

    def export_chrome_trace(self, path: str | Path) -> None:
        """Write a file for ``chrome://tracing`` or Perfetto, packed if its name ends in ``.gz``."""
        path = Path(path)
        if path.suffix != ".gz":
            self._recorded().export_chrome_trace(path, self._metadata)
            return
        plain = path.with_suffix("")
        self._recorded().export_chrome_trace(plain, self._metadata)
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()

    def export_stacks(self, path: str | Path, metric: str = "self_cpu_time_total") -> None:
        """Write stacks for flame graphs; ``with_stack`` must have been on."""
        self._recorded().export_stacks(path, metric)

    def add_metadata(self, key: str, value: str) -> None:
        """Keep a text with the trace."""
        self._metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """Keep JSON with the trace."""
        self._metadata[key] = json.loads(value)

    preset_metadata_json = add_metadata_json

    def toggle_collection_dynamic(self, enabled: bool, activities: Iterable[Any] = ()) -> None:
        """Stop collecting inside the block, or go on."""
        self._recorded().toggle_collection_dynamic(enabled, activities)


def kineto_available() -> bool:
    """Whether events come from Kineto: they do not."""
    return False


__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]
