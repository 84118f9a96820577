"""Checkpoints: the same gradients with less memory, and what is said where they cannot be."""

from __future__ import annotations

import functools
import gc
import sys
import threading
import weakref

import numpy as np
import pytest

import adjoint as torch
from adjoint.autograd.graph import disable_saved_tensors_hooks, saved_memory, saved_tensors_hooks
from adjoint.utils import checkpoint as module
from adjoint.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential

later = functools.partial(checkpoint, use_reentrant=False)
KINDS = pytest.mark.parametrize("use_reentrant", [False, True])


def line_here():
    return sys._getframe(1).f_lineno


def leaf(*values):
    return torch.tensor(list(values), requires_grad=True)


def function(x, w=2.0):
    return (x.sin() * x.exp() * w).cos().tanh()


def gradient(out, *inputs):
    return [g.tolist() for g in torch.autograd.grad(out.sum(), inputs, retain_graph=True)]


class Counted:
    """A function that counts its calls."""

    def __init__(self, function=function):
        self.function = function
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return self.function(*args, **kwargs)


# -- the same gradients ---------------------------------------------------------------------------


@KINDS
def test_gradients(use_reentrant):
    x, w = leaf(1.0, 2.0), leaf(0.5, 0.25)
    function(x, w).sum().backward()
    expected = x.grad.tolist(), w.grad.tolist()
    x.grad = w.grad = None
    counted = Counted()
    out = checkpoint(counted, x, w, use_reentrant=use_reentrant)
    assert out.tolist() == function(x, w).tolist()
    out.sum().backward()
    assert (x.grad.tolist(), w.grad.tolist()) == expected
    assert counted.calls == 2


@KINDS
def test_arguments_and_results_that_are_no_tensors(use_reentrant):
    def several(x, scale, nothing, text):
        assert (nothing, text) == (None, "text")
        return x * scale, "result", None, x.exp()

    x = leaf(1.0, 2.0)
    first, text, nothing, last = checkpoint(
        several, x, 3, None, "text", use_reentrant=use_reentrant
    )
    assert (text, nothing) == ("result", None)
    (first + last).sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), 3 + np.exp([1.0, 2.0]), rtol=1e-6)


def test_keywords_and_tensors_of_closures():
    x, w = leaf(1.0), leaf(3.0)
    out = later(lambda x, *, power, deep: x**power * w * deep["b"], x, power=3, deep={"b": w})
    assert gradient(out, x, w) == [[27.0], [6.0]]


@KINDS
def test_a_chain_of_checkpoints(use_reentrant):
    x = leaf(0.1, 0.2)
    y = z = x
    for _ in range(5):
        y = function(y)
        z = checkpoint(function, z, use_reentrant=use_reentrant)
    y.sum().backward()
    expected, x.grad = x.grad.tolist(), None
    z.sum().backward()
    assert x.grad.tolist() == expected


