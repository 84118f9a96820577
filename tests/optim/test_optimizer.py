"""What all optimizers share: steps, writes, groups, refusals."""

from __future__ import annotations

import gc
import weakref

import pytest

import adjoint as torch
from tests.references import optim_cases

ALL = sorted({name for name, _ in optim_cases.CASES})


def leaf(*values: float):
    return torch.tensor(values, requires_grad=True)


def with_gradient(*values: float):
    param = leaf(*values)
    param.grad = torch.ones_like(param)
    return param


# -- steps --------------------------------------------------------------------------------------


def test_a_step_of_gradient_descent():
    w = leaf(3.0)
    optimizer = torch.optim.SGD([w], lr=0.5)
    (w * w).sum().backward()
    assert optimizer.step() is None
    assert w.tolist() == [0.0]
    assert w.requires_grad
    assert w.is_leaf


@pytest.mark.parametrize("name", ALL)
def test_parameters_without_a_gradient_stay(name: str):
    moved, kept = with_gradient(1.0), leaf(1.0)
    optimizer = getattr(torch.optim, name)([kept, moved])
    optimizer.step()
    assert kept.tolist() == [1.0]
    assert moved.tolist() != [1.0]
    assert not optimizer.state.get(kept) or name == "Adagrad"


@pytest.mark.parametrize("name", [*ALL, "LBFGS"])
def test_the_closure_is_recorded_and_its_loss_returned(name: str):
    w = leaf(1.0, -2.0)
    optimizer = getattr(torch.optim, name)([w])
    seen = []

    def closure():
        optimizer.zero_grad()
        seen.append(torch.is_grad_enabled())
        loss = (w * w).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
        assert not torch.is_grad_enabled()
    assert float(loss.detach()) == 5.0
    assert all(seen)
    assert (w * w).sum() < 5.0


@pytest.mark.parametrize("name", ALL)
def test_a_failing_closure_changes_nothing(name: str):
    w = with_gradient(1.0)
    optimizer = getattr(torch.optim, name)([w])

    def closure():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        optimizer.step(closure)
    assert w.tolist() == [1.0]
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("name", ALL)
def test_a_step_is_a_write(name: str):
    w = with_gradient(1.0, 2.0)
    out = (w * w).sum()
    optimizer = getattr(torch.optim, name)([w])
    optimizer.step()
    assert w._version == 1
    with pytest.raises(RuntimeError, match="modified by an inplace") as raised:
        out.backward()
    assert "test_optimizer.py:" in str(raised.value).split("was written to at")[1]


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_steps_of_lbfgs_are_writes(search: str | None):
    w = leaf(1.0, 2.0)
    optimizer = torch.optim.LBFGS([w], max_iter=2, line_search_fn=search)
    losses = []

    def closure():
        loss = (w**4).sum()
        losses.append(loss)
        (w.grad,) = torch.autograd.grad(loss, w, retain_graph=True)
        return loss

    optimizer.step(closure)
    assert len(losses) > 1
    for loss in losses[:-1]:  # nothing need be written after the last evaluation
        with pytest.raises(RuntimeError, match="modified by an inplace"):
            loss.backward()


def test_expanded_parameters():
    w = torch.ones(1).expand(3).requires_grad_()
    w.grad = torch.ones(3)
    with pytest.raises(RuntimeError, match="expanded"):
        torch.optim.SGD([w], lr=0.5).step()
    assert w.tolist() == [1.0, 1.0, 1.0]
    single = torch.ones(2, 1).expand(2, 1)[:, :1].requires_grad_()
    single.grad = torch.ones(2, 1)
    torch.optim.SGD([single], lr=0.5).step()
    assert single.tolist() == [[0.5], [0.5]]


def test_the_state_is_written_too():
    w = with_gradient(1.0)
    optimizer = torch.optim.SGD([w], momentum=0.9)
    optimizer.step()
    buffer = optimizer.state[w]["momentum_buffer"]
    scale = leaf(2.0)
    out = (buffer * scale).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        out.backward()


def test_views_see_the_step():
    base = torch.zeros(4)
    part = base[1:3].detach().requires_grad_()
    part.grad = torch.ones(2)
    torch.optim.SGD([part], lr=1.0).step()
    assert base.tolist() == [0.0, -1.0, -1.0, 0.0]


@pytest.mark.parametrize("name", ALL)
def test_gradients_are_left_alone(name: str):
    w = with_gradient(1.0, 2.0)
    kept = w.grad
    options = {"maximize": True} if name == "Rprop" else {"weight_decay": 0.1, "maximize": True}
    optimizer = getattr(torch.optim, name)([w], **options)
    for _ in range(3):
        optimizer.step()
    assert kept.tolist() == [1.0, 1.0]
    assert w.grad is kept


