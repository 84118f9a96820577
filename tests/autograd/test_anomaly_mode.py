"""detect_anomaly: what is an error, what it says, what is put back."""

from __future__ import annotations

import threading
import warnings

import pytest

import adjoint as torch
from adjoint.autograd import detect_anomaly, set_detect_anomaly

HERE = "test_anomaly_mode.py"


@pytest.fixture(autouse=True)
def _quiet_and_restored():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Anomaly Detection has been enabled")
        warnings.filterwarnings("ignore", "Error detected in")
        yield
    assert not torch.is_anomaly_enabled()
    assert torch.autograd.anomaly_mode.present_recorder().observers == ()


def leaf(*values: float):
    return torch.tensor(values, requires_grad=True)


def failure(step, **options) -> str:
    with pytest.raises(RuntimeError) as caught, set_detect_anomaly(True, **options):
        step()
    return str(caught.value)


def test_a_nan_in_a_gradient_names_operation_line_and_inputs():
    x = leaf(0.0, 4.0)
    text = failure(lambda: (x.sqrt() * x).sum().backward())
    assert "Function 'SqrtBackward0' returned nan values in its 0th output" in text
    assert HERE in text
    assert "saved out: torch.float32 [2], min 0, max 2, 0 nan, 0 inf" in text
    assert "gradient that arrived: torch.float32 [2], min 0, max 4, 0 nan, 0 inf" in text
    assert "1 nan, 0 inf" in text.splitlines()[-1]
    assert x.grad is None


def test_where_it_began_in_the_forward_pass():
    x = leaf(0.0, 1.0)
    text = failure(lambda: (x.log() * torch.zeros(2)).exp().sum().backward())
    assert "In the forward pass LogBackward0 at" in text
    assert "had already made inf" in text
    assert "x: torch.float32 [2], min 0, max 1, 0 nan, 0 inf" in text


def test_the_number_of_the_output():
    x, y = leaf(1.0), leaf(0.0)
    text = failure(lambda: (x * (y / y)).backward())
    assert "Function 'MulBackward0' returned nan values in its 0th output" in text


def test_what_is_finite_or_only_infinite_passes():
    x = leaf(0.0, 1.0)
    with set_detect_anomaly(True):
        torch.softmax(torch.where(x > 0, x, -torch.inf), 0).sum().backward()
        x.log().sum().backward()
    assert x.grad.isinf().any()


def test_infinities_on_request():
    x = leaf(0.0, 1.0)
    text = failure(lambda: x.log().sum().backward(), check_inf=True)
    assert "Function 'LogBackward0' returned inf values" in text


def test_the_forward_pass_on_request():
    x = leaf(-1.0, 1.0)
    text = failure(lambda: x.log(), check_forward=True)
    assert "LogBackward0 at" in text
    assert "made nan in the forward pass; its inputs have none" in text
    assert "x: torch.float32 [2], min -1, max 1, 0 nan, 0 inf" in text
    assert "result: torch.float32 [2], min 0, max 0, 1 nan, 0 inf" in text
    z = leaf(0.0)
    with set_detect_anomaly(True, check_forward=True):
        z.log()
    assert "made inf" in failure(lambda: z.log(), check_forward=True, check_inf=True)
    bad = leaf(torch.nan)
    assert "not finite either" in failure(lambda: bad * 2, check_forward=True)


def test_without_check_nan():
    x = leaf(0.0)
    with set_detect_anomaly(True, check_nan=False):
        (x.sqrt() * x).sum().backward()
    assert x.grad.isnan().all()


def test_several_results_and_several_types():
    x = torch.tensor([[4.0, 0.0], [0.0, 9.0]], dtype=torch.complex128, requires_grad=True)
    text = failure(
        lambda: torch.cat([part.abs().sqrt() * part for part in x]).abs().sum().backward()
    )
    assert "SqrtBackward0" in text
    x = leaf(0.0, 4.0).detach().bfloat16().requires_grad_()
    assert "torch.bfloat16" in failure(lambda: (x.sqrt() * x).sum().backward())


