"""Functions traced into programs do, again and again, what they do as they are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import adjoint as torch
from tests.compiler.front.comparing import assert_same
from tests.compiler.front.replaying import Replayed


class Pair(NamedTuple):
    first: Any
    second: Any


def numbers(*shape: int, seed: int = 0, requires_grad: bool = False) -> Any:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator).requires_grad_(requires_grad)


# -- arguments ----------------------------------------------------------------------------------


def test_arguments_in_any_nesting():
    def build():
        def function(pair, more, *, scale=2.0):
            return {"sum": pair.first + pair.second * scale, "rest": [more["a"] * 2, None, "text"]}

        calls = [
            (Pair(numbers(3, seed=n), numbers(3, seed=n + 9)), {"a": numbers(2, seed=n)})
            for n in range(3)
        ]
        return function, calls, ()

    assert_same(build, programs=1)


def test_one_tensor_given_twice_is_one():
    def build():
        x, y = numbers(3), numbers(3, seed=1)

        def function(a, b):
            a.add_(1)
            return a * b, a is b

        return function, [(x, x), (x, y), (y, x), (y, y)], ()

    assert_same(build, programs=2)


def test_a_closed_over_tensor_as_an_argument():
    def build():
        w, x = numbers(3), numbers(3, seed=1)

        def function(a):
            w.mul_(2)
            return a + w

        return function, [(x,), (w,), (w,), (x,)], (w,)

    assert_same(build, programs=2)


def test_a_closed_over_leaf_as_an_argument():
    def build():
        w, x = numbers(3, requires_grad=True), numbers(3, seed=1, requires_grad=True)

        def function(a):
            (a * w).sum().backward()

        return function, [(x,), (w,), (x,)], (w,)

    assert_same(build, programs=3)


def test_returned_arguments_and_views_of_them():
    def build():
        w = numbers(2, 3, requires_grad=True)

        def function(x):
            return x, x[0], x.t(), w, w[1], x.detach(), w.detach()[0]

        return function, [(numbers(2, 3, seed=n),) for n in range(2)], (w,)

    assert_same(build, programs=1)


def test_views_returned_are_of_the_memory_itself():
    x = numbers(2, 3)
    row = Replayed(lambda x: x[1])(x)
    row.zero_()
    assert x[1].tolist() == [0, 0, 0]

    def function(x):
        y = x * 2
        return y, y[0]

    y, part = Replayed(function)(x)
    part.fill_(7)
    assert y[0].tolist() == [7, 7, 7]


def test_the_same_new_tensor_twice():
    def build():
        def function(x):
            y = x + 1
            return y, y, y.clone(), [y]

        return function, [(numbers(2),)], ()

    assert_same(build)


def test_results_share_no_memory_that_eager_results_do_not():
    x = numbers(3)
    first, second = Replayed(lambda x: (x + 1, x + 1))(x)
    first.zero_()
    assert second.tolist() == (x + 1).tolist()


# -- writes -------------------------------------------------------------------------------------


def writes() -> dict[str, Any]:  # noqa: C901 - one after the other
    def row(w, x):
        w[0].add_(x[0])

    def transposed(w, x):
        w.t().mul_(2)

    def sliced(w, x):
        w[:, 1:] = x[:, 1:] * 3
        return w.sum()

    def through_a_view_taken_before(w, x):
        view = w[1]
        w.add_(x)
        return view * 2

    def several(w, x):
        w += x
        w[0] -= 1
        w.view(-1)[2:4].zero_()
        return w.clone()

    def copied(w, x):
        w.copy_(x * 2)

    def filled(w, x):
        w.fill_(3)
        w[0, 0] = 5.0

    def data(w, x):
        w.data.add_(x)
        return w + 0

    def own_data(w, x):
        w.data -= 0.1 * x
        x.data *= 2
        return w + x

    def detached(w, x):
        w.detach().mul_(x)
        return w + 0

    def argument(w, x):
        x.mul_(2)
        x[0].zero_()
        return w + x

    def zeroed(w, x):
        w.zero_()
        w.add_(x)
        w.add_(1)

    def other_type(w, x):
        w.add_(x.double())
        w.copy_(torch.arange(6).reshape(2, 3))

    def replaced(w, x):
        w.data = x * 2
        return w * 1

    def masked(w, x):
        w.masked_fill_(x > 0, 1.5)
        w[x < -1] = 0.0

    def out(w, x):
        torch.add(x, 1, out=w)

    return dict(locals())


@pytest.mark.parametrize("name", writes())
def test_writes(name):
    def build():
        w, held = numbers(2, 3), numbers(4, 3, seed=3)
        function = writes()[name]
        calls = [(numbers(2, 3, seed=n),) for n in range(3)]
        view = w[0]  # a view that the function does not know
        return lambda x: function(w, x), calls, (w, view, held)

    assert_same(build, programs=1)


@pytest.mark.parametrize("name", writes())
def test_writes_to_a_view_of_what_is_larger(name):
    if name == "replaced":
        return  # of which the memory is that of a view no longer: refused, see below

    def build():
        whole = numbers(4, 3)
        w = whole[1:3]
        function = writes()[name]
        calls = [(numbers(2, 3, seed=n),) for n in range(3)]
        return lambda x: (function(w, x), whole.sum()), calls, (whole, w)

    assert_same(build, programs=1)


def test_writes_to_a_parameter_in_no_grad():
    def build():
        w = numbers(3, 2, requires_grad=True)

        def function(x):
            (x @ w).sum().backward()
            with torch.no_grad():
                w[1:] -= 0.1 * w.grad[1:]
                w.t()[0].mul_(0.5)
            return w[1].sum()

        return function, [(numbers(2, 3, seed=n),) for n in range(3)], (w,)

    assert_same(build, programs=2)


def test_detached_tensors_see_writes():
    def build():
        w = numbers(3, requires_grad=True)
        average, data = w.detach(), w.data
        part = data[1:]

        def function(x):
            with torch.no_grad():
                w.mul_(2)
                average.add_(x)
            return average + 0, data + 0, part + 0, w + 0

        return function, [(numbers(3, seed=n),) for n in range(2)], (w, average, data, part)

    assert_same(build, programs=1)


def test_buffers_of_modules():
    def build():
        torch.manual_seed(0)
        norm = torch.nn.BatchNorm1d(3)
        return norm, [(numbers(5, 3, seed=n),) for n in range(3)], list(norm.state_dict().values())

    assert_same(build, programs=1)


def test_requires_grad_is_set():
    def build():
        w, b = numbers(3), numbers(3, requires_grad=True)

        def function(x):
            w.requires_grad_()
            b.requires_grad_(False)
            y = (w * x * b).sum()
            y.backward()
            return y.detach()

        return function, [(numbers(3, seed=n),) for n in range(3)], (w, b)

    assert_same(build)


def test_constants_made_inside():
    def build():
        def function(x):
            ones = torch.ones(3)
            y = x + ones
            ones.add_(1)
            ones[0] = x[0]
            table = torch.tensor([[1.0, 2.0, 3.0], [0.5, 0.5, 0.5]])
            return y * ones, table[:, None] * x, torch.arange(3) * 2, torch.full((2,), 2.0)

        return function, [(numbers(3, seed=n),) for n in range(3)], ()

    assert_same(build, programs=1)


def test_layouts_are_those_of_memory():
    def build():
        def function(x):
            y = x.t().contiguous()
            y.add_(1)
            z = x.t().reshape(-1)
            z.add_(1)
            return y, z, x.t().is_contiguous(), x.t().stride(), (x.t() * 2).stride(), x

        return function, [(numbers(2, 3),), (numbers(3, 2).t(),)], ()

    assert_same(build, programs=2)


# -- gradients ----------------------------------------------------------------------------------


def test_grads_by_every_rule():
    def build_one(which):
        def made():
            w, b = numbers(3, requires_grad=True), numbers(3, seed=1, requires_grad=True)
            b.grad = torch.ones(3)

            def function(x):
                if which == "accumulating":
                    (x * w * b).sum().backward()
                elif which == "zeroed":
                    if w.grad is not None:
                        w.grad.zero_()
                    b.grad.zero_()
                    (x * w * b).sum().backward()
                    (x * w * b).sum().backward()
                elif which == "forgotten":
                    w.grad = None
                    (w * w * x).sum().backward()
                    b.grad = x * 2
                elif which == "read":
                    (x * w).sum().backward()
                    return w.grad, b.grad, w.grad * 2
                elif which == "swapped":
                    w.grad, b.grad = b.grad, None
                return None

            return function, [(numbers(3, seed=n),) for n in range(3)], (w, b)

        return made

    for which in ("accumulating", "zeroed", "forgotten", "read", "swapped"):
        assert_same(build_one(which))


def test_grads_of_arguments():
    def build():
        x = numbers(3, requires_grad=True)

        def function(x, y):
            (x * y).sum().backward()
            return x.grad + 0

        return function, [(x, numbers(3, seed=n)) for n in range(3)], ()

    assert_same(build, programs=2)


def test_results_that_require_a_gradient_come_with_a_backward_program():
    w = numbers(3, requires_grad=True)
    function = Replayed(lambda x: (w * x).exp().sum())
    x = numbers(3, seed=1, requires_grad=True)
    function(x)
    traced = function.programs[0][1]
    backward = traced.backward
    assert backward is not None
    assert len(backward.edges) == 2
    results = traced.program.evaluate([each.find([x])._array for each in traced.sources])
    arrays = [
        results[each] if isinstance(each, int) else each.find([x])._array
        for each in backward.residuals
    ]
    found = backward.program.evaluate([*arrays, np.ones((), np.float32)])
    (w * x).exp().sum().backward()
    for source, gradient in zip(backward.edges, found, strict=True):
        np.testing.assert_allclose(gradient, source.find([x]).grad.numpy(), rtol=1e-6)


def test_results_whose_graph_is_gone_say_so():
    w = numbers(3, requires_grad=True)

    def function():
        loss = (w * w).sum()
        loss.backward()
        return loss, loss * 2

    replayed = Replayed(function)
    replayed()
    traced = replayed.programs[0][1]
    assert [each.requires_grad for each in traced.made[:2]] == ["freed", "freed"]
    assert traced.backward is None


def test_data_of_what_is_made_inside():
    def build():
        w = numbers(2, 4)

        def function(x):
            made = w * 1
            view = made[:, ::2]
            view.data = x.detach().clone()
            made.add_(1)
            view.mul_(2)
            turned = w.t()
            turned.data = x * 2
            w[0].unsqueeze_(0)
            return made, view + 0, turned + 0  # they are still called views

        return function, [(numbers(2, 2, seed=n),) for n in range(2)], (w,)

    assert_same(build, programs=1)


def test_gradients_of_what_is_returned():
    def build():
        w = numbers(3, requires_grad=True)

        def function():
            made = w * 2
            leaf = made.detach().requires_grad_()
            (leaf * 3).sum().backward()
            kept = w * 3
            kept.retain_grad()
            kept.sum().backward()
            with torch.no_grad():
                rows, columns = torch.meshgrid(w, w, indexing="ij")
            return leaf, kept, rows, columns, torch.ones(2, requires_grad=True)

        return function, [(), ()], (w,)

    assert_same(build)
