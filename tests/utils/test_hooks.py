"""What ``torch.utils.hooks`` has beside the handle."""

from __future__ import annotations

import warnings

import pytest

import adjoint as torch
from adjoint.utils import hooks


def test_hooks_that_saving_would_lose() -> None:
    x = torch.ones(2, requires_grad=True)
    hooks.warn_if_has_hooks(x)
    x.register_hook(lambda g: g)
    with pytest.warns(UserWarning, match="will not be serialized"):
        hooks.warn_if_has_hooks(x)


def test_a_hook_that_need_not_be_saved() -> None:
    @hooks.unserializable_hook
    def double(g: torch.Tensor) -> torch.Tensor:
        return 2 * g

    x = torch.ones(2, requires_grad=True)
    x.register_hook(double)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hooks.warn_if_has_hooks(x)
    x.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_numbers_of_handles() -> None:
    x = torch.ones(2, requires_grad=True)
    first, second = x.register_hook(print), x.register_hook(print)
    assert first.id < second.id < hooks.RemovableHandle.next_id


def test_hooks_around_a_module() -> None:
    seen = []

    def after(module: object, grad_input: tuple, grad_output: tuple) -> tuple:
        seen.append([each.tolist() for each in (*grad_input, *grad_output)])
        return (grad_input[0] * 10,)

    def before(module: object, grad_output: tuple) -> tuple:
        return (grad_output[0] * 2,)

    hook = hooks.BackwardHook(torch.nn.Identity(), [after], [before])
    x = torch.ones(2, requires_grad=True)
    out = hook.setup_output_hook(hook.setup_input_hook(x) * 3)
    out.sum().backward()
    assert seen == [[[6.0, 6.0], [2.0, 2.0]]]
    assert x.grad.tolist() == [60.0, 60.0]
    assert hook.setup_input_hook((x, 1))[1] == 1
