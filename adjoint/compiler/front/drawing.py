"""Random numbers in a trace: equations that draw from the same generators at each call, in order.

Rows of kind "random" have an effect besides their result: they are never folded, merged, moved
before or after each other, or left out. While a trace runs, nothing is drawn: what functions of
``adjoint`` would draw becomes an equation, as do the states of generators, and a draw in any other
way is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import dtypes
from adjoint.array.random_engine import STATE_SIZE, Generator
from adjoint.array.symbol import Symbol
from adjoint.compiler.front.equations import untraceable
from adjoint.ops.kinds.general import define
from adjoint.random import Generator as PublicGenerator
from adjoint.tape.tensor import Tensor, wrap

_installed: list[tuple[Any, str, Any]] = []


class Draw:
    """A call that makes random numbers out of nothing, named for printing."""

    __slots__ = ("function", "sizes")

    def __init__(self, function: Callable[..., Any], sizes: tuple[int, ...]) -> None:
        self.function = function
        self.sizes = sizes

    def __call__(self) -> Any:
        return np.asarray(self.function(self.sizes))

    def __repr__(self) -> str:
        return self.function.__qualname__.partition(".")[0]


def _infer_drawn(row: Any, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
    return options[1], options[2]


def _infer_state(row: Any, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
    return (STATE_SIZE,), dtypes.uint8


def _infer_done(row: Any, inputs: tuple[Any, ...], options: tuple[Any, ...]) -> Any:
    return (), dtypes.uint8


def _set_state(state: Any, _: Any, generator: Any) -> Any:
    Generator.set_state(generator, np.array(state))
    return np.zeros((), np.uint8)


def _seed(_: Any, generator: Any, seed: int) -> Any:
    Generator.manual_seed(generator, seed)
    return np.zeros((), np.uint8)


def _row(name: str, compute: Callable[..., Any], inputs: str, options: str, infer: Any) -> Any:
    return define(
        name, "random", compute, inputs=inputs, options=options, infer=infer, low_precision=False,
    ).row  # type: ignore[attr-defined]  # fmt: skip


drawn_row = _row("drawn", lambda _, draw, *__: draw(), "witness", "draw shape kind", _infer_drawn)
get_state_row = _row(
    "get_state", lambda _, generator: Generator.get_state(generator), "witness", "generator",
    _infer_state,
)  # fmt: skip
set_state_row = _row("set_state", _set_state, "state witness", "generator", _infer_done)
seed_row = _row("manual_seed", _seed, "witness", "generator seed", _infer_done)


def drawn(
    trace: Any, draw: Callable[..., Any], sizes: tuple[int, ...], shape: tuple[int, ...], kind: Any
) -> Symbol:
    """Numbers that ``draw(sizes)`` makes at each call."""
    options = Draw(draw, sizes), (*sizes, *shape), kind
    made: Symbol = trace.record(drawn_row, (None,), options)
    return made


# -- generators ---------------------------------------------------------------------------------


def install(capture: Any) -> None:
    """Let the methods of all generators be written down, in the thread of a trace."""
    record, thread = capture.trace.record, capture.thread

    def outside() -> bool:
        return bool(capture.pausing) or threading.get_ident() != thread

    def get_state(generator: Any) -> Any:
        return record(get_state_row, (None,), (generator,))

    def set_state(generator: Any, state: Any) -> None:
        record(set_state_row, (state, None), (generator,))

    def manual_seed(generator: Any, seed: int) -> Any:
        if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
            raise RuntimeError(f"a seed is an integer, but got a {type(seed).__name__}")
        record(seed_row, (None,), (generator, int(seed)))
        return generator

    def refuse(*_: Any) -> Any:
        raise untraceable("a random number would be drawn once, while tracing")

    def get_public_state(generator: Any) -> Any:
        return wrap(get_state(generator))

    def set_public_state(generator: Any, state: Any) -> None:
        if not isinstance(state, Tensor):
            raise TypeError(f"a state is a tensor of uint8, not {type(state).__name__}")
        set_state(generator, state._array)

    for kind, name, function in (
        (Generator, "get_state", get_state), (Generator, "set_state", set_state),
        (Generator, "snapshot", get_state), (Generator, "restore", set_state),
        (Generator, "manual_seed", manual_seed), (Generator, "seed", refuse),
        (Generator, "draw", refuse), (PublicGenerator, "get_state", get_public_state),
        (PublicGenerator, "set_state", set_public_state),
    ):  # fmt: skip
        _replace(kind, name, function, outside)


def _replace(kind: Any, name: str, function: Any, outside: Callable[[], bool]) -> None:
    before = vars(kind)[name]
    _installed.append((kind, name, before))

    def method(generator: Any, *args: Any) -> Any:
        return before(generator, *args) if outside() else function(generator, *args)

    setattr(kind, name, method)


def uninstall() -> None:
    """Make generators what they were."""
    while _installed:
        kind, name, before = _installed.pop()
        setattr(kind, name, before)


__all__ = ["drawn", "install", "uninstall"]
