"""What a forward returns: inputs written to, inputs as they are, views."""

from __future__ import annotations

import pytest

import adjoint as torch
from tests.autograd.functions import function, leaf


def double(ctx, x):
    ctx.mark_dirty(x)
    return x.mul_(2)


Doubling = function(double, lambda ctx, g: g * 2)


def test_an_input_that_is_written_to():
    x = leaf(1.0, 2.0)
    y = x * 3
    before = y.grad_fn
    z = Doubling.apply(y)
    assert z is y
    assert y.grad_fn.name() == "MadeBackward"
    assert y.grad_fn.next_functions == ((before, 0),)
    (y * y).sum().backward()
    assert x.grad.tolist() == [2 * 36.0, 2 * 72.0]


def test_a_write_by_numpy_is_a_write():
    def forward(ctx, x):
        memory = x.numpy()
        memory += 1
        ctx.mark_dirty(x)
        return x

    x = leaf(1.0)
    y = x * 3
    used = y * y
    function(forward, lambda ctx, g: g).apply(y)
    assert y._version == 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        used.backward()


def test_a_view_that_is_written_to_reaches_base_and_other_views():
    x = leaf(1.0, 2.0, 3.0)
    base = x * 1
    view, other = base[1:], base[:2]
    Doubling.apply(view)
    assert base.tolist() == [1.0, 4.0, 6.0]
    for of_what, expected in ((base, [1.0, 2.0, 2.0]), (other, [1.0, 2.0, 0.0])):
        assert torch.autograd.grad(of_what.sum(), x, retain_graph=True)[0].tolist() == expected
    assert torch.autograd.grad(view.sum(), x)[0].tolist() == [0.0, 2.0, 2.0]


def test_a_buffer_becomes_part_of_the_graph():
    def forward(ctx, buffer, x):
        ctx.mark_dirty(buffer)
        return buffer.add_(x)

    x, buffer = leaf(1.0), torch.ones(1)
    out = function(forward, lambda ctx, g: (g, g * 5)).apply(buffer, x)
    assert out is buffer
    assert buffer.requires_grad
    buffer.backward()
    assert x.grad.tolist() == [5.0]


def test_a_dirty_input_beside_other_outputs():
    def forward(ctx, x):
        ctx.mark_dirty(x)
        square = x * x
        return x.mul_(2), square

    x = leaf(3.0)
    y = x * 1
    z, square = function(forward, lambda ctx, g, h: g * 2 + h * 100).apply(y)
    assert z is y
    assert (z.output_nr, square.output_nr) == (0, 1)
    (z + square).backward()
    assert x.grad.tolist() == [102.0]


def test_a_dirty_input_keeps_its_retained_gradient_and_hooks():
    x = leaf(1.0)
    y = x * 3
    y.retain_grad()
    Doubling.apply(y)
    (y * 5).backward()
    assert y.grad.tolist() == [5.0]
    assert x.grad.tolist() == [30.0]


def test_nothing_recorded_nothing_checked():
    x = leaf(1.0)
    with torch.no_grad():
        y = Doubling.apply(x)
    assert x.tolist() == [2.0]
    assert y is not x
    assert not y.requires_grad
    plain = torch.ones(1)
    assert Doubling.apply(plain) is plain


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (lambda: leaf(1.0), "a leaf Variable that requires grad is being used in an in-place"),
        (lambda: leaf(1.0, 2.0)[1:], "a view of a leaf Variable that requires grad"),
        (lambda: (leaf(1.0, 2.0) * 1).unbind()[0], "one of several outputs"),
        (lambda: (leaf(1.0) * 1).expand(3), "more than one element"),
    ],
)
def test_what_may_not_be_written_to(argument, message: str):
    made = function(lambda ctx, x: ctx.mark_dirty(x) or x, lambda ctx, g: g)
    if "more than" in message:
        made.apply(argument())  # an expanded tensor may be written to by the user's own means
        return
    with pytest.raises(RuntimeError, match=message):
        made.apply(argument())


