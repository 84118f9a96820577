"""Views and writes in place: memory that is shared, versions, histories, and what is refused.

What is expected was measured on PyTorch 2.13; ``tests/parity/test_views.py`` compares random
programs.
"""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import adjoint as torch
from adjoint.tape.tensor import memory_of


def leaf():
    return torch.tensor([1.0, 2.0, 3.0], requires_grad=True)


def names(tensor):
    """The nodes that made a tensor, each the first one before."""
    found, node = [], tensor.grad_fn
    while node is not None:
        found.append(type(node).__name__)
        node = node.next_functions[0][0] if node.next_functions else None
    return found


# -- memory -------------------------------------------------------------------------------------

VIEWS = [
    lambda x: x.view(-1), lambda x: x.reshape(3, 4), lambda x: x[0], lambda x: x[:, 1:],
    lambda x: x[..., None], lambda x: x.t(), lambda x: x.T, lambda x: x.mT,
    lambda x: x.permute(1, 0), lambda x: x.transpose(0, 1), lambda x: x.unsqueeze(0),
    lambda x: x.narrow(1, 0, 2), lambda x: x.select(1, 1), lambda x: x.diagonal(),
    lambda x: x.unfold(1, 2, 1), lambda x: x.expand(2, 4, 3), lambda x: x.split(2)[1],
    lambda x: x.chunk(2)[0], lambda x: x.unbind(1)[2], lambda x: x.as_strided((2, 2), (1, 3)),
    lambda x: x.flatten(), lambda x: x.movedim(0, 1), lambda x: x.detach(), lambda x: x[...],
    lambda x: x.tensor_split(2)[0], lambda x: x.view_as(x), lambda x: x.squeeze(),
    lambda x: x.view(torch.int32), lambda x: x.unflatten(0, (2, 2)),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(VIEWS)))
def test_a_view_shares_memory_and_version(number):
    x = torch.arange(12.0).reshape(4, 3).clone()
    view = VIEWS[number](x)
    assert np.shares_memory(view.numpy(), x.numpy())
    x.zero_()
    assert not view.any()
    assert view._version == x._version == 1


COPIES = [
    lambda x: x.clone(), lambda x: x.t().reshape(-1), lambda x: x.flip(0), lambda x: x.roll(1),
    lambda x: x.repeat(2, 1), lambda x: x[[0, 1]], lambda x: x[x > 3], lambda x: x.tril(),
    lambda x: x.diag(), lambda x: torch.cat([x]), lambda x: x.t().contiguous(),
    lambda x: x.rot90(), lambda x: x.narrow_copy(0, 0, 2), lambda x: x.index_select(0, ZERO),
]  # fmt: skip
ZERO = torch.tensor([0])


@pytest.mark.parametrize("number", range(len(COPIES)))
def test_a_copy_does_not(number):
    x = torch.arange(12.0).reshape(4, 3).clone()
    copy = COPIES[number](x)
    assert not np.shares_memory(copy.numpy(), x.numpy())
    assert not copy._is_view()


def test_the_base_is_the_tensor_that_owns_the_memory():
    x = torch.zeros(4, 3)
    assert x[1:][0]._base is x
    assert x._base is None
    detached = x.detach()
    assert not detached._is_view()
    assert detached[0]._base is detached


def test_data_is_not_counted():
    x = torch.zeros(3)
    x.data.add_(1.0)
    assert x.tolist() == [1.0, 1.0, 1.0]
    assert x._version == 0


def test_writes_through_a_view_of_a_view_reach_the_base():
    x = torch.zeros(2, 3)
    x[1:][0].view(-1)[2] = 5.0
    assert x.tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 5.0]]


def test_expanded_memory_takes_the_same_everywhere_and_nothing_else():
    x = torch.zeros(3)
    wide = x.expand(2, 3)
    wide.fill_(1.0)
    wide[0] = 2.0
    assert x.tolist() == [2.0, 2.0, 2.0]
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        wide.add_(1.0)
    with pytest.raises(RuntimeError, match="more than one element"):
        wide.copy_(torch.zeros(2, 3))