def test_second_order():
    x = leaf(0.3, 0.4)
    results = []
    for out in (function(x), later(function, x), later(lambda x: later(function, x), x)):
        (first,) = torch.autograd.grad(out.sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
        (third,) = torch.autograd.grad(second.sum(), x)
        results.append((first.tolist(), second.tolist(), third.tolist()))
    assert results[0] == results[1] == results[2]


def test_several_passes():
    x = leaf(1.0, 2.0)
    counted = Counted()
    out = later(counted, x)
    expected = gradient(function(x), x)
    assert gradient(out, x) == gradient(out, x) == expected
    assert counted.calls == 3
    out.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        out.sum().backward()


def test_nested_checkpoints():
    inner, outer = Counted(), Counted(lambda x: later(inner, x * 2) * x)
    x = leaf(0.1, 0.2)
    out = later(outer, x)
    assert saved_memory(out).total == 0
    assert gradient(out, x) == gradient(function(x * 2) * x, x)
    # The outer once more (with the inner in it), and the inner again where its graph is.
    assert (outer.calls, inner.calls) == (2, 3)


def test_three_deep():
    x = leaf(0.1, 0.2)
    expected = gradient(function(function(function(x))), x)
    out = later(lambda x: later(lambda x: function(later(function, function(x))), x), x)
    np.testing.assert_allclose(gradient(out, x), expected, rtol=1e-6)


@KINDS
def test_views_and_in_place_operations_inside(use_reentrant):
    def write(x):
        y = x * 1
        y[0].mul_(y[1].clone())
        y[1:].sin_()
        return y * y.view(-1).exp_()

    x = leaf(1.0, 2.0, 3.0)
    write(x).sum().backward()
    expected, x.grad = x.grad.tolist(), None
    checkpoint(write, x, use_reentrant=use_reentrant).sum().backward()
    assert x.grad.tolist() == expected


def test_a_saved_result_that_is_overwritten_inside():
    # Without the checkpoint that is an error; with it, the values are those at the time of saving.
    def write(x):
        y = x.exp()
        z = y * 2
        with torch.no_grad():
            y.mul_(5)
        return z

    x = leaf(1.0, 2.0)
    out = checkpoint(write, x, use_reentrant=False, early_stop=False)
    np.testing.assert_allclose(gradient(out, x), [2 * np.exp([1.0, 2.0])], rtol=1e-6)


def test_a_backward_inside():
    def step(x):
        y = x.exp() * x
        (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        return (g * y.sin()).sum()

    x = leaf(0.5, 0.25)
    np.testing.assert_allclose(gradient(later(step, x), x), gradient(step(x), x), rtol=1e-6)


def test_functions_of_the_user_inside():
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            return 3 * g * ctx.saved_tensors[0] ** 2

    x = leaf(2.0)
    out = later(lambda x: Cube.apply(x * 2).sin(), x)
    assert saved_memory(out).total == 0
    assert gradient(out, x) == gradient(Cube.apply(x * 2).sin(), x)


def test_hooks_inside_see_each_pass_once():
    seen = []

    def hooked(x):
        y = x.exp()
        y.register_hook(lambda g: seen.append(g.tolist()))
        return y.sin()

    x = leaf(0.0)
    later(hooked, x).sum().backward()
    assert seen == [[np.cos(np.float32(1.0))]]


def test_inside_grad_and_vmap():
    x = torch.tensor([0.1, 0.2])
    assert (
        torch.func.grad(lambda x: later(function, x).sum())(x).tolist()
        == torch.func.grad(lambda x: function(x).sum())(x).tolist()
    )
    per_example = torch.func.vmap(torch.func.grad(lambda x: later(function, x)))
    assert per_example(x).tolist() == gradient(function(w := leaf(0.1, 0.2)), w)[0]


@KINDS
def test_without_recording(use_reentrant):
    counted, x = Counted(), leaf(1.0)
    with torch.no_grad():
        out = checkpoint(counted, x, use_reentrant=use_reentrant)
    assert not out.requires_grad
    assert counted.calls == 1


# -- memory ---------------------------------------------------------------------------------------


def test_saved_values_are_forgotten():
    x = torch.ones(1000, requires_grad=True)
    assert saved_memory(function(x)).total == 4 * 4000
    assert saved_memory(later(function, x)).total == 0
    chain = x
    for _ in range(8):
        chain = later(function, chain)
    assert saved_memory(chain).total == 7 * 4000  # the arguments, the first a leaf


def test_a_network_of_64_blocks_saves_a_sixth_or_less():
    torch.manual_seed(0)
    linear, functional = torch.nn.Linear, torch.nn.functional

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.up, self.down = linear(8, 32), linear(32, 8)

        def forward(self, x):
            return x + self.down(functional.gelu(self.up(functional.layer_norm(x, (8,)))))

    network = torch.nn.Sequential(*[Block() for _ in range(64)])
    x = torch.randn(16, 8)
    plain = network(x)
    expected = torch.autograd.grad(plain.sum(), network[0].up.weight, retain_graph=True)[0]
    saved = saved_memory(plain).total
    y = x
    for block in network:
        y = later(block, y)
    assert saved_memory(y).total * 6 <= saved
    parts = checkpoint_sequential(network, 8, x, use_reentrant=False)
    assert saved_memory(parts).total * 6 <= saved
    for out in (y, parts):
        (found,) = torch.autograd.grad(out.sum(), network[0].up.weight)
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


def test_values_are_let_go_as_the_pass_goes_on():
    arrays, alive = [], []

    class Watched(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            alive.append(sum(each() is not None for each in arrays))
            out = x.clone()
            arrays.append(weakref.ref(out._array))
            return out

        @staticmethod
        def backward(ctx, g):
            return g

    x = torch.ones(10, requires_grad=True)
    for _ in range(6):
        x = later(lambda x: Watched.apply(x).sin().exp().sin(), x)
    x.sum().backward(retain_graph=True)
    assert len(alive) == 12
    assert max(alive) <= 1


def test_no_cycle_holds_the_graph():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0)
        y = later(lambda x: later(function, x) * 2, x)
        node = weakref.ref(y.grad_fn)
        y.sum().backward()
        del y
        assert node() is None
        z = later(function, x)
        del z
        assert gc.collect() == 0
    finally:
        gc.enable()


# -- early stop -----------------------------------------------------------------------------------


def test_early_stop():
    steps = []

    def trace(x):
        steps.append("first")
        y = x.exp().sin()
        steps.append("last")
        return y + 1

    x = leaf(1.0)
    later(trace, x).sum().backward()
    assert steps == ["first", "last", "first"]
    steps.clear()
    later(trace, x, early_stop=False).sum().backward()
    assert steps == ["first", "last"] * 2
    steps.clear()
    with module.set_checkpoint_early_stop(False):
        out = later(trace, x)
    out.sum().backward()
    assert steps == ["first", "last"] * 2
    steps.clear()
    with module.set_checkpoint_early_stop(True):
        out = later(trace, x, early_stop=False)
    out.sum().backward()
    assert steps == ["first", "last", "first"]


def test_early_stop_is_no_exception_of_the_user():
    caught = []

    def careful(x):
        try:
            return x.exp().sin()
        except Exception as error:
            caught.append(error)
            raise

    later(careful, leaf(1.0)).sum().backward()
    assert caught == []


# -- random numbers -------------------------------------------------------------------------------


@KINDS
def test_random_state_is_kept(use_reentrant):
    def noisy(x):
        noise = torch.rand(3)
        drawn.append(noise.tolist())
        return x * noise * x

    x, drawn = leaf(1.0, 2.0, 3.0), []
    torch.manual_seed(0)
    out = checkpoint(noisy, x, use_reentrant=use_reentrant)
    after = torch.rand(1).item()
    torch.manual_seed(1)
    expected = torch.rand(2).tolist()
    torch.manual_seed(1)
    first = torch.rand(1).item()
    out.sum().backward()
    assert drawn[0] == drawn[1]
    assert [first, torch.rand(1).item()] == expected
    assert after not in drawn[1]


@KINDS
def test_random_state_that_is_not_kept(use_reentrant):
    x, drawn = leaf(1.0), []

    def noisy(x):
        drawn.append(torch.rand(1).item())
        return x * drawn[-1] * x

    checkpoint(noisy, x, use_reentrant=use_reentrant, preserve_rng_state=False).sum().backward()
    assert drawn[0] != drawn[1]


def test_dropout_has_the_same_mask():
    x = torch.ones(1000, requires_grad=True)
    out = later(lambda x: torch.nn.functional.dropout(x.exp()), x)
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), out.detach().numpy())