def test_dirty_inputs_are_to_be_returned():
    made = function(lambda ctx, x: double(ctx, x) + 1, lambda ctx, g: g)
    with pytest.raises(RuntimeError, match=r"marked as dirty .* were not returned"):
        made.apply(leaf(1.0) * 1)
    both = function(lambda ctx, x: (double(ctx, x), x + 1), lambda ctx, g, h: g)
    with pytest.raises(RuntimeError, match=r"input that is a view .* clone\(\) the view"):
        both.apply((leaf(1.0, 2.0) * 1)[1:])


def test_what_is_no_input_is_not_dirty():
    def forward(ctx, x):
        out = x * 2
        ctx.mark_dirty(out)
        return out

    with pytest.warns(UserWarning, match="not an input"):
        y = function(forward, lambda ctx, g: g).apply(leaf(1.0))
    assert y.grad_fn.name() == "MadeBackward"


# -- inputs as they are, and views ----------------------------------------------------------------


def test_an_input_returned_is_a_view_of_it():
    x = leaf(1.0)
    y = function(lambda ctx, x: x, lambda ctx, g: g * 7).apply(x)
    assert y is not x
    assert y._is_view()
    assert y._base is x
    assert x.is_leaf
    y.backward()
    assert x.grad.tolist() == [7.0]


def test_a_view_returned_has_the_functions_history():
    x = leaf(1.0, 2.0)
    base = x * 1
    y = function(lambda ctx, x: x.view(2, 1), lambda ctx, g: g.view(2) * 7).apply(base)
    assert y._base is base
    assert y.grad_fn.name() == "MadeBackward"
    y.sum().backward()
    assert x.grad.tolist() == [7.0, 7.0]


@pytest.mark.parametrize("forward", [lambda ctx, x: x, lambda ctx, x: x.view(-1)])
def test_writes_to_such_views_are_refused(forward):
    made = function(forward, lambda ctx, g: g)
    y = made.apply(leaf(1.0) * 1)
    with pytest.raises(RuntimeError, match=r"inside a custom Function.* clone\(\)"):
        y.mul_(2)
    with torch.no_grad():
        y.mul_(2)
    assert y.tolist() == [2.0]


def test_a_write_to_the_base_makes_such_a_view_ambiguous():
    base = leaf(1.0) * 1
    y = function(lambda ctx, x: x.view(-1), lambda ctx, g: g).apply(base)
    base.mul_(2)
    with pytest.raises(RuntimeError, match=r"inside a custom Function.* modified inplace since"):
        y.backward()


def test_one_of_several_views_is_not_written_to():
    made = function(lambda ctx, x: (x[:1], x[1:]), lambda ctx, g, h: torch.cat([g, h]))
    first, _ = made.apply(leaf(1.0, 2.0) * 1)
    with pytest.raises(RuntimeError, match="one of several outputs"):
        first.mul_(2)


def test_an_output_may_be_written_to_by_whoever_has_it():
    x = leaf(3.0)
    y = function(lambda ctx, x: x * 2, lambda ctx, g: g * 2).apply(x)
    y.mul_(5)
    assert y.grad_fn.name() == "MulBackward0"
    y.backward()
    assert x.grad.tolist() == [10.0]


def test_an_output_twice_and_a_tensor_from_elsewhere():
    other = leaf(5.0)
    x = leaf(1.0)
    a, b = function(lambda ctx, x: (other, other), lambda ctx, g, h: g + 10 * h).apply(x)
    assert a is b is other
    assert not other.is_leaf
    a.backward()
    assert x.grad.tolist() == [10.0]


def test_outputs_without_gradients_under_no_grad():
    x = leaf(1.0, 2.0)
    made = function(lambda ctx, x: (x, x.view(-1), x * 2), lambda ctx, *g: g[0])
    with torch.no_grad():
        same, view, fresh = made.apply(x)
    assert not same.requires_grad
    assert view.requires_grad  # as any view of a leaf that is taken under no_grad
    assert not fresh.requires_grad