def test_dead_views_are_forgotten():
    x = torch.zeros(10)
    for _ in range(1000):
        x[1:]
    assert len(memory_of(x).views) <= 16


def test_a_view_keeps_its_base_and_nothing_keeps_the_view():
    base = torch.zeros(3)
    view = base[1:]
    reference, base_reference = weakref.ref(view), weakref.ref(base)
    del base
    assert base_reference() is not None
    del view
    gc.collect()
    assert reference() is None
    assert base_reference() is None


# -- histories ----------------------------------------------------------------------------------


def test_names_after_a_write_through_a_view():
    x = leaf() * 1
    view = x[:2]
    inner = view[:1]
    view.mul_(2)
    assert names(x) == ["CopySlices", "MulBackward0", "AccumulateGrad"]
    assert names(view) == ["AsStridedBackward0", *names(x)]
    assert names(inner) == ["AsStridedBackward0", *names(x)]


def test_names_after_a_write_to_the_base():
    x = leaf() * 1
    view = x[:2]
    x.mul_(2)
    assert names(view) == ["AsStridedBackward0", *names(x)]


def test_gradients_through_base_view_and_a_view_of_the_view():
    w = leaf()
    x = w * 2
    view = x[1:]
    inner = view[:1]
    view.mul_(w[:2])  # x = [2 w0, 2 w1 w0, 2 w2 w1]
    inner.add_(1.0)
    x[0] = w[2] * w[2]
    (x * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.tolist() == [9.0, 5.0, 12.0]
    assert w.grad.tolist() == [40.0, 20.0 + 600.0, 6.0 + 400.0]


def test_a_write_that_needs_gradients_makes_the_base_and_views_need_them():
    x = torch.zeros(3)
    view, other = x[:2], x[1:]
    view.add_(leaf()[:2])
    assert x.requires_grad
    assert other.requires_grad
    assert not x.is_leaf


def test_what_is_overwritten_gets_no_gradient():
    w = leaf()
    x = w * 2
    x[1] = 0.0
    x.sum().backward()
    assert w.grad.tolist() == [2.0, 0.0, 2.0]
    x = w * 2
    x.zero_()
    x.sum().backward()
    assert w.grad.tolist() == [2.0, 0.0, 2.0]
    assert names(x)[0] == "ZeroBackward0"


def test_a_source_that_broadcasts_gets_the_sum():
    scale = torch.tensor(2.0, requires_grad=True)
    x = torch.zeros(2, 3)
    x[:, 1:] = scale
    x.sum().backward()
    assert scale.grad.item() == 4.0


def test_double_gradients_through_a_write():
    w = leaf()
    x = w * w
    x[:2].mul_(w[1:])
    (first,) = torch.autograd.grad((x * x).sum(), w, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), w)
    # (w0^2 w1)^2 + (w1^2 w2)^2 + w2^4
    w0, w1, w2 = 1.0, 2.0, 3.0
    assert first.tolist() == [
        4 * w0**3 * w1**2,
        2 * w0**4 * w1 + 4 * w1**3 * w2**2,
        2 * w1**4 * w2 + 4 * w2**3,
    ]
    assert second.tolist() == [
        12 * w0**2 * w1**2 + 8 * w0**3 * w1,
        2 * w0**4 + 8 * w0**3 * w1 + 12 * w1**2 * w2**2 + 8 * w1**3 * w2,
        2 * w1**4 + 8 * w1**3 * w2 + 12 * w2**2,
    ]


def test_a_write_in_place_that_needs_the_old_values():
    w = leaf()
    x = w * 1
    x.mul_(w).sin_()
    x.sum().backward()
    np.testing.assert_allclose(
        w.grad.numpy(), 2 * w.detach().numpy() * np.cos(w.detach().numpy() ** 2), 1e-6
    )


def test_under_no_grad_the_history_stays():
    w = leaf()
    x = w * 2
    before = x.grad_fn
    with torch.no_grad():
        x.mul_(5)
    assert x.grad_fn is before
    assert x._version == 1


def test_retained_gradients_go_with_the_tensor_and_hooks_stay():
    w, seen = leaf(), []
    x = w * 1
    x.register_hook(lambda g: seen.append(g.tolist()))
    x.retain_grad()
    x.mul_(3)
    x.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0]
    assert seen == [[3.0, 3.0, 3.0]]