def test_other_data_under_a_parameter():
    w = with_gradient(1.0)
    optimizer = torch.optim.SGD([w], lr=0.5, momentum=0.9)
    optimizer.step()
    w.data = torch.tensor([7.0, 8.0])
    w.grad = torch.ones(2)
    optimizer.state.clear()
    optimizer.step()
    assert w.tolist() == [6.5, 7.5]


@pytest.mark.parametrize("name", ALL)
def test_a_rate_that_is_a_tensor(name: str):
    plain, held = with_gradient(1.0, 2.0), with_gradient(1.0, 2.0)
    rate = torch.tensor(0.25)
    first = getattr(torch.optim, name)([plain], lr=0.25)
    second = getattr(torch.optim, name)([held], lr=rate)
    for new in (0.25, 0.5):
        first.param_groups[0]["lr"] = new
        rate.fill_(new)
        first.step()
        second.step()
    assert torch.allclose(plain, held, rtol=1e-6)


def test_betas_that_are_tensors():
    plain, held = with_gradient(1.0), with_gradient(1.0)
    first = torch.optim.Adam([plain], betas=(0.5, 0.75))
    second = torch.optim.Adam([held], betas=(torch.tensor(0.5), torch.tensor([0.75])))
    for optimizer in (first, second, first, second):
        optimizer.step()
    assert torch.equal(plain, held)


def test_a_rate_that_requires_a_gradient():
    rate = torch.tensor(0.5, requires_grad=True)
    w = torch.ones(2) * 1
    optimizer = torch.optim.SGD([w], lr=rate, differentiable=True)
    w.grad = torch.tensor([1.0, 3.0])
    optimizer.step()
    w.sum().backward()
    assert float(rate.grad) == -4.0


def test_default_dtype_of_counts():
    torch.set_default_dtype(torch.float64)
    try:
        w = with_gradient(1.0)
        optimizer = torch.optim.Adam([w])
        optimizer.step()
        assert optimizer.state[w]["step"].dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_steps_leave_memory_as_it_is():
    w = with_gradient(*[1.0] * 100)
    optimizer = torch.optim.Adam([w])
    optimizer.step()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(300):
        w.grad = torch.ones_like(w)
        optimizer.step()
    gc.collect()
    assert len(gc.get_objects()) <= before + 20


def test_an_optimizer_goes_with_its_last_reference():
    w = with_gradient(1.0)
    optimizer = torch.optim.Adam([w])
    optimizer.step()
    watch = weakref.ref(optimizer)
    del optimizer
    assert watch() is None


# -- zero_grad ----------------------------------------------------------------------------------


def test_zero_grad():
    a, b, c = with_gradient(1.0), with_gradient(2.0), leaf(3.0)
    optimizer = torch.optim.SGD([a, b, c])
    kept = a.grad
    optimizer.zero_grad(set_to_none=False)
    assert a.grad is kept
    assert a.grad.tolist() == b.grad.tolist() == [0.0]
    assert c.grad is None
    optimizer.zero_grad()
    assert a.grad is None
    assert b.grad is None


def test_zero_grad_of_a_recorded_gradient():
    w = leaf(2.0)
    (w**3).sum().backward(create_graph=True)
    assert w.grad.requires_grad
    torch.optim.SGD([w]).zero_grad(set_to_none=False)
    assert not w.grad.requires_grad
    assert w.grad.tolist() == [0.0]


# -- groups -------------------------------------------------------------------------------------


def test_groups_with_options_of_their_own():
    a, b = with_gradient(1.0), with_gradient(1.0)
    optimizer = torch.optim.SGD([{"params": a, "lr": 0.5}, {"params": [b]}], lr=0.25)
    optimizer.step()
    assert a.tolist() == [0.5]
    assert b.tolist() == [0.75]
    c = with_gradient(1.0)
    optimizer.add_param_group({"params": (each for each in [c]), "lr": 0.125})
    optimizer.step()
    assert c.tolist() == [0.875]
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.25, 0.125]


def test_named_parameters():
    a, b = leaf(1.0), leaf(2.0)
    optimizer = torch.optim.SGD([("a", a), ("b", b)])
    assert optimizer.param_groups[0]["param_names"] == ["a", "b"]
    assert optimizer.param_groups[0]["params"] == [a, b]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["a", "b"]
    with pytest.raises(ValueError, match="without names"):
        optimizer.add_param_group({"params": [leaf(3.0)]})
    with pytest.raises(ValueError, match="1 of 2"):
        torch.optim.SGD([("a", a), b])


