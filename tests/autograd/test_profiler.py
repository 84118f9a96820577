"""The profiler: what is an event, what tables and files say, and that nothing stays behind."""

from __future__ import annotations

import inspect
import json
import threading
import time

import pytest

import adjoint as torch
from adjoint import cat, sin
from adjoint.autograd import profiler
from adjoint.autograd.profiler import profile, record_function
from adjoint.autograd.profiler_instruments import instruments, operations
from adjoint.autograd.profiler_table import format_bytes, format_share, format_time
from adjoint.tape.modes import modes


@pytest.fixture(autouse=True)
def _nothing_left_behind():
    codes = {function: function.__code__ for function in operations()}
    yield
    assert all(function.__code__ is code for function, code in codes.items())
    assert modes.recorder is True
    assert modes.enabled is True


def names(prof, but: tuple[str, ...] = ()) -> list[str]:
    return [event.name for event in prof.function_events if event.name not in but]


def test_operations_by_any_name():
    x = torch.ones(2, 2)
    with profile() as prof:
        sin(x)
        torch.sin(x)
        x.sin()
        x + 1
        2 - x
        x @ x
        x[0]
        x += 1
        cat([x, x])
        torch.nn.functional.relu(x)
        torch.special.expit(x)
        torch.multiply(x, x)
    assert names(prof) == [
        "aten::sin", "aten::sin", "aten::sin", "aten::add", "aten::rsub", "aten::matmul",
        "aten::index", "aten::add_", "aten::cat", "aten::relu", "aten::sigmoid", "aten::mul",
    ]  # fmt: skip


def test_nodes_of_the_backward_pass():
    x = torch.ones(3, requires_grad=True)
    with profile(record_shapes=True) as prof:
        (x.exp() * x).sum().backward()
    events = prof.function_events
    nodes = [event for event in events if event.scope == 1]
    assert [event.name for event in nodes] == ["SumBackward0", "MulBackward0", "ExpBackward0"]
    assert nodes[1].input_shapes == [[3]]
    assert events[1].input_shapes == [[3], [3]]
    assert torch.allclose(x.grad, 2 * torch.ones(3).exp())


def test_modules_and_losses():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
    with profile() as prof:
        torch.nn.functional.mse_loss(model(torch.ones(2, 3)), torch.ones(2, 4))
    assert names(prof, ("aten::ones",)) == ["aten::linear", "aten::relu", "aten::mse_loss"]


def test_blocks_of_the_users():
    @record_function("decorated")
    def f(x):
        return x * 2

    with profile() as prof, record_function("outer"):
        f(torch.ones(2))
        with record_function("inner", "with an argument"):
            f(torch.ones(2))
    outer, *_ = prof.function_events
    assert outer.name == "outer"
    assert outer.is_user_annotation
    assert outer.scope == 7
    assert outer.cpu_parent is None
    assert [child.name for child in outer.cpu_children] == [
        "aten::ones", "decorated", "inner",
    ]  # fmt: skip
    inner = outer.cpu_children[2]
    assert [child.name for child in inner.cpu_children] == ["aten::ones", "decorated"]
    assert inner.cpu_children[1].cpu_parent is inner
    assert inner.cpu_time_total >= sum(child.cpu_time_total for child in inner.cpu_children)
    assert f(torch.ones(2)).tolist() == [2, 2]


def test_times():
    with profile() as prof:
        with record_function("sleep"):
            time.sleep(0.02)
        torch.ones(3)
    event = prof.function_events[0]
    assert 20e3 <= event.cpu_time_total < 200e3
    assert event.time_range.start >= 0
    assert event.time_range.elapsed_us() == event.cpu_time_total == event.self_cpu_time_total
    total = prof.total_average()
    assert total.key == "Total"
    assert total.count == 2
    assert prof.self_cpu_time_total == pytest.approx(
        sum(event.self_cpu_time_total for event in prof.function_events)
    )
    assert total.self_cpu_time_total == pytest.approx(prof.self_cpu_time_total)


def test_averages():
    x, y = torch.ones(2), torch.ones(3)
    with profile(record_shapes=True) as prof:
        for value in (x, x, y):
            value.exp()
    (average,) = prof.key_averages()
    assert (average.key, average.count) == ("aten::exp", 3)
    assert average.cpu_time == pytest.approx(average.cpu_time_total / 3)
    by_shape = prof.key_averages(group_by_input_shape=True)
    assert [(each.count, each.input_shapes) for each in by_shape] == [(2, [[2]]), (1, [[3]])]
    with pytest.raises(AssertionError):
        average.add(prof.total_average())


