"""What a Function's backward may return, and what is said of other things."""

from __future__ import annotations

import inspect

import pytest

import adjoint as torch
from tests.autograd.functions import Cube, function, leaf

HERE = "test_function_backward.py"


def test_gradients_are_fitted_to_their_inputs():
    x = leaf(1.0, 2.0)
    wide = function(lambda ctx, x: x * 1, lambda ctx, g: g.expand(3, 2))
    assert torch.autograd.grad(wide.apply(x).sum(), x)[0].tolist() == [3.0, 3.0]
    for cast in ("double", "long", "half"):
        made = function(lambda ctx, x: x * 1, lambda ctx, g, cast=cast: getattr(g, cast)())
        assert torch.autograd.grad(made.apply(x).sum(), x)[0].dtype is torch.float32


def test_too_many_gradients_may_be_none():
    x = leaf(1.0)
    made = function(lambda ctx, x: x * 1, lambda ctx, g: (g, None, None))
    assert torch.autograd.grad(made.apply(x), x)[0].tolist() == [1.0]


def test_none_is_no_gradient():
    x = leaf(1.0)
    y = function(lambda ctx, x: x * 1, lambda ctx, g: None).apply(x)
    y.backward(retain_graph=True)
    assert x.grad is None
    with pytest.raises(RuntimeError, match="not have been used in the graph"):
        torch.autograd.grad(y, x)


def test_a_gradient_for_an_input_that_wants_none_is_dropped():
    x = leaf(1.0, 2.0)
    made = function(lambda ctx, x, y: x * y, lambda ctx, g: (g, g))
    y = made.apply(x, torch.tensor([3, 4]))
    assert torch.autograd.grad(y.sum(), x)[0].tolist() == [1.0, 1.0]


def test_a_gradient_that_is_handed_on_is_not_shared():
    x, y = leaf(1.0), leaf(2.0)
    function(lambda ctx, x, y: x + y, lambda ctx, g: (g, g)).apply(x, y).backward()
    x.grad.add_(1)
    assert y.grad.tolist() == [1.0]


BAD = {
    "number": (lambda ctx, g: (g, g), r"returned an incorrect number of gradients .*got 2"),
    "float": (lambda ctx, g: 3.0, r"expected Variable or None \(got float\)"),
    "list": (lambda ctx, g: [g], r"expected Variable or None \(got list\)"),
    "shape": (lambda ctx, g: g[:1], r"invalid gradient at index 0 - got \[1\] but .* \[2\]"),
    "smaller": (lambda ctx, g: g.sum(), r"invalid gradient at index 0 - got \[\] but .* \[2\]"),
    "complex": (lambda ctx, g: g * 1j, r"complex gradient at index 0 for a real input"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_gradients_name_both_lines(case: str):
    backward, message = BAD[case]
    line = inspect.currentframe().f_lineno + 1
    y = function(lambda ctx, x: x * 2, backward).apply(leaf(1.0, 2.0))
    with pytest.raises(RuntimeError, match=message) as caught:
        y.sum().backward()
    assert f"{HERE}:{line}" in str(caught.value)
    assert f"{HERE}:{backward.__code__.co_firstlineno}" in str(caught.value)


def test_a_gradient_for_what_is_no_tensor():
    y = function(lambda ctx, x, n: x * n, lambda ctx, g: (g, g)).apply(leaf(1.0), 2)
    with pytest.raises(RuntimeError, match="different than None at position 2"):
        y.backward()


def test_too_few_gradients():
    y = function(lambda ctx, x, y: x * y, lambda ctx, g: g).apply(leaf(1.0), leaf(2.0))
    with pytest.raises(RuntimeError, match=r"expected 2, one for each argument of forward, got 1"):
        y.backward()


def test_zeros_are_made_of_the_right_type():
    seen = []

    def backward(ctx, g, h):
        seen.append((g.dtype, h.dtype, tuple(h.shape)))
        return g.float()

    x = leaf(1.0, 2.0)
    made = function(lambda ctx, x: (x.double(), x.half()[:1]), backward)
    made.apply(x)[0].sum().backward()
    assert seen == [(torch.float64, torch.float16, (1,))]


def test_recording_is_as_before_after_an_error_which_notes_where_forward_was_applied():
    line = inspect.currentframe().f_lineno + 1
    y = function(lambda ctx, x: x * 1, lambda ctx, g: g[7]).apply(leaf(1.0))
    with pytest.raises(IndexError) as caught:
        y.backward()
    assert torch.is_grad_enabled()
    (note,) = caught.value.__notes__
    assert note.startswith("in the backward of Made, applied at ")
    assert note.endswith(f"{HERE}:{line}")


def test_the_node_can_be_applied_by_hand():
    y = Cube.apply(leaf(2.0))
    assert y.grad_fn.apply(torch.ones(1)).tolist() == [12.0]
