"""Values that take the place of arrays in the table's tests: symbols, and spies that note rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

import adjoint
from adjoint import dtypes
from adjoint.array.memory import strides_of
from adjoint.array.symbol import Symbol, Trace
from adjoint.array.value import Value, transform_level
from adjoint.tape.tensor import Tensor, wrap
from tests.harness import Arrays, Call, calls, forward, function_of_moving, is_moving, parts


def trace(function: Callable[..., Any], arrays: Arrays) -> tuple[Trace, list[Symbol], list[Any]]:
    """Run a function on Tensors over symbols: the equations, the symbols in, the arrays out."""
    with transform_level() as level:
        record = Trace(level)
        symbols = [record.symbol(each.shape, dtypes.of(each)) for each in arrays]
        outs = parts(function(*[wrap(each, level + 1) for each in symbols]))
        arrays_out = [
            out._array if isinstance(out, Tensor) and out._level == level + 1 else out
            for out in outs
        ]
    return record, symbols, arrays_out


class Spy(Value):
    """Plain memory that notes the rows it meets, and which of their inputs were floating."""

    __slots__ = ("_level", "array", "seen")

    def __init__(self, level: int, array: np.ndarray, seen: dict[str, set[int]]) -> None:
        self._level = level
        self.array = array
        self.seen = seen

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes.from_numpy(self.array.dtype)

    @property
    def strides(self) -> tuple[int, ...]:
        return strides_of(self.array)

    def _apply(
        self, row: Any, level: int, inputs: tuple[Any, ...], options: tuple[Any, ...]
    ) -> Any:
        floating = self.seen.setdefault(row.name, set())
        floating |= {
            place
            for place, each in enumerate(inputs)
            if isinstance(each, Spy) and is_moving(each.array)
        }
        arrays = tuple(map(memory, inputs))
        out = row.evaluate(arrays, options)
        if row.many_outputs:
            return tuple(Spy(level, np.asarray(each), self.seen) for each in out)
        return Spy(level, np.asarray(out), self.seen)


def memory(value: Any) -> Any:
    """The array below a spy, or below a Tensor that is a constant beside one."""
    if isinstance(value, Spy):
        return value.array
    return value._array if isinstance(value, Tensor) else value


@cache
def rows_used(key: str) -> dict[str, set[int]]:
    """The rows that a case and its derivatives use, with the places of their floating inputs."""
    seen: dict[str, set[int]] = {}

    def spies(arrays: Iterable[np.ndarray], level: int) -> list[Any]:
        return [wrap(Spy(level, each, seen), level + 1) for each in arrays]

    def derive(call: Call, level: int) -> None:
        function = function_of_moving(call)
        adjoint.func.jvp(
            function,
            tuple(spies(call.moved, level)),
            tuple(spies(call.directions(call.moved, "direction"), level)),
        )

        # A linear row's formula sees nothing but the cotangent: that is a spy too.
        def pull(*values: Any) -> Any:
            outs, pullback = adjoint.func.vjp(function, *values)
            return pullback(tuple(spies(map(ones_of, outs), level)))

        gradient, pullback = adjoint.func.vjp(pull, *spies(call.moved, level))
        pullback(tuple(spies(map(ones_of, gradient), level)))

    for kind in ("float64", "int64"):  # conversions have nothing to do in one of the two
        for call in calls(key, kind):
            with transform_level() as level:
                try:
                    forward(call, spies(call.leaves, level))
                    if call.moving:
                        derive(call, level)
                except (RuntimeError, AttributeError):
                    # The type is refused; or the values are asked for, which a spy has not.
                    if kind == "float64" and call.case.traced:
                        raise
    return seen


def ones_of(value: Any) -> np.ndarray:
    """A cotangent of ones."""
    return np.ones(value.shape, dtypes.of(value).numpy)
