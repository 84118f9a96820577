"""The engine: what arrives where, what is freed, and what a failing pass leaves behind."""

import gc
import sys
import threading
import warnings
import weakref

import numpy as np
import pytest

import adjoint as torch
from adjoint.tape.edges import get_gradient_edge
from adjoint.tape.modes import NOTING, modes


def line_here():
    return sys._getframe(1).f_lineno


def leaf(*values):
    return torch.tensor(list(values), requires_grad=True)


def test_gradients_accumulate_over_passes():
    x = leaf(1.0, 2.0)
    for _ in range(3):
        (x * x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [6.0, 12.0])


def test_a_value_used_twice_gets_both_gradients():
    x = leaf(2.0)
    y = x * x
    (y * x + y).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [3 * 4.0 + 4.0])


def test_no_two_grads_share_memory():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    g = torch.tensor([1.0, 1.0])
    (x + y).backward(g)
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())
    assert not np.shares_memory(x.grad.numpy(), g.numpy())
    x.grad *= 10
    np.testing.assert_allclose(y.grad.numpy(), [1.0, 1.0])
    np.testing.assert_allclose(g.numpy(), [1.0, 1.0])


def test_autograd_grad_gives_memory_of_its_own():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    g = torch.tensor([1.0, 1.0])
    first, second = torch.autograd.grad(x + y, (x, y), g)
    assert not np.shares_memory(first.numpy(), second.numpy())
    assert not np.shares_memory(first.numpy(), g.numpy())
    assert x.grad is None


def test_a_failing_pass_changes_no_grad():
    x, y = leaf(1.0), leaf(2.0)
    (x + y).sum().backward()

    def fail(_):
        raise KeyError("stop")

    z = x * 3
    z.register_hook(fail)
    loss = (y * 5 + z).sum()
    with pytest.raises(KeyError):
        loss.backward()
    assert (x.grad.item(), y.grad.item()) == (1.0, 1.0)


def test_second_backward_names_the_line():
    x = leaf(2.0)
    y = x * x; line = line_here()  # fmt: skip  # noqa: E702
    loss = y.sum()
    loss.backward()
    with pytest.raises(
        RuntimeError, match=rf"second time.*MulBackward0.*{line}.*retain_graph=True"
    ):
        loss.backward()


def test_second_backward_is_fine_where_nothing_was_saved():
    x = leaf(2.0)
    loss = (x + 1).sum()
    loss.backward()
    loss.backward()
    assert x.grad.item() == 2.0


def test_retain_graph_keeps_the_saved_values():
    x = leaf(2.0)
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert x.grad.item() == 8.0
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


def test_create_graph_gives_every_order():
    x = leaf(2.0)
    y = (x * x * x * x).sum()
    for expected in (32.0, 48.0, 48.0):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        assert y.item() == expected
        assert y.grad_fn is not None


def test_inputs_restrict_what_is_written():
    x, y = leaf(2.0), leaf(3.0)
    z = x * y
    z.sum().backward(inputs=[x])
    assert x.grad.item() == 3.0
    assert y.grad is None


def test_inputs_may_be_results():
    x = leaf(2.0)
    y = x * 3
    y.retain_grad()
    (g,) = torch.autograd.grad((y * y).sum(), y)
    assert g.item() == 12.0
    assert x.grad is None


def test_side_branches_are_not_run_for_grad():
    x, y = leaf(2.0), leaf(3.0)
    side = y * y
    side.sum().backward()  # its saved values are gone now
    (g,) = torch.autograd.grad((x * 2 + side).sum(), x)
    assert g.item() == 2.0


def test_unused_inputs():
    x, y = leaf(2.0, 1.0), leaf(3.0)
    with pytest.raises(RuntimeError, match=r"not have been used.*input 1, of shape \[1\]"):
        torch.autograd.grad((x * 2).sum(), (x, y))
    assert torch.autograd.grad((x * 2).sum(), (x, y), allow_unused=True)[1] is None
    zero = torch.autograd.grad((x * 2).sum(), (x, y), materialize_grads=True)[1]
    assert zero.tolist() == [0.0]


def test_non_scalar_backward_says_the_shape():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"only for scalar outputs.*\[2\].*sum"):
        (x * 2).backward()


def test_backward_of_something_not_recorded():
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        torch.ones(1).backward()


def test_gradient_of_the_wrong_shape():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"\[3\].*\[2\]"):
        (x * 2).backward(torch.ones(3))


def test_a_spoiled_value_names_tensor_and_lines():
    x = leaf(1.0, 2.0)
    y = x * 2
    z = y * y; saved = line_here()  # fmt: skip  # noqa: E702
    y.mul_(3); written = line_here()  # fmt: skip  # noqa: E702
    message = rf"inplace operation.*float32.*\[2\].*MulBackward0.*:{saved} .*:{written} .*clone"
    with pytest.raises(RuntimeError, match=message):
        z.sum().backward()
    assert x.grad is None


def test_writing_after_the_backward_is_fine():
    x = leaf(1.0, 2.0)
    y = x * 2
    (y * y).sum().backward()
    y.mul_(3)