def test_the_table():
    x = torch.ones(100, 100)
    with profile(record_shapes=True, profile_memory=True, with_flops=True, with_stack=True) as prof:
        for _ in range(3):
            x @ x
        x.exp()
    text = prof.key_averages().table(sort_by="count", row_limit=1)
    lines = text.splitlines()
    assert lines[1].split() == [
        "Name", "Self", "CPU", "%", "Self", "CPU", "CPU", "total", "%", "CPU", "total", "CPU",
        "time", "avg", "CPU", "Mem", "Self", "CPU", "Mem", "#", "of", "Calls", "Total", "FLOPs",
    ]  # fmt: skip
    assert lines[3].split()[0] == "aten::matmul"
    assert lines[3].split()[-1] == str(3 * 2 * 100**3)
    assert "117.19 KB" in lines[3]
    assert len(lines) == 6
    assert lines[-1].startswith("Self CPU time total: ")
    assert "aten::exp" in prof.key_averages().table()
    text = prof.key_averages(group_by_input_shape=True, group_by_stack_n=1).table()
    assert "Input Shapes" in text
    assert "[[100, 100], [100, 100]]" in text
    assert "test_profiler.py(" in text
    assert "head" in prof.table(header="head")
    assert "us" not in prof.key_averages().table(time_unit="s")
    with record_function("x" * 80), profile() as empty:
        pass
    assert str(empty) == ""
    with pytest.raises(AttributeError):
        prof.key_averages().table(sort_by="nothing")


def test_only_the_top_level_on_request():
    with profile() as prof, record_function("outer"):
        torch.ones(2)
    text = prof.function_events.table(top_level_events_only=True)
    assert "outer" in text
    assert "aten::ones" not in text


def test_long_names_are_cut():
    with profile() as prof, record_function("x" * 80):
        pass
    assert "x" * 52 + "..." in prof.table()
    assert "x" * 80 in prof.table(max_name_column_width=100)


def test_numbers_as_text():
    assert [format_time(each) for each in (0, 1.5, 2e3, 3e6)] == [
        "0.000us", "1.500us", "2.000ms", "3.000s",
    ]  # fmt: skip
    assert format_time(2e3, "s") == "0.002s"
    assert [format_bytes(each) for each in (0, -5, 2048, 3 * 1024**2, 1024**3)] == [
        "0 B", "-5 B", "2.00 KB", "3.00 MB", "1.00 GB",
    ]  # fmt: skip
    assert format_share(1, 4) == "25.00%"
    assert format_share(0, 0) == "NaN"


def test_memory():
    x = torch.ones(10, 10)
    with profile(profile_memory=True) as prof, record_function("block"):
        x + x
        x.t()
        x.add_(1)
    block, add, transpose, add_ = prof.function_events
    assert add.cpu_memory_usage == 400
    assert transpose.cpu_memory_usage == add_.cpu_memory_usage == 0
    assert block.self_cpu_memory_usage == -400


def test_stacks(tmp_path):
    def called():
        return torch.ones(2).exp()

    with profile(with_stack=True) as prof:
        called()
    stack = prof.function_events[1].stack
    assert "test_profiler.py(" in stack[0]
    assert stack[0].endswith("): called")
    assert stack[1].endswith("): test_stacks")
    prof.function_events[0].time_range.end += 5
    prof.export_stacks(tmp_path / "stacks")
    line = (tmp_path / "stacks").read_text().splitlines()[0]
    assert ";" in line
    assert int(line.rpartition(" ")[2]) > 0
    with pytest.raises(ValueError, match="self_cpu_time_total"):
        prof.export_stacks(tmp_path / "stacks", "self_cuda_time_total")
    with profile() as prof:
        pass
    with pytest.raises(AssertionError, match="with_stack"):
        prof.export_stacks(tmp_path / "stacks")


def test_the_chrome_trace(tmp_path):
    with profile(record_shapes=True) as prof, record_function("block"):
        torch.ones(2).exp()
    prof.export_chrome_trace(tmp_path / "trace.json")
    block, _, exp = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert block["name"] == "block"
    assert block["ph"] == exp["ph"] == "X"
    assert exp["args"]["Input Dims"] == [[2]]
    assert block["ts"] <= exp["ts"]
    assert exp["ts"] + exp["dur"] <= block["ts"] + block["dur"]
    prof.function_events.export_chrome_trace(tmp_path / "trace.json")
    assert len(json.loads((tmp_path / "trace.json").read_text())) == 3


def test_errors_leave_nothing_behind():
    x = torch.ones(2, requires_grad=True)

    def fails():
        x.exp()
        raise KeyError

    with pytest.raises(KeyError), profile() as prof:
        fails()
    assert names(prof) == ["aten::exp"]
    with pytest.raises(RuntimeError), profile() as prof:
        x @ torch.ones(3)
    assert names(prof)[-1] == "aten::matmul"

    y = x.exp()
    z = y * y
    with torch.no_grad():
        y.add_(1)
    with profile() as prof:
        with pytest.raises(RuntimeError):
            z.sum().backward()
        x.sin()
    assert prof.function_events[-1].name == "aten::sin"
    assert prof.function_events[-1].cpu_parent is None


