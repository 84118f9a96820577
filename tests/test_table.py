"""The table, walked: the columns forward, vjp, double vjp, jvp and bad input of every case.

Batches and traces are in ``test_table_transforms.py``, layouts and element types of the inputs in
``test_table_inputs.py``, and ``test_table_complete.py`` fails on a blank cell. A failure names the
sample and its arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adjoint
from adjoint import dtypes
from adjoint.tape.tensor import Tensor, wrap
from tests.harness import (
    CASES,
    Call,
    as_array,
    differences,
    forward,
    function_of_moving,
    gradients,
    inner,
    is_moving,
    make_call,
    on_arrays,
)
from tests.harness_checks import (
    ALL,
    DIFFERENTIABLE,
    close,
    cotangents_of,
    each_call,
    is_finite,
    near,
    precise,
    same_tensors,
)
from tests.references import table as references

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


# -- forward -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ALL)
def test_forward(key: str) -> None:
    def check(call: Call) -> None:
        before = [leaf.copy() for leaf in call.leaves]
        outs = forward(call, call.leaves)
        for leaf, copy in zip(call.leaves, before, strict=True):
            np.testing.assert_array_equal(leaf, copy, err_msg="the call changed its input")
        reference = references.find(call)
        assert len(outs) == len(reference.outputs)
        for out, expected in zip(outs, reference.outputs, strict=True):
            if isinstance(out, Tensor):
                assert dtypes.of(out).numpy == expected.dtype
            close(as_array(out), expected, tolerance_of(call, expected), "value")

    def check_seeded(call: Call) -> None:
        same_tensors(forward(call, call.leaves), forward(call, call.leaves), 0, "seeded again")

    each_call(key, check_seeded if CASES[key].random else check)


def tolerance_of(call: Call, *arrays: np.ndarray) -> float:
    """How far from PyTorch's a result may be: further where single precision was on the way."""
    on_the_way = [*call.leaves, *(as_array(out) for out in forward(call, call.leaves)), *arrays]
    single = any(each.dtype.kind in "fcV" and not is_moving(each, True) for each in on_the_way)
    return max(call.case.tolerance, 1e-6 if single else 0.0)


# -- vjp -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", DIFFERENTIABLE)
def test_vjp(key: str) -> None:
    """The tape's gradients and ``func.vjp``'s: against differences, and against PyTorch's."""

    def check(call: Call) -> None:
        if not call.moving:
            return
        function, cotangents = function_of_moving(call), cotangents_of(call)
        found, _, _ = gradients(function, call.moved, cotangents)
        for g, x in zip(found, call.moved, strict=True):
            assert tuple(g.shape) == x.shape
            assert dtypes.of(g).numpy == x.dtype
        if not call.case.random:
            expected = references.find(call).gradients
            assert len(found) == len(expected)
            for g, wanted in zip(found, expected, strict=True):
                tolerance = 10 * tolerance_of(call, wanted)
                close(as_array(g), wanted, tolerance, "gradient", floor=1e-3)
        _, pull = adjoint.func.vjp(function, *[wrap(each) for each in call.moved])
        again = pull(tuple(wrap(each) for each in cotangents))
        same_tensors(again, found, 1e-12, "func.vjp")
        if precise(call):
            along = call.directions(call.moved, "direction")
            moves = differences(on_arrays(function), call.moved, along)
            near(inner([as_array(g) for g in found], along), inner(cotangents, moves), "vjp")

    each_call(key, check)