# -- what goes wrong ------------------------------------------------------------------------------


class Fickle:
    """Another function the second time."""

    def __init__(self, *functions):
        self.functions = list(functions)

    def __call__(self, x):
        return self.functions.pop(0)(x)


def test_another_shape_names_both_lines():
    calls = []

    def fickle(x):
        y = x.sin()
        if calls:
            y = y[:2]
        calls.append(1)
        return y.exp().cos().sum()

    line = fickle.__code__.co_firstlineno
    expected = (
        rf"float32 tensor of shape \[3\] saved by ExpBackward0 at .*test_checkpoint.py:{line + 5}"
        r" in the forward, and a torch.float32 tensor of shape \[2\] saved by ExpBackward0 at .*"
        rf":{line + 5} in the recomputation.*the forward ran ExpBackward0 at .*:{line + 5}, the "
        rf"recomputation SliceBackward0 at .*:{line + 3}\. It must not depend on what changes"
    )
    out = later(fickle, leaf(1.0, 2.0, 3.0))
    with pytest.raises(CheckpointError, match=expected):
        out.backward()


def test_another_type_and_another_operation():
    out = later(Fickle(lambda x: x.sin(), lambda x: x.double().sin()), leaf(1.0))
    with pytest.raises(CheckpointError, match=r"float32 tensor of .*torch.float64 tensor"):
        out.sum().backward()
    out = later(Fickle(lambda x: x.sin().cos(), lambda x: x.sin().exp()), leaf(1.0))
    with pytest.raises(CheckpointError, match=r"CosBackward0 at .*ExpBackward0 at "):
        out.sum().backward()


def test_fewer_and_more_tensors():
    def more(x):
        return x.sin().cos().exp()

    def fewer(x):
        return x.sin() * 2

    out = later(Fickle(more, fewer), leaf(1.0))
    with pytest.raises(CheckpointError, match=r"forward \(3\) and recomputation \(1\): only the f"):
        out.sum().backward()
    out = later(Fickle(fewer, more), leaf(1.0), early_stop=False)
    with pytest.raises(CheckpointError, match=r"\(1\) and recomputation \(3\): only the recomp.*C"):
        out.sum().backward()
    out = later(Fickle(fewer, more), leaf(1.0))
    out.sum().backward()  # it has stopped before