def test_states():
    prof = profile()
    assert str(prof) == repr(prof) == "<unfinished torch.autograd.profile>"
    with prof:
        torch.ones(2)
        assert str(prof) == "<unfinished torch.autograd.profile>"
    assert "aten::ones" in str(prof)
    assert "FunctionEvent" in repr(prof)
    with pytest.raises(RuntimeError, match="not reentrant"), prof:
        pass
    with profile(enabled=False) as prof:
        assert prof is None
        assert not instruments._codes
    with pytest.warns(FutureWarning, match="CPU only"):
        profile(use_cuda=True)


def test_a_profile_inside_another():
    with profile() as outer:
        torch.ones(2)
        with record_function("block"), profile() as inner:
            torch.zeros(2)
        torch.rand(2)
    assert names(inner) == ["aten::zeros"]
    assert inner.function_events[0].cpu_parent is None
    assert names(outer) == ["aten::ones", "block", "aten::zeros", "aten::rand"]


def test_collection_is_paused():
    with profile() as prof:
        torch.ones(2)
        prof.toggle_collection_dynamic(False)
        torch.zeros(2)
        prof.toggle_collection_dynamic(True)
        torch.rand(2)
    assert names(prof) == ["aten::ones", "aten::rand"]


def test_only_the_thread_that_asked():
    seen = []

    def work():
        seen.append(torch.ones(2).exp())

    with profile() as prof:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(seen) == 1
    assert names(prof) == []


def test_two_threads_at_once():
    found = {}
    barrier = threading.Barrier(2)

    def work(name):
        with profile() as prof:
            barrier.wait()
            getattr(torch.ones(2), name)()
            barrier.wait()
        found[name] = names(prof)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("exp", "sin")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"exp": ["aten::ones", "aten::exp"], "sin": ["aten::ones", "aten::sin"]}


def test_functions_stay_what_they_are():
    def signatures():
        return {each: inspect.signature(each) for each in operations()}

    before = signatures()
    with profile():
        pass
    assert signatures() == before


def test_frames_can_be_looked_into():
    """Test runners and debuggers read the locals of every frame of an error."""
    with pytest.raises(RuntimeError) as caught, profile():
        torch.ones(2).add(torch.ones(3))
    frame = caught.tb
    names = set()
    while frame is not None:
        names |= set(frame.tb_frame.f_locals)
        frame = frame.tb_next
    assert {"wrapper", "row"} <= names


def test_where_nodes_were_made_is_the_users_line():
    x = torch.ones(2, requires_grad=True)
    with profile():
        y = x.exp() * 2
    assert "test_profiler.py:" in y.grad_fn.where()
    assert torch.func.grad(lambda x: x.sin().sum())(x).tolist() == x.cos().tolist()


def test_saved_tensors_hooks_and_anomaly_mode_go_on_inside():
    packed = []
    x = torch.tensor([0.0], requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t) or t, lambda t: t):
        with profile():
            y = x.exp()
        x.sin()
    assert len(packed) == 2
    assert y.requires_grad
    with torch.autograd.set_detect_anomaly(True), profile() as prof:
        torch.tensor([1.0], requires_grad=True).exp().backward()
    assert "ExpBackward0" in names(prof)


@pytest.mark.parametrize("emit", [profiler.emit_nvtx, profiler.emit_itt])
def test_tools_that_are_not_there_say_so(emit):
    mode = emit(record_shapes=True)
    with pytest.warns(UserWarning, match="not annotated"):
        mode.__enter__()
    with pytest.raises(RuntimeError, match="not reentrant"), mode:
        pass
    with emit(enabled=False) as nothing:
        assert nothing is None


def test_events_are_put_into_each_other():
    with profile() as prof:
        torch.ones(2) + 1
        torch.ones(2) * 2
    first, second = prof.function_events[0], prof.function_events[-1]
    first.append_cpu_child(second)
    second.set_cpu_parent(first)
    assert first.cpu_children == [second]
    assert second.cpu_parent is first
    assert first.key == first.name


def test_what_stacks_can_be_written(tmp_path):
    with profile(with_stack=True) as prof:
        torch.ones(2) + 1
    assert prof.function_events.supported_export_stacks_metrics() == ["self_cpu_time_total"]
    with pytest.raises(ValueError, match="self_cpu_time_total"):
        prof.function_events.export_stacks(tmp_path / "stacks", "self_cuda_time_total")
    prof.export_chrome_trace(tmp_path / "trace", use_python_export=True)
    assert json.loads((tmp_path / "trace").read_text())["traceEvents"]