def test_an_error_in_a_backward_gets_a_note():
    x = leaf(1.0)

    def step():
        y = x.exp()
        z = y * y
        y.add_(1)
        z.sum().backward()

    with pytest.raises(RuntimeError) as caught, set_detect_anomaly(True):
        step()
    note = "\n".join(caught.value.__notes__)
    assert "In the backward of MulBackward0, which was recorded at" in note
    assert "saved x" in note


def function_that_is_called(x):
    return x.sqrt() * x


def origin(step) -> str:
    """The warning that a failing step gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        failure(step)
    (warning,) = [each for each in caught if each.category is UserWarning]
    assert warning.filename == __file__
    return str(warning.message)


def test_the_warning_shows_the_stack():
    x = leaf(0.0)
    text = origin(lambda: function_that_is_called(x).backward())
    assert "Error detected in SqrtBackward0" in text
    assert text.index("in <lambda>") < text.index("in function_that_is_called")
    assert "return x.sqrt() * x" in text


def test_graphs_that_were_recorded_before():
    y = function_that_is_called(leaf(0.0))
    text = origin(y.backward)
    assert "No forward pass information available" in text
    assert HERE in text


def test_second_derivatives_tell_of_the_first():
    x = leaf(0.0)

    def step():
        (g,) = torch.autograd.grad((x**1.5).sum(), x, create_graph=True)
        (g * x).sum().backward()

    text = origin(step)
    assert "recorded in the backward of PowBackward0" in text
    assert "x**1.5" in text


def test_nothing_is_left_behind_in_the_graph():
    x = leaf(1.0)
    with set_detect_anomaly(True):
        y = x.exp()
    assert y.grad_fn.next_functions
    y.backward()
    assert torch.equal(x.grad, torch.ones(1).exp())


def test_settings():
    assert not torch.is_anomaly_enabled()
    assert torch.is_anomaly_check_nan_enabled()
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled") as caught:
        mode = detect_anomaly(check_nan=False)
    assert caught[0].filename == __file__
    assert not torch.is_anomaly_enabled()
    with mode:
        assert torch.is_anomaly_enabled()
        assert not torch.is_anomaly_check_nan_enabled()
        with set_detect_anomaly(False):
            assert not torch.is_anomaly_enabled()
            assert torch.is_anomaly_check_nan_enabled()
        assert torch.is_anomaly_enabled()
    with pytest.raises(KeyError), set_detect_anomaly(True):
        raise KeyError
    set_detect_anomaly(True, False)
    assert torch.is_anomaly_enabled()
    torch.set_anomaly_enabled(False)
    assert torch.is_anomaly_check_nan_enabled()


def test_under_no_grad_and_back():
    x = leaf(0.0)
    with set_detect_anomaly(True), torch.no_grad():
        x.sqrt()
        with torch.enable_grad():
            y = x.sqrt() * x
        with pytest.raises(RuntimeError, match="SqrtBackward0"):
            y.backward()


def test_together_with_saved_tensors_hooks():
    x = leaf(0.0)
    with set_detect_anomaly(True):
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
            y = x.sqrt() * x
        with pytest.raises(RuntimeError, match="SqrtBackward0"):
            y.backward()


def test_threads_that_begin_later_are_watched():
    found = []

    def work():
        x = leaf(0.0)
        try:
            (x.sqrt() * x).backward()
        except RuntimeError as error:
            found.append(str(error))

    def run():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    with set_detect_anomaly(True):
        run()
    assert "SqrtBackward0" in found.pop()
    run()
    assert found == []


def test_inside_transforms():
    with set_detect_anomaly(True):
        found = torch.func.vmap(torch.func.grad(lambda x: x.sqrt()))(torch.tensor([1.0, 4.0]))
    assert torch.allclose(found, torch.tensor([0.5, 0.25]))
    x = torch.tensor([0.0, 1.0])
    text = failure(lambda: torch.func.vmap(torch.func.grad(lambda x: x.sqrt() * x))(x))
    assert "SqrtBackward0" in text
