"""What a ctx keeps: saved tensors, their versions, their freeing, and that no cycle holds them."""

from __future__ import annotations

import gc
import weakref

import pytest

import adjoint as torch
from adjoint.autograd import Function
from adjoint.autograd.function import FunctionCtx
from tests.autograd.functions import Cube, SplitCube, function, leaf

HERE = "test_function_context.py"


def saving(*which: str, backward=None):
    """A Function of ``x * 2`` that saves what is named."""

    def forward(ctx, x):
        middle = x + 1
        out = x * 2
        found = {"x": x, "middle": middle, "out": out, "none": None}
        ctx.save_for_backward(*[found[name] for name in which])
        return out

    return function(forward, backward or (lambda ctx, g: g * sum(ctx.saved_tensors)))


def test_inputs_outputs_intermediates_and_none():
    seen = []
    x = leaf(1.0, 2.0)
    made = saving(
        "x", "none", "out", "middle", backward=lambda ctx, g: seen.append(ctx.saved_tensors) or g
    )
    y = made.apply(x)
    y.sum().backward()
    saved = seen[0]
    assert saved[0] is x
    assert saved[1] is None
    assert saved[2].tolist() == [2.0, 4.0]
    assert saved[2].grad_fn is y.grad_fn
    assert saved[3].tolist() == [2.0, 3.0]
    assert not saved[3].requires_grad


def test_a_saved_output_is_differentiated():
    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            out = x.exp()
            ctx.save_for_backward(out)
            return out

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    x = torch.zeros(2, requires_grad=True)
    value = Exp.apply(x).sum()
    for _ in range(4):
        (g,) = torch.autograd.grad(value, x, create_graph=True)
        assert g.tolist() == [1.0, 1.0]
        value = g.sum()


@pytest.mark.parametrize("name", ["x", "out", "middle"])
def test_a_write_to_what_was_saved_is_noticed(name: str):
    kept = {}

    def forward(ctx, x):
        kept.update(x=x, middle=x + 1, out=x * 2)
        ctx.save_for_backward(kept[name])
        return kept["out"]

    y = function(forward, lambda ctx, g: g * ctx.saved_tensors[0]).apply(leaf(1.0) * 1)
    loss = y.sum()
    with torch.no_grad():
        kept[name].mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        loss.backward()
    assert "MadeBackward saved at" in str(caught.value)
    assert str(caught.value).count(HERE) == 2


def test_a_write_inside_forward_is_not():
    def forward(ctx, x):
        out = x * 2
        ctx.save_for_backward(out)
        return out.add_(1)

    x = leaf(1.0)
    made = function(forward, lambda ctx, g: g * ctx.saved_tensors[0])
    assert torch.autograd.grad(made.apply(x), x)[0].tolist() == [3.0]


def test_what_was_saved_is_freed_and_asked_for_only_then():
    x = leaf(1.0)
    y = saving("x").apply(x)
    y.backward()
    with pytest.raises(RuntimeError, match=r"second time: the values that MadeBackward saved at"):
        y.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        _ = y.grad_fn.saved_tensors
    y = saving("x", backward=lambda ctx, g: g).apply(x)
    y.backward()
    y.backward()
    assert x.grad.tolist() == [1.0 + 2.0]


def test_a_graph_that_is_kept_is_gone_through_again():
    x = leaf(3.0)
    y = saving("x").apply(x)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [6.0]


def test_attributes_outlive_the_pass():
    def forward(ctx, x):
        ctx.note = "kept"
        return x * 1

    y = function(forward, lambda ctx, g: g).apply(leaf(1.0))
    y.backward()
    assert y.grad_fn.note == "kept"


