"""``autograd.forward_ad``: dual tensors are ordinary tensors with a tangent attached."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import adjoint as torch
import adjoint.autograd.forward_ad as fwAD
from adjoint.autograd.forward_ad import dual_level, make_dual, unpack_dual
from adjoint.tape.tensor import wrap
from tests.harness import CASES, Call, as_array, calls, exact_kinds, function_of_moving
from tests.harness_checks import DIFFERENTIABLE, close, cotangents_of, each_call, precise

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def tangent(value: Any) -> Any:
    return unpack_dual(value).tangent


def numbers(value: Any) -> Any:
    return None if value is None else value.tolist()


def dual(primal: Any, direction: Any) -> Any:
    return make_dual(torch.tensor(primal), torch.tensor(direction))


@pytest.fixture
def level() -> Iterator[int]:
    with dual_level() as number:
        yield number


# -- levels --------------------------------------------------------------------------------------


def test_a_level_is_needed() -> None:
    x = torch.ones(2)
    with pytest.raises(RuntimeError, match="no level exists"):
        make_dual(x, x)
    assert unpack_dual(x) == (x, None)
    with pytest.raises(RuntimeError, match="no dual level is open"):
        fwAD.exit_dual_level()


def test_levels_do_not_nest() -> None:
    assert fwAD.enter_dual_level() == 0
    with pytest.raises(RuntimeError, match="Nested forward mode AD"):
        fwAD.enter_dual_level()
    with pytest.raises(RuntimeError, match="not the last one"):
        fwAD.exit_dual_level(level=1)
    fwAD.exit_dual_level(level=0)


def test_a_level_ends_with_an_exception() -> None:
    with pytest.raises(KeyError), dual_level():
        raise KeyError
    with dual_level():
        pass


def test_a_level_is_a_decorator_too() -> None:
    @dual_level()
    def derivative(x: Any) -> Any:
        return tangent(make_dual(x, torch.ones_like(x)).sin())

    assert derivative(torch.tensor(0.0)).item() == 1.0
    assert derivative(torch.tensor(0.0)).item() == 1.0


def test_each_thread_has_levels_of_its_own(level: int) -> None:
    found: list[Any] = []

    def work() -> None:
        with dual_level():
            found.append(numbers(tangent(dual([2.0], [3.0]) * 2)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [[6.0]]


def test_what_leaves_the_level_loses_its_tangent() -> None:
    with dual_level():
        x = dual([1.0, 2.0], [3.0, 4.0])
        y = (x * x)[1:]
        kept = tangent(y)
    assert repr(x) == "tensor([1., 2.])"
    assert y.numpy().tolist() == [4.0]
    assert kept.tolist() == [16.0]
    with dual_level():
        assert tangent(x) is None
        assert tangent(y) is None
    assert (y + 1).tolist() == [5.0]


def test_the_end_of_a_level_leaves_nothing_to_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        with dual_level():
            x = torch.ones(3, requires_grad=True)
            y = make_dual(x, torch.ones(3)).exp().tanh()
            watched = weakref.ref(y), weakref.ref(tangent(y)), weakref.ref(y.grad_fn)
        del y
        assert [each() for each in watched] == [None, None, None]
    finally:
        gc.enable()


# -- making and taking apart ---------------------------------------------------------------------


def test_a_tangent_is_kept_without_a_copy(level: int) -> None:
    x, t = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    d = make_dual(x, t)
    assert tangent(d) is t
    primal = unpack_dual(d).primal
    assert primal.data_ptr() == d.data_ptr() == x.data_ptr()
    assert primal is not x
    assert tangent(primal) is None
    assert d._base is x
    assert unpack_dual(d)._fields == ("primal", "tangent")


def test_a_tangent_lies_as_its_tensor_does(level: int) -> None:
    t = torch.ones(3, 2)
    d = make_dual(torch.zeros(2, 3).t(), t)
    assert tangent(d).stride() == d.stride() == (1, 3)
    d.mul_(2)
    assert t.tolist() == torch.ones(3, 2).tolist()
    expanded = torch.ones(1).expand(2)
    e = make_dual(torch.zeros(2), expanded)
    e.mul_(3)
    assert tangent(e).tolist() == [3.0, 3.0]
    assert expanded.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("error", "primal", "direction", "match"),
    [
        (RuntimeError, torch.ones(2), torch.ones(3), r"shape \[2\] and the tangent \[3\]"),
        (RuntimeError, torch.ones(2), torch.ones(1), "forward gradient has the size"),
        (ValueError, torch.ones(2).long(), torch.ones(2), "Expected primal to be floating"),
        (ValueError, torch.ones(2), torch.ones(2).bool(), "Expected tangent to be floating"),
        (AttributeError, 1.0, torch.ones(2), "primal is a Tensor, not float"),
        (AttributeError, torch.ones(2), 1.0, "tangent is a Tensor, not float"),
    ],
)
def test_bad_duals(level: int, error: Any, primal: Any, direction: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        make_dual(primal, direction)


def test_tangents_do_not_nest(level: int) -> None:
    d = dual([1.0], [2.0])
    with pytest.raises(RuntimeError, match="the tensor already has a forward gradient"):
        make_dual(d, torch.ones(1))
    with pytest.raises(RuntimeError, match="the tangent already has a forward gradient"):
        make_dual(torch.ones(1), d)
    with pytest.raises(RuntimeError, match="Invalid level 1"):
        make_dual(torch.ones(1), torch.ones(1), level=1)
    with pytest.raises(RuntimeError, match="Invalid level 1"):
        unpack_dual(d, level=1)
    with pytest.raises(TypeError, match="not float"):
        unpack_dual(1.0)
    assert tangent(make_dual(torch.ones(1), torch.ones(1), level=level)).item() == 1


def test_what_has_no_tangent(level: int) -> None:
    d = dual([1.0, 2.0], [3.0, 4.0])
    nothing = (
        torch.ones(2), d.detach(), d.data, d.argmax(), d > 1, d.long(), torch.zeros_like(d),
        copy.deepcopy(d), pickle.loads(pickle.dumps(d)), torch.nn.Parameter(d),
        d.clone().detach_(), torch.empty(2).copy_(d).long(),
    )  # fmt: skip
    assert [tangent(each) for each in nothing] == [None] * len(nothing)
    assert numbers(tangent(d)) == [3.0, 4.0]
    assert numbers(tangent(d.round())) in (None, [0.0, 0.0])


def test_a_dual_is_a_tensor_of_numbers(level: int) -> None:
    d = dual([[1.0, 2.0]], [[3.0, 4.0]])
    assert d.tolist() == [[1.0, 2.0]]
    assert d.numpy().tolist() == [[1.0, 2.0]]
    assert np.asarray(d).tolist() == [[1.0, 2.0]]
    assert d[0, 1].item() == float(d[0, 1]) == int(d[0, 1]) == 2
    assert bool(d[0, 0])
    assert (d.shape, d.dtype, d.is_contiguous(), d.stride()) == (
        (1, 2),
        torch.float32,
        True,
        (2, 1),
    )
    assert d.storage_offset() == 0
    assert d[:, 1:].storage_offset() == 1
    assert d.untyped_storage().nbytes() == 8
    assert f"{d[0, 1]:.2f}" == "2.00"
    assert numbers(tangent(d.double())) == [[3.0, 4.0]]
    assert tangent(d.double()).dtype is torch.float64


def test_printing(level: int) -> None:
    d = dual([1.0, 2.0], [3.0, 4.0])
    assert repr(d) == "tensor([1., 2.], tangent=tensor([3., 4.]))"
    assert repr(d[0]) == "tensor(1., tangent=3.0)"
    x = torch.ones(2, requires_grad=True)
    expected = "tensor([1., 1.], grad_fn=<ViewBackward0>, tangent=tensor([1., 1.]))"
    assert repr(make_dual(x, torch.ones(2))) == expected


# -- modes ---------------------------------------------------------------------------------------


def test_no_grad_does_not_stop_tangents(level: int) -> None:
    x = torch.ones(2, requires_grad=True)
    d = make_dual(x, torch.full((2,), 3.0))
    with torch.no_grad():
        y = d.sin() * 2
        assert numbers(tangent(dual([1.0], [2.0]))) == [2.0]
    assert not y.requires_grad
    assert not tangent(y).requires_grad
    close(as_array(tangent(y)), 6 * np.cos(np.ones(2)), 1e-6, "tangent")


@pytest.mark.parametrize("reduce", ["amax", "prod", "mean"])
def test_no_grad_of_a_transposed_rule(level: int, reduce: str) -> None:
    """Its tangents come from a backward pass, which is recorded for them alone."""
    x, t = (torch.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    x = make_dual(x, t)
    index = torch.tensor([0, 0])
    recorded = torch.zeros(2).scatter_reduce(0, index, x, reduce)
    assert tangent(recorded).requires_grad
    with torch.no_grad():
        quiet = torch.zeros(2).scatter_reduce(0, index, x, reduce)
    assert not tangent(quiet).requires_grad
    assert numbers(tangent(quiet)) == numbers(tangent(recorded))


def test_switched_off(level: int) -> None:
    d = dual([1.0], [2.0])
    assert fwAD._is_fwd_grad_enabled()
    for off in (lambda: fwAD._set_fwd_grad_enabled(False), torch.inference_mode):
        with off():
            assert not fwAD._is_fwd_grad_enabled()
            assert tangent(d) is None
            assert repr(d) == "tensor([1.])"
            y, made = d * 2, make_dual(torch.ones(1), torch.ones(1))
        assert tangent(y) is None
        assert tangent(made) is None
        assert numbers(tangent(d)) == [2.0]
    fwAD.set_fwd_grad_enabled(False)
    assert tangent(d) is None
    fwAD.set_fwd_grad_enabled(True)

    @fwAD.set_fwd_grad_enabled(False)
    def off_inside() -> Any:
        return tangent(d * 2)

    assert tangent(d) is not None
    assert off_inside() is None
    assert tangent(d) is not None


# -- views and writes ----------------------------------------------------------------------------


def test_the_tangent_of_a_view_is_a_view_of_the_tangent(level: int) -> None:
    d = dual([[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]])
    for view in (d[0], d.t(), d.view(4), d[:, 1:], d.unsqueeze(0), d.chunk(2)[0], d.diagonal()):
        assert np.shares_memory(tangent(view).numpy(), tangent(d).numpy())
        assert tangent(view).shape == view.shape


def test_writing_to_a_view_reaches_the_base(level: int) -> None:
    d = dual([1.0, 2.0], [3.0, 4.0])
    d[0].mul_(10)
    assert repr(d) == "tensor([10.,  2.], tangent=tensor([30.,  4.]))"
    d.view(2, 1)[1] = 7
    assert repr(d) == "tensor([10.,  7.], tangent=tensor([30.,  0.]))"


def test_writing_a_dual_makes_a_plain_tensor_dual(level: int) -> None:
    d = dual(2.0, 4.0)
    base = torch.zeros(2)
    first, column, detached = base[0], base.view(2, 1), base.detach()
    with torch.no_grad():
        quiet = base[:1]
    first.copy_(d)
    assert [numbers(tangent(each)) for each in (base, first, column, quiet)] == [
        [4.0, 0.0], 4.0, [[4.0], [0.0]], [4.0],
    ]  # fmt: skip
    assert tangent(detached) is None
    assert detached.tolist() == [2.0, 0.0]
    assert base.detach().numpy().tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    ("write", "primal", "direction"),
    [
        (lambda x, d: x.copy_(d), [2.0, 3.0], [4.0, 5.0]),
        (lambda x, d: x.add_(d, alpha=2), [5.0, 7.0], [8.0, 10.0]),
        (lambda x, d: x.__setitem__(slice(0, 1), d[1]), [3.0, 1.0], [5.0, 0.0]),
        (lambda x, d: x.__setitem__(torch.tensor([1]), d[1]), [1.0, 3.0], [0.0, 5.0]),
        (lambda x, d: x.__setitem__(torch.tensor([True, False]), d[0]), [2.0, 1.0], [4.0, 0.0]),
        (lambda x, d: x.__imul__(d), [2.0, 3.0], [4.0, 5.0]),
        (lambda x, d: x.index_add_(0, torch.tensor([0]), d[1:]), [4.0, 1.0], [5.0, 0.0]),
        (lambda x, d: x.masked_fill_(torch.tensor([True, False]), d[0]), [2.0, 1.0], [4.0, 0.0]),
    ],
)
def test_writes(level: int, write: Any, primal: Any, direction: Any) -> None:
    x, d = torch.ones(2), dual([2.0, 3.0], [4.0, 5.0])
    memory = x.numpy()
    write(x, d)
    assert (numbers(x), numbers(tangent(x))) == (primal, direction)
    assert memory.tolist() == primal
    double = torch.ones(2).double()
    double.copy_(d)
    assert tangent(double).dtype is torch.float64
    tangent(x).zero_()
    assert numbers(tangent(d)) == [4.0, 5.0]


@pytest.mark.parametrize(
    "write", [lambda x: x.zero_(), lambda x: x.fill_(3), lambda x: x.copy_(torch.ones(2)),
              lambda x: x.__setitem__(slice(None), 1), lambda x: x.uniform_()],
)  # fmt: skip
def test_writing_constants_stops_the_movement(level: int, write: Any) -> None:
    d = dual([2.0, 3.0], [4.0, 5.0])
    write(d)
    assert numbers(tangent(d)) in ([0.0, 0.0], None)


def test_writing_to_the_memory_of_the_primal(level: int) -> None:
    x = torch.tensor([1.0, 2.0])
    d = make_dual(x, torch.tensor([3.0, 4.0]))
    d.mul_(2)
    assert (numbers(x), tangent(x)) == ([2.0, 4.0], None)
    x.mul_(2)
    assert (numbers(d), numbers(tangent(d))) == ([4.0, 8.0], [6.0, 8.0])
    d.data = torch.zeros(2)
    assert (numbers(d), numbers(tangent(d))) == ([0.0, 0.0], [6.0, 8.0])
    d.data.add_(1)
    assert (numbers(d), numbers(tangent(d))) == ([1.0, 1.0], [6.0, 8.0])


def test_writes_that_are_refused(level: int) -> None:
    leaf = torch.ones(2, requires_grad=True)
    d = dual([1.0, 1.0], [2.0, 2.0])
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        leaf.add_(d)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        make_dual(leaf, torch.ones(2)).mul_(2)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        make_dual(torch.ones(2), torch.ones(2, requires_grad=True)).mul_(2)
    with pytest.raises(RuntimeError, match="Can't detach views"):
        d.detach_()
    with pytest.raises(RuntimeError, match="has a forward gradient"):
        d.resize_(3)
    with pytest.raises(NotImplementedError, match="does not go through out="):
        torch.mul(d, 2, out=torch.ones(2))
    with pytest.raises(NotImplementedError, match="set_ is not implemented for forward mode"):
        d.set_(torch.ones(2))
    assert numbers(tangent(d.apply_(lambda number: number + 1))) == [2.0, 2.0]
    with torch.no_grad():
        leaf.add_(d)
    assert (leaf.requires_grad, numbers(tangent(leaf))) == (True, [2.0, 2.0])


# -- with the tape -------------------------------------------------------------------------------


def test_a_dual_is_where_its_primal_is_on_the_tape(level: int) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    d = make_dual(x, torch.tensor([3.0, 4.0]))
    assert (d.requires_grad, d.is_leaf, d.grad_fn.name()) == (True, False, "ViewBackward0")
    assert dual([1.0], [1.0]).is_leaf
    assert unpack_dual(d).primal.requires_grad
    y = (d**3).sum()
    assert y.grad_fn.name() == "SumBackward0"
    y.backward(retain_graph=True)
    assert numbers(x.grad) == [3.0, 12.0]
    assert tangent(x.grad) is None
    for where in (x, d):
        (g,) = torch.autograd.grad(y, where, retain_graph=True)
        assert (numbers(g), numbers(tangent(g))) == ([3.0, 12.0], [18.0, 48.0])
        (h,) = torch.autograd.grad(tangent(y), where, retain_graph=True)
        assert numbers(h) == [18.0, 48.0]


def test_hooks_and_kept_gradients_have_tangents(level: int) -> None:
    x = make_dual(torch.ones(2, requires_grad=True), torch.tensor([3.0, 4.0]))
    y, seen = x * 2, []
    y.register_hook(lambda g: seen.append(numbers(tangent(g))))
    y.retain_grad()
    (y * y).sum().backward()
    assert seen == [[12.0, 16.0]]
    assert numbers(tangent(y.grad)) == [12.0, 16.0]


def test_a_tangent_that_requires_grad(level: int) -> None:
    t = torch.ones(2, requires_grad=True)
    y = make_dual(torch.tensor([2.0, 3.0]), t) ** 2
    assert not y.requires_grad
    tangent(y).sum().backward()
    assert numbers(t.grad) == [4.0, 6.0]


def test_a_requires_grad_dual_in_place(level: int) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = make_dual(x, torch.ones(2)).clone()
    y.mul_(y.detach().clone() + 1).mul_(y.clone())
    y[0] = y[1] * 3
    assert numbers(y) == [108.0, 36.0]  # y[1] is (3 x)^2, where 3 was a constant
    assert numbers(tangent(y)) == [108.0, 36.0]  # 18 x
    (g,) = torch.autograd.grad(tangent(y).sum(), x, retain_graph=True)
    assert numbers(g) == [0.0, 72.0]
    (g,) = torch.autograd.grad(y.sum(), x)
    assert (numbers(g), numbers(tangent(g))) == ([0.0, 144.0], [0.0, 72.0])


def test_spoiled_results_are_noticed(level: int) -> None:
    y = make_dual(torch.ones(2, requires_grad=True), torch.ones(2)).exp()
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.sum().backward()


def test_packed_values_have_tangents(level: int) -> None:
    x = make_dual(torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0]))
    seen: list[Any] = []

    def pack(value: Any) -> Any:
        seen.append((value.grad_fn and value.grad_fn.name(), tangent(value) is not None))
        return value

    (expected,) = torch.autograd.grad(x.exp().sum(), x)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda packed: packed):
        y = x.exp()
    (found,) = torch.autograd.grad(y.sum(), x)
    assert ("ExpBackward0", True) in seen
    with torch.autograd.graph.save_on_cpu():
        y = x.exp()
    (copied,) = torch.autograd.grad(y.sum(), x)
    assert numbers(tangent(found)) == numbers(tangent(copied)) == numbers(tangent(expected))


def test_functions_of_users(level: int) -> None:
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x * x * g

        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x * x * t

    x = make_dual(torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0, 4.0]))
    y = Cube.apply(x)
    assert numbers(tangent(y)) == [9.0, 48.0]
    (g,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
    assert (numbers(g), numbers(tangent(g))) == ([3.0, 12.0], [18.0, 48.0])
    (h,) = torch.autograd.grad(tangent(y).sum(), x)
    assert numbers(h) == [18.0, 48.0]


def test_modules_with_dual_parameters(level: int) -> None:
    layer = torch.nn.Linear(2, 1)
    weight = layer.weight
    del layer.weight
    layer.weight = make_dual(weight, torch.ones(1, 2))
    out = layer(torch.tensor([3.0, 4.0]))
    assert numbers(tangent(out)) == [7.0]
    (g,) = torch.autograd.grad(out.sum(), weight)
    assert numbers(g) == [[3.0, 4.0]]
    duals = {name: make_dual(p, torch.ones_like(p)) for name, p in torch.nn.Linear(
        2, 1).named_parameters()}  # fmt: skip
    out = torch.func.functional_call(torch.nn.Linear(2, 1), duals, (torch.tensor([3.0, 4.0]),))
    assert numbers(tangent(out)) == [8.0]


# -- with transforms -----------------------------------------------------------------------------


def test_transforms_of_functions_of_duals(level: int) -> None:
    x = make_dual(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    g = torch.func.grad(lambda x: (x**3).sum())(x)
    assert numbers(tangent(g)) == [18.0, 48.0]
    assert numbers(tangent(torch.func.vmap(lambda x: x * x)(x))) == [6.0, 16.0]
    assert numbers(tangent(torch.func.vjp(lambda x: x * x, x)[0])) == [6.0, 16.0]
    out, moved = torch.func.jvp(lambda x: x**3, (x,), (torch.ones(2),))
    assert (numbers(tangent(out)), numbers(tangent(moved))) == ([9.0, 48.0], [18.0, 48.0])
    jacobian = torch.func.jacrev(lambda x: x**2)(x)
    assert numbers(tangent(jacobian)) == [[6.0, 0.0], [0.0, 8.0]]


def test_duals_made_inside_transforms(level: int) -> None:
    x = torch.tensor([1.0, 2.0])

    def moved(t: Any) -> Any:
        return tangent(make_dual(x, t) ** 2)

    assert numbers(torch.func.vmap(moved)(torch.eye(2))) == [[2.0, 0.0], [0.0, 4.0]]
    made = torch.func.vmap(lambda t: make_dual(x, t) ** 2)(torch.eye(2))
    assert numbers(tangent(made)) == [[2.0, 0.0], [0.0, 4.0]]
    assert numbers(torch.func.vmap(lambda x: unpack_dual(x * 2).primal)(x)) == [2.0, 4.0]


def test_levels_inside_transforms() -> None:
    @dual_level()
    def slope(x: Any) -> Any:
        return tangent((make_dual(x, torch.ones_like(x)) ** 3).sum())

    x = torch.tensor([1.0, 2.0])
    assert numbers(torch.func.grad(slope)(x)) == [6.0, 12.0]
    assert numbers(torch.func.vmap(slope)(x)) == [3.0, 12.0]
    assert numbers(torch.func.jvp(slope, (x,), (torch.ones(2),))[1]) == 18.0


def test_a_tape_outside_a_transform_sees_tangents(level: int) -> None:
    t = torch.ones(2, requires_grad=True)
    x = make_dual(torch.tensor([1.0, 2.0]), t)
    tangent(torch.func.vmap(lambda x: x * x)(x)).sum().backward()
    assert numbers(t.grad) == [2.0, 4.0]


# -- the table -----------------------------------------------------------------------------------

MOVING = [key for key in DIFFERENTIABLE if CASES[key].function != "Tensor.type"]


@pytest.mark.parametrize("key", MOVING)
def test_the_table(key: str) -> None:
    """Every row: tangents, tangents of gradients and gradients of tangents, against ``func``."""

    def check(call: Call) -> None:
        if call.moving:
            function = function_of_moving(call)
            along = call.directions(call.moved, "direction")
            _check_tangents(call, function, along)
            if precise(call):
                for recorded in (False, True):
                    _check_gradients(call, function, along, recorded)

    each_call(key, check, [call for kind in exact_kinds(key) for call in calls(key, kind)[:4]])


def fresh(arrays: Any) -> tuple[Any, ...]:
    return tuple(wrap(each.copy()) for each in arrays)


def _check_tangents(call: Call, function: Any, along: Any) -> None:
    _, expected = torch.func.jvp(function, fresh(call.moved), fresh(along))
    with dual_level():
        outs = function(*map(make_dual, fresh(call.moved), fresh(along)))
        found = [unpack_dual(each) for each in outs]
    for (primal, t), wanted in zip(found, expected, strict=True):
        if t is None:
            assert not np.any(as_array(wanted))
        else:
            assert t.dtype is primal.dtype
            close(as_array(t), as_array(wanted), 1e-12, "tangent")


def _check_gradients(call: Call, function: Any, along: Any, recorded: bool) -> None:
    cotangents = cotangents_of(call)

    def gradient(*xs: Any) -> Any:
        return torch.func.vjp(function, *xs)[1](fresh(cotangents))

    _, expected = torch.func.jvp(gradient, fresh(call.moved), fresh(along))
    with dual_level():
        leaves = [each.requires_grad_() for each in fresh(call.moved)]
        directions = [each.requires_grad_() for each in fresh(along)]
        duals = list(map(make_dual, leaves, directions))
        pairs = [
            (out, g)
            for out, g in zip(function(*duals), fresh(cotangents), strict=True)
            if out.requires_grad
        ]
        if not pairs:
            return
        found = torch.autograd.grad(
            [out for out, _ in pairs], duals, [g for _, g in pairs],
            create_graph=recorded, retain_graph=True, allow_unused=True,
        )  # fmt: skip
        moved = [None if g is None else tangent(g) for g in found]
        moving = [(tangent(out), g) for out, g in pairs if tangent(out) is not None]
        moving = [(t, g) for t, g in moving if t.requires_grad]
        second: Any = [None] * (2 * len(leaves))
        if moving:
            second = torch.autograd.grad(
                [t for t, _ in moving], leaves + directions, [g for _, g in moving],
                allow_unused=True,
            )  # fmt: skip
    for t, wanted in zip(moved, expected, strict=True):
        _same_or_zero(t, wanted, "tangent of the gradient")
    for g, wanted in zip(second[: len(leaves)], expected, strict=True):
        if as_array(wanted).dtype.kind != "c":  # of the conjugate there
            _same_or_zero(g, wanted, "gradient of the tangent")
    for g, wanted in zip(second[len(leaves) :], found, strict=True):
        if wanted is not None:
            _same_or_zero(g, wanted.detach(), "gradient of the tangent in the direction")


def _same_or_zero(found: Any, wanted: Any, what: str) -> None:
    wanted = as_array(wanted)
    found = np.zeros_like(wanted) if found is None else as_array(found)
    close(found, wanted, 1e-9, what, floor=1e-3)
