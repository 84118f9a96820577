"""Hooks on tensors, leaves and nodes: when they are called, with what, and what they may do."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

import adjoint as torch


def leaf(*values):
    return torch.tensor(list(values), requires_grad=True)


def shown(gradients):
    return [None if g is None else g.tolist() for g in gradients]


# -- of tensors -----------------------------------------------------------------------------------


def test_a_hook_sees_the_whole_gradient_once():
    x, seen = leaf(1.0, 2.0), []
    y = x * 2
    y.register_hook(lambda g: seen.append(g.tolist()))
    (y * 3 + y.sin() * 0 + y).sum().backward()
    assert seen == [[4.0, 4.0]]


def test_hooks_run_in_order_and_each_sees_what_the_last_has_made():
    x, seen = leaf(1.0), []
    y = x * 1
    for factor in (2.0, 3.0):
        y.register_hook(lambda g, factor=factor: seen.append(g.item()) or g * factor)
    y.register_hook(lambda g: seen.append(g.item()))
    y.sum().backward()
    assert seen == [1.0, 2.0, 6.0]
    assert x.grad.item() == 6.0


def test_a_hook_of_a_leaf_changes_what_is_stored_and_returned():
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: g * 10)
    (x * 2).sum().backward()
    assert x.grad.tolist() == [20.0, 20.0]
    assert torch.autograd.grad((x * 2).sum(), x)[0].tolist() == [20.0, 20.0]


def test_handles_take_hooks_off():
    x, seen = leaf(1.0), []
    handle = x.register_hook(lambda g: seen.append(1))
    with x.register_hook(lambda g: seen.append(2)):
        x.sum().backward()
    handle.remove()
    handle.remove()
    x.sum().backward()
    assert seen == [1, 2]


def test_a_hook_may_take_itself_and_others_off_during_the_pass():
    x, seen, handles = leaf(1.0), [], []
    y = x * 2

    def first(g):
        seen.append("first")
        for handle in handles:
            handle.remove()

    handles.append(y.register_hook(first))
    handles.append(x.register_hook(lambda g: seen.append("leaf")))
    y.sum().backward(retain_graph=True)
    assert seen == ["first"]
    y.sum().backward()
    assert seen == ["first"]


def test_a_hook_that_is_added_during_the_pass_counts_where_it_is_still_to_come():
    x, seen = leaf(1.0), []
    y = x * 2
    z = y * 3
    z.register_hook(lambda g: y.register_hook(lambda g: seen.append(g.item())) and None)
    z.sum().backward()
    assert seen == [3.0]


def test_a_hook_added_after_a_write_is_of_the_new_value():
    x, seen = leaf(1.0, 2.0), []
    y = x * 2
    y.register_hook(lambda g: seen.append(("before", g.tolist())))
    y.mul_(3)
    y.register_hook(lambda g: seen.append(("after", g.tolist())))
    (y * 5).sum().backward()
    assert seen == [("after", [5.0, 5.0]), ("before", [15.0, 15.0])]
    assert x.grad.tolist() == [30.0, 30.0]


def test_hooks_of_views_and_of_several_outputs():
    x, seen = leaf(1.0, 2.0, 3.0), []
    first, second = (x * 1).split([1, 2])
    second.register_hook(lambda g: seen.append(g.tolist()) or g * 2)
    first.register_hook(lambda g: seen.append(g.tolist()))
    second.sum().backward(retain_graph=True)
    assert seen == [[1.0, 1.0]]
    assert x.grad.tolist() == [0.0, 2.0, 2.0]
    (first * 4 + second).sum().backward()
    assert sorted(seen[1:]) == [[1.0, 1.0], [8.0]]


def test_hooks_under_create_graph():
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    assert first.item() == 8.0  # x * 2x
    assert torch.autograd.grad(first, x)[0].item() == 8.0  # of 2 x^2


def test_recording_in_a_hook_is_that_of_the_pass():
    x, modes = leaf(2.0), []
    y = x * x
    y.register_hook(lambda g: modes.append((torch.is_grad_enabled(), g.requires_grad)))
    out = (y * y).sum()
    torch.autograd.grad(out, x, retain_graph=True)
    torch.autograd.grad(out, x, create_graph=True)
    assert modes == [(False, False), (True, True)]
    assert torch.is_grad_enabled()


def test_a_pass_in_a_hook():
    x, w, found = leaf(2.0), leaf(3.0), []
    y = x * 2
    y.register_hook(lambda g: found.extend(inner(g)))

    def inner(g):
        with torch.enable_grad():
            return torch.autograd.grad((w * w).sum(), w)

    y.sum().backward()
    assert found[0].item() == 6.0
    assert (x.grad.item(), w.grad) == (2.0, None)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (3.0, TypeError, "must return a Tensor or None, not float"),
        (torch.ones(3), RuntimeError, r"changed the size of value.*\[2\].*\[3\]"),
        (torch.ones(2).double(), RuntimeError, "changed the type of value.*float32.*float64"),
    ],
)
def test_answers_that_are_refused(answer, error, message):
    x = leaf(1.0, 2.0)
    y = x * 2
    y.register_hook(lambda g: answer)
    with pytest.raises(error, match=message):
        y.sum().backward()
    assert x.grad is None


def test_a_hook_that_raises_changes_nothing():
    x, w, fail = leaf(1.0), leaf(2.0), [True]

    def hook(g):
        if fail:
            raise KeyError("stop")

    y = x * w
    x.register_hook(hook)
    for _ in range(2):
        with pytest.raises(KeyError):
            (y + w).sum().backward(retain_graph=True)
        assert (x.grad, w.grad) == (None, None)
        assert torch.is_grad_enabled()
    fail.clear()
    (y + w).sum().backward()
    assert (x.grad.item(), w.grad.item()) == (2.0, 2.0)


def test_hooks_are_refused_where_no_gradient_comes():
    for register in ("register_hook", "register_post_accumulate_grad_hook"):
        with pytest.raises(RuntimeError, match="doesn't require gradient"):
            getattr(torch.ones(1), register)(print)
    with pytest.raises(RuntimeError, match="requires_grad=False"):
        torch.ones(1).retain_grad()


def test_retained_gradients_are_those_after_the_hooks():
    x = leaf(1.0)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    assert y.retains_grad
    y.sum().backward()
    assert y.grad.item() == 10.0
    x.retain_grad()
    assert not x.retains_grad


def test_hooks_make_no_cycle():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0)
        y = x * 2
        y.register_hook(lambda g: g * 2)
        y.retain_grad()
        node = weakref.ref(y.grad_fn)
        y.sum().backward()
        del y
        assert node() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


# -- of leaves, when the gradient has been added --------------------------------------------------


def test_post_accumulate_hooks():
    x, seen = leaf(1.0, 2.0), []

    def hook(param):
        assert param is x
        seen.append(param.grad.tolist())

    handle = x.register_post_accumulate_grad_hook(hook)
    (x * 2 + x).sum().backward()
    (x * 2).sum().backward()
    assert seen == [[3.0, 3.0], [5.0, 5.0]]
    handle.remove()
    x.sum().backward()
    assert len(seen) == 2


def test_post_accumulate_hooks_run_as_soon_as_the_gradient_is_there():
    order = []
    first, second = leaf(1.0), leaf(2.0)
    for name, each in (("first", first), ("second", second)):
        each.register_post_accumulate_grad_hook(lambda p, name=name: order.append(name))
    y = first * 2
    y.register_hook(lambda g: order.append("y"))
    (y * second).sum().backward()
    assert order == ["second", "y", "first"]


def test_an_optimizer_in_the_backward():
    x = leaf(1.0, 2.0)
    optimizer = torch.optim.SGD([x], lr=0.5)

    def step(param):
        optimizer.step()
        optimizer.zero_grad()

    x.register_post_accumulate_grad_hook(step)
    (x * 4).sum().backward()
    assert x.tolist() == [-1.0, 0.0]
    assert x.grad is None


def test_post_accumulate_hooks_and_autograd_grad():
    x, seen = leaf(1.0), []
    x.register_post_accumulate_grad_hook(seen.append)
    torch.autograd.grad(x * 2, x)
    assert seen == []
    (x * 2).backward(inputs=[x])
    assert len(seen) == 1


def test_post_accumulate_hooks_are_for_leaves():
    with pytest.raises(RuntimeError, match="cannot be registered on non-leaf tensors"):
        (leaf(1.0) * 2).register_post_accumulate_grad_hook(print)


def test_hooks_of_leaves_that_are_not_asked_for():
    x, y, seen = leaf(1.0), leaf(2.0), []
    y.register_hook(seen.append)
    y.register_post_accumulate_grad_hook(seen.append)
    (x * y).backward(inputs=[x])
    torch.autograd.grad(x * y, x)
    assert seen == []


# -- of nodes -------------------------------------------------------------------------------------


def test_node_hooks():
    x, w, calls = leaf(1.0, 2.0), leaf(3.0), []
    y = x * w

    def after(grad_inputs, grad_outputs):
        calls.append(("after", shown(grad_inputs), shown(grad_outputs)))

    def before(grad_outputs):
        calls.append(("before", shown(grad_outputs)))

    y.grad_fn.register_hook(after)
    y.grad_fn.register_prehook(before)
    y.register_hook(lambda g: calls.append(("tensor", g.tolist())))
    y.sum().backward()
    # In the shapes of the inputs, though y was broadcast.
    assert calls == [
        ("tensor", [1.0, 1.0]),
        ("before", [[1.0, 1.0]]),
        ("after", [[3.0, 3.0], [3.0]], [[1.0, 1.0]]),
    ]


def test_node_hooks_replace():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.grad_fn.register_prehook(lambda gs: (gs[0] * 10,))
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] + outputs[0], None))
    y.sum().backward()
    assert x.grad.tolist() == [30.0, 30.0]


def test_node_hooks_of_leaves():
    x, calls = leaf(1.0), []
    node = (x * 2).grad_fn.next_functions[0][0]
    node.register_prehook(lambda gs: calls.append(("before", shown(gs))) or (gs[0] * 3,))
    node.register_hook(lambda gi, go: calls.append(("after", shown(gi), shown(go))))
    (x * 2).sum().backward()
    assert calls == [("before", [[2.0]]), ("after", [], [[6.0]])]
    assert x.grad.item() == 6.0


def test_node_hooks_see_none_where_nothing_came():
    x, calls = leaf(1.0, 2.0), []
    first, second = (x * 2).unbind()
    first.grad_fn.register_hook(lambda gi, go: calls.append((shown(gi), shown(go))))
    second.backward()
    assert calls == [([[0.0, 1.0]], [None, 1.0])]


def test_node_hooks_that_are_refused():
    x = leaf(1.0)
    y = x * 2
    handle = y.grad_fn.register_hook(lambda gi, go: (gi[0], gi[0], gi[0]))
    with pytest.raises(RuntimeError, match="3 gradients where there are 2"):
        y.sum().backward(retain_graph=True)
    handle.remove()
    y.grad_fn.register_prehook(lambda gs: gs[0])
    with pytest.raises(TypeError, match="must return a tuple of gradients or None, not Tensor"):
        y.sum().backward(retain_graph=True)
    y.grad_fn.register_prehook(lambda gs: (5,))
    assert x.grad is None


def test_node_hooks_may_take_a_gradient_away():
    x, w, seen = leaf(1.0, 2.0), leaf(3.0), []
    y = x * w
    handle = y.grad_fn.register_hook(lambda gi, go: (None, gi[1]))
    y.sum().backward(retain_graph=True)
    assert (x.grad, w.grad.tolist()) == (None, [3.0])
    handle.remove()
    y.grad_fn.register_prehook(lambda go: (None,))
    y.grad_fn.register_hook(lambda gi, go: seen.append((gi, go)))
    (y.sum() + w.sum()).backward()
    assert (x.grad, w.grad.tolist()) == (None, [4.0])
    assert seen == [((None, None), (None,))]
    z = x * 1
    z.grad_fn.next_functions[0][0].register_prehook(lambda gs: (None,))
    z.sum().backward()
    assert x.grad is None


def test_hooks_stay_while_a_leaf_wants_no_gradient():
    x = leaf(1.0)
    x.register_hook(lambda g: g * 2)
    x.requires_grad_(False)
    x.requires_grad_(True)
    (x * 1).sum().backward()
    assert x.grad.item() == 2.0


def test_threads_call_hooks_each_for_itself():
    x, seen = leaf(1.0), []
    y = x * 2
    y.register_hook(lambda g: seen.append(threading.get_ident()))
    threads = [
        threading.Thread(target=lambda: torch.autograd.grad(y, x, retain_graph=True))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    assert threading.get_ident() not in seen


# -- handles --------------------------------------------------------------------------------------


def test_a_handle_of_other_dictionaries():
    hooks, more = {}, {}
    handle = torch.utils.hooks.RemovableHandle(hooks, extra_dict=more)
    assert hooks == {}
    hooks[handle.id] = more[handle.id] = print
    other = torch.utils.hooks.RemovableHandle(hooks)
    assert other.id > handle.id
    handle.remove()
    assert (hooks, more) == ({}, {})