@pytest.mark.parametrize("kind", [Cube, SplitCube])
@pytest.mark.parametrize("passed", [False, True])
def test_a_graph_is_freed_by_counting_references(kind: type[Function], passed: bool):
    gc.disable()
    try:
        x = leaf(1.0)
        y = kind.apply(x)
        if passed:
            (g,) = torch.autograd.grad(y, x, create_graph=True)
            gradient = weakref.ref(g)
            del g
            assert gradient() is None
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["x", "out", "middle"])
def test_saved_tensors_make_no_cycle(name: str):
    gc.disable()
    try:
        y = saving(name).apply(leaf(1.0))
        node, out = weakref.ref(y.grad_fn), weakref.ref(y)
        del y
        assert node() is None
        assert out() is None
    finally:
        gc.enable()


def test_what_marks_were_given_is_let_go():
    def forward(ctx, x):
        out = x * 2, x * 3
        ctx.mark_non_differentiable(out[1])
        ctx.save_for_backward(out[0])
        ctx.save_for_forward(out[0])
        return out

    gc.disable()
    try:
        y, _ = function(forward, lambda ctx, g, _: g).apply(leaf(1.0))
        node = y.grad_fn
        assert node.to_save is None
        assert node.saved_for_forward is None
        assert node.non_differentiable is None
        found = weakref.ref(node)
        del node, y, _
        assert found() is None
    finally:
        gc.enable()


NAMES = ("shape", "dtype", "saved", "plan", "edges", "hooks", "code", "sequence", "name", "where")


@pytest.mark.parametrize("name", NAMES)
def test_attributes_may_have_names_of_the_tapes(name: str):
    seen = []

    def forward(ctx, x):
        setattr(ctx, name, "mine")
        ctx.save_for_backward(x)
        assert getattr(ctx, name) == "mine"
        return x * 2, x * 3

    def backward(ctx, g, h):
        seen.append(getattr(ctx, name))
        setattr(ctx, name, "changed")
        (x,) = ctx.saved_tensors
        assert ctx.next_functions[0][0] is not None
        return (g * 2 + h * 3) * x

    x = leaf(5.0)
    a, b = function(forward, backward).apply(x)
    a.grad_fn.register_hook(lambda grads, outs: seen.append("hook"))
    (first,) = torch.autograd.grad(a + b, x, create_graph=True)
    (again,) = torch.autograd.grad(a + b, x, retain_graph=True)
    assert first.tolist() == again.tolist() == [25.0]
    assert seen == ["mine", "hook", "changed", "hook"]
    assert a.grad_fn.next_functions[0][0].name().endswith("AccumulateGrad")
    with torch.no_grad():
        x.mul_(2)
    with pytest.raises(RuntimeError, match=f"MadeBackward saved at .*{HERE}"):
        (a + b).backward()


def test_a_hook_registered_by_backward_itself():
    seen = []

    def backward(ctx, g):
        ctx.hooks = "mine"
        ctx.register_prehook(lambda outs: seen.append(outs[0].item()))
        return g

    y = function(lambda ctx, x: x * 1, backward).apply(leaf(1.0))
    y.backward()
    y.backward(torch.tensor([7.0]))
    assert seen == [7.0]


