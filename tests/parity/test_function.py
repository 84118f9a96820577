"""``Function`` against PyTorch: each scenario runs with both, and what it gives is compared.

A scenario gets the library as ``T`` and yields numbers, names and errors' types.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import adjoint

Found = Iterator[Any]
RAISED = "raised"
SCENARIOS: dict[str, Callable[[Any], Found]] = {}


def scenario(body: Callable[[Any], Found]) -> Callable[[Any], Found]:
    SCENARIOS[body.__name__] = body
    return body


def plain(value: Any) -> Any:
    """What a scenario yields, as values that compare."""
    if isinstance(value, (adjoint.Tensor, torch.Tensor)):
        return np.asarray(value.detach().tolist()), str(value.dtype), value.requires_grad
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    return value


def collected(body: Callable[[Any], Found], library: Any) -> list[Any]:
    found: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for value in body(library):
                found.append(plain(value))  # noqa: PERF401 - what came before an error counts
        except Exception as error:  # noqa: BLE001 - compared
            kind = RuntimeError if isinstance(error, RuntimeError) else type(error)
            found.append((RAISED, kind.__name__))
    return found


def compare(ours: Any, theirs: Any) -> None:
    assert type(ours) is type(theirs), (ours, theirs)
    if isinstance(ours, (list, tuple)):
        assert len(ours) == len(theirs), (ours, theirs)
        for mine, other in zip(ours, theirs, strict=True):
            compare(mine, other)
    elif isinstance(ours, np.ndarray):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6)
    else:
        assert ours == theirs


def module(T: Any, name: str) -> Any:
    return importlib.import_module(f"{T.__name__}.{name}")


def made(T: Any, forward: Any, backward: Any = None, name: str = "Made", **members: Any) -> Any:
    """A Function of plain functions."""
    members = {
        key: value if key == "generate_vmap_rule" else staticmethod(value)
        for key, value in members.items()
    }
    members["forward"] = staticmethod(forward)
    if backward is not None:
        members["backward"] = staticmethod(backward)
    base = T.autograd.Function
    return type(base)(name, (base,), members)


def leaf(T: Any, *values: float) -> Any:
    return T.tensor(values or (0.5, -1.5, 2.0), requires_grad=True)


def product(T: Any, **members: Any) -> Any:
    """``x * y`` with all its rules, in the split style."""

    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved_tensors
        return g * y, g * x

    def jvp(ctx: Any, x_t: Any, y_t: Any) -> Any:
        x, y = ctx.saved_tensors
        return x_t * y + x * y_t

    members.setdefault("generate_vmap_rule", True)
    return made(T, lambda x, y: x * y, backward, setup_context=setup_context, jvp=jvp, **members)


# -- writes and views -----------------------------------------------------------------------------


def doubling(T: Any) -> Any:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        return x.mul_(2)

    return made(T, forward, lambda ctx, g: g * 2)


@scenario
def dirty_input(T: Any) -> Found:
    x = leaf(T)
    y = x * 3
    z = doubling(T).apply(y)
    yield z is y, y._version, type(y.grad_fn).__name__, y
    z.sum().backward()
    yield x.grad


@scenario
def dirty_input_used_before(T: Any) -> Found:
    x = leaf(T)
    y = x * 3
    used = y + 1
    doubling(T).apply(y)
    (used * y).sum().backward()
    yield x.grad


@scenario
def dirty_input_saved_before(T: Any) -> Found:
    x = leaf(T)
    y = x * 3
    used = y * y
    doubling(T).apply(y)
    yield 1
    used.sum().backward()


@scenario
def dirty_view(T: Any) -> Found:
    x = leaf(T)
    base = x * 3
    view = base[1:]
    other = base[:2]
    out = doubling(T).apply(view)
    yield out is view, type(out.grad_fn).__name__, type(base.grad_fn).__name__
    yield base, view, other
    (base * T.tensor([1.0, 2.0, 3.0])).sum().backward(retain_graph=True)
    yield x.grad
    (other * other).sum().backward(retain_graph=True)
    yield x.grad
    view.sum().backward()
    yield x.grad


@scenario
def dirty_base_with_views(T: Any) -> Found:
    x = leaf(T)
    base = x * 3
    view = base[1:]
    doubling(T).apply(base)
    yield view, type(view.grad_fn).__name__
    view.sum().backward()
    yield x.grad


@scenario
def dirty_buffer_without_gradient(T: Any) -> Found:
    def forward(ctx: Any, buffer: Any, x: Any) -> Any:
        ctx.mark_dirty(buffer)
        return buffer.add_(x)

    x, buffer = leaf(T), T.ones(3)
    out = made(T, forward, lambda ctx, g: (g, g * 5)).apply(buffer, x)
    yield out is buffer, buffer.requires_grad, buffer
    (buffer * 2).sum().backward()
    yield x.grad


@scenario
def dirty_retains_grad(T: Any) -> Found:
    x = leaf(T)
    y = x * 3
    y.retain_grad()
    doubling(T).apply(y)
    (y * 5).sum().backward()
    yield y.grad, x.grad


@scenario
def dirty_and_saved(T: Any) -> Found:
    def forward(ctx: Any, x: Any) -> Any:
        x.exp_()
        ctx.mark_dirty(x)
        ctx.save_for_backward(x)
        return x

    def backward(ctx: Any, g: Any) -> Any:
        (out,) = ctx.saved_tensors
        return g * out

    kind = made(T, forward, backward)
    x = leaf(T)
    y = kind.apply(x * 1)
    (first,) = T.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = T.autograd.grad(first.sum(), x)
    yield y, first, second
    y = kind.apply(x * 1)
    y.mul_(2)
    yield "written"
    y.sum().backward()


@scenario
def dirty_under_no_grad(T: Any) -> Found:
    x = leaf(T)
    with T.no_grad():
        y = doubling(T).apply(x)
    yield y is x, y.requires_grad, x, x._version


@scenario
def dirty_leaf(T: Any) -> Found:
    yield doubling(T).apply(leaf(T))


@scenario
def dirty_view_of_a_leaf(T: Any) -> Found:
    yield doubling(T).apply(leaf(T)[1:])


@scenario
def dirty_and_not_returned(T: Any) -> Found:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        return x.mul_(2) + 1

    yield made(T, forward, lambda ctx, g: g).apply(leaf(T) * 1)


@scenario
def dirty_view_and_another_output(T: Any) -> Found:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        return x.mul_(2), x + 1

    kind = made(T, forward, lambda ctx, g, h: g + h)
    yield kind.apply(leaf(T) * 1)
    yield kind.apply((leaf(T) * 1)[1:])


@scenario
def an_input_returned(T: Any) -> Found:
    kind = made(T, lambda ctx, x: x, lambda ctx, g: g * 7)
    x = leaf(T)
    y = kind.apply(x)
    yield y is x, y._is_view(), y._base is x, type(y.grad_fn).__name__
    y.sum().backward()
    yield x.grad
    z = kind.apply(x.detach())
    yield z.requires_grad, z._is_view()
    with T.no_grad():
        w = kind.apply(x)
    yield w.requires_grad, w is x
    kind.apply(x * 1).mul_(2)


@scenario
def a_view_returned(T: Any) -> Found:
    kind = made(T, lambda ctx, x: x.view(-1), lambda ctx, g: g.view(3) * 7)
    x = leaf(T)
    base = x * 1
    y = kind.apply(base)
    yield y._is_view(), y._base is base, type(y.grad_fn).__name__
    y.sum().backward(retain_graph=True)
    yield x.grad
    y.add_(1)


@scenario
def two_views_returned(T: Any) -> Found:
    kind = made(T, lambda ctx, x: (x[:1], x[1:]), lambda ctx, g, h: T.cat([g, h]) * 7)
    x = leaf(T)
    a, b = kind.apply(x * 1)
    (a.sum() + b.sum() * 2).backward()
    yield x.grad
    a.add_(1)


@scenario
def the_base_of_a_returned_view_is_written_to(T: Any) -> Found:
    base = leaf(T) * 1
    y = made(T, lambda ctx, x: x.view(-1), lambda ctx, g: g).apply(base)
    base.mul_(2)
    (y * 2).sum().backward()


@scenario
def an_output_twice(T: Any) -> Found:
    def forward(ctx: Any, x: Any) -> Any:
        out = x * 2
        return out, out

    x = leaf(T)
    a, b = made(T, forward, lambda ctx, g, h: g * 10 + h).apply(x)
    yield a is b, a.output_nr
    a.sum().backward()
    yield x.grad


@scenario
def saved_values_are_watched(T: Any) -> Found:
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        out = x * y
        middle = out + 1
        ctx.save_for_backward(x, None, out, middle)
        return out

    def backward(ctx: Any, g: Any) -> Any:
        x, none, out, middle = ctx.saved_tensors
        assert none is None
        return g * out, g * middle * x

    kind = made(T, forward, backward)
    x, y = leaf(T), leaf(T, 1.0, 2.0, 3.0)
    out = kind.apply(x, y)
    out.sum().backward()
    yield x.grad, y.grad
    for number in range(2):
        a = x * 1
        out = kind.apply(a, y)
        loss = out.sum()
        with T.no_grad():
            (a, out)[number].mul_(2)
        try:
            loss.backward()
        except RuntimeError as error:
            yield "modified by an inplace operation" in str(error)


@scenario
def twice_through(T: Any) -> Found:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        ctx.note = "kept"
        return x * 2

    def backward(ctx: Any, g: Any) -> Any:
        return g * ctx.saved_tensors[0] if looking else g

    looking = True
    kind = made(T, forward, backward)
    x = leaf(T)
    y = kind.apply(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    yield x.grad, y.grad_fn.next_functions[0][0].note
    looking = False
    y.backward()
    yield x.grad
    looking = True
    y.backward()


@scenario
def saved_tensors_after_a_pass(T: Any) -> Found:
    y = made(T, lambda ctx, x: x * 2, lambda ctx, g: g).apply(leaf(T))
    yield y.grad_fn.saved_tensors
    y.sum().backward()
    yield y.grad_fn.saved_tensors


@scenario
def intermediates_are_constants(T: Any) -> Found:
    def forward(ctx: Any, x: Any) -> Any:
        middle = x.exp()
        ctx.save_for_backward(middle)
        return middle * 2

    def backward(ctx: Any, g: Any) -> Any:
        (middle,) = ctx.saved_tensors
        return g * middle * 2

    x, weight = leaf(T), leaf(T, 1.0, 2.0, 3.0)
    y = made(T, forward, backward).apply(x)
    (first,) = T.autograd.grad(y, x, weight, create_graph=True)
    yield first
    (first * first).sum().backward()
    yield weight.grad, x.grad


@scenario
def wrong_things_saved(T: Any) -> Found:
    def saving(what: Any) -> Any:
        def forward(ctx: Any, x: Any) -> Any:
            what(ctx, x)
            return x * 2

        return made(T, forward, lambda ctx, g: g)

    for what in (
        lambda ctx, x: ctx.save_for_backward(x, 3),
        lambda ctx, x: ctx.save_for_forward(3),
        lambda ctx, x: ctx.mark_dirty(3),
        lambda ctx, x: ctx.mark_non_differentiable(3),
        lambda ctx, x: setattr(ctx, "to_save", [x]),
    ):
        try:
            saving(what).apply(leaf(T))
        except Exception as error:  # noqa: BLE001 - compared
            yield type(error).__name__


@scenario
def needs_input_grad(T: Any) -> Found:
    seen = []

    def backward(ctx: Any, g: Any) -> Any:
        seen.append(ctx.needs_input_grad)
        return g, None, g, None

    x, y = leaf(T), leaf(T)
    out = made(T, lambda ctx, *args: args[0] * args[2], backward).apply(x, 2, y, T.ones(3))
    yield out.grad_fn.needs_input_grad
    yield T.autograd.grad(out.sum(), x)
    yield seen


@scenario
def complex_numbers(T: Any) -> Found:
    def forward(ctx: Any, z: Any) -> Any:
        ctx.save_for_backward(z)
        return z * z

    def backward(ctx: Any, g: Any) -> Any:
        (z,) = ctx.saved_tensors
        return g * (2 * z).conj()

    z = T.tensor([1 + 2j, -0.5j], requires_grad=True)
    out = made(T, forward, backward).apply(z)
    out.abs().sum().backward()
    yield z.grad.real, z.grad.imag


@scenario
def real_gradients_of_complex_inputs(T: Any) -> Found:
    z = T.tensor([1 + 2j], requires_grad=True)
    out = made(T, lambda ctx, z: z.real * 1, lambda ctx, g: g).apply(z)
    out.sum().backward()
    yield z.grad.real, z.grad.imag


@scenario
def a_hook_on_saved_tensors(T: Any) -> Found:
    seen = []

    def forward(ctx: Any, x: Any) -> Any:
        out = x * 2
        ctx.save_for_backward(x, out)
        return out

    def backward(ctx: Any, g: Any) -> Any:
        seen.append("backward")
        x, out = ctx.saved_tensors
        return g * x * out

    def pack(tensor: Any) -> Any:
        seen.append(("pack", tensor.tolist()))
        return tensor.detach().clone()

    def unpack(tensor: Any) -> Any:
        seen.append(("unpack", tensor.tolist()))
        return tensor

    x = leaf(T)
    with T.autograd.graph.saved_tensors_hooks(pack, unpack):
        out = made(T, forward, backward).apply(x)
    loss = (out * T.tensor([1.0, 2.0, 3.0])).sum()
    loss.backward(retain_graph=True)
    yield x.grad, seen
    (first,) = T.autograd.grad(loss, x, create_graph=True)
    yield first, T.autograd.grad(first.sum(), x)


# -- transforms -----------------------------------------------------------------------------------

# Not jvp in jvp, for which PyTorch gives zeros.
NESTINGS = (
    "grad(lambda x: f(x, y).sum())(x)",
    "grad(lambda x, y: f(x, y).sum(), argnums=(0, 1))(x, y)",
    "vjp(f, x, y)[1](y)",
    "jvp(f, (x, y), (y, x))",
    "jvp(lambda x: f(x, y), (x,), (y,))",
    "jvp(lambda x: f(x, x), (x,), (y,))",
    "vmap(f)(x, y)",
    "vmap(f, (None, 0))(x, y)",
    "vmap(f, (0, None), 1)(x, y)",
    "vmap(lambda x: f(x, 2 * x))(rows)",
    "vmap(f, (1, 0), 1)(rows, rows)",
    "vmap(grad(lambda x, y: f(x, y).sum(), argnums=1), (0, None))(rows, y)",
    "grad(lambda x: vmap(f, (None, 0))(x, rows).sum())(x)",
    "grad(lambda x: (vmap(f, (0, None))(rows, x) ** 2).sum())(x)",
    "vmap(vmap(f, (None, 0)), (0, None))(rows, rows)",
    "grad(lambda r: vmap(vmap(f, (None, 0)), (0, None))(r, rows).pow(2).sum())(rows)",
    "vmap(vmap(grad(lambda x, y: (f(x, y) * x).sum()), (None, 0)), (0, None))(rows, rows)",
    "jacrev(lambda x: f(x, y))(x)",
    "jacfwd(lambda x: f(x, y))(x)",
    "jacrev(jacrev(lambda x: f(x, x * y)))(x)",
    "jacfwd(jacrev(lambda x: f(x, x * y)))(x)",
    "jacrev(jacfwd(lambda x: f(x, x * y)))(x)",
    "hessian(lambda x: f(x, f(x, y)).sum())(x)",
    "grad(lambda x: grad(lambda x: (f(x, x) * f(x, y)).sum())(x).sum())(x)",
    "grad(lambda x: jvp(lambda x: f(x, x), (x,), (y,))[1].sum())(x)",
    "jvp(grad(lambda x: f(x, f(x, y)).sum()), (x,), (y,))",
    "vmap(lambda t: jvp(lambda x: f(x, y), (x,), (t,))[1])(rows)",
    "jvp(vmap(f), (rows, rows), (rows, rows))",
    "grad(lambda w: grad(lambda x: f(x, w).sum())(x).pow(2).sum())(y)",
    "vmap(jacrev(lambda x: f(x, x)))(rows)",
    "grad(lambda x: f(x, leaf).sum())(x)",
    "vmap(lambda x: f(x, leaf))(rows).sum().backward() or leaf.grad",
    "grad(lambda x: f(x, leaf).pow(2).sum())(x).sum().backward() or leaf.grad",
    "jvp(lambda x: f(x, leaf), (x,), (y,))[1].sum().backward() or leaf.grad",
)
NAMES = ("grad", "vjp", "jvp", "vmap", "jacrev", "jacfwd", "hessian")


def by_hand(T: Any) -> Any:
    """``product`` with a vmap staticmethod of its own."""
    kind: Any = None

    def vmap(info: Any, in_dims: Any, x: Any, y: Any) -> Any:
        assert info.batch_size == 3
        x = x.movedim(in_dims[0], 0) if in_dims[0] is not None else x
        y = y.movedim(in_dims[1], 0) if in_dims[1] is not None else y
        rank = max(x.dim() - (in_dims[0] is not None), y.dim() - (in_dims[1] is not None))
        if in_dims[0] is not None:
            x = x.reshape(3, *(1,) * (rank + 1 - x.dim()), *x.shape[1:])
        if in_dims[1] is not None:
            y = y.reshape(3, *(1,) * (rank + 1 - y.dim()), *y.shape[1:])
        x, y = T.broadcast_tensors(x, y)
        return kind.apply(x, y), 0

    kind = product(T, generate_vmap_rule=False, vmap=vmap)
    return kind


@pytest.mark.parametrize("rule", ["made", "by hand"])
@pytest.mark.parametrize("nesting", NESTINGS)
def test_nesting(nesting: str, rule: str):
    def body(T: Any) -> Found:
        names = {name: getattr(T.func, name) for name in NAMES}
        names["f"] = (product(T) if rule == "made" else by_hand(T)).apply
        names["x"], names["y"] = T.tensor([0.5, -1.5, 2.0]), T.tensor([1.0, 0.3, -0.7])
        names["rows"] = T.stack([names["x"], names["y"], names["x"] * names["y"]])
        names["leaf"] = leaf(T, 2.0, 3.0, 4.0)
        yield eval(nesting, names)

    theirs = collected(body, torch)
    assert not (isinstance(theirs[-1], tuple) and theirs[-1][0] is RAISED), theirs
    compare(collected(body, adjoint), theirs)


@scenario
def the_old_style_is_refused_in_transforms(T: Any) -> Found:
    kind = made(T, lambda ctx, x: x * 2, lambda ctx, g: g)
    T.func.grad(lambda x: kind.apply(x).sum())(T.ones(3))


@scenario
def no_rule_for_vmap(T: Any) -> Found:
    T.func.vmap(product(T, generate_vmap_rule=False).apply)(T.ones(3), T.ones(3))


@scenario
def two_rules_for_vmap(T: Any) -> Found:
    kind = product(T, vmap=lambda info, in_dims, x, y: (x * y, 0))
    T.func.vmap(kind.apply)(T.ones(3), T.ones(3))


@scenario
def bad_answers_of_vmap(T: Any) -> Found:
    for answer in (lambda x: x, lambda x: (x, 0, 0), lambda x: (x, (0, 0))):
        kind = product(
            T, generate_vmap_rule=False, vmap=lambda info, dims, x, y, a=answer: a(x * y)
        )
        try:
            T.func.vmap(kind.apply)(T.ones(3), T.ones(3))
        except Exception as error:  # noqa: BLE001 - compared
            yield type(error).__name__


@scenario
def a_vmap_rule_is_told(T: Any) -> Found:
    seen = []

    def vmap(info: Any, in_dims: Any, x: Any, n: Any, y: Any) -> Any:
        seen.append((info.batch_size, info.randomness, in_dims, x.shape, n, y.shape))
        return (x.sum(0) * n, y * 2, "text"), (None, 0, None)

    kind = made(
        T, lambda x, n, y: (x, y, "text"), lambda ctx, *g: (g[0], None, g[1]),
        setup_context=lambda ctx, inputs, output: None, vmap=vmap,
    )  # fmt: skip
    found = T.func.vmap(lambda x: kind.apply(x, 3, x)[:2], in_dims=0, randomness="same")(
        T.ones(2, 3)
    )
    yield found, [(*each[:3], tuple(each[3]), each[4], tuple(each[5])) for each in seen]


@scenario
def dirty_inside_transforms(T: Any) -> Found:  # but vmap, where PyTorch refuses it
    def forward(x: Any) -> Any:
        return x.mul_(2)

    kind = made(
        T, forward, lambda ctx, g: g * 2,
        setup_context=lambda ctx, inputs, output: ctx.mark_dirty(*inputs),
        jvp=lambda ctx, t: t.mul_(2), generate_vmap_rule=True,
    )  # fmt: skip

    def f(x: Any) -> Any:
        y = x * 3
        z = kind.apply(y)
        return (y * z).sum()

    x = T.tensor([1.0, 2.0, 3.0])
    yield T.func.grad(f)(x), T.func.jvp(f, (x,), (x,))


# -- forward mode on ordinary tensors -------------------------------------------------------------


@scenario
def duals(T: Any) -> Found:
    forward_ad = module(T, "autograd.forward_ad")
    seen = []

    def forward(ctx: Any, x: Any, n: int, y: Any, z: Any) -> Any:
        out = x * y
        ctx.save_for_forward(x, y, out)
        ctx.save_for_backward(x, y)
        return out, x.long()

    def backward(ctx: Any, g: Any, _: Any) -> Any:
        x, y = ctx.saved_tensors
        return g * y, None, g * x, None

    def jvp(ctx: Any, x_t: Any, n: Any, y_t: Any, z_t: Any) -> Any:
        x, y, out = ctx.saved_tensors
        seen.append((n, y_t.tolist(), z_t, T.is_grad_enabled(), out.tolist()))
        return x_t * y + x * y_t, None

    kind = made(T, forward, backward, jvp=jvp)
    x, y = leaf(T), leaf(T, 1.0, 2.0, 3.0)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, T.tensor([1.0, 0.0, 2.0]))
        out, index = kind.apply(dual, 3, y, T.ones(3).long())
        primal, tangent = forward_ad.unpack_dual(out)
        yield primal, tangent, index, seen
        tangent.sum().backward(retain_graph=True)
        yield y.grad
        out.sum().backward()
        yield x.grad, y.grad


@scenario
def duals_without_jvp(T: Any) -> Found:
    forward_ad = module(T, "autograd.forward_ad")
    kind = made(T, lambda ctx, x: x * 2, lambda ctx, g: g)
    with forward_ad.dual_level():
        kind.apply(forward_ad.make_dual(T.ones(3), T.ones(3)))


@scenario
def tangents_that_did_not_arrive_may_be_none(T: Any) -> Found:
    forward_ad = module(T, "autograd.forward_ad")
    seen = []

    def forward(ctx: Any, x: Any, y: Any) -> Any:
        ctx.set_materialize_grads(False)
        return x + y

    def jvp(ctx: Any, x_t: Any, y_t: Any) -> Any:
        seen.append(y_t)
        return x_t * 2

    kind = made(T, forward, jvp=jvp)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(T.ones(3), T.ones(3))
        yield forward_ad.unpack_dual(kind.apply(dual, T.ones(3))).tangent, seen
        yield forward_ad.unpack_dual(kind.apply(T.ones(3), T.ones(3))).tangent


@scenario
def a_dirty_dual(T: Any) -> Found:
    forward_ad = module(T, "autograd.forward_ad")

    def forward(ctx: Any, x: Any) -> Any:
        ctx.mark_dirty(x)
        return x.mul_(2)

    for jvp in (lambda ctx, t: t.mul_(2), lambda ctx, t: t * 2):
        with forward_ad.dual_level():
            dual = forward_ad.make_dual(T.ones(3), T.ones(3))
            out = made(T, forward, jvp=jvp).apply(dual)
            yield out is dual, tuple(forward_ad.unpack_dual(out))


@scenario
def bad_tangents(T: Any) -> Found:
    answers = (
        lambda t: t[:1], lambda t: 3.0, lambda t: (t, t), lambda t: [t],
    )  # fmt: skip
    for answer in answers:
        kind = made(
            T, lambda x: x * 2, setup_context=lambda ctx, inputs, output: None,
            jvp=lambda ctx, t, a=answer: a(t),
        )  # fmt: skip
        try:
            yield T.func.jvp(kind.apply, (T.ones(3),), (T.ones(3),))
        except Exception as error:  # noqa: BLE001 - compared
            yield type(error).__name__


@scenario
def tangents_of_constants(T: Any) -> Found:
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.mark_non_differentiable(output[1])

    for answer in (lambda t: (t, None), lambda t: (t, t)):
        kind = made(
            T, lambda x: (x * 2, x * 3), setup_context=setup_context,
            jvp=lambda ctx, t, a=answer: a(t),
        )  # fmt: skip
        yield T.func.jvp(kind.apply, (T.ones(3),), (T.ones(3),))


@scenario
def gradcheck(T: Any) -> Found:
    x = T.tensor([0.5, -1.5], dtype=T.float64, requires_grad=True)
    y = T.tensor([1.5, 2.5], dtype=T.float64, requires_grad=True)
    f = product(T).apply
    yield T.autograd.gradcheck(f, (x, y), check_forward_ad=True, check_batched_grad=True)
    yield T.autograd.gradgradcheck(f, (x, y), check_fwd_over_rev=True)
    wrong = made(T, lambda ctx, x: x * 2, lambda ctx, g: g * 3)
    yield T.autograd.gradcheck(wrong.apply, (x,), raise_exception=False)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str):
    theirs = collected(SCENARIOS[name], torch)
    assert theirs
    compare(collected(SCENARIOS[name], adjoint), theirs)