def test_integers_cannot_require_grad():
    with pytest.raises(RuntimeError, match="only Tensors of floating point"):
        torch.tensor([1], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"int64.*x\.float\(\)"):
        torch.tensor([1]).requires_grad_()


def test_a_result_cannot_stop_requiring_grad():
    with pytest.raises(RuntimeError, match="leaf variables"):
        (leaf(1.0) * 2).requires_grad = False


def test_long_chains_run_and_are_freed_without_recursion():
    x = leaf(1.0)
    z = x
    for _ in range(100_000):
        z = z * 1.0
    z.sum().backward()
    assert x.grad.item() == 1.0
    for _ in range(100_000):
        z = z + x
    del z


def test_graphs_are_freed_by_reference_counting_alone():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0, 2.0)
        y = x * 2
        node = weakref.ref(y.grad_fn)
        out = (y * y + y).sum()
        (first,) = torch.autograd.grad(out, x, create_graph=True)
        first.sum().backward()
        del y, out, first
        assert node() is None
        x_reference = weakref.ref(x)
        del x
        assert x_reference() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_two_threads_run_backward_over_one_graph():
    x = leaf(1.0)
    y = x
    for _ in range(2000):
        y = y * 1.001
    loss = y.sum()
    found, errors = [], []

    def work():
        try:
            found.append(torch.autograd.grad(loss, x, retain_graph=True)[0].item())
        except Exception as error:  # noqa: BLE001 - shown below
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(found)) == 1
    assert len(found) == 4


def test_hooks_see_and_replace_gradients():
    x = leaf(1.0, 2.0)
    y = x * 2
    seen = []
    handle = y.register_hook(lambda g: seen.append(g.tolist()) or g * 10)
    (y * 3).sum().backward(retain_graph=True)
    assert seen == [[3.0, 3.0]]
    assert x.grad.tolist() == [60.0, 60.0]
    handle.remove()
    (y * 3).sum().backward()
    assert len(seen) == 1


def test_retain_grad_keeps_what_passes():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.tolist() == [4.0, 8.0]
    assert y.retains_grad


def test_next_functions_lead_to_the_leaves():
    x, y = leaf(1.0), torch.tensor([2.0])
    z = x * y
    ((accumulate, number), constant) = z.grad_fn.next_functions
    assert accumulate.name() == "torch::autograd::AccumulateGrad"
    assert accumulate.variable is x
    assert number == 0
    assert constant == (None, 0)
    assert repr(z.grad_fn).startswith("<MulBackward0 object at 0x")
    assert type(z.grad_fn).__name__ == z.grad_fn.name() == "MulBackward0"


def test_a_gradient_is_cast_to_its_leaf():
    x = leaf(1.0, 2.0)
    (x.double() * 2).sum().backward()
    assert x.grad.dtype is torch.float32


def test_broadcasting_is_undone():
    x, y = torch.ones(3, 1, requires_grad=True), torch.ones(1, 4, requires_grad=True)
    z = torch.ones((), requires_grad=True)
    (x * y * z).sum().backward()
    assert x.grad.tolist() == [[4.0]] * 3
    assert y.grad.tolist() == [[3.0] * 4]
    assert z.grad.item() == 12.0


def test_threads_add_to_one_leaf_without_losing_any():
    x = leaf(1.0)
    passes = 200

    def work():
        for _ in range(passes):
            (x * 1.0).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad.item() == 4 * passes


def test_infinities_pass_where_warnings_are_errors():
    x = leaf(0.0, 1e38)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = x.log() + x * 1e10
        (y * 1e30 + y * 1e30).sum().backward()
        with np.errstate(all="raise"):
            (x.sqrt() * 1e30).sum().backward()
        many = torch.full((2, 2), 3e38)
        for state in ("warn", "raise"):
            with np.errstate(all=state):
                for out in (many @ many, many @ many[0], torch.nn.functional.linear(many, many)):
                    assert out.isinf().all()
    assert y.tolist() == [-np.inf, np.inf]
    assert x.grad[0].item() == np.inf


# -- the public face ------------------------------------------------------------------------------


def test_an_unused_input_names_the_cut():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)

    def message(make):
        with pytest.raises(RuntimeError, match="not have been used") as caught:
            torch.autograd.grad((make() * w).sum(), x)
        return str(caught.value)

    def unrecorded():
        with torch.no_grad():
            return x * 2

    detached = message(lambda: (x * 3).detach())
    assert "detach()" in detached
    assert "test_engine.py:" in detached
    assert f"no_grad at tests/tape/test_engine.py:{unrecorded.__code__.co_firstlineno + 2}" in (
        message(unrecorded)
    )
    assert "a cast to torch.int64" in message(lambda: x.long())
    assert ".data at tests/tape/test_engine.py:" in message(lambda: (x * 3).data)
    fresh = leaf(1.0)
    with pytest.raises(RuntimeError) as caught:
        torch.autograd.grad((w * 2).sum(), fresh)
    assert "cut off" not in str(caught.value)


