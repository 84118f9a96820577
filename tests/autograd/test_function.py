"""Function: both styles, arguments and results of any kind, errors, higher orders."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import adjoint as torch
from adjoint.autograd import Function
from adjoint.autograd.function import FunctionCtx, InplaceFunction, NestedIOFunction
from adjoint.autograd.function import once_differentiable as once
from tests.autograd.functions import Cube, SplitCube, function, leaf

HERE = "test_function.py"


@pytest.mark.parametrize("kind", [Cube, SplitCube])
def test_value_gradient_and_higher_orders(kind: type[Function]):
    x = leaf(1.0, 2.0)
    y = kind.apply(x)
    assert y.tolist() == [1.0, 8.0]
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
    (third,) = torch.autograd.grad(second.sum(), x)
    assert first.tolist() == [3.0, 12.0]
    assert second.tolist() == [6.0, 12.0]
    assert third.tolist() == [6.0, 6.0]


def test_the_ctx_is_the_node():
    seen = []

    def forward(ctx, x, n):
        ctx.n = n
        seen.append(ctx)
        return x * n

    x = leaf(1.0)
    y = function(forward, lambda ctx, g: (g * ctx.n, None)).apply(x, 3)
    assert y.grad_fn is seen[0]
    assert y.grad_fn.name() == "MadeBackward"
    assert repr(y) == "tensor([3.], grad_fn=<MadeBackward>)"
    assert y.grad_fn.n == 3
    assert y.grad_fn.needs_input_grad == (True, False)
    y.grad_fn.metadata["note"] = 1
    y.backward(torch.ones(1))
    assert x.grad.tolist() == [3.0]


def test_next_functions_are_those_of_tensors():
    x, y = leaf(1.0), leaf(2.0)
    made = function(lambda ctx, *args: args[0] * args[2], lambda ctx, g: (g, None, g, None))
    found = made.apply(x, "no tensor", y * 2, torch.ones(1)).grad_fn.next_functions
    assert [None if node is None else type(node).__name__ for node, _ in found] == [
        "AccumulateGrad", "MulBackward0", None,
    ]  # fmt: skip


def test_a_setup_context_sees_inputs_by_position_with_defaults():
    seen = []
    made = function(
        lambda x, scale=2.0: x * scale,
        lambda ctx, g: (g, None),
        setup_context=staticmethod(lambda ctx, inputs, output: seen.append((inputs, output))),
    )
    x = leaf(1.0)
    for args, kwargs in (((x,), {}), ((x, 2.0), {}), ((), {"scale": 2.0, "x": x})):
        y = made.apply(*args, **kwargs)
        assert seen[-1] == ((x, 2.0), y)
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        made.apply()


def test_keyword_arguments_of_the_old_style():
    made = function(lambda ctx, x, n=1: x * n, lambda ctx, g: g)
    assert made.apply(leaf(2.0), n=4).tolist() == [8.0]


def test_tensors_given_by_name_get_their_gradients():
    needs = []

    def backward(ctx, g):
        needs.append(ctx.needs_input_grad)
        return (g, None, 3 * g)[: len(needs[-1])]

    made = function(lambda ctx, x, n=2, y=None: x * n, backward)
    x, y = leaf(1.0), leaf(1.0)
    for apply, wanted in (
        (lambda: made.apply(x=x), (True,)),
        (lambda: made.apply(x, y=y), (True, False, True)),
        (lambda: made.apply(y=y, x=x, n=5), (True, False, True)),
    ):
        x.grad = y.grad = None
        apply().backward(leaf(1.0))
        assert needs[-1] == wanted
        assert x.grad.tolist() == [1.0]
        assert y.grad is None if len(wanted) == 1 else y.grad.tolist() == [3.0]
    for kwargs in ({"z": 1}, {"x": x}):
        with pytest.raises(TypeError, match="argument"):
            made.apply(x, **kwargs)


def test_a_tensor_by_name_only_is_refused_where_its_gradient_would_be_lost():
    made = function(lambda ctx, x, *, scale: x * scale, lambda ctx, g: g)
    assert made.apply(leaf(2.0), scale=torch.tensor([3.0])).tolist() == [6.0]
    with pytest.raises(TypeError, match="'scale' by name only"):
        made.apply(leaf(2.0), scale=leaf(3.0))


def test_recording_is_off_in_forward_and_backward_unless_a_graph_is_wanted():
    modes = []

    def backward(ctx, g):
        modes.append((torch.is_grad_enabled(), g.requires_grad))
        return g

    def forward(ctx, x):
        modes.append((torch.is_grad_enabled(), x.requires_grad))
        return x * 1

    x = leaf(1.0)
    made = function(forward, backward)
    made.apply(x).sum().backward()
    torch.autograd.grad(made.apply(x), x, leaf(1.0), create_graph=True)
    off, on = (False, True), (True, True)
    assert modes == [off, (False, False), off, on]
    assert torch.is_grad_enabled()


def test_nothing_is_recorded_where_no_gradient_is_wanted():
    x = leaf(1.0)
    with torch.no_grad():
        assert not Cube.apply(x).requires_grad
    assert not Cube.apply(x.detach()).requires_grad
    with torch.inference_mode():
        assert Cube.apply(x).is_inference()


def test_an_error_in_forward_puts_the_mode_back():
    def forward(ctx, x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        function(forward).apply(leaf(1.0))
    assert torch.is_grad_enabled()


def test_an_error_in_backward_leaves_no_gradient_behind():
    def backward(ctx, g):
        raise KeyError("mine")

    x, y = leaf(1.0), leaf(2.0)
    with pytest.raises(KeyError, match="mine"):
        (function(lambda ctx, x: x * 1, backward).apply(x) * y).backward(torch.ones(1))
    assert x.grad is None
    assert y.grad is None
    assert torch.is_grad_enabled()


# -- several outputs ------------------------------------------------------------------------------


def test_several_outputs_and_materialized_gradients():
    seen = []

    def backward(ctx, g, h):
        seen.append((g.tolist(), h.tolist()))
        return 2 * g + 3 * h

    x = leaf(1.0, 2.0)
    a, b = function(lambda ctx, x: (2 * x, 3 * x), backward).apply(x)
    assert a.grad_fn is b.grad_fn
    assert (a.output_nr, b.output_nr) == (0, 1)
    a.sum().backward(retain_graph=True)
    b.sum().backward()
    assert seen == [([1.0, 1.0], [0.0, 0.0]), ([0.0, 0.0], [1.0, 1.0])]
    assert x.grad.tolist() == [5.0, 5.0]


def test_gradients_that_did_not_arrive_may_be_none():
    seen = []

    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return 2 * x, 3 * x

    x = leaf(1.0)
    made = function(forward, lambda ctx, g, h: seen.append((g, h)) or (None if g is None else g))
    made.apply(x)[1].sum().backward()
    assert seen[0][0] is None
    assert x.grad is None


def test_results_that_are_no_tensors():
    seen = []

    def backward(ctx, *grads):
        seen.append(grads)
        return grads[0]

    x = leaf(1.0)
    made = function(lambda ctx, x: (x * 2, 3, "text", None), backward)
    y, *others = made.apply(x)
    y.sum().backward()
    assert others == [3, "text", None]
    assert seen[0][1:] == (None, None, None)
    assert function(lambda ctx, x: 7).apply(x) == 7
    assert function(lambda ctx, x: None).apply(x) is None
    assert function(lambda ctx, x: ()).apply(x) == ()
    (only,) = function(lambda ctx, x: (x * 2,), lambda ctx, g: g).apply(x)
    assert only.grad_fn.name() == "MadeBackward"


def test_integer_outputs_and_marked_ones_have_no_gradient():
    seen = []

    def forward(ctx, x):
        largest = x * 2
        ctx.mark_non_differentiable(largest)
        return x * 3, x.argmax(), largest

    def backward(ctx, *grads):
        seen.append([g.tolist() for g in grads])
        return grads[0] * 3

    x = leaf(1.0, 2.0)
    y, index, largest = function(forward, backward).apply(x)
    assert [each.requires_grad for each in (y, index, largest)] == [True, False, False]
    y.sum().backward()
    assert seen == [[[1.0, 1.0], 0, [0.0, 0.0]]]


# -- what may not be done -------------------------------------------------------------------------


def test_missing_methods():
    with pytest.raises(NotImplementedError, match="implement the forward function"):
        type("Empty", (Function,), {}).apply(leaf(1.0))
    y = function(lambda ctx, x: x * 1).apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="either the backward or vjp method"):
        y.backward()


def test_instances_are_legacy():
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        instance = Cube()
    with pytest.raises(RuntimeError, match=r"non-static forward method .*Cube\.apply"):
        instance(leaf(1.0))
    with pytest.warns(DeprecationWarning, match="InplaceFunction"):
        assert InplaceFunction(True).inplace
    with pytest.warns(DeprecationWarning, match="NestedIOFunction"):
        nested = NestedIOFunction()
    with pytest.raises(RuntimeError, match="Legacy"):
        nested(leaf(1.0))


def test_vjp_is_another_name_of_backward():
    x = leaf(1.0)
    y = function(lambda ctx, x: x * 7, vjp=staticmethod(lambda ctx, g: g * 7)).apply(x)
    assert torch.autograd.grad(y, x)[0].tolist() == [7.0]
    both = function(
        lambda ctx, x: x * 7, lambda ctx, g: g * 7, vjp=staticmethod(lambda ctx, g: g * 7)
    )
    with pytest.raises(RuntimeError, match="both 'backward' and 'vjp'"):
        both.apply(x).backward()


def test_a_subclass_has_nodes_of_its_own_name():
    class Renamed(Cube):
        pass

    assert Renamed.apply(leaf(1.0)).grad_fn.name() == "RenamedBackward"
    assert Cube._backward_cls is not Renamed._backward_cls
    assert issubclass(Cube._backward_cls, FunctionCtx)


# -- once_differentiable --------------------------------------------------------------------------


class NumpyDouble(Function):
    @staticmethod
    def forward(ctx, x):
        return torch.from_numpy(x.detach().numpy() * 2)

    @staticmethod
    @once
    def backward(ctx, g):
        assert not torch.is_grad_enabled()
        return torch.from_numpy(g.detach().numpy() * 2)


def test_once_differentiable_gives_the_gradient_once():
    x, g = leaf(1.0), leaf(5.0)
    y = NumpyDouble.apply(x)
    assert torch.autograd.grad(y, x, retain_graph=True)[0].tolist() == [2.0]
    (first,) = torch.autograd.grad(y, x, torch.ones(1), create_graph=True)
    assert not first.requires_grad
    y = NumpyDouble.apply(x)
    (first,) = torch.autograd.grad(y, x, g, create_graph=True)
    assert first.tolist() == [10.0]
    assert first.grad_fn.name() == "Error"
    with pytest.raises(
        RuntimeError, match=r"differentiate twice .* @once_differentiable"
    ) as caught:
        first.backward()
    assert HERE in str(caught.value)


def test_once_differentiable_keeps_name_and_structure():
    @once
    def backward(ctx, g):
        """A docstring."""
        return g, None

    assert backward.__doc__ == "A docstring."
    x = leaf(1.0)
    y = function(lambda ctx, x, n: x * 1, backward).apply(x, 2)
    assert torch.autograd.grad(y, x, leaf(1.0), create_graph=True)[0].requires_grad


# -- re-entrance, threads, options ----------------------------------------------------------------


def test_backward_inside_backward():
    def backward(ctx, g):
        with torch.enable_grad():
            z = torch.ones(1, requires_grad=True)
            (z * 3).sum().backward()
        return g * z.grad

    x = leaf(2.0)
    function(lambda ctx, x: x * 1, backward).apply(x).backward()
    assert x.grad.tolist() == [3.0]


def test_several_threads_go_through_one_graph():
    x = torch.randn(50, requires_grad=True)
    y = Cube.apply(Cube.apply(x))
    found, failures = [], []

    def work():
        try:
            found.append(torch.autograd.grad(y.sum(), x, retain_graph=True)[0])
        except Exception as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    expected = 9 * x.detach() ** 8
    assert all(torch.allclose(each, expected, rtol=1e-4) for each in found)


def test_gradients_in_one_list():
    def backward(ctx, grads):
        assert isinstance(grads, list)
        return grads.pop() * 2

    x = leaf(1.0)
    made = function(lambda ctx, x: x * 2, backward, boxed_grads_call=True)
    assert torch.autograd.grad(made.apply(x), x)[0].tolist() == [2.0]


def test_gradients_in_batches():
    x = leaf(1.0, 2.0)
    rows = torch.autograd.grad(Cube.apply(x), x, torch.eye(2), is_grads_batched=True)[0]
    assert rows.tolist() == [[3.0, 0.0], [0.0, 12.0]]
    assert not rows.requires_grad


def test_hooks_see_the_node():
    seen = []
    x = leaf(2.0)
    y = Cube.apply(x)
    y.grad_fn.register_hook(lambda grads, outs: seen.append((grads[0].item(), outs[0].item())))
    y.grad_fn.register_prehook(lambda outs: (outs[0] * 10,))
    y.register_hook(lambda g: g + 1)
    y.backward()
    assert seen == [(240.0, 20.0)]


def test_parameters_and_subclasses_are_arguments_like_any():
    weight = torch.nn.Parameter(torch.ones(2))
    Cube.apply(weight).sum().backward()
    assert weight.grad.tolist() == [3.0, 3.0]


def test_numpy_in_forward():
    made = function(lambda ctx, x: torch.from_numpy(np.exp(x.numpy())), lambda ctx, g: g)
    assert made.apply(leaf(0.0)).tolist() == [1.0]