@pytest.mark.parametrize("write", ["add_", "copy_"])
def test_detach_shares_memory_but_no_history(write):
    w = leaf()
    x = w * 2
    getattr(x.detach(), write)(torch.ones(3))
    assert names(x) == ["MulBackward0", "AccumulateGrad"]
    x.sum().backward()
    assert w.grad.tolist() == [2.0, 2.0, 2.0]


def test_integers_have_no_history():
    x = torch.zeros(3, dtype=torch.int64)
    x[0] = leaf()[1]
    assert x.tolist() == [2, 0, 0]
    assert not x.requires_grad


def test_shapes_changed_in_place():
    w = torch.ones(2, 3, requires_grad=True)
    x = w * 2
    row = x[0]
    x.t_()
    assert x.shape == (3, 2)
    x[2] = 7.0
    assert row.tolist() == [2.0, 2.0, 7.0]
    x.sum().backward()
    assert w.grad.tolist() == [[2.0, 2.0, 0.0]] * 2


# -- what is refused ----------------------------------------------------------------------------


def test_leaves_and_views_of_leaves():
    w = leaf()
    for write in (lambda: w.mul_(2), w.zero_, lambda: w.copy_(torch.ones(3))):
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
            write()
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        w[0] = 1.0
    assert w.tolist() == [1.0, 2.0, 3.0]
    assert w._version == 0
    with torch.no_grad():
        w[0] = 9.0
    assert w.tolist() == [9.0, 2.0, 3.0]


@pytest.mark.parametrize("several", ["unbind", "split", "chunk"])
def test_one_of_several_views(several):
    views = {
        "unbind": lambda x: x.unbind(),
        "split": lambda x: x.split(1),
        "chunk": lambda x: x.chunk(3),
    }
    x = leaf() * 1
    for view in (views[several](x)[0], views[several](x)[0].view(-1)):
        with pytest.raises(RuntimeError, match="one of several outputs"):
            view.mul_(2)
    plain = torch.zeros(3)
    views[several](plain)[0].fill_(1.0)  # where no gradient is wanted it is allowed
    assert plain.tolist() == [1.0, 0.0, 0.0]


def test_using_one_of_several_views_after_a_write_to_the_base():
    x = leaf() * 1
    first = x.unbind()[0]
    x.mul_(2)
    with pytest.raises(RuntimeError, match="ambiguous"):
        first.grad_fn  # noqa: B018 - reading it is the test
    with pytest.raises(RuntimeError, match="ambiguous"):
        (first * 2).backward()


def test_views_made_under_no_grad():
    x = leaf() * 1
    with torch.no_grad():
        view = x[:2]
    assert view.requires_grad
    assert view.is_leaf
    with pytest.raises(RuntimeError, match="created in no_grad mode"):
        view.mul_(2)
    with torch.no_grad():
        view.mul_(2)
    assert x[0].item() == 2.0


def test_overlapping_sources():
    x = torch.arange(4.0)
    with pytest.raises(RuntimeError, match="refer to a single memory location"):
        x[1:] = x[:3]
    with pytest.raises(RuntimeError, match="refer to a single memory location"):
        x.add_(x[0])
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0]
    x.add_(x)
    assert x.tolist() == [0.0, 2.0, 4.0, 6.0]


def test_types_and_shapes_that_do_not_fit_change_nothing():
    whole, truth, row = (
        torch.ones(3, dtype=torch.int64),
        torch.ones(3, dtype=torch.bool),
        torch.ones(3),
    )
    with pytest.raises(RuntimeError, match=r"torch.float32 can't be cast .* torch.int64"):
        whole.add_(1.5)
    with pytest.raises(RuntimeError, match="can't be cast"):
        whole /= 2
    with pytest.raises(RuntimeError, match="can't be cast"):
        truth.add_(1)
    with pytest.raises(
        RuntimeError, match=r"shape \[3\] doesn't match the broadcast shape \[2, 3\]"
    ):
        row += torch.ones(2, 3)
    with pytest.raises(RuntimeError, match="doesn't match"):
        row.copy_(torch.ones(2, 3))
    assert (whole._version, truth._version, row._version) == (0, 0, 0)
    half = torch.ones(3, dtype=torch.float16)
    half += torch.ones(3, dtype=torch.float64)
    assert half.dtype is torch.float16


