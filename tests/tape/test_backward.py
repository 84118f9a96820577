"""Old spellings of arguments of ``backward`` and ``grad``."""

from __future__ import annotations

import pytest

import adjoint as torch


def test_grad_variables_is_an_old_name() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.warns(FutureWarning, match="grad_tensors"):
        torch.autograd.backward(x * 2, grad_variables=torch.tensor([1.0, 3.0]))
    assert x.grad.tolist() == [2.0, 6.0]
    g = torch.ones(2)
    with pytest.raises(RuntimeError, match="both"):
        torch.autograd.backward(x * 2, g, grad_variables=g)


def test_only_inputs_has_no_effect() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.warns(FutureWarning, match="only_inputs"):
        (g,) = torch.autograd.grad((x * 2).sum(), x, only_inputs=False)
    assert g.tolist() == [2.0, 2.0]
    assert x.grad is None


@pytest.mark.parametrize("recorded", [True, False])
def test_zeros_for_what_is_not_used(recorded: bool) -> None:
    x, y = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    options = {"create_graph": recorded, "materialize_grads": True}
    (g,) = torch.autograd.grad((x * 2).sum(), y, **options)
    assert g.tolist() == [0.0] * 3
    assert g.requires_grad is recorded


def test_inputs_that_are_no_leaves_keep_their_gradients() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    (y * 3).sum().backward(inputs=[y], retain_graph=True)
    assert y.retains_grad
    assert x.grad is None
    (y * 3).sum().backward(inputs=[y, y], retain_graph=True)
    assert y.grad.tolist() == [6.0, 6.0]
    (y * 3).sum().backward()
    assert y.grad.tolist() == [9.0, 9.0]
    assert x.grad.tolist() == [6.0, 6.0]


def test_hooks_after_accumulation_return_nothing() -> None:
    x = torch.ones(2, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda x: x.grad)
    with pytest.raises(RuntimeError, match="should return None"):
        x.sum().backward()


@pytest.mark.parametrize("shape", [(), (2,)])
def test_what_saved_a_grad_that_was_added_to_is_told(shape: tuple[int, ...]) -> None:
    x = torch.ones(shape, requires_grad=True)
    (x * x).sum().backward()
    kept, version = x.grad, x.grad._version
    product = kept * x
    (x * x).sum().backward()
    assert x.grad is kept
    assert kept._version == version + 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.sum().backward()


def test_inputs_come_in_any_iterable() -> None:
    weights = {"a": torch.ones(2, requires_grad=True), "b": torch.ones(2, requires_grad=True)}
    out = (weights["a"] * 3 + weights["b"] * 5).sum()
    for inputs in (weights.values(), iter(weights.values())):
        a, b = torch.autograd.grad(out, inputs, retain_graph=True)
        assert (a.tolist(), b.tolist()) == ([3.0, 3.0], [5.0, 5.0])
    torch.autograd.backward((each for each in (out, out)), inputs=weights.values())
    assert weights["a"].grad.tolist() == [6.0, 6.0]


@pytest.mark.parametrize("what", ["loss", 3.0, ["loss"]])
def test_what_is_no_tensor_is_refused(what: object) -> None:
    x = torch.ones(2, requires_grad=True)
    for call in (
        lambda: torch.autograd.backward(what),
        lambda: torch.autograd.grad(what, x),
        lambda: torch.autograd.grad(x.sum(), what),
        lambda: x.sum().backward(inputs=what),
    ):
        with pytest.raises(RuntimeError, match=r"Tensors or GradientEdges, but got (str|float)"):
            call()
    assert x.grad is None


def test_a_gradient_that_does_not_fit_the_one_before() -> None:
    x = torch.ones(3, requires_grad=True)
    x.sum().backward()
    x.data = torch.ones(4)
    with pytest.raises(RuntimeError, match=r"shape \[4\] .* has shape \[3\].*\.grad to None"):
        x.sum().backward()
    assert x.grad.tolist() == [1.0] * 3
    x.grad = None
    x.sum().backward()
    assert x.grad.tolist() == [1.0] * 4


@pytest.mark.parametrize("inputs", [(), []])
def test_no_inputs_are_refused(inputs: object) -> None:
    x = torch.ones(2, requires_grad=True)
    for call in (torch.autograd.grad, lambda out, inputs: out.backward(inputs=inputs)):
        with pytest.raises(RuntimeError, match="cannot be empty"):
            call(x.sum(), inputs)
    assert x.grad is None