def test_only_the_first_cuts_of_a_block_are_noted():
    x = leaf(1.0)
    with torch.no_grad():
        assert modes.enabled is NOTING
        for _ in range(5):
            x * 2
        assert modes.enabled is False
        x * 2
    assert modes.enabled is True


def test_a_second_backward_names_the_first():
    x = leaf(1.0)
    y = (x * x).sum()
    y.backward()
    first = line_here() - 1
    with pytest.raises(RuntimeError, match=rf"by the backward at .*test_engine.py:{first}\b"):
        y.backward()


def test_node_hooks_replace_gradients_and_are_removed():
    x = leaf(1.0, 2.0)
    y = x * 3
    before = y.grad_fn.register_prehook(lambda grads: (grads[0] * 2,))
    after = y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] + outputs[0], None))
    (g,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
    assert g.tolist() == [8.0, 8.0]
    after.remove()
    (g,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
    assert g.tolist() == [6.0, 6.0]
    before.remove()
    before.remove()
    (g,) = torch.autograd.grad(y.sum(), x)
    assert g.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("hook", "error"),
    [
        (lambda inputs, outputs: (None,), RuntimeError),
        (lambda inputs, outputs: (1.0, None), TypeError),
        (lambda inputs, outputs: (torch.ones(3), None), RuntimeError),
    ],
)
def test_what_node_hooks_return_is_checked(hook, error):
    x = leaf(1.0, 2.0)
    y = x * 3
    y.grad_fn.register_hook(hook)
    with pytest.raises(error):
        y.sum().backward()
    assert x.grad is None


def test_leaves_hooks_run_as_soon_as_all_has_arrived():
    seen = []
    x, w = leaf(1.0), leaf(2.0)
    w.register_hook(lambda g: seen.append("w"))
    y = x * 2
    y.register_hook(lambda g: seen.append("y"))
    (y * w).sum().backward()
    assert seen == ["w", "y"]


def test_a_post_accumulate_hook_may_free_the_gradient():
    w, x = leaf(2.0), leaf(1.0)
    seen = []

    def step(parameter):
        seen.append(parameter.grad.item())
        parameter.grad = None

    handle = w.register_post_accumulate_grad_hook(step)
    x.register_hook(lambda g: seen.append(w.grad))
    ((x * 3) * w).sum().backward()
    assert seen == [3.0, None]
    handle.remove()
    (w * w).sum().backward()
    assert w.grad.item() == 4.0
    with pytest.raises(RuntimeError, match="non-leaf"):
        (w * 2).register_post_accumulate_grad_hook(step)


def test_hooks_record_only_where_the_pass_does():
    x, w = leaf(1.0), leaf(2.0)
    seen = []
    y = x * 2
    y.register_hook(lambda g: seen.append((g * w).requires_grad))
    y.sum().backward(retain_graph=True)
    y.sum().backward(create_graph=True)
    x.grad = w.grad = None
    assert seen == [False, True]


def test_gradient_edges_hold_the_graph_without_the_tensor():
    x = leaf(1.0, 2.0)
    y = x * 2
    tensor, edge = weakref.ref(y), get_gradient_edge(y)
    z = y.exp().sum()
    del y
    assert tensor() is None
    (g,) = torch.autograd.grad(z, edge, retain_graph=True)
    np.testing.assert_allclose(g.numpy(), np.exp([2.0, 4.0]), rtol=1e-6)
    (g,) = torch.autograd.grad(get_gradient_edge(z), x)
    np.testing.assert_allclose(g.numpy(), 2 * np.exp([2.0, 4.0]), rtol=1e-6)


def test_batched_gradients_are_the_rows_of_the_jacobian():
    x = torch.tensor([0.5, 1.0, 2.0], requires_grad=True)
    y = torch.stack((x.prod(), (x * x).sum()))
    (rows,) = torch.autograd.grad(y, x, torch.eye(2), is_grads_batched=True, retain_graph=True)
    for row, one in zip(rows, y, strict=True):
        (g,) = torch.autograd.grad(one, x, retain_graph=True)
        np.testing.assert_allclose(row.numpy(), g.numpy(), rtol=1e-6)


def test_threads_with_different_hooks_and_graphs_do_not_meet():
    results = {}

    def work(number):
        x = torch.full((4,), float(number), requires_grad=True)
        for _ in range(50):
            x.grad = None
            y = x * x
            y.register_hook(lambda g: g * number)
            y.sum().backward()
        results[number] = x.grad.tolist()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: [2.0 * number * number] * 4 for number in range(1, 5)}


def test_gradients_that_are_too_many_are_not_looked_at():
    x = leaf(1.0, 2.0)
    weights = [torch.tensor(3.0), torch.ones(7)]
    assert torch.autograd.grad(x.sum(), x, weights)[0].tolist() == [3.0, 3.0]
    torch.autograd.backward(x.sum(), weights)
    assert x.grad.tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="got 2 tensors and 1 gradients"):
        torch.autograd.grad([x.sum(), x.prod()], x, weights[:1])
