"""The table under ``vmap`` and on symbols: the columns batch and traced of every case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import adjoint
from adjoint import dtypes
from adjoint.array.symbol import Symbol
from adjoint.errors import TransformError
from adjoint.ops.kinds.row import TABLE
from adjoint.tape.tensor import Tensor, wrap
from tests.harness import (
    CASES,
    Call,
    as_array,
    calls,
    direction,
    forward,
    function_of_moving,
    inner,
    is_floating,
    parts,
)
from tests.harness_checks import (
    ALL,
    DIFFERENTIABLE,
    close,
    cotangents_of,
    each_call,
    precise,
    same_tensors,
)
from tests.harness_tracing import trace

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

BATCHED = [key for key in ALL if CASES[key].batched]
TRACED = [key for key in ALL if CASES[key].traced]
SIZE = 3  # of the batches

# -- batch ---------------------------------------------------------------------------------------


def examples_of(call: Call) -> list[Call]:
    """The same sample as many times as a batch has examples, each time of other values."""
    return [drawn(call.key, call.dtype, draw)[call.number] for draw in range(SIZE)]


@lru_cache(maxsize=2 * SIZE)
def drawn(key: str, dtype: str, draw: int) -> list[Call]:
    """All samples of a case, kept while they are gone through."""
    return calls(key, dtype, draw)


def stacked(rows: list[list[np.ndarray]], dim: int = 0) -> list[np.ndarray]:
    """Arrays of the same place stacked: a list of results for each example becomes one list."""
    return [np.stack(column, axis=dim) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("dim", [0, -1])
@pytest.mark.parametrize("key", BATCHED)
def test_batch(key: str, dim: int) -> None:
    """``func.vmap`` over each tensor alone, and over all, against a loop."""

    def check(call: Call) -> None:
        examples = examples_of(call)
        every = list(range(len(call.leaves)))

        def function(*leaves: Any) -> tuple[Any, ...]:
            return tuple(out for out in forward(call, leaves) if isinstance(out, Tensor))

        for places in [[place] for place in every] + [every] * (len(every) > 1):
            rows = [
                [(each if place in places else call).leaves[place] for place in every]
                for each in examples
            ]
            whole = [
                np.stack([row[place] for row in rows], axis=dim) if place in places else leaf
                for place, leaf in enumerate(call.leaves)
            ]
            expected = stacked([[as_array(out) for out in function(*row)] for row in rows], dim)
            mapped = adjoint.func.vmap(
                function, in_dims=tuple(dim if p in places else None for p in every), out_dims=dim
            )
            found = mapped(*map(wrap, whole))
            same_tensors(found, expected, 1e-12, f"vmap over {places}")

    each_call(key, check)


@pytest.mark.parametrize("key", [key for key in BATCHED if CASES[key].differentiable])
def test_batch_of_derivatives(key: str) -> None:
    """``vmap`` of ``vjp`` and of ``jvp``, and ``vjp`` and ``jvp`` of ``vmap``, against a loop."""

    def check(call: Call) -> None:
        if not call.moving:
            return
        examples = [each.leaves for each in examples_of(call)]
        moved = [[leaves[place] for place in call.moving] for leaves in examples]
        random, cotangents = call.random("batch"), cotangents_of(call)
        gs = [[direction(random, each.shape, each.dtype) for each in cotangents] for _ in moved]
        vs = [[direction(random, each.shape, each.dtype) for each in row] for row in moved]
        batched = adjoint.func.vmap(lambda leaves: function_on(call, leaves)(*at(call, leaves)))
        whole = [wrap(each) for each in stacked(examples)]
        for name, transform, others in (("vjp", pull, gs), ("jvp", push, vs)):

            def one(leaves: Any, other: Any, transform: Any = transform) -> Any:
                return transform(function_on(call, leaves), at(call, leaves), other)

            whole_others = [wrap(each) for each in stacked(others)]
            expected = stacked(
                [
                    [as_array(each) for each in one(list(map(wrap, leaves)), map(wrap, other))]
                    for leaves, other in zip(examples, others, strict=True)
                ]
            )
            found = adjoint.func.vmap(one)(whole, whole_others)
            same_tensors(found, expected, 1e-10, f"vmap of {name}")
            function = lambda *values: batched(replaced(call, whole, values))  # noqa: E731 - short
            found = transform(function, at(call, whole), whole_others)
            same_tensors(found, expected, 1e-10, f"{name} of vmap")

    each_call(key, check)


def at(call: Call, leaves: Sequence[Any]) -> list[Any]:
    """Those of the leaves that have a derivative."""
    return [leaves[place] for place in call.moving]


def replaced(call: Call, leaves: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """The leaves with those that have a derivative replaced."""
    found = list(leaves)
    for place, value in zip(call.moving, values, strict=True):
        found[place] = value
    return found


def function_on(call: Call, leaves: Sequence[Any]) -> Callable[..., tuple[Any, ...]]:
    """The floating results as a function of the leaves that have a derivative, beside others."""

    def function(*values: Any) -> tuple[Any, ...]:
        outs = forward(call, replaced(call, leaves, values))
        return tuple(out for out in outs if is_floating(out))

    return function


def pull(function: Any, primals: Iterable[Any], cotangents: Iterable[Any]) -> Any:
    """The vjp of a function, applied to cotangents."""
    return adjoint.func.vjp(function, *primals)[1](tuple(cotangents))


def push(function: Any, primals: Iterable[Any], tangents: Iterable[Any]) -> Any:
    """The jvp of a function, without its value."""
    return adjoint.func.jvp(function, tuple(primals), tuple(tangents))[1]


@pytest.mark.parametrize("key", [key for key in ALL if not CASES[key].batched])
def test_refused_in_a_batch(key: str) -> None:
    def check(call: Call) -> None:
        if not call.leaves:
            return
        whole = [wrap(np.stack([each, each])) for each in call.leaves]
        with pytest.raises((TransformError, RuntimeError)):
            adjoint.func.vmap(lambda *leaves: forward(call, leaves))(*whole)

    each_call(key, check)


# -- second derivatives ------------------------------------------------------------------------


@pytest.mark.parametrize("key", DIFFERENTIABLE)
def test_second_derivatives(key: str) -> None:
    """Forward over reverse, reverse over forward and forward twice, against reverse twice.

    The number is the derivative of <cotangent, J weights> as inputs and cotangent move.
    """

    def check(call: Call) -> None:
        if not precise(call):
            return
        function, count = function_of_moving(call), len(call.moving)
        cotangents = cotangents_of(call)
        xs, cs = list(map(wrap, call.moved)), list(map(wrap, cotangents))
        ws, us = (
            list(map(wrap, call.directions(call.moved, purpose)))
            for purpose in ("weights", "direction")
        )
        ds = list(map(wrap, call.directions(cotangents, "direction of the cotangent")))

        def gradient(*values: Any) -> Any:
            return pull(function, values[:count], values[count:])

        def slope(*values: Any) -> Any:
            return push(function, values, ws)

        along = inner_of(ds, slope(*xs))
        found = {
            "forward over reverse": inner_of(ws, push(gradient, [*xs, *cs], [*us, *ds])),
            "reverse over forward": inner_of(pull(slope, xs, cs), us) + along,
            "forward twice": inner_of(cs, push(slope, xs, us)) + along,
        }
        expected = inner_of(pull(gradient, [*xs, *cs], ws), [*us, *ds])
        for name, value in found.items():
            assert abs(value - expected) <= 1e-9 * max(1.0, abs(expected)), (
                f"{name}: {value!r}, but {expected!r} by reverse twice"
            )

    each_call(key, check)


def inner_of(first: Iterable[Any], second: Iterable[Any]) -> float:
    """The real inner product of two lists of Tensors."""
    return inner([as_array(each) for each in first], [as_array(each) for each in second])


# -- traced --------------------------------------------------------------------------------------


def check_trace(function: Callable[..., Any], arrays: list[np.ndarray], what: str) -> None:
    """Shapes and types on symbols are the actual ones, and the equations give the same values."""
    expected = parts(function(*[wrap(each) for each in arrays]))
    record, symbols, outs = trace(function, arrays)
    assert len(outs) == len(expected)
    for out, actual in zip(outs, expected, strict=True):
        if isinstance(out, Symbol):
            assert tuple(out.shape) == tuple(actual.shape), f"{what}: shape on symbols\n{record}"
            assert out.dtype is dtypes.of(actual), f"{what}: type on symbols\n{record}"
    found = record.evaluate(dict(zip(symbols, arrays, strict=True)), outs)
    for value, actual in zip(found, expected, strict=True):
        if isinstance(actual, Tensor):
            value = as_array(value)
            assert value.dtype == dtypes.of(actual).numpy, f"{what}: {value.dtype}"
            close(value, as_array(actual), 1e-12, what)


@pytest.mark.parametrize("key", TRACED)
def test_traced(key: str) -> None:
    def check(call: Call) -> None:
        check_trace(lambda *leaves: forward(call, leaves), call.leaves, "traced")
        if not call.moving:
            return
        function, cotangents = function_of_moving(call), cotangents_of(call)
        count = len(call.moving)
        directions = call.directions(call.moved, "direction")
        for transform, others in ((pull, cotangents), (push, directions)):
            check_trace(
                lambda *values, t=transform: t(function, values[:count], values[count:]),
                [*call.moved, *others],
                f"{transform.__name__} traced",
            )

    each_call(key, check)


def decomposable(key: str) -> bool:
    """Whether a case covers a fused row, which tracing may expand into smaller ones."""
    return any(name in TABLE and TABLE[name].decompose for name in CASES[key].rows)


@pytest.mark.parametrize("key", [key for key in TRACED if decomposable(key)])
def test_decomposed(key: str) -> None:
    """A fused row and what it decomposes into have the same values, shapes and types."""

    def check(call: Call) -> None:
        expected = parts(forward(call, call.leaves))
        record, symbols, outs = trace(lambda *leaves: forward(call, leaves), call.leaves)
        environment: dict[Symbol, Any] = dict(zip(symbols, call.leaves, strict=True))

        def read(value: Any) -> Any:
            return environment[value] if isinstance(value, Symbol) else value

        for equation in record.equations:
            inputs = [read(each) for each in equation.inputs]
            operation = equation.row.decompose or (lambda *a, row=equation.row: row.compute(*a))
            out = operation(*inputs, *equation.options)
            outputs = out if equation.row.many_outputs else (out,)
            environment.update(zip(equation.outputs, outputs, strict=True))
        found = [read(out) for out in outs]
        same_tensors(found, [as_array(each) for each in expected], 1e-12, "decomposed")

    each_call(key, check)


@pytest.mark.parametrize("key", [key for key in ALL if not CASES[key].traced])
def test_refused_in_a_trace(key: str) -> None:
    def check(call: Call) -> None:
        if not call.leaves:
            return
        with pytest.raises((TransformError, RuntimeError)):
            trace(lambda *leaves: forward(call, leaves), call.leaves)

    each_call(key, check)
