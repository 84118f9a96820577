"""Saved tensors in users' hands: hooks, names on nodes, disabling, versions, edges."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import adjoint as torch
from adjoint.autograd import graph


def leaf(*values):
    return torch.tensor(list(values), requires_grad=True)


class Log:
    """Hooks that keep the tensor and write down that they were called."""

    def __init__(self):
        self.packed, self.unpacked = [], []

    def pack(self, tensor):
        self.packed.append(tensor.tolist())
        return tensor

    def unpack(self, tensor):
        self.unpacked.append(tensor.tolist())
        return tensor

    def __call__(self):
        return graph.saved_tensors_hooks(self.pack, self.unpack)


# -- saved_tensors_hooks --------------------------------------------------------------------------


def test_inputs_by_name_then_results():
    x, y, log = leaf(2.0), leaf(3.0), Log()
    with log():
        z = x**y
    assert log.packed == [[3.0], [2.0], [8.0]]  # exponent, self, result
    z.sum().backward()
    assert log.unpacked == log.packed
    assert x.grad.tolist() == [12.0]
    assert y.grad.tolist() == pytest.approx([8 * np.log(2)])


def test_numbers_are_not_packed():
    x, log = leaf(2.0), Log()
    with log():
        (x * 3 / 4 + 1).sum().backward()
    assert log.packed == []


def test_hooks_run_each_time():
    x, log = leaf(2.0), Log()
    with log():
        z = x.exp()
    z.sum().backward(retain_graph=True)
    z.sum().backward(retain_graph=True)
    assert z.grad_fn._saved_result.tolist() == z.tolist()
    assert len(log.unpacked) == 3


def test_what_is_unpacked_is_used():
    x = leaf(2.0, 3.0)
    with graph.saved_tensors_hooks(lambda t: t.numpy() * 10, lambda a: torch.tensor(a)):
        z = x * x
    z.sum().backward()
    assert x.grad.tolist() == [40.0, 60.0]


def test_the_innermost_counts():
    x, outer, inner = leaf(2.0), Log(), Log()
    with outer():
        with inner():
            a = x * x
        b = a * a
    assert inner.packed == [[2.0], [2.0]]
    assert outer.packed == [[4.0], [4.0]]
    b.sum().backward()
    assert x.grad.tolist() == [32.0]
    assert (len(inner.unpacked), len(outer.unpacked)) == (2, 2)


def test_a_pack_hook_gets_the_input_itself_and_records_nothing():
    x = leaf(2.0)
    y = x * 1
    seen = []

    def pack(tensor):
        seen.append((tensor is x, tensor is y, tensor.requires_grad, torch.is_grad_enabled()))
        return tensor * 1

    with graph.saved_tensors_hooks(pack, lambda t: t):
        out = x * y
        out.exp()
    assert seen == [
        (False, True, True, False),
        (True, False, True, False),
        (False, False, True, False),
    ]


def test_unpacked_tensors_are_at_their_old_place():
    x = leaf(2.0, 3.0)
    with graph.saved_tensors_hooks(lambda t: t.tolist(), torch.tensor):
        y = x * 2
        z = (y * y * y).sum() + y.exp().sum()
    (first,) = torch.autograd.grad(z, x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    y = x.detach() * 2
    np.testing.assert_allclose(first.tolist(), (6 * y * y + 2 * y.exp()).tolist(), rtol=1e-6)
    np.testing.assert_allclose(second.tolist(), (24 * y + 4 * y.exp()).tolist(), rtol=1e-6)


def test_unpack_hooks_record_only_where_the_pass_does():
    x, modes = leaf(2.0), []

    def unpack(tensor):
        modes.append(torch.is_grad_enabled())
        return tensor

    with graph.saved_tensors_hooks(lambda t: t, unpack):
        y = x.exp()
    torch.autograd.grad(y.sum(), x, retain_graph=True)
    torch.autograd.grad(y.sum(), x, create_graph=True)
    assert modes == [False, True]


def test_results_hold_no_graph():
    gc.collect()
    gc.disable()
    try:
        x = leaf(2.0)
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            y = x.exp().tanh()
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_an_operation_in_place_gives_its_old_values_to_hooks():
    x = leaf(1.0, 2.0)
    with graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: t):
        y = (x * 1).sin_()
    y.sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), np.cos([1.0, 2.0]), rtol=1e-6)


def test_several_results_and_kept_statistics():
    x, log = leaf(3.0, 1.0, 2.0), Log()
    weight = torch.ones(3, requires_grad=True)
    with log():
        values, _ = x.sort()
        out = torch.nn.functional.layer_norm(values, (3,), weight)
    expected = torch.autograd.grad(out[0] ** 2 + out[2], x)[0]
    values, _ = x.sort()
    out = torch.nn.functional.layer_norm(values, (3,), weight)
    np.testing.assert_allclose(
        expected.tolist(), torch.autograd.grad(out[0] ** 2 + out[2], x)[0].tolist(), rtol=1e-6
    )
    assert log.packed[0] == [1, 2, 0]
    assert len(log.packed) == len(log.unpacked) == 5


def test_a_function_of_the_user():
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    x, log = leaf(3.0), Log()
    with log():
        y = Square.apply(x)
    y.sum().backward()
    assert (log.packed, log.unpacked) == ([[3.0]], [[3.0]])
    assert x.grad.tolist() == [6.0]


@pytest.mark.parametrize("write", [lambda t: t.mul_(2), lambda t: t.detach().zero_()])
@pytest.mark.parametrize("operation", [torch.exp, torch.sin])
def test_a_pack_hook_that_writes(write, operation):
    x = leaf(1.0) * 1
    refused = pytest.raises(RuntimeError, match=r"pack hook.*written.*clone")
    with graph.saved_tensors_hooks(write, lambda t: t), refused:
        operation(x)


@pytest.mark.parametrize("given", [3, None, [1.0]])
def test_an_unpack_hook_that_gives_no_tensor(given):
    x = leaf(1.0)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: given):
        y = x.exp()
    with pytest.raises(TypeError, match=rf"unpack hook.*Tensor, not {type(given).__name__}"):
        y.sum().backward()
    assert x.grad is None


def test_hooks_that_raise():
    x = leaf(1.0)

    def fail(value):
        raise KeyError("stop")

    with pytest.raises(KeyError), graph.saved_tensors_hooks(fail, fail):
        x.exp()
    with graph.saved_tensors_hooks(lambda t: t, fail):
        y = x.exp()
    for _ in range(2):
        with pytest.raises(KeyError):
            y.sum().backward()
    assert x.grad is None
    assert torch.is_grad_enabled()
    x.exp().sum().backward()  # nobody packs any more
    assert x.grad is not None


@pytest.mark.parametrize("hooks", [(1, 2), (print, None), ("a", print)])
def test_hooks_that_cannot_be_called(hooks):
    with pytest.raises(TypeError, match="takes two functions"), graph.saved_tensors_hooks(*hooks):
        pass


def test_hooks_of_another_thread_do_not_count():
    import threading

    x, log = leaf(1.0), Log()
    with log():
        thread = threading.Thread(target=lambda: x.exp())
        thread.start()
        thread.join()
    assert log.packed == []


def test_inside_vmap_and_grad():
    log = Log()
    with log():
        out = torch.func.grad(lambda x: (x * x).sum())(torch.tensor([1.0, 2.0]))
    assert out.tolist() == [2.0, 4.0]
    x = leaf(1.0, 2.0)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        y = torch.func.vmap(lambda each: each * each)(x)
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


# -- save_on_cpu, disable_saved_tensors_hooks ------------------------------------------------------


@pytest.mark.parametrize("pin", [False, True])
def test_save_on_cpu(pin):
    x = leaf(1.0, 2.0)
    with graph.save_on_cpu(pin_memory=pin, device_type="cpu"):
        y = x * 1
        z = y * y
    y.data.zero_()  # the copy is another memory
    z.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def refused(message):
    return pytest.raises(RuntimeError, match=f"^{message}$")


def test_disabled_hooks():
    with graph.disable_saved_tensors_hooks("not now"):
        with refused("not now"), graph.save_on_cpu():
            pass
        with (
            graph.disable_saved_tensors_hooks("nor here"),
            refused("nor here"),
            graph.save_on_cpu(),
        ):
            pass
        with refused("not now"), graph.allow_mutation_on_saved_tensors():
            pass
    with (
        graph.save_on_cpu(),
        refused("too late"),
        graph.disable_saved_tensors_hooks("too late"),
    ):
        pass


def test_disabling_decorates():
    @graph.disable_saved_tensors_hooks("in a function")
    def function():
        with graph.save_on_cpu():
            pass

    with pytest.raises(RuntimeError, match="in a function"):
        function()
    with graph.save_on_cpu():
        pass


# -- saved values on nodes ------------------------------------------------------------------------


def test_names_of_saved_values():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    node = (x * y).grad_fn
    assert node._saved_self is x
    assert node._saved_other is y
    shown = [name for name in dir(node) if "_saved_" in name]
    assert shown == [
        "_raw_saved_other", "_raw_saved_self", "_saved_other", "_saved_self",
    ]  # fmt: skip
    result = x.exp().grad_fn
    assert result._saved_result.grad_fn is result
    assert (x * 2).grad_fn._saved_self is None
    assert x.sum(-1, keepdim=True).grad_fn._saved_dim == (0,)
    assert x.sum(-1, keepdim=True).grad_fn._saved_keepdim is True
    assert tuple(x.sum(0).grad_fn._saved_self_sym_sizes) == (2,)
    assert (x**3).grad_fn._saved_exponent == 3
    with pytest.raises(AttributeError, match=r"'MulBackward0' object has no attribute '_saved_z'"):
        _ = node._saved_z
    with pytest.raises(AttributeError, match="_saved_self"):
        _ = x.grad_fn._saved_self if x.grad_fn else x.sum().grad_fn.next_functions[0][0]._saved_self


def test_saved_values_after_they_were_freed():
    x = leaf(1.0)
    y = x * x
    node, raw = y.grad_fn, y.grad_fn._raw_saved_self
    y.sum().backward()
    with pytest.raises(RuntimeError, match=r"second time.*retain_graph=True"):
        _ = node._saved_self
    with pytest.raises(RuntimeError, match=r"after it has been freed.*retain_graph=True"):
        raw.register_hooks(lambda t: t, lambda t: t)


def test_saved_values_that_were_written_to():
    x = leaf(1.0)
    y = x * 1
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        _ = z.grad_fn._saved_self


def test_hooks_of_one_saved_tensor():
    x = leaf(2.0, 3.0)
    y = x * x.detach()
    raw = y.grad_fn._raw_saved_other
    assert raw.unpack().tolist() == raw.data.tolist() == [2.0, 3.0]
    raw.register_hooks(lambda t: (t * 2).tolist(), torch.tensor)
    assert raw.data == [4.0, 6.0]
    assert y.grad_fn._saved_other.tolist() == [4.0, 6.0]
    with pytest.raises(RuntimeError, match="hooks have already been set"):
        raw.register_hooks(lambda t: t, lambda t: t)
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 6.0]


def test_hooks_of_a_saved_result():
    x = leaf(0.0, 0.0)
    y = x.exp()
    y.grad_fn._raw_saved_result.register_hooks(lambda t: t * 3, lambda t: t)
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_hooks_of_saved_tensors_that_are_refused():
    x = leaf(1.0)
    node = (x * 2).grad_fn
    with pytest.raises(RuntimeError, match="value None"):
        node._raw_saved_self.register_hooks(lambda t: t, lambda t: t)
    node = (x * x).grad_fn
    with pytest.raises(TypeError, match="takes two functions, not int"):
        node._raw_saved_self.register_hooks(1, 2)
    with pytest.raises(RuntimeError, match="written into"):
        x.exp().grad_fn._raw_saved_result.register_hooks(lambda t: t.mul_(2), lambda t: t)


def test_what_nodes_show():
    x = leaf(1.0, 2.0)
    y = x * 2
    z = y.sum()
    assert z.grad_fn._sequence_nr() > y.grad_fn._sequence_nr()
    assert y.grad_fn.next_functions[0][0]._sequence_nr() == 2**64 - 1
    (metadata,) = y.grad_fn._input_metadata
    assert (metadata.shape, metadata.dtype, metadata.device.type) == ((2,), torch.float32, "cpu")
    assert not metadata.is_nested_tensor
    assert y.grad_fn.requires_grad
    y.grad_fn.metadata["name"] = "double"
    assert y.grad_fn.metadata == {"name": "double"}
    y.grad_fn._register_hook_dict(y)
    assert isinstance(y.grad_fn, graph.Node)


def test_indices_are_no_inputs_of_a_node():
    x = leaf(1.0, 2.0)
    y = torch.where(x > 1, x, 0.0)
    assert [node and node.name() for node, _ in y.grad_fn.next_functions][1:] == [None]
    assert len(x[torch.tensor([1, 0])].grad_fn.next_functions) == 1


# -- versions and edges ---------------------------------------------------------------------------


def test_increment_version():
    x = torch.ones(2)
    view = x[0]
    graph.increment_version(x)
    graph.increment_version([view, x])
    assert x._version == view._version == 3
    y = leaf(1.0) * 1
    z = y * y
    y.numpy(force=True)[...] = 5
    graph.increment_version(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


@pytest.mark.parametrize("value", [3, None, [torch.ones(1), 3]])
def test_increment_version_of_no_tensor(value):
    with pytest.raises(RuntimeError, match="increment_version expects a Tensor"):
        graph.increment_version(value)


def test_increment_version_of_an_inference_tensor():
    with torch.inference_mode():
        x = torch.ones(2)
    graph.increment_version(x)
    assert x.tolist() == [1.0, 1.0]


def test_gradient_edges():
    x = leaf(1.0, 2.0)
    first, second = (x * 2).unbind()
    edge = graph.get_gradient_edge(second)
    assert isinstance(edge, graph.GradientEdge)
    assert (edge.node, edge.output_nr) == (second.grad_fn, 1)
    (g,) = torch.autograd.grad(first * 3 + second * 5, edge)
    assert g.item() == 5.0
    with pytest.raises(RuntimeError, match="does not require gradients"):
        graph.get_gradient_edge(torch.ones(1))


def test_names_that_mean_something_elsewhere():
    graph.set_warn_on_accumulate_grad_stream_mismatch(False)
    graph.set_override_stale_capture_stream(True)
    with pytest.raises(RuntimeError, match="inside a compiled region"):
        graph.region_activation_memory_budget(0.5)
    with pytest.raises(ValueError, match="from 0 to 1, but got 2"):
        graph.region_activation_memory_budget(2)
    with pytest.raises(TypeError, match="not a str"):
        graph.region_activation_memory_budget("all")
