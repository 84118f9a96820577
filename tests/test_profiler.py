"""torch.profiler: schedules, steps, what is ready when, files."""

from __future__ import annotations

import gzip
import json

import pytest

import adjoint as torch
from adjoint.profiler import (
    ProfilerAction,
    ProfilerActivity,
    profile,
    schedule,
    supported_activities,
    tensorboard_trace_handler,
)


def names(prof) -> list[str]:
    return [event.name for event in prof.events()]


def test_a_block():
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as prof:
        torch.ones(2).exp()
    assert names(prof) == ["aten::ones", "aten::exp"]
    assert "aten::exp" in prof.key_averages(group_by_input_shape=True).table()


def test_without_a_with():
    prof = profile()
    with pytest.raises(AssertionError, match="nothing has been recorded"):
        prof.key_averages()
    prof.start()
    torch.ones(2)
    prof.toggle_collection_dynamic(False)
    torch.zeros(2)
    prof.stop()
    assert names(prof) == ["aten::ones"]


def test_steps_of_a_schedule():
    ready = []
    plan = schedule(wait=1, warmup=1, active=2, repeat=2)
    with profile(schedule=plan, on_trace_ready=lambda prof: ready.append(names(prof))) as prof:
        for step in range(10):
            torch.ones(step)
            prof.step()
    assert ready == [
        ["ProfilerStep#2", "aten::ones", "ProfilerStep#3", "aten::ones"],
        ["ProfilerStep#6", "aten::ones", "ProfilerStep#7", "aten::ones"],
    ]
    assert prof.step_num == 10


def test_cycles_one_after_the_other():
    ready = []
    with pytest.warns(UserWarning, match="without warmup"):
        plan = schedule(wait=0, warmup=0, active=1)
    with profile(schedule=plan, on_trace_ready=lambda prof: ready.append(names(prof))) as prof:
        for step in range(2):
            torch.ones(step)
            prof.step()
        torch.zeros(1)
    assert [each[1] for each in ready] == ["aten::ones", "aten::ones", "aten::zeros"]


def test_events_add_up_on_request():
    plan = schedule(wait=0, warmup=1, active=1, repeat=2)
    with profile(schedule=plan, acc_events=True) as prof:
        for step in range(4):
            torch.ones(step)
            prof.step()
    assert sorted(names(prof)) == ["ProfilerStep#1", "ProfilerStep#3", "aten::ones", "aten::ones"]


def test_a_schedule_that_forgets_to_save():
    steps = [ProfilerAction.RECORD, ProfilerAction.NONE]
    prof = profile(schedule=lambda step: steps[step])
    prof.start()
    with pytest.warns(UserWarning, match="RECORD followed by NONE"):
        prof.step()
    prof.stop()


@pytest.mark.parametrize(
    "options", [{"wait": -1}, {"warmup": -1}, {"active": 0}, {"repeat": -1}, {"skip_first": -2}]
)
def test_schedules_that_are_none(options):
    with pytest.raises(AssertionError, match="active > 0"):
        schedule(**{"wait": 1, "warmup": 1, "active": 1, **options})


def test_bad_arguments():
    with pytest.raises(AssertionError, match="activities"):
        profile(activities=[])
    with pytest.raises(AssertionError, match="non-negative"):
        schedule(wait=1, warmup=1, active=1)(-1)
    assert supported_activities() == {ProfilerActivity.CPU}


def test_files(tmp_path):
    with profile(on_trace_ready=tensorboard_trace_handler(tmp_path, "me", use_gzip=True)) as prof:
        prof.add_metadata("text", "value")
        prof.add_metadata_json("numbers", "[1, 2]")
        torch.ones(2)
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("me.")
    assert path.name.endswith(".pt.trace.json.gz")
    trace = json.loads(gzip.decompress(path.read_bytes()))
    assert trace["traceEvents"][0]["name"] == "aten::ones"
    assert (trace["text"], trace["numbers"]) == ("value", [1, 2])
    prof.export_chrome_trace(tmp_path / "plain.json")
    assert json.loads((tmp_path / "plain.json").read_text())["numbers"] == [1, 2]
    with pytest.raises(AssertionError, match="with_stack"):
        prof.export_stacks(tmp_path / "stacks")
