"""Settings that are kept for programs that set them, and have no effect."""

from __future__ import annotations

import threading

import pytest

import adjoint as torch
from adjoint.autograd import grad_mode


def test_multithreading_is_kept() -> None:
    assert torch.autograd.is_multithreading_enabled()
    with torch.autograd.set_multithreading_enabled(False) as nothing:
        assert nothing is None
        assert not torch.autograd.is_multithreading_enabled()
        with grad_mode.set_multithreading_enabled(True).clone():
            assert torch.autograd.is_multithreading_enabled()
    assert torch.autograd.is_multithreading_enabled()


@pytest.mark.parametrize("enabled", [True, False])
def test_layout_policy_changes_no_gradient(enabled: bool) -> None:
    x = torch.ones(2, 3, requires_grad=True)
    with torch.autograd.enforce_grad_layout_policy(enabled) as nothing:
        assert nothing is None
        (x.t() * torch.arange(2.0)).sum().backward()
    assert x.grad.tolist() == [[0.0] * 3, [1.0] * 3]


def test_layout_policy_is_put_back_and_is_one_of_a_thread() -> None:
    other = []

    def look() -> None:
        other.append(grad_mode.enforce_grad_layout_policy(True).prev)

    outer = grad_mode.enforce_grad_layout_policy(False)
    with outer:
        assert grad_mode.enforce_grad_layout_policy(False).clone().prev is False
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert other == [True]
    with grad_mode.enforce_grad_layout_policy() as _:
        pass
    assert grad_mode.enforce_grad_layout_policy(True).prev is True


def test_is_inference_as_a_function() -> None:
    with torch.inference_mode():
        x = torch.ones(2)
    assert torch.is_inference(x)
    assert not torch.is_inference(torch.ones(2))
    with pytest.raises(TypeError, match="must be Tensor"):
        torch.is_inference(2)