def test_debug_lists_all_operations():
    def more(x):
        return x.sin().cos()

    def fewer(x):
        return x.sin() + 1

    line = more.__code__.co_firstlineno + 1
    expected = (
        rf"Operations of the forward:\n  SinBackward0 at .*:{line}\n  CosBackward0 at .*:{line}\n"
        rf"of the recomputation:\n  SinBackward0 at .*:{line + 3}\n  AddBackward0 at "
    )
    out = later(Fickle(more, fewer), leaf(1.0), debug=True)
    with pytest.raises(CheckpointError, match=expected):
        out.sum().backward()
    with module.set_checkpoint_debug_enabled(True):
        out = later(Fickle(more, fewer), leaf(1.0))
    with pytest.raises(CheckpointError, match=expected):
        out.sum().backward()
    with module.set_checkpoint_debug_enabled(False):
        out = later(Fickle(more, fewer), leaf(1.0), debug=True)
    with pytest.raises(CheckpointError, match="pass debug=True"):
        out.sum().backward()


def test_no_check():
    x = leaf(1.0, 2.0)
    out = later(
        Fickle(lambda x: x.sin().exp(), lambda x: x.cos().exp()), x, determinism_check="none"
    )
    out.sum().backward()
    assert x.grad is not None
    out = later(Fickle(lambda x: x.sin().exp(), lambda x: x * 2), x, determinism_check="none")
    with pytest.raises(CheckpointError, match="was not computed again"):
        out.sum().backward()


def test_a_function_that_raises_the_second_time():
    def fail(x):
        raise KeyError("stop")

    x = leaf(1.0)
    state = torch.get_rng_state()
    out = later(Fickle(torch.sin, fail), x)
    with pytest.raises(KeyError):
        out.sum().backward()
    assert x.grad is None
    assert torch.get_rng_state().tolist() == state.tolist()
    assert saved_memory(x.sin()).parameters == 4  # nobody forgets any more


def test_arguments_that_were_written_to():
    x = leaf(1.0) * 1
    out = later(torch.sin, x)
    x.mul_(2); line = line_here()  # fmt: skip  # noqa: E702 - one line
    with pytest.raises(RuntimeError, match=rf"argument of checkpoint.*:{line}.*clone"):
        out.sum().backward()


def test_arguments_are_checked():
    x = leaf(1.0)
    for wrong in ({"debug": True}, {"context_fn": lambda: None}):
        with pytest.raises(ValueError, match="only supported when use_reentrant=False"):
            checkpoint(torch.sin, x, use_reentrant=True, **wrong)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: power"):
        checkpoint(torch.sin, x, use_reentrant=True, power=2)
    with pytest.raises(ValueError, match=r"one of \['default', 'none'\], but got strict"):
        checkpoint(torch.sin, x, use_reentrant=False, determinism_check="strict")
    with pytest.raises(TypeError, match="not callable"):
        checkpoint(3, x, use_reentrant=False)


def test_the_kind_should_be_named():
    x = leaf(1.0)
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        out = checkpoint(function, x)
    assert out.grad_fn.name() == "CheckpointFunctionBackward"


def test_disabled_hooks_refuse_checkpoints():
    with disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"):
        later(torch.sin, leaf(1.0))


def test_hooks_of_saved_tensors_inside_count_there():
    x, packed = leaf(1.0), []

    def inner(x):
        with saved_tensors_hooks(lambda t: packed.append(1) or t, lambda t: t):
            y = x.exp()
        return y.sin()

    assert gradient(later(inner, x), x) == gradient(x.exp().sin(), x)
    assert len(packed) == 2


def test_looking_at_saved_values():
    x = leaf(1.0, 2.0)
    out = later(lambda x: x.exp().sin(), x)
    for _ in range(2):
        assert out.grad_fn._saved_self.tolist() == x.exp().tolist()


# -- the re-entrant kind --------------------------------------------------------------------------


def test_reentrant_needs_an_input_with_a_gradient():
    w = leaf(2.0)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        out = checkpoint(lambda x: x * w, torch.ones(1), use_reentrant=True)
    assert not out.requires_grad
    assert later(lambda x: x * w, torch.ones(1)).requires_grad


def test_reentrant_works_with_backward_alone():
    x = leaf(1.0)
    out = checkpoint(torch.sin, x, use_reentrant=True).sum()
    with pytest.raises(RuntimeError, match=r"incompatible with \.grad\(\) or passing an `inputs`"):
        torch.autograd.grad(out, x, retain_graph=True)
    with pytest.raises(RuntimeError, match="use_reentrant=False"):
        out.backward(inputs=[x])