def test_attributes_of_the_tapes_names_in_transforms():
    class Sum(Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x.sum()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.shape, ctx.dtype = inputs[0].shape, inputs[0].dtype

        @staticmethod
        def backward(ctx, g):
            assert ctx.dtype is torch.float32
            return g.expand(ctx.shape)

        @staticmethod
        def jvp(ctx, t):
            assert tuple(ctx.shape) == tuple(t.shape)
            return t.sum()

    x = torch.ones(2, 3)
    func = torch.func
    assert func.vmap(func.grad(Sum.apply))(x).tolist() == x.tolist()
    assert func.jvp(Sum.apply, (x,), (x,))[1].item() == 6.0
    assert func.vmap(lambda x: func.jvp(Sum.apply, (x,), (x,))[1])(x).tolist() == [3.0, 3.0]


def test_letting_go_at_the_first_look():
    seen = []

    def backward(ctx, g):
        seen.append(ctx.saved_tensors[0].tolist())
        with pytest.raises(RuntimeError, match="second time"):
            _ = ctx.saved_tensors
        return g

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2

    function(forward, backward, clear_saved_tensors_on_access=True).apply(leaf(5.0)).backward()
    assert seen == [[5.0]]


def test_saving_twice_keeps_the_last():
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_backward(x * 2, x * 3)
        return x * 1

    y = function(forward, lambda ctx, g: g).apply(leaf(1.0))
    assert [each.tolist() for each in y.grad_fn.saved_tensors] == [[2.0], [3.0]]


def test_wrong_things_saved():
    def saving_this(action):
        def forward(ctx, x):
            action(ctx, x)
            return x * 1

        return function(forward, lambda ctx, g: g).apply

    with pytest.raises(TypeError, match="argument 1 is of type int"):
        saving_this(lambda ctx, x: ctx.save_for_backward(x, 3))(leaf(1.0))
    saving_this(lambda ctx, x: ctx.save_for_backward(x, 3))(torch.ones(1))  # nothing is kept
    with pytest.raises(AssertionError, match="keeps Tensors and None, but got a int"):
        saving_this(lambda ctx, x: ctx.save_for_forward(3))(leaf(1.0))
    with pytest.raises(RuntimeError, match="to_save is to be a tuple"):
        saving_this(lambda ctx, x: setattr(ctx, "to_save", [x]))(leaf(1.0))
    for method in ("mark_dirty", "mark_non_differentiable"):
        with pytest.raises(RuntimeError, match=f"{method} can only accept variables, .* int"):
            saving_this(lambda ctx, x, m=method: getattr(ctx, m)(3))(leaf(1.0))


def test_inference_tensors_are_not_saved():
    with torch.inference_mode():
        other = torch.ones(1)

    def forward(ctx, x, other):
        ctx.save_for_backward(other)
        return x * 1

    made = function(forward, lambda ctx, g: (g, None))
    with pytest.raises(RuntimeError, match=r"Inference tensors cannot be saved .* clone\(\)"):
        made.apply(leaf(1.0), other)
    assert made.apply(leaf(1.0), other.clone()).requires_grad


def test_old_names():
    y = saving("x").apply(leaf(1.0))
    with pytest.warns(DeprecationWarning, match="saved_tensors"):
        assert y.grad_fn.saved_variables[0].tolist() == [1.0]
    with pytest.warns(FutureWarning, match="mark_shared_storage"):
        y.grad_fn.mark_shared_storage()


def test_a_ctx_of_ones_own():
    ctx = FunctionCtx()
    ctx.save_for_backward(torch.ones(1))
    ctx.set_materialize_grads(False)
    assert ctx.to_save[0].tolist() == [1.0]
    assert not ctx.materialize_grads


def test_hooks_on_saved_tensors():
    seen = []

    def pack(tensor):
        seen.append(("pack", tensor.tolist()))
        return tensor.tolist()

    def unpack(values):
        seen.append(("unpack", values))
        return torch.tensor(values)

    x = leaf(1.0)
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = saving("x", "out").apply(x)
    assert seen == [("pack", [1.0]), ("pack", [2.0])]
    (first,) = torch.autograd.grad(y, x, create_graph=True)
    assert seen[2:] == [("unpack", [1.0]), ("unpack", [2.0])]
    assert first.tolist() == [3.0]
    assert torch.autograd.grad(first, x)[0].tolist() == [1.0 + 3.0]


def test_hooks_run_only_when_saved_tensors_are_asked_for():
    seen = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: seen.append(1) or t):
        y = saving("x", backward=lambda ctx, g: g).apply(leaf(1.0))
    y.backward()
    assert not seen


def test_raw_saved_tensors():
    y = saving("x", "out").apply(leaf(1.0))
    raw = y.grad_fn._raw_saved_tensors
    assert [each.unpack().tolist() for each in raw] == [[1.0], [2.0]]
    raw[0].register_hooks(lambda t: t.tolist(), lambda values: torch.tensor(values) * 10)
    assert y.grad_fn.saved_tensors[0].tolist() == [10.0]
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        _ = y.grad_fn._raw_saved_tensors