@pytest.mark.parametrize("key", DIFFERENTIABLE)
def test_double_vjp(key: str) -> None:
    """The gradient of gradient.direction, in the inputs and the cotangent, against differences."""

    def check(call: Call) -> None:
        if not precise(call):
            return
        function, cotangents = function_of_moving(call), cotangents_of(call)
        weights = call.directions(call.moved, "weights")
        count = len(call.moved)

        def gradient(arrays: Any) -> list[np.ndarray]:
            found, _, _ = gradients(function, arrays[:count], arrays[count:])
            return [as_array(each) for each in found]

        at = [*call.moved, *cotangents]
        along = call.directions(at, "direction")
        expected = inner(weights, differences(gradient, at, along))
        found, xs, gs = gradients(function, call.moved, cotangents, create_graph=True)
        for value, plain in zip(found, gradient(at), strict=True):
            close(as_array(value), plain, 1e-12, "gradient with create_graph")
        kept = [(g, wrap(w)) for g, w in zip(found, weights, strict=True) if g.requires_grad]
        if not kept:
            near(0.0, expected, "double vjp: nothing recorded")
            return
        roots, kept_weights = zip(*kept, strict=True)
        second = adjoint.autograd.grad(
            roots, [*xs, *gs], kept_weights, allow_unused=True, materialize_grads=True
        )
        near(inner([as_array(each) for each in second], along), expected, "double vjp")

    each_call(key, check)


# -- jvp -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", DIFFERENTIABLE)
def test_jvp(key: str) -> None:
    """``func.jvp`` against differences, and against the vjp, of which it is the transpose."""

    def check(call: Call) -> None:
        if not call.moving:
            return
        function, along = function_of_moving(call), call.directions(call.moved, "direction")
        primals = tuple(wrap(each) for each in call.moved)
        outs, moves = adjoint.func.jvp(function, primals, tuple(wrap(each) for each in along))
        same_tensors(outs, function(*primals), 1e-12, "primal")
        for out, move in zip(outs, moves, strict=True):
            assert tuple(move.shape) == tuple(out.shape)
            assert dtypes.of(move) is dtypes.of(out)
        cotangents = cotangents_of(call)
        found, _, _ = gradients(function, call.moved, cotangents)
        forwards = inner(cotangents, [as_array(move) for move in moves])
        backwards = inner([as_array(g) for g in found], along)
        if np.isfinite(backwards) and is_finite(call):
            assert abs(forwards - backwards) <= 1e-5 * max(1.0, abs(backwards)), (
                f"jvp {forwards!r}, but {backwards!r} by vjp"
            )
        if precise(call):
            expected = differences(on_arrays(function), call.moved, along)
            for move, wanted in zip(moves, expected, strict=True):
                close(as_array(move), wanted, 1e-6, "jvp against differences", floor=1e-3)
        for alone in range(len(call.moved)):
            one_input_moves(call, function, alone, along)

    each_call(key, check)


def one_input_moves(call: Call, function: Any, alone: int, along: list[np.ndarray]) -> None:
    """The jvp in one input, the others constant, is the jvp in all with the others at rest."""
    if len(call.moved) == 1:
        return
    xs = [wrap(each) for each in call.moved]
    still = [wrap(v if p == alone else np.zeros_like(v)) for p, v in enumerate(along)]
    _, expected = adjoint.func.jvp(function, tuple(xs), tuple(still))

    def partial(x: Any) -> Any:
        return function(*xs[:alone], x, *xs[alone + 1 :])

    _, found = adjoint.func.jvp(partial, (xs[alone],), (wrap(along[alone]),))
    same_tensors(found, expected, 1e-10, f"jvp in input {alone} alone")


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ALL)
def test_bad_input(key: str) -> None:
    """Each wrong call raises its type with its words, and leaves its inputs as they were."""
    case = CASES[key]
    assert case.errors or case.errorless, f"{key}: no errors, and no reason (errorless=...)"

    def check(call: Call) -> None:
        each = case.errors[call.number]
        before = [leaf.copy() for leaf in call.leaves]
        with pytest.raises(each.error, match=each.message):
            forward(call, call.leaves)
        for leaf, copy in zip(call.leaves, before, strict=True):
            np.testing.assert_array_equal(leaf, copy, err_msg="a call that fails changed its input")

    each_call(key, check, [make_call(key, n, e.args, e.kwargs) for n, e in enumerate(case.errors)])