def test_reentrant_without_a_gradient():
    out = checkpoint(lambda x: torch.ones(1), leaf(1.0), use_reentrant=True)
    with pytest.raises(RuntimeError, match="none of output has requires_grad=True"):
        out.sum().backward()


def test_detach_variable():
    x = leaf(1.0)
    y, number = module.detach_variable((x * 2, 3))
    assert (y.requires_grad, y.is_leaf, number) == (True, True, 3)
    with pytest.raises(RuntimeError, match="Only tuple of tensors is supported"):
        module.detach_variable(x)


def test_check_backward_validity():
    module.check_backward_validity([leaf(1.0)])
    with pytest.warns(UserWarning, match="None of the inputs"):
        module.check_backward_validity([torch.ones(1), 3])


def test_names_for_devices():
    assert module.get_device_states(torch.ones(1)) == ([], [])
    module.set_device_states([], [], device_type="cpu")
    assert module.DefaultDeviceType.get_device_type() == "cpu"
    module.DefaultDeviceType.set_device_type("cpu")
    for context in module.noop_context_fn():
        with context as nothing:
            assert nothing is None


# -- sequences ------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("segments", [1, 2, 3, 5])
def test_checkpoint_sequential(use_reentrant, segments):
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 4), torch.nn.Tanh(),
        torch.nn.Linear(4, 1),
    )  # fmt: skip
    x = torch.randn(2, 3, requires_grad=True)
    network(x).sum().backward()
    expected = [each.grad.tolist() for each in (x, *network.parameters())]
    for each in (x, *network.parameters()):
        each.grad = None
    checkpoint_sequential(network, segments, x, use_reentrant).sum().backward()
    for each, wanted in zip((x, *network.parameters()), expected, strict=True):
        np.testing.assert_allclose(each.grad.tolist(), wanted, rtol=1e-5)


def test_checkpoint_sequential_counts():
    functions = [Counted(torch.sin) for _ in range(5)]
    x = leaf(0.5)
    checkpoint_sequential(functions, 2, x, use_reentrant=False).sum().backward()
    assert [each.calls for each in functions] == [2, 2, 1, 1, 1]


def test_checkpoint_sequential_is_refused():
    x = leaf(1.0)
    with pytest.raises(ValueError, match="2 functions cannot make 3 segments"):
        checkpoint_sequential([torch.sin, torch.cos], 3, x, use_reentrant=False)
    with pytest.raises(ValueError, match="0 segments"):
        checkpoint_sequential([torch.sin, torch.cos], 0, x, use_reentrant=False)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: deep"):
        checkpoint_sequential([torch.sin], 1, x, use_reentrant=False, deep=True)
    with pytest.warns(UserWarning, match="checkpoint_sequential: the use_reentrant parameter"):
        checkpoint_sequential([torch.sin], 1, x)


# -- one recomputation for several passes ---------------------------------------------------------


def test_a_group_of_passes_computes_once():
    counted = Counted(lambda x: (x.exp(), x.sin()))
    x = leaf(1.0)
    first, second = later(counted, x)
    with module.GraphExecGroup():
        first.sum().backward()
        second.sum().backward()
    assert counted.calls == 2
    np.testing.assert_allclose(x.grad.tolist(), [np.exp(1.0) + np.cos(1.0)], rtol=1e-6)
    first, second = later(counted, x)
    first.sum().backward()
    second.sum().backward()
    assert counted.calls == 5
    with module.GraphExecGroup(), pytest.raises(RuntimeError, match="nested"):
        module.GraphExecGroup().__enter__()
    assert module.GraphExecGroup._get_current_group() is None


def test_inside_a_dual_level():
    forward = torch.autograd.forward_ad
    x = leaf(0.1, 0.2)
    with forward.dual_level():
        dual = forward.make_dual(x, torch.ones(2))
        plain, out = function(dual), later(function, dual)
        tangents = [forward.unpack_dual(each).tangent.tolist() for each in (plain, out)]
        assert tangents[0] == tangents[1]
        assert gradient(out, x) == gradient(plain, x)


def test_threads_compute_again_each_for_itself():
    x, counted, found = leaf(0.1, 0.2), Counted(), []
    out = later(counted, x, preserve_rng_state=False)
    threads = [threading.Thread(target=lambda: found.append(gradient(out, x))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [gradient(function(x), x)] * 4
    assert counted.calls == 5
