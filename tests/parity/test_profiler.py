"""The profiler against PyTorch's: the same events by name, nesting and shape; the same columns."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import adjoint

LIBRARIES = (adjoint, torch)
PROGRAMS = {
    "operators": "a + b; a - b; a * b; a / b; -a; a ** 2; a @ b.t(); a > b; a == b; 2 - a; abs(a)",
    "methods": "a.exp(); a.sum(); a.mean(0); a.relu(); a.sigmoid(); a.tanh(); a.clone(); a.max()",
    "functions": "torch.cat([a, b]); torch.stack([a, b]); torch.where(a > 0, a, b); torch.sin(a)",
    "shapes": "a.view(-1); a.reshape(4); a.t(); a.transpose(0, 1); a.permute(1, 0); a.unsqueeze(0)",
    "in place": "c = a.detach().clone(); c.add_(1); c.mul_(2); c.zero_(); c += 1; c.fill_(3)",
    "networks": "F.linear(a, b); F.relu(a); F.softmax(a, 0); F.dropout(a, 0.5)",
    "creation": "torch.ones(2); torch.zeros(2); torch.rand(2); torch.randn(2); torch.empty(2)",
    "backward": "(a.exp() * b).sum().backward()",
    "backward of products": "(a @ b).relu().mean().backward()",
    "blocks": "named(lambda: named(lambda: a + b, 'inner'), 'outer')",
}


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """PyTorch's profiler writes to the standard output, below Python."""
    out = os.dup(1)
    with Path(os.devnull).open("w", encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(out, 1)
        os.close(out)


def profiled(library: Any, program: str, **options: Any) -> Any:
    profiler = library.autograd.profiler

    def named(function: Any, name: str) -> None:
        with profiler.record_function(name):
            function()

    a = library.tensor([[0.5, 1.0], [1.5, 2.0]], requires_grad=True)
    b = library.tensor([[2.0, 1.0], [0.5, 2.0]])
    names = {"torch": library, "a": a, "b": b, "F": library.nn.functional, "named": named}
    with _silence(), profiler.profile(**options) as prof:
        exec(program, names)
    return prof


def operations(prof: Any) -> list[tuple[str, Any]]:
    """What the user called: events inside no other but blocks of the user's own."""
    return [
        (event.name, event.scope)
        for event in prof.function_events
        if (event.cpu_parent is None or event.cpu_parent.scope == 7)
        and not event.name.startswith(("autograd::", "aten::ones_like"))
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_operations_have_the_same_names(program: str):
    found = [operations(profiled(library, PROGRAMS[program])) for library in LIBRARIES]
    ours = [pair for pair in found[0] if pair[1] != 1]
    assert ours == found[1]


@pytest.mark.parametrize("program", ["backward", "backward of products"])
def test_nodes_have_the_same_names(program: str):
    found = []
    for library in LIBRARIES:
        prof = profiled(library, PROGRAMS[program], record_shapes=True)
        found.append(
            [
                (event.name, event.input_shapes)
                for event in prof.function_events
                if event.scope == 1 and event.name.endswith("Backward0")
            ]
        )
    assert found[0] == found[1]


def test_the_columns_of_the_table():
    heads = []
    for library in LIBRARIES:
        prof = profiled(library, PROGRAMS["methods"], record_shapes=True, profile_memory=True)
        table = prof.key_averages(group_by_input_shape=True).table(sort_by="cpu_time_total")
        heads.append(table.splitlines()[1].split())
        assert table.splitlines()[-1].startswith("Self CPU time total: ") or not table.strip()
    assert heads[0] == heads[1]


ATTRIBUTES = (
    "count", "cpu_children", "cpu_memory_usage", "cpu_parent", "cpu_time", "cpu_time_str",
    "cpu_time_total", "cpu_time_total_str", "device_memory_usage", "device_time",
    "device_time_total", "flops", "input_shapes", "is_async", "is_legacy", "is_remote", "key",
    "node_id", "overload_name", "scope", "self_cpu_memory_usage", "self_cpu_time_total",
    "self_cpu_time_total_str", "self_device_memory_usage", "self_device_time_total", "stack",
    "use_device",
)  # fmt: skip


def test_events_have_the_same_attributes():
    for library in LIBRARIES:
        prof = profiled(library, PROGRAMS["methods"])
        for event in (prof.function_events[0], prof.key_averages()[0], prof.total_average()):
            missing = [name for name in ATTRIBUTES if not hasattr(event, name)]
            assert missing == [], library.__name__
        event = prof.function_events[0]
        for name in ("id", "name", "thread", "time_range", "trace_name", "kernels"):
            assert hasattr(event, name)


def test_states():
    for library in LIBRARIES:
        prof = library.autograd.profiler.profile()
        assert str(prof) == "<unfinished torch.autograd.profile>"
        with _silence(), prof:
            library.ones(2)
        with pytest.raises(RuntimeError), prof:
            pass
        with library.autograd.profiler.profile(enabled=False) as nothing:
            assert nothing is None
        with pytest.raises(AssertionError), _silence():
            prof.export_stacks("never written")


@pytest.mark.parametrize(
    "options",
    [
        {"wait": 1, "warmup": 1, "active": 2},
        {"wait": 0, "warmup": 1, "active": 1, "repeat": 2},
        {"wait": 2, "warmup": 1, "active": 3, "skip_first": 3, "repeat": 1},
        {"wait": 3, "warmup": 1, "active": 1, "skip_first": 2, "skip_first_wait": 1},
        {"wait": 1, "warmup": 2, "active": 1, "skip_first_wait": 1, "repeat": 2},
    ],
    ids=str,
)
def test_schedules(options: dict[str, int]):
    ours, theirs = (library.profiler.schedule(**options) for library in LIBRARIES)
    for step in range(30):
        assert ours(step).name == theirs(step).name