def test_inference_tensors():
    with torch.inference_mode():
        made = torch.zeros(3)
        made.add_(1.0)
    with pytest.raises(RuntimeError, match="inference tensor outside InferenceMode"):
        made.add_(1.0)
    normal = leaf() * 1
    with torch.inference_mode():
        view = normal[:2]
    with pytest.raises(RuntimeError, match="created in inference mode"):
        view.add_(1.0)


def test_detaching_a_view_in_place():
    with pytest.raises(RuntimeError, match="Can't detach views in-place"):
        (leaf() * 1)[:2].detach_()


# -- saved values that a write spoils -----------------------------------------------------------

SPOILED = "modified by an inplace operation"


@pytest.mark.parametrize(
    "damage",
    [
        lambda x: x.add_(1.0),
        lambda x: x[:1].add_(1.0),
        lambda x: x.detach().add_(1.0),
        lambda x: x.__setitem__(0, 1.0),
        lambda x: x.view(-1).zero_(),
    ],
)
@pytest.mark.parametrize("make", [lambda x: x * x, lambda x: x.exp(), lambda x: x.sin()])
def test_damage_to_a_saved_value_is_found(make, damage):
    x = leaf() * 1
    y = make(x)
    damage(y if names(y)[0] == "ExpBackward0" else x)
    with pytest.raises(RuntimeError, match=SPOILED) as caught:
        y.sum().backward()
    assert "test_views.py" in str(caught.value)


def test_data_is_not_watched():
    x = leaf() * 1
    y = x * x
    x.data.zero_()
    y.sum().backward()


def test_results_that_were_written_in_place_are_watched_too():
    x = leaf() * 1
    x.exp_()
    x.sum().backward(retain_graph=True)
    x.add_(1.0)
    with pytest.raises(RuntimeError, match=SPOILED):
        x.sum().backward()


def test_a_write_to_what_nothing_saved_is_fine():
    w = leaf()
    x = w * 2
    y = x + 1
    x.zero_()
    y.sum().backward()
    assert w.grad.tolist() == [2.0, 2.0, 2.0]


# -- transforms ---------------------------------------------------------------------------------


def program(x):
    """Writes of every kind; the sum of x * 2, then x of the last place, and 3 x^2 of the second."""
    y = torch.zeros(3, dtype=x.dtype)
    y += x * 2
    view = y[1:]
    view[0] = x[1] * x[1]
    view[0:1].mul_(3.0)
    y.view(-1)[2:].copy_(x[2:])
    return y


def expected(x):
    return np.stack([2 * x[..., 0], 3 * x[..., 1] ** 2, x[..., 2]], -1)


def test_writes_inside_transforms():
    values = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 4.0]])
    x = torch.tensor(values)
    slopes = np.stack([np.full(2, 2.0), 6 * values[:, 1], np.ones(2)], -1)
    np.testing.assert_allclose(torch.func.vmap(program)(x).numpy(), expected(values))
    gradient = torch.func.grad(lambda x: program(x).sum())
    np.testing.assert_allclose(gradient(x[0]).numpy(), slopes[0])
    np.testing.assert_allclose(torch.func.vmap(gradient)(x).numpy(), slopes)
    out, moved = torch.func.jvp(program, (x[0],), (x[1],))
    np.testing.assert_allclose(out.numpy(), expected(values[0]))
    np.testing.assert_allclose(moved.numpy(), slopes[0] * values[1])
    of_batch = torch.func.grad(lambda x: torch.func.vmap(program)(x).sum())
    np.testing.assert_allclose(of_batch(x).numpy(), slopes)
    assert x.tolist() == values.tolist()


def test_detach_inside_a_transform_is_a_constant_for_all():
    def f(x):
        return x * x.detach()

    _, moved = torch.func.jvp(f, (torch.tensor(3.0),), (torch.tensor(1.0),))
    assert moved.item() == 3.0
    twice = torch.func.grad(lambda x: torch.func.grad(f)(x))
    assert twice(torch.tensor(3.0)).item() == 0.0


