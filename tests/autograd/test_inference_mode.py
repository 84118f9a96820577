"""Inference mode: what its tensors are, and what is refused of them outside."""

from __future__ import annotations

import copy

import pytest

import adjoint as torch
from adjoint.errors import GraphError


@pytest.fixture
def made():
    with torch.inference_mode():
        return torch.ones(2)


def test_results_are_inference_tensors_by_any_path():
    x = torch.ones(2, 2, requires_grad=True)
    with torch.inference_mode():
        found = [
            torch.ones(2), torch.tensor([1.0]), x * 2, x.sin(), x @ x, x.sum(), x.clone(),
            torch.cat([x, x]), torch.empty(2), torch.zeros_like(x), x.softmax(0), x.to(torch.int64),
            torch.nn.Linear(2, 2).weight, x.max(0).values, torch.where(x > 0, x, x), 2 - x,
        ]  # fmt: skip
        assert all(each.is_inference() for each in found)
        assert not any(each.requires_grad for each in found[:-4])
        for normal in (x, x[0], x.t(), x.detach(), x.view(-1), x.data):
            assert not normal.is_inference()


def test_views_and_copies_outside(made):
    assert made.view(-1).is_inference()
    assert made[:1].is_inference()
    assert made.detach().is_inference()
    assert made.data.is_inference()
    assert not made[:1]._is_view()
    for normal in (made.clone(), made * 2, made.sum(), copy.deepcopy(made), torch.cat([made])):
        assert not normal.is_inference()
        assert normal._version == 0


def test_writes_outside_are_refused(made):
    normal = torch.ones(2)
    for write in (
        lambda: made.add_(1),
        lambda: made.__setitem__(0, 1.0),
        lambda: made.view(-1).mul_(2),
        lambda: made[:1].zero_(),
        lambda: made.copy_(normal),
        lambda: torch.add(normal, normal, out=made),
        lambda: made.fill_(1.0),
        lambda: made.uniform_(),
    ):
        with pytest.raises(RuntimeError, match="clone"):
            write()
    assert made.tolist() == [1, 1]
    normal.copy_(made)
    with torch.inference_mode():
        made.add_(1)
        made[0] = 5
        normal.add_(1)
    assert made.tolist() == [5, 2]
    assert normal.tolist() == [2, 2]
    assert normal._version == 2


def test_gradients_are_refused(made):
    with pytest.raises(RuntimeError, match="inference tensor"):
        made.requires_grad_()
    with pytest.raises(RuntimeError, match="inference tensor"):
        torch.nn.Parameter(made)
    assert not torch.nn.Parameter(made, requires_grad=False).requires_grad
    with torch.inference_mode():
        assert made.requires_grad_().requires_grad
        assert torch.nn.Parameter(made.detach()).is_inference()
        made.requires_grad_(False)


def test_the_version_is_not_kept(made):
    with pytest.raises(RuntimeError, match="version"):
        made._version  # noqa: B018 - reading it is what fails
    with torch.inference_mode(), pytest.raises(RuntimeError, match="version"):
        torch.ones(2)._version  # noqa: B018 - reading it is what fails


@pytest.mark.parametrize(
    "use",
    [
        lambda x, made: x * made,
        lambda x, made: x @ made,
        lambda x, made: torch.where(made > 0, x, x) * made[:1],
        lambda x, made: x / made.view(-1),
        lambda x, made: torch.nn.functional.linear(x, made[None]),
        lambda x, made: x.lerp(made, x),
    ],
)
def test_a_gradient_that_needs_one_is_refused(use, made):
    x = torch.ones(2, requires_grad=True)
    out = use(x, made).sum()
    with pytest.raises(GraphError, match=r"Inference tensors cannot be saved for backward.*clone"):
        out.backward()
    assert x.grad is None
    use(x, made.clone()).sum().backward()
    assert x.grad is not None


def test_a_gradient_that_needs_none_is_had(made):
    x = torch.ones(2, requires_grad=True)
    (x + made - made.sum()).sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_nothing_is_recorded_even_under_enable_grad():
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        with torch.enable_grad():
            assert torch.is_grad_enabled()
            assert not (x * 2).requires_grad
            assert (x * 2).is_inference()
        with torch.inference_mode(False):
            assert (x * 2).requires_grad
            assert not (x * 2).is_inference()
        assert not torch.is_grad_enabled()
    assert (x * 2).requires_grad


def test_transforms_inside():
    with torch.inference_mode():
        x = torch.ones(2)
        assert torch.func.grad(lambda t: (t * t).sum())(x).tolist() == [2, 2]
        assert torch.func.vmap(torch.func.grad(lambda t: t**3))(x).tolist() == [3, 3]
        assert torch.func.jvp(torch.sin, (x,), (x,))[1].tolist() == x.cos().tolist()


def test_classes_are_made_into_functions():
    with pytest.warns(FutureWarning, match="Decorating classes is deprecated") as caught:

        @torch.inference_mode()
        class Thing:
            def __init__(self) -> None:
                self.inside = torch.is_inference_mode_enabled()

            def later(self) -> bool:
                return torch.is_inference_mode_enabled()

    assert caught[0].filename == __file__
    thing = Thing()
    assert thing.inside
    assert not thing.later()


def test_objects_of_modes():
    mode = torch.set_grad_enabled(False)
    try:
        assert (mode.mode, mode.prev) == (False, True)
        assert repr(mode) == "torch.autograd.grad_mode.set_grad_enabled(mode=False)"
        assert mode.clone().prev is False
    finally:
        torch.set_grad_enabled(True)
    for wrong in (1, None, "a"):
        with pytest.raises(TypeError, match="must be bool"):
            torch.set_grad_enabled(wrong)
    assert torch.is_grad_enabled()
    assert torch.inference_mode(False).clone().mode is False
    assert type(torch.no_grad().clone()) is torch.no_grad

    @torch.autograd.set_multithreading_enabled(False)
    def inside():
        return torch.autograd.is_multithreading_enabled()

    assert inside() is False
