"""A training step's graph is freed by counting references alone: the collector never has to run."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import adjoint as torch
from adjoint.array.value import Value
from adjoint.tape.node import Node, Port
from adjoint.tape.tensor import Memory, Tensor

KINDS = (Tensor, Node, Port, Memory, Value)
Watched = list[Any]


@contextlib.contextmanager
def no_collector() -> Iterator[None]:
    """Nothing but reference counts frees memory here."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def in_cycles() -> list[Any]:
    """What only the collector would free now, of the kinds that a graph is made of."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return [type(each).__name__ for each in gc.garbage if isinstance(each, KINDS)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.collect()


def leaves() -> tuple[Any, Any, Any]:
    """Two parameters and an input."""
    torch.manual_seed(0)
    return (
        torch.randn(3, 3, requires_grad=True),
        torch.randn(3, requires_grad=True),
        torch.randn(4, 3),
    )


def network(w: Any, b: Any, x: Any) -> Any:
    return torch.tanh(x @ w + b).exp().mean()


# Each takes parameters and an input, and gives what must be gone when it has returned.


def plain(w: Any, b: Any, x: Any) -> Watched:
    loss = network(w, b, x)
    loss.backward()
    return [loss, loss.grad_fn]


def never_differentiated(w: Any, b: Any, x: Any) -> Watched:
    loss = network(w, b, x)
    return [loss, loss.grad_fn]


def kept_graph(w: Any, b: Any, x: Any) -> Watched:
    loss = network(w, b, x)
    loss.backward(retain_graph=True)
    loss.backward(retain_graph=True)
    return [loss, loss.grad_fn]


def gradients_of_gradients(w: Any, b: Any, x: Any) -> Watched:
    loss = network(w, b, x)
    first = torch.autograd.grad(loss, (w, b), create_graph=True)
    penalty = sum((g * g).sum() for g in first)
    penalty.backward()
    return [loss, loss.grad_fn, penalty, penalty.grad_fn, *first]


def third_order(w: Any, b: Any, x: Any) -> Watched:
    found = [network(w, b, x)]
    for _ in range(3):
        (g,) = torch.autograd.grad(found[-1], w, create_graph=True)
        found.append((g * g).sum())
    return [*found, *[each.grad_fn for each in found]]


def hooks(w: Any, b: Any, x: Any) -> Watched:
    hidden = torch.tanh(x @ w + b)
    hidden.register_hook(lambda g: g * 2)
    hidden.retain_grad()
    loss = hidden.exp().mean()
    with w.register_hook(lambda g: g + 1):
        loss.backward()
    return [loss, loss.grad_fn, hidden, hidden.grad, hidden.grad_fn]


def hooks_after_accumulation(w: Any, b: Any, x: Any) -> Watched:
    def step(parameter: Any) -> None:
        with torch.no_grad():
            parameter -= 0.1 * parameter.grad
        parameter.grad = None

    loss = network(w, b, x)
    with w.register_post_accumulate_grad_hook(step):
        loss.backward()
    return [loss, loss.grad_fn]


def hooks_of_nodes(w: Any, b: Any, x: Any) -> Watched:
    loss = network(w, b, x)
    node = loss.grad_fn
    node.register_hook(lambda inputs, outputs: None)
    node.register_prehook(lambda outputs: None)
    node.next_functions[0][0].metadata["name"] = "exp"
    loss.backward()
    return [loss, node]


def hooks_of_several(w: Any, b: Any, x: Any) -> Watched:
    loss = network(w, b, x)
    seen: list[int] = []
    with torch.autograd.graph.register_multi_grad_hook((w, b), lambda gs: seen.append(len(gs))):
        loss.backward()
    assert seen == [2]
    return [loss, loss.grad_fn]


def views_and_writes(w: Any, b: Any, x: Any) -> Watched:
    hidden = x @ w
    row = hidden[0]
    row.mul_(2)
    hidden[1:] = hidden[1:].clone() * b
    column = hidden.t()[0]
    column += 1
    parts = hidden.split(1, 1)
    hidden.relu_()
    loss = hidden.sum() + row.sum() + column.sum()
    loss.backward()
    return [loss, loss.grad_fn, hidden, row, column, hidden.grad_fn, row.grad_fn, *parts]


def several_outputs(w: Any, b: Any, x: Any) -> Watched:
    first, second, third = (x @ w).unbind(1)
    values, places = (first * second).sort()
    loss = values.sum() + third.max(0).values
    loss.backward()
    return [loss, first, values, places, first.grad_fn, values.grad_fn]


def an_error_on_the_way(w: Any, b: Any, x: Any) -> Watched:
    hidden = torch.tanh(x @ w)
    loss = (hidden * b).sum()
    node = hidden.grad_fn
    with torch.no_grad():
        hidden.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        loss.backward()
    return [loss, loss.grad_fn, hidden, node]


def transformed(function: Callable[..., Any]) -> Callable[[Any, Any, Any], Watched]:
    """A step that gives the results of a transform of the network."""

    def step(w: Any, b: Any, x: Any) -> Watched:
        found = function(w, b, x)
        return list(found) if isinstance(found, tuple) else [found]

    return step


func = torch.func
TRANSFORMS = {
    "grad": lambda w, b, x: func.grad(network, (0, 1))(w, b, x),
    "grad of grad": lambda w, b, x: func.grad(lambda w: func.grad(network)(w, b, x).sin().sum())(w),
    "vmap": lambda w, b, x: func.vmap(network, (None, None, 0))(w, b, x),
    "vmap of grad": lambda w, b, x: func.vmap(func.grad(network), (None, None, 0))(w, b, x),
    "jvp": lambda w, b, x: func.jvp(lambda w: network(w, b, x), (w,), (w,)),
    "jvp of grad": lambda w, b, x: func.jvp(
        lambda w: func.grad(network)(w, b, x), (w.detach(),), (w.detach(),)
    ),
    "vjp": lambda w, b, x: func.vjp(network, w, b, x)[1](torch.tensor(1.0)),
    "jacrev": lambda w, b, x: func.jacrev(lambda w: torch.tanh(x @ w))(w),
    "jacfwd": lambda w, b, x: func.jacfwd(lambda w: torch.tanh(x @ w))(w),
    "hessian": lambda w, b, x: func.hessian(lambda b: network(w, b, x))(b),
    "linearize": lambda w, b, x: func.linearize(lambda b: network(w, b, x), b)[1](b.detach()),
    "functional hessian": lambda w, b, x: torch.autograd.functional.hessian(
        lambda b: network(w, b, x), b
    ),
    "functional jvp": lambda w, b, x: torch.autograd.functional.jvp(
        lambda b: network(w, b, x), b, torch.ones(3)
    ),
}


def forward_mode(w: Any, b: Any, x: Any) -> Watched:
    forward = torch.autograd.forward_ad
    with forward.dual_level():
        dual = forward.make_dual(b.detach(), torch.ones(3))
        out = network(w, dual, x)
        primal, tangent = forward.unpack_dual(out)
        tangent.backward()
        return [dual, out, primal, tangent, tangent.grad_fn]


class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        out = x * y
        ctx.save_for_backward(x, y, out)
        ctx.note = [x]
        return out

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y, _ = ctx.saved_tensors
        return g * y, (g * x).sum(0)


class ScaleApart(torch.autograd.Function):
    @staticmethod
    def forward(x: Any, y: Any) -> Any:
        return x * y

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y, _ = ctx.saved_tensors
        return g * y, (g * x).sum(0)


def functions(w: Any, b: Any, x: Any) -> Watched:
    hidden = Scale.apply(x @ w, b)
    other = ScaleApart.apply(hidden, b)
    loss = other.sum()
    (g,) = torch.autograd.grad(loss, b, create_graph=True)
    g.sum().backward()
    return [loss, hidden, other, hidden.grad_fn, other.grad_fn, g]


def saved_through_hooks(w: Any, b: Any, x: Any) -> Watched:
    packed: list[Any] = []

    def pack(tensor: Any) -> Any:
        packed.append(weakref.ref(tensor))
        return tensor.numpy().copy()

    with torch.autograd.graph.saved_tensors_hooks(pack, torch.from_numpy):
        loss = network(w.detach().requires_grad_(), b.detach(), x)
    loss.backward()
    with torch.autograd.graph.save_on_cpu():
        other = network(w, b, x)
    other.backward()
    assert packed
    return [loss, loss.grad_fn, other, other.grad_fn]


def checkpointed(reentrant: bool) -> Callable[[Any, Any, Any], Watched]:
    def step(w: Any, b: Any, x: Any) -> Watched:
        run = torch.utils.checkpoint.checkpoint
        hidden = run(lambda x: torch.tanh(x @ w + b), x @ w, use_reentrant=reentrant)
        loss = run(lambda h: h.exp().mean(), hidden, use_reentrant=reentrant)
        loss.backward()
        return [loss, loss.grad_fn, hidden, hidden.grad_fn]

    return step


def anomalies_watched(w: Any, b: Any, x: Any) -> Watched:
    with torch.autograd.detect_anomaly():
        loss = network(w, b, x)
        loss.backward()
    return [loss, loss.grad_fn]


def network_and_optimiser(w: Any, b: Any, x: Any) -> Watched:
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.LayerNorm(4), torch.nn.ReLU(), torch.nn.Linear(4, 2)
    )
    optimiser = torch.optim.Adam(model.parameters())
    watched: Watched = []
    for _ in range(3):
        loss = torch.nn.functional.cross_entropy(model(x), torch.tensor([0, 1, 0, 1]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        watched += [loss, loss.grad_fn]
    del watched[-2:]  # the loop's last loss is a name of this function
    return watched


STEPS: dict[str, Callable[[Any, Any, Any], Watched]] = {
    each.__name__: each
    for each in (
        plain, never_differentiated, kept_graph, gradients_of_gradients, third_order, hooks,
        hooks_after_accumulation, hooks_of_nodes, hooks_of_several, views_and_writes,
        several_outputs, an_error_on_the_way, forward_mode, functions, saved_through_hooks,
        anomalies_watched, network_and_optimiser,
    )
}  # fmt: skip
STEPS |= {name: transformed(each) for name, each in TRANSFORMS.items()}
STEPS |= {f"checkpoint, use_reentrant={each}": checkpointed(each) for each in (True, False)}


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("name", STEPS)
def test_nothing_is_left_to_the_collector(name: str) -> None:
    w, b, x = leaves()
    STEPS[name](w, b, x)  # what is made once, such as plans
    w.grad = b.grad = None
    with no_collector():
        references = [weakref.ref(each) for each in STEPS[name](w, b, x) if each is not None]
        assert references
        assert [each() for each in references] == [None] * len(references)
        assert in_cycles() == []


def test_a_gradient_that_was_recorded_is_in_a_cycle_as_in_pytorch() -> None:
    """``x.grad`` leads to its graph, which leads to ``x``: setting it to None ends that."""
    w, b, x = leaves()
    with no_collector():
        loss = network(w, b, x)
        loss.backward(create_graph=True)
        node = weakref.ref(w.grad.grad_fn)
        del loss
        assert node() is not None
        w.grad = b.grad = None
        assert node() is None
        assert in_cycles() == []


def test_the_test_sees_a_cycle() -> None:
    w, b, x = leaves()
    with no_collector():
        loss = network(w, b, x)
        loss.myself = loss
        del loss
        assert "Tensor" in in_cycles()