# -- looking otherwise in place ------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 3), (0, 3)])
def test_a_base_that_looks_otherwise_stays_the_base(shape):
    x = torch.ones(shape)
    view = x.t()
    inner = view[:1]
    x.unsqueeze_(0)
    assert not x._is_view()
    assert view._base is inner._base is x
    assert tuple(view.shape) == shape[::-1]
    w = torch.full((1, *shape), 3.0, requires_grad=True)
    x.mul_(w)
    (view.sum() + inner.sum()).backward()
    counted = np.ones((1, *shape), np.float32)
    counted[0, :, :1] += 1
    np.testing.assert_array_equal(w.grad.numpy(), counted)


def test_a_leaf_that_looks_otherwise_gets_gradients_of_that_shape():
    w = torch.ones(2, 3, requires_grad=True)
    with torch.no_grad():
        w.t_()
    (w * 2).sum().backward()
    assert w.grad.shape == w.shape == (3, 2)


def test_nodes_of_shapes_changed_in_place_are_numbered_as_in_pytorch():
    for call, name in (
        (lambda x: x.squeeze_(), "SqueezeBackward3"),
        (lambda x: x.squeeze_(0), "SqueezeBackward4"),
        (lambda x: x.squeeze_((0, 2)), "SqueezeBackward5"),
        (lambda x: x.unsqueeze_(0), "UnsqueezeBackward1"),
        (lambda x: x.transpose_(0, 1), "TransposeBackward1"),
        (lambda x: x[0].t_(), "TBackward1"),
        (lambda x: x.as_strided_((2,), (1,)), "AsStridedBackward1"),
    ):
        assert call(torch.ones(1, 2, 1, requires_grad=True) * 1).grad_fn.name() == name


def test_data_inside_transforms_is_the_tensor_itself():
    x = torch.tensor([1.0, 2.0, 3.0])

    def double_unseen(x):
        y = x.clone()
        saved = y * y
        y.data.mul_(2)
        return saved + y

    assert torch.func.vmap(double_unseen)(x).tolist() == [3.0, 8.0, 15.0]
    slopes = torch.func.grad(lambda x: double_unseen(x).sum())(x)
    assert slopes.tolist() == [5.0, 9.0, 13.0]  # by the values that are there now, as in PyTorch


# -- writes that are not recorded ----------------------------------------------------------------


def unrecorded(kind, x):
    if kind == "no_grad":
        with torch.no_grad():
            x.mul_(2)
    elif kind == "item":
        with torch.no_grad():
            x[0] = 2.0
    elif kind == "out":
        with torch.no_grad():
            torch.mul(x, 2, out=x)
    else:
        x.detach().mul_(2)


KINDS = ["no_grad", "item", "out", "detach"]


@pytest.mark.parametrize("kind", KINDS)
def test_views_know_of_a_write_that_was_not_recorded(kind):
    w = leaf()
    x = w * 1
    view = x[:2]
    unrecorded(kind, x)
    assert names(view) == ["AsStridedBackward0", *names(x)]
    assert names(x) == ["MulBackward0", "AccumulateGrad"]
    view.sum().backward()
    assert w.grad.tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("kind", KINDS)
def test_views_that_such_a_write_makes_ambiguous_are_refused(kind):
    x = leaf() * 1
    part = x.unbind(0)[1]
    with torch.no_grad():
        seen = x[:2]
    unrecorded(kind, x)
    for view in (part, seen):
        assert view.requires_grad
        assert "grad_fn=<Invalid>" in repr(view)
        assert not view.retains_grad
        for look in (lambda view: view.is_leaf, lambda view: view.grad_fn):
            with pytest.raises(RuntimeError, match="modified inplace since"):
                look(view)
        with pytest.raises(RuntimeError, match="modified inplace since"):
            (view * 2).sum().backward()
        with torch.no_grad():
            assert (view * 2).isfinite().all()


def test_what_such_a_view_saved_is_spoiled():
    x = leaf() * 1
    view = x[:2]
    total = (view * view).sum()
    x.detach().mul_(3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()