def test_what_is_no_parameter():
    w = leaf(1.0)
    with pytest.raises(TypeError, match="single Tensor"):
        torch.optim.SGD(w)
    with pytest.raises(ValueError, match="empty"):
        torch.optim.SGD([])
    with pytest.raises(TypeError, match="int"):
        torch.optim.SGD([w, 3])
    with pytest.raises(TypeError, match="order"):
        torch.optim.SGD([{"params": {w}}])
    with pytest.raises(TypeError, match="dict"):
        torch.optim.SGD([w]).add_param_group([w])
    with pytest.raises(ValueError, match="MulBackward0"):
        torch.optim.SGD([w * 2])
    with pytest.raises(ValueError, match="more than one"):
        torch.optim.SGD([{"params": [w]}, {"params": [w]}])
    with pytest.warns(UserWarning, match="more than once"):
        torch.optim.SGD([w, w])


def test_a_group_that_is_refused_is_not_added():
    w = leaf(1.0)
    optimizer = torch.optim.SGD([w])
    group = {"params": [leaf(2.0), w]}
    with pytest.raises(ValueError, match="more than one"):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1
    assert set(group) == {"params"}


def test_computed_parameters_that_keep_their_gradient():
    w = leaf(1.0, 2.0) * 2
    w.retain_grad()
    optimizer = torch.optim.SGD([w], lr=1.0)
    (w * w).sum().backward()
    with torch.no_grad():
        optimizer.step()
    assert w.tolist() == [-2.0, -4.0]


BAD_OPTIONS = [
    ("SGD", {"lr": -1.0}),
    ("SGD", {"momentum": -0.1}),
    ("SGD", {"weight_decay": -0.1}),
    ("SGD", {"nesterov": True}),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    ("Adam", {"lr": -1.0}),
    ("Adam", {"eps": -1.0}),
    ("Adam", {"betas": (1.0, 0.9)}),
    ("Adam", {"betas": (0.9, -0.1)}),
    ("Adam", {"betas": (0, 0.9)}),
    ("Adam", {"betas": (torch.tensor(0.9), 0.9)}),
    ("Adam", {"betas": (torch.tensor([0.9, 0.8]), torch.tensor(0.9))}),
    ("Adam", {"lr": torch.tensor([0.1, 0.2])}),
    ("Adam", {"lr": torch.tensor(0.1), "foreach": True}),
    ("AdamW", {"weight_decay": -1.0}),
    ("RMSprop", {"alpha": -1.0}),
    ("RMSprop", {"momentum": -1.0}),
    ("Adagrad", {"lr_decay": -1.0}),
    ("Adagrad", {"initial_accumulator_value": -1.0}),
    ("Adadelta", {"rho": 1.5}),
    ("Adamax", {"betas": (0.9, 1.0)}),
    ("NAdam", {"momentum_decay": -1.0}),
    ("RAdam", {"eps": -1.0}),
    ("LBFGS", {"lr": -1.0}),
]


@pytest.mark.parametrize(("name", "options"), BAD_OPTIONS)
def test_options_out_of_range(name: str, options: dict):
    with pytest.raises(ValueError):
        getattr(torch.optim, name)([leaf(1.0)], **options)


def test_ways_that_exclude_each_other():
    for options in ({"fused": True, "foreach": True}, {"fused": True, "differentiable": True}):
        with pytest.raises(RuntimeError, match="fused"):
            torch.optim.Adam([leaf(1.0)], **options)
    torch.optim.SGD([leaf(1.0)], fused=True)


def test_lbfgs_refuses_groups_and_searches_it_does_not_know():
    a, b = leaf(1.0), leaf(2.0)
    with pytest.raises(ValueError, match="2"):
        torch.optim.LBFGS([{"params": [a]}, {"params": [b]}])
    optimizer = torch.optim.LBFGS([a], line_search_fn="golden")
    with pytest.raises(RuntimeError, match="golden"):
        optimizer.step(lambda: (a * a).sum())


def test_lbfgs_with_complex_and_unused_parameters():
    z = torch.tensor([1 + 2j, -0.5j], requires_grad=True)
    w = torch.ones(2, 2, requires_grad=True)
    unused = leaf(3.0)
    optimizer = torch.optim.LBFGS([z, unused, w], line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (z * z.conj()).real.sum() + ((w - 2) ** 2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert float(closure().detach()) < 1e-8
    assert unused.tolist() == [3.0]
